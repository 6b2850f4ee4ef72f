//! Tariffs (mod_tariffs of OCPI 2.1.1, 2.2.1 and 2.3.0).

use super::place::{Fields, Notes, Place, shorten};
use super::price::{currency, optional, price};
use super::restrictions::{restrictions, word};
use super::{OcpiVersion, Readable};
use crate::domain::party::PartyId;
use crate::domain::tariff::{
    Price, PriceComponent, Tariff, TariffDimension, TariffElement, TariffType, TaxIncluded,
};
use crate::domain::{CiString, Timestamp};
use crate::pricing::Finding;
use chrono::DateTime;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a tariff for pricing.
///
/// An owner that is missing is read as `ZZ*ZZZ`, which is no country, a missing id as an empty one, and a
/// missing time of change as 1970.
///
/// # Errors
/// With everything for which it cannot be priced.
pub fn tariff(json: &Value, version: OcpiVersion) -> Result<Readable<Tariff>, Vec<Finding>> {
    let mut notes = Notes::default();
    let read = read(&Place::root(json), version, None, &mut notes);
    Readable::or_errors(read, notes)
}

/// Reads the tariff at a place; within a CDR its owner is that of the CDR unless it says another.
pub(super) fn read(
    place: &Place<'_>,
    version: OcpiVersion,
    of_cdr: Option<&PartyId>,
    notes: &mut Notes,
) -> Option<Tariff> {
    let fields = place.object(notes)?;
    let currency = fields.required("currency", notes).and_then(|place| currency(&place, notes));
    let elements = elements(&fields, version, notes);
    let tax_included = tax_included(&fields, version, notes);
    let min_price = limit(&fields, "min_price", version, notes);
    let max_price = limit(&fields, "max_price", version, notes);
    let start_date_time = fields.get("start_date_time").map(|place| place.time(notes));
    let end_date_time = fields.get("end_date_time").map(|place| place.time(notes));
    let party = owner(&fields, of_cdr, notes);
    let last_updated = last_updated(&fields, notes);
    let id = fields.get("id").and_then(|place| lenient(&place, notes, Place::text)).unwrap_or_default();
    let (min_price, max_price) = (min_price?, max_price?);
    warn_of_limits(&fields, min_price.as_ref(), max_price.as_ref(), notes);
    Some(Tariff {
        party: party?,
        id: CiString::new(id),
        currency: currency?,
        tariff_type: fields.get("type").and_then(|place| tariff_type(&place, notes)),
        tariff_alt_text: described(&fields, "tariff_alt_text", notes),
        tariff_alt_url: described(&fields, "tariff_alt_url", notes),
        tax_included: tax_included?,
        min_price,
        max_price,
        elements: elements?,
        start_date_time: optional(start_date_time)?,
        end_date_time: optional(end_date_time)?,
        energy_mix: described(&fields, "energy_mix", notes),
        last_updated,
        extra: rest(&fields, version),
    })
}

/// Fields not known, and limits that are no prices of this version.
fn rest(fields: &Fields<'_>, version: OcpiVersion) -> crate::domain::Extra {
    let mut known = vec![
        "country_code",
        "party_id",
        "id",
        "currency",
        "type",
        "tariff_alt_text",
        "tariff_alt_url",
        "elements",
        "start_date_time",
        "end_date_time",
        "energy_mix",
        "last_updated",
    ];
    known.extend((version == OcpiVersion::V2_3_0).then_some("tax_included"));
    let prices = |name: &&str| fields.get(name).is_some_and(|place| counts(&place, version));
    known.extend(["min_price", "max_price"].into_iter().filter(prices));
    fields.rest(&known)
}

fn elements(fields: &Fields<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<Vec<TariffElement>> {
    let place = fields.required("elements", notes)?;
    let entries = place.list(notes)?;
    if entries.is_empty() {
        notes.error(&place.path, "has no element: at least one is wanted");
        return None;
    }
    let read: Vec<Option<TariffElement>> =
        entries.iter().map(|entry| element(entry, version, notes)).collect();
    read.into_iter().collect()
}

fn element(place: &Place<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<TariffElement> {
    let fields = place.object(notes)?;
    let found = fields.get("restrictions").map(|place| restrictions(&place, version, notes));
    let entries = fields.required("price_components", notes).and_then(|place| place.list(notes));
    let components: Vec<Option<PriceComponent>> =
        entries.as_ref()?.iter().map(|entry| component(entry, version, notes)).collect();
    if components.is_empty() {
        notes.warn(fields.path_of("price_components"), "has no component: the element prices nothing");
    }
    Some(TariffElement {
        price_components: components.into_iter().collect::<Option<_>>()?,
        restrictions: optional(found)?,
        extra: fields.rest(&["price_components", "restrictions"]),
    })
}

fn component(place: &Place<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<PriceComponent> {
    let fields = place.object(notes)?;
    let dimension = fields.required("type", notes).and_then(|place| dimension(&place, notes));
    let price = fields.required("price", notes).and_then(|place| place.money(notes));
    // 2.1.1 has prices without VAT and no place for a rate (mod_tariffs, 4.2 "PriceComponent").
    let knows_vat = version != OcpiVersion::V2_1_1;
    let vat = fields.get("vat");
    if let Some(vat) = vat.as_ref().filter(|_| !knows_vat) {
        notes.warn(&vat.path, "is no field of OCPI 2.1.1: prices are without VAT, and none is computed");
    }
    let percent = (Decimal::ZERO, Decimal::ONE_HUNDRED);
    let vat = vat
        .filter(|_| knows_vat)
        .map(|place| place.number_within(percent, "a percentage from 0 to 100", notes));
    let step_size = match fields.get("step_size") {
        Some(place) => place.whole::<u32>(notes),
        None => {
            if dimension.as_ref().is_some_and(|dimension| *dimension != TariffDimension::Flat) {
                notes.warn(fields.path_of("step_size"), "is missing: read as 1");
            }
            Some(1)
        }
    };
    let mut known = vec!["type", "price", "step_size"];
    known.extend(knows_vat.then_some("vat"));
    Some(PriceComponent {
        dimension: dimension?,
        price: price?,
        vat: optional(vat)?,
        step_size: step_size?,
        extra: fields.rest(&known),
    })
}

fn dimension(place: &Place<'_>, notes: &mut Notes) -> Option<TariffDimension> {
    let text = place.text(notes)?;
    let word = word(&text, TariffDimension::WORDS, place, notes);
    let dimension = TariffDimension::from(word.as_str());
    if !dimension.is_known() {
        let known = "ENERGY, FLAT, PARKING_TIME or TIME";
        notes.warn(&place.path, format!("'{}' is none of {known}: it is not priced", shorten(&text)));
    }
    Some(dimension)
}

/// Whether taxes are in the prices (2.3.0 mod_tariffs, "TaxIncluded"). It is required there; the examples of the
/// specification leave it out within CDRs, and what is missing means that taxes come on top, as before 2.3.0.
fn tax_included(fields: &Fields<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<Option<TaxIncluded>> {
    let place = fields.get("tax_included");
    if version != OcpiVersion::V2_3_0 {
        if let Some(place) = place {
            let reason = format!("is no field of OCPI {version}: prices are read as without VAT");
            notes.warn(&place.path, reason);
        }
        return Some(None);
    }
    let Some(place) = place else {
        notes.warn(fields.path_of("tax_included"), "is missing: read as NO, prices without taxes");
        return Some(None);
    };
    let text = place.text(notes)?;
    let word = word(&text, TaxIncluded::WORDS, &place, notes);
    let included = TaxIncluded::from(word.as_str());
    if !included.is_known() {
        notes.error(&place.path, format!("'{}' is none of YES, NO and N/A", shorten(&text)));
        return None;
    }
    Some(Some(included))
}

/// Whether a limit is a price of this version: 2.1.1 has no limits (mod_tariffs, 3.1), and later a plain number
/// is none.
fn counts(place: &Place<'_>, version: OcpiVersion) -> bool {
    version != OcpiVersion::V2_1_1 && !matches!(place.value, Value::Number(_) | Value::String(_))
}

fn limit(fields: &Fields<'_>, name: &str, version: OcpiVersion, notes: &mut Notes) -> Option<Option<Price>> {
    let Some(place) = fields.get(name) else { return Some(None) };
    if counts(&place, version) {
        return optional(Some(price(&place, version, notes)));
    }
    let reason = match version {
        OcpiVersion::V2_1_1 => "is no field of OCPI 2.1.1: it does not limit the price".to_owned(),
        OcpiVersion::V2_2_1 => {
            "is a plain number: it does not limit the price; {\"excl_vat\": …} is wanted".to_owned()
        }
        OcpiVersion::V2_3_0 => {
            "is a plain number: it does not limit the price; {\"before_taxes\": …} is wanted".to_owned()
        }
    };
    notes.warn(&place.path, reason);
    Some(None)
}

fn warn_of_limits(fields: &Fields<'_>, min: Option<&Price>, max: Option<&Price>, notes: &mut Notes) {
    if let (Some(min), Some(max)) = (min, max)
        && min.excl_vat > max.excl_vat
    {
        let reason = format!("is {}, above max_price {}", min.excl_vat, max.excl_vat);
        notes.warn(fields.path_of("min_price"), reason);
    }
}

fn tariff_type(place: &Place<'_>, notes: &mut Notes) -> Option<TariffType> {
    let text = lenient(place, notes, Place::text)?;
    let kind = TariffType::from(text.as_str());
    if !kind.is_known() {
        notes.warn(&place.path, format!("'{}' is no type of tariff that is known", shorten(&text)));
    }
    Some(kind)
}

/// The owner, of whom no price depends.
pub(super) fn owner(fields: &Fields<'_>, of_cdr: Option<&PartyId>, notes: &mut Notes) -> Option<PartyId> {
    let text = |name: &str| fields.get(name).and_then(|place| place.value.as_str().map(str::to_owned));
    if let (Some(country_code), Some(party_id)) = (text("country_code"), text("party_id")) {
        match PartyId::new(&country_code, &party_id) {
            Ok(party) => return Some(party),
            Err(error) => notes.warn(&fields.path, format!("{error}: read as no owner")),
        }
    }
    if let Some(party) = of_cdr {
        return Some(party.clone());
    }
    match PartyId::new("ZZ", "ZZZ") {
        Ok(party) => Some(party),
        Err(error) => {
            notes.error(&fields.path, error.to_string());
            None
        }
    }
}

/// When it was last changed, on which no price depends.
fn last_updated(fields: &Fields<'_>, notes: &mut Notes) -> Timestamp {
    let at = fields.get("last_updated").and_then(|place| lenient(&place, notes, Place::time));
    at.unwrap_or_else(|| Timestamp::new(DateTime::UNIX_EPOCH))
}

/// Reads what no price depends on: what is wrong with it is a warning.
pub(super) fn lenient<'a, T>(
    place: &Place<'a>,
    notes: &mut Notes,
    read: impl FnOnce(&Place<'a>, &mut Notes) -> Option<T>,
) -> Option<T> {
    let mut own = Notes::default();
    let value = read(place, &mut own);
    notes.warnings.append(&mut own.warnings);
    notes.warnings.append(&mut own.errors);
    value
}

/// A field for drivers, left out where it cannot be understood.
fn described<T: DeserializeOwned>(fields: &Fields<'_>, name: &str, notes: &mut Notes) -> Option<T> {
    let place = fields.get(name)?;
    match serde_json::from_value(place.value.clone()) {
        Ok(value) => Some(value),
        Err(error) => {
            notes.warn(&place.path, format!("left out, since {error}"));
            None
        }
    }
}
