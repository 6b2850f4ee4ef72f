//! `roamwatt party`: the parties that this node speaks for.

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Column, Output, facts, table};
use super::store::Store;
use crate::db::{DbResult, parties};
use crate::domain::party::{Party, PartyId, Role};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Adds and lists the parties that this node speaks for
#[derive(Debug, Args)]
pub struct PartyArgs {
    #[command(subcommand)]
    command: PartyCommand,
}

#[derive(Debug, Subcommand)]
enum PartyCommand {
    Add(AddArgs),
    List(ListArgs),
}

/// Adds a party: a country code and a party id, as your roaming organisation assigned them
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt party add --country DE --party ABC --role cpo --name \"ABC Charging\"
  roamwatt party add --country NL --party XYZ --role cpo --role emsp --name \"XYZ\"")]
pub struct AddArgs {
    /// Two letters, like DE (ISO 3166-1 alpha-2)
    #[arg(long)]
    pub country: String,
    /// Three letters or digits, like ABC
    #[arg(long)]
    pub party: String,
    /// What the party does: cpo operates stations, emsp has drivers, hub relays, nsp and nap show locations
    #[arg(long = "role", required = true, value_parser = parse_role)]
    pub roles: Vec<Role>,
    /// Name that partners show
    #[arg(long)]
    pub name: String,
    /// Website that partners show
    #[arg(long, value_parser = parse_website)]
    pub website: Option<url::Url>,
}

/// Lists the parties
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt party list")]
pub struct ListArgs {}

fn parse_role(text: &str) -> Result<Role, String> {
    let role = Role::from(text.to_ascii_uppercase().as_str());
    if role.is_known() {
        Ok(role)
    } else {
        Err(format!("is none of {}", Role::WORDS.join(", ").to_lowercase()))
    }
}

fn parse_website(text: &str) -> Result<url::Url, String> {
    url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| "is no URL like https://abc.example".to_owned())
}

/// Runs the command.
///
/// # Errors
/// When the database refuses, or the party is there already.
pub fn run(settings: &Settings, output: Output, args: PartyArgs) -> Outcome {
    match args.command {
        PartyCommand::Add(args) => add(settings, output, args),
        PartyCommand::List(_) => list(settings, output),
    }
}

fn add(settings: &Settings, output: Output, args: AddArgs) -> Outcome {
    let AddArgs { country, party, mut roles, name, website } = args;
    let id = PartyId::new(&country, &party).map_err(|error| Failure::wrong_use(error.to_string()))?;
    if name.trim().is_empty() {
        return Err(
            Failure::wrong_use("--name is empty").with_remedy("name the party as partners shall show it")
        );
    }
    let mut seen = Vec::new();
    roles.retain(|role| {
        !seen.contains(role) && {
            seen.push(role.clone());
            true
        }
    });
    let party = Party { id, name, website: website.map(String::from), roles };
    let store = Store::open_or_create(settings)?;
    let (new, now) = (party.clone(), store.now());
    let added = store.write(move |conn| -> DbResult<bool> {
        if parties::find(conn, &new.id)?.is_some() {
            return Ok(false);
        }
        parties::insert(conn, &new, now)?;
        Ok(true)
    })?;
    if !added {
        return Err(Failure::new(format!("the party {} is there already", party.id))
            .with_remedy("`roamwatt party list` shows it"));
    }
    output.show(&party_as_json(&party), || {
        facts(&[("party", party.id.to_string()), ("name", party.name.clone()), ("roles", roles_of(&party))])
    })
}

fn list(settings: &Settings, output: Output) -> Outcome {
    let store = Store::open(settings)?;
    let all = store.read(parties::all)?;
    output.show(&all.iter().map(party_as_json).collect::<Vec<_>>(), || {
        let columns =
            [Column::Text("PARTY"), Column::Text("NAME"), Column::Text("ROLES"), Column::Text("WEBSITE")];
        let rows = all.iter().map(|party| {
            let website = party.website.clone().unwrap_or_default();
            vec![party.id.to_string(), party.name.clone(), roles_of(party), website]
        });
        table(&columns, rows, "no parties yet; `roamwatt party add --help` shows how to add one")
    })
}

fn roles_of(party: &Party) -> String {
    party.roles.iter().map(Role::as_str).collect::<Vec<_>>().join(", ")
}

fn party_as_json(party: &Party) -> Value {
    json!({
        "country_code": party.id.country_code(),
        "party_id": party.id.party_id(),
        "name": party.name,
        "roles": party.roles,
        "website": party.website,
    })
}

/// The party that is meant: the one named, which must be ours; else our only one in the role; else our only one.
///
/// # Errors
/// When it is not ours, or several could be meant.
pub fn party_meant(all: &[Party], named: Option<&PartyId>, role: &Role) -> Result<Party, Failure> {
    if let Some(id) = named {
        return all.iter().find(|party| party.id == *id).cloned().ok_or_else(|| {
            Failure::new(format!("{id} is none of our parties"))
                .with_remedy("`roamwatt party list` shows them")
        });
    }
    let with_role: Vec<&Party> = all.iter().filter(|party| party.has_role(role)).collect();
    match (with_role.as_slice(), all) {
        ([only], _) => Ok(Party::clone(only)),
        ([], [only]) => Ok(only.clone()),
        (_, []) => Err(Failure::new("there is no party yet").with_remedy(
            "add one: roamwatt party add --country DE --party ABC --role cpo --name \"ABC Charging\"",
        )),
        _ => Err(Failure::wrong_use("several parties could be meant")
            .with_remedy("name one: --party DE*ABC; `roamwatt party list` shows them")),
    }
}
