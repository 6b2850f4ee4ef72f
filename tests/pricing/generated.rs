//! Tariffs with every restriction, and charges by them, for what holds for all.
//!
//! Energies flow in whole tenths of a Wh a second and times are whole seconds, so that every threshold is passed at a whole
//! millisecond and nothing is rounded but what is published.

use super::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Tenths of a Wh a second, 0.36 kW each; all divide 1,000.
const RATES: [i64; 10] = [1, 4, 10, 20, 25, 40, 50, 100, 250, 500];
const TIMES: [&str; 9] = ["00:00", "02:00", "02:30", "03:00", "08:30", "10:17", "12:00", "18:00", "22:00"];
const DATES: [&str; 6] = ["2026-01-14", "2026-01-15", "2026-03-29", "2026-04-05", "2026-10-25", "2026-10-26"];
const DAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
pub(super) const ZONES: [Tz; 5] = [
    chrono_tz::Europe::Amsterdam,
    chrono_tz::UTC,
    chrono_tz::Asia::Kathmandu,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::America::St_Johns,
];

/// What restrictions of a generated tariff may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looks {
    pub(super) clock: bool,
    pub(super) energy: bool,
    pub(super) power: bool,
}

pub(super) const EVERYTHING: Looks = Looks { clock: true, energy: true, power: true };

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn some(wanted: bool, values: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    let given = proptest::option::weighted(0.2, select(values));
    given.prop_map(move |one| one.filter(|_| wanted).map(|text| json!(text)))
}

fn numbers(wanted: bool, values: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    let given = proptest::option::weighted(0.2, select(values));
    given.prop_map(move |one| one.filter(|_| wanted).map(number))
}

fn restrictions(looks: Looks) -> impl Strategy<Value = Value> {
    let days = proptest::option::weighted(0.2, subsequence(&DAYS[..], 1..6));
    let clock = (
        some(looks.clock, &TIMES),
        some(looks.clock, &TIMES),
        some(looks.clock, &DATES),
        some(looks.clock, &DATES),
        days.prop_map(move |days| days.filter(|_| looks.clock).map(|days| json!(days))),
    );
    const KWH: [&str; 6] = ["0.5", "2", "5.5", "10", "20", "35"];
    const KW: [&str; 5] = ["3.6", "7.2", "11", "18", "36"];
    const A: [&str; 3] = ["16", "32", "63"];
    const SECONDS: [&str; 6] = ["60", "300", "1800", "3601", "7200", "20000"];
    let amounts = (
        numbers(looks.energy, &KWH),
        numbers(looks.energy, &KWH),
        numbers(looks.power, &KW),
        numbers(looks.power, &KW),
        numbers(looks.power, &A),
        numbers(looks.power, &A),
        numbers(true, &SECONDS),
        numbers(true, &SECONDS),
    );
    (clock, amounts).prop_map(|(clock, amounts)| {
        let fields = [
            ("start_time", clock.0),
            ("end_time", clock.1),
            ("start_date", clock.2),
            ("end_date", clock.3),
            ("day_of_week", clock.4),
            ("min_kwh", amounts.0),
            ("max_kwh", amounts.1),
            ("min_power", amounts.2),
            ("max_power", amounts.3),
            ("min_current", amounts.4),
            ("max_current", amounts.5),
            ("min_duration", amounts.6),
            ("max_duration", amounts.7),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect())
    })
}

fn components(steps: &'static [u32]) -> impl Strategy<Value = Vec<Value>> {
    let kinds = subsequence(&["ENERGY", "TIME", "PARKING_TIME", "FLAT"][..], 1..=4);
    let vat = proptest::option::weighted(0.7, select(&["0", "5.5", "19", "20"][..]));
    (kinds, prop::array::uniform4((0_i64..200_000, vat, select(steps)))).prop_map(|(kinds, of)| {
        let one = |(kind, (price, vat, step)): (&str, (i64, Option<&str>, u32))| {
            let price = number(&Decimal::new(price, 4).to_string());
            let mut one = json!({"type": kind, "price": price, "step_size": step});
            if let Some(vat) = vat {
                one["vat"] = number(vat);
            }
            one
        };
        kinds.into_iter().zip(of).map(one).collect()
    })
}

fn bound() -> impl Strategy<Value = Option<Value>> {
    let price = (0_i64..60, proptest::option::of(0_i64..80)).prop_map(|(excl, incl)| {
        let mut price = json!({"excl_vat": excl});
        if let Some(incl) = incl {
            price["incl_vat"] = json!(incl);
        }
        price
    });
    proptest::option::weighted(0.2, price)
}

const STEPS: [u32; 7] = [0, 1, 60, 300, 500, 900, 3600];

pub(super) fn tariffs_that_look_at(looks: Looks, steps: &'static [u32]) -> impl Strategy<Value = Tariff> {
    let element = (components(steps), restrictions(looks)).prop_map(
        |(components, restrictions)| json!({"price_components": components, "restrictions": restrictions}),
    );
    let included = select(vec![Value::Null, json!("NO"), json!("YES"), json!("N/A")]);
    (prop::collection::vec(element, 1..6), bound(), bound(), included).prop_map(
        |(elements, min, max, included)| {
            tariff(
                &json!({"elements": elements, "min_price": min, "max_price": max, "tax_included": included}),
            )
        },
    )
}

pub(super) fn tariffs() -> impl Strategy<Value = Tariff> {
    tariffs_that_look_at(EVERYTHING, &STEPS)
}

/// One tariff, or two between which a charge may change.
pub(super) fn lists() -> impl Strategy<Value = Vec<Tariff>> {
    prop::collection::vec(tariffs(), 1..3).prop_map(|mut list| {
        for (at, tariff) in list.iter_mut().enumerate() {
            tariff.id = format!("T{at}").as_str().into();
        }
        list
    })
}

/// What a vehicle does for some seconds.
#[derive(Debug, Clone, Copy)]
struct Leg {
    seconds: i64,
    rate: i64,
    charging: bool,
    tariff: u16,
    current: Option<i64>,
}

fn legs(back: bool) -> impl Strategy<Value = Vec<Leg>> {
    let rates: Vec<i64> =
        RATES.into_iter().chain([0, 0]).chain(if back { vec![-4, -50, -100] } else { vec![] }).collect();
    let leg = (
        0_i64..9000,
        select(rates),
        any::<bool>(),
        0_u16..2,
        proptest::option::of(select(&[6, 16, 20, 32, 40][..])),
    )
        .prop_map(|(seconds, rate, charging, tariff, current)| Leg {
            seconds,
            rate,
            charging,
            tariff,
            current,
        });
    prop::collection::vec(leg, 1..8)
}

/// Zone and progress; every step is measured. Days with a change of the clocks are among them.
fn charge_of(back: bool) -> impl Strategy<Value = (Tz, Vec<Progress>)> {
    let starts = vec![
        "2026-01-13T22:00:00Z",
        "2026-01-14T07:00:00Z",
        "2026-03-28T20:00:00Z",
        "2026-04-04T10:00:00Z",
        "2026-10-24T19:00:00Z",
        "2026-10-25T20:00:00Z",
    ];
    (select(&ZONES[..]), select(starts), 0_i64..36_000, legs(back)).prop_map(|(zone, start, offset, legs)| {
        let mut at = Timestamp::parse(start).unwrap().millis() + offset * 1000;
        let mut energy = 0;
        let mut progress = Vec::new();
        let mut say = |at: i64, energy: i64, leg: &Leg, current: Option<i64>| {
            let activity = if leg.charging { Activity::Charging } else { Activity::Parking };
            let kwh = Kwh::parse(Decimal::new(energy, 4)).unwrap();
            let measured = Progress::measured(moment(at), kwh, activity);
            progress.push(Progress { tariff: leg.tariff, current_a: current.map(Decimal::from), ..measured });
        };
        say(at, 0, &legs[0], legs[0].current);
        for (n, leg) in legs.iter().enumerate() {
            at += leg.seconds * 1000;
            energy += leg.rate * leg.seconds;
            say(at, energy, legs.get(n + 1).unwrap_or(leg), leg.current);
        }
        (zone, progress)
    })
}

pub(super) fn charges() -> impl Strategy<Value = (Tz, Vec<Progress>)> {
    charge_of(false)
}

/// In which energy may be fed back.
pub(super) fn charges_both_ways() -> impl Strategy<Value = (Tz, Vec<Progress>)> {
    charge_of(true)
}

/// Of any millisecond and Wh.
pub(super) fn uneven_charges() -> impl Strategy<Value = (Tz, Vec<Progress>)> {
    let one = (1_i64..10_800_000, 0_i64..400_000, any::<bool>(), proptest::option::of(6_i64..64));
    (select(&ZONES[..]), any::<u32>(), prop::collection::vec(one, 1..12)).prop_map(|(zone, offset, steps)| {
        let (mut at, mut tenths) = (START + i64::from(offset), 0);
        let mut progress = vec![Progress::measured(moment(at), Kwh::ZERO, Activity::Charging)];
        for (millis, energy, charging, current) in steps {
            at += millis;
            tenths += energy;
            let activity = if charging { Activity::Charging } else { Activity::Parking };
            let mut one =
                Progress::measured(moment(at), Kwh::parse(Decimal::new(tenths, 4)).unwrap(), activity);
            one.current_a = current.map(Decimal::from);
            progress.push(one);
        }
        (zone, progress)
    })
}

/// With the places of the tariffs that there are.
pub(super) fn within(list: &[Tariff], progress: &[Progress]) -> Vec<Progress> {
    let last = u16::try_from(list.len()).unwrap() - 1;
    progress.iter().map(|one| Progress { tariff: one.tariff.min(last), ..*one }).collect()
}
