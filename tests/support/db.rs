//! A database for each test, on each engine.
//!
//! A migrated template is made once; a test gets a copy of it: of a file for SQLite, by `CREATE DATABASE …
//! TEMPLATE` for PostgreSQL. It is gone when the test ends, also when it fails. PostgreSQL is the server that
//! `ROAMWATT_TEST_POSTGRES` names (`tests/run` starts one); without it these tests tell that they did not run.

use super::not_run::not_run;
use diesel::prelude::*;
use roamwatt::db::{Db, DbOptions, DbUrl};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Makes each function into two tests, `NAME::sqlite` and `NAME::postgres`:
///
/// ```text
/// on_each_engine! {
///     async fn a_charge_is_billed(db: TestDb) {
///         let db = db.open();
///         …
///     }
/// }
/// ```
macro_rules! on_each_engine {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: $type:ty) $body:block)+) => { $(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[$meta])*
            async fn body($db: $type) $body

            #[test]
            fn sqlite() {
                $crate::support::db::run_test($crate::support::db::Engine::Sqlite, concat!(module_path!(), "::sqlite"), body);
            }

            #[test]
            fn postgres() {
                $crate::support::db::run_test($crate::support::db::Engine::Postgres, concat!(module_path!(), "::postgres"), body);
            }
        }
    )+ };
}
pub(crate) use on_each_engine;

/// Which engine a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A migrated, empty database. Clones are the same database; it goes when the test has ended.
#[derive(Clone)]
pub(crate) struct TestDb {
    url: String,
    scratch: Arc<Scratch>,
}

impl TestDb {
    /// A database on this engine, or `None`, told, where there is no server for it.
    pub(crate) fn new(engine: Engine, test: &str) -> Option<Self> {
        let server = match (engine, std::env::var("ROAMWATT_TEST_POSTGRES")) {
            (Engine::Sqlite, _) => None,
            (Engine::Postgres, Ok(server)) => Some(server),
            (Engine::Postgres, Err(_)) => {
                not_run(test.trim_start_matches("edges::"), "PostgreSQL (tests/run starts one)");
                return None;
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let scratch = Arc::new(Scratch { server, databases: Mutex::default(), folder });
        let url = scratch.create();
        Some(Self { url, scratch })
    }

    /// One more database on the same engine, for the other node of a story.
    pub(crate) fn another(&self) -> Self {
        Self { url: self.scratch.create(), scratch: Arc::clone(&self.scratch) }
    }

    /// `sqlite://FILE` or `postgres://…`, as a user would write it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The same with TLS, which PostgreSQL must then speak.
    pub(crate) fn url_with_tls(&self) -> String {
        let mut url = url::Url::parse(&self.url).unwrap();
        url.set_query(Some("sslmode=require"));
        url.into()
    }

    /// Opens it.
    pub(crate) fn open(&self) -> Db {
        open(&self.url)
    }

    /// A folder of this test's own, for whatever else it writes.
    pub(crate) fn folder(&self) -> &Path {
        self.scratch.folder.path()
    }
}

/// Runs a test's body with a database on this engine. `test` is its name.
pub(crate) fn run_test<F: Future<Output = ()>>(engine: Engine, test: &str, body: impl FnOnce(TestDb) -> F) {
    let Some(db) = TestDb::new(engine, test) else { return };
    // Declared after `db` and so dropped first, also when the body panics: what still runs then loses no
    // database below its feet.
    let runtime = Runtime(Some(
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
    ));
    runtime.0.as_ref().unwrap().block_on(body(db.clone()));
}

struct Runtime(Option<tokio::runtime::Runtime>);

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

/// What a test leaves behind and this takes away.
struct Scratch {
    /// The PostgreSQL server, for tests on that engine.
    server: Option<String>,
    /// Names of the databases made there.
    databases: Mutex<Vec<String>>,
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Makes a migrated database and gives its URL.
    fn create(&self) -> String {
        let name = format!("roamwatt_test_{}", uuid::Uuid::new_v4().simple());
        match &self.server {
            None => {
                let file = self.folder.path().join(format!("{name}.db"));
                std::fs::copy(sqlite_template(), &file).unwrap();
                format!("sqlite://{}", file.display())
            }
            Some(server) => {
                let template = postgres_template(server);
                let mut conn = PgConnection::establish(server).unwrap();
                execute(&mut conn, &format!("CREATE DATABASE {name} TEMPLATE {template}")).unwrap();
                let url = database_on(server, &name);
                self.databases.lock().unwrap().push(name);
                url
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let names = self.databases.get_mut().map(std::mem::take).unwrap_or_default();
        let Some(server) = self.server.as_ref().filter(|_| !names.is_empty()) else { return };
        // No panic here, since a failing test may be unwinding already; a server of tests/run goes whole anyway.
        match PgConnection::establish(server) {
            Ok(mut conn) => {
                for name in names {
                    if let Err(error) = execute(&mut conn, &format!("DROP DATABASE {name} WITH (FORCE)")) {
                        println!("database {name} stays: {error}");
                    }
                }
            }
            Err(error) => println!("databases stay: {error}"),
        }
    }
}

/// The migrated file that SQLite's databases are copied from, made once for each state of the migrations.
fn sqlite_template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let ready = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("template-{}.db", hash("sqlite")));
        if !ready.exists() {
            let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            let copy = folder.path().join("copy.db");
            migrate(&format!("sqlite://{}", folder.path().join("made.db").display()), Some(copy.clone()));
            // At once, for another process may be doing the same.
            std::fs::rename(&copy, &ready).unwrap();
        }
        ready
    })
}

/// The name of the migrated database that PostgreSQL's databases are copied from.
fn postgres_template(server: &str) -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("roamwatt_template_{}", hash("postgres"));
        let making = format!("{name}_making");
        let mut conn = PgConnection::establish(server).unwrap();
        // Held until the connection closes: another process may be doing the same.
        execute(&mut conn, "SELECT pg_advisory_lock(20100712)").unwrap();
        let known = diesel::sql_query("SELECT datname FROM pg_database WHERE datname = $1")
            .bind::<diesel::sql_types::Text, _>(&name)
            .execute(&mut conn)
            .unwrap();
        if known == 0 {
            execute(&mut conn, &format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)")).unwrap();
            execute(&mut conn, &format!("CREATE DATABASE {making}")).unwrap();
            migrate(&database_on(server, &making), None);
            // Renaming waits until nobody is connected, which copying needs too.
            execute(&mut conn, &format!("ALTER DATABASE {making} RENAME TO {name}")).unwrap();
        }
        name
    })
}

/// Migrates a database and closes it again; SQLite's is copied to a file without a journal beside it.
fn migrate(url: &str, copy: Option<PathBuf>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let db = open(url);
    runtime.block_on(async {
        db.migrate().await.unwrap();
        if let Some(file) = copy {
            db.backup_sqlite(file).await.unwrap();
        }
    });
}

fn open(url: &str) -> Db {
    let url: DbUrl = url.parse().unwrap();
    Db::open(&url, &DbOptions { pool_size: 4, ..DbOptions::default() }).unwrap()
}

fn execute(conn: &mut PgConnection, sql: &str) -> QueryResult<usize> {
    diesel::sql_query(sql).execute(conn)
}

fn database_on(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).expect("ROAMWATT_TEST_POSTGRES is a URL");
    url.set_path(name);
    url.into()
}

/// A name for the state of this folder's migrations of an engine.
fn hash(engine: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|entry| ["up.sql", "down.sql"].map(|file| entry.as_ref().unwrap().path().join(file)))
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        (&file, std::fs::read(&file).ok()).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
