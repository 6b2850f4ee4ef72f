//! A connection to either engine.
#![expect(missing_docs, reason = "diesel's derive writes public items without docs")]

use diesel::{PgConnection, SqliteConnection};

/// A connection to either engine.
#[derive(diesel::MultiConnection)]
pub enum DbConn {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}
