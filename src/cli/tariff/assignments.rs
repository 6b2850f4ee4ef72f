//! `roamwatt tariff assignments`: where tariffs are assigned, and how that is written.

use crate::cli::Settings;
use crate::cli::failure::Outcome;
use crate::cli::output::{Column, Output, table};
use crate::cli::store::Store;
use crate::db::{DbConn, DbResult, assignments, partners};
use crate::domain::assignment::{Assignment, Buyers, Place};
use clap::Args;
use serde_json::{Value, json};

/// Lists where tariffs are assigned, to whom and for how long
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt tariff assignments")]
pub(super) struct AssignmentsArgs {}

/// An assignment with the name of its partner.
pub(super) struct Shown {
    pub(super) assignment: Assignment,
    partner: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When the database refuses.
pub(super) fn run(settings: &Settings, output: Output, _args: &AssignmentsArgs) -> Outcome {
    let store = Store::open(settings)?;
    let all = store.read(all_shown)?;
    output.show(&all.iter().map(as_json).collect::<Vec<_>>(), || {
        text(&all, "nothing is assigned yet; `roamwatt tariff assign --help` shows how to do it")
    })
}

/// Every assignment.
pub(super) fn all_shown(conn: &mut DbConn) -> DbResult<Vec<Shown>> {
    assignments::all(conn)?.into_iter().map(|assignment| shown(conn, assignment)).collect()
}

/// An assignment as it is shown.
pub(super) fn shown(conn: &mut DbConn, assignment: Assignment) -> DbResult<Shown> {
    let partner = match assignment.buyers {
        Buyers::Partner { id } => partners::find(conn, id)?.map(|partner| partner.name),
        _ => None,
    };
    Ok(Shown { assignment, partner })
}

/// A table of assignments.
pub(super) fn text(all: &[Shown], empty: &str) -> String {
    let columns = [
        Column::Number("ID"),
        Column::Text("TARIFF"),
        Column::Text("PARTY"),
        Column::Text("WHERE"),
        Column::Text("FOR"),
        Column::Text("FROM"),
        Column::Text("TO"),
    ];
    let rows = all.iter().map(|shown| {
        let Assignment { id, party, tariff_id, valid_from, valid_to, .. } = &shown.assignment;
        let time = |at: &Option<crate::domain::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        vec![
            id.to_string(),
            tariff_id.to_string(),
            party.to_string(),
            place_text(&shown.assignment.place),
            buyers_text(shown),
            time(valid_from),
            time(valid_to),
        ]
    });
    table(&columns, rows, empty)
}

fn place_text(place: &Place) -> String {
    match place {
        Place::Party => "everywhere".to_owned(),
        Place::Location { location_id } => format!("location {location_id}"),
        Place::Group { group } => format!("group {group}"),
        Place::Evse { location_id, evse_uid } => format!("EVSE {location_id}/{evse_uid}"),
        Place::Connector(connector) => format!("connector {connector}"),
    }
}

fn buyers_text(shown: &Shown) -> String {
    match &shown.assignment.buyers {
        Buyers::Everybody => "everybody".to_owned(),
        Buyers::Partner { id } => {
            format!("partner {}", shown.partner.clone().unwrap_or_else(|| id.to_string()))
        }
        Buyers::Emsp { party } => format!("eMSP {party}"),
        Buyers::TokenGroup { group } => format!("token group {group}"),
    }
}

/// An assignment for programs, with the names that the operator API has.
pub(super) fn as_json(shown: &Shown) -> Value {
    let Assignment { id, party, tariff_id, place, buyers, valid_from, valid_to, created } = &shown.assignment;
    let (mut location_id, mut evse_uid, mut connector_id, mut group) = (None, None, None, None);
    match place {
        Place::Party => {}
        Place::Location { location_id: location } => location_id = Some(location),
        Place::Group { group: name } => group = Some(name),
        Place::Evse { location_id: location, evse_uid: evse } => {
            (location_id, evse_uid) = (Some(location), Some(evse));
        }
        Place::Connector(connector) => {
            location_id = Some(&connector.location_id);
            evse_uid = Some(&connector.evse_uid);
            connector_id = Some(&connector.connector_id);
        }
    }
    let (mut partner_id, mut emsp, mut token_group) = (None, None, None);
    match buyers {
        Buyers::Everybody => {}
        Buyers::Partner { id } => partner_id = Some(id),
        Buyers::Emsp { party } => emsp = Some(party.to_string()),
        Buyers::TokenGroup { group } => token_group = Some(group),
    }
    json!({
        "id": id, "party": party.to_string(), "tariff_id": tariff_id, "location_id": location_id,
        "evse_uid": evse_uid, "connector_id": connector_id, "group": group, "partner_id": partner_id,
        "partner": shown.partner, "emsp": emsp, "token_group": token_group, "valid_from": valid_from,
        "valid_to": valid_to, "created": created,
    })
}
