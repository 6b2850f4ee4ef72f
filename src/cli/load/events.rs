//! `roamwatt load events`: limits of the grid operator and how the site followed, and what was found.

use super::no_site;
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Output, broken_pipe_is_silent, printable};
use crate::cli::store::Store;
use crate::db::load::{self, EventRow};
use crate::domain::Timestamp;
use clap::Args;
use serde_json::{Value, json};

/// Lists what happened at a site: limits of the grid operator, when they were kept, what was found; kept two years
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt load events depot
  roamwatt load events depot --from 2026-01-01T00:00:00Z --csv > limits.csv")]
pub(super) struct EventsArgs {
    /// The site
    site: String,
    /// From when, in UTC
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    from: Option<Timestamp>,
    /// Until when, in UTC
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    to: Option<Timestamp>,
    /// Write CSV, for the grid operator
    #[arg(long)]
    csv: bool,
}

/// Rows that are read at once.
const PAGE: i64 = 1_000;

/// Runs the command.
///
/// # Errors
/// When there is no such site, or the database refuses.
pub(super) fn run(settings: &Settings, output: Output, args: &EventsArgs) -> Outcome {
    let store = Store::open(settings)?;
    let id = args.site.clone();
    if store.read(move |conn| load::find(conn, &id))?.is_none() {
        return Err(no_site(&args.site));
    }
    let from = args.from.or_else(|| Timestamp::from_millis(0)).unwrap_or_else(|| store.now());
    let to = args.to.unwrap_or_else(|| store.now());
    let mut csv = args.csv.then(|| csv::Writer::from_writer(std::io::stdout()));
    if let Some(csv) = &mut csv {
        record(csv, &["at", "kind", "about", "detail"])?;
    }
    let mut after = 0;
    loop {
        let site = args.site.clone();
        let page = store.read(move |conn| load::events(conn, &site, from, to, after, PAGE))?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for event in &page {
            match &mut csv {
                Some(csv) => record(csv, &[&event.at.to_string(), &event.kind, &event.about, &event.detail])?,
                None => output.stream(&as_json(event), || text(event))?,
            }
        }
    }
    if let Some(mut csv) = csv {
        csv.flush().map_err(broken_pipe_is_silent)?;
    } else if after == 0 {
        output.note("Nothing happened in that time.");
    }
    Ok(())
}

fn record(csv: &mut csv::Writer<std::io::Stdout>, fields: &[&str]) -> Outcome {
    csv.write_record(fields).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => broken_pipe_is_silent(error),
        other => Failure::new(format!("cannot write the output: {other:?}")),
    })
}

fn detail(event: &EventRow) -> Value {
    serde_json::from_str(&event.detail).unwrap_or(Value::Null)
}

fn as_json(event: &EventRow) -> Value {
    json!({ "at": event.at.to_string(), "kind": event.kind, "about": event.about, "detail": detail(event) })
}

fn text(event: &EventRow) -> String {
    let detail = detail(event);
    let words = match event.kind.as_str() {
        "grid_limit" => match detail.get("watts").and_then(Value::as_f64) {
            Some(watts) => format!("the grid operator allows {watts:.0} W"),
            None => "the grid operator lifts its limit".to_owned(),
        },
        "grid_limit_kept" => {
            let after = detail.get("after_ms").and_then(Value::as_i64).unwrap_or_default();
            format!("the limit is kept, {after} ms after it came")
        }
        _ => {
            let text = detail.get("text").and_then(Value::as_str).unwrap_or(&event.kind);
            match detail.get("seconds").and_then(Value::as_i64) {
                Some(seconds) => format!("{text} ({seconds} s)"),
                None => text.to_owned(),
            }
        }
    };
    printable(&format!("{}  {}: {words}", event.at, event.about))
}
