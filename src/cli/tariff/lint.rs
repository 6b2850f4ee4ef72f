//! `roamwatt tariff lint`: what a tariff says that its author hardly means.

use crate::cli::document::TariffFile;
use crate::cli::failure::{FAILED, Failure};
use crate::cli::output::{count, printable};
use crate::cli::{Outcome, Output};
use crate::pricing::Finding;
use crate::pricing::lint::{Advice, Severity, lint};
use clap::Args;
use serde::Serialize;

/// Looks for mistakes in a tariff: elements that never apply, steps and limits that surprise, prices that cannot be
/// displayed
///
/// Ends with 1 when it finds an error; warnings and hints alone are fine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt tariff lint tariff.json
  roamwatt tariff lint old.json --ocpi-version 2.1.1 --json")]
pub(super) struct LintArgs {
    #[command(flatten)]
    file: TariffFile,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    /// What could be read, but not as specified.
    warnings: Vec<Finding>,
    advice: Vec<Advice>,
}

impl Report {
    fn to_text(&self) -> String {
        let mut lines = Vec::new();
        for Finding { path, reason } in &self.warnings {
            lines.push(format!("read     {}: {}", printable(path), printable(reason)));
        }
        for Advice { path, severity, rule, reason, advice } in &self.advice {
            lines.push(format!(
                "{:8} {}: {} [{rule}]",
                severity.as_str(),
                printable(path),
                printable(reason)
            ));
            lines.push(format!("         {advice}"));
        }
        if lines.is_empty() {
            return "nothing to say against it".to_owned();
        }
        let number = |severity| self.advice.iter().filter(|one| one.severity == severity).count();
        lines.push(format!(
            "\n{}, {}, {}",
            count(number(Severity::Error), "error"),
            count(number(Severity::Warning), "warning"),
            count(number(Severity::Hint), "hint")
        ));
        lines.join("\n")
    }
}

pub(super) fn run(output: Output, args: &LintArgs) -> Outcome {
    let tariff = args.file.read()?;
    let report = Report { advice: lint(&tariff.value), warnings: tariff.warnings };
    output.show(&report, || report.to_text())?;
    let any_error = report.advice.iter().any(|one| one.severity == Severity::Error);
    if any_error { Err(Failure::shown(FAILED)) } else { Ok(()) }
}
