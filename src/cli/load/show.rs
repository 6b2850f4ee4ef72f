//! `roamwatt load show`: a site as the running node sees it.

use super::{no_site, outlook};
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, table};
use crate::cli::store::Store;
use crate::db::load;
use crate::domain::Timestamp;
use crate::load::control::{ConnectorView, RowView, SiteView};
use clap::Args;
use serde_json::json;

/// Shows a site: every limit with what flows, what is granted and what is kept free; every connector and why
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt load show depot
  roamwatt load show depot --json")]
pub(super) struct ShowArgs {
    /// The site
    site: String,
}

/// Runs the command.
///
/// # Errors
/// When there is no such site, no node has run it yet, or the database refuses.
pub(super) fn run(settings: &Settings, output: Output, args: &ShowArgs) -> Outcome {
    let store = Store::open(settings)?;
    let id = args.site.clone();
    let found = store.read(move |conn| load::view(conn, &id))?;
    let (Some(view), Some(at)) = found.ok_or_else(|| no_site(&args.site))? else {
        return Err(Failure::new(format!("no node has run the site {} yet", args.site))
            .with_remedy("start one with `roamwatt serve`"));
    };
    let view: SiteView = serde_json::from_str(&view)?;
    let age = store.now().millis_since(at) / 1_000;
    output.show(&json!({ "site": args.site, "at": at.to_string(), "view": view }), || {
        text(&args.site, &view, at, age)
    })
}

fn text(site: &str, view: &SiteView, at: Timestamp, age: i64) -> String {
    let mut text = format!("{site} at {at}\n");
    if age > 30 {
        text += &format!("This is {age} s old: no node runs the site now.\n");
    }
    if let Some((state, watts)) = view.grid {
        let word = serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned));
        let limit = watts.map_or("no limit".to_owned(), |watts| format!("{watts:.0} W"));
        text += &format!("Grid operator: {}, {limit}\n", word.unwrap_or_default());
    }
    for (id, good, last) in &view.meters {
        let last = last.and_then(Timestamp::from_millis).map_or("never".to_owned(), |last| last.to_string());
        let state = if *good { "good" } else { "LOST: its worst case counts" };
        text += &format!("Meter {id}: {state}, last heard {last}\n");
    }
    for expected in &view.outlook {
        text += &format!("Expected {}\n", outlook::words(expected));
    }
    for (station, seconds) in &view.clocks {
        let off = match seconds {
            0.. => format!("{seconds} s ahead of ours: its grants end so much earlier"),
            _ => format!(
                "{} s behind ours: what it was granted is kept free for so much longer",
                seconds.abs()
            ),
        };
        text += &format!("The clock of {station} is {off}.\n");
    }
    text += &format!("Plan: {}\n\n", view.plan);
    text += &rows(&view.rows);
    text += "\n\n";
    text += &connectors(&view.connectors);
    if let Some(next) = view.next_change.and_then(Timestamp::from_millis) {
        text += &format!("\n\nThe next change without news is at {next}.");
    }
    text
}

fn rows(rows: &[RowView]) -> String {
    let columns = [
        Column::Text("LIMIT"),
        Column::Number("ALLOWED"),
        Column::Number("FOR CARS"),
        Column::Number("FLOWS"),
        Column::Number("GRANTED"),
        Column::Number("KEPT FREE"),
        Column::Text(""),
    ];
    let number = |value: f64, row: &RowView| {
        if value.is_finite() { format!("{value:.1} {}", row.of.unit()) } else { "-".to_owned() }
    };
    let limited = rows.iter().filter(|row| row.limit.is_finite() || row.cap.is_finite());
    let lines = limited.map(|row| {
        vec![
            format!("{} {}", row.node, row.of),
            number(row.limit, row),
            number(row.cap, row),
            number(row.load, row),
            number(row.granted, row),
            number(row.reserved, row),
            if row.is_over() { "OVER" } else { "" }.to_owned(),
        ]
    });
    table(&columns, lines, "The site has no limits.")
}

fn connectors(connectors: &[ConnectorView]) -> String {
    let columns = [
        Column::Text("CONNECTOR"),
        Column::Number("GRANTED"),
        Column::Number("FLOWS"),
        Column::Number("KEPT FREE"),
        Column::Number("WRITES TODAY"),
        Column::Text("WHY"),
    ];
    let amps = |tenths: u32| format!("{}.{} A", tenths / 10, tenths % 10);
    let lines = connectors.iter().map(|connector| {
        let flows = connector.load.map(|(amps, _)| amps.into_iter().fold(0.0, f64::max));
        vec![
            format!("{}/{}", connector.station, connector.connector),
            connector.granted.map_or("-".to_owned(), amps),
            flows.map_or("-".to_owned(), |flows| format!("{flows:.1} A")),
            amps(connector.reserved),
            connector.writes_today.to_string(),
            connector.why.clone(),
        ]
    });
    table(&columns, lines, "The site has no connectors.")
}
