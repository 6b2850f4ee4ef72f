//! `roamwatt station qr`: the codes that drivers scan.

use super::{parse_id, unknown};
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, printable, table};
use crate::cli::simulate::parse_time;
use crate::cli::store::Store;
use crate::db::page::Page;
use crate::db::{DbConn, settings as facts_of_node, stations};
use crate::domain::station::Station;
use crate::payments::station_codes::{self, StationCode};
use crate::receipts::labels::{Label, labels, picture};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many stations are read at once.
const BATCH: i64 = 500;

/// Makes the codes that drivers without contract scan at a station to pay
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt station qr CS1                          the addresses behind the codes
  roamwatt station qr CS1 --svg codes/             an SVG for each charging point
  roamwatt station qr --sheet labels.pdf           labels for every station, to print and cut
  roamwatt --json station qr CS1 --valid 5m        a code for a display, which runs out

A code is signed with this installation's key: who has the key file makes the same ones. Codes that are printed count
always. docs/payments.md says what drivers see behind them.")]
pub(super) struct QrArgs {
    /// Its id [default: every station]
    #[arg(value_name = "STATION")]
    station: Option<String>,
    /// Only this connector, by its OCPP number
    #[arg(long, value_name = "NUMBER", requires = "station")]
    connector: Option<i32>,
    /// Write an SVG for each charging point into this folder
    #[arg(long, value_name = "FOLDER")]
    svg: Option<PathBuf>,
    /// Write labels to print, two by four on A4, as PDF
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// The codes run out after this time, like 5m: for displays that renew them
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "sheet")]
    valid: Option<Duration>,
}

/// A charging point with its code, and the address behind it.
struct Coded {
    of: StationCode,
    url: String,
}

pub(super) fn run(settings: &Settings, output: Output, args: &QrArgs) -> Outcome {
    let store = Store::open(settings)?;
    let coded = coded(&store, args)?;
    if let Some(folder) = &args.svg {
        write_svgs(&coded, folder)?;
    }
    if let Some(file) = &args.sheet {
        let all: Vec<Label> = coded
            .iter()
            .map(|one| Label {
                url: one.url.clone(),
                evse: one.of.evse.clone(),
                place: one.of.place.clone(),
                operator: one.of.operator.clone(),
            })
            .collect();
        std::fs::write(file, labels(&all)?).map_err(|error| cannot_write(file, &error))?;
    }
    let files = |one: &Coded| args.svg.as_ref().map(|folder| folder.join(file_name(&one.of.evse)));
    let shown: Vec<_> = coded
        .iter()
        .map(|one| {
            json!({
                "station": one.of.station, "connectors": one.of.connectors, "evse": one.of.evse, "url": one.url,
                "svg": files(one), "sheet": args.sheet,
            })
        })
        .collect();
    output.show(&shown, || {
        let rows = coded.iter().map(|one| vec![one.of.station.clone(), one.of.evse.clone(), one.url.clone()]);
        table(&["STATION", "EVSE", "ADDRESS"].map(Column::Text), rows, "no stations yet")
    })?;
    if let Some(folder) = &args.svg {
        output.note(&format!(
            "wrote {} to {}",
            crate::cli::output::count(coded.len(), "SVG"),
            folder.display()
        ));
    }
    if let Some(file) = &args.sheet {
        output.note(&format!("wrote the labels to {}", file.display()));
    }
    if !coded.is_empty() && store.config.payments.provider == crate::config::ProviderName::None {
        output.note("Note: payments.provider is not set, so the pages behind the codes offer nothing yet.");
    }
    Ok(())
}

fn coded(store: &Store, args: &QrArgs) -> Result<Vec<Coded>, Failure> {
    let stations = match &args.station {
        Some(id) => {
            let station = parse_id(id)?;
            vec![store.read(move |conn| stations::find(conn, &station))?.ok_or_else(|| unknown(id))?]
        }
        None => every_station(store)?,
    };
    let stored = store.read(|conn: &mut DbConn| facts_of_node::get(conn, facts_of_node::PUBLIC_URL))?;
    let base = stored.unwrap_or_else(|| store.config.server.public_base());
    let until = args
        .valid
        .map(|valid| station_codes::until(store.now(), i64::try_from(valid.as_secs()).unwrap_or(i64::MAX)));
    let keys = store.keys()?;
    let mut all: Vec<Coded> = Vec::new();
    for mut station in stations {
        station.connectors.retain(|one| args.connector.is_none_or(|number| one.number == number));
        let codes = store.read(move |conn: &mut DbConn| station_codes::of_station(conn, &station, until))?;
        all.extend(codes.into_iter().map(|of| Coded { url: of.url(&base, &keys), of }));
    }
    match args.connector {
        Some(number) if all.is_empty() => Err(Failure::new(format!("the station has no connector {number}"))
            .with_remedy("`roamwatt station list` shows its connectors")),
        _ => Ok(all),
    }
}

fn every_station(store: &Store) -> Result<Vec<Station>, Failure> {
    let mut all = Vec::new();
    loop {
        let offset = i64::try_from(all.len()).unwrap_or(i64::MAX);
        let page = Page { offset, ..Page::first(BATCH) };
        let slice = store.read(move |conn| stations::list(conn, page))?;
        if slice.items.is_empty() {
            return Ok(all);
        }
        all.extend(slice.items);
    }
}

fn write_svgs(coded: &[Coded], folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    for one in coded {
        let file = folder.join(file_name(&one.of.evse));
        std::fs::write(&file, picture(&one.url)?).map_err(|error| cannot_write(&file, &error))?;
    }
    Ok(())
}

/// The name of an EVSE's file: what could mean something to a file system is replaced.
fn file_name(evse: &str) -> String {
    let plain: String =
        evse.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    format!("{plain}.svg")
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", printable(&path.display().to_string())))
}
