//! `roamwatt tariff`: what a tariff says and what a charge costs by it, without any database; and tariffs as goods:
//! what there is, where it is sold to whom, and the groups for that.

mod assign;
mod assignments;
mod explain;
mod group;
mod lint;
mod list;
mod price;
mod remove;
mod show;

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Output, printable};
use super::store::Store;
use crate::db::{DbConn, tariffs};
use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::domain::tariff::Tariff;
use crate::roaming::assign::AssignError;
use crate::roaming::spread;
use clap::{Args, Subcommand};

/// Looks for mistakes in tariffs, explains them, prices charges with them; lists, assigns and removes them
#[derive(Debug, Args)]
pub struct TariffArgs {
    #[command(subcommand)]
    command: TariffCommand,
}

#[derive(Debug, Subcommand)]
enum TariffCommand {
    Lint(lint::LintArgs),
    Explain(explain::ExplainArgs),
    Price(price::PriceArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Assign(Box<assign::AssignArgs>),
    Unassign(assign::UnassignArgs),
    Assignments(assignments::AssignmentsArgs),
    Remove(remove::RemoveArgs),
    Group(group::GroupArgs),
}

/// Runs the command.
///
/// # Errors
/// When the database refuses, or what is named is not there.
pub fn run(settings: &Settings, output: Output, args: TariffArgs) -> Outcome {
    match args.command {
        TariffCommand::Lint(args) => lint::run(output, &args),
        TariffCommand::Explain(args) => explain::run(output, &args),
        TariffCommand::Price(args) => price::run(output, &args),
        TariffCommand::List(args) => list::run(settings, output, &args),
        TariffCommand::Show(args) => show::run(settings, output, &args),
        TariffCommand::Assign(args) => assign::run(settings, output, &args),
        TariffCommand::Unassign(args) => assign::run_back(settings, output, &args),
        TariffCommand::Assignments(args) => assignments::run(settings, output, &args),
        TariffCommand::Remove(args) => remove::run(settings, output, &args),
        TariffCommand::Group(args) => group::run(settings, output, args),
    }
}

/// The tariff of ours that is meant by its id, and by its party where the id alone names several.
fn tariff_meant(store: &Store, id: &str, party: Option<&PartyId>) -> Result<Tariff, Failure> {
    let wanted = CiString::from(id);
    let mut found: Vec<Tariff> = store.read(move |conn| tariffs::ours_by_id(conn, &wanted))?;
    found.retain(|tariff| party.is_none_or(|party| tariff.party == *party));
    match (found.pop(), found.as_slice()) {
        (Some(tariff), []) => Ok(tariff),
        (None, _) => Err(Failure::new(format!("there is no tariff {} of ours", printable(id)))
            .with_remedy("`roamwatt tariff list` shows them; `roamwatt import tariffs` brings new ones")),
        (Some(last), others) => {
            let names: Vec<_> = others.iter().chain([&last]).map(|tariff| tariff.party.to_string()).collect();
            Err(Failure::wrong_use(format!("several parties have a tariff of that id: {}", names.join(", ")))
                .with_remedy("name one with --party"))
        }
    }
}

/// Writes, and does at once what it means for locations; a node that runs would do it too.
fn write_and_spread<T: Send + 'static>(
    store: &Store,
    body: impl FnMut(&mut DbConn) -> Result<T, AssignError> + Send + 'static,
) -> Result<T, Failure> {
    let written = store.write(body).map_err(failure_of)?;
    store.block_on(spread::work_off(&store.db, store.now()))?;
    Ok(written)
}

/// What an operator can do about it.
fn failure_of(error: AssignError) -> Failure {
    let remedy = match &error {
        AssignError::Db(_) => return Failure::from(error),
        AssignError::Missing { field, .. } => match *field {
            "tariff_id" => "`roamwatt tariff list` shows what there is",
            "group" => "`roamwatt tariff group list` shows what there is",
            "partner" => "`roamwatt partner list` shows what there is",
            "stations" => "`roamwatt station list` shows what there is",
            _ => "name what was imported with `roamwatt import locations`",
        },
        AssignError::NotOurs(_) => "`roamwatt tariff list` shows ours",
        AssignError::NoTime { .. } => "name a later --to, or leave it out",
        AssignError::Warnings { .. } => {
            "put the tariff right, or assign it all the same with --accept-warnings"
        }
        AssignError::Repeated(_) => "`roamwatt tariff assignments` shows it",
        AssignError::InUse { .. } => {
            "take assignments back with `roamwatt tariff unassign`, and import the locations without the id"
        }
        AssignError::WrongKind { .. } => "name a group of the other kind: `roamwatt tariff group list`",
    };
    Failure::new(error.to_string()).with_remedy(remedy)
}
