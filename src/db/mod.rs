//! The only place with SQL: one connection type over SQLite and PostgreSQL, reads, writes, migrations, and one
//! file of queries per noun.
//!
//! Reads run on a pool. Writes go through [`Db::write`]: on SQLite by one thread that gathers the waiting ones
//! into one commit ([`writer`]), on PostgreSQL as a REPEATABLE READ transaction that is run again when another
//! one changed the same rows. So both engines give a write the same promise: it sees one state, it changes it
//! whole or not at all, and it is durable when the call returns.

pub mod api_keys;
pub mod assignments;
pub mod backup;
mod between;
pub mod cdr_checks;
pub mod cdr_credits;
pub mod cdrs;
pub mod changes;
pub mod charges;
pub mod commands;
mod conn;
pub mod driver_apps;
pub mod driver_grants;
pub mod driver_orders;
pub mod drivers;
pub mod error;
pub mod frames;
pub mod goods;
pub mod late_messages;
pub mod load;
pub mod locations;
pub mod meter_samples;
mod object_key;
pub mod own_evses;
pub mod page;
pub mod parties;
pub mod partners;
pub mod payment_claims;
pub mod payment_ledger;
pub mod payment_lists;
pub mod payment_merchants;
pub mod payment_operations;
pub mod payment_queue;
pub mod payment_terminals;
pub mod payments;
pub mod portable;
pub mod receipt_mails;
pub mod schema;
pub mod sessions;
pub mod settings;
pub mod station_access;
pub mod stations;
pub mod tariff_groups;
pub mod tariff_news;
pub mod tariffs;
pub mod tokens;
pub mod types;
mod url;
mod writer;

pub use conn::{DbConn, MultiBackend};
pub use error::DbError;
pub use url::DbUrl;

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, Pool, R2D2Connection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// What queries return.
pub type DbResult<T> = Result<T, DbError>;

/// The backend of [`DbConn`], for boxed queries.
pub type Backend = MultiBackend;

/// Runs the same statement against whichever engine is behind the connection, where the derived type cannot.
macro_rules! on_each {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::db::DbConn::Postgres($c) => $body,
            $crate::db::DbConn::Sqlite($c) => $body,
        }
    };
}

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// Connections for reads (SQLite) or for all work (PostgreSQL).
    pub pool_size: u32,
    /// How long a statement waits for a lock of another process, and a caller for a connection.
    pub busy_timeout: Duration,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self { pool_size: 8, busy_timeout: Duration::from_secs(5) }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    url: DbUrl,
    pool: Pool<Manager>,
    /// SQLite only: the one who writes.
    writer: Option<writer::Writer>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("url", &self.inner.url).finish_non_exhaustive()
    }
}

/// Opens connections to the one engine that the URL names.
struct Manager {
    url: DbUrl,
    busy_timeout: Duration,
}

impl Manager {
    fn open(&self) -> Result<DbConn, r2d2::Error> {
        match &self.url {
            DbUrl::Postgres(url) => {
                let mut conn = PgConnection::establish(url).map_err(r2d2::Error::ConnectionError)?;
                conn.batch_execute("SET TIME ZONE 'UTC'").map_err(r2d2::Error::QueryError)?;
                Ok(DbConn::Postgres(conn))
            }
            DbUrl::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(path).map_err(r2d2::Error::ConnectionError)?;
                let pragmas = format!(
                    "PRAGMA busy_timeout = {}; PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; \
                     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;",
                    self.busy_timeout.as_millis()
                );
                conn.batch_execute(&pragmas).map_err(r2d2::Error::QueryError)?;
                Ok(DbConn::Sqlite(conn))
            }
        }
    }
}

impl ManageConnection for Manager {
    type Connection = DbConn;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<DbConn, r2d2::Error> {
        self.open()
    }

    fn is_valid(&self, conn: &mut DbConn) -> Result<(), r2d2::Error> {
        conn.ping().map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut DbConn) -> bool {
        conn.is_broken()
    }
}

const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

impl Db {
    /// Opens the database, without migrating it. On SQLite the file is made if it is not there.
    ///
    /// Blocks; call it before the runtime is busy, or on a blocking thread.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn open(url: &DbUrl, options: &DbOptions) -> DbResult<Self> {
        let manager = || Manager { url: url.clone(), busy_timeout: options.busy_timeout };
        // The pool would hide why a connection fails behind a time-out, so the first one is made by hand.
        let first = manager().open().map_err(|error| match error {
            r2d2::Error::ConnectionError(source) => DbError::Open { url: url.to_string(), source },
            r2d2::Error::QueryError(source) => DbError::Query(source),
        })?;
        let writer = match first {
            DbConn::Sqlite(mut conn) => {
                // The writer comes back to the same pages again and again; readers need no cache of that size.
                conn.batch_execute("PRAGMA cache_size = -65536")?;
                Some(writer::Writer::start(DbConn::Sqlite(conn))?)
            }
            DbConn::Postgres(_) => None,
        };
        let pool = Pool::builder()
            .max_size(options.pool_size.max(1))
            // None beyond those that are asked for: a thread of the pool that still connects while the process
            // ends meets an OpenSSL that has cleaned up, and crashes.
            .min_idle(Some(0))
            .connection_timeout(options.busy_timeout)
            .test_on_check_out(matches!(url, DbUrl::Postgres(_)))
            .build(manager())
            .map_err(|error| DbError::Pool(error.to_string()))?;
        Ok(Self { inner: Arc::new(Inner { url: url.clone(), pool, writer }) })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &DbUrl {
        &self.inner.url
    }

    /// Reads, on a blocking thread. What is read in one call may span several moments.
    ///
    /// # Errors
    /// What the body returns, or that no connection was to be had.
    pub async fn read<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut DbConn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let joined = tokio::task::spawn_blocking(move || {
            let mut conn = inner.pool.get().map_err(|error| DbError::Pool(error.to_string()))?;
            body(&mut conn)
        })
        .await;
        joined.unwrap_or_else(|_| Err(DbError::Panicked.into()))
    }

    /// Reads one moment of the database at which no write is open: all that was stamped before is there, and
    /// whatever comes later is stamped later. For lists from which others read on by time; it waits for the writes
    /// that are open.
    ///
    /// # Errors
    /// What the body returns, that no connection was to be had, or that a write did not end within seconds.
    pub async fn read_between_writes<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut DbConn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        if let Some(writer) = &self.inner.writer {
            // Behind all that wait, and behind those of other processes.
            writer.write(|_| Ok::<_, DbError>(())).await?;
        }
        self.read(move |conn| {
            between::begin(conn)?;
            let outcome = catch_unwind(AssertUnwindSafe(|| body(conn)));
            conn.batch_execute("ROLLBACK").map_err(DbError::from)?;
            outcome.unwrap_or_else(|_| Err(DbError::Panicked.into()))
        })
        .await
    }

    /// Writes: the body sees one state of the database, all that it changes is durable when the call returns,
    /// and nothing of it is kept when it returns an error. It may run more than once (after a conflict, or
    /// when another write of the same commit failed), so it does nothing but read and write through the
    /// connection.
    ///
    /// # Errors
    /// What the body returns, or that the commit failed.
    pub async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnMut(&mut DbConn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: std::error::Error + From<DbError> + Send + 'static,
    {
        if let Some(writer) = &self.inner.writer {
            return writer.write(body).await;
        }
        let inner = Arc::clone(&self.inner);
        let joined = tokio::task::spawn_blocking(move || {
            let mut conn = inner.pool.get().map_err(|error| DbError::Pool(error.to_string()))?;
            writer::write_postgres(&mut conn, body)
        })
        .await;
        joined.unwrap_or_else(|_| Err(DbError::Panicked.into()))
    }

    /// Runs the migrations that are missing and returns their names.
    ///
    /// # Errors
    /// When one fails; those before it stay.
    pub async fn migrate(&self) -> DbResult<Vec<String>> {
        self.exclusively(|conn| {
            let names = on_each!(conn, |c| {
                c.run_pending_migrations(migrations(c))
                    .map(|done| done.iter().map(ToString::to_string).collect())
            });
            names.map_err(|error| DbError::Migration(error.to_string()))
        })
        .await
    }

    /// Takes back the newest migration, with the data that only it holds, and returns its name.
    ///
    /// # Errors
    /// When there is none, or it fails.
    pub async fn revert_last_migration(&self) -> DbResult<String> {
        self.exclusively(|conn| {
            let name =
                on_each!(conn, |c| c.revert_last_migration(migrations(c)).map(|version| version.to_string()));
            name.map_err(|error| DbError::Migration(error.to_string()))
        })
        .await
    }

    /// The names of the migrations that are missing; empty when the database is up to date.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn pending_migrations(&self) -> DbResult<Vec<String>> {
        self.exclusively(|conn| {
            let names = on_each!(conn, |c| {
                c.pending_migrations(migrations(c))
                    .map(|all| all.iter().map(|m| m.name().to_string()).collect())
            });
            names.map_err(|error| DbError::Migration(error.to_string()))
        })
        .await
    }

    /// The names of the migrations that the database has; empty when it was never migrated.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn applied_migrations(&self) -> DbResult<Vec<String>> {
        self.exclusively(|conn| {
            let versions = on_each!(conn, |c| {
                c.applied_migrations().map(|all| all.iter().map(ToString::to_string).collect())
            });
            versions.map_err(|error| DbError::Migration(error.to_string()))
        })
        .await
    }

    /// Runs a body on a connection of its own, outside of any transaction: migrations begin their own.
    async fn exclusively<T: Send + 'static>(
        &self,
        body: impl FnOnce(&mut DbConn) -> DbResult<T> + Send + 'static,
    ) -> DbResult<T> {
        let inner = Arc::clone(&self.inner);
        let joined = tokio::task::spawn_blocking(move || {
            let mut conn = inner.pool.get().map_err(|error| DbError::Pool(error.to_string()))?;
            body(&mut conn)
        })
        .await;
        joined.unwrap_or(Err(DbError::Panicked))
    }

    /// Copies the whole database, as one moment of it, into a new SQLite file.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the database is not SQLite.
    pub async fn backup_sqlite(&self, file: std::path::PathBuf) -> DbResult<()> {
        self.exclusively(move |conn| match conn {
            DbConn::Sqlite(c) => {
                diesel::sql_query("VACUUM INTO $1")
                    .bind::<diesel::sql_types::Text, _>(file.to_string_lossy().into_owned())
                    .execute(c)?;
                Ok(())
            }
            DbConn::Postgres(_) => Err(DbError::Url("backup of PostgreSQL is pg_dump's work".to_owned())),
        })
        .await
    }
}

/// The migrations that a database has and this version does not know; nothing when it was never migrated.
///
/// # Errors
/// When the database cannot say.
pub fn unknown_migrations(conn: &mut DbConn) -> DbResult<Option<Vec<String>>> {
    on_each!(conn, |c| unknown_on(c)).map_err(|error| DbError::Migration(error.to_string()))
}

fn unknown_on<C>(conn: &mut C) -> diesel::migration::Result<Option<Vec<String>>>
where
    C: Migrations + Connection + MigrationHarness<C::Backend>,
{
    let all = MigrationSource::<C::Backend>::migrations(&migrations(conn))?;
    let known: Vec<String> = all.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = conn.applied_migrations()?;
    let unknown = applied.iter().map(ToString::to_string).filter(|version| !known.contains(version));
    Ok((!applied.is_empty()).then(|| unknown.collect()))
}

/// The migrations of the engine behind a connection.
trait Migrations {
    const ALL: EmbeddedMigrations;
}
impl Migrations for PgConnection {
    const ALL: EmbeddedMigrations = POSTGRES_MIGRATIONS;
}
impl Migrations for SqliteConnection {
    const ALL: EmbeddedMigrations = SQLITE_MIGRATIONS;
}
fn migrations<C: Migrations>(_conn: &C) -> EmbeddedMigrations {
    C::ALL
}
