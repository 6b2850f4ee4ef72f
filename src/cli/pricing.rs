//! What the commands that price have in common: the zone, the language, and how a price is shown.

use super::output::printable;
use super::{Outcome, Output};
use crate::pricing::describe::Language;
use crate::pricing::report::PriceReport;
use chrono_tz::Tz;
use clap::Args;

/// The zone of the place.
#[derive(Debug, Args)]
pub(super) struct ZoneArg {
    /// Zone of the place, by whose local time a tariff goes, like Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub(super) timezone: Option<Tz>,
}

impl ZoneArg {
    /// The zone, or UTC.
    pub(super) fn or_utc(&self) -> Tz {
        self.timezone.unwrap_or(chrono_tz::UTC)
    }
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| format!("'{text}' is no zone of the IANA list: write it like Europe/Berlin"))
}

/// The language of the text for people.
#[derive(Debug, Args)]
pub(super) struct LanguageArg {
    /// en or de
    #[arg(long, value_name = "LANGUAGE", default_value_t)]
    pub(super) language: Language,
}

/// Shows a price: the whole report for programs, its text for people.
pub(super) fn show(output: Output, report: &PriceReport, language: Language) -> Outcome {
    let text = report.text(language)?;
    output.show(report, || text.lines().map(printable).collect::<Vec<_>>().join("\n"))
}
