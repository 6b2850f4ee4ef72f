//! A CDR as a row of an export.
//!
//! The columns are a promise to whoever reads the files: new ones are added at the end, none changes its
//! meaning. Amounts have the digits of the CDR, unrounded. Energy is in kWh, times in hours, moments in UTC.

use crate::db::cdrs::NumberedCdr;
use crate::domain::cdr::Cdr;
use crate::domain::tariff::Price;
use crate::domain::{CiString, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::ser::{Error as _, SerializeMap, Serializer};

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
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
    pub(super) fn to_csv(&self) -> String {
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
pub(super) struct Row(pub(super) Vec<(&'static str, Cell)>);

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

/// The energy that counts in a sum: a credit CDR takes that of its original off, though OCPI leaves it positive there
/// (2.2.1 mod_cdrs, "Credit CDRs": only `total_cost` is negative).
pub(super) fn net_energy(cdr: &Cdr) -> Decimal {
    let energy = cdr.total_energy.decimal();
    if cdr.credit == Some(true) { -energy } else { energy }
}

/// The columns, in their order. `docs/export.md` tells what each means.
pub(super) fn row_of(numbered: &NumberedCdr) -> Row {
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
        ("net_energy_kwh", Cell::Number(Some(net_energy(cdr)))),
    ])
}

/// The headings of the columns.
pub const COLUMNS: [&str; 47] = [
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
    "net_energy_kwh",
];

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
}
