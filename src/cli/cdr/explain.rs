//! `roamwatt cdr explain`: why a CDR costs what it costs, line by line.

use super::owner_of;
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Output, printable};
use crate::cli::pricing::LanguageArg;
use crate::cli::store::Store;
use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::finance::explain::{Explained, explain};
use clap::Args;

/// Explains why a CDR costs what it costs, line by line
///
/// Ours are explained with the policy and the zone that were kept when they were priced, those of partners with
/// their own tariffs and periods.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt cdr explain 019c2d6e-7b1f-7c3e-9a55-3d1f0a9b2c44
  roamwatt cdr explain C-1 --party 'DE*ABC' --language de
  roamwatt cdr explain C-1 --json | jq .exact_total_cost")]
pub(super) struct ExplainArgs {
    /// The CDR
    id: String,
    /// The CPO that owns it, like DE*ABC [default: the only one that has a CDR of that id]
    #[arg(long, value_name = "PARTY")]
    party: Option<PartyId>,
    #[command(flatten)]
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
    let Explained { party, id, stated_total_cost: stated, report, .. } = &explained;
    let heading = format!("{party} {id} states {} {}", stated.incl_vat.0, report.currency);
    let text = report.text(args.language.language)?;
    let people = || {
        std::iter::once(heading.as_str()).chain(text.lines()).map(printable).collect::<Vec<_>>().join("\n")
    };
    output.show(&explained, people)
}
