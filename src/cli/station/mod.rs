//! `roamwatt station`: the charging stations and how they prove who they are.

mod add;
mod log;
mod qr;

use super::failure::{Failure, Outcome};
use super::output::{Column, Output, count, facts, printable, table};
use super::store::Store;
use super::{Settings, note_of_rest};
use crate::db::page::Page;
use crate::db::{DbConn, DbResult, charges, settings as facts_of_node, station_access, stations};
use crate::domain::station::{Station, StationAuth, StationId};
use crate::security::new_station_password;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::Read;

/// Adds, lists and removes charging stations, sets their passwords, shows their messages
#[derive(Debug, Args)]
pub struct StationArgs {
    #[command(subcommand)]
    command: StationCommand,
}

#[derive(Debug, Subcommand)]
enum StationCommand {
    Add(add::AddArgs),
    List(ListArgs),
    Remove(RemoveArgs),
    SetPassword(SetPasswordArgs),
    Log(log::LogArgs),
    Qr(qr::QrArgs),
}

/// How a station proves who it is; without any of these a password is made and shown once.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct PasswordArgs {
    /// Password for HTTP Basic authentication. Other users of this machine can see it in the list of processes
    #[arg(long, value_name = "SECRET")]
    pub password: Option<String>,
    /// Read the password from stdin, one line
    #[arg(long)]
    pub password_stdin: bool,
    /// No password: only for stations on a network that you trust
    #[arg(long)]
    pub no_auth: bool,
}

/// A password and where it came from.
enum Password {
    None,
    Given(String),
    Made(String),
}

impl PasswordArgs {
    fn resolve(self) -> Result<Password, Failure> {
        let Self { password, password_stdin, no_auth } = self;
        if no_auth {
            return Ok(Password::None);
        }
        let given = if password_stdin {
            let mut text = String::new();
            std::io::stdin().lock().take(4096).read_to_string(&mut text)?;
            text.lines().next().unwrap_or_default().to_owned()
        } else {
            match password {
                Some(password) => password,
                None => return Ok(Password::Made(new_station_password())),
            }
        };
        if given.is_empty() || given.chars().any(char::is_control) {
            return Err(Failure::wrong_use("the password is empty or holds a control character")
                .with_remedy("leave the option out to have one made"));
        }
        Ok(Password::Given(given))
    }
}

impl Password {
    fn text(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Given(text) | Self::Made(text) => Some(text),
        }
    }

    /// Only a password that was made is shown: the other one is known.
    fn made(&self) -> Option<&str> {
        match self {
            Self::Made(text) => Some(text),
            Self::None | Self::Given(_) => None,
        }
    }

    fn auth(&self) -> StationAuth {
        if self.text().is_some() { StationAuth::Basic } else { StationAuth::None }
    }

    /// What a person should know about the choice.
    fn note(&self, output: Output, allow_no_auth: bool) {
        match self {
            Self::None if !allow_no_auth => output.note(
                "Note: ocpp.allow_no_auth is off, so a node refuses this station until it is turned on or a \
                 password is set.",
            ),
            Self::Given(text) if text.len() < 16 => output.note(
                "Note: OCPP asks for passwords of 16 to 20 characters (OCPP 1.6 security white paper, A00.FR.304).",
            ),
            Self::Made(_) => output.note("\nThe password is shown this once; enter it at the station."),
            Self::None | Self::Given(_) => {}
        }
    }
}

/// Lists the stations
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  roamwatt station list\n  roamwatt --json station list --limit 100000")]
pub struct ListArgs {
    /// How many to pass over
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub offset: i64,
    /// How many at most
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(i64).range(1..))]
    pub limit: i64,
}

/// Removes a station; its sessions and CDRs stay
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt station remove CS1")]
pub struct RemoveArgs {
    /// Its id
    #[arg(value_name = "STATION")]
    pub id: String,
    /// Also while a charge runs there; the charge ends at its last meter value
    #[arg(long)]
    pub force: bool,
}

/// Sets a station's password, or that it needs none
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt station set-password CS1                     make one and show it
  roamwatt station set-password CS1 --password-stdin < secret.txt")]
pub struct SetPasswordArgs {
    /// Its id
    #[arg(value_name = "STATION")]
    pub id: String,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Runs the command.
///
/// # Errors
/// When the database refuses, or the station is not the one that can be meant.
pub fn run(settings: &Settings, output: Output, args: StationArgs) -> Outcome {
    match args.command {
        StationCommand::Add(args) => add::run(settings, output, args),
        StationCommand::List(args) => list(settings, output, &args),
        StationCommand::Remove(args) => remove(settings, output, &args),
        StationCommand::SetPassword(args) => set_password(settings, output, args),
        StationCommand::Log(args) => log::run(settings, output, &args),
        StationCommand::Qr(args) => qr::run(settings, output, &args),
    }
}

fn parse_id(text: &str) -> Result<StationId, Failure> {
    StationId::parse(text).map_err(|error| Failure::wrong_use(error.to_string()))
}

fn unknown(id: &str) -> Failure {
    Failure::new(format!("there is no station {}", printable(id)))
        .with_remedy("`roamwatt station list` shows them")
}

fn list(settings: &Settings, output: Output, args: &ListArgs) -> Outcome {
    let store = Store::open(settings)?;
    let page = Page { offset: args.offset, ..Page::first(args.limit) };
    let slice = store.read(move |conn| stations::list(conn, page))?;
    output.show(&slice.items.iter().map(station_as_json).collect::<Vec<_>>(), || {
        let columns =
            ["STATION", "PARTY", "LOCATION", "STATE", "CONNECTORS", "PASSWORD", "MODEL", "LAST SEEN"];
        let rows = slice.items.iter().map(|station| {
            let connectors = station.connectors.iter().map(|connector| {
                let status = connector.status.as_ref().map_or("?", |status| status.as_str());
                format!("{}:{status}", connector.number)
            });
            let boot = station.boot.as_ref();
            vec![
                station.id.to_string(),
                station.party.to_string(),
                station.location_id.to_string(),
                if station.online { "online" } else { "offline" }.to_owned(),
                connectors.collect::<Vec<_>>().join(" "),
                if station.auth == StationAuth::Basic { "yes" } else { "none" }.to_owned(),
                boot.map(|boot| format!("{} {}", boot.vendor, boot.model)).unwrap_or_default(),
                station.last_seen.map(|at| at.to_string()).unwrap_or_default(),
            ]
        });
        table(
            &columns.map(Column::Text),
            rows,
            "no stations yet; `roamwatt station add --help` shows how to add one",
        )
    })?;
    note_of_rest(output, slice.items.len(), slice.total, args.offset);
    Ok(())
}

fn remove(settings: &Settings, output: Output, args: &RemoveArgs) -> Outcome {
    enum Removal {
        Unknown,
        Busy(usize),
        Removed,
    }
    let id = parse_id(&args.id)?;
    let force = args.force;
    let store = Store::open(settings)?;
    let removal = store.write(move |conn| -> DbResult<Removal> {
        let running = charges::active_at(conn, id.as_str(), None)?.len();
        if running > 0 && !force {
            return Ok(Removal::Busy(running));
        }
        Ok(if stations::remove(conn, &id)? { Removal::Removed } else { Removal::Unknown })
    })?;
    match removal {
        Removal::Unknown => Err(unknown(&args.id)),
        Removal::Busy(running) => {
            Err(Failure::new(format!("{} at station {}", count(running, "running charge"), args.id))
                .with_remedy("stop it first, or remove the station all the same with --force"))
        }
        Removal::Removed => {
            output.show(&json!({ "removed": args.id }), || format!("removed station {}", args.id))
        }
    }
}

fn set_password(settings: &Settings, output: Output, args: SetPasswordArgs) -> Outcome {
    let id = parse_id(&args.id)?;
    let store = Store::open(settings)?;
    let password = args.password.resolve()?;
    let hash = hash_of(&store, &password)?;
    let now = store.now();
    if !store.write(move |conn| station_access::set_password(conn, &id, hash.as_deref(), now))? {
        return Err(unknown(&args.id));
    }
    let auth = if password.auth() == StationAuth::Basic { "basic" } else { "none" };
    output.show(&json!({ "id": args.id, "auth": auth, "password": password.made() }), || {
        let mut lines = vec![("station", args.id.clone()), ("authentication", auth.to_owned())];
        lines.extend(password.made().map(|made| ("password", made.to_owned())));
        facts(&lines)
    })?;
    password.note(output, store.config.ocpp.allow_no_auth);
    Ok(())
}

fn hash_of(store: &Store, password: &Password) -> Result<Option<String>, Failure> {
    password.text().map(|text| Ok(store.keys()?.hash(text))).transpose()
}

/// Where stations connect: under the public URL that the node stored, or the configured one.
fn ocpp_url(store: &Store, id: &StationId) -> Result<String, Failure> {
    let stored = store.read(|conn: &mut DbConn| facts_of_node::get(conn, facts_of_node::PUBLIC_URL))?;
    let base = stored.unwrap_or_else(|| store.config.server.public_base());
    let rest = base.strip_prefix("http").unwrap_or(&base);
    let mut url = url::Url::parse(&format!("ws{rest}/ocpp/"))?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(id.as_str());
    }
    Ok(url.into())
}

fn station_as_json(station: &Station) -> Value {
    let connectors: Vec<_> = station
        .connectors
        .iter()
        .map(|connector| {
            json!({
                "number": connector.number,
                "evse_uid": connector.evse_uid,
                "connector_id": connector.connector_id,
                "status": connector.status,
                "error_code": connector.error_code,
                "status_at": connector.status_at,
            })
        })
        .collect();
    let boot = station.boot.as_ref();
    json!({
        "id": station.id.as_str(),
        "country_code": station.party.country_code(),
        "party_id": station.party.party_id(),
        "location_id": station.location_id,
        "auth": if station.auth == StationAuth::Basic { "basic" } else { "none" },
        "online": station.online,
        "vendor": boot.map(|boot| &boot.vendor),
        "model": boot.map(|boot| &boot.model),
        "serial_number": boot.and_then(|boot| boot.serial_number.as_ref()),
        "firmware_version": boot.and_then(|boot| boot.firmware_version.as_ref()),
        "booted_at": station.booted_at,
        "last_seen": station.last_seen,
        "connectors": connectors,
    })
}
