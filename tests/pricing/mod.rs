//! Pricing, as its callers see it: tariffs as JSON and the progress of a charge in, money out.

mod both_ways;
mod describe;
mod documented;
mod generated;
mod laws;
mod magnitudes;
mod naive;
mod popular;
mod properties;
mod read;
mod restrictions;
mod running;
mod spec_examples;
mod spec_steps;
mod spec_tariffs;
mod stored;

use chrono_tz::Tz;
use roamwatt::domain::tariff::{Price, Tariff};
use roamwatt::domain::{Kwh, Money, Timestamp};
use roamwatt::pricing::{
    Activity, Billed, Cost, Exact, Explanation, LineKind, PricingPolicy, Progress, RunningCost, Tariffs,
    price_all,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const ZONE: Tz = chrono_tz::Europe::Amsterdam;
/// 2026-01-14T09:00:00Z.
const START: i64 = 1_768_381_200_000;
const MINUTE: i64 = 60_000;

/// A tariff from the fields that matter here. Decimals may be written as JSON numbers, as on the wire.
fn tariff(fields: &Value) -> Tariff {
    let mut whole = json!({
        "party": {"country_code": "DE", "party_id": "ABC"},
        "id": "T1",
        "currency": "EUR",
        "last_updated": "2026-01-01T00:00:00Z",
        "extra": {},
    });
    for (name, value) in fields.as_object().unwrap() {
        whole[name] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

/// A tariff with one element; each component is type, price, VAT in percent and step.
fn simple(components: &[(&str, &str, Option<&str>, u32)]) -> Tariff {
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let components: Vec<Value> = components
        .iter()
        .map(|(dimension, price, vat, step)| {
            let mut one = json!({"type": dimension, "price": number(price), "step_size": step});
            if let Some(vat) = vat {
                one["vat"] = number(vat);
            }
            one
        })
        .collect();
    tariff(&json!({"elements": [{"price_components": components}]}))
}

fn step(millis: i64, kwh: &str, activity: Activity) -> Progress {
    Progress::measured(moment(START + millis), kwh.parse().unwrap(), activity)
}

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

/// A tariff made ready.
fn ready(tariff: &Tariff) -> Tariffs {
    Tariffs::new([tariff], PricingPolicy::default()).unwrap()
}

/// No tariff at all.
fn free() -> Tariffs {
    Tariffs::default()
}

/// Charges `kwh` in `charging` minutes, then parks for `parking` minutes.
fn charge(tariff: &Tariff, kwh: &str, charging: i64, parking: i64) -> RunningCost {
    let end = charging + parking;
    let mut progress =
        vec![step(0, "0", Activity::Charging), step(charging * MINUTE, kwh, Activity::Parking)];
    progress.push(step(end * MINUTE, kwh, Activity::Parking));
    price_all(&ready(tariff), ZONE, &progress).unwrap()
}

fn cost_of(tariff: &Tariff, kwh: &str, charging: i64, parking: i64) -> Cost {
    charge(tariff, kwh, charging, parking).cost(&ready(tariff)).unwrap()
}

fn explained(tariff: &Tariff, kwh: &str, charging: i64, parking: i64) -> Explanation {
    charge(tariff, kwh, charging, parking).explain(&ready(tariff)).unwrap()
}

/// How much of a kind is billed: what was used and what steps add.
fn billed(explanation: &Explanation, kinds: &[LineKind]) -> Decimal {
    let lines = explanation.lines.iter().filter(|line| kinds.contains(&line.kind));
    lines
        .map(|line| match line.quantity {
            Billed::Once => Decimal::ONE,
            Billed::Kwh(amount) | Billed::Seconds(amount) => amount,
        })
        .sum()
}

/// The lines of some kinds together, before and after VAT.
fn sums(explanation: &Explanation, wanted: impl Fn(LineKind) -> bool) -> (Exact, Exact) {
    let lines = explanation.lines.iter().filter(|line| wanted(line.kind));
    lines.fold((Exact::ZERO, Exact::ZERO), |(excl, incl), line| {
        (excl.plus(line.excl_vat).unwrap(), incl.plus(line.incl_vat).unwrap())
    })
}

/// An amount before and after VAT, as text with its decimals.
fn said(price: &Price) -> (String, Option<String>) {
    (price.excl_vat.to_string(), price.incl_vat.map(|after| after.to_string()))
}

/// A part of the cost, which has to be there.
fn part(price: &Option<Price>) -> (String, Option<String>) {
    said(price.as_ref().unwrap())
}

fn both(excl: &str, incl: &str) -> (String, Option<String>) {
    (excl.to_owned(), Some(incl.to_owned()))
}

fn without_vat(amount: &str) -> (String, Option<String>) {
    (amount.to_owned(), None)
}

fn money(amount: &str) -> Money {
    amount.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn kwh(text: &str) -> Kwh {
    text.parse().unwrap()
}
