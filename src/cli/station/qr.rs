//! `roamwatt station qr`: the codes that drivers scan.

use super::{parse_id, unknown};
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, printable, table};
use crate::cli::simulate::parse_time;
use crate::cli::store::Store;
use crate::db::page::Page;
use crate::db::{DbConn, DbResult, locations, payment_merchants, settings as facts_of_node, stations};
use crate::domain::station::Station;
use crate::payments::code::Code;
use crate::receipts::labels::{Label, labels};
use clap::Args;
use qrcode::QrCode;
use qrcode::render::svg;
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

/// A charging point with its code.
struct Coded {
    station: String,
    connectors: Vec<i32>,
    evse: String,
    url: String,
    place: String,
    operator: String,
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
                evse: one.evse.clone(),
                place: one.place.clone(),
                operator: one.operator.clone(),
            })
            .collect();
        std::fs::write(file, labels(&all)?).map_err(|error| cannot_write(file, &error))?;
    }
    let files = |one: &Coded| args.svg.as_ref().map(|folder| folder.join(file_name(&one.evse)));
    let shown: Vec<_> = coded
        .iter()
        .map(|one| {
            json!({
                "station": one.station, "connectors": one.connectors, "evse": one.evse, "url": one.url,
                "svg": files(one), "sheet": args.sheet,
            })
        })
        .collect();
    output.show(&shown, || {
        let rows = coded.iter().map(|one| vec![one.station.clone(), one.evse.clone(), one.url.clone()]);
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
    let until = args.valid.map(|valid| {
        let seconds = i64::try_from(valid.as_secs()).unwrap_or(i64::MAX);
        store.now().millis().div_euclid(1000).saturating_add(seconds)
    });
    let keys = store.keys()?;
    let mut all: Vec<Coded> = Vec::new();
    for station in stations {
        let (place, operator) = place_of(store, &station)?;
        let wanted =
            station.connectors.iter().filter(|one| args.connector.is_none_or(|number| one.number == number));
        for connector in wanted {
            let evse = evse_of(store, &station, &connector.evse_uid)?;
            if let Some(known) =
                all.iter_mut().find(|one| one.station == station.id.as_str() && one.evse == evse)
            {
                known.connectors.push(connector.number);
                continue;
            }
            let code = Code { evse: evse.clone(), until };
            let url = format!("{base}{}", code.path(&keys));
            all.push(Coded {
                station: station.id.to_string(),
                connectors: vec![connector.number],
                evse,
                url,
                place: place.clone(),
                operator: operator.clone(),
            });
        }
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

/// As it is printed on the charging point; its uid where nothing is.
fn evse_of(store: &Store, station: &Station, uid: &crate::domain::CiString) -> Result<String, Failure> {
    let (party, location, wanted) = (station.party.clone(), station.location_id.clone(), uid.clone());
    let found = store.read(move |conn| -> DbResult<Option<String>> {
        let location = locations::find(conn, &party, &location)?;
        let evse = location.as_ref().and_then(|location| location.evse(&wanted));
        Ok(evse.and_then(|evse| evse.evse_id.as_ref()).map(ToString::to_string))
    })?;
    Ok(found.unwrap_or_else(|| uid.to_string()))
}

/// Where a station is, and who sells there.
fn place_of(store: &Store, station: &Station) -> Result<(String, String), Failure> {
    let (party, location) = (station.party.clone(), station.location_id.clone());
    let found = store.read(move |conn| -> DbResult<_> {
        Ok((locations::find(conn, &party, &location)?, payment_merchants::find(conn, &party)?))
    })?;
    let place =
        found.0.map(|location| format!("{}, {}", location.address, location.city)).unwrap_or_default();
    Ok((place, found.1.map_or_else(|| station.party.to_string(), |merchant| merchant.name)))
}

fn write_svgs(coded: &[Coded], folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    for one in coded {
        let code = QrCode::new(one.url.as_bytes())?;
        let text = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
        let file = folder.join(file_name(&one.evse));
        std::fs::write(&file, text).map_err(|error| cannot_write(&file, &error))?;
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
