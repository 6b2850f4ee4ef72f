//! What the commands that work on the database share: opening it, reading, writing, and the keys.

use super::failure::Failure;
use super::{Settings, logging};
use crate::clock::Clock;
use crate::config::{Config, key_file};
use crate::db::{Db, DbConn, DbError, DbOptions, DbUrl};
use crate::domain::Timestamp;
use crate::security::Keys;
use std::future::Future;
use tokio::runtime::Runtime;

/// Connections of a command: it does one thing at a time.
const CONNECTIONS: u32 = 2;

/// The database as a command uses it.
#[derive(Debug)]
pub struct Store {
    /// The database.
    pub db: Db,
    /// What was configured.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    runtime: Runtime,
}

/// Where the database of a configuration is, and how a command opens it.
///
/// # Errors
/// When the URL is wrong.
pub fn database_of(config: &Config) -> Result<(DbUrl, DbOptions), DbError> {
    let url = config.database.url.reveal().parse()?;
    Ok((url, DbOptions { pool_size: CONNECTIONS, busy_timeout: config.database.busy_timeout }))
}

impl Store {
    /// Opens the database for a command that needs what is in it.
    ///
    /// # Errors
    /// When the configuration is wrong, there is no database, or it has not the schema of this version.
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        let config = settings.load()?;
        if let Some(file) = config.database.url.file()
            && !file.exists()
        {
            return Err(Failure::new(format!("there is no database {}", file.display()))
                .with_remedy("name another with --database-url, or make one with `roamwatt migrate`"));
        }
        let store = Self::connect(config)?;
        store.demand_schema()?;
        Ok(store)
    }

    /// Opens the database for a command that can be the first on it: one that is not there is made.
    ///
    /// # Errors
    /// As [`Store::open`], apart from a database that is not there.
    pub fn open_or_create(settings: &Settings) -> Result<Self, Failure> {
        let config = settings.load()?;
        // The key comes first: a database whose key is missing is taken for one that lost it.
        key_file::secret_key(&config)?;
        let store = Self::connect(config)?;
        if store.block_on(store.db.applied_migrations())?.is_empty() {
            store.block_on(store.db.migrate())?;
        }
        store.demand_schema()?;
        Ok(store)
    }

    /// Opens the database whatever its schema is.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn connect(config: Config) -> Result<Self, Failure> {
        logging::start_quiet(&config.log);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (url, options) = database_of(&config)?;
        let db = Db::open(&url, &options)?;
        Ok(Self { db, config, clock: Clock::System, runtime })
    }

    fn demand_schema(&self) -> Result<(), Failure> {
        let missing = self.block_on(self.db.pending_migrations())?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the database lacks {} of this version",
            super::output::count(missing.len(), "migration")
        ))
        .with_remedy("make a backup, then run `roamwatt migrate`"))
    }

    /// Waits for something.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Reads.
    ///
    /// # Errors
    /// What the body returns.
    pub fn read<T, E>(&self, body: impl FnOnce(&mut DbConn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.block_on(self.db.read(body))
    }

    /// Writes; see [`Db::write`].
    ///
    /// # Errors
    /// What the body returns.
    pub fn write<T, E>(&self, body: impl FnMut(&mut DbConn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: std::error::Error + From<DbError> + Send + 'static,
    {
        self.block_on(self.db.write(body))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The keys of this installation.
    ///
    /// # Errors
    /// When there is no key.
    pub fn keys(&self) -> Result<Keys, Failure> {
        Ok(Keys::new(&key_file::secret_key(&self.config)?)?)
    }
}
