//! `roamwatt load chart`: a site's day as a picture.

use super::no_site;
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Output, broken_pipe_is_silent};
use crate::cli::store::Store;
use crate::db::load;
use crate::energy::day::{Day, chart_of};
use chrono::NaiveDate;
use clap::Args;
use std::io::Write;

/// Draws a site's day: what flowed, what was granted and what was allowed, as SVG
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt load chart depot > today.svg
  roamwatt load chart depot --day 2026-11-27 --node board-1 > board.svg")]
pub(super) struct ChartArgs {
    /// The site
    site: String,
    /// The day, in the site's zone [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<NaiveDate>,
    /// Of which node or station [default: the grid connection]
    #[arg(long)]
    node: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When there is no such site or node, or the database refuses.
pub(super) fn run(settings: &Settings, _output: Output, args: &ChartArgs) -> Outcome {
    let store = Store::open(settings)?;
    let id = args.site.clone();
    let row = store.read(move |conn| load::find(conn, &id))?.ok_or_else(|| no_site(&args.site))?;
    let day = Day::of(&row.site, args.day, store.now());
    let (id, from, to) = (args.site.clone(), day.from, day.to);
    let minutes = store.read(move |conn| load::minutes(conn, &id, from, to))?;
    let svg = chart_of(&row.site, args.node.as_deref(), &day, &minutes)
        .map_err(|error| Failure::new(error.to_string()))?;
    std::io::stdout().lock().write_all(svg.as_bytes()).map_err(broken_pipe_is_silent)
}
