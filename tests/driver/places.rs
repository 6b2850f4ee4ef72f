//! Places for the index, and waiting until it has them.

use super::phone::Phone;
use crate::roaming::peer::until;
use crate::support::node::TestNode;
use roamwatt::db::locations;
use roamwatt::domain::location::{Connector, Evse, EvseStatus, GeoLocation, Location};
use roamwatt::domain::{Extra, Timestamp};

/// A CPO of ours.
pub(crate) const CPO: &str = "DE*ABC";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn evse(uid: &str, standard: &str, watts: i64) -> Evse {
    let now = at("2026-01-01T00:00:00Z");
    Evse {
        uid: uid.into(),
        evse_id: Some(format!("DE*ABC*{uid}").into()),
        status: EvseStatus::Available,
        status_schedule: None,
        capabilities: None,
        connectors: vec![Connector {
            id: "1".into(),
            standard: standard.into(),
            format: "CABLE".into(),
            power_type: "DC".into(),
            max_voltage: 400,
            max_amperage: 100,
            max_electric_power: Some(watts),
            tariff_ids: None,
            terms_and_conditions: None,
            last_updated: now,
            extra: Extra::new(),
        }],
        floor_level: None,
        coordinates: None,
        physical_reference: None,
        directions: None,
        parking_restrictions: None,
        images: None,
        last_updated: now,
        extra: Extra::new(),
    }
}

/// A published place with one EVSE that is free: a CCS connector of 50 kW.
pub(crate) fn place(id: &str, latitude: &str, longitude: &str) -> Location {
    Location {
        party: CPO.parse().unwrap(),
        id: id.into(),
        publish: true,
        publish_allowed_to: None,
        name: Some(format!("Place {id}")),
        address: "Street 1".into(),
        city: "Town".into(),
        postal_code: None,
        state: None,
        country: "DEU".into(),
        coordinates: GeoLocation {
            latitude: latitude.into(),
            longitude: longitude.into(),
            extra: Extra::new(),
        },
        related_locations: None,
        parking_type: None,
        evses: Some(vec![evse(&format!("{id}-E1"), "IEC_62196_T2_COMBO", 50_000)]),
        directions: None,
        operator: None,
        suboperator: None,
        owner: None,
        facilities: None,
        time_zone: "Europe/Berlin".into(),
        opening_times: None,
        charging_when_closed: None,
        images: None,
        energy_mix: None,
        last_updated: at("2026-01-01T00:00:00Z"),
        extra: Extra::new(),
    }
}

/// Keeps places, and waits until the index has so many.
pub(crate) async fn keep(node: &TestNode, places: Vec<Location>, shown: usize) {
    let write = move |conn: &mut _| places.iter().try_for_each(|place| locations::upsert(conn, place, None));
    node.app().db.write(write).await.unwrap();
    indexed(node, shown).await;
}

pub(crate) async fn indexed(node: &TestNode, shown: usize) {
    let has = async || node.app().search.now().len() == shown;
    until("the index has all places", has).await;
}

/// The ids of the places that a search finds, in their order.
pub(crate) async fn found(phone: &Phone<'_>, query: &str) -> Vec<String> {
    let body = phone.get(&format!("/locations?{query}")).await;
    let places = body["locations"].as_array().unwrap();
    places.iter().map(|place| place["id"].as_str().unwrap().to_owned()).collect()
}
