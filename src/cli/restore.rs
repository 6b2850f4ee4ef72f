//! `roamwatt restore`: puts a backup in the database's place, once it has been seen to be whole.

use super::backup::{copy_private, folder_of};
use super::failure::{Failure, Outcome, told};
use super::output::{Output, facts};
use super::store::Store;
use super::{Settings, logging, postgres_tools};
use crate::config::{Config, DatabaseUrl, SecretKey, key_file};
use crate::db::{DbConn, backup};
use crate::security::Keys;
use clap::Args;
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};

/// Puts a backup in the database's place; stop the node first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt restore /backup/monday.db --verify              into a database that is not there yet
  roamwatt restore /backup/monday.db --verify --replace    in place of the one that is there
  roamwatt restore /backup/monday.db --verify --dry-run    only looks whether the backup is good

The database that is replaced stays beside the new one as DATABASE.replaced-1 (SQLite). --verify reads
every page and every document; without it only the schema and the key are looked at.")]
pub struct RestoreArgs {
    /// The backup, as `roamwatt backup` wrote it
    pub file: PathBuf,
    /// Read every page and every document of the backup before it takes the database's place
    #[arg(long)]
    pub verify: bool,
    /// Replace the database that is there
    #[arg(long)]
    pub replace: bool,
    /// Look, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// When the backup is not good, or the database is in use; it is as it was then.
pub fn run(settings: &Settings, output: Output, args: &RestoreArgs) -> Outcome {
    let config = settings.load()?;
    logging::start_quiet(&config.log);
    if let Err(error) = std::fs::File::open(&args.file) {
        return Err(Failure::from(error).while_doing(format!("cannot read {}", args.file.display())));
    }
    match &config.database.url {
        DatabaseUrl::Sqlite(database) => sqlite(&config, database, output, args),
        DatabaseUrl::Postgres(_) => postgres(config, output, args),
    }
}

fn sqlite(config: &Config, database: &Path, output: Output, args: &RestoreArgs) -> Outcome {
    if database.exists() && !args.replace && !args.dry_run {
        return Err(Failure::new(format!("there is a database {} already", database.display()))
            .with_remedy("replace it with --replace, or look at the backup only with --dry-run"));
    }
    let cannot = |error: io::Error| {
        Failure::from(error).while_doing(format!("cannot write beside {}", database.display()))
    };
    // All is done on a copy: opening a database changes it.
    let mut copy = tempfile::NamedTempFile::new_in(folder_of(database)).map_err(cannot)?;
    io::copy(&mut std::fs::File::open(&args.file)?, &mut copy).map_err(cannot)?;
    copy.as_file().sync_all().map_err(cannot)?;
    let key = key_of_backup(config, &args.file)?;
    let bad = |what: String| {
        Failure::new(format!("{} is no good backup: {what}", args.file.display()))
            .with_remedy("nothing was changed; take another backup")
    };
    let mut conn = backup::open_file(copy.path()).map_err(|error| bad(told(&error)))?;
    let counts = check(&mut conn, &key.0, args.verify).map_err(bad)?;
    drop(conn);
    if args.dry_run {
        return tell(output, "good", &args.file, database, &counts, None);
    }
    let replaced = set_aside(database, key.1.is_some())?;
    if let Some(key) = &key.1 {
        let to = key_file::key_file_of(database);
        copy_private(key, &to)
            .map_err(|error| Failure::from(error).while_doing(format!("cannot write {}", to.display())))?;
    }
    copy.persist_noclobber(database).map_err(|error| cannot(error.error))?;
    tell(output, "restored", &args.file, database, &counts, replaced.as_deref())
}

fn postgres(config: Config, output: Output, args: &RestoreArgs) -> Outcome {
    let DatabaseUrl::Postgres(url) = config.database.url.clone() else { return Ok(()) };
    postgres_tools::inspect(&args.file)?;
    if args.dry_run {
        output.note(
            "A dump of PostgreSQL is read fully only when it is restored; its list of contents is good.",
        );
        return tell(output, "good", &args.file, Path::new(&config.database.url.to_string()), &[], None);
    }
    let key = key_file::secret_key(&config)?;
    let (verify, place) = (args.verify, config.database.url.to_string());
    let store = Store::connect(config)?;
    if !store.block_on(store.db.applied_migrations())?.is_empty() && !args.replace {
        return Err(Failure::new(format!("{place} holds a database already"))
            .with_remedy("replace it with --replace"));
    }
    postgres_tools::restore(&url, &args.file)?;
    let counts =
        store.read(move |conn| -> Result<_, crate::db::DbError> { Ok(check(conn, &key, verify)) })?;
    let counts = counts.map_err(|what| {
        Failure::new(format!("the backup is restored, and is not good: {what}"))
            .with_remedy("start no node on it; take another backup")
    })?;
    tell(output, "restored", &args.file, Path::new(&place), &counts, None)
}

/// The key that belongs to the backup, and the file it is in if it has to be copied.
fn key_of_backup(config: &Config, file: &Path) -> Result<(SecretKey, Option<PathBuf>), Failure> {
    let beside = key_file::key_file_of(file);
    if let Some(key) = SecretKey::new(config.security.secret_key.clone()) {
        return Ok((key, None));
    }
    match std::fs::read_to_string(&beside) {
        Ok(text) => {
            let key = SecretKey::new(crate::config::Secret::new(text.trim()));
            let broken = || Failure::new(format!("{} holds no key", beside.display()));
            Ok((key.ok_or_else(broken)?, Some(beside)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::new(format!("the key of the backup, {}, is missing", beside.display()))
                .with_remedy("put it there, or set security.secret_key to the key that the database had"))
        }
        Err(error) => Err(Failure::from(error).while_doing(format!("cannot read {}", beside.display()))),
    }
}

type Counts = Vec<(&'static str, usize)>;

/// Looks whether a database is whole and the key is its own; what is wrong, if anything is.
fn check(conn: &mut DbConn, key: &SecretKey, everything: bool) -> Result<Counts, String> {
    let unknown = crate::db::unknown_migrations(conn).map_err(|error| told(&error))?;
    match unknown {
        None => return Err("it is no database of this program".to_owned()),
        Some(unknown) if !unknown.is_empty() => {
            return Err(format!("it was written by a newer version (migration {})", unknown.join(", ")));
        }
        Some(_) => {}
    }
    let keys = Keys::new(key).map_err(|error| told(&error))?;
    for sealed in backup::sealed_tokens(conn).map_err(|error| told(&error))? {
        if keys.open(&sealed).is_err() {
            return Err("the key is not the one that it was written with".to_owned());
        }
    }
    if !everything {
        return Ok(Vec::new());
    }
    let damage = backup::find_damage(conn).map_err(|error| told(&error))?;
    if !damage.is_empty() {
        return Err(damage.join("; "));
    }
    backup::read_everything(conn).map_err(|error| told(&error))
}

/// Moves the database that is there out of the way, and its key if it will be replaced; where it is then.
fn set_aside(database: &Path, key_too: bool) -> Result<Option<PathBuf>, Failure> {
    let with = |file: &Path, end: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let key = key_file::key_file_of(database);
    let place = (1..10_000u32)
        .map(|number| with(database, &format!(".replaced-{number}")))
        .find(|place| !place.exists() && !key_file::key_file_of(place).exists())
        .ok_or_else(|| Failure::new("too many replaced databases lie about; move some away"))?;
    let cannot = |error: io::Error| {
        Failure::from(error).while_doing(format!("cannot move {} out of the way", database.display()))
    };
    if database.exists() {
        backup::take_out_of_use(database).map_err(|error| {
            Failure::from(error)
                .while_doing(format!("{} is in use", database.display()))
                .with_remedy("stop the node and whatever else has it open, then try again")
        })?;
        std::fs::rename(database, &place).map_err(cannot)?;
    }
    if key_too && key.exists() {
        std::fs::rename(&key, key_file::key_file_of(&place)).map_err(cannot)?;
    }
    Ok(place.exists().then_some(place))
}

fn tell(
    output: Output,
    result: &str,
    backup: &Path,
    database: &Path,
    counts: &[(&'static str, usize)],
    replaced: Option<&Path>,
) -> Outcome {
    let contents: Value =
        counts.iter().map(|(what, number)| ((*what).to_owned(), Value::from(*number))).collect();
    let document = json!({
        "result": result,
        "backup": backup,
        "database": database,
        "verified": !counts.is_empty(),
        "contents": contents,
        "replaced": replaced,
    });
    output.show(&document, || {
        let mut lines = vec![
            ("backup", format!("{}, {result}", backup.display())),
            ("database", database.display().to_string()),
        ];
        if !counts.is_empty() {
            let whole: Vec<_> = counts.iter().map(|(what, number)| format!("{number} {what}")).collect();
            lines.push(("verified", whole.join(", ")));
        }
        lines.extend(replaced.map(|place| ("replaced", place.display().to_string())));
        facts(&lines)
    })?;
    if counts.is_empty() && result == "restored" {
        output.note("Only the schema and the key were looked at; --verify reads everything.");
    }
    Ok(())
}
