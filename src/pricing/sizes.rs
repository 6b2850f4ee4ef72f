//! Tests that a charge costs the same in numbers of either size, wherever the small ones have room for it.

use super::cost::Cost;
use super::select::Slot;
use super::tariffs::Tariffs;
use super::usage::{Ledger, Usage};
use super::{PricingPolicy, Rounding, WrappedDays};
use crate::domain::tariff::Tariff;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A number as JSON has it.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

type Component = (&'static str, &'static str, Option<&'static str>, u32);

fn component((dimension, price, vat, step): Component) -> Value {
    let mut one = json!({"type": dimension, "price": number(price), "step_size": step});
    if let Some(vat) = vat {
        one["vat"] = number(vat);
    }
    one
}

/// `min_price` or `max_price`.
fn limit(texts: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    let one = (select(texts), proptest::option::of(select(texts)));
    proptest::option::of(one.prop_map(|(excl, incl)| match incl {
        Some(incl) => json!({"excl_vat": number(excl), "incl_vat": number(incl)}),
        None => json!({"excl_vat": number(excl)}),
    }))
}

fn tariff(
    prices: &'static [&'static str],
    vats: &'static [&'static str],
    steps: &'static [u32],
    taxes: &'static [&'static str],
) -> impl Strategy<Value = Tariff> {
    let dimension = select(&["ENERGY", "TIME", "PARKING_TIME", "FLAT"][..]);
    let one = (dimension, select(prices), proptest::option::of(select(vats)), select(steps));
    let parts = (
        proptest::collection::vec(one, 1..=4),
        limit(prices),
        limit(prices),
        proptest::option::of(select(taxes)),
        select(&["EUR", "JPY", "KWD"][..]),
    );
    parts.prop_map(|(components, min, max, tax, currency)| {
        let components: Vec<Value> = components.into_iter().map(component).collect();
        serde_json::from_value(json!({
            "party": {"country_code": "DE", "party_id": "ROA"},
            "id": "T",
            "currency": currency,
            "min_price": min,
            "max_price": max,
            "tax_included": tax,
            "elements": [{"price_components": components}],
            "last_updated": "2026-01-01T00:00:00Z",
            "extra": {},
        }))
        .unwrap()
    })
}

fn policy() -> impl Strategy<Value = PricingPolicy> {
    let rounding = select(&[Rounding::HalfUp, Rounding::HalfEven, Rounding::Down][..]);
    (rounding, proptest::option::weighted(0.3, 0..=13_u8)).prop_map(|(rounding, decimals)| PricingPolicy {
        rounding,
        decimals,
        wrapped_days: WrappedDays::default(),
    })
}

/// A component of one of two tariffs with four at the most; it need not be there.
fn slot() -> impl Strategy<Value = Slot> {
    (0..2_u16, 0..4_u16).prop_map(|(tariff, component)| Slot { tariff, component })
}

fn usage(amounts: impl Strategy<Value = i128>) -> impl Strategy<Value = Usage> {
    let used = proptest::collection::vec((slot(), amounts), 0..4);
    (used, 0..3_i128).prop_map(|(used, slack)| {
        let mut usage = Usage { slack, ..Usage::default() };
        for (slot, amount) in used {
            // A sum without room is left out.
            let _ = usage.add(Some(slot), amount);
        }
        usage
    })
}

fn ledger(
    energy: impl Strategy<Value = i128> + Clone,
    time: impl Strategy<Value = i128> + Clone,
) -> impl Strategy<Value = Ledger> {
    let parts = (
        usage(energy.clone()),
        usage(time.clone()),
        usage(time.clone()),
        usage(time.clone()),
        proptest::option::of(slot()),
        proptest::option::weighted(0.3, slot()),
        (energy, time.clone(), time.clone(), time),
    );
    parts.prop_map(|(energy, time, parking, reservation, flat, reservation_flat, totals)| Ledger {
        energy,
        time,
        parking,
        reservation,
        flat,
        reservation_flat,
        total_energy: totals.0,
        charging: totals.1,
        parked: totals.2,
        reserved: totals.3,
    })
}

const PRICES: [&str; 8] = ["0", "0.25", "0.49", "1", "0.3299", "6.00", "10.0000", "0.0001"];
const ODD_PRICES: [&str; 8] = [
    "-0.35",
    "1000000000",
    "-1000000000",
    "0.000000000001",
    "123456789.987654321",
    "0.333333333333",
    "7",
    "0.5",
];

/// Amounts as meters and clocks tell them: tenths of a Wh up to a megawatt-hour either way, and milliseconds of a month.
fn metered() -> impl Strategy<Value = i128> + Clone {
    (-10_000_000..10_000_000_i64).prop_map(|tenths| i128::from(tenths * 100_000_000))
}

fn clocked() -> impl Strategy<Value = i128> + Clone {
    (0..2_592_000_000_i64).prop_map(|millis| i128::from(millis * 1_000_000_000))
}

/// Anything, of every magnitude.
fn anything() -> impl Strategy<Value = i128> + Clone {
    let edges = [0, 1, -1, i64::MAX.into(), i64::MIN.into(), i128::MAX, i128::MIN];
    let round = (any::<i32>(), 0..20_u32);
    prop_oneof![
        (any::<i128>(), 0..127_u32).prop_map(|(value, bits)| value >> bits),
        round.prop_map(|(value, zeros)| i128::from(value).saturating_mul(10_i128.saturating_pow(zeros))),
        select(edges.to_vec()),
    ]
}

/// All of a cost, to the digits that are written, beside the exact totals: one amount can be more than one fraction.
fn written(cost: &Cost) -> String {
    let parts = [Some(&cost.total), cost.fixed.as_ref(), cost.energy.as_ref(), cost.time.as_ref()];
    let others = [cost.parking.as_ref(), cost.reservation.as_ref()];
    let times = [cost.total_time, cost.total_parking_time, cost.total_reservation_time];
    format!("{parts:?} {others:?} {:?} {times:?} {:?}", cost.total_energy, cost.warnings)
}

fn same(small: &Cost, large: &Cost) -> Result<(), TestCaseError> {
    prop_assert_eq!(written(small), written(large));
    prop_assert_eq!(small.exact_excl_vat, large.exact_excl_vat);
    prop_assert_eq!(small.exact_incl_vat, large.exact_incl_vat);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_priced_every_day_fits_into_the_small_numbers(
        list in proptest::collection::vec(tariff(&PRICES, &["0", "7", "19", "8.1"], &[0, 1, 60, 100], &["NO"]), 1..=2),
        policy in policy(),
        ledger in ledger(metered(), clocked()),
    ) {
        let tariffs = Tariffs::new(&list, policy).unwrap();
        let Ok(large) = ledger.cost_in::<i128>(&tariffs) else { return Ok(()) };
        // Nobody asks for so many decimals of what costs thousands.
        if tariffs.decimals <= 4 {
            same(&ledger.cost_in::<i64>(&tariffs).unwrap(), &large)?;
        }
        same(&ledger.cost(&tariffs).unwrap(), &large)?;
    }

    #[test]
    fn the_small_numbers_say_what_the_large_ones_say_or_nothing(
        list in proptest::collection::vec(
            prop_oneof![
                tariff(&PRICES, &["7", "19", "8.1"], &[0, 1, 60, 100], &["YES", "NO", "N/A"]),
                tariff(&ODD_PRICES, &["0", "100", "0.0001", "33.333333"], &[1, 7, u32::MAX], &["YES", "NO"]),
            ],
            1..=2,
        ),
        policy in policy(),
        ledger in ledger(
            prop_oneof![metered(), anything()],
            prop_oneof![clocked(), anything()],
        ),
    ) {
        let tariffs = Tariffs::new(&list, policy).unwrap();
        let large = ledger.cost_in::<i128>(&tariffs);
        if let Ok(small) = ledger.cost_in::<i64>(&tariffs) {
            same(&small, large.as_ref().unwrap())?;
        }
        prop_assert_eq!(ledger.cost(&tariffs), large);
    }

    /// Beside extremes an amount alone seldom stays small: here all of a charge is of one magnitude.
    #[test]
    fn gross_prices_cost_the_same_in_both(
        list in proptest::collection::vec(tariff(&PRICES, &["7", "19", "8.1", "20"], &[1, 60], &["YES"]), 1..=2),
        policy in policy(),
        ledger in ledger(metered(), clocked()),
    ) {
        let tariffs = Tariffs::new(&list, policy).unwrap();
        let large = ledger.cost_in::<i128>(&tariffs);
        if let Ok(small) = ledger.cost_in::<i64>(&tariffs) {
            same(&small, large.as_ref().unwrap())?;
        }
    }
}
