//! `roamwatt tariff explain`: a tariff in words.

use crate::cli::document::TariffFile;
use crate::cli::output::printable;
use crate::cli::{Outcome, Output};
use crate::pricing::Finding;
use crate::pricing::describe::{Description, Language, describe};
use clap::Args;
use serde::Serialize;

/// Puts a tariff into words that a driver understands: one sentence, then every price in the order per kWh, per
/// minute, per session, other
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt tariff explain tariff.json
  roamwatt tariff explain - --language de")]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    file: TariffFile,
    /// en or de
    #[arg(long, value_name = "LANGUAGE", default_value_t)]
    language: Language,
}

/// A description, and what there is to say of how the tariff was read.
#[derive(Debug, Serialize)]
struct Explained {
    #[serde(flatten)]
    description: Description,
    warnings: Vec<Finding>,
}

pub(super) fn run(output: Output, args: &ExplainArgs) -> Outcome {
    let tariff = args.file.read()?;
    for finding in &tariff.warnings {
        output.note(&printable(&finding.to_string()));
    }
    let description = describe(&tariff.value, args.language);
    let explained = Explained { description, warnings: tariff.warnings };
    output.show(&explained, || {
        explained.description.to_text().lines().map(printable).collect::<Vec<_>>().join("\n")
    })
}
