//! `roamwatt api-key`: keys of the operator API.

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Column, Output, facts, table};
use super::store::Store;
use crate::db::api_keys;
use crate::security::new_secret;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

/// Creates, lists and removes keys of the operator API
#[derive(Debug, Args)]
pub struct ApiKeyArgs {
    #[command(subcommand)]
    command: ApiKeyCommand,
}

#[derive(Debug, Subcommand)]
enum ApiKeyCommand {
    Create(CreateArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

/// What the holder of a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ApiRole {
    /// Everything, also commands to stations
    Operator,
    /// Read everything, and export CDRs
    Finance,
    /// Read everything
    Viewer,
}

impl ApiRole {
    /// As the database and access tokens name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Finance => "finance",
            Self::Viewer => "viewer",
        }
    }
}

/// Creates a key and shows it, this once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt api-key create --role operator --name dashboard
  curl -X POST -H \"Authorization: Bearer KEY\" http://127.0.0.1:8080/api/v1/token    → an access token

Only a hash of the key is kept: who loses it makes another.")]
pub struct CreateArgs {
    /// What its holder may do
    #[arg(long, value_enum)]
    pub role: ApiRole,
    /// What you call it, to find it again
    #[arg(long, default_value = "")]
    pub name: String,
}

/// Lists the keys, without what makes them keys
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt api-key list")]
pub struct ListArgs {}

/// Removes a key; access tokens made with it stay valid for the rest of their lifetime
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt api-key remove 3        the number that `api-key list` shows")]
pub struct RemoveArgs {
    /// Its number
    pub id: i64,
}

/// Runs the command.
///
/// # Errors
/// When the database refuses, or there is no such key.
pub fn run(settings: &Settings, output: Output, args: ApiKeyArgs) -> Outcome {
    match args.command {
        ApiKeyCommand::Create(args) => create(settings, output, args),
        ApiKeyCommand::List(_) => list(settings, output),
        ApiKeyCommand::Remove(args) => remove(settings, output, &args),
    }
}

fn create(settings: &Settings, output: Output, args: CreateArgs) -> Outcome {
    let store = Store::open_or_create(settings)?;
    let key = new_secret();
    let (hash, role, now) = (store.keys()?.hash(&key), args.role.as_str(), store.now());
    let name = args.name.clone();
    let id = store.write(move |conn| api_keys::insert(conn, &name, role, &hash, now))?;
    output.show(&json!({ "id": id, "name": args.name, "role": role, "api_key": key }), || {
        facts(&[("api key", key.clone()), ("role", role.to_owned()), ("number", id.to_string())])
    })?;
    output.note("\nThe key is shown this once; keep it where secrets are kept.");
    Ok(())
}

fn list(settings: &Settings, output: Output) -> Outcome {
    let store = Store::open(settings)?;
    let keys = store.read(api_keys::all)?;
    let documents: Vec<_> = keys
        .iter()
        .map(|key| json!({ "id": key.id, "name": key.name, "role": key.role, "created": key.created }))
        .collect();
    output.show(&documents, || {
        let columns =
            [Column::Number("NUMBER"), Column::Text("ROLE"), Column::Text("NAME"), Column::Text("CREATED")];
        let rows = keys
            .iter()
            .map(|key| vec![key.id.to_string(), key.role.clone(), key.name.clone(), key.created.to_string()]);
        table(&columns, rows, "no keys yet; `roamwatt api-key create --role operator` makes one")
    })
}

fn remove(settings: &Settings, output: Output, args: &RemoveArgs) -> Outcome {
    let store = Store::open(settings)?;
    let id = args.id;
    if !store.write(move |conn| api_keys::remove(conn, id))? {
        return Err(
            Failure::new(format!("there is no key {id}")).with_remedy("`roamwatt api-key list` shows them")
        );
    }
    output.show(&json!({ "removed": id }), || format!("removed key {id}"))
}
