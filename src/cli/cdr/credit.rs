//! `roamwatt cdr credit`: corrections of our CDRs.

use super::{BY, owner_of};
use crate::charging::correct::{Corrected, Correction, Replacement, correct};
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Output, facts};
use crate::cli::store::Store;
use crate::domain::cdr::Cdr;
use crate::domain::party::PartyId;
use crate::domain::{CiString, Kwh};
use crate::pricing::read::{self, OcpiVersion};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Takes a CDR of ours back with a credit CDR, and can put a corrected one in its place
///
/// A CDR never changes. Both new CDRs are written in one step and go to the eMSP like any other; a running node sends
/// them within two seconds.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt cdr credit C-1 --reason \"The cable was broken\"
  roamwatt cdr credit C-1 --reason \"Meter replaced\" --kwh 12.5
  roamwatt cdr credit C-1 --reason \"Wrong tariff\" --replacement edited.json
  roamwatt cdr credit C-1 --reason \"Priced anew\" --reprice

The edited document is an OCPI 2.2.1 CDR. Its times, periods and tariffs are taken and priced; all else is
as in the original.")]
pub(super) struct CreditArgs {
    /// The CDR
    id: String,
    /// The party of ours that owns it, like DE*ABC [default: the only one that has a CDR of that id]
    #[arg(long, value_name = "PARTY")]
    party: Option<PartyId>,
    /// Why; the partner reads it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// File with the edited CDR that takes its place, as OCPI 2.2.1 writes it
    #[arg(long, value_name = "FILE", group = "new")]
    replacement: Option<PathBuf>,
    /// The same charge with so much energy in its place, spread over the periods as it was
    #[arg(long, value_name = "KWH", group = "new")]
    kwh: Option<Kwh>,
    /// The same charge, priced anew, in its place
    #[arg(long, group = "new")]
    reprice: bool,
}

pub(super) fn run(settings: &Settings, output: Output, args: CreditArgs) -> Outcome {
    let CreditArgs { id, party, reason, replacement, kwh, reprice } = args;
    let replacement = match (replacement, kwh, reprice) {
        (Some(file), ..) => document(&file)?,
        (None, Some(kwh), _) => Replacement::Kwh(kwh),
        (None, None, true) => Replacement::Reprice,
        (None, None, false) => Replacement::None,
    };
    let store = Store::open(settings)?;
    let id = CiString::from(id);
    let party = owner_of(&store, &id, party)?;
    let correction = Correction { party, id, reason, by: BY.to_owned(), replacement };
    let made = correct(&store.db, &store.clock, &store.config.pricing, correction);
    let Corrected { credit, replacement } = store.block_on(made)?;
    let shown = json!({ "credit": brief(&credit), "replacement": replacement.as_ref().map(brief) });
    output.show(&shown, || {
        let mut lines = vec![("credit", in_words(&credit))];
        lines.extend(replacement.as_ref().map(|cdr| ("replacement", in_words(cdr))));
        facts(&lines)
    })
}

fn brief(cdr: &Cdr) -> Value {
    json!({
        "party": cdr.party.to_string(),
        "id": cdr.id,
        "currency": cdr.currency,
        "total_cost": cdr.total_cost,
        "total_energy": cdr.total_energy,
    })
}

fn in_words(cdr: &Cdr) -> String {
    let cost = cdr.total_cost.incl_vat.unwrap_or(cdr.total_cost.excl_vat);
    format!("{}  {cost} {}, {} kWh", cdr.id, cdr.currency, cdr.total_energy)
}

/// The edited document, as far as a replacement follows it.
fn document(file: &Path) -> Result<Replacement, Failure> {
    let name = file.display();
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::from(error).while_doing(format!("cannot read {name}")))?;
    let json: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::from(error).while_doing(format!("{name} is no JSON")))?;
    let read = read::cdr(&json, OcpiVersion::V2_2_1).map_err(|found| {
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        Failure::new(format!("{name} is no CDR that can be priced: {}", found.join("; ")))
    })?;
    Ok(Replacement::Document(Box::new(read.value)))
}
