//! Prices and currencies, which every version writes in another way.

use super::OcpiVersion;
use super::place::{Fields, Notes, Place, shorten};
use crate::domain::Money;
use crate::domain::tariff::Price;
use iso_currency::Currency;
use serde_json::Value;

/// A currency code (ISO 4217), in capitals.
pub(super) fn currency(place: &Place<'_>, notes: &mut Notes) -> Option<String> {
    let text = place.text(notes)?;
    let code = text.trim().to_ascii_uppercase();
    if Currency::from_code(&code).is_none() {
        let text = shorten(&text);
        notes.error(&place.path, format!("'{text}' is no currency: an ISO 4217 code like EUR is wanted"));
        return None;
    }
    if code != text {
        notes.warn(&place.path, format!("'{}': read as {code}", shorten(&text)));
    }
    Some(code)
}

/// A price without and with VAT or taxes (types, "Price"; 2.3.0 mod_tariffs, "PriceLimit"). The objects of
/// every version are understood in every other, because the examples of the specifications mix them as well.
pub(super) fn price(place: &Place<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<Price> {
    let fields = place.object(notes)?;
    if let Some(before) = fields.get("before_taxes") {
        if version != OcpiVersion::V2_3_0 {
            notes.warn(&before.path, format!("is no field of OCPI {version}: read as in 2.3.0"));
        }
        return after_taxes(&fields, &before, notes);
    }
    let (net, gross) = match version {
        OcpiVersion::V2_3_0 if fields.get("excl_vat").is_none() => ("before_taxes", "after_taxes"),
        _ => ("excl_vat", "incl_vat"),
    };
    let excl_vat = fields.required(net, notes).and_then(|amount| amount.money(notes));
    let incl_vat = fields.get(gross).map(|amount| amount.money(notes));
    let extra = fields.rest(&["excl_vat", "incl_vat"]);
    Some(Price { excl_vat: excl_vat?, incl_vat: optional(incl_vat)?, extra })
}

/// `before_taxes` with either `after_taxes` (a limit of a tariff) or `taxes` (a cost of a CDR).
fn after_taxes(fields: &Fields<'_>, before: &Place<'_>, notes: &mut Notes) -> Option<Price> {
    let excl_vat = before.money(notes);
    let stated = fields.get("after_taxes").map(|amount| amount.money(notes));
    let taxes = fields.get("taxes").map(|taxes| sum_of_taxes(&taxes, notes));
    let (excl_vat, stated, taxes) = (excl_vat?, optional(stated)?, optional(taxes)?.flatten());
    let incl_vat = match (stated, taxes) {
        (Some(after), _) => Some(after),
        (None, Some(taxes)) => match excl_vat.plus(taxes) {
            Ok(after) => Some(after),
            Err(error) => {
                notes.error(fields.path_of("taxes"), error.to_string());
                return None;
            }
        },
        (None, None) => None,
    };
    Some(Price { excl_vat, incl_vat, extra: fields.rest(&["before_taxes", "after_taxes"]) })
}

/// All taxes together (2.3.0 types, "TaxAmount"); no entry means that no tax applies.
fn sum_of_taxes(place: &Place<'_>, notes: &mut Notes) -> Option<Option<Money>> {
    let entries = place.list(notes)?;
    let mut sum = Some(Money::ZERO);
    for entry in &entries {
        let amount = entry.object(notes).and_then(|tax| tax.required("amount", notes));
        let amount = amount.and_then(|amount| amount.money(notes));
        sum = match (sum, amount) {
            (Some(sum), Some(amount)) => match sum.plus(amount) {
                Ok(sum) => Some(sum),
                Err(error) => {
                    notes.error(&entry.path, error.to_string());
                    None
                }
            },
            _ => None,
        };
    }
    sum.map(|sum| (!entries.is_empty()).then_some(sum))
}

/// A cost that a CDR states. 2.1.1 has plain numbers without VAT (mod_cdrs, "CDR Object").
pub(super) fn stated(
    fields: &Fields<'_>,
    name: &str,
    version: OcpiVersion,
    notes: &mut Notes,
) -> Option<Price> {
    let place = fields.get(name)?;
    if place.value.is_object() {
        if version == OcpiVersion::V2_1_1 {
            notes.warn(&place.path, "is an object: OCPI 2.1.1 has a plain number here; read as in 2.2.1");
        }
        return price(&place, version, notes);
    }
    if version != OcpiVersion::V2_1_1 && matches!(place.value, Value::Number(_) | Value::String(_)) {
        notes.warn(&place.path, format!("is no price of OCPI {version}: read as an amount without VAT"));
    }
    let excl_vat = place.money(notes)?;
    Some(Price { excl_vat, incl_vat: None, extra: serde_json::Map::new() })
}

/// `None` where something was there and could not be read; otherwise what was there, if anything.
pub(super) fn optional<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}
