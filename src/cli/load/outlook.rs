//! `roamwatt load outlook`: what is expected at a site.

use super::{no_site, text_in};
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::Output;
use crate::cli::store::Store;
use crate::db::{DbError, load};
use crate::domain::Timestamp;
use crate::load::outlook::{Expected, ExpectedView, SiteOutlook};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Says what is expected at a site: what a kWh costs, its CO₂, and what the sun gives; the planner follows it
///
/// It replaces what was expected before; a running node follows it within seconds. The formats are described in
/// docs/load.md.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt load outlook depot prices.csv
  roamwatt load outlook depot outlook.json
  roamwatt load outlook depot --remove")]
pub(super) struct OutlookArgs {
    /// The site
    site: String,
    /// JSON file, or CSV with the columns time, and price, co2 or sun_kw; - is stdin
    #[arg(value_name = "FILE", required_unless_present = "remove", conflicts_with = "remove")]
    file: Option<PathBuf>,
    /// Forget what was expected
    #[arg(long)]
    remove: bool,
}

/// Runs the command.
///
/// # Errors
/// When the file makes no sense, there is no such site, or the database refuses.
pub(super) fn run(settings: &Settings, output: Output, args: &OutlookArgs) -> Outcome {
    let outlook = match &args.file {
        Some(path) => {
            let (name, text) = text_in(path)?;
            let json = text.trim_start().starts_with('{');
            let read = if json { SiteOutlook::from_json(&text) } else { SiteOutlook::from_csv(&text) };
            Some(read.map_err(|error| {
                Failure::new(format!("{name} makes no sense: nothing was written"))
                    .with_problems([(error.path, error.reason)])
                    .with_remedy("docs/load.md describes the formats")
            })?)
        }
        None => None,
    };
    let store = Store::open(settings)?;
    let (id, new, now) = (args.site.clone(), outlook.clone(), store.now());
    let (known, written) = store.write(move |conn| {
        let known = load::find(conn, &id)?.is_some();
        Ok::<_, DbError>((known, load::put_outlook(conn, &id, new.as_ref(), now)?))
    })?;
    if !known {
        return Err(no_site(&args.site));
    }
    if !written {
        return Err(Failure::new(format!("the site {} has no outlook", args.site)));
    }
    let Some(outlook) = outlook else {
        return output.show(&json!({ "removed": args.site }), || {
            format!("Nothing is expected at {} any more.", args.site)
        });
    };
    let taken = outlook.seen(now.millis());
    let json: Vec<_> = taken
        .iter()
        .map(|ExpectedView { of, from, until, now, used }| {
            json!({ "of": of, "from": time(*from), "until": time(*until), "now": now, "used": used })
        })
        .collect();
    output.show(&json!({ "site": args.site, "outlook": json }), || {
        taken.iter().map(words).collect::<Vec<_>>().join("\n")
    })
}

fn time(millis: i64) -> String {
    Timestamp::from_millis(millis).map(|at| at.to_string()).unwrap_or_default()
}

/// A line about a series.
pub(super) fn words(expected: &ExpectedView) -> String {
    let ExpectedView { of, from, until, now, used } = expected;
    let unit = match of {
        Expected::Prices => "per kWh",
        Expected::Co2 => "g per kWh",
        Expected::SunKw => "kW",
    };
    let now = match now {
        Some(now) => format!("{now} {unit} now"),
        None if *used => "nothing is known of now".to_owned(),
        None => "ended, not followed".to_owned(),
    };
    format!("{of}: {now}; from {} until {}", time(*from), time(*until))
}
