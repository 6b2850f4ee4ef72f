//! `roamwatt load put`: writes a site.

use super::{check, site_in};
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::Output;
use crate::cli::store::Store;
use crate::energy::sites::{SiteProblem, put_site};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Puts a site under load management, or changes it; a running node takes it over within seconds
///
/// The site has to be safe when every station has lost its backend, as `roamwatt load check` proves.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt load put site.toml")]
pub(super) struct PutArgs {
    /// TOML or JSON file with the site; - is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the site does not hold together or is not safe, or a station of it is in another one.
pub(super) fn run(settings: &Settings, output: Output, args: &PutArgs) -> Outcome {
    let site = site_in(&args.file)?;
    check::demand_fit(&site)?;
    let store = Store::open(settings)?;
    let (new, now) = (site.clone(), store.now());
    store.write(move |conn| put_site(conn, &new, now)).map_err(|error| match error {
        SiteProblem::Taken { .. } => {
            Failure::new(error.to_string()).with_remedy("take it out of the other site first")
        }
        error @ SiteProblem::Db(_) => Failure::from(error),
    })?;
    let stations = site.stations.len();
    output.show(&json!({ "site": site.id, "stations": stations }), || {
        format!("{} is under load management with {stations} stations.", site.id)
    })
}
