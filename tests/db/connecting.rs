//! Opening a database, and what is said when that fails.

use crate::support::db::{Engine, TestDb, run_test};
use diesel::prelude::*;
use roamwatt::db::{Db, DbConn, DbError, DbOptions, DbUrl};
use std::error::Error;

#[derive(QueryableByName)]
struct Encrypted {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    ssl: bool,
}

fn open(url: &str) -> Result<Db, DbError> {
    Db::open(&url.parse::<DbUrl>()?, &DbOptions::default())
}

/// The whole chain of causes, as the command line prints it.
fn said(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[test]
fn postgres_is_reached_with_tls_by_what_is_built_in() {
    let name = "db::connecting::postgres_is_reached_with_tls_by_what_is_built_in";
    run_test(Engine::Postgres, name, async |db| {
        let encrypted = open(&db.url_with_tls())
            .unwrap()
            .read(|conn| {
                let DbConn::Postgres(conn) = conn else { panic!("not PostgreSQL") };
                let row: Encrypted =
                    diesel::sql_query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                        .get_result(conn)?;
                Ok::<_, DbError>(row.ssl)
            })
            .await
            .unwrap();
        assert!(encrypted);
    });
}

#[test]
fn a_wrong_password_is_refused_and_told_without_showing_it() {
    let name = "db::connecting::a_wrong_password_is_refused_and_told_without_showing_it";
    let Some(db) = TestDb::new(Engine::Postgres, name) else { return };
    let mut url = url::Url::parse(db.url()).unwrap();
    url.set_password(Some("guessed-wrongly")).unwrap();
    let error = said(&open(url.as_str()).unwrap_err());
    assert!(error.contains("password authentication failed"), "{error}");
    assert!(!error.contains("guessed-wrongly"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // Bound and closed again, so that nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = said(&open(&format!("postgres://roam:s3cr3t@127.0.0.1:{port}/roamwatt")).unwrap_err());
    assert!(error.contains(&port.to_string()) && error.contains("refused"), "{error}");
    assert!(!error.contains("s3cr3t"), "{error}");
}

#[test]
fn a_file_in_a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("missing").join("roamwatt.db");
    let error = said(&open(&format!("sqlite://{}", file.display())).unwrap_err());
    assert!(error.contains(&file.display().to_string()), "{error}");
    assert!(!file.exists());
}
