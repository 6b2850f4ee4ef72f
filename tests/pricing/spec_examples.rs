//! The examples that OCPI 2.2.1 works out in words, with the totals it gives (mod_tariffs "Examples" and
//! "PriceComponent class", mod_cdrs "step_size"). Those that need restrictions are priced once restrictions are.

use super::*;

const ENERGY: (&str, &str, Option<&str>, u32) = ("ENERGY", "0.25", Some("10.0"), 1);
const START_FEE: (&str, &str, Option<&str>, u32) = ("FLAT", "0.50", Some("20.0"), 1);

fn with(mut tariff: Tariff, bound: &str, excl: &str, incl: Option<&str>) -> Tariff {
    let price = Price { excl_vat: money(excl), incl_vat: incl.map(money), extra: serde_json::Map::default() };
    match bound {
        "min" => tariff.min_price = Some(price),
        _ => tariff.max_price = Some(price),
    }
    tariff
}

#[test]
fn a_price_per_kwh() {
    assert_eq!(said(&cost_of(&simple(&[ENERGY]), "20", 60, 0).total), both("5.00", "5.50"));
}

#[test]
fn a_start_fee_with_its_own_vat() {
    let cost = cost_of(&simple(&[START_FEE, ENERGY]), "20", 60, 0);
    assert_eq!(said(&cost.total), both("5.50", "6.10"));
    assert_eq!(part(&cost.fixed), both("0.50", "0.60"));
    assert_eq!(part(&cost.energy), both("5.00", "5.50"));
    assert_eq!(cost.parking, None);
}

#[test]
fn a_minimum_price_is_no_start_fee() {
    let tariff = with(simple(&[ENERGY]), "min", "0.50", Some("0.55"));
    assert_eq!(said(&cost_of(&tariff, "20", 60, 0).total), both("5.00", "5.50"));
    let little = cost_of(&tariff, "1.999", 60, 0);
    assert_eq!(said(&little.total), both("0.50", "0.55"));
    assert_eq!(part(&little.energy), both("0.50", "0.55"), "0.49975 and 0.549725, rounded");
    assert_eq!(said(&cost_of(&tariff, "0", 60, 0).total), both("0.50", "0.55"));
}

#[test]
fn parking_is_billed_in_quarters_of_an_hour() {
    let tariff = simple(&[START_FEE, ENERGY, ("PARKING_TIME", "2.00", Some("20.0"), 900)]);
    let cost = cost_of(&tariff, "20", 60, 40);
    assert_eq!(said(&cost.total), both("7.00", "7.90"));
    assert_eq!(part(&cost.parking), both("1.50", "1.80"));
    let lines = explained(&tariff, "20", 60, 40);
    assert_eq!(billed(&lines, &[LineKind::Parking, LineKind::ParkingStep]), decimal("2700"));
    assert_eq!(cost.total_parking_time, decimal("0.6667"));
}

#[test]
fn a_maximum_price_bounds_before_and_after_vat() {
    let tariff = with(simple(&[START_FEE, ENERGY]), "max", "10", Some("11"));
    assert_eq!(said(&cost_of(&tariff, "50", 60, 0).total), both("10.00", "11.00"));
    assert_eq!(said(&cost_of(&tariff, "30", 60, 0).total), both("8.00", "8.85"));
}

#[test]
fn a_price_per_hour_charging_leaves_parking_free() {
    let tariff = simple(&[("TIME", "2.00", Some("10.0"), 60)]);
    assert_eq!(said(&cost_of(&tariff, "30", 150, 0).total), both("5.00", "5.50"));
    let parked = cost_of(&tariff, "30", 150, 60);
    assert_eq!(said(&parked.total), both("5.00", "5.50"));
    assert_eq!(parked.parking, None);
    assert_eq!(parked.total_time, decimal("3.5"));
}

#[test]
fn charging_and_parking_at_different_prices() {
    let tariff = simple(&[("TIME", "3.00", Some("10.0"), 60), ("PARKING_TIME", "5.00", Some("20.0"), 300)]);
    let cost = cost_of(&tariff, "20", 150, 42);
    assert_eq!(said(&cost.total), both("11.25", "12.75"));
    assert_eq!(part(&cost.time), both("7.50", "8.25"));
    assert_eq!(part(&cost.parking), both("3.75", "4.50"));
}

#[test]
fn vat_with_decimals() {
    let tariff = simple(&[("TIME", "1.90", Some("5.2"), 300)]);
    assert_eq!(said(&cost_of(&tariff, "20", 150, 0).total), both("4.75", "5.00"));
}

#[test]
fn each_amount_is_rounded_from_its_own_exact_value() {
    let tariff = simple(&[START_FEE, ("ENERGY", "0.25", Some("10.0"), 100)]);
    let cost = cost_of(&tariff, "20.45", 60, 0);
    assert_eq!(part(&cost.energy), both("5.13", "5.64"), "5.125 and 5.6375");
    assert_eq!(said(&cost.total), both("5.63", "6.24"), "5.625 and 6.2375");
    let lines = explained(&tariff, "20.45", 60, 0);
    assert_eq!(billed(&lines, &[LineKind::Energy, LineKind::EnergyStep]), decimal("20.5"));
}

#[test]
fn free_of_charge() {
    let cost = cost_of(&simple(&[("FLAT", "0.00", None, 0)]), "20", 60, 30);
    assert_eq!(said(&cost.total), without_vat("0.00"));
    assert!(cost.warnings.is_empty());
}

#[test]
fn elements_for_reservations_do_not_price_a_charge() {
    let tariff = tariff(&json!({"elements": [
        {"price_components": [{"type": "TIME", "price": 5.00, "vat": 20.0, "step_size": 60}],
         "restrictions": {"reservation": "RESERVATION"}},
        {"price_components": [{"type": "FLAT", "price": 0.50, "vat": 20.0, "step_size": 1},
                              {"type": "ENERGY", "price": 0.25, "vat": 10.0, "step_size": 1}]},
    ]}));
    let cost = cost_of(&tariff, "20", 60, 0);
    assert_eq!(said(&cost.total), both("5.50", "6.10"));
    assert!(cost.warnings.is_empty());
}

#[test]
fn energy_is_billed_in_whole_steps() {
    let exactly = PricingPolicy { decimals: Some(5), ..PricingPolicy::default() };
    for (size, used, amount) in [
        (1, "0.1152", "0.02900"),
        (0, "0.1152", "0.02900"),
        (25, "0.101", "0.03125"),
        (25, "0.125", "0.03125"),
        (25, "0.1251", "0.03750"),
        (500, "0.001", "0.12500"),
        (500, "0.5", "0.12500"),
        (500, "0", "0.00000"),
    ] {
        let tariff = simple(&[("ENERGY", "0.25", None, size)]);
        let tariffs = Tariffs::new([&tariff], exactly).unwrap();
        let progress = [step(0, "0", Activity::Charging), step(60 * MINUTE, used, Activity::Charging)];
        let cost = price_all(&tariffs, ZONE, &progress).unwrap().cost(&tariffs).unwrap();
        assert_eq!(said(&cost.total), without_vat(amount), "step {size}, {used} kWh");
    }
}

const TIMES: [LineKind; 2] = [LineKind::Time, LineKind::TimeStep];
const PARKING: [LineKind; 2] = [LineKind::Parking, LineKind::ParkingStep];

#[test]
fn where_parking_is_billed_only_parking_is_rounded_up() {
    let five = simple(&[("TIME", "1.00", None, 300), ("PARKING_TIME", "2.00", None, 300)]);
    let lines = explained(&five, "10", 21, 7);
    assert_eq!(billed(&lines, &TIMES), decimal("1260"));
    assert_eq!(billed(&lines, &PARKING), decimal("600"));
    let ten = simple(&[("TIME", "1.00", None, 600), ("PARKING_TIME", "2.00", None, 600)]);
    let lines = explained(&ten, "10", 21, 16);
    assert_eq!(billed(&lines, &TIMES), decimal("1260"));
    assert_eq!(billed(&lines, &PARKING), decimal("1200"));
    assert_eq!(part(&lines.cost.time), without_vat("0.35"));
    assert_eq!(part(&lines.cost.parking), without_vat("0.67"), "two thirds");
    assert_eq!(said(&lines.cost.total), without_vat("1.02"), "1.0166…, not a sum of rounded parts");
}

#[test]
fn without_parking_charging_time_is_rounded_up() {
    let ten = simple(&[("TIME", "6.00", None, 600), ("PARKING_TIME", "2.00", None, 600)]);
    let lines = explained(&ten, "10", 21, 0);
    assert_eq!(billed(&lines, &TIMES), decimal("1800"));
    assert_eq!(said(&lines.cost.total), without_vat("3.00"));
    let exact_multiple = cost_of(&ten, "10", 20, 0);
    assert_eq!(said(&exact_multiple.total), without_vat("2.00"));
}
