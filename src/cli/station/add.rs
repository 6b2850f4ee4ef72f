//! `roamwatt station add`: a station and which of its connectors is which of the location's.

use super::{PasswordArgs, hash_of, ocpp_url, parse_id, station_as_json};
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, facts, printable, table};
use crate::cli::store::Store;
use crate::cli::{Settings, party::party_meant};
use crate::db::{DbError, locations, parties, stations};
use crate::domain::CiString;
use crate::domain::location::{Evse, EvseStatus, Location};
use crate::domain::party::{PartyId, Role};
use crate::domain::station::{Station, StationConnector, StationId};
use clap::Args;

/// Adds a station at a location
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt station add CS1 --location LOC1             all EVSEs of the location, in their order
  roamwatt station add CS2 --location LOC1 --evse 3256 --evse 3257:2
  roamwatt station add CS3 --location LOC2 --password-stdin < secret.txt

OCPP connector n is the n-th --evse; UID:CONNECTOR names one connector of an EVSE that has
several. Without --evse the location's EVSEs are taken in their order, each connector counting,
if no other station has them.")]
pub(super) struct AddArgs {
    /// What the station calls itself at the end of its URL
    #[arg(value_name = "STATION")]
    pub(super) id: String,
    /// The location it stands at
    #[arg(long, value_name = "ID")]
    pub(super) location: String,
    /// An EVSE, or one connector of it, in the order of the station's connectors
    #[arg(long = "evse", value_name = "UID[:CONNECTOR]")]
    pub(super) evses: Vec<String>,
    /// The party that owns the location, where several have one of that id
    #[arg(long, value_name = "DE*ABC")]
    pub(super) party: Option<PartyId>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Why a station cannot be added.
#[derive(Debug, thiserror::Error)]
pub(super) enum AddError {
    /// The database refuses.
    #[error(transparent)]
    Db(#[from] DbError),
    /// It is there.
    #[error("the station {0} is there already")]
    Exists(String),
    /// No such location.
    #[error("there is no location {0} of ours")]
    NoLocation(String),
    /// Several such.
    #[error("several parties have a location {0}: {1}")]
    SeveralLocations(String, String),
    /// No such EVSE there.
    #[error("location {location} has no EVSE {wanted}; it has {has}")]
    NoEvse {
        /// The location.
        location: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        has: String,
    },
    /// The EVSE has several connectors.
    #[error("EVSE {0} has several connectors: {1}")]
    SeveralConnectors(String, String),
    /// The location has none.
    #[error("location {0} has no EVSE")]
    NoEvses(String),
    /// Named twice.
    #[error("connector {1} of EVSE {0} is named twice")]
    Twice(String, String),
    /// Another station has it.
    #[error("connector {connector} of EVSE {evse} belongs to station {station}")]
    Taken {
        /// The EVSE.
        evse: String,
        /// The connector.
        connector: String,
        /// Whose it is.
        station: String,
    },
}

impl AddError {
    fn remedy(&self) -> &'static str {
        match self {
            Self::Db(_) => "",
            Self::Exists(_) => "`station set-password` changes its password, `station remove` takes it away",
            Self::NoLocation(_) | Self::NoEvses(_) => "import it first: roamwatt import locations FILE",
            Self::SeveralLocations(..) => "name one with --party",
            Self::NoEvse { .. } => "name one of these with --evse UID",
            Self::SeveralConnectors(..) => "name one: --evse UID:CONNECTOR",
            Self::Twice(..) => "name each connector once",
            Self::Taken { .. } => {
                "name the EVSEs of this station with --evse UID, or remove the other station first"
            }
        }
    }
}

pub(super) fn run(settings: &Settings, output: Output, args: AddArgs) -> Outcome {
    let AddArgs { id, location, evses, party, password } = args;
    let id = parse_id(&id)?;
    let store = Store::open(settings)?;
    if let Some(party) = &party {
        party_meant(&store.read(parties::all)?, Some(party), &Role::Cpo)?;
    }
    let password = password.resolve()?;
    let hash = hash_of(&store, &password)?;
    let (auth, now) = (password.auth(), store.now());
    let location_id = CiString::from(location.trim());
    let added = store.write(move |conn| -> Result<Station, AddError> {
        if stations::find(conn, &id)?.is_some() {
            return Err(AddError::Exists(id.to_string()));
        }
        let location =
            location_meant(locations::ours_by_id(conn, &location_id)?, &location_id, party.as_ref())?;
        let connectors = connectors_of(&location, &evses)?;
        let taken = stations::serving(conn, &location.party, &location.id)?;
        refuse_taken(&connectors, &taken)?;
        let station = Station::new(id.clone(), location.party, location.id, auth, connectors);
        stations::insert(conn, &station, hash.as_deref(), now)?;
        Ok(station)
    });
    let station = added.map_err(|error| {
        let remedy = error.remedy();
        let failure = Failure::from(error);
        if remedy.is_empty() { failure } else { failure.with_remedy(remedy) }
    })?;
    let url = ocpp_url(&store, &station.id)?;
    let mut document = station_as_json(&station);
    if let Some(object) = document.as_object_mut() {
        object.insert("url".to_owned(), url.clone().into());
        if let Some(made) = password.made() {
            object.insert("password".to_owned(), made.into());
        }
    }
    output.show(&document, || {
        let mut lines = vec![
            ("station", station.id.to_string()),
            ("location", format!("{} of {}", station.location_id, station.party)),
            ("connects to", url),
        ];
        lines.extend(password.made().map(|made| ("password", made.to_owned())));
        let columns = [Column::Number("CONNECTOR"), Column::Text("EVSE"), Column::Text("ITS CONNECTOR")];
        let rows = station.connectors.iter().map(|connector| {
            vec![
                connector.number.to_string(),
                connector.evse_uid.to_string(),
                connector.connector_id.to_string(),
            ]
        });
        format!("{}\n\n{}", facts(&lines), table(&columns, rows, ""))
    })?;
    password.note(output, store.config.ocpp.allow_no_auth);
    Ok(())
}

fn location_meant(
    mut found: Vec<Location>,
    id: &CiString,
    party: Option<&PartyId>,
) -> Result<Location, AddError> {
    found.retain(|location| party.is_none_or(|party| location.party == *party));
    match found.len() {
        0 | 1 => found.pop().ok_or_else(|| AddError::NoLocation(printable(id.as_str()))),
        _ => {
            let parties: Vec<_> = found.iter().map(|location| location.party.to_string()).collect();
            Err(AddError::SeveralLocations(id.to_string(), parties.join(", ")))
        }
    }
}

/// The connectors that were named, or all of the location, numbered from 1.
fn connectors_of(location: &Location, named: &[String]) -> Result<Vec<StationConnector>, AddError> {
    let mut connectors = Vec::new();
    let mut add = |evse: &Evse, connector_id: &CiString| {
        let number = i32::try_from(connectors.len() + 1).unwrap_or(i32::MAX);
        let (evse_uid, connector_id) = (evse.uid.clone(), connector_id.clone());
        connectors.push(StationConnector {
            number,
            evse_uid,
            connector_id,
            status: None,
            error_code: None,
            status_at: None,
        });
    };
    if named.is_empty() {
        for evse in location.evses().filter(|evse| evse.status != EvseStatus::Removed) {
            for connector in &evse.connectors {
                add(evse, &connector.id);
            }
        }
        if connectors.is_empty() {
            return Err(AddError::NoEvses(location.id.to_string()));
        }
        return Ok(connectors);
    }
    for text in named {
        let (evse, connector_id) = find(location, text)?;
        add(evse, connector_id);
    }
    for (index, one) in connectors.iter().enumerate() {
        let same = |other: &StationConnector| {
            (&other.evse_uid, &other.connector_id) == (&one.evse_uid, &one.connector_id)
        };
        if connectors.iter().skip(index + 1).any(same) {
            return Err(AddError::Twice(one.evse_uid.to_string(), one.connector_id.to_string()));
        }
    }
    Ok(connectors)
}

/// Finds `UID` or `UID:CONNECTOR`. A uid may hold a colon itself, so the whole is tried first.
fn find<'a>(location: &'a Location, text: &str) -> Result<(&'a Evse, &'a CiString), AddError> {
    let connectors = |evse: &Evse| {
        evse.connectors.iter().map(|connector| connector.id.to_string()).collect::<Vec<_>>().join(", ")
    };
    if let Some(evse) = location.evse(&CiString::from(text)) {
        return match evse.connectors.as_slice() {
            [only] => Ok((evse, &only.id)),
            _ => Err(AddError::SeveralConnectors(evse.uid.to_string(), connectors(evse))),
        };
    }
    let by_parts = text.rsplit_once(':').and_then(|(uid, id)| {
        let evse = location.evse(&CiString::from(uid))?;
        Some((evse, &evse.connector(&CiString::from(id))?.id))
    });
    by_parts.ok_or_else(|| AddError::NoEvse {
        location: location.id.to_string(),
        wanted: printable(text),
        has: location
            .evses()
            .map(|evse| match evse.connectors.as_slice() {
                [_] => evse.uid.to_string(),
                _ => format!("{} (connectors {})", evse.uid, connectors(evse)),
            })
            .collect::<Vec<_>>()
            .join(", "),
    })
}

fn refuse_taken(
    wanted: &[StationConnector],
    taken: &[(StationId, StationConnector)],
) -> Result<(), AddError> {
    for connector in wanted {
        let other = taken.iter().find(|(_, other)| {
            (&other.evse_uid, &other.connector_id) == (&connector.evse_uid, &connector.connector_id)
        });
        if let Some((station, _)) = other {
            return Err(AddError::Taken {
                evse: connector.evse_uid.to_string(),
                connector: connector.connector_id.to_string(),
                station: station.to_string(),
            });
        }
    }
    Ok(())
}
