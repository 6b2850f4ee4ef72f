//! The key of the installation where none is configured: a file beside the SQLite database.

use super::Config;
use super::secret::{Secret, SecretKey};
use super::values::DatabaseUrl;
use base64::Engine;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// PostgreSQL is shared by nodes, so a file on one of them would not do.
    #[error(
        "security.secret_key is not set, and PostgreSQL needs one (make one with `openssl rand -base64 32`, \
         give it to every node as ROAMWATT_SECURITY__SECRET_KEY or by security.secret_key_file)"
    )]
    NotSet,
    /// The database exists, so its key did too.
    #[error(
        "the key file {} of the database is missing; without it no stored password or token can be used \
         (restore it from the backup, or set security.secret_key to what it held)",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file holds no key.
    #[error("the key file {} holds no key of at least 32 characters (restore it from the backup)", .0.display())]
    Broken(PathBuf),
    /// The file cannot be read or made.
    #[error("cannot use the key file {}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

/// The file that holds the key of a SQLite database: `<database>.key`.
#[must_use]
pub fn key_file_of(database: &Path) -> PathBuf {
    let mut name = OsString::from(database.as_os_str());
    name.push(".key");
    PathBuf::from(name)
}

/// The key: the configured one, or on SQLite the one in the file beside the database, which is made (readable
/// by its owner only) when the database does not exist yet.
///
/// # Errors
/// When there is no key and none can be made.
pub fn secret_key(config: &Config) -> Result<SecretKey, KeyError> {
    if let Some(key) = SecretKey::new(config.security.secret_key.clone()) {
        return Ok(key);
    }
    let DatabaseUrl::Sqlite(database) = &config.database.url else { return Err(KeyError::NotSet) };
    let file = key_file_of(database);
    let io = |cause| KeyError::Io { file: file.clone(), cause };
    match read(&file).map_err(io)? {
        Some(text) => SecretKey::new(text).ok_or(KeyError::Broken(file)),
        None if std::fs::metadata(database).is_ok_and(|data| data.len() > 0) => Err(KeyError::Missing(file)),
        None => {
            make(&file).map_err(io)?;
            // Another process may have been faster: what is in the file counts.
            let text = read(&file).map_err(io)?.unwrap_or_default();
            SecretKey::new(text).ok_or(KeyError::Broken(file))
        }
    }
}

fn read(file: &Path) -> io::Result<Option<Secret>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(Secret::new(text.trim()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the file whole or not at all, so that nobody reads half a key. Leaves one that exists alone.
fn make(file: &Path) -> io::Result<()> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Temporary files are made with mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(temporary, "{}", base64::prelude::BASE64_STANDARD.encode(bytes))?;
    temporary.as_file().sync_all()?;
    match temporary.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_of(database: &Path) -> Config {
        let mut config = Config::default();
        config.database.url = DatabaseUrl::Sqlite(database.to_owned());
        config
    }

    #[test]
    fn a_new_database_gets_a_key_that_stays() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let config = config_of(&database);
        let first = secret_key(&config).unwrap();
        assert_eq!(first.derive("x"), secret_key(&config).unwrap().derive("x"));
        let file = folder.path().join("a.db.key");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

        std::fs::write(&database, "data").unwrap();
        assert_eq!(first.derive("x"), secret_key(&config).unwrap().derive("x"));
        std::fs::write(&file, "short").unwrap();
        assert!(matches!(secret_key(&config), Err(KeyError::Broken(_))));
        std::fs::remove_file(&file).unwrap();
        let error = secret_key(&config).unwrap_err();
        assert!(matches!(error, KeyError::Missing(_)) && error.to_string().contains("a.db.key"), "{error}");
        assert!(!file.exists(), "a key that was lost must not be replaced silently");
    }

    #[test]
    fn postgres_needs_a_key() {
        let mut config = Config::default();
        config.database.url = "postgres://localhost/x".parse().unwrap();
        assert!(secret_key(&config).unwrap_err().to_string().contains("openssl rand -base64 32"));
        config.security.secret_key = Secret::new("k".repeat(40));
        assert!(secret_key(&config).is_ok());
    }
}
