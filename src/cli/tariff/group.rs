//! `roamwatt tariff group`: named lists of stations and connectors, or of tokens, to which tariffs are assigned.

use super::write_and_spread;
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, count, printable, table};
use crate::cli::store::Store;
use crate::db::tariff_groups;
use crate::domain::CiString;
use crate::domain::assignment::{ConnectorRef, Group, Members, PlaceMember, TokenMember};
use crate::roaming::assign::{put_group, remove_group};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Keeps groups of places and of tokens
#[derive(Debug, Args)]
pub(super) struct GroupArgs {
    #[command(subcommand)]
    command: GroupCommand,
}

#[derive(Debug, Subcommand)]
enum GroupCommand {
    Add(AddArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

/// Adds a group, or adds to one
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt tariff group add depots --station CS1 --station CS2 --connector LOC1/E1/1
  roamwatt tariff group add fleet --contract NL-XYZ-C12 --token NL*XYZ/04A2B3C4")]
struct AddArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    members: MemberArgs,
}

/// What a group holds: places, or tokens.
#[derive(Debug, Args)]
struct MemberArgs {
    /// All connectors of a station
    #[arg(long = "station", value_name = "STATION")]
    stations: Vec<String>,
    /// One connector
    #[arg(long = "connector", value_name = "LOC/EVSE/CONN")]
    connectors: Vec<ConnectorRef>,
    /// One token of an eMSP
    #[arg(long = "token", value_name = "NL*XYZ/UID", value_parser = TokenMember::token)]
    tokens: Vec<TokenMember>,
    /// All tokens whose contract begins so; NL*XYZ/PREFIX where the contract does not name its eMSP
    #[arg(long = "contract", value_name = "NL-XYZ-C12", value_parser = TokenMember::contract)]
    contracts: Vec<TokenMember>,
}

/// Lists groups with their members
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt tariff group list")]
struct ListArgs {}

/// Removes a group to which nothing is assigned, or takes members out of one
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt tariff group remove depots
  roamwatt tariff group remove depots --station CS2     the group stays, without the station")]
struct RemoveArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    members: MemberArgs,
}

/// Runs the command.
///
/// # Errors
/// When the database refuses, or a member is not there.
pub(super) fn run(settings: &Settings, output: Output, args: GroupArgs) -> Outcome {
    match args.command {
        GroupCommand::Add(args) => add(settings, output, args),
        GroupCommand::List(_) => list(settings, output),
        GroupCommand::Remove(args) => remove(settings, output, args),
    }
}

impl MemberArgs {
    /// The members; none where none were named.
    fn members(self) -> Result<Option<Members>, Failure> {
        let Self { stations, connectors, tokens, contracts } = self;
        let stations = stations.into_iter().map(PlaceMember::Station);
        let places: Vec<_> = stations.chain(connectors.into_iter().map(PlaceMember::Connector)).collect();
        let tokens: Vec<_> = tokens.into_iter().chain(contracts).collect();
        match (places.is_empty(), tokens.is_empty()) {
            (true, true) => Ok(None),
            (false, true) => Ok(Some(Members::Places(places))),
            (true, false) => Ok(Some(Members::Tokens(tokens))),
            (false, false) => Err(Failure::wrong_use("a group holds places or tokens, not both")
                .with_remedy("make two groups; a tariff can be assigned to both together")),
        }
    }
}

fn add(settings: &Settings, output: Output, args: AddArgs) -> Outcome {
    let wrong = |error: crate::domain::ValueError| Failure::wrong_use(error.to_string());
    let name = CiString::parse("NAME", args.name.trim(), 64).map_err(wrong)?;
    let members = args.members.members()?.ok_or_else(|| {
        Failure::wrong_use("no member is named")
            .with_remedy("name some: --station, --connector, --token, --contract")
    })?;
    let store = Store::open(settings)?;
    let wanted = name.clone();
    let known = store.read(move |conn| tariff_groups::find(conn, &wanted))?;
    let group = match known {
        None => Group { name, members },
        Some(known) => Group { members: with(known.members, members, &name)?, name: known.name },
    };
    put(&store, output, group)
}

fn put(store: &Store, output: Output, group: Group) -> Outcome {
    let (new, now) = (group.clone(), store.now());
    write_and_spread(store, move |conn| put_group(conn, &new, now))?;
    output.show(&as_json(&group), || text(std::slice::from_ref(&group)))
}

/// The members of both, each once.
fn with(known: Members, more: Members, name: &CiString) -> Result<Members, Failure> {
    fn join<T: PartialEq>(mut all: Vec<T>, more: Vec<T>) -> Vec<T> {
        for member in more {
            if !all.contains(&member) {
                all.push(member);
            }
        }
        all
    }
    match (known, more) {
        (Members::Places(all), Members::Places(more)) => Ok(Members::Places(join(all, more))),
        (Members::Tokens(all), Members::Tokens(more)) => Ok(Members::Tokens(join(all, more))),
        (known, _) => {
            Err(Failure::new(format!("the group {} holds {}", printable(name.as_str()), kind(&known)))
                .with_remedy("make another group for the others"))
        }
    }
}

fn list(settings: &Settings, output: Output) -> Outcome {
    let store = Store::open(settings)?;
    let all = store.read(tariff_groups::all)?;
    output.show(&all.iter().map(as_json).collect::<Vec<_>>(), || text(&all))
}

fn remove(settings: &Settings, output: Output, args: RemoveArgs) -> Outcome {
    let store = Store::open(settings)?;
    let name = CiString::from(args.name.trim());
    let missing = || {
        Failure::new(format!("there is no group {}", printable(name.as_str())))
            .with_remedy("`roamwatt tariff group list` shows them")
    };
    let wanted = name.clone();
    let known = store.read(move |conn| tariff_groups::find(conn, &wanted))?.ok_or_else(missing)?;
    if let Some(out) = args.members.members()? {
        let mut group = known;
        match (&mut group.members, out) {
            (Members::Places(all), Members::Places(out)) => all.retain(|member| !out.contains(member)),
            (Members::Tokens(all), Members::Tokens(out)) => all.retain(|member| !out.contains(member)),
            // Nothing of the other kind is in it.
            _ => {}
        }
        return put(&store, output, group);
    }
    let wanted = name.clone();
    write_and_spread(&store, move |conn| remove_group(conn, &wanted))?;
    output.show(&json!({ "name": known.name, "result": "removed" }), || {
        format!("the group {} is removed", printable(known.name.as_str()))
    })
}

fn kind(members: &Members) -> &'static str {
    match members {
        Members::Places(_) => "places",
        Members::Tokens(_) => "tokens",
    }
}

fn names(members: &Members) -> Vec<String> {
    match members {
        Members::Places(places) => places.iter().map(ToString::to_string).collect(),
        Members::Tokens(tokens) => tokens.iter().map(ToString::to_string).collect(),
    }
}

fn text(groups: &[Group]) -> String {
    let columns = ["NAME", "HOLDS", "MEMBERS"].map(Column::Text);
    let rows = groups.iter().map(|group| {
        let names = names(&group.members);
        let most = names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
        let members = match names.len() {
            0 => "none".to_owned(),
            1..=5 => most,
            many => format!("{most}, … ({})", count(many, "member")),
        };
        vec![group.name.to_string(), kind(&group.members).to_owned(), members]
    });
    table(&columns, rows, "no groups yet; `roamwatt tariff group add --help` shows how to make one")
}

fn as_json(group: &Group) -> Value {
    json!({ "name": group.name, "holds": kind(&group.members), "members": names(&group.members) })
}
