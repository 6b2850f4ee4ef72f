//! `roamwatt export`: CDRs for spreadsheets and accounting.

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Output, Progress, broken_pipe_is_silent, count};
use super::store::Store;
use crate::domain::Timestamp;
use crate::finance::cdr_export::{
    self, ExportError, ExportFormat, Totals, cdrs_between, export_cdrs, parse_border,
};
use clap::{Args, Subcommand, ValueEnum};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes CDRs to files for spreadsheets and accounting
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Cdrs(CdrsArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For spreadsheets: UTF-8, a line of headings
    Csv,
    /// An object a line
    Jsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Direction {
    /// Ours, for charges at our stations
    Issued,
    /// Those of partners, for charges of our drivers
    Received,
}

/// Exports the CDRs of charges that ended in a period
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt export cdrs --from 2026-01-01 --to 2026-02-01 --format csv --out january.csv
  roamwatt export cdrs --direction received --format jsonl | jq .total_cost_excl_vat

A day begins at 00:00 UTC; for another zone write the moment: 2026-01-01T00:00:00+01:00. Amounts
are exact, unrounded; the totals are written to stderr. docs/export.md tells every column.")]
struct CdrsArgs {
    /// Charges that ended at or after this day or moment
    #[arg(long, value_name = "TIME", value_parser = parse_border)]
    from: Option<Timestamp>,
    /// Charges that ended before this day or moment
    #[arg(long, value_name = "TIME", value_parser = parse_border)]
    to: Option<Timestamp>,
    /// How to write them
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Only the ones issued, or received [default: both]
    #[arg(long, value_enum)]
    direction: Option<Direction>,
    /// File to write; it appears when the export is whole [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the database or the file fails.
pub fn run(settings: &Settings, output: Output, args: ExportArgs) -> Outcome {
    match args.what {
        What::Cdrs(args) => cdrs(settings, output, &args),
    }
}

fn cdrs(settings: &Settings, output: Output, args: &CdrsArgs) -> Outcome {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err(Failure::wrong_use("--from is not before --to"));
    }
    let store = Store::open(settings)?;
    let direction = args.direction.map(|direction| match direction {
        Direction::Issued => cdr_export::Direction::Issued,
        Direction::Received => cdr_export::Direction::Received,
    });
    let filter = cdrs_between(args.from, args.to, direction);
    let mut progress = Progress::new(output, "exporting", None);
    let mut export = |out: &mut dyn Write| {
        let format = match args.format {
            Format::Csv => ExportFormat::Csv,
            Format::Jsonl => ExportFormat::JsonLines,
        };
        store
            .block_on(export_cdrs(&store.db, filter.clone(), format, out, |written| {
                progress.advance(written)
            }))
            .map_err(|error| match error {
                ExportError::Io(error) => broken_pipe_is_silent(error),
                other => other.into(),
            })
    };
    let totals = match &args.out {
        Some(path) => whole_file(path, export)?,
        None => export(&mut io::stdout().lock())?,
    };
    drop(progress);
    tell(output, &totals, args.out.as_deref())
}

/// Writes a file beside its place and puts it there when it is whole, so that nobody takes half an export for
/// the books.
fn whole_file<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot =
        |error: io::Error| Failure::from(error).while_doing(format!("cannot write {}", path.display()));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let result = write(&mut temporary)?;
    temporary.as_file().sync_all().map_err(cannot)?;
    temporary.persist(path).map_err(|error| cannot(error.error))?;
    Ok(result)
}

/// The totals go to stderr, since stdout may be the export.
fn tell(output: Output, totals: &Totals, file: Option<&Path>) -> Outcome {
    let text = if output.is_json() {
        serde_json::to_string(totals)?
    } else {
        let mut text = format!(
            "{} of {}, {} kWh",
            count(usize::try_from(totals.cdrs).unwrap_or(usize::MAX), "CDR"),
            if totals.charges == 1 { "1 charge".to_owned() } else { format!("{} charges", totals.charges) },
            totals.energy_kwh.normalize()
        );
        for (currency, costs) in &totals.costs {
            text.push_str(&format!(
                ", {} {currency} without and {} {currency} with VAT ({} VAT)",
                costs.excl_vat.normalize(),
                costs.incl_vat.normalize(),
                costs.vat.normalize()
            ));
        }
        if let Some(file) = file {
            text.push_str(&format!(" → {}", file.display()));
        }
        text
    };
    // Where nobody reads stderr, nobody misses the totals.
    drop(writeln!(io::stderr().lock(), "{text}"));
    Ok(())
}
