//! A file with one JSON document about money, which may have comments.

use crate::cli::failure::Failure;
use crate::domain::tariff::Tariff;
use crate::pricing::Finding;
use crate::pricing::read::{self, OcpiVersion, Readable};
use clap::Args;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file, and the version in which it is written.
#[derive(Debug, Args)]
pub(super) struct TariffFile {
    /// JSON file with a tariff, which may have comments (//); - is stdin
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// OCPI version in which it is written: 2.1.1, 2.2.1 or 2.3.0
    #[arg(long, value_name = "VERSION", default_value_t)]
    ocpi_version: OcpiVersion,
}

impl TariffFile {
    /// Reads the tariff.
    pub(super) fn read(&self) -> Result<Readable<Tariff>, Failure> {
        let (name, json) = document(&self.path)?;
        let tariff = read::tariff(&json, self.ocpi_version);
        tariff.map_err(|findings| {
            let version = self.ocpi_version;
            refused(format!("{name} is no OCPI {version} tariff that can be priced"), findings)
        })
    }
}

/// A failure with everything that was found.
pub(super) fn refused(message: String, findings: Vec<Finding>) -> Failure {
    let problems = findings.into_iter().map(|Finding { path, reason }| (path, reason));
    Failure::new(message).with_problems(problems)
}

/// The document in a file, or on stdin where its name is `-`, and what to call it in messages.
pub(super) fn document(path: &Path) -> Result<(String, Value), Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { path.display().to_string() };
    let bytes = if stdin {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|error| Failure::from(error).while_doing(format!("cannot read {name}")))?;
    match parse(&bytes) {
        Ok(json) => Ok((name, json)),
        Err(message) => Err(Failure::new(format!("{name}: {message}"))),
    }
}

/// JSON with or without comments, in an OCPI envelope or without.
fn parse(bytes: &[u8]) -> Result<Value, String> {
    // Many programs on Windows put a byte order mark before UTF-8.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut plain = Vec::with_capacity(bytes.len());
    let stripped = json_comments::StripComments::new(bytes).read_to_end(&mut plain);
    stripped.map_err(|error| format!("not JSON: {error}"))?;
    let json: Value = serde_json::from_slice(&plain).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        format!("line {}, column {}: not JSON: {reason}", error.line(), error.column())
    })?;
    match json {
        Value::Object(mut fields) if fields.contains_key("status_code") => {
            Ok(fields.remove("data").unwrap_or(Value::Object(fields)))
        }
        json => Ok(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_marks_and_envelopes_are_passed_over() {
        for text in [
            "\u{feff}{\"a\": \"// no comment\"} // one",
            "/* one */ {\"a\": \"// no comment\"}",
            "{\"status_code\": 1000, \"data\": {\"a\": \"// no comment\"}}",
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::json!({"a": "// no comment"}), "{text}");
        }
        assert_eq!(parse(b"{\n// one\n]").unwrap_err(), "line 3, column 1: not JSON: key must be a string");
        assert!(parse(b"").is_err() && parse(b"/* no end").is_err());
    }
}
