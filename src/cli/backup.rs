//! `roamwatt backup`: the whole database as one moment of it, while a node runs.

use super::failure::{Failure, Outcome};
use super::output::{Output, facts};
use super::store::Store;
use super::{Settings, postgres_tools};
use crate::config::{DatabaseUrl, key_file};
use clap::Args;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// Writes the whole database, as one moment of it, to a file; a node may run meanwhile
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt backup /backup/roamwatt-monday.db
  roamwatt backup /backup/monday.dump          PostgreSQL: pg_dump's custom format; pg_dump is needed

The key goes beside it as FILE.key when it lies beside the database: guard both. Without the key
no stored password or token can be used.")]
pub struct BackupArgs {
    /// File to write; it must not exist
    pub file: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the file exists or cannot be written; nothing is left of it then.
pub fn run(settings: &Settings, output: Output, args: &BackupArgs) -> Outcome {
    let file = &args.file;
    let key_copy = key_file::key_file_of(file);
    for path in [file, &key_copy] {
        if path.exists() {
            return Err(Failure::new(format!("{} exists already", path.display()))
                .with_remedy("name a file that does not exist; a backup replaces nothing"));
        }
    }
    let store = Store::open(settings)?;
    let cannot =
        |error: io::Error| Failure::from(error).while_doing(format!("cannot write {}", file.display()));
    let temporary = tempfile::NamedTempFile::new_in(folder_of(file)).map_err(cannot)?;
    match &store.config.database.url {
        DatabaseUrl::Sqlite(_) => store.block_on(store.db.backup_sqlite(temporary.path().to_owned()))?,
        DatabaseUrl::Postgres(url) => postgres_tools::dump(url, temporary.path())?,
    }
    temporary.as_file().sync_all().map_err(cannot)?;
    // The key first: a backup without its key would look whole and not be.
    let key = copy_key(&store, &key_copy)?;
    temporary.persist_noclobber(file).map_err(|error| cannot(error.error))?;
    let size = std::fs::metadata(file).map_err(cannot)?.len();
    output.show(&json!({ "file": file, "bytes": size, "key_file": key.then_some(&key_copy) }), || {
        let mut lines = vec![("backup", file.display().to_string()), ("bytes", size.to_string())];
        if key {
            lines.push(("key", key_copy.display().to_string()));
        }
        facts(&lines)
    })?;
    if !key {
        output.note("\nThe key is in the configuration (security.secret_key): keep it with the backup.");
    }
    Ok(())
}

/// Copies the key where it is a file beside the database; whether it was.
fn copy_key(store: &Store, to: &Path) -> Result<bool, Failure> {
    let (Some(database), true) =
        (store.config.database.url.file(), store.config.security.secret_key.is_empty())
    else {
        return Ok(false);
    };
    let from = key_file::key_file_of(database);
    copy_private(&from, to).map_err(|error| {
        Failure::from(error).while_doing(format!("cannot copy the key {}", from.display()))
    })?;
    Ok(true)
}

/// Copies a file to one that does not exist, readable by its owner only, whole or not at all.
///
/// # Errors
/// When one cannot be read or the other is there.
pub(super) fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let mut temporary = tempfile::NamedTempFile::new_in(folder_of(to))?;
    io::copy(&mut std::fs::File::open(from)?, &mut temporary)?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(to).map_err(|error| error.error)?;
    Ok(())
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
