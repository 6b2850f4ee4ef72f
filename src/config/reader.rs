//! Reads the settings of one section into their types and gathers what is wrong.

use super::layers::{Found, Layers, Place, Raw};
use super::problem::Problem;
use super::secret::Secret;
use super::values::{parse_duration, parse_network, parse_size, show_duration};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// Reads settings by `section.key`. A wrong one becomes a [`Problem`] and the type's empty value; no
/// configuration with a problem is ever handed out.
pub(super) struct Reader {
    layers: Layers,
    read: BTreeSet<String>,
}

/// The settings of one section.
pub(super) struct Section<'a> {
    reader: &'a mut Reader,
    name: &'static str,
}

impl Reader {
    pub(super) fn new(layers: Layers) -> Self {
        Self { layers, read: BTreeSet::new() }
    }

    pub(super) fn section(&mut self, name: &'static str) -> Section<'_> {
        Section { reader: self, name }
    }

    /// The problems, and the settings of the defaults that nothing has read.
    pub(super) fn finish(self) -> (Vec<Problem>, Vec<String>) {
        let unread = self.layers.settings.into_keys().filter(|key| !self.read.contains(key)).collect();
        (self.layers.problems, unread)
    }
}

impl Section<'_> {
    fn find(&mut self, key: &str) -> Option<Found> {
        let key = format!("{}.{key}", self.name);
        let found = self.reader.layers.settings.get(&key).cloned();
        if found.is_none() {
            self.reader.layers.problems.push(Problem::new(
                &Place::Default,
                format!("{key} has no default"),
                "",
            ));
        }
        self.reader.read.insert(key);
        found
    }

    /// Reports that `key` is wrong, where it stands.
    pub(super) fn wrong(&mut self, key: &str, message: &str, remedy: &str) {
        let full = format!("{}.{key}", self.name);
        let place =
            self.reader.layers.settings.get(&full).map_or(Place::Default, |found| found.place.clone());
        self.reader.layers.problems.push(Problem::new(&place, format!("{full} {message}"), remedy));
    }

    /// Reads `key` with `parse`, which takes it or says what would be right.
    pub(super) fn parse<T: Default>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Raw) -> Result<T, String>,
    ) -> T {
        let Some(found) = self.find(key) else { return T::default() };
        match parse(&found.raw) {
            Ok(value) => value,
            Err(wanted) => {
                self.wrong(key, &format!("is {}", found.raw.show()), &wanted);
                T::default()
            }
        }
    }

    /// A text, which `parse` takes or says what would be right.
    pub(super) fn text<T: Default>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        self.parse(key, |raw| match raw {
            Raw::Plain(text) | Raw::Text(text) => parse(text.trim()),
            _ => Err("write a text in quotes".to_owned()),
        })
    }

    /// A file name; empty is none.
    pub(super) fn file(&mut self, key: &str) -> Option<PathBuf> {
        self.text(key, |text| Ok((!text.is_empty()).then(|| PathBuf::from(text))))
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        self.parse(key, |raw| match raw {
            Raw::Boolean(value) => Ok(*value),
            Raw::Plain(text) if text.trim() == "true" => Ok(true),
            Raw::Plain(text) if text.trim() == "false" => Ok(false),
            Raw::Text(text) if text == "true" || text == "false" => {
                Err(format!("write {text} without quotes"))
            }
            _ => Err("write true or false".to_owned()),
        })
    }

    pub(super) fn integer<T: TryFrom<i64> + Default>(&mut self, key: &str, range: RangeInclusive<i64>) -> T {
        self.parse(key, |raw| {
            let number = match raw {
                Raw::Integer(number) => Some(*number),
                Raw::Plain(text) => text.trim().parse().ok(),
                _ => None,
            };
            number
                .filter(|number| range.contains(number))
                .and_then(|number| T::try_from(number).ok())
                .ok_or_else(|| format!("write a whole number from {} to {}", range.start(), range.end()))
        })
    }

    pub(super) fn duration(&mut self, key: &str, range: RangeInclusive<Duration>) -> Duration {
        self.parse(key, |raw| {
            let found = match raw {
                Raw::Plain(text) | Raw::Text(text) => parse_duration(text),
                Raw::Integer(number) => {
                    return Err(format!("write the unit too: \"{number}s\" or \"{number}m\""));
                }
                _ => None,
            };
            found.filter(|duration| range.contains(duration)).ok_or_else(|| {
                let (least, most) = (show_duration(*range.start()), show_duration(*range.end()));
                format!("write a duration from {least} to {most}, like \"250ms\", \"60s\", \"5m\", \"12h\"")
            })
        })
    }

    pub(super) fn size(&mut self, key: &str, range: RangeInclusive<usize>) -> usize {
        self.parse(key, |raw| {
            let found = match raw {
                Raw::Plain(text) | Raw::Text(text) => parse_size(text),
                Raw::Integer(number) => usize::try_from(*number).ok(),
                _ => None,
            };
            found.filter(|size| range.contains(size)).ok_or_else(|| {
                format!(
                    "write a size from {} to {} bytes, like \"64KiB\" or \"1MiB\"",
                    range.start(),
                    range.end()
                )
            })
        })
    }

    pub(super) fn networks(&mut self, key: &str) -> Vec<IpNet> {
        self.list(key, "write networks or addresses, like [\"10.0.0.0/8\", \"::1\"]", parse_network)
    }

    /// A list of texts, each of which `parse` takes or not; `wanted` says what would be right.
    pub(super) fn list<T>(&mut self, key: &str, wanted: &str, parse: fn(&str) -> Option<T>) -> Vec<T> {
        self.parse(key, |raw| {
            let texts: Vec<&str> = match raw {
                Raw::Plain(text) => text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect(),
                Raw::List(list) => list
                    .iter()
                    .map(|raw| match raw {
                        Raw::Text(text) => Ok(text.as_str()),
                        other => Err(format!("{wanted}; {} is none", other.show())),
                    })
                    .collect::<Result<_, _>>()?,
                _ => return Err(wanted.to_owned()),
            };
            texts
                .into_iter()
                .map(|text| parse(text).ok_or_else(|| format!("{wanted}; {text:?} is none")))
                .collect()
        })
    }

    /// A secret from `key`, or from the file that `{key}_file` names. Whichever stands at the place that counts
    /// more wins; both at the same place are a mistake. No message shows it.
    pub(super) fn secret(&mut self, key: &str) -> Secret {
        let file_key = format!("{key}_file");
        let plain = self.find(key);
        let file = self.file(&file_key);
        let text = match plain {
            Some(Found { raw: Raw::Plain(text) | Raw::Text(text), .. }) => text,
            Some(Found { .. }) => {
                self.wrong(key, "is no text", "write a text in quotes");
                return Secret::default();
            }
            None => return Secret::default(),
        };
        let Some(path) = file else { return Secret::new(text.trim()) };
        let (own, other) = (self.rank(key), self.rank(&file_key));
        if !text.trim().is_empty() && own == other && own > 0 {
            self.wrong(&file_key, &format!("stands beside {key}"), "keep one of the two");
            return Secret::default();
        }
        if own > other {
            return Secret::new(text.trim());
        }
        match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => {
                self.wrong(
                    &file_key,
                    &format!("names {}, which is empty", path.display()),
                    "write the secret into it",
                );
                Secret::default()
            }
            Ok(text) => Secret::new(text.trim()),
            Err(error) => {
                let message = format!("names {}, which cannot be read: {error}", path.display());
                self.wrong(&file_key, &message, "name a file that this user can read");
                Secret::default()
            }
        }
    }

    fn rank(&self, key: &str) -> u8 {
        let key = format!("{}.{key}", self.name);
        self.reader.layers.settings.get(&key).map_or(0, |found| found.place.rank())
    }
}
