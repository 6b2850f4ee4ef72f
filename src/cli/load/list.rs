//! `roamwatt load list`: the sites under load management.

use crate::cli::Settings;
use crate::cli::failure::Outcome;
use crate::cli::output::{Column, Output, table};
use crate::cli::store::Store;
use crate::db::load;
use clap::Args;
use serde_json::{Value, json};

/// Lists the sites under load management
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt load list")]
pub(super) struct ListArgs {}

/// Runs the command.
///
/// # Errors
/// When the database refuses.
pub(super) fn run(settings: &Settings, output: Output) -> Outcome {
    let store = Store::open(settings)?;
    let all = store.read(load::all)?;
    let as_json = |row: &load::SiteRow| json!({ "id": row.site.id, "name": row.site.name, "stations": row.site.stations.len(), "revision": row.revision });
    let values: Vec<Value> = all.iter().map(as_json).collect();
    output.show(&values, || {
        let columns = [Column::Text("SITE"), Column::Text("NAME"), Column::Number("STATIONS")];
        let lines = all.iter().map(|row| {
            let name = row.site.name.clone().unwrap_or_default();
            vec![row.site.id.clone(), name, row.site.stations.len().to_string()]
        });
        table(&columns, lines, "No site is under load management; `roamwatt load put FILE` writes one.")
    })
}
