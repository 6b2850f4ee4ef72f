//! `roamwatt cdr price`: a CDR priced from its periods and tariffs, without any database.

use crate::cli::document::{document, refused};
use crate::cli::pricing::{LanguageArg, ZoneArg, show};
use crate::cli::{Failure, Outcome, Output};
use crate::domain::tariff::Tariff;
use crate::pricing::read::{self, OcpiVersion, StatedCdr};
use crate::pricing::report::PriceReport;
use crate::pricing::{Finding, PricingPolicy};
use clap::Args;
use std::path::{Path, PathBuf};

/// Prices a CDR from its periods and tariffs, and explains the price line by line
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt cdr price cdr.json --timezone Europe/Amsterdam
  roamwatt cdr price cdr.json --tariff day.json --tariff night.json --json
  roamwatt cdr price - --ocpi-version 2.1.1 --language de")]
pub(super) struct PriceArgs {
    /// JSON file with a CDR, which may lack what the price does not depend on; - is stdin
    #[arg(value_name = "CDR")]
    path: PathBuf,
    /// JSON file with a tariff, instead of those in the CDR; may be given several times
    #[arg(long = "tariff", value_name = "FILE")]
    tariffs: Vec<PathBuf>,
    /// OCPI version in which they are written: 2.1.1, 2.2.1 or 2.3.0
    #[arg(long, value_name = "VERSION", default_value_t)]
    ocpi_version: OcpiVersion,
    #[command(flatten)]
    zone: ZoneArg,
    #[command(flatten)]
    language: LanguageArg,
}

pub(super) fn run(output: Output, args: &PriceArgs) -> Outcome {
    let (name, cdr, mut warnings) = read_cdr(&args.path, args.ocpi_version)?;
    let mut tariffs: Vec<Tariff> = Vec::new();
    for (at, path) in args.tariffs.iter().enumerate() {
        let (tariff, found) = read_tariff(path, args.ocpi_version)?;
        let several = args.tariffs.len() > 1;
        warnings.extend(found.into_iter().map(|finding| if several { below(at, finding) } else { finding }));
        tariffs.push(tariff);
    }
    let given = (!tariffs.is_empty()).then_some(tariffs.as_slice());
    let report = PriceReport::of_cdr(&cdr, given, args.zone.timezone, &PricingPolicy::default())
        .map_err(|findings| refused(format!("{name} cannot be priced"), findings))?;
    show(output, &report.with_warnings(warnings), args.language.language)
}

/// A finding in one of several tariffs.
fn below(at: usize, finding: Finding) -> Finding {
    let rest = finding.path.strip_prefix('$').unwrap_or(&finding.path);
    Finding::new(format!("$.tariffs[{at}]{rest}"), finding.reason)
}

fn read_cdr(path: &Path, version: OcpiVersion) -> Result<(String, StatedCdr, Vec<Finding>), Failure> {
    let (name, json) = document(path)?;
    let cdr = read::cdr(&json, version).map_err(|findings| {
        refused(format!("{name} is no OCPI {version} CDR that can be priced"), findings)
    })?;
    Ok((name, cdr.value, cdr.warnings))
}

fn read_tariff(path: &Path, version: OcpiVersion) -> Result<(Tariff, Vec<Finding>), Failure> {
    let (name, json) = document(path)?;
    let tariff = read::tariff(&json, version).map_err(|findings| {
        refused(format!("{name} is no OCPI {version} tariff that can be priced"), findings)
    })?;
    Ok((tariff.value, tariff.warnings))
}
