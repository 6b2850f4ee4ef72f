//! The state of a charge while it runs, and what the specification leaves to a policy.

use super::*;
use Activity::{Charging, Parking};
use roamwatt::domain::charging_period::CdrDimensionType;
use roamwatt::pricing::{PricingError, Rounding};

fn periods(running: &RunningCost, tariff: &Tariff) -> Vec<roamwatt::domain::charging_period::ChargingPeriod> {
    running.periods(&ready(tariff)).unwrap()
}

/// Start in minutes, then kind and volume of each dimension.
fn told(running: &RunningCost, tariff: &Tariff) -> Vec<(i64, Vec<(String, String)>)> {
    let dimensions = |period: &roamwatt::domain::charging_period::ChargingPeriod| {
        period.dimensions.iter().map(|d| (d.dimension.to_string(), d.volume.to_string())).collect()
    };
    let periods = periods(running, tariff);
    periods.iter().map(|p| ((p.start_date_time.millis() - START) / MINUTE, dimensions(p))).collect()
}

fn of(kind: CdrDimensionType, volume: &str) -> (String, String) {
    (kind.to_string(), volume.to_owned())
}

fn all_four() -> Tariff {
    simple(&[
        ("FLAT", "1", Some("19"), 1),
        ("ENERGY", "0.4", Some("19"), 1),
        ("TIME", "1.2", Some("19"), 1),
        ("PARKING_TIME", "6", Some("19"), 1),
    ])
}

#[test]
fn periods_turn_with_the_activity_and_keep_standby_energy() {
    let tariff = all_four();
    let progress = [
        step(0, "0", Charging),
        step(10 * MINUTE, "3.5", Charging),
        step(20 * MINUTE, "7", Parking),
        step(50 * MINUTE, "7.0125", Charging),
        step(60 * MINUTE, "8", Parking),
    ];
    let running = price_all(&ready(&tariff), ZONE, &progress).unwrap();
    use CdrDimensionType::{Energy, ParkingTime, Time};
    assert_eq!(
        told(&running, &tariff),
        [
            (0, vec![of(Energy, "7"), of(Time, "0.3333")]),
            (20, vec![of(Energy, "0.0125"), of(ParkingTime, "0.5")]),
            (50, vec![of(Energy, "0.9875"), of(Time, "0.1667")]),
        ],
        "the period that parking began at the stop has no length and is not told"
    );
    assert!(
        periods(&running, &tariff).iter().all(|p| p.tariff_id.as_ref().is_some_and(|id| id.as_str() == "T1"))
    );
    let cost = running.cost(&ready(&tariff)).unwrap();
    assert_eq!(part(&cost.energy), both("3.20", "3.81"), "8 kWh; 3.808");
    assert_eq!(part(&cost.time), both("0.60", "0.71"), "30 minutes; 0.714");
    assert_eq!(part(&cost.parking), both("3.00", "3.57"), "30 minutes");
    assert_eq!(said(&cost.total), both("7.80", "9.28"), "9.282");
    assert_eq!((cost.total_time, cost.total_parking_time), (decimal("1"), decimal("0.5")));
    assert_eq!(cost.total_energy, kwh("8"));
}

#[test]
fn activities_that_change_at_one_moment_make_no_periods() {
    let tariff = all_four();
    let progress = [
        step(0, "0", Parking),
        step(0, "0", Charging),
        step(10 * MINUTE, "2", Parking),
        step(10 * MINUTE, "2", Charging),
        step(30 * MINUTE, "4", Charging),
    ];
    let running = price_all(&ready(&tariff), ZONE, &progress).unwrap();
    assert_eq!(told(&running, &tariff).len(), 1);
    let plain = [step(0, "0", Charging), step(30 * MINUTE, "4", Charging)];
    assert_eq!(running, price_all(&ready(&tariff), ZONE, &plain).unwrap());
}

#[test]
fn a_charge_that_has_just_begun_has_a_period_and_its_fixed_cost() {
    let tariff = all_four();
    let running = RunningCost::start(&ready(&tariff), ZONE, step(0, "0", Charging)).unwrap();
    use CdrDimensionType::{Energy, Time};
    assert_eq!(told(&running, &tariff), [(0, vec![of(Energy, "0"), of(Time, "0")])]);
    let cost = running.cost(&ready(&tariff)).unwrap();
    assert_eq!(said(&cost.total), both("1.00", "1.19"));
    assert_eq!(part(&cost.energy), both("0.00", "0.00"), "VAT applies already");
}

#[test]
fn without_a_tariff_a_charge_is_free_and_its_periods_name_none() {
    let progress = [step(0, "0", Charging), step(30 * MINUTE, "4", Parking)];
    let running = price_all(&free(), ZONE, &progress).unwrap();
    assert_eq!(running.periods(&free()).unwrap()[0].tariff_id, None);
    let cost = running.cost(&free()).unwrap();
    assert_eq!(said(&cost.total), without_vat("0.00"));
    assert_eq!((cost.total_energy, cost.total_time), (kwh("4"), decimal("0.5")));
    assert!(running.explain(&free()).unwrap().lines.is_empty());
}

#[test]
fn time_that_runs_backwards_and_another_tariff_are_errors_that_change_nothing() {
    let tariff = all_four();
    let mut running = charge(&tariff, "10", 60, 0);
    let before = running.clone();
    let earlier = running.advance(&ready(&tariff), step(59 * MINUTE, "11", Charging)).unwrap_err();
    assert!(matches!(earlier, PricingError::Backwards { .. }), "{earlier}");
    let mut other = tariff.clone();
    other.last_updated = Timestamp::parse("2026-01-02T00:00:00Z").unwrap();
    let changed = running.advance(&ready(&other), step(61 * MINUTE, "11", Charging)).unwrap_err();
    assert!(changed.to_string().contains("2026-01-02"), "{changed}");
    assert!(running.advance(&free(), step(61 * MINUTE, "11", Charging)).is_err());
    assert!(running.cost(&ready(&other)).is_err());
    assert_eq!(running, before);
}

#[test]
fn what_cannot_be_priced_is_named_and_never_priced_as_if_it_could() {
    let tariff = tariff(&json!({"elements": [
        {"price_components": [{"type": "ENERGY", "price": 9, "step_size": 1}],
         "restrictions": {"start_time": "25:00", "end_date": "2026-02-30"}},
        {"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}],
         "restrictions": {"day_of_week": []}},
        {"price_components": [{"type": "SESSION_TIME", "price": 5, "step_size": 1}]},
        {"price_components": [{"type": "ENERGY", "price": 5, "step_size": 1}],
         "restrictions": {"reservation": "RESERVATION"}},
    ]}));
    let cost = cost_of(&tariff, "2", 60, 0);
    assert_eq!(said(&cost.total), without_vat("2.00"));
    let paths: Vec<&str> = cost.warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "$.elements[0].restrictions.start_time",
            "$.elements[0].restrictions.end_date",
            "$.elements[2].price_components[0].type",
            "$.elements[3].price_components[0].type",
        ]
    );
}

#[test]
fn two_flats_charge_the_first() {
    let tariff = tariff(&json!({"elements": [
        {"price_components": [{"type": "FLAT", "price": 1, "step_size": 1}]},
        {"price_components": [{"type": "FLAT", "price": 2, "step_size": 1}]},
    ]}));
    assert_eq!(said(&cost_of(&tariff, "2", 60, 0).total), without_vat("1.00"));
}

#[test]
fn bounds_without_vat_of_their_own_add_no_vat() {
    let bounded = |field: &str, excl: &str| {
        let mut tariff = simple(&[("ENERGY", "1", Some("20"), 1)]);
        let price: Price = serde_json::from_str(&format!(r#"{{"excl_vat":{excl}}}"#)).unwrap();
        if field == "min" {
            tariff.min_price = Some(price)
        } else {
            tariff.max_price = Some(price)
        }
        said(&cost_of(&tariff, "10", 60, 0).total)
    };
    assert_eq!(bounded("min", "15"), both("15.00", "17.00"), "10 and 12, and 5 more");
    assert_eq!(bounded("max", "7"), both("7.00", "9.00"), "10 and 12, and 3 less");
    let mut plain = simple(&[("ENERGY", "1", None, 1)]);
    plain.min_price = serde_json::from_str(r#"{"excl_vat":15,"incl_vat":18}"#).unwrap();
    assert_eq!(said(&cost_of(&plain, "10", 60, 0).total), both("15.00", "18.00"), "whatever was used");
    assert_eq!(said(&cost_of(&plain, "20", 60, 0).total), without_vat("20.00"), "it costs more anyway");
    plain.max_price = serde_json::from_str(r#"{"excl_vat":12,"incl_vat":13}"#).unwrap();
    assert_eq!(said(&cost_of(&plain, "10", 60, 0).total), both("12.00", "13.00"), "the maximum wins");
    plain.min_price = None;
    assert_eq!(said(&cost_of(&plain, "20", 60, 0).total), without_vat("12.00"), "no VAT applies");
}

#[test]
fn the_policy_rounds_and_the_currency_says_how_far() {
    let mut tariff = simple(&[("ENERGY", "0.5", None, 1)]);
    let cost = |tariff: &Tariff, rounding| {
        let tariffs = Tariffs::new([tariff], PricingPolicy { rounding, ..PricingPolicy::default() }).unwrap();
        said(&charge(tariff, "12.45", 60, 0).cost(&tariffs).unwrap().total).0
    };
    assert_eq!(cost(&tariff, Rounding::HalfUp), "6.23");
    assert_eq!(cost(&tariff, Rounding::HalfEven), "6.22");
    assert_eq!(cost(&tariff, Rounding::Down), "6.22");
    tariff.currency = "JPY".to_owned();
    assert_eq!(cost(&tariff, Rounding::HalfUp), "6");
    tariff.currency = "BHD".to_owned();
    assert_eq!(cost(&tariff, Rounding::HalfUp), "6.225");
}

#[test]
fn energy_fed_back_is_paid_for_and_not_rounded_to_steps() {
    let tariff = simple(&[("ENERGY", "0.5", None, 1000)]);
    assert_eq!(said(&cost_of(&tariff, "-2.5", 60, 0).total), without_vat("-1.25"));
}

#[test]
fn an_amount_beyond_the_range_is_an_error() {
    let tariff = simple(&[("ENERGY", "1000000000", None, 1)]);
    let running = charge(&tariff, "1000000000", 60, 0);
    assert!(running.cost(&ready(&tariff)).is_err());
}

#[test]
fn the_state_is_small_and_comes_back_from_json() {
    let tariff = all_four();
    let mut running = RunningCost::start(&ready(&tariff), ZONE, step(0, "0", Charging)).unwrap();
    running.advance(&ready(&tariff), step(1, "0", Charging)).unwrap();
    let small = serde_json::to_string(&running).unwrap().len();
    for minute in 1..=500 {
        running.advance(&ready(&tariff), step(minute * MINUTE, &format!("{minute}.25"), Charging)).unwrap();
    }
    let json = serde_json::to_string(&running).unwrap();
    assert!(json.len() < small + 80, "{json}");
    assert_eq!(serde_json::from_str::<RunningCost>(&json).unwrap(), running);
    assert!(serde_json::from_str::<RunningCost>(&json.replace("Europe/Amsterdam", "Nowhere")).is_err());
}
