//! `roamwatt station log`: the frames of stations as they come and go, and connections that were refused.

use crate::cli::Settings;
use crate::cli::failure::Outcome;
use crate::cli::output::{Output, printable};
use crate::cli::store::Store;
use crate::db::frames::{self, EVERY_STATION, FrameLine};
use chrono::TimeDelta;
use clap::Args;
use serde_json::json;
use std::time::Duration;

/// How long a node goes on writing frames after the watcher was last heard.
const WATCH: TimeDelta = TimeDelta::seconds(15);
/// How often the watcher says that it is still there.
const RENEW: TimeDelta = TimeDelta::seconds(5);
/// How often new lines are looked for.
const POLL: Duration = Duration::from_millis(250);
/// Lines read at once.
const BATCH: i64 = 500;

/// Shows the messages of a station, secrets masked, and connections that were refused with the reason
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt station log --follow             every station, as it happens; Ctrl-C ends it
  roamwatt station log CS1 --follow
  roamwatt station log --lines 200    what is kept: watched frames, refused connections

A node writes frames down only while somebody follows them. → is to the station, ← from it.")]
pub(super) struct LogArgs {
    /// Its id, or what it calls itself [default: every station]
    #[arg(value_name = "STATION")]
    pub(super) id: Option<String>,
    /// Go on as messages come
    #[arg(long, short)]
    pub(super) follow: bool,
    /// Lines from before [default: 50, with --follow 0]
    #[arg(long, short = 'n', value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(super) lines: Option<u32>,
}

pub(super) fn run(settings: &Settings, output: Output, args: &LogArgs) -> Outcome {
    let store = Store::open(settings)?;
    let station = args.id.clone().unwrap_or_else(|| EVERY_STATION.to_owned());
    let lines = i64::from(args.lines.unwrap_or(if args.follow { 0 } else { 50 }));
    // The watch begins before the place to read from is taken, so that no line falls between.
    let mut renew_at = store.now();
    if args.follow {
        renew_at = watch(&store, &station)?;
    }
    let id = station.clone();
    let mut seq = store.read(move |conn| match lines {
        0 => frames::newest(conn),
        _ => frames::before_last(conn, &id, lines),
    })?;
    if args.follow {
        let what = args.id.as_deref().unwrap_or("every station");
        output.note(&format!(
            "Following {} on {}; Ctrl-C ends it.",
            printable(what),
            store.config.database.url
        ));
    }
    loop {
        let (id, from) = (station.clone(), seq);
        let batch = store.read(move |conn| frames::after(conn, &id, from, BATCH))?;
        for line in &batch {
            seq = line.seq;
            output.stream(&as_json(line), || as_text(line))?;
        }
        if i64::try_from(batch.len()).is_ok_and(|count| count == BATCH) {
            continue;
        }
        if !args.follow {
            return Ok(());
        }
        if store.now() >= renew_at {
            renew_at = watch(&store, &station)?;
        }
        std::thread::sleep(POLL);
    }
}

/// Asks the nodes for frames, and returns when to ask again.
fn watch(store: &Store, station: &str) -> Result<crate::domain::Timestamp, crate::db::DbError> {
    let (id, now) = (station.to_owned(), store.now());
    store.write(move |conn| frames::watch(conn, &id, now.plus(WATCH)))?;
    Ok(now.plus(RENEW))
}

fn as_json(line: &FrameLine) -> serde_json::Value {
    let FrameLine { seq, station_id, at, kind, frame } = line;
    json!({ "seq": seq, "station": station_id, "at": at, "kind": kind, "text": frame })
}

fn as_text(line: &FrameLine) -> String {
    let mark = match line.kind.as_str() {
        "in" => "←",
        "out" => "→",
        other => other,
    };
    // As every line ends in milliseconds, the columns stay aligned.
    let at = line.at.utc().format("%Y-%m-%d %H:%M:%S%.3f");
    format!("{at}  {}  {mark} {}", printable(&line.station_id), printable(&line.frame))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn a_line_cannot_rewrite_the_terminal() {
        let line = FrameLine {
            seq: 1,
            station_id: "CS1".to_owned(),
            at: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
            kind: "in".to_owned(),
            frame: "[2,\"1\",\"\u{1b}[2J\n\",{}]".to_owned(),
        };
        assert_eq!(as_text(&line), "2026-01-01 00:00:00.000  CS1  ← [2,\"1\",\"\u{fffd}[2J\u{fffd}\",{}]");
    }
}
