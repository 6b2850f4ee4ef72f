//! Lays the sources over each other: default, file, environment, flag. The last that names a setting counts.

use super::problem::Problem;
use super::sources::{DATABASE_URL_LONG, DATABASE_URL_SHORT, FILE_VARIABLE, Sources};
use std::collections::BTreeMap;
use std::fmt;
use toml::de::{DeTable, DeValue};

/// Every setting with its default and its comment.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// Where a value stands. Later variants count before earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the defaults.
    Default,
    /// In the operator's file.
    File {
        /// Path as it was named.
        path: String,
        /// Line, counted from 1, where one can be named.
        line: Option<usize>,
    },
    /// In a variable of the environment.
    Environment(String),
    /// On the command line.
    Flag(&'static str),
}

impl Place {
    /// How much it counts.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { .. } => 1,
            Self::Environment(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default.toml"),
            Self::File { path, line: Some(line) } => write!(f, "{path}:{line}"),
            Self::File { path, line: None } => f.write_str(path),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value as it was written.
#[derive(Clone)]
pub(super) enum Raw {
    /// From the environment or a flag, where everything is text.
    Plain(String),
    /// A TOML string.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array.
    List(Vec<Raw>),
    /// Any other TOML value: what it is.
    Other(&'static str),
}

impl Raw {
    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Self::Integer(number),
                Err(_) => Self::Other("a number that is too large"),
            },
            DeValue::Boolean(value) => Self::Boolean(*value),
            DeValue::Array(values) => {
                Self::List(values.iter().map(|value| Self::of(value.get_ref())).collect())
            }
            DeValue::Float(_) => Self::Other("a number with a fraction"),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Table(_) => Self::Other("a section"),
        }
    }

    /// For messages: what was found, cut to a readable length. Not for secrets.
    pub(super) fn show(&self) -> String {
        match self {
            Self::Plain(text) | Self::Text(text) => {
                let mut start: String = text.chars().take(60).collect();
                if start.len() < text.len() {
                    start.push('…');
                }
                format!("{start:?}")
            }
            Self::Integer(number) => format!("the number {number}"),
            Self::Boolean(value) => format!("{value}"),
            Self::List(_) => "a list".to_owned(),
            Self::Other(kind) => (*kind).to_owned(),
        }
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) raw: Raw,
    pub(super) place: Place,
}

/// The sources laid over each other.
pub(super) struct Layers {
    /// By `section.key`; every key of the defaults is in it.
    pub(super) settings: BTreeMap<String, Found>,
    pub(super) problems: Vec<Problem>,
}

impl Layers {
    pub(super) fn lay(sources: &Sources) -> Self {
        let mut layers = Self { settings: BTreeMap::new(), problems: Vec::new() };
        layers.lay_defaults();
        if let Some((path, text)) = &sources.file {
            layers.lay_file(&path.display().to_string(), text);
        }
        layers.lay_environment(&sources.environment);
        for flag in &sources.flags {
            let place = Place::Flag(flag.flag);
            layers.set(flag.key, Raw::Plain(flag.value.clone()), place);
        }
        layers
    }

    fn lay_defaults(&mut self) {
        let (table, errors) = DeTable::parse_recoverable(DEFAULT_TOML);
        for error in errors {
            self.problems.push(Problem::new(&Place::Default, error.message(), ""));
        }
        for (section, settings) in table.get_ref() {
            for (key, value) in settings.get_ref().as_table().into_iter().flatten() {
                let found = Found { raw: Raw::of(value.get_ref()), place: Place::Default };
                self.settings.insert(format!("{}.{}", section.get_ref(), key.get_ref()), found);
            }
        }
    }

    fn lay_file(&mut self, path: &str, text: &str) {
        let at = |offset: usize| Place::File { path: path.to_owned(), line: Some(line_of(text, offset)) };
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // What follows a slip of the pen is not what was meant: report the slips alone.
            for error in errors {
                let place = at(error.span().map_or(0, |span| span.start));
                self.problems.push(Problem::new(
                    &place,
                    error.message(),
                    "write `key = value` in a [section]",
                ));
            }
            return;
        }
        // (offset, section, key, value), so that problems come in the order of the lines.
        let mut entries = Vec::new();
        for (section, value) in table.get_ref() {
            let name = section.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(settings) if self.has_section(name) => {
                    for (key, value) in settings {
                        entries.push((
                            key.span().start,
                            format!("{name}.{}", key.get_ref()),
                            value.get_ref(),
                        ));
                    }
                }
                DeValue::Table(_) => {
                    let remedy = self.nearest_section(name);
                    self.problems.push(Problem::new(
                        &at(section.span().start),
                        format!("unknown section [{name}]"),
                        remedy,
                    ));
                }
                other => entries.push((section.span().start, name.to_owned(), other)),
            }
        }
        entries.sort_by_key(|(offset, ..)| *offset);
        for (offset, key, value) in entries {
            self.set(&key, Raw::of(value), at(offset));
        }
    }

    fn lay_environment(&mut self, environment: &BTreeMap<String, String>) {
        let short = environment.get(DATABASE_URL_SHORT);
        if let Some(value) = short {
            let place = Place::Environment(DATABASE_URL_SHORT.to_owned());
            if environment.get(DATABASE_URL_LONG).is_some_and(|long| long != value) {
                let message = format!("and {DATABASE_URL_LONG} name different databases");
                self.problems.push(Problem::new(&place, message, "set one of the two"));
            }
            self.set("database.url", Raw::Plain(value.clone()), place);
        }
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix("ROAMWATT_") else { continue };
            let place = Place::Environment(name.clone());
            match rest.split_once("__") {
                Some((section, key)) => {
                    let key = format!("{}.{}", section.to_ascii_lowercase(), key.to_ascii_lowercase());
                    self.set(&key, Raw::Plain(value.clone()), place);
                }
                None if name == FILE_VARIABLE || name == DATABASE_URL_SHORT => {}
                None => self.suspect(name, rest, &place),
            }
        }
    }

    /// A variable without `__` is none of ours (orchestrators set `ROAMWATT_SERVICE_HOST` and the like for a
    /// service of this name), unless it is so near to one of ours that it was meant to be.
    fn suspect(&mut self, name: &str, rest: &str, place: &Place) {
        let setting = self.settings.keys().find(|key| key.replace('.', "_").eq_ignore_ascii_case(rest));
        let meant = match setting {
            Some(key) => Some(variable_of(key)),
            None => [FILE_VARIABLE, DATABASE_URL_SHORT]
                .into_iter()
                .find(|ours| strsim::damerau_levenshtein(ours, name) <= 2)
                .map(str::to_owned),
        };
        if let Some(meant) = meant {
            self.problems.push(Problem::new(place, "is no setting", format!("did you mean {meant}?")));
        }
    }

    fn set(&mut self, key: &str, raw: Raw, place: Place) {
        if let Some(found) = self.settings.get_mut(key) {
            *found = Found { raw, place };
            return;
        }
        let remedy = match self.nearest(key) {
            Some(near) if matches!(place, Place::Environment(_)) => {
                format!("did you mean {}?", variable_of(near))
            }
            Some(near) => match (near.split_once('.'), key.split_once('.')) {
                (Some((section, name)), Some((own, _))) if section == own => format!("did you mean {name}?"),
                (Some((section, name)), _) => format!("did you mean {name} in [{section}]?"),
                _ => String::new(),
            },
            None => "`roamwatt check --defaults` prints every setting".to_owned(),
        };
        self.problems.push(Problem::new(&place, format!("unknown setting {key}"), remedy));
    }

    fn has_section(&self, name: &str) -> bool {
        self.settings.keys().any(|key| key.split_once('.').is_some_and(|(section, _)| section == name))
    }

    fn nearest_section(&self, name: &str) -> String {
        let sections = self.settings.keys().filter_map(|key| key.split_once('.')).map(|(section, _)| section);
        match nearest_of(name, sections) {
            Some(near) => format!("did you mean [{near}]?"),
            None => "`roamwatt check --defaults` prints every section".to_owned(),
        }
    }

    /// The setting that was most likely meant: the same name in another section, or a similar one in the same,
    /// or a similar one anywhere.
    fn nearest(&self, key: &str) -> Option<&str> {
        let keys = || self.settings.keys().map(String::as_str);
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let own = || keys().filter(|key| key.split_once('.').is_some_and(|(own, _)| own == section));
        let close = |near: &&str| {
            let near = near.split_once('.').map_or(*near, |(_, near)| near);
            strsim::damerau_levenshtein(near, name) <= 2
        };
        keys()
            .find(|key| key.split_once('.').is_some_and(|(_, own)| own == name))
            .or_else(|| nearest_of(key, own()).filter(close))
            .or_else(|| nearest_of(key, keys()))
            .or_else(|| {
                nearest_of(name, keys().filter_map(|key| key.split_once('.')).map(|(_, name)| name)).and_then(
                    |near| keys().find(|key| key.split_once('.').is_some_and(|(_, own)| own == near)),
                )
            })
    }
}

/// The variable that sets `section.key`.
#[must_use]
pub fn variable_of(key: &str) -> String {
    format!("ROAMWATT_{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The candidate that differs least, if it differs by no more than a third of the letters.
fn nearest_of<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(candidate, word), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .map(|(_, candidate)| candidate)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
