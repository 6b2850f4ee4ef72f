//! Counts the classes, and keeps the shortest case of each as an example.

use crate::amounts::Difference;
use crate::case::Case;
use crate::classes::{Said, Verdict};
use crate::wire;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// One class.
#[derive(Default)]
struct Class {
    /// Cases in which it matters.
    cases: u64,
    /// Cases in which it is the only one that matters.
    alone: u64,
    /// Shortest document.
    example: Option<String>,
}

/// All cases so far.
#[derive(Default)]
pub(crate) struct Tally {
    cases: u64,
    classes: BTreeMap<String, Class>,
    findings: BTreeMap<String, u64>,
    unknown: u64,
}

impl Tally {
    /// Takes in a case.
    pub(crate) fn add(&mut self, case: &Case, verdict: &Verdict, ours: &Said, theirs: &Said) {
        self.cases += 1;
        if matches!(verdict, Verdict::Unknown(_)) {
            self.unknown += 1;
        }
        let names = names(verdict);
        let alone = names.len() == 1;
        for name in names {
            let class = self.classes.entry(name).or_default();
            class.cases += 1;
            class.alone += u64::from(alone);
            if alone && *verdict != Verdict::Equal {
                let text = document(case, ours, theirs);
                if class.example.as_ref().is_none_or(|shortest| text.len() < shortest.len()) {
                    class.example = Some(text);
                }
            }
        }
    }

    /// Takes in what the other engine finds wrong with tariffs.
    pub(crate) fn add_findings(&mut self, lines: Vec<String>) {
        for line in lines {
            *self.findings.entry(line).or_default() += 1;
        }
    }

    /// Cases that no class explains.
    pub(crate) fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Writes the examples into a folder, a file per class.
    pub(crate) fn write_examples(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (name, class) in &self.classes {
            if let Some(text) = &class.example {
                fs::write(folder.join(file_name(name)), text)?;
            }
        }
        Ok(())
    }

    /// The classes with their counts, and the findings with theirs.
    pub(crate) fn table(&self) -> String {
        let mut table = empty_table(&["class", "cases", "alone", "example"]);
        for (name, class) in &self.classes {
            let example = class.example.as_ref().map(|_| file_name(name)).unwrap_or_default();
            table.add_row([name.clone(), class.cases.to_string(), class.alone.to_string(), example]);
        }
        let mut findings = empty_table(&["what their lint says of our tariffs", "times"]);
        for (line, times) in &self.findings {
            findings.add_row([line.clone(), times.to_string()]);
        }
        let findings = if self.findings.is_empty() { String::new() } else { format!("\n\n{findings}") };
        format!("{table}{findings}\n\n{} cases, {} unexplained", self.cases, self.unknown)
    }
}

fn empty_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header.iter().copied());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn names(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Equal => vec!["equal".to_owned()],
        Verdict::Explained(questions) => questions.iter().map(|one| one.name().to_owned()).collect(),
        Verdict::NeitherPrices => vec!["neither-prices".to_owned()],
        Verdict::Unknown(what) => vec![format!("UNKNOWN: {what}")],
    }
}

fn file_name(class: &str) -> String {
    let plain: String = class.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{plain}.json")
}

/// A case with all that is needed to study it.
pub(crate) fn document(case: &Case, ours: &Said, theirs: &Said) -> String {
    let differences: Vec<Value> = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => ours.differences(theirs).iter().map(difference).collect(),
        _ => Vec::new(),
    };
    let error = |said: &Said| said.as_ref().err().cloned();
    let all = json!({
        "case": case.number,
        "time_zone": case.session.zone.name(),
        "periods_cut": case.cut,
        "differences": differences,
        "our_error": error(ours),
        "their_error": error(theirs),
        "cdr": wire::cdr(case),
    });
    format!("{all:#}\n")
}

fn difference(one: &Difference) -> Value {
    let text = |value: Option<rust_decimal::Decimal>| value.map(|value| value.normalize().to_string());
    json!({"field": one.field, "ours": text(one.ours), "theirs": text(one.theirs)})
}
