//! `roamwatt cdr`: CDRs priced from files without any database, and those of the database priced again, explained and
//! corrected.

mod credit;
mod explain;
mod price;
mod verify;

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::Output;
use super::store::Store;
use crate::db::cdrs;
use crate::domain::CiString;
use crate::domain::party::PartyId;
use clap::{Args, Subcommand};

/// Who made a change, where the command line did.
const BY: &str = "command line";

/// Prices, verifies, explains and corrects CDRs
#[derive(Debug, Args)]
pub struct CdrArgs {
    #[command(subcommand)]
    command: CdrCommand,
}

#[derive(Debug, Subcommand)]
enum CdrCommand {
    Price(price::PriceArgs),
    Verify(verify::VerifyArgs),
    Explain(explain::ExplainArgs),
    Credit(credit::CreditArgs),
}

/// Runs the command.
///
/// # Errors
/// When the database fails, or there is no such CDR.
pub fn run(settings: &Settings, output: Output, args: CdrArgs) -> Outcome {
    match args.command {
        CdrCommand::Price(args) => price::run(output, &args),
        CdrCommand::Verify(args) => verify::run(settings, output, args),
        CdrCommand::Explain(args) => explain::run(settings, output, args),
        CdrCommand::Credit(args) => credit::run(settings, output, args),
    }
}

/// Whose CDR of an id is meant: the one that there is, where nobody says it.
fn owner_of(store: &Store, id: &CiString, party: Option<PartyId>) -> Result<PartyId, Failure> {
    if let Some(party) = party {
        return Ok(party);
    }
    let wanted = id.clone();
    let parties = store.read(move |conn| cdrs::parties_with(conn, &wanted))?;
    match parties.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::new(format!("there is no CDR {id}"))),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Failure::new(format!("{} have a CDR {id}", names.join(" and ")))
                .with_remedy("name one of them with --party"))
        }
    }
}
