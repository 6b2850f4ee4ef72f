//! What holds for every tariff and every charge.

use super::*;
use proptest::prelude::*;
use roamwatt::pricing::Rounding;

/// A decimal with up to `digits` digits and `scale` decimals.
fn number(digits: u32, scale: std::ops::RangeInclusive<u32>) -> impl Strategy<Value = Decimal> {
    let largest = 10_i128.pow(digits);
    (-largest..=largest, scale).prop_map(|(n, scale)| Decimal::from_i128_with_scale(n, scale))
}

fn positive(largest: i64, scale: u32) -> impl Strategy<Value = String> {
    (0..=largest).prop_map(move |n| Decimal::new(n, scale).to_string())
}

fn components() -> impl Strategy<Value = Vec<Value>> {
    let dimension = prop_oneof![Just("ENERGY"), Just("TIME"), Just("PARKING_TIME"), Just("FLAT")];
    let vat = proptest::option::of(positive(3000, 2));
    let one = (dimension, positive(2_000_000, 4), vat, 0_u32..2000).prop_map(
        |(dimension, price, vat, step_size)| {
            let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let mut one = json!({"type": dimension, "price": number(&price), "step_size": step_size});
            if let Some(vat) = vat {
                one["vat"] = number(&vat);
            }
            one
        },
    );
    prop::collection::vec(one, 1..5)
}

fn bound() -> impl Strategy<Value = Option<Value>> {
    let price = (0_i64..9000, proptest::option::of(0_i64..9000)).prop_map(|(excl, incl)| {
        let mut price = json!({"excl_vat": excl});
        if let Some(incl) = incl {
            price["incl_vat"] = json!(incl);
        }
        price
    });
    proptest::option::weighted(0.2, price)
}

fn tariffs() -> impl Strategy<Value = Tariff> {
    (prop::collection::vec(components(), 1..4), bound(), bound()).prop_map(|(elements, min, max)| {
        let elements: Vec<Value> = elements.into_iter().map(|c| json!({"price_components": c})).collect();
        tariff(&json!({"elements": elements, "min_price": min, "max_price": max}))
    })
}

/// Any charge: steps of up to three hours and 40 kWh, in Wh and milliseconds.
fn charges() -> impl Strategy<Value = Vec<Progress>> {
    let one = (0_i64..10_800_000, 0_i64..40_000, any::<bool>());
    prop::collection::vec(one, 1..30).prop_map(|steps| {
        let (mut at, mut wh) = (0, 0);
        let mut progress = vec![step(0, "0", Activity::Charging)];
        for (millis, energy, charging) in steps {
            at += millis;
            wh += energy;
            let activity = if charging { Activity::Charging } else { Activity::Parking };
            progress.push(step(at, &Decimal::new(wh, 3).to_string(), activity));
        }
        progress
    })
}

proptest! {
    #[test]
    fn exact_lines_add_up_to_the_exact_and_to_the_published_total(tariff in tariffs(), charge in charges()) {
        let explanation = price_all(&ready(&tariff), ZONE, &charge).unwrap().explain(&ready(&tariff)).unwrap();
        let cost = &explanation.cost;
        let exact = sums(&explanation, |kind| kind != LineKind::Rounding);
        prop_assert_eq!(exact, (cost.exact_excl_vat, cost.exact_incl_vat));
        let published = sums(&explanation, |_| true);
        prop_assert_eq!(published.0, Exact::from_money(cost.total.excl_vat).unwrap());
        if let Some(incl) = cost.total.incl_vat {
            prop_assert_eq!(published.1, Exact::from_money(incl).unwrap());
        }
        // Rounded once: each published amount is its own exact value, rounded.
        for (kinds, price) in [
            ([LineKind::Flat, LineKind::Flat], &cost.fixed),
            ([LineKind::Energy, LineKind::EnergyStep], &cost.energy),
            ([LineKind::Time, LineKind::TimeStep], &cost.time),
            ([LineKind::Parking, LineKind::ParkingStep], &cost.parking),
        ] {
            let part = sums(&explanation, |of| kinds.contains(&of));
            let rounded = |exact: Exact| exact.round(2, Rounding::HalfUp).unwrap();
            let excl = price.as_ref().map_or(money("0.00"), |price| price.excl_vat);
            prop_assert_eq!(excl, rounded(part.0));
            if let Some(incl) = price.as_ref().and_then(|price| price.incl_vat) {
                prop_assert_eq!(incl, rounded(part.1));
            }
        }
    }

    #[test]
    fn step_by_step_with_the_state_stored_between_is_the_same_as_all_at_once(
        tariff in tariffs(), charge in charges(),
    ) {
        let mut running = RunningCost::start(&ready(&tariff), ZONE, charge[0]).unwrap();
        for next in &charge[1..] {
            let stored = serde_json::to_string(&running).unwrap();
            running = serde_json::from_str(&stored).unwrap();
            running.advance(&ready(&tariff), *next).unwrap();
        }
        prop_assert_eq!(running, price_all(&ready(&tariff), ZONE, &charge).unwrap());
    }

    #[test]
    fn statuses_that_say_nothing_new_change_nothing(tariff in tariffs(), charge in charges()) {
        let mut dense = Vec::new();
        for pair in charge.windows(2) {
            dense.push(pair[0]);
            let between = (pair[0].at.millis() + pair[1].at.millis()) / 2;
            dense.push(Progress::seen(moment(between), pair[0].activity));
        }
        dense.push(*charge.last().unwrap());
        let sparse = price_all(&ready(&tariff), ZONE, &charge).unwrap();
        prop_assert_eq!(sparse, price_all(&ready(&tariff), ZONE, &dense).unwrap());
    }

    #[test]
    fn volumes_of_the_periods_add_up_to_the_totals(charge in charges()) {
        let running = price_all(&free(), ZONE, &charge).unwrap();
        let cost = running.cost(&free()).unwrap();
        let sum = |kind: &str| -> Decimal {
            let periods = running.periods(&free()).unwrap();
            let all = periods.iter().flat_map(|period| &period.dimensions);
            all.filter(|d| d.dimension.as_str() == kind).map(|d| d.volume).sum()
        };
        prop_assert_eq!(sum("ENERGY"), cost.total_energy.decimal());
        prop_assert_eq!(sum("PARKING_TIME"), cost.total_parking_time);
        prop_assert_eq!(sum("TIME") + sum("PARKING_TIME"), cost.total_time);
        let periods = running.periods(&free()).unwrap();
        prop_assert!(periods.iter().all(|p| p.dimensions.iter().all(|d| d.volume.scale() <= 4)));
        prop_assert!(periods.windows(2).all(|two| two[0].start_date_time <= two[1].start_date_time));
    }

    /// An independent computation in whole numbers: prices in 1/10000, Wh, ms, VAT in percent.
    #[test]
    fn totals_are_those_of_whole_numbers(
        prices in prop::array::uniform4(0_i64..1_000_000), vat in 0_i64..30,
        wh in 0_i64..200_000, charging in 1_i64..50_000, parking in 1_i64..50_000,
    ) {
        let price = |n: usize| Decimal::new(prices[n], 4).to_string();
        let (p, vat_text) = ([price(0), price(1), price(2), price(3)], vat.to_string());
        let vat_text = Some(vat_text.as_str());
        let tariff = simple(&[
            ("FLAT", &p[0], vat_text, 1), ("ENERGY", &p[1], vat_text, 1),
            ("TIME", &p[2], vat_text, 1), ("PARKING_TIME", &p[3], vat_text, 1),
        ]);
        let energy = Decimal::new(wh, 3).to_string();
        let progress = [
            step(0, "0", Activity::Charging),
            step(charging * 1000, &energy, Activity::Parking),
            step((charging + parking) * 1000, &energy, Activity::Parking),
        ];
        let cost = price_all(&ready(&tariff), ZONE, &progress).unwrap()
            .cost(&ready(&tariff)).unwrap();
        // In 1/(10000 × 3600 × 1000) of the currency's unit.
        let of = |n: usize, seconds_or_wh: i64| i128::from(prices[n]) * i128::from(seconds_or_wh);
        let exact = of(0, 3_600_000) + of(1, wh) * 3600 + of(2, charging) * 1000 + of(3, parking) * 1000;
        let cents = |amount: i128, unit: i128| Decimal::from_i128_with_scale((amount * 2 + unit) / (unit * 2), 2);
        let unit = 100 * 3600 * 1000;
        prop_assert_eq!(cost.total.excl_vat.decimal(), cents(exact, unit));
        let with_vat = exact * i128::from(100 + vat);
        prop_assert_eq!(cost.total.incl_vat.unwrap().decimal(), cents(with_vat, unit * 100));
    }

    #[test]
    fn no_magnitude_makes_it_panic(
        prices in prop::collection::vec(number(9, 0..=0).boxed().prop_union(number(21, 12..=12).boxed()), 4),
        vat in number(28, 0..=28), step_size in any::<u32>(),
        energies in prop::collection::vec(number(21, 12..=12), 1..6),
        times in prop::collection::vec(any::<i64>(), 6),
        decimals in proptest::option::of(any::<u8>()),
    ) {
        let components: Vec<Value> = ["FLAT", "ENERGY", "TIME", "PARKING_TIME"].iter().zip(&prices)
            .map(|(dimension, price)| {
                let number = |d: &Decimal| serde_json::from_str::<Value>(&d.to_string()).unwrap();
                json!({"type": dimension, "price": number(price), "step_size": step_size})
            })
            .collect();
        let bounds = json!({"excl_vat": -5, "incl_vat": 1_000_000_000});
        let mut tariff = tariff(&json!({
            "elements": [{"price_components": components}], "min_price": bounds, "max_price": bounds,
        }));
        for component in &mut tariff.elements[0].price_components {
            component.vat = Some(vat);
        }
        let mut times: Vec<Timestamp> = times.into_iter()
            .map(|t| Timestamp::from_millis(t % 8_000_000_000_000_000).unwrap()).collect();
        times.sort();
        let progress: Vec<Progress> = times.iter().zip(&energies).enumerate().map(|(n, (&at, &energy))| {
            let activity = if n % 2 == 0 { Activity::Charging } else { Activity::Parking };
            Progress { current_a: Some(energy), ..Progress::measured(at, Kwh::parse(energy).unwrap(), activity) }
        }).collect();
        let policy = PricingPolicy { decimals, rounding: Rounding::HalfEven, ..PricingPolicy::default() };
        let Ok(tariffs) = Tariffs::new([&tariff], policy) else { return Ok(()) };
        let Ok(running) = price_all(&tariffs, ZONE, &progress) else { return Ok(()) };
        prop_assert!(!running.periods(&tariffs).unwrap().is_empty());
        let later = moment(times[times.len() - 1].millis() + 3_600_000);
        let _ = running.highest_cost(&tariffs, later, energies[0]);
        if let Ok(explanation) = running.explain(&tariffs) {
            prop_assert_eq!(explanation.cost.total_energy.decimal(), running.energy().decimal() - energies[0]);
        }
    }
}
