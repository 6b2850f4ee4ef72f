//! CDRs as rows for spreadsheets and accounting: CSV, or JSON Lines with the same columns. The command line and
//! the operator API write the same bytes.

use super::cdr_row::{Row, net_energy, row_of};
use crate::db::cdrs::{self, CdrFilter, NumberedCdr};
use crate::db::locations::Owner;
use crate::db::{Db, DbError};
use crate::domain::Timestamp;
use crate::domain::cdr::Cdr;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

pub use super::cdr_row::COLUMNS;

/// CDRs read at once.
const BATCH: i64 = 500;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// RFC 4180, UTF-8, with a line of headings.
    Csv,
    /// An object a line; numbers with all their digits, missing values as null.
    JsonLines,
}

/// Which side of a CDR this node is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Ours, for charges at our stations.
    Issued,
    /// Those of partners, for charges of our drivers.
    Received,
}

/// The CDRs of charges that ended at or after `from` and before `to`; of both directions, where none is named.
#[must_use]
pub fn cdrs_between(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    direction: Option<Direction>,
) -> CdrFilter {
    let owner = if direction == Some(Direction::Issued) { Owner::Ours } else { Owner::Any };
    let only_received = direction == Some(Direction::Received);
    CdrFilter { ended_from: from, ended_to: to, only_received, ..CdrFilter::of(owner) }
}

/// Reads the border of a period: a day, which begins at 00:00 UTC, or a moment.
///
/// # Errors
/// When it is neither, in words that go on after its name.
pub fn parse_border(text: &str) -> Result<Timestamp, String> {
    if let Ok(day) = text.parse::<chrono::NaiveDate>() {
        return day
            .and_hms_opt(0, 0, 0)
            .map(|midnight| Timestamp::new(midnight.and_utc()))
            .ok_or_else(|| "is no day".to_owned());
    }
    Timestamp::parse(text)
        .map_err(|_| "is no day like 2026-01-31 and no moment like 2026-01-31T18:00:00Z".to_owned())
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The CDRs cannot be read.
    #[error("the CDRs cannot be read")]
    Db(#[from] DbError),
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Io(#[from] io::Error),
    /// The sum of all is beyond what can be said.
    #[error("the totals are out of range")]
    Range,
}

/// The sums of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// CDRs written.
    pub cdrs: u64,
    /// Charges that are billed: a credit CDR takes the one of its original off, and a replacement brings it back.
    pub charges: i64,
    /// kWh; those of a credit CDR are taken off.
    pub energy_kwh: Decimal,
    /// By currency (ISO 4217).
    pub costs: BTreeMap<String, CostTotals>,
}

/// The sums of a currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CostTotals {
    /// Without VAT.
    pub excl_vat: Decimal,
    /// The VAT: the one minus the other.
    pub vat: Decimal,
    /// With VAT; a CDR to which no VAT applies counts with its amount without.
    pub incl_vat: Decimal,
}

impl Totals {
    fn add(&mut self, cdr: &Cdr) -> Option<()> {
        self.cdrs += 1;
        self.charges += if cdr.credit == Some(true) { -1 } else { 1 };
        self.energy_kwh = self.energy_kwh.checked_add(net_energy(cdr))?;
        let costs = self.costs.entry(cdr.currency.clone()).or_default();
        let excl_vat = cdr.total_cost.excl_vat.decimal();
        let incl_vat = cdr.total_cost.incl_vat.map_or(excl_vat, |amount| amount.decimal());
        costs.excl_vat = costs.excl_vat.checked_add(excl_vat)?;
        costs.incl_vat = costs.incl_vat.checked_add(incl_vat)?;
        costs.vat = costs.incl_vat.checked_sub(costs.excl_vat)?;
        Some(())
    }
}

/// The CDRs of a filter in the order of their creation, a batch at a time, and their sums so far.
struct Batches {
    db: Db,
    filter: CdrFilter,
    place: i64,
    totals: Totals,
}

impl Batches {
    fn new(db: &Db, filter: CdrFilter) -> Self {
        Self { db: db.clone(), filter, place: 0, totals: Totals::default() }
    }

    /// The next CDRs; none at the end.
    async fn next(&mut self) -> Result<Vec<NumberedCdr>, ExportError> {
        let (filter, from) = (self.filter.clone(), self.place);
        let batch = self.db.read(move |conn| cdrs::after(conn, &filter, from, BATCH)).await?;
        if let Some(last) = batch.last() {
            self.place = last.seq;
        }
        for numbered in &batch {
            self.totals.add(&numbered.cdr).ok_or(ExportError::Range)?;
        }
        Ok(batch)
    }
}

/// An export on its way: the parts of the file one after the other, of which never more than one batch of CDRs is
/// in memory.
pub struct CdrExport {
    batches: Batches,
    format: ExportFormat,
    begun: bool,
}

impl std::fmt::Debug for CdrExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CdrExport").field("filter", &self.batches.filter).finish_non_exhaustive()
    }
}

impl CdrExport {
    /// The export of the CDRs of a filter, in the order of their creation.
    #[must_use]
    pub fn new(db: &Db, filter: CdrFilter, format: ExportFormat) -> Self {
        Self { batches: Batches::new(db, filter), format, begun: false }
    }

    /// The next part of the file, never an empty one; none at its end.
    ///
    /// # Errors
    /// When the database fails; what came until then is no whole export.
    pub async fn next_part(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        let batch = self.batches.next().await?;
        let part = part_of(self.format, !self.begun, &batch)?;
        self.begun = true;
        Ok(Some(part).filter(|part| !part.is_empty()))
    }

    /// The sums of what came so far.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.batches.totals
    }
}

/// Writes the CDRs of a filter in the order of their creation, never holding more than a batch of them, and
/// calls `progress` with the number written since the last call.
///
/// # Errors
/// When the database or the output fails; what is written until then is no whole export.
pub async fn export_cdrs(
    db: &Db,
    filter: CdrFilter,
    format: ExportFormat,
    mut out: impl Write,
    mut progress: impl FnMut(u64),
) -> Result<Totals, ExportError> {
    let mut export = CdrExport::new(db, filter, format);
    let mut written = 0;
    while let Some(part) = export.next_part().await? {
        out.write_all(&part)?;
        progress(export.totals().cdrs.saturating_sub(written));
        written = export.totals().cdrs;
    }
    out.flush()?;
    Ok(export.batches.totals)
}

/// The sums of the CDRs of a filter, without writing them.
///
/// # Errors
/// When the database fails.
pub async fn total_cdrs(db: &Db, filter: CdrFilter) -> Result<Totals, ExportError> {
    let mut batches = Batches::new(db, filter);
    while !batches.next().await?.is_empty() {}
    Ok(batches.totals)
}

/// The bytes of some rows; at the beginning of a CSV file with the headings before them.
fn part_of(format: ExportFormat, beginning: bool, batch: &[NumberedCdr]) -> io::Result<Vec<u8>> {
    let rows = batch.iter().map(row_of);
    match format {
        ExportFormat::Csv => csv_of(beginning, rows),
        ExportFormat::JsonLines => {
            let mut part = Vec::new();
            for row in rows {
                serde_json::to_writer(&mut part, &row)?;
                part.push(b'\n');
            }
            Ok(part)
        }
    }
}

fn csv_of(beginning: bool, rows: impl Iterator<Item = Row>) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if beginning {
        writer.write_record(COLUMNS).map_err(io::Error::other)?;
    }
    for row in rows {
        writer.write_record(row.0.iter().map(|(_, cell)| cell.to_csv())).map_err(io::Error::other)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments() {
        assert_eq!(parse_border("2026-01-01").unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(parse_border("2026-01-01T00:00:00+01:00").unwrap().to_string(), "2025-12-31T23:00:00Z");
        assert!(parse_border("1.1.2026").is_err() && parse_border("2026-02-30").is_err());
    }

    #[test]
    fn only_the_first_part_has_headings() {
        let first = part_of(ExportFormat::Csv, true, &[]).unwrap();
        assert_eq!(first, format!("{}\r\n", COLUMNS.join(",")).into_bytes());
        assert!(part_of(ExportFormat::Csv, false, &[]).unwrap().is_empty());
        assert!(part_of(ExportFormat::JsonLines, true, &[]).unwrap().is_empty());
    }

    #[test]
    fn a_credit_takes_back_energy_and_cost() {
        let cdr = |energy: &str, cost: &str, credit: bool| -> Cdr {
            serde_json::from_value(serde_json::json!({
                "party": { "country_code": "DE", "party_id": "ABC" },
                "id": "C1",
                "start_date_time": "2026-01-01T00:00:00Z",
                "end_date_time": "2026-01-01T01:00:00Z",
                "cdr_token": { "party": null, "uid": "1", "token_type": "RFID", "contract_id": "2", "extra": {} },
                "auth_method": "WHITELIST",
                "cdr_location": {
                    "id": "L1", "address": "a", "city": "b", "country": "DEU", "evse_uid": "1", "evse_id": "2",
                    "coordinates": { "latitude": "48.1", "longitude": "9.1" }, "connector_id": "1",
                    "connector_standard": "IEC_62196_T2", "connector_format": "CABLE",
                    "connector_power_type": "AC_3_PHASE"
                },
                "currency": "EUR",
                "tariffs": [],
                "charging_periods": [],
                "total_cost": { "excl_vat": cost, "incl_vat": cost },
                "total_energy": energy,
                "total_time": serde_json::Number::from(1),
                "total_parking_time": null,
                "credit": credit,
                "last_updated": "2026-01-01T01:00:00Z",
                "extra": {}
            }))
            .unwrap()
        };
        let mut totals = Totals::default();
        for cdr in [cdr("10", "4.50", false), cdr("10", "-4.50", true), cdr("8", "3.60", false)] {
            totals.add(&cdr).unwrap();
        }
        assert_eq!((totals.cdrs, totals.charges, totals.energy_kwh), (3, 1, 8.into()));
        let euros = totals.costs.get("EUR").unwrap();
        assert_eq!(euros.excl_vat, "3.60".parse().unwrap());
    }
}
