//! What `check` finds in the database.

use crate::cli::failure::told;
use crate::cli::store::database_of;
use crate::config::{Config, Problem, key_file};
use crate::db::page::Page;
use crate::db::{Db, DbConn, DbError, backup, locations, parties, partners, stations};
use crate::domain::station::{Station, StationAuth};
use crate::security::Keys;
use serde::Serialize;

/// Stations read at once.
const BATCH: i64 = 500;

/// What is there.
#[derive(Debug, Default, Serialize)]
pub(super) struct Contents {
    pub(super) parties: usize,
    pub(super) stations: usize,
    pub(super) partners: usize,
}

/// The state of the database and what is wrong with it.
pub(super) struct Found {
    /// `not made yet`, `good`, …
    pub(super) state: String,
    pub(super) contents: Option<Contents>,
    pub(super) problems: Vec<Problem>,
}

impl Found {
    fn bad(state: &str, message: String, remedy: &str) -> Self {
        Self { state: state.to_owned(), contents: None, problems: vec![problem(message, remedy)] }
    }
}

fn problem(message: impl Into<String>, remedy: &str) -> Problem {
    Problem { place: "database".to_owned(), message: message.into(), remedy: remedy.to_owned() }
}

/// Looks at the database and changes nothing. With `deep` every page and document is read.
pub(super) fn look(config: &Config, deep: bool) -> Result<Found, std::io::Error> {
    if config.database.url.file().is_some_and(|file| !file.exists()) {
        let state = "not made yet; the first `serve`, `migrate` or `party add` makes it".to_owned();
        return Ok(Found { state, contents: None, problems: Vec::new() });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(look_at(config, deep)))
}

async fn look_at(config: &Config, deep: bool) -> Found {
    let db = match database_of(config).and_then(|(url, options)| Db::open(&url, &options)) {
        Ok(db) => db,
        Err(error) => {
            let remedy =
                "see that the server runs, and that database.url names it, its user and its password";
            return Found::bad("cannot be opened", told(&error), remedy);
        }
    };
    match db.pending_migrations().await {
        Ok(missing) if missing.is_empty() => {}
        Ok(missing) => {
            let message = format!("migrations are missing: {}", missing.join(", "));
            return Found::bad(
                "older than this version",
                message,
                "make a backup, then run `roamwatt migrate`",
            );
        }
        Err(error) => return Found::bad("cannot be read", told(&error), "is it a database of this program?"),
    }
    let config = config.clone();
    let looked = db.read(move |conn| -> Result<_, DbError> {
        let mut problems = Vec::new();
        let contents = look_within(conn, &config, deep, &mut problems)?;
        Ok((contents, problems))
    });
    match looked.await {
        Ok((contents, problems)) => {
            let state = if problems.is_empty() { "good" } else { "needs care" }.to_owned();
            Found { state, contents: Some(contents), problems }
        }
        Err(error) => {
            Found::bad("cannot be read", told(&error), "restore a backup: roamwatt restore FILE --verify")
        }
    }
}

fn look_within(
    conn: &mut DbConn,
    config: &Config,
    deep: bool,
    problems: &mut Vec<Problem>,
) -> Result<Contents, DbError> {
    let keys = key_file::secret_key(config).ok().and_then(|key| Keys::new(&key).ok());
    let sealed = backup::sealed_tokens(conn)?;
    if let Some(keys) = keys
        && sealed.iter().any(|sealed| keys.open(sealed).is_err())
    {
        problems.push(problem(
            "the tokens of partners cannot be read with this secret_key",
            "set the key that the database was made with; without it, every partner has to register again",
        ));
    }
    let mut contents = Contents {
        parties: parties::all(conn)?.len(),
        partners: partners::all(conn)?.len(),
        ..Contents::default()
    };
    let mut page = Page::first(BATCH);
    loop {
        let batch = stations::list(conn, page)?.items;
        contents.stations += batch.len();
        for station in &batch {
            look_at_station(conn, station, config, problems)?;
        }
        if i64::try_from(batch.len()).is_ok_and(|read| read < BATCH) {
            break;
        }
        page = page.next();
    }
    if deep {
        problems.extend(
            backup::find_damage(conn)?
                .into_iter()
                .map(|damage| problem(damage, "restore a backup: roamwatt restore FILE --verify")),
        );
        backup::read_everything(conn)?;
    }
    Ok(contents)
}

fn look_at_station(
    conn: &mut DbConn,
    station: &Station,
    config: &Config,
    problems: &mut Vec<Problem>,
) -> Result<(), DbError> {
    let id = &station.id;
    if station.auth == StationAuth::None && !config.ocpp.allow_no_auth {
        problems.push(problem(
            format!("station {id} has no password, and ocpp.allow_no_auth is off"),
            "set one with `roamwatt station set-password`, or turn ocpp.allow_no_auth on",
        ));
    }
    let Some(location) = locations::find(conn, &station.party, &station.location_id)? else {
        problems.push(problem(
            format!("station {id} stands at location {}, which is not there", station.location_id),
            "import the location, or remove the station",
        ));
        return Ok(());
    };
    for connector in &station.connectors {
        let evse = location.evse(&connector.evse_uid);
        if evse.and_then(|evse| evse.connector(&connector.connector_id)).is_none() {
            problems.push(problem(
                format!(
                    "connector {} of station {id} is connector {} of EVSE {}, which location {} does not have",
                    connector.number, connector.connector_id, connector.evse_uid, location.id
                ),
                "import the location with it, or remove the station and add it again",
            ));
        }
    }
    Ok(())
}
