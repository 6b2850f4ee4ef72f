//! Where settings come from: the file, the environment, the flags.

use super::layers::Place;
use super::problem::{ConfigErrors, Problem};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that is read when none is named and it exists.
pub const DEFAULT_FILE: &str = "roamwatt.toml";
/// The variable that names the file where no flag does.
pub const FILE_VARIABLE: &str = "ROAMWATT_CONFIG";
/// Short for [`DATABASE_URL_LONG`].
pub const DATABASE_URL_SHORT: &str = "ROAMWATT_DATABASE_URL";
/// The setting `database.url` in the environment.
pub const DATABASE_URL_LONG: &str = "ROAMWATT_DATABASE__URL";

/// Everything that settings are read from, apart from the defaults. Tests make their own.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The operator's file and its text.
    pub file: Option<(PathBuf, String)>,
    /// The environment; only names that begin with `ROAMWATT_` are looked at.
    pub environment: BTreeMap<String, String>,
    /// What the command line says.
    pub flags: Vec<Flag>,
}

/// A setting given on the command line.
#[derive(Clone)]
pub struct Flag {
    /// The flag, for messages: `--listen`.
    pub flag: &'static str,
    /// The setting it stands for: `server.listen`.
    pub key: &'static str,
    /// Its value as typed.
    pub value: String,
}

impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The value may be a URL with a password.
        write!(f, "{} ({})", self.flag, self.key)
    }
}

impl Sources {
    /// The sources of this process: its environment, and the file named by `file`, by `ROAMWATT_CONFIG`, or
    /// `roamwatt.toml` in the working directory when there is one.
    ///
    /// # Errors
    /// When a file that was named cannot be read, or a variable is not text.
    pub fn of_process(file: Option<&Path>, flags: Vec<Flag>) -> Result<Self, ConfigErrors> {
        let mut environment = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with("ROAMWATT_")) else { continue };
            match value.into_string() {
                Ok(value) => drop(environment.insert(name.to_owned(), value)),
                Err(_) => problems.push(Problem::new(
                    &Place::Environment(name.to_owned()),
                    "is not UTF-8 text",
                    "set it to plain text",
                )),
            }
        }
        let named = match file {
            Some(file) => Some((Place::Flag("--config"), file.to_owned())),
            None => environment
                .get(FILE_VARIABLE)
                .filter(|value| !value.is_empty())
                .map(|value| (Place::Environment(FILE_VARIABLE.to_owned()), PathBuf::from(value))),
        };
        let file = match named {
            Some((place, path)) => match std::fs::read_to_string(&path) {
                Ok(text) => Some((path, text)),
                Err(error) => {
                    problems.push(cannot_read(&place, &path, &error));
                    None
                }
            },
            None => match std::fs::read_to_string(DEFAULT_FILE) {
                Ok(text) => Some((PathBuf::from(DEFAULT_FILE), text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => {
                    let place = Place::File { path: DEFAULT_FILE.to_owned(), line: None };
                    problems.push(cannot_read(&place, Path::new(DEFAULT_FILE), &error));
                    None
                }
            },
        };
        if problems.is_empty() { Ok(Self { file, environment, flags }) } else { Err(ConfigErrors(problems)) }
    }
}

fn cannot_read(place: &Place, path: &Path, error: &std::io::Error) -> Problem {
    let message = format!("cannot read the configuration file {}: {error}", path.display());
    Problem::new(place, message, "name a TOML file that can be read, or leave it out for the defaults")
}
