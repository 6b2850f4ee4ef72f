//! `roamwatt load remove`: ends load management of a site.

use super::no_site;
use crate::cli::Settings;
use crate::cli::failure::Outcome;
use crate::cli::output::Output;
use crate::cli::store::Store;
use crate::db::load;
use clap::Args;
use serde_json::json;

/// Ends load management of a site; its stations keep the standing limits that they have
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt load remove depot")]
pub(super) struct RemoveArgs {
    /// The site
    site: String,
}

/// Runs the command.
///
/// # Errors
/// When there is no such site, or the database refuses.
pub(super) fn run(settings: &Settings, output: Output, args: &RemoveArgs) -> Outcome {
    let store = Store::open(settings)?;
    let id = args.site.clone();
    if !store.write(move |conn| load::remove(conn, &id))? {
        return Err(no_site(&args.site));
    }
    output.show(&json!({ "removed": args.site }), || {
        format!("{} is not under load management any more.", args.site)
    })
}
