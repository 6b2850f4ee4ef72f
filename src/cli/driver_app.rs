//! `roamwatt driver-app`: apps of drivers, which use the driver API.

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Column, Output, facts, table};
use super::store::Store;
use crate::db::driver_apps::{self, DriverApp, Oidc};
use crate::domain::party::PartyId;
use crate::driver::apps::{NewApp, add, new_app_secret};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Adds, lists and removes apps of drivers, and gives them new secrets
#[derive(Debug, Args)]
pub struct DriverAppArgs {
    #[command(subcommand)]
    command: DriverAppCommand,
}

#[derive(Debug, Subcommand)]
enum DriverAppCommand {
    Add(AddArgs),
    List(ListArgs),
    Rotate(RotateArgs),
    Remove(RemoveArgs),
}

/// Adds an app and shows its secret, this once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt driver-app add charge-now --party DE*ABC --name \"Charge now\"
  roamwatt driver-app add charge-now --party DE*ABC --oidc-issuer https://login.example --oidc-audience app

The secret belongs on the app's server, never into the app itself. Only a hash of it is kept.")]
pub struct AddArgs {
    /// Its id, by which it names itself (OAuth's client id)
    #[arg(value_name = "APP")]
    pub id: String,
    /// The eMSP whose tokens it hands out
    #[arg(long)]
    pub party: PartyId,
    /// What you call it; drivers' tokens name it as their issuer [default: its id]
    #[arg(long)]
    pub name: Option<String>,
    /// Issuer whose id tokens it may show (OpenID Connect), as in `iss`
    #[arg(long, value_name = "URL", requires = "oidc_audience")]
    pub oidc_issuer: Option<String>,
    /// For whom these must be, as in `aud`: the app's client id at the issuer
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    pub oidc_audience: Option<String>,
}

/// Lists the apps
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt driver-app list")]
pub struct ListArgs {}

/// Gives an app a new secret in place of the old one, which opens nothing from then on
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt driver-app rotate charge-now

Drivers stay signed in: their refresh tokens go on, with the new secret.")]
pub struct RotateArgs {
    /// Its id
    #[arg(value_name = "APP")]
    pub id: String,
}

/// Removes an app with its drivers; their tokens, charges and CDRs stay
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt driver-app remove charge-now")]
pub struct RemoveArgs {
    /// Its id
    #[arg(value_name = "APP")]
    pub id: String,
}

/// Runs the command.
///
/// # Errors
/// When the database refuses, or there is no such app.
pub fn run(settings: &Settings, output: Output, args: DriverAppArgs) -> Outcome {
    match args.command {
        DriverAppCommand::Add(args) => add_app(settings, output, args),
        DriverAppCommand::List(_) => list(settings, output),
        DriverAppCommand::Rotate(args) => rotate(settings, output, &args),
        DriverAppCommand::Remove(args) => remove(settings, output, &args),
    }
}

fn document(app: &DriverApp) -> Value {
    json!({
        "id": app.id,
        "name": app.name,
        "party": app.party.to_string(),
        "oidc_issuer": app.oidc.as_ref().map(|oidc| &oidc.issuer),
        "oidc_audience": app.oidc.as_ref().map(|oidc| &oidc.audience),
        "created": app.created,
    })
}

fn show_secret(output: Output, app: &DriverApp, secret: &str) -> Outcome {
    let mut shown = document(app);
    if let Value::Object(fields) = &mut shown {
        fields.insert("secret".to_owned(), json!(secret));
    }
    output.show(&shown, || {
        facts(&[("app", app.id.clone()), ("secret", secret.to_owned()), ("eMSP", app.party.to_string())])
    })?;
    output.note("\nThe secret is shown this once; keep it on the app's server.");
    Ok(())
}

fn add_app(settings: &Settings, output: Output, args: AddArgs) -> Outcome {
    let AddArgs { id, party, name, oidc_issuer, oidc_audience } = args;
    let oidc = oidc_issuer.zip(oidc_audience).map(|(issuer, audience)| Oidc { issuer, audience });
    let new = NewApp { name: name.unwrap_or_else(|| id.clone()), id, party, oidc };
    let store = Store::open(settings)?;
    let (secret, hash) = new_app_secret(&store.keys()?);
    let now = store.now();
    let app = store.write(move |conn| add(conn, &new, &hash, now))?;
    show_secret(output, &app, &secret)
}

fn list(settings: &Settings, output: Output) -> Outcome {
    let store = Store::open(settings)?;
    let apps = store.read(driver_apps::all)?;
    let documents: Vec<Value> = apps.iter().map(document).collect();
    output.show(&documents, || {
        let columns = [
            Column::Text("APP"),
            Column::Text("EMSP"),
            Column::Text("NAME"),
            Column::Text("ISSUER"),
            Column::Text("CREATED"),
        ];
        let rows = apps.iter().map(|app| {
            let issuer = app.oidc.as_ref().map_or_else(String::new, |oidc| oidc.issuer.clone());
            vec![app.id.clone(), app.party.to_string(), app.name.clone(), issuer, app.created.to_string()]
        });
        table(&columns, rows, "no apps yet; `roamwatt driver-app add` makes one")
    })
}

fn missing(id: &str) -> Failure {
    Failure::new(format!("there is no app {id}")).with_remedy("`roamwatt driver-app list` shows them")
}

fn rotate(settings: &Settings, output: Output, args: &RotateArgs) -> Outcome {
    let store = Store::open(settings)?;
    let (secret, hash) = new_app_secret(&store.keys()?);
    let id = args.id.clone();
    let app = store.write(move |conn| {
        driver_apps::set_secret(conn, &id, &hash)?;
        driver_apps::find(conn, &id)
    })?;
    show_secret(output, &app.ok_or_else(|| missing(&args.id))?, &secret)
}

fn remove(settings: &Settings, output: Output, args: &RemoveArgs) -> Outcome {
    let store = Store::open(settings)?;
    let id = args.id.clone();
    if !store.write(move |conn| driver_apps::remove(conn, &id))? {
        return Err(missing(&args.id));
    }
    output.show(&json!({ "removed": args.id }), || format!("removed the app {}", args.id))
}
