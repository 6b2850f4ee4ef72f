//! `roamwatt load check`: does a site hold together, and is it safe when everything has failed?

use super::site_in;
use crate::cli::failure::{FAILED, Failure, Outcome};
use crate::cli::output::Output;
use crate::load::check::{Fallbacks, check};
use crate::load::rows::Rows;
use crate::load::site::Site;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Proves that a site is safe when every station has lost its backend, or says which limit is not
///
/// Every connector then draws its fallback, and a station that takes no charging profiles all that it can. That has to
/// fit the site's limits and, where one is agreed, the failsafe limit of the grid operator. Exits with 1 where it does
/// not.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt load check site.toml
  roamwatt load check site.toml --json")]
pub(super) struct CheckArgs {
    /// TOML or JSON file with the site; - is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the site does not hold together, or its fallbacks do not fit.
pub(super) fn run(output: Output, args: &CheckArgs) -> Outcome {
    let site = site_in(&args.file)?;
    let rows = Rows::compile(&site);
    let found = check(&site, &rows);
    output.show(&as_json(&site, &rows, &found), || text(&site, &rows, &found))?;
    if found.fit() { Ok(()) } else { Err(Failure::shown(FAILED)) }
}

/// Refuses a site whose fallbacks do not fit.
///
/// # Errors
/// With each limit that is exceeded.
pub(super) fn demand_fit(site: &Site) -> Outcome {
    let rows = Rows::compile(site);
    let found = check(site, &rows);
    if found.fit() {
        return Ok(());
    }
    let problems = found.over.iter().map(|over| (over.name.to_string(), over.to_string()));
    let remedy = match found.highest {
        Some(amps) => format!("a fallback_amps of {amps} at every connector fits; or raise the limits"),
        None => "not even paused cars fit: raise the limits, or take out what cannot be limited".to_owned(),
    };
    Err(Failure::new(format!("the fallbacks of {} do not fit: nothing was written", site.id))
        .with_problems(problems)
        .with_remedy(remedy))
}

fn as_json(site: &Site, rows: &Rows, found: &Fallbacks) -> Value {
    let over: Vec<Value> = found
        .over
        .iter()
        .map(|over| {
            json!({
                "node": &*over.name.node,
                "of": over.name.of,
                "limit": over.limit,
                "fallbacks": over.fallbacks,
                "uncontrolled": over.uncontrolled,
                "background": over.background,
                "margin": over.margin,
                "excess": over.excess(),
                "failsafe": over.failsafe,
                "reserved": over
                    .reserved
                    .iter()
                    .map(|(station, connector, watts)| {
                        json!({ "station": station, "connector": connector, "watts": watts })
                    })
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "site": site.id,
        "fits": found.fit(),
        "connectors": rows.outlets.len(),
        "rows": rows.rows.len(),
        "over": over,
        "highest_fallback_amps": found.highest,
    })
}

fn text(site: &Site, rows: &Rows, found: &Fallbacks) -> String {
    let mut text = format!(
        "{}: {} nodes, {} stations, {} connectors\n",
        site.id,
        site.nodes.len(),
        site.stations.len(),
        rows.outlets.len()
    );
    if found.fit() {
        text += "Safe when every station has lost its backend: all fallbacks fit within every limit.\n";
    } else {
        for over in &found.over {
            text += &format!("  {over}\n");
        }
    }
    match found.highest {
        Some(amps) => text + &format!("The highest fallback that fits at every connector is {amps} A."),
        None => text + "No fallback fits, not even none: what cannot be limited is too much already.",
    }
}
