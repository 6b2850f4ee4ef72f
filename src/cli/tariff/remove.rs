//! `roamwatt tariff remove`.

use super::{tariff_meant, write_and_spread};
use crate::cli::Settings;
use crate::cli::failure::Outcome;
use crate::cli::output::{Output, printable};
use crate::cli::store::Store;
use crate::domain::party::PartyId;
use crate::roaming::assign::withdraw;
use clap::Args;
use serde_json::json;

/// Removes a tariff that is neither assigned nor named by a connector; charges that began with it keep it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt tariff remove OLD")]
pub(super) struct RemoveArgs {
    /// Its id
    #[arg(value_name = "TARIFF_ID")]
    id: String,
    /// Its party, where the id alone names several
    #[arg(long, value_name = "DE*ABC")]
    party: Option<PartyId>,
}

/// Runs the command.
///
/// # Errors
/// When there is no such tariff, or something refers to it.
pub(super) fn run(settings: &Settings, output: Output, args: &RemoveArgs) -> Outcome {
    let store = Store::open(settings)?;
    let tariff = tariff_meant(&store, &args.id, args.party.as_ref())?;
    let (party, id, now) = (tariff.party.clone(), tariff.id.clone(), store.now());
    write_and_spread(&store, move |conn| withdraw(conn, &party, &id, now))?;
    output.show(&json!({ "party": tariff.party.to_string(), "id": tariff.id, "result": "removed" }), || {
        format!("the tariff {} is removed", printable(tariff.id.as_str()))
    })
}
