//! Where the database is.

use super::DbError;
use std::fmt;
use std::str::FromStr;

/// The URL of a database, by its engine.
#[derive(Clone, PartialEq, Eq)]
pub enum DbUrl {
    /// libpq's URL, with its password.
    Postgres(String),
    /// Path of a file.
    Sqlite(String),
}

impl FromStr for DbUrl {
    type Err = DbError;

    /// Reads `sqlite://FILE` or `postgres://…`.
    fn from_str(text: &str) -> Result<Self, DbError> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            // Memory would be another database for each connection.
            if !path.is_empty() && path != ":memory:" {
                return Ok(Self::Sqlite(path.to_owned()));
            }
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(DbError::Url(without_password(text)))
    }
}

impl fmt::Display for DbUrl {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(url) => f.write_str(&without_password(url)),
            Self::Sqlite(path) => write!(f, "sqlite://{path}"),
        }
    }
}

impl fmt::Debug for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URL with `***` in place of a password, also one given as a query parameter.
fn without_password(text: &str) -> String {
    match ::url::Url::parse(text) {
        Ok(mut url) => {
            if url.password().is_some() && url.set_password(Some("***")).is_err() {
                return format!("{}://…", url.scheme());
            }
            if url.query().is_some_and(|query| query.contains("password")) {
                url.set_query(Some("…"));
            }
            url.to_string()
        }
        Err(_) => text.split('@').next_back().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_their_engine_and_hide_their_password() {
        let url: DbUrl = "postgres://roam:secret@db.example/x?sslmode=require".parse().unwrap();
        assert!(!format!("{url} {url:?}").contains("secret"));
        assert!(url.to_string().contains("db.example"));
        let url: DbUrl = "postgres://db.example/x?password=secret".parse().unwrap();
        assert!(!url.to_string().contains("secret"));
        assert_eq!("sqlite://a/b.db".parse::<DbUrl>().unwrap(), DbUrl::Sqlite("a/b.db".into()));
        let error = "mysql://root:secret@h/x".parse::<DbUrl>().unwrap_err().to_string();
        assert!(error.contains("sqlite://FILE") && !error.contains("secret"), "{error}");
        assert!("sqlite://".parse::<DbUrl>().is_err());
    }
}
