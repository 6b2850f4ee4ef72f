//! What the two nodes hold before they meet: the operator its location, tariffs and stations, the eMSP its
//! driver's token.

use crate::cli::failure::Failure;
use crate::db::{DbError, parties, stations};
use crate::domain::party::{Party, PartyId, Role};
use crate::domain::station::{Station, StationAuth, StationConnector, StationId};
use crate::domain::token::{Token, TokenType, Whitelist};
use crate::domain::{Extra, Timestamp};
use crate::node::Node;
use crate::ocpi::v2_2_1::import::{Defaults, Import, read_locations, read_tariffs};
use crate::roaming::catalogue;
use crate::security::new_station_password;

/// The driver's card.
pub(super) const CARD: &str = "04E1A2B3C4D580";
/// The location.
pub(super) const LOCATION: &str = "MARKET";
/// The stations, by the EVSE each has.
pub(super) const STATIONS: [(&str, &str); 2] = [("ROA-AC-1", "MARKET-1"), ("ROA-DC-1", "MARKET-2")];

/// The operator.
pub(super) fn operator() -> Result<PartyId, Failure> {
    Ok(PartyId::new("DE", "ROA")?)
}

/// The eMSP.
pub(super) fn emsp() -> Result<PartyId, Failure> {
    Ok(PartyId::new("NL", "EMP")?)
}

/// Fills the operator's node and returns the stations with their passwords.
pub(super) async fn fill_operator(node: &Node) -> Result<Vec<(&'static str, String)>, Failure> {
    let (app, party) = (node.app(), operator()?);
    let now = app.now();
    let defaults = Defaults { owner: Some(&party), now };
    let locations = all(read_locations(include_bytes!("location.json"), defaults)?)?;
    let tariffs = all(read_tariffs(include_bytes!("tariffs.json"), defaults)?)?;
    let cpo =
        Party { id: party.clone(), name: "Roam Operator".to_owned(), website: None, roles: vec![Role::Cpo] };
    let mut passwords = Vec::new();
    let mut new = Vec::new();
    for (id, evse) in STATIONS {
        let password = new_station_password();
        new.push((station(id, evse, &party)?, app.keys.hash(&password)));
        passwords.push((id, password));
    }
    app.db
        .write(move |conn| {
            parties::insert(conn, &cpo, now)?;
            for tariff in &tariffs {
                catalogue::put_tariff(conn, tariff, now)?;
            }
            for location in &locations {
                catalogue::put_location(conn, location, now)?;
            }
            for (station, hash) in &new {
                stations::insert(conn, station, Some(hash), now)?;
            }
            Ok::<_, DbError>(())
        })
        .await?;
    Ok(passwords)
}

/// Fills the eMSP's node.
pub(super) async fn fill_emsp(node: &Node) -> Result<(), Failure> {
    let (app, party) = (node.app(), emsp()?);
    let now = app.now();
    let token = card(&party, now);
    let emsp = Party { id: party, name: "Emp Drive".to_owned(), website: None, roles: vec![Role::Emsp] };
    app.db
        .write(move |conn| {
            parties::insert(conn, &emsp, now)?;
            catalogue::put_token(conn, &token, now).map(drop)
        })
        .await?;
    Ok(())
}

fn all<D>(import: Import<D>) -> Result<Vec<D>, Failure> {
    import.into_iter().map(|object| Ok(object?.object)).collect()
}

fn station(id: &str, evse: &str, party: &PartyId) -> Result<Station, Failure> {
    Ok(Station::new(
        StationId::parse(id)?,
        party.clone(),
        LOCATION.into(),
        StationAuth::Basic,
        vec![StationConnector::new(1, evse.into(), "1".into())],
    ))
}

fn card(party: &PartyId, now: Timestamp) -> Token {
    Token {
        party: party.clone(),
        uid: CARD.into(),
        token_type: TokenType::Rfid,
        contract_id: "NL-EMP-C00000001-X".into(),
        visual_number: Some("EMP 0001".to_owned()),
        issuer: "Emp Drive".to_owned(),
        group_id: None,
        valid: true,
        whitelist: Whitelist::Allowed,
        language: Some("nl".to_owned()),
        default_profile_type: None,
        energy_contract: None,
        last_updated: now,
        extra: Extra::new(),
    }
}
