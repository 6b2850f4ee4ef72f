//! What holds for every charge by tariffs with restrictions.

use super::both_ways::*;
use super::generated::*;
use super::*;
use proptest::prelude::*;
use roamwatt::domain::charging_period::{CdrDimensionType, ChargingPeriod};
use roamwatt::domain::tariff::TariffDimension;
use roamwatt::pricing::{Rounding, WrappedDays};

fn exact(cost: &Cost) -> (Decimal, Decimal) {
    let twelve = |exact: Exact| exact.round(12, Rounding::HalfUp).unwrap().decimal();
    (twelve(cost.exact_excl_vat), twelve(cost.exact_incl_vat))
}

fn by(policy: PricingPolicy, list: &[Tariff]) -> Tariffs {
    Tariffs::new(list, policy).unwrap()
}

fn cost(list: &[Tariff], zone: Tz, progress: &[Progress]) -> Cost {
    let tariffs = by(PricingPolicy::default(), list);
    price_all(&tariffs, zone, progress).unwrap().cost(&tariffs).unwrap()
}

/// An amount after VAT, or what is to be paid where there is none.
fn after(price: &Price) -> Money {
    price.incl_vat.unwrap_or(price.excl_vat)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), ..ProptestConfig::default() })]

    /// By the whole text, computed in another way.
    #[test]
    fn a_naive_reading_of_the_text_costs_the_same(
        list in lists(), (zone, progress) in charges_both_ways(), calendar in any::<bool>(),
    ) {
        let progress = within(&list, &progress);
        let wrapped_days = if calendar { WrappedDays::Calendar } else { WrappedDays::WindowStart };
        let policy = PricingPolicy { wrapped_days, ..PricingPolicy::default() };
        let tariffs = by(policy, &list);
        let found = price_all(&tariffs, zone, &progress).unwrap().cost(&tariffs).unwrap();
        let (excl, incl) = naive::price(&list, policy, zone, &progress);
        prop_assert_eq!(exact(&found), (excl.round(12), incl.round(12)));
        prop_assert_eq!(found.total.excl_vat.decimal(), excl.round(2));
    }

    /// What a partner finds who prices the periods of our CDR. Energy that is fed back is not among them: a period
    /// tells the sum, not the way.
    #[test]
    fn the_periods_cost_what_the_charge_costs(list in lists(), (zone, progress) in charges()) {
        both_ways(&list, zone, &within(&list, &progress));
    }

    /// Hours are told with four decimals, moments to the millisecond, energies to a tenth of a Wh.
    #[test]
    fn the_periods_cost_what_the_charge_costs_at_any_millisecond(
        tariff in tariffs(), (zone, progress) in uneven_charges(),
    ) {
        both_ways(&[tariff], zone, &progress);
    }

    #[test]
    fn lines_add_up_to_the_exact_and_the_published_total(list in lists(), (zone, progress) in charges_both_ways()) {
        let progress = within(&list, &progress);
        let tariffs = by(PricingPolicy::default(), &list);
        let running = price_all(&tariffs, zone, &progress).unwrap();
        let periods = running.periods(&tariffs).unwrap();
        let stated = stated_by(&list, zone, (progress[0].at, progress[progress.len() - 1].at), &periods);
        for explanation in [running.explain(&tariffs).unwrap(), stated.explain(&tariffs).unwrap()] {
            let cost = &explanation.cost;
            let lines = sums(&explanation, |kind| kind != LineKind::Rounding);
            prop_assert_eq!(lines, (cost.exact_excl_vat, cost.exact_incl_vat));
            let (excl, incl) = sums(&explanation, |_| true);
            prop_assert_eq!(excl, Exact::from_money(cost.total.excl_vat).unwrap());
            if let Some(after) = cost.total.incl_vat {
                prop_assert_eq!(incl, Exact::from_money(after).unwrap());
            }
        }
    }

    /// At a meter value inside of a period no component changes, so a period may as well begin there.
    #[test]
    fn a_period_that_is_split_where_nothing_changes_costs_the_same(list in lists(), (zone, progress) in charges()) {
        let progress = within(&list, &progress);
        let tariffs = by(PricingPolicy::default(), &list);
        let running = price_all(&tariffs, zone, &progress).unwrap();
        let periods = running.periods(&tariffs).unwrap();
        let ends = (progress[0].at, progress[progress.len() - 1].at);
        let whole = running.cost(&tariffs).unwrap();
        for one in &progress {
            let split = split_at(&periods, one, ends.1);
            prop_assert_eq!(&stated_by(&list, zone, ends, &split).cost(&tariffs).unwrap(), &whole);
        }
    }

    #[test]
    fn zones_matter_to_the_clock_alone(
        tariff in tariffs_that_look_at(Looks { clock: false, ..EVERYTHING }, &[1, 300]), (zone, progress) in charges(),
    ) {
        let list = [tariff];
        let progress = within(&list, &progress);
        let here = cost(&list, zone, &progress);
        for other in ZONES {
            prop_assert_eq!(&cost(&list, other, &progress), &here);
        }
    }

    /// Where the energy decides on no component and nothing is rounded up to steps: each kWh costs what it costs, and
    /// no price is negative.
    #[test]
    fn more_energy_in_the_same_periods_never_costs_less(
        tariff in tariffs_that_look_at(Looks { energy: false, power: false, clock: true }, &[0, 1]),
        (zone, progress) in charges(), more in prop::collection::vec(0_i64..5000, 10),
    ) {
        never_costs_less(tariff, zone, &progress, &more)?;
    }

    /// Steps round one component up: no cheaper one can take from what a dearer one would be billed for.
    #[test]
    fn more_energy_never_costs_less_by_one_component_with_any_step(
        tariff in tariffs_that_look_at(Looks { energy: false, power: false, clock: true }, &[0, 1, 25, 500, 1000]),
        (zone, progress) in charges(), more in prop::collection::vec(0_i64..5000, 10),
    ) {
        let mut tariff = tariff;
        let mut first = true;
        for element in &mut tariff.elements {
            element.price_components.retain(|one| {
                one.dimension != TariffDimension::Energy || std::mem::take(&mut first)
            });
        }
        never_costs_less(tariff, zone, &progress, &more)?;
    }

    #[test]
    fn no_progress_costs_more_than_the_highest_cost(list in lists(), (zone, progress) in charges(), from in 0_usize..8) {
        let progress = within(&list, &progress);
        let tariffs = by(PricingPolicy::default(), &list);
        let from = from.min(progress.len() - 1);
        let mut running = price_all(&tariffs, zone, &progress[..=from]).unwrap();
        let until = progress[progress.len() - 1].at;
        let power = progress[from..].windows(2).map(|pair| mean(&pair[0], &pair[1])).max().unwrap_or_default();
        let highest = running.highest_cost(&tariffs, until, power).unwrap();
        for next in &progress[from..] {
            running.advance(&tariffs, *next).unwrap();
            let cost = running.cost(&tariffs).unwrap().total;
            prop_assert!(cost.excl_vat.decimal() <= highest.excl_vat.decimal(), "{cost:?} {highest:?}");
            prop_assert!(after(&cost).decimal() <= after(&highest).decimal(), "{cost:?} {highest:?}");
        }
    }

    #[test]
    fn the_highest_cost_is_exact_where_one_component_prices_a_dimension(
        prices in prop::array::uniform2(0_i64..20_000), steps in prop::array::uniform2(0_u32..4000),
        sixths in 1_i64..100, kw in 1_i64..350, timed in any::<bool>(),
    ) {
        // Such that the energy is a decimal.
        let minutes = sixths * 6;
        let price = |n: usize| Decimal::new(prices[n], 4).to_string();
        let (p, q) = (price(0), price(1));
        let mut components = vec![("FLAT", "0.5", Some("19"), 1), ("ENERGY", p.as_str(), Some("19"), steps[0])];
        if timed {
            components.push(("TIME", &q, Some("20"), steps[1]));
        }
        let tariffs = ready(&simple(&components));
        let mut running = RunningCost::start(&tariffs, ZONE, step(0, "0", Activity::Charging)).unwrap();
        let highest = running.highest_cost(&tariffs, moment(START + minutes * MINUTE), Decimal::from(kw)).unwrap();
        let energy = Kwh::parse(Decimal::from(kw * minutes) / Decimal::from(60)).unwrap();
        running.advance(&tariffs, Progress::measured(moment(START + minutes * MINUTE), energy, Activity::Charging)).unwrap();
        prop_assert_eq!(running.cost(&tariffs).unwrap().total, highest);
    }

    #[test]
    fn states_that_are_stored_between_two_steps_change_nothing(list in lists(), (zone, progress) in charges_both_ways()) {
        let progress = within(&list, &progress);
        let tariffs = by(PricingPolicy::default(), &list);
        let mut stored = RunningCost::start(&tariffs, zone, progress[0]).unwrap();
        for next in &progress[1..] {
            stored = serde_json::from_str(&serde_json::to_string(&stored).unwrap()).unwrap();
            stored.advance(&tariffs, *next).unwrap();
        }
        prop_assert_eq!(stored, price_all(&tariffs, zone, &progress).unwrap());
    }

    #[test]
    fn words_without_a_measurement_that_say_nothing_new_change_nothing(
        list in lists(), (zone, progress) in charges_both_ways(), parts in prop::collection::vec(0_i64..=1000, 24),
    ) {
        let progress = within(&list, &progress);
        let tariffs = by(PricingPolicy::default(), &list);
        let mut dense = Vec::new();
        for (pair, parts) in progress.windows(2).zip(parts.chunks(3)) {
            dense.push(pair[0]);
            let mut parts = parts.to_vec();
            parts.sort_unstable();
            let span = pair[1].at.millis() - pair[0].at.millis();
            let seen = parts.into_iter().map(|part| {
                let at = later(pair[0].at, span * part / 1000);
                Progress { tariff: pair[0].tariff, ..Progress::seen(at, pair[0].activity) }
            });
            dense.extend(seen);
        }
        dense.push(progress[progress.len() - 1]);
        prop_assert_eq!(price_all(&tariffs, zone, &progress).unwrap(), price_all(&tariffs, zone, &dense).unwrap());
    }

    /// The cost is that of the latest measurement and no more, however often it is asked for in between.
    #[test]
    fn asking_for_the_cost_changes_nothing(list in lists(), (zone, progress) in charges_both_ways()) {
        let progress = within(&list, &progress);
        let tariffs = by(PricingPolicy::default(), &list);
        let mut asked = RunningCost::start(&tariffs, zone, progress[0]).unwrap();
        for next in &progress[1..] {
            let seen = Progress { energy: None, ..*next };
            let mut other = asked.clone();
            other.advance(&tariffs, seen).unwrap();
            other.cost(&tariffs).unwrap();
            other.periods(&tariffs).unwrap();
            other.explain(&tariffs).unwrap();
            asked.cost(&tariffs).unwrap();
            asked.advance(&tariffs, *next).unwrap();
        }
        prop_assert_eq!(asked, price_all(&tariffs, zone, &progress).unwrap());
    }
}

/// Mean power in kW.
fn mean(a: &Progress, b: &Progress) -> Decimal {
    let energy = b.energy.unwrap().decimal() - a.energy.unwrap().decimal();
    let millis = b.at.millis() - a.at.millis();
    if millis == 0 { Decimal::ZERO } else { energy * Decimal::from(3_600_000) / Decimal::from(millis) }
}

/// With the period in which a measurement lies cut there.
fn split_at(periods: &[ChargingPeriod], at: &Progress, end: Timestamp) -> Vec<ChargingPeriod> {
    let mut split = Vec::new();
    let mut energy = Decimal::ZERO;
    for (n, whole) in periods.iter().enumerate() {
        let to = periods.get(n + 1).map_or(end, |next| next.start_date_time);
        let volume = |of: &CdrDimensionType| {
            whole.dimensions.iter().find(|one| one.dimension == *of).map(|one| one.volume)
        };
        let used = volume(&CdrDimensionType::Energy).unwrap_or_default();
        if whole.start_date_time < at.at && at.at < to {
            let first = at.energy.unwrap().decimal() - energy;
            let hours = |from: Timestamp, to: Timestamp| {
                Decimal::from(to.millis() - from.millis()) / Decimal::from(3_600_000)
            };
            let parts = [
                (whole.start_date_time, first, hours(whole.start_date_time, at.at)),
                (at.at, used - first, hours(at.at, to)),
            ];
            for (start, energy, hours) in parts {
                let mut part = whole.clone();
                part.start_date_time = start;
                for one in &mut part.dimensions {
                    match one.dimension {
                        CdrDimensionType::Energy => one.volume = energy,
                        CdrDimensionType::Time | CdrDimensionType::ParkingTime => {
                            one.volume = hours.round_dp(12)
                        }
                        _ => {}
                    }
                }
                split.push(part);
            }
        } else {
            split.push(whole.clone());
        }
        energy += used;
    }
    split
}

/// A CDR with the periods of a charge, in whole Wh, and another whose periods have some Wh more.
fn never_costs_less(
    tariff: Tariff,
    zone: Tz,
    progress: &[Progress],
    more: &[i64],
) -> Result<(), TestCaseError> {
    let mut list = [tariff];
    if list[0].min_price.is_some() {
        // Bounds that contradict each other are another matter.
        list[0].max_price = None;
    }
    let progress = within(&list, progress);
    let tariffs = by(PricingPolicy::default(), &list);
    let periods = price_all(&tariffs, zone, &progress).unwrap().periods(&tariffs).unwrap();
    let ends = (progress[0].at, progress[progress.len() - 1].at);
    let with = |more: &[i64]| {
        let mut grown = periods.clone();
        for (period, more) in grown.iter_mut().zip(more.iter().chain(std::iter::repeat(&7))) {
            for one in &mut period.dimensions {
                if one.dimension == CdrDimensionType::Energy && !one.volume.is_zero() {
                    one.volume = one.volume.round_dp(3) + Decimal::new(1 + more, 3);
                }
            }
        }
        stated_by(&list, zone, ends, &grown).cost(&tariffs).unwrap().total
    };
    let (less, more) = (with(&vec![0; periods.len()]), with(more));
    prop_assert!(less.excl_vat.decimal() <= more.excl_vat.decimal(), "{less:?} {more:?}");
    prop_assert!(after(&less).decimal() <= after(&more).decimal(), "{less:?} {more:?}");
    Ok(())
}

/// Why the law of more energy supposes so much: 0.4 kWh before 17:00 that are 0.5 later are taken from what is rounded
/// up at the dearer price.
#[test]
fn more_energy_may_cost_less_where_a_dearer_component_is_rounded_up() {
    let part = |price: f64, restrictions: Value| json!({"price_components": [{"type": "ENERGY", "price": price, "step_size": 1000}], "restrictions": restrictions});
    let tariff = tariff(&json!({"elements": [
        part(0.1, json!({"end_time": "17:00"})),
        part(1.0, Value::Null),
    ]}));
    let at = |time: &str, energy: &str| {
        Progress::measured(local(ZONE, &format!("2026-01-14 {time}")), kwh(energy), Activity::Charging)
    };
    let less = [at("16:00", "0"), at("17:00", "0.4"), at("18:00", "0.5")];
    let more = [at("16:00", "0"), at("17:00", "0.8"), at("18:00", "0.9")];
    assert_eq!(
        both_ways(std::slice::from_ref(&tariff), ZONE, &less).total().0,
        "0.64",
        "0.4 × 0.1 + 0.6 × 1"
    );
    assert_eq!(both_ways(&[tariff], ZONE, &more).total().0, "0.28", "0.8 × 0.1 + 0.2 × 1");
}
