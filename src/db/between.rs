//! Reading at a moment at which no write is open.
//!
//! A partner that has read a list up to a time asks the next time for what changed since. So a change must never
//! show up later with a stamp from before what the partner has read. Changes are stamped inside their write; then
//! it is enough that a list is read when each write that was begun before is done, and none is half-way.
//!
//! SQLite has one writer at a time, so stamps rise with commits; the read only waits until the writes before it are
//! committed. PostgreSQL has many, and a write that was stamped first may commit last. There each write holds a
//! weak lock on a table and the read asks for one that waits for those, takes its snapshot under it, and lets go of
//! it at once. While it waits, writes that come wait behind it, so it waits for a tenth of a second at most before
//! it lets them pass and tries again. All of that is one message to the server: a node that halts in between holds
//! up nobody.

use super::{DbConn, DbError, DbResult};
use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::time::Duration;

/// How a write begins on PostgreSQL. The table is any that is always there: each write holds the same weak lock on
/// it as if it were to change a row, which keeps no other write waiting.
pub(super) const BEGIN_WRITE: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE settings IN ROW EXCLUSIVE MODE";

/// A lock that waits for writes, but not for others that read like this; the snapshot that the transaction keeps
/// (it is taken by the first SELECT, not by LOCK); and back, which gives the lock up and keeps the snapshot.
const BEGIN_BETWEEN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SAVEPOINT between; \
     SET LOCAL lock_timeout = '100ms'; LOCK TABLE settings IN SHARE MODE; SELECT 1; ROLLBACK TO between; RELEASE between";

/// How often the lock is asked for: three seconds or so in all.
const ATTEMPTS: u32 = 20;
/// For how long writes may go on between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Begins a transaction that sees one moment at which no write is open. On SQLite the writes before it must have
/// been waited for.
pub(super) fn begin(conn: &mut DbConn) -> DbResult<()> {
    if matches!(conn, DbConn::Sqlite(_)) {
        return Ok(conn.batch_execute("BEGIN")?);
    }
    for _ in 0..ATTEMPTS {
        let Err(error) = conn.batch_execute(BEGIN_BETWEEN) else { return Ok(()) };
        conn.batch_execute("ROLLBACK")?;
        if !may_be_timeout(&error) {
            return Err(error.into());
        }
        tracing::debug!(%error, "a list waits for writes that are open");
        std::thread::sleep(PAUSE);
    }
    Err(DbError::Busy)
}

/// Whether a lock may not have been had in time: Diesel has no kind for it, and its words are in the server's
/// language.
fn may_be_timeout(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::Unknown, _))
}
