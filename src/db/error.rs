//! What can go wrong between this system and its database.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The URL names no engine that is known.
    #[error(
        "the database URL '{0}' is neither sqlite://FILE nor postgres://USER@HOST/NAME (passwords are not shown)"
    )]
    Url(String),
    /// It could not be opened.
    #[error("the database {url} cannot be opened")]
    Open {
        /// Without its password.
        url: String,
        /// Why.
        #[source]
        source: diesel::ConnectionError,
    },
    /// No connection was free in time, or none could be made.
    #[error("no database connection: {0}")]
    Pool(String),
    /// A statement failed.
    #[error("the database refused a statement")]
    Query(#[from] DieselError),
    /// The migrations could not be run.
    #[error("the database cannot be migrated: {0}")]
    Migration(String),
    /// What stands in a row is not what was written there.
    #[error("the database holds a {what} that cannot be read: {why}")]
    Corrupt {
        /// Which kind of row.
        what: &'static str,
        /// Why it cannot be read.
        why: String,
    },
    /// A write was given up because its code panicked; nothing of it was kept.
    #[error("a write was given up after an internal error")]
    Panicked,
    /// Others who wrote at the same time went first, several times in a row.
    #[error("the write met others at the same rows too often; try again")]
    Contended,
    /// Writes that were open did not end in time, so there was no moment between them to read at.
    #[error("writes that are open take too long; try again")]
    Busy,
    /// The commit that held this write failed; nothing of it was kept.
    #[error("the commit failed: {0}")]
    Commit(String),
    /// The database is closing.
    #[error("the database is closing")]
    Closed,
}

impl DbError {
    /// Whether a row with that key was there already.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Query(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }

    /// Whether a row with that key was not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Query(DieselError::NotFound))
    }

    /// Makes a [`DbError::Corrupt`].
    pub fn corrupt(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, why: why.to_string() }
    }
}

/// Whether an error, or what caused it, is a conflict between PostgreSQL transactions, after which the same
/// write may succeed: serialization failure or deadlock.
pub(super) fn is_conflict(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(DieselError::DatabaseError(kind, info)) = error.downcast_ref::<DieselError>() {
            return matches!(kind, DatabaseErrorKind::SerializationFailure)
                || info.message().contains("deadlock detected");
        }
        if let Some(DbError::Contended) = error.downcast_ref::<DbError>() {
            return true;
        }
        next = error.source();
    }
    false
}
