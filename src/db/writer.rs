//! How writes become durable.
//!
//! SQLite: one thread takes the writes that wait, runs them in one transaction, each undone alone when it fails,
//! and commits them together. A commit with full durability takes milliseconds whatever it holds, so the more
//! that wait, the more each commit carries. PostgreSQL does that inside; there a write is a transaction that is
//! run again after a conflict.

use super::between::BEGIN_WRITE;
use super::error::is_conflict;
use super::{DbConn, DbError};
use diesel::connection::SimpleConnection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::{mpsc, oneshot};

/// The most writes in one commit: more would only make the first of them wait longer.
const BATCH: usize = 512;
/// How many may wait before callers are held back.
const WAITING: usize = 4096;
/// How often a PostgreSQL write is run again after a conflict.
const ATTEMPTS: u32 = 20;

/// What became of a job within its batch.
enum Ran {
    Kept,
    Undone,
}

/// One write that waits, with its types erased.
trait Job: Send {
    fn run(&mut self, conn: &mut DbConn) -> Ran;
    /// Tells the caller; `commit` is the error of the commit, if it failed.
    fn finish(self: Box<Self>, commit: Option<&str>);
}

struct Write<T, E, F> {
    body: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Write<T, E, F>
where
    F: FnMut(&mut DbConn) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, conn: &mut DbConn) -> Ran {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.body)(conn)))
            .unwrap_or_else(|_| Err(DbError::Panicked.into()));
        let ran = if outcome.is_ok() { Ran::Kept } else { Ran::Undone };
        self.outcome = Some(outcome);
        ran
    }

    fn finish(self: Box<Self>, commit: Option<&str>) {
        let outcome = match (self.outcome, commit) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), None) => Ok(value),
            (_, Some(why)) => Err(DbError::Commit(why.to_owned()).into()),
            (None, None) => Err(DbError::Closed.into()),
        };
        // A caller that went away meanwhile does not change what was committed.
        drop(self.reply.send(outcome));
    }
}

/// The thread that writes to SQLite, seen from outside. It ends when the last handle is dropped.
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// Starts the thread with the connection that it alone writes through.
    pub(super) fn start(conn: DbConn) -> Result<Self, DbError> {
        let (queue, waiting) = mpsc::channel(WAITING);
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || serve(conn, waiting))
            .map_err(|error| DbError::Pool(error.to_string()))?;
        Ok(Self { queue })
    }

    /// Hands over a write and waits until it is durable or undone.
    pub(super) async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnMut(&mut DbConn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Write { body, outcome: None, reply });
        if self.queue.send(job).await.is_err() {
            return Err(DbError::Closed.into());
        }
        answer.await.unwrap_or_else(|_| Err(DbError::Closed.into()))
    }
}

fn serve(mut conn: DbConn, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match waiting.try_recv() {
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        let failure = commit_together(&mut conn, &mut batch).err().map(|error| error.to_string());
        if let Some(why) = &failure {
            tracing::error!(error = %why, writes = batch.len(), "a commit failed; its writes were undone");
        }
        for job in batch {
            job.finish(failure.as_deref());
        }
    }
}

/// Runs the jobs in one transaction. Nearly always all of them are kept, so first it is tried without a
/// savepoint for each; when one is undone, all run once more, each in its savepoint, so that it undoes only
/// itself.
fn commit_together(conn: &mut DbConn, batch: &mut [Box<dyn Job>]) -> diesel::QueryResult<()> {
    let alone = batch.len() == 1;
    let tried = in_transaction(conn, |conn| {
        for job in batch.iter_mut() {
            if let Ran::Undone = job.run(conn) {
                return Ok(Ran::Undone);
            }
        }
        Ok(Ran::Kept)
    })?;
    if alone || matches!(tried, Ran::Kept) {
        return Ok(());
    }
    in_transaction(conn, |conn| {
        for job in batch.iter_mut() {
            conn.batch_execute("SAVEPOINT job")?;
            if let Ran::Undone = job.run(conn) {
                conn.batch_execute("ROLLBACK TO job")?;
            }
            conn.batch_execute("RELEASE job")?;
        }
        Ok(Ran::Kept)
    })?;
    Ok(())
}

/// Commits what the body did when it says so, and undoes it otherwise.
fn in_transaction(
    conn: &mut DbConn,
    body: impl FnOnce(&mut DbConn) -> diesel::QueryResult<Ran>,
) -> diesel::QueryResult<Ran> {
    conn.batch_execute("BEGIN IMMEDIATE")?;
    let done = body(conn).and_then(|ran| match ran {
        Ran::Kept => conn.batch_execute("COMMIT").map(|()| Ran::Kept),
        Ran::Undone => Ok(Ran::Undone),
    });
    if !matches!(done, Ok(Ran::Kept))
        && let Err(error) = conn.batch_execute("ROLLBACK")
    {
        // SQLite rolls back by itself after some errors (disk full), and then says that there is nothing to do.
        tracing::debug!(%error, "nothing left to roll back");
    }
    done
}

/// One write on PostgreSQL, run again after a conflict.
pub(super) fn write_postgres<T, E, F>(conn: &mut DbConn, mut body: F) -> Result<T, E>
where
    F: FnMut(&mut DbConn) -> Result<T, E>,
    E: std::error::Error + From<DbError> + 'static,
{
    for attempt in 0..ATTEMPTS {
        if let Err(error) = conn.batch_execute(BEGIN_WRITE) {
            // It may have begun, and only the lock was refused.
            conn.batch_execute("ROLLBACK").map_err(DbError::from)?;
            return Err(DbError::from(error).into());
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| body(conn)))
            .unwrap_or_else(|_| Err(DbError::Panicked.into()))
            .and_then(|value| {
                conn.batch_execute("COMMIT").map(|()| value).map_err(|error| DbError::from(error).into())
            });
        match outcome {
            Ok(value) => return Ok(value),
            Err(error) => {
                conn.batch_execute("ROLLBACK").map_err(DbError::from)?;
                if !is_conflict(&error) {
                    return Err(error);
                }
                tracing::debug!(attempt, "a write met another at the same rows");
                std::thread::sleep(std::time::Duration::from_millis(u64::from(attempt).min(10)));
            }
        }
    }
    Err(DbError::Contended.into())
}
