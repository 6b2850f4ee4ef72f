//! No number that a tariff, a meter or a CDR may have makes pricing panic.

use super::both_ways::*;
use super::*;
use proptest::prelude::*;
use roamwatt::domain::charging_period::ChargingPeriod;
use roamwatt::domain::tariff::TariffRestrictions;
use roamwatt::pricing::{CdrToPrice, StatedCharge};

fn any_decimal() -> impl Strategy<Value = Decimal> {
    let large = (-(1_i128 << 96) + 1..1_i128 << 96, 0_u32..=28);
    let small = (-10_000_i128..10_000, 0_u32..=12);
    prop_oneof![large, small].prop_map(|(n, scale)| Decimal::from_i128_with_scale(n, scale))
}

fn any_kwh() -> impl Strategy<Value = Kwh> {
    any_decimal().prop_filter_map("in range", |value| Kwh::parse(value.round_dp(12)).ok())
}

fn any_money() -> impl Strategy<Value = Money> {
    any_decimal().prop_filter_map("in range", |value| Money::parse(value.round_dp(12)).ok())
}

fn any_moment() -> impl Strategy<Value = i64> {
    prop_oneof![-8_000_000_000_000_000_i64..8_000_000_000_000_000, START..START + 86_400_000]
}

fn any_restrictions() -> impl Strategy<Value = TariffRestrictions> {
    let seconds = || proptest::option::of(prop_oneof![any::<u64>(), 0_u64..100_000]);
    let time = || proptest::option::of(prop_oneof![Just("00:00"), Just("23:59"), Just("12:30"), Just("9")]);
    let date =
        || proptest::option::of(prop_oneof![Just("0001-01-01"), Just("9999-12-31"), Just("2026-01-14")]);
    let decimal = || proptest::option::of(any_decimal());
    let numbers =
        (decimal(), decimal(), decimal(), decimal(), proptest::option::of(any_kwh()), seconds(), seconds());
    (numbers, time(), time(), date(), date()).prop_map(
        |(numbers, start_time, end_time, start_date, end_date)| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            TariffRestrictions {
                start_time: owned(start_time),
                end_time: owned(end_time),
                start_date: owned(start_date),
                end_date: owned(end_date),
                min_power: numbers.0,
                max_power: numbers.1,
                min_current: numbers.2,
                max_current: numbers.3,
                min_kwh: numbers.4,
                min_duration: numbers.5,
                max_duration: numbers.6,
                ..TariffRestrictions::default()
            }
        },
    )
}

fn any_tariff() -> impl Strategy<Value = Tariff> {
    let element = (any_restrictions(), prop::array::uniform4(any_money()), any_decimal(), any::<u32>());
    (prop::collection::vec(element, 1..4), any_money(), any_money()).prop_map(|(elements, min, max)| {
        let mut whole = simple(&[
            ("ENERGY", "1", None, 1),
            ("TIME", "1", None, 1),
            ("PARKING_TIME", "1", None, 1),
            ("FLAT", "1", None, 1),
        ]);
        let pattern = whole.elements[0].clone();
        whole.elements = elements
            .into_iter()
            .map(|(restrictions, prices, vat, step)| {
                let mut element = pattern.clone();
                element.restrictions = Some(restrictions);
                for (component, price) in element.price_components.iter_mut().zip(prices) {
                    (component.price, component.vat, component.step_size) = (price, Some(vat), step);
                }
                element
            })
            .collect();
        let bound =
            |excl_vat| Some(Price { excl_vat, incl_vat: Some(max), extra: serde_json::Map::default() });
        (whole.min_price, whole.max_price) = (bound(min), bound(max));
        whole
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1000), ..ProptestConfig::default() })]

    #[test]
    fn no_charge_makes_it_panic(
        tariff in any_tariff(), times in prop::collection::vec(any_moment(), 2..6),
        energies in prop::collection::vec(proptest::option::of(any_kwh()), 6),
        currents in prop::collection::vec(proptest::option::of(any_decimal()), 6),
        power in any_decimal(), ahead in 0_i64..10_000_000_000, charging in any::<bool>(),
    ) {
        let Ok(tariffs) = Tariffs::new([&tariff], PricingPolicy::default()) else { return Ok(()) };
        let mut times = times;
        times.sort_unstable();
        let progress: Vec<Progress> = times.iter().enumerate().map(|(n, at)| Progress {
            at: moment(*at),
            energy: energies[n],
            current_a: currents[n],
            activity: if charging == (n % 2 == 0) { Activity::Charging } else { Activity::Parking },
            tariff: 0,
        }).collect();
        let mut running = RunningCost::start(&tariffs, ZONE, progress[0]).unwrap();
        for next in &progress[1..] {
            let _ = running.advance(&tariffs, *next);
            let _ = running.cost(&tariffs);
            let _ = running.explain(&tariffs);
            let _ = running.periods(&tariffs);
        }
        // Further ahead it is an error, after a while.
        if times[times.len() - 1] - times[0] < 86_400_000 {
            let _ = running.highest_cost(&tariffs, moment(times[times.len() - 1] + ahead), power);
        }
    }

    #[test]
    fn no_cdr_makes_it_panic(
        tariff in any_tariff(), times in prop::collection::vec(any_moment(), 2..6),
        volumes in prop::collection::vec(prop::array::uniform6(any_decimal()), 6),
    ) {
        let mut times = times;
        times.sort_unstable();
        let words = ["ENERGY", "TIME", "PARKING_TIME", "RESERVATION_TIME", "MIN_POWER", "MAX_CURRENT"];
        let periods: Vec<ChargingPeriod> = times.iter().zip(&volumes).map(|(at, volumes)| {
            let mut whole = period(moment(*at), &words.map(|word| (word, "1")));
            for (n, (one, volume)) in whole.dimensions.iter_mut().zip(volumes).enumerate() {
                one.volume = if (1..4).contains(&n) { volume.abs() } else { *volume };
            }
            whole
        }).collect();
        let list = [tariff];
        let (start, end) = (moment(times[0]), moment(times[times.len() - 1]));
        let cdr = CdrToPrice { start, end, zone: ZONE, tariffs: &list, periods: &periods };
        let Ok(tariffs) = Tariffs::new(&list, PricingPolicy::default()) else { return Ok(()) };
        let Ok(stated) = StatedCharge::new(&cdr) else { return Ok(()) };
        let _ = stated.cost(&tariffs);
        let _ = stated.explain(&tariffs);
        let _ = stated.warnings(&tariffs);
    }
}
