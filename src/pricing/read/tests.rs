//! What is read, what is refused with which words, and that nothing panics.

use super::*;
use crate::domain::tariff::{TariffDimension, TaxIncluded};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Numbers keep their digits only when they come from a text.
fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn said(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

/// A tariff of one energy price with the fields given besides.
fn tariff_with(fields: &str) -> Value {
    let mut whole = parse(
        r#"{"currency": "EUR", "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "step_size": 1}]}]}"#,
    );
    merge(&mut whole, fields);
    whole
}

fn merge(whole: &mut Value, fields: &str) {
    let more = parse(fields);
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
}

fn with_component(component: &str) -> Value {
    tariff_with(&format!(r#"{{"elements": [{{"price_components": [{component}]}}]}}"#))
}

fn with_restrictions(restrictions: &str) -> Value {
    tariff_with(&format!(
        r#"{{"elements": [{{"price_components": [{{"type": "ENERGY", "price": 1, "step_size": 1}}], "restrictions": {restrictions}}}]}}"#
    ))
}

fn errors_of(json: &Value) -> Vec<String> {
    said(&tariff(json, OcpiVersion::V2_2_1).unwrap_err())
}

fn warnings_of(json: &Value, version: OcpiVersion) -> Vec<String> {
    said(&tariff(json, version).unwrap().warnings)
}

/// A CDR of one hour with the fields given besides.
fn cdr_with(fields: &str) -> Value {
    let mut whole = parse(
        r#"{"currency": "EUR", "start_date_time": "2026-01-14T09:00:00Z", "end_date_time": "2026-01-14T10:00:00Z",
            "charging_periods": [{"start_date_time": "2026-01-14T09:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10}]}],
            "total_cost": {"excl_vat": 1, "incl_vat": 1.19}}"#,
    );
    merge(&mut whole, fields);
    whole
}

fn cdr_errors(json: &Value) -> Vec<String> {
    said(&cdr(json, OcpiVersion::V2_2_1).unwrap_err())
}

#[test]
fn versions_are_named_as_ocpi_names_them() {
    for version in OcpiVersion::ALL {
        assert_eq!(version.to_string().parse(), Ok(version));
    }
    let error = "2.2".parse::<OcpiVersion>().unwrap_err().to_string();
    assert_eq!(error, "'2.2' is no OCPI version that can be read: 2.1.1, 2.2.1 and 2.3.0 are");
}

#[test]
fn a_tariff_needs_no_more_than_its_prices() {
    let read = tariff(&tariff_with("{}"), OcpiVersion::V2_2_1).unwrap();
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    let tariff = read.value;
    assert_eq!((tariff.id.as_str(), tariff.currency.as_str()), ("", "EUR"));
    assert_eq!(tariff.party.to_string(), "ZZ*ZZZ");
    assert_eq!(tariff.elements[0].price_components[0].price.to_string(), "0.25");
    assert_eq!(tariff.last_updated.to_string(), "1970-01-01T00:00:00Z");
}

#[test]
fn every_error_is_told_with_its_place() {
    let json = parse(
        r#"{"currency": "EURO", "start_date_time": "2026-02-30T00:00:00Z", "elements": [
            {"price_components": [{"price": 1}, {"type": "ENERGY"}, {"type": "TIME", "price": "x", "step_size": -1}],
             "restrictions": {"start_time": "25:00", "end_date": "2026-02-30", "min_kwh": -1, "max_duration": -60}},
            {}]}"#,
    );
    assert_eq!(
        errors_of(&json),
        [
            "$.currency: 'EURO' is no currency: an ISO 4217 code like EUR is wanted",
            "$.elements[0].restrictions.start_time: is the text '25:00': a time of day like 08:30, 00:00 to 23:59, is wanted",
            "$.elements[0].restrictions.end_date: is the text '2026-02-30': a day of the calendar like 2026-01-31 is wanted",
            "$.elements[0].restrictions.min_kwh: is -1: an energy not below 0 is wanted",
            "$.elements[0].restrictions.max_duration: is -60: a number not below 0 is wanted",
            "$.elements[0].price_components[0].type: is missing",
            "$.elements[0].price_components[1].price: is missing",
            "$.elements[0].price_components[2].price: is the text 'x': a number is wanted",
            "$.elements[0].price_components[2].step_size: is -1: a number not below 0 is wanted",
            "$.elements[1].price_components: is missing",
            "$.start_date_time: '2026-02-30T00:00:00Z' is no time: a time like 2026-01-31T18:00:00Z is wanted",
        ]
    );
    assert_eq!(errors_of(&json!([])), ["$: is a list of 0: an object is wanted"]);
    assert_eq!(errors_of(&json!({})), ["$.currency: is missing", "$.elements: is missing"]);
    assert_eq!(
        errors_of(&tariff_with(r#"{"elements": []}"#)),
        ["$.elements: has no element: at least one is wanted"]
    );
}

#[test]
fn numbers_keep_their_digits() {
    let price = |text: &str| {
        let json = with_component(&format!(r#"{{"type": "ENERGY", "price": {text}, "step_size": 1}}"#));
        let read = tariff(&json, OcpiVersion::V2_2_1)?;
        let price = read.value.elements[0].price_components[0].price;
        Ok::<_, Vec<Finding>>((price.to_string(), said(&read.warnings)))
    };
    let plain = [
        ("0.2500", "0.2500"),
        ("2.5e-1", "0.25"),
        ("25E-2", "0.25"),
        ("1e2", "100"),
        ("0.123456789012", "0.123456789012"),
        ("-0.1", "-0.1"),
        ("0e5", "0"),
        ("0.00", "0.00"),
    ];
    for (text, wanted) in plain {
        assert_eq!(price(text).unwrap(), (wanted.to_owned(), Vec::new()), "{text}");
    }
    let place = "$.elements[0].price_components[0].price";
    assert_eq!(
        price("\"0.25\"").unwrap(),
        ("0.25".to_owned(), vec![format!("{place}: is the text '0.25': read as a number")])
    );
    assert_eq!(
        price("0.30000000000000004").unwrap(),
        (
            "0.3".to_owned(),
            vec![format!("{place}: 0.30000000000000004 has more than 12 decimals: read as 0.3")]
        )
    );
    let refused = [
        ("1e400", "1e+400 has more digits than can be computed with exactly"),
        ("\"1,5\"", "is the text '1,5': a number is wanted"),
        ("\"\"", "is an empty text: a number is wanted"),
        ("\"1.\"", "is the text '1.': a number is wanted"),
        ("\"NaN\"", "is the text 'NaN': a number is wanted"),
        ("true", "is true: a number is wanted"),
        ("2000000000", "amount 2000000000 is out of range: at most 1000000000 either way"),
    ];
    for (text, wanted) in refused {
        assert_eq!(said(&price(text).unwrap_err()), [format!("{place}: {wanted}")], "{text}");
    }
}

#[test]
fn steps_are_whole_numbers() {
    let step = |text: &str| {
        let json = with_component(&format!(r#"{{"type": "TIME", "price": 1, "step_size": {text}}}"#));
        let read = tariff(&json, OcpiVersion::V2_2_1)?;
        Ok::<_, Vec<Finding>>(read.value.elements[0].price_components[0].step_size)
    };
    assert_eq!((step("300"), step("300.0"), step("3e2"), step("0")), (Ok(300), Ok(300), Ok(300), Ok(0)));
    let place = "$.elements[0].price_components[0].step_size";
    let refused =
        [("0.5", "is 0.5: a whole number is wanted"), ("5000000000", "is 5000000000: that is too large")];
    for (text, wanted) in refused {
        assert_eq!(said(&step(text).unwrap_err()), [format!("{place}: {wanted}")]);
    }
    let missing = with_component(r#"{"type": "TIME", "price": 1}, {"type": "FLAT", "price": 1}"#);
    assert_eq!(warnings_of(&missing, OcpiVersion::V2_2_1), [format!("{place}: is missing: read as 1")]);
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let component = with_component(r#"{"type": "SESSION_TIME", "price": 1, "step_size": 1}"#);
    assert_eq!(
        warnings_of(&component, OcpiVersion::V2_2_1),
        [
            "$.elements[0].price_components[0].type: 'SESSION_TIME' is none of ENERGY, FLAT, PARKING_TIME or TIME: it is not priced"
        ]
    );
    let restrictions = with_restrictions(
        r#"{"colour": "red", "day_of_week": ["MONDAY", "CARNIVAL", "friday"], "min_kwh": 10, "max_kwh": 5, "reservation": null}"#,
    );
    let place = "$.elements[0].restrictions";
    assert_eq!(
        warnings_of(&restrictions, OcpiVersion::V2_2_1),
        [
            format!("{place}.colour: is no restriction of OCPI 2.2.1: the text 'red' cannot be followed"),
            format!("{place}.day_of_week[1]: 'CARNIVAL' is no day like MONDAY: it never matches"),
            format!("{place}.day_of_week[2]: 'friday': read as FRIDAY"),
            format!("{place}.min_kwh: is 10, above max_kwh 5: the element never matches"),
        ]
    );
    let clock = with_restrictions(r#"{"start_time": "08:30:00", "end_time": "24:00", "min_current": 6}"#);
    assert_eq!(
        warnings_of(&clock, OcpiVersion::V2_1_1),
        [
            format!("{place}.min_current: is no restriction of OCPI 2.1.1: read as in 2.2.1"),
            format!("{place}.start_time: '08:30:00': read as 08:30"),
            format!("{place}.end_time: '24:00': read as 00:00"),
        ]
    );
}

#[test]
fn limits_are_prices_of_their_version() {
    let plain = tariff_with(r#"{"max_price": 75}"#);
    for (version, reason) in [
        (OcpiVersion::V2_1_1, "is no field of OCPI 2.1.1: it does not limit the price"),
        (OcpiVersion::V2_2_1, "is a plain number: it does not limit the price; {\"excl_vat\": …} is wanted"),
        (
            OcpiVersion::V2_3_0,
            "is a plain number: it does not limit the price; {\"before_taxes\": …} is wanted",
        ),
    ] {
        let read = tariff(&plain, version).unwrap();
        assert_eq!(read.value.max_price, None);
        assert_eq!(read.value.extra["max_price"], json!(75));
        assert!(said(&read.warnings).contains(&format!("$.max_price: {reason}")), "{:?}", read.warnings);
    }
    let old = tariff_with(r#"{"tax_included": "NO", "min_price": {"excl_vat": 1.5, "incl_vat": 1.79}}"#);
    let new =
        tariff_with(r#"{"tax_included": "NO", "min_price": {"before_taxes": 1.5, "after_taxes": 1.79}}"#);
    for json in [&old, &new] {
        let read = tariff(json, OcpiVersion::V2_3_0).unwrap();
        assert!(read.warnings.is_empty(), "{:?}", read.warnings);
        let min = read.value.min_price.unwrap();
        assert_eq!(
            (min.excl_vat.to_string(), min.incl_vat.unwrap().to_string()),
            ("1.5".into(), "1.79".into())
        );
        assert_eq!(read.value.tax_included, Some(TaxIncluded::No));
    }
    assert_eq!(
        said(&tariff(&tariff_with(r#"{"min_price": {}}"#), OcpiVersion::V2_2_1).unwrap_err()),
        ["$.min_price.excl_vat: is missing"]
    );
}

#[test]
fn taxes_are_included_where_2_3_0_says_so() {
    let read = |fields| tariff(&tariff_with(fields), OcpiVersion::V2_3_0);
    let included = |fields| read(fields).unwrap().value.tax_included;
    assert_eq!(included(r#"{"tax_included": "YES"}"#), Some(TaxIncluded::Yes));
    assert_eq!(included(r#"{"tax_included": "N/A"}"#), Some(TaxIncluded::NotApplicable));
    assert_eq!(
        said(&read("{}").unwrap().warnings),
        ["$.tax_included: is missing: read as NO, prices without taxes"]
    );
    assert_eq!(
        said(&read(r#"{"tax_included": "MAYBE"}"#).unwrap_err()),
        ["$.tax_included: 'MAYBE' is none of YES, NO and N/A"]
    );
    let earlier = tariff(&tariff_with(r#"{"tax_included": "YES"}"#), OcpiVersion::V2_2_1).unwrap();
    assert_eq!(earlier.value.tax_included, None);
    assert_eq!(
        said(&earlier.warnings),
        ["$.tax_included: is no field of OCPI 2.2.1: prices are read as without VAT"]
    );
}

#[test]
fn vat_has_no_place_in_2_1_1() {
    let json = with_component(r#"{"type": "ENERGY", "price": 1, "vat": 19.0, "step_size": 1}"#);
    let vat = |version| tariff(&json, version).unwrap().value.elements[0].price_components[0].vat;
    assert_eq!((vat(OcpiVersion::V2_1_1), vat(OcpiVersion::V2_2_1)), (None, Some("19.0".parse().unwrap())));
    let odd = with_component(r#"{"type": "ENERGY", "price": 1, "vat": 190, "step_size": 1}"#);
    assert_eq!(
        errors_of(&odd),
        ["$.elements[0].price_components[0].vat: is 190: a percentage from 0 to 100 is wanted"]
    );
}

#[test]
fn a_cdr_is_read_in_each_version() {
    let read = cdr(&cdr_with(r#"{"id": 7, "credit": true, "total_time": 1}"#), OcpiVersion::V2_2_1).unwrap();
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    assert_eq!((read.value.id.as_str(), read.value.credit), ("7", true));
    assert_eq!(read.value.total_cost.unwrap().incl_vat.unwrap().to_string(), "1.19");
    assert_eq!(read.value.total_time.unwrap().to_string(), "1");

    let old = cdr_with(
        r#"{"end_date_time": null, "stop_date_time": "2026-01-14T10:00:00", "total_cost": 4.00,
            "location": {"time_zone": "Europe/Berlin"},
            "charging_periods": [{"start_date_time": "2026-01-14T09:00:00", "dimensions": [
                {"type": "FLAT", "volume": 1}, {"type": "MAX_CURRENT", "volume": 32}]}]}"#,
    );
    let read = cdr(&old, OcpiVersion::V2_1_1).unwrap();
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    assert_eq!(read.value.end.to_string(), "2026-01-14T10:00:00Z");
    assert_eq!(read.value.time_zone.as_deref(), Some("Europe/Berlin"));
    let total = read.value.total_cost.unwrap();
    assert_eq!((total.excl_vat.to_string(), total.incl_vat), ("4.00".to_owned(), None));

    let new = cdr_with(
        r#"{"total_cost": {"before_taxes": 4.00, "taxes": [{"name": "GST", "amount": 0.20}, {"name": "QST", "amount": 0.399}]}}"#,
    );
    let total = cdr(&new, OcpiVersion::V2_3_0).unwrap().value.total_cost.unwrap();
    assert_eq!(
        (total.excl_vat.to_string(), total.incl_vat.unwrap().to_string()),
        ("4.00".into(), "4.599".into())
    );
    assert!(total.extra.contains_key("taxes"));
    let none = cdr_with(r#"{"total_cost": {"before_taxes": 4.00, "taxes": []}}"#);
    assert_eq!(cdr(&none, OcpiVersion::V2_3_0).unwrap().value.total_cost.unwrap().incl_vat, None);
    let wrong = cdr_with(r#"{"total_cost": {"before_taxes": 4.00, "taxes": [{"name": "GST"}]}}"#);
    assert_eq!(
        said(&cdr(&wrong, OcpiVersion::V2_3_0).unwrap_err()),
        ["$.total_cost.taxes[0].amount: is missing"]
    );
}

#[test]
fn periods_come_in_the_order_of_time() {
    let periods = |list: &[(&str, &str)]| {
        let one = |(at, kwh): &(&str, &str)| {
            format!(
                r#"{{"start_date_time": "2026-01-14T{at}:00Z", "dimensions": [{{"type": "ENERGY", "volume": {kwh}}}]}}"#
            )
        };
        let list: Vec<String> = list.iter().map(one).collect();
        cdr_with(&format!(r#"{{"charging_periods": [{}]}}"#, list.join(",")))
    };
    let place = |at: usize| format!("$.charging_periods[{at}].start_date_time");
    assert_eq!(
        cdr_errors(&periods(&[("08:59", "1"), ("09:30", "1"), ("09:20", "1"), ("10:01", "1")])),
        [
            format!(
                "{}: is 2026-01-14T08:59:00Z, before the start of the session 2026-01-14T09:00:00Z",
                place(0)
            ),
            format!(
                "{}: is 2026-01-14T09:20:00Z, before the start of the period before it 2026-01-14T09:30:00Z",
                place(2)
            ),
            format!(
                "{}: is 2026-01-14T10:01:00Z, after the end of the session 2026-01-14T10:00:00Z",
                place(3)
            ),
        ]
    );
    assert_eq!(
        cdr_errors(&periods(&[("09:00", "1"), ("09:30", "1"), ("09:30", "1")])),
        [format!(
            "{}: is 2026-01-14T09:30:00Z, as in the period before it, which has amounts but no length",
            place(2)
        )]
    );
    let nothing = cdr(&periods(&[("09:00", "0"), ("09:00", "1"), ("10:00", "0")]), OcpiVersion::V2_2_1);
    assert!(nothing.unwrap().warnings.is_empty());
    let last = cdr(&periods(&[("09:00", "1"), ("10:00", "1")]), OcpiVersion::V2_2_1).unwrap();
    assert_eq!(
        said(&last.warnings),
        [format!("{}: is the end of the session: the period has amounts but no length", place(1))]
    );
}

#[test]
fn a_cdr_that_cannot_have_been_is_refused() {
    let json = cdr_with(
        r#"{"end_date_time": "2026-01-14T08:00:00Z", "cdr_location": {"time_zone": "Europe/Atlantis"}, "total_time": -1,
            "charging_periods": [{"start_date_time": "2026-01-14T09:00:00Z", "dimensions": [
                {"type": "ENERGY", "volume": -3}, {"type": "TIME", "volume": -1}, {"type": "PARKING_TIME", "volume": -1},
                {"type": "RESERVATION_TIME", "volume": -1}, {"type": "MOOD", "volume": 1}]}]}"#,
    );
    let volume = |at: usize| format!("$.charging_periods[0].dimensions[{at}].volume");
    assert_eq!(
        cdr_errors(&json),
        [
            "$.end_date_time: is 2026-01-14T08:00:00Z, before the start 2026-01-14T09:00:00Z".to_owned(),
            "$.cdr_location.time_zone: 'Europe/Atlantis' is no IANA time zone like Europe/Berlin".to_owned(),
            format!("{}: is -1: a number of hours not below 0 is wanted", volume(1)),
            format!("{}: is -1: a number of hours not below 0 is wanted", volume(2)),
            format!("{}: is -1: a number of hours not below 0 is wanted", volume(3)),
            "$.total_time: is -1: a number of hours not below 0 is wanted".to_owned(),
        ]
    );
    assert_eq!(
        cdr_errors(&json!({})),
        ["$.start_date_time: is missing", "$.end_date_time: is missing", "$.charging_periods: is missing"]
    );
    let unknown = cdr_with(
        r#"{"charging_periods": [{"start_date_time": "2026-01-14T09:00:00Z", "dimensions": [{"type": "FLAT", "volume": 1}]}]}"#,
    );
    assert_eq!(
        said(&cdr(&unknown, OcpiVersion::V2_2_1).unwrap().warnings),
        ["$.charging_periods[0].dimensions[0].type: 'FLAT' is no dimension that is known"]
    );
}

#[test]
fn a_tariff_within_a_cdr_says_where_it_is_wrong() {
    let json = cdr_with(
        r#"{"country_code": "BE", "party_id": "BEC", "tariffs": [{"currency": "CHF", "elements": [
            {"price_components": [{"type": "energy", "price": 1, "step_size": 1}]}]}, {"currency": "EUR"}]}"#,
    );
    assert_eq!(cdr_errors(&json), ["$.tariffs[1].elements: is missing"]);
    let mut one = json;
    one["tariffs"].as_array_mut().unwrap().pop();
    let read = cdr(&one, OcpiVersion::V2_2_1).unwrap();
    assert_eq!(read.value.tariffs[0].party.to_string(), "BE*BEC");
    assert_eq!(read.value.tariffs[0].elements[0].price_components[0].dimension, TariffDimension::Energy);
    assert_eq!(
        said(&read.warnings),
        [
            "$.tariffs[0].elements[0].price_components[0].type: 'energy': read as ENERGY",
            "$.tariffs[0].currency: is CHF, and the CDR is in EUR",
        ]
    );
}

/// Every name that is read anywhere, so that random objects get below the surface.
const NAMES: &[&str] = &[
    "currency",
    "elements",
    "price_components",
    "restrictions",
    "type",
    "price",
    "vat",
    "step_size",
    "min_price",
    "max_price",
    "excl_vat",
    "incl_vat",
    "before_taxes",
    "taxes",
    "amount",
    "start_time",
    "end_date",
    "min_kwh",
    "max_duration",
    "day_of_week",
    "reservation",
    "start_date_time",
    "end_date_time",
    "stop_date_time",
    "charging_periods",
    "dimensions",
    "volume",
    "tariffs",
    "total_cost",
    "total_time",
    "location",
    "time_zone",
    "tax_included",
    "credit",
    "tariff_alt_text",
    "energy_mix",
    "country_code",
    "party_id",
    "last_updated",
];
const TEXTS: &[&str] = &[
    "",
    "EUR",
    "ENERGY",
    "TIME",
    "24:00",
    "25:61",
    "2026-02-30",
    "2026-01-14T09:00:00Z",
    "1e999999999",
    "0.1e-30",
    "-0",
    "99999999999999999999999999999999999999999",
    "Europe/Berlin",
    "YES",
    "é:30",
    "MONDAY",
    "DE",
    "ABC",
];

fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        (any::<i64>(), -400_i32..400).prop_map(|(n, e)| parse(&format!("{n}e{e}"))),
        (any::<u32>(), any::<u64>()).prop_map(|(n, f)| parse(&format!("{n}.{f}"))),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        proptest::sample::select(TEXTS).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 8, |inner| {
        let names = proptest::sample::select(NAMES).prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((names, inner), 0..10)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A value with one place of it, chosen by `at`, replaced.
fn replace(value: &mut Value, at: &mut usize, with: &Value) -> bool {
    if *at == 0 {
        *value = with.clone();
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, at, with)),
        Value::Object(map) => map.values_mut().any(|item| replace(item, at, with)),
        _ => false,
    }
}

fn read_all(json: &Value) -> Result<(), TestCaseError> {
    for version in OcpiVersion::ALL {
        if let Err(errors) = tariff(json, version) {
            prop_assert!(!errors.is_empty(), "refused without a reason: {json}");
        }
        if let Err(errors) = cdr(json, version) {
            prop_assert!(!errors.is_empty(), "refused without a reason: {json}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_json_makes_reading_panic(json in any_json()) {
        read_all(&json)?;
    }

    #[test]
    fn one_bad_place_is_read_or_refused_with_a_reason(at in 0_usize..80, with in any_json()) {
        let mut whole = cdr_with(r#"{"total_time": 1, "total_energy": 10, "credit": false, "location": {"time_zone": "UTC"}}"#);
        whole["tariffs"] = json!([with_restrictions(
            r#"{"start_time": "08:00", "end_time": "20:00", "start_date": "2026-01-01", "min_kwh": 1, "max_duration": 60, "day_of_week": ["MONDAY"]}"#
        )]);
        let mut at = at;
        replace(&mut whole, &mut at, &with);
        read_all(&whole)?;
        let tariff = whole["tariffs"].get(0).cloned().unwrap_or_default();
        read_all(&tariff)?;
    }
}
