//! What an import tells: what was written, what was bad, what was put right.

use crate::cli::output::{Column, count, printable, table};
use crate::ocpi::examine::Remark;
use serde::Serialize;
use std::collections::BTreeMap;

/// An object that was not imported.
#[derive(Debug, Serialize)]
pub(super) struct Bad {
    /// Its place in the list, from 0.
    pub(super) index: usize,
    /// What it calls itself.
    pub(super) id: Option<String>,
    /// JSON path of the field that is wrong, in the file.
    pub(super) path: String,
    /// What is wrong.
    pub(super) message: String,
}

/// A remark on an object that was imported.
#[derive(Debug, Serialize)]
pub(super) struct Remarks {
    index: usize,
    path: String,
    message: String,
}

impl Remarks {
    /// The remarks on the object at `path` of the file.
    pub(super) fn at(index: usize, path: &str, remarks: impl IntoIterator<Item = Remark>) -> Vec<Self> {
        let remarks = remarks.into_iter();
        let placed = remarks.map(|Remark { path: within, message }| Self {
            index,
            path: format!("{path}{}", within.trim_start_matches('$')),
            message,
        });
        placed.collect()
    }
}

/// The whole.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Objects in the file.
    pub(super) read: usize,
    /// Whether the good ones were to be written.
    pub(super) written: bool,
    /// New or changed, and written.
    pub(super) imported: usize,
    /// There just so.
    pub(super) unchanged: usize,
    /// Not imported.
    pub(super) bad: Vec<Bad>,
    /// Put right.
    pub(super) notes: Vec<Remarks>,
    /// Against the specification, but taken.
    pub(super) violations: Vec<Remarks>,
    /// Without effect, as it seems not to be meant.
    pub(super) warnings: Vec<Remarks>,
}

impl Report {
    pub(super) fn to_text(&self, noun: &str, each: bool) -> String {
        let mut parts = Vec::new();
        if !self.bad.is_empty() {
            let columns = ["INDEX", "ID", "WHERE", "WHAT IS WRONG"].map(Column::Text);
            let rows = self.bad.iter().map(|bad| {
                let id = bad.id.clone().unwrap_or_default();
                vec![bad.index.to_string(), id, bad.path.clone(), bad.message.clone()]
            });
            parts.push(table(&columns, rows, ""));
        }
        for (title, remarks) in [
            ("Put right:", &self.notes),
            ("Against the specification, taken as it is:", &self.violations),
            ("Without effect:", &self.warnings),
        ] {
            if !remarks.is_empty() {
                parts.push(format!("{title}\n{}", if each { all(remarks) } else { kinds(remarks) }));
            }
        }
        let mut summary = format!("{}: {} imported", count(self.read, noun), self.imported);
        if self.unchanged > 0 {
            summary.push_str(&format!(", {} unchanged", self.unchanged));
        }
        if !self.bad.is_empty() {
            summary.push_str(&format!(", {} bad", self.bad.len()));
            if !self.written {
                summary.push_str(" (nothing was written; --keep-going imports the good ones)");
            }
        }
        parts.push(summary);
        parts.join("\n\n")
    }
}

fn all(remarks: &[Remarks]) -> String {
    let lines = remarks.iter().map(|remark| format!("  {}: {}", remark.path, printable(&remark.message)));
    lines.collect::<Vec<_>>().join("\n")
}

/// One line for each field and kind of remark, with how often it was made and the first that was meant.
fn kinds(remarks: &[Remarks]) -> String {
    let mut groups: BTreeMap<(String, String), (usize, &Remarks)> = BTreeMap::new();
    for remark in remarks {
        let group = groups.entry((field_of(&remark.path), kind_of(&remark.message))).or_insert((0, remark));
        group.0 += 1;
    }
    let mut lines: Vec<_> = groups.into_values().collect();
    lines.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let lines = lines.into_iter().map(|(number, first)| {
        let message = printable(&first.message);
        match number {
            1 => format!("  {}: {message}", first.path),
            _ => format!("  {}: {message} ({number} such, first at {})", field_of(&first.path), first.path),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `$.data[3].evses[0].uid` → `evses[].uid`: where in an object, whichever object it is.
fn field_of(path: &str) -> String {
    let within = path.split_once(']').map_or(path, |(_, within)| within);
    let mut field = String::new();
    let mut in_index = false;
    for c in within.chars() {
        in_index = (in_index || c == '[') && c != ']';
        if !in_index || c == '[' {
            field.push(c);
        }
    }
    field.trim_start_matches('.').to_owned()
}

/// The message without what it quotes, which differs from object to object.
fn kind_of(message: &str) -> String {
    let mut quoted = false;
    message
        .chars()
        .filter(|c| {
            if *c == '\'' || *c == '"' {
                quoted = !quoted;
            }
            !quoted && !c.is_ascii_digit()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_of_a_kind_are_one_line() {
        let remark = |index: usize, text: &str| {
            let path = format!("$.evses[{index}].uid");
            Remarks::at(
                index,
                &format!("$.data[{index}]"),
                [Remark { path, message: format!("the number {text}, read as text") }],
            )
        };
        let report = Report {
            read: 2,
            imported: 2,
            written: true,
            notes: remark(0, "7").into_iter().chain(remark(1, "12")).collect(),
            ..Report::default()
        };
        let expected = "Put right:\n  evses[].uid: the number 7, read as text (2 such, first at \
                        $.data[0].evses[0].uid)\n\n2 locations: 2 imported";
        assert_eq!(report.to_text("location", false), expected);
        assert!(report.to_text("location", true).contains("\n  $.data[1].evses[1].uid: the number 12"));
    }
}
