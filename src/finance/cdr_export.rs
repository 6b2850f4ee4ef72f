//! CDRs as rows for spreadsheets and accounting: CSV, or JSON Lines with the same columns.
//!
//! The columns are a promise to whoever reads the files: new ones are added at the end, none changes its
//! meaning. Amounts have the digits of the CDR, unrounded. Energy is in kWh, times in hours, moments in UTC.

use crate::db::cdrs::{self, CdrFilter, NumberedCdr};
use crate::db::{Db, DbError};
use crate::domain::cdr::Cdr;
use crate::domain::tariff::Price;
use crate::domain::{CiString, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::ser::{Error as _, SerializeMap, Serializer};
use std::collections::BTreeMap;
use std::io::{self, Write};

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
    /// With VAT; a CDR to which no VAT applies counts with its amount without.
    pub incl_vat: Decimal,
}

impl Totals {
    fn add(&mut self, cdr: &Cdr) -> Option<()> {
        self.cdrs += 1;
        // A credit CDR takes its CDR back and says so in the cost alone (OCPI 2.2.1 mod_cdrs, "credit").
        let energy = cdr.total_energy.decimal();
        let taken_back = cdr.credit == Some(true);
        self.energy_kwh = self.energy_kwh.checked_add(if taken_back { -energy } else { energy })?;
        let costs = self.costs.entry(cdr.currency.clone()).or_default();
        let excl_vat = cdr.total_cost.excl_vat.decimal();
        let incl_vat = cdr.total_cost.incl_vat.map_or(excl_vat, |amount| amount.decimal());
        costs.excl_vat = costs.excl_vat.checked_add(excl_vat)?;
        costs.incl_vat = costs.incl_vat.checked_add(incl_vat)?;
        Some(())
    }
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(Option<String>),
    Number(Option<Decimal>),
    Time(Timestamp),
    Flag(bool),
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(Some(text.into()))
    }
    fn maybe(text: Option<&CiString>) -> Self {
        Self::Text(text.map(ToString::to_string))
    }

    /// For CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it: texts come
    /// from partners.
    fn to_csv(&self) -> String {
        match self {
            Self::Text(Some(text)) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
                format!("'{text}")
            }
            Self::Text(text) => text.clone().unwrap_or_default(),
            Self::Number(number) => number.map(|number| number.to_string()).unwrap_or_default(),
            Self::Time(at) => at.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Number(Some(number)) => {
                let exact: serde_json::Number = number.to_string().parse().map_err(S::Error::custom)?;
                exact.serialize(serializer)
            }
            Self::Number(None) => serializer.serialize_none(),
            Self::Time(at) => at.serialize(serializer),
            Self::Flag(flag) => flag.serialize(serializer),
        }
    }
}

/// A row with its headings.
struct Row(Vec<(&'static str, Cell)>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in &self.0 {
            map.serialize_entry(name, cell)?;
        }
        map.end()
    }
}

fn excl(price: Option<&Price>) -> Cell {
    Cell::Number(price.map(|price| price.excl_vat.decimal()))
}

fn incl(price: Option<&Price>) -> Cell {
    Cell::Number(price.and_then(|price| price.incl_vat).map(|amount| amount.decimal()))
}

/// The columns, in their order. `docs/export.md` tells what each means.
fn row_of(numbered: &NumberedCdr) -> Row {
    let NumberedCdr { seq: _, partner_id, cdr } = numbered;
    let (token, place) = (&cdr.cdr_token, &cdr.cdr_location);
    let tariffs: Vec<&str> = cdr.tariffs.iter().map(|tariff| tariff.id.as_str()).collect();
    Row(vec![
        ("direction", Cell::text(if partner_id.is_some() { "received" } else { "issued" })),
        ("country_code", Cell::text(cdr.party.country_code())),
        ("party_id", Cell::text(cdr.party.party_id())),
        ("id", Cell::text(cdr.id.as_str())),
        ("session_id", Cell::maybe(cdr.session_id.as_ref())),
        ("start_date_time", Cell::Time(cdr.start_date_time)),
        ("end_date_time", Cell::Time(cdr.end_date_time)),
        ("token_country_code", Cell::Text(token.party.as_ref().map(|party| party.country_code().to_owned()))),
        ("token_party_id", Cell::Text(token.party.as_ref().map(|party| party.party_id().to_owned()))),
        ("token_uid", Cell::text(token.uid.as_str())),
        ("token_type", Cell::text(token.token_type.as_str())),
        ("contract_id", Cell::text(token.contract_id.as_str())),
        ("auth_method", Cell::text(cdr.auth_method.as_str())),
        ("authorization_reference", Cell::maybe(cdr.authorization_reference.as_ref())),
        ("location_id", Cell::text(place.id.as_str())),
        ("location_name", Cell::Text(place.name.clone())),
        ("address", Cell::text(place.address.as_str())),
        ("postal_code", Cell::Text(place.postal_code.clone())),
        ("city", Cell::text(place.city.as_str())),
        ("country", Cell::text(place.country.as_str())),
        ("evse_uid", Cell::text(place.evse_uid.as_str())),
        ("evse_id", Cell::text(place.evse_id.as_str())),
        ("connector_id", Cell::text(place.connector_id.as_str())),
        ("meter_id", Cell::Text(cdr.meter_id.clone())),
        ("tariff_ids", Cell::text(tariffs.join(" "))),
        ("total_energy_kwh", Cell::Number(Some(cdr.total_energy.decimal()))),
        ("total_time_hours", Cell::Number(Some(cdr.total_time))),
        ("total_parking_time_hours", Cell::Number(cdr.total_parking_time)),
        ("currency", Cell::text(cdr.currency.as_str())),
        ("total_cost_excl_vat", excl(Some(&cdr.total_cost))),
        ("total_cost_incl_vat", incl(Some(&cdr.total_cost))),
        ("fixed_cost_excl_vat", excl(cdr.total_fixed_cost.as_ref())),
        ("fixed_cost_incl_vat", incl(cdr.total_fixed_cost.as_ref())),
        ("energy_cost_excl_vat", excl(cdr.total_energy_cost.as_ref())),
        ("energy_cost_incl_vat", incl(cdr.total_energy_cost.as_ref())),
        ("time_cost_excl_vat", excl(cdr.total_time_cost.as_ref())),
        ("time_cost_incl_vat", incl(cdr.total_time_cost.as_ref())),
        ("parking_cost_excl_vat", excl(cdr.total_parking_cost.as_ref())),
        ("parking_cost_incl_vat", incl(cdr.total_parking_cost.as_ref())),
        ("reservation_cost_excl_vat", excl(cdr.total_reservation_cost.as_ref())),
        ("reservation_cost_incl_vat", incl(cdr.total_reservation_cost.as_ref())),
        ("credit", Cell::Flag(cdr.credit.unwrap_or(false))),
        ("credit_reference_id", Cell::maybe(cdr.credit_reference_id.as_ref())),
        ("invoice_reference_id", Cell::maybe(cdr.invoice_reference_id.as_ref())),
        ("remark", Cell::Text(cdr.remark.clone())),
        ("last_updated", Cell::Time(cdr.last_updated)),
    ])
}

/// The headings of the columns.
pub const COLUMNS: [&str; 46] = [
    "direction",
    "country_code",
    "party_id",
    "id",
    "session_id",
    "start_date_time",
    "end_date_time",
    "token_country_code",
    "token_party_id",
    "token_uid",
    "token_type",
    "contract_id",
    "auth_method",
    "authorization_reference",
    "location_id",
    "location_name",
    "address",
    "postal_code",
    "city",
    "country",
    "evse_uid",
    "evse_id",
    "connector_id",
    "meter_id",
    "tariff_ids",
    "total_energy_kwh",
    "total_time_hours",
    "total_parking_time_hours",
    "currency",
    "total_cost_excl_vat",
    "total_cost_incl_vat",
    "fixed_cost_excl_vat",
    "fixed_cost_incl_vat",
    "energy_cost_excl_vat",
    "energy_cost_incl_vat",
    "time_cost_excl_vat",
    "time_cost_incl_vat",
    "parking_cost_excl_vat",
    "parking_cost_incl_vat",
    "reservation_cost_excl_vat",
    "reservation_cost_incl_vat",
    "credit",
    "credit_reference_id",
    "invoice_reference_id",
    "remark",
    "last_updated",
];

/// Writes the CDRs of a filter in the order of their creation, never holding more than a batch of them, and
/// calls `progress` with the number written since the last call.
///
/// # Errors
/// When the database or the output fails; what is written until then is no whole export.
pub async fn export_cdrs(
    db: &Db,
    filter: CdrFilter,
    format: ExportFormat,
    out: impl Write,
    mut progress: impl FnMut(u64),
) -> Result<Totals, ExportError> {
    let mut sheet = Sheet::begin(format, out)?;
    let mut totals = Totals::default();
    let mut place = 0;
    loop {
        let (filter, from) = (filter.clone(), place);
        let batch = db.read(move |conn| cdrs::after(conn, &filter, from, BATCH)).await?;
        let Some(last) = batch.last() else { break };
        place = last.seq;
        for numbered in &batch {
            totals.add(&numbered.cdr).ok_or(ExportError::Range)?;
            sheet.write(&row_of(numbered))?;
        }
        progress(u64::try_from(batch.len()).unwrap_or(u64::MAX));
    }
    sheet.finish()?;
    Ok(totals)
}

/// The file that is being written.
enum Sheet<W: Write> {
    Csv(Box<csv::Writer<W>>),
    JsonLines(io::BufWriter<W>),
}

impl<W: Write> Sheet<W> {
    fn begin(format: ExportFormat, out: W) -> io::Result<Self> {
        Ok(match format {
            ExportFormat::Csv => {
                let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
                writer.write_record(COLUMNS).map_err(into_io)?;
                Self::Csv(Box::new(writer))
            }
            ExportFormat::JsonLines => Self::JsonLines(io::BufWriter::new(out)),
        })
    }

    fn write(&mut self, row: &Row) -> io::Result<()> {
        match self {
            Self::Csv(writer) => {
                writer.write_record(row.0.iter().map(|(_, cell)| cell.to_csv())).map_err(into_io)
            }
            Self::JsonLines(writer) => {
                serde_json::to_writer(&mut *writer, row)?;
                writer.write_all(b"\n")
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush(),
            Self::JsonLines(mut writer) => writer.flush(),
        }
    }
}

/// The error of the output itself, so that a reader that has gone is seen as that.
fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula() {
        assert_eq!(Cell::text("=1+1").to_csv(), "'=1+1");
        assert_eq!(Cell::text("Straße 1").to_csv(), "Straße 1");
        assert_eq!(Cell::Number(Some("-1.50".parse().unwrap())).to_csv(), "-1.50");
    }

    #[test]
    fn json_keeps_every_digit_and_the_order() {
        let row = Row(vec![
            ("b", Cell::Number(Some("1.50".parse().unwrap()))),
            ("a", Cell::Number(None)),
            ("c", Cell::Flag(true)),
        ]);
        assert_eq!(serde_json::to_string(&row).unwrap(), "{\"b\":1.50,\"a\":null,\"c\":true}");
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
        assert_eq!((totals.cdrs, totals.energy_kwh), (3, 8.into()));
        let euros = totals.costs.get("EUR").unwrap();
        assert_eq!(euros.excl_vat, "3.60".parse().unwrap());
    }
}
