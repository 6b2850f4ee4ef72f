//! Finding the objects in a file.

use crate::cli::failure::Failure;
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// One object of a file.
pub(super) struct Item {
    /// Its place in the list, from 0.
    pub(super) index: usize,
    /// Its JSON path in the file: `$[3]`, `$.data[3]`.
    pub(super) path: String,
    /// The object, or whatever stands in its place.
    pub(super) value: Value,
}

/// Under these names an object holds the list: as OCPI answers, and as others do.
const LISTS: [&str; 2] = ["data", "items"];

/// Reads a file that is a list, or an object that holds one.
pub(super) fn read(path: &Path, noun: &str) -> Result<Vec<Item>, Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { path.display().to_string() };
    let bytes = if stdin {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        bytes
    } else {
        std::fs::read(path)
            .map_err(|error| Failure::from(error).while_doing(format!("cannot read {name}")))?
    };
    find(&bytes, noun).map_err(|message| {
        Failure::new(format!("{name}: {message}")).with_remedy(format!(
            "it has to be a JSON list of OCPI 2.2.1 {noun}s, or an object that holds one as \"data\" or \"items\""
        ))
    })
}

fn find(bytes: &[u8], noun: &str) -> Result<Vec<Item>, String> {
    // Many programs on Windows put a byte order mark before UTF-8.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        format!("line {}, column {}: not JSON: {reason}", error.line(), error.column())
    })?;
    let (step, list) = match value {
        Value::Array(list) => (String::new(), list),
        Value::Object(mut fields) => {
            let found = LISTS.into_iter().find_map(|name| match fields.remove(name) {
                Some(Value::Array(list)) => Some((format!(".{name}"), list)),
                _ => None,
            });
            match found {
                Some(found) => found,
                // One object alone, as somebody would try first.
                None if fields.contains_key("id") || fields.contains_key("uid") => {
                    return Ok(vec![Item { index: 0, path: "$".to_owned(), value: Value::Object(fields) }]);
                }
                None => return Err(format!("$: an object without a list of {noun}s")),
            }
        }
        other => {
            return Err(format!(
                "$: {} where a list of {noun}s is wanted",
                crate::ocpi::examine::describe(&other)
            ));
        }
    };
    Ok(list
        .into_iter()
        .enumerate()
        .map(|(index, value)| Item { index, path: format!("${step}[{index}]"), value })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Result<Vec<String>, String> {
        find(text.as_bytes(), "location").map(|items| items.into_iter().map(|item| item.path).collect())
    }

    #[test]
    fn lists_are_found_where_they_are() {
        assert_eq!(paths("[1, {}]").unwrap(), ["$[0]", "$[1]"]);
        assert_eq!(paths("\u{feff}{\"data\": [{}], \"status_code\": 1000}").unwrap(), ["$.data[0]"]);
        assert_eq!(paths("{\"next\": null, \"items\": [{}]}").unwrap(), ["$.items[0]"]);
        assert_eq!(paths("{\"id\": \"LOC1\"}").unwrap(), ["$"]);
        assert_eq!(paths("{\"data\": {}}").unwrap_err(), "$: an object without a list of locations");
        assert_eq!(paths("3").unwrap_err(), "$: the number 3 where a list of locations is wanted");
        assert!(paths("[\n{]").unwrap_err().starts_with("line 2, column 2: not JSON"));
        assert!(paths("").unwrap_err().starts_with("line 1, column 0: not JSON"));
    }
}
