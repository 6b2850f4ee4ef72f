//! `roamwatt cdr explain`: why a CDR costs what it costs, line by line.

use super::owner_of;
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, facts, table};
use crate::cli::store::Store;
use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::finance::explain::{Explained, Language, explain};
use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LanguageArg {
    /// English
    En,
    /// German
    De,
}

/// Explains why a CDR costs what it costs, line by line
///
/// Ours are explained with the policy and the zone that were kept when they were priced, those of partners with
/// their own tariffs and periods.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt cdr explain 019c2d6e-7b1f-7c3e-9a55-3d1f0a9b2c44
  roamwatt cdr explain C-1 --party 'DE*ABC' --language de
  roamwatt cdr explain C-1 --json | jq .exact_total_cost

A ~ behind a time says that the energy then was interpolated between two meter values.")]
pub(super) struct ExplainArgs {
    /// The CDR
    id: String,
    /// The CPO that owns it, like DE*ABC [default: the only one that has a CDR of that id]
    #[arg(long, value_name = "PARTY")]
    party: Option<PartyId>,
    /// Language of the text
    #[arg(long, value_enum, default_value = "en")]
    language: LanguageArg,
}

pub(super) fn run(settings: &Settings, output: Output, args: ExplainArgs) -> Outcome {
    let store = Store::open(settings)?;
    let id = CiString::from(args.id);
    let party = owner_of(&store, &id, args.party)?;
    let (config, wanted, owner) = (store.config.pricing.clone(), id.clone(), party.clone());
    let found = store.read(move |conn| explain(conn, &config, &owner, &wanted))?;
    let explained = found.ok_or_else(|| Failure::new(format!("there is no CDR {id} of {party}")))?;
    let explained = explained.map_err(|reasons| {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        Failure::new(format!("the CDR {id} cannot be priced: {}", reasons.join("; ")))
    })?;
    let language = match args.language {
        LanguageArg::En => Language::En,
        LanguageArg::De => Language::De,
    };
    let (document, text) = (explained.document()?, people(&explained, language)?);
    output.show(&document, || text)
}

fn people(explained: &Explained, language: Language) -> Result<String, Failure> {
    let (headings, rows) = explained.text(language)?;
    let columns: Vec<Column> = headings
        .into_iter()
        .enumerate()
        .map(|(at, heading)| if at < 2 { Column::Text(heading) } else { Column::Number(heading) })
        .collect();
    let Explained { kept, explanation, zone, policy, warnings } = explained;
    let cdr = &kept.cdr;
    let stated = cdr.total_cost.incl_vat.unwrap_or(cdr.total_cost.excl_vat);
    let rounding = serde_json::to_value(policy.rounding)?;
    let mut text = facts(&[
        ("cdr", format!("{} {}", cdr.party, cdr.id)),
        ("stated", format!("{stated} {}", cdr.currency)),
        ("currency", explanation.currency.clone()),
        ("zone", zone.name().to_owned()),
        ("rounding", rounding.as_str().unwrap_or_default().to_owned()),
    ]);
    text.push_str("\n\n");
    text.push_str(&table(&columns, rows, ""));
    for warning in warnings {
        text.push_str(&format!("\n{warning}"));
    }
    Ok(text)
}
