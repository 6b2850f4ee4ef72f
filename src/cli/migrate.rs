//! `roamwatt migrate`: brings the database to this version's schema.

use super::Settings;
use super::failure::Outcome;
use super::output::{Output, count};
use super::store::Store;
use crate::config::key_file;
use clap::Args;
use serde_json::json;

/// Brings the database to the schema of this version, making it if it is not there
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt migrate             run what is missing (`serve` does so too, unless --no-migrate)
  roamwatt migrate --down      take the newest migration back, with the data that only it holds

Make a backup first: `roamwatt backup before-upgrade.db`.")]
pub struct MigrateArgs {
    /// Take the newest migration back instead
    #[arg(long)]
    pub down: bool,
}

/// Runs the command.
///
/// # Errors
/// When a migration fails; those before it stay.
pub fn run(settings: &Settings, output: Output, args: &MigrateArgs) -> Outcome {
    let config = settings.load()?;
    if !args.down {
        key_file::secret_key(&config)?;
    }
    let store = Store::connect(config)?;
    if args.down {
        let name = store.block_on(store.db.revert_last_migration())?;
        return output.show(&json!({ "reverted": [name] }), || format!("took back {name}"));
    }
    let names = store.block_on(store.db.migrate())?;
    output.show(&json!({ "applied": names }), || match names.len() {
        0 => "the database is up to date".to_owned(),
        n => format!("ran {}: {}", count(n, "migration"), names.join(", ")),
    })
}
