//! Every tariff that the three specifications give as an example (mod_tariffs), read as they write it, and priced both
//! while it runs and by the periods of its CDR. The figures are those that the text works out, where it does.
//!
//! A plain clone has the same tariffs as fixtures of our own; beside the specifications, both are priced.

use super::both_ways::*;
use super::*;
use crate::support::shared::shared;
use roamwatt::pricing::read::{self, OcpiVersion};
use roamwatt::pricing::{CdrToPrice, price_cdr};

/// A Monday and a Saturday of winter in Amsterdam.
const MONDAY: &str = "2026-01-12";
const SATURDAY: &str = "2026-01-17";
const TWO: [OcpiVersion; 2] = [OcpiVersion::V2_2_1, OcpiVersion::V2_3_0];

fn read_as(version: OcpiVersion, json: &Value) -> Tariff {
    read::tariff(json, version).unwrap_or_else(|errors| panic!("{json}: {errors:?}")).value
}

/// Our own fixture of that name, and the example of the specification where it is at hand.
fn named(version: OcpiVersion, name: &str) -> Vec<Tariff> {
    let own = match version {
        OcpiVersion::V2_1_1 => include_str!("../fixtures/own/pricing/tariffs_2.1.1.json"),
        OcpiVersion::V2_2_1 => include_str!("../fixtures/own/pricing/tariffs_2.2.1.json"),
        OcpiVersion::V2_3_0 => include_str!("../fixtures/own/pricing/tariffs_2.3.0.json"),
    };
    let own: Value = serde_json::from_str(own).unwrap();
    let mut found = vec![read_as(version, &own[name])];
    if let Some(folder) = shared(&format!("spec/ocpi/{version}/examples")) {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        found.push(read_as(version, &serde_json::from_str(&text).unwrap()));
    }
    found
}

/// Prices a charge by a tariff of both versions that have VAT.
fn each(name: &str, progress: &[Progress], total: (String, Option<String>)) {
    for version in TWO {
        for tariff in named(version, name) {
            let priced = both_ways(&[tariff], ZONE, progress);
            assert_eq!(priced.total(), total, "{version} {name}: {:#?}", priced.explained.lines);
        }
    }
}

fn on(day: &str, time: &str) -> Timestamp {
    local(ZONE, &format!("{day} {time}"))
}

fn morning(kwh: &str, charging: i64, parking: i64) -> Vec<Progress> {
    plugged_in(on(MONDAY, "09:30"), kwh, charging, parking)
}

#[test]
fn tariff_1_two_an_hour() {
    // 2.5 h × 2.00; 10 % VAT.
    each("tariff_1_simple_2hour", &morning("30", 150, 0), both("5.00", "5.50"));
    // Parking has no component: 3.5 h plugged in, 2.5 h charging.
    each("tariff_1_simple_2hour", &morning("30", 150, 60), both("5.00", "5.50"));
    // The tariff of the PUT bills five minutes: 12 are 15; 0.25 h × 2.00.
    each("tariff_put_example", &morning("3", 12, 0), both("0.50", "0.55"));
}

#[test]
fn tariff_2_vat_with_decimals() {
    // 2.5 h × 1.90 = 4.75; × 1.052 = 4.997.
    each("tariff_2_alt_text", &morning("30", 150, 0), both("4.75", "5.00"));
}

#[test]
fn tariff_3_energy_by_tenths_of_a_kwh() {
    // 20.45 kWh are billed as 20.5: 5.125 and 5.6375, with 0.50 and 0.60 for the start 5.625 and 6.2375. The table of
    // 2.3.0 has 5.11 and 5.61, which is 20.45 × 0.25 without the step, beside a text that still says 5.13 and 5.63.
    each("tariff_3_alt_url", &morning("20.45", 60, 0), both("5.63", "6.24"));
    for tariff in named(OcpiVersion::V2_3_0, "tariff_3_alt_url") {
        let cost = both_ways(&[tariff], ZONE, &morning("20.45", 60, 0)).cost;
        assert_eq!((part(&cost.fixed), part(&cost.energy)), (both("0.50", "0.60"), both("5.13", "5.64")));
    }
}

#[test]
fn tariff_4_a_monday_with_little_current() {
    // 2.50 + 165 min × 1.00 + 45 min (of 42) × 5.00 = 2.50 + 2.75 + 3.75; 2.875 + 3.30 + 4.125.
    let progress = with_current(morning("10", 165, 42), "16");
    each("tariff_4_complex", &progress, both("9.00", "10.30"));
}

#[test]
fn tariff_4_a_saturday_with_much_current() {
    // 2.50 + 114 min × 1.25 + 75 min (of 71) × 6.00 = 2.50 + 2.375 + 7.50 = 12.375, and with their VAT
    // 2.875 + 2.85 + 8.25 = 13.975.
    //
    // The table says 2.28 for the charging, 12.28 and 13.861 in all: that is 114 min × 1.20, though the line itself, the
    // text and the tariff say 1.25. At 1.20 it is what the table says.
    let progress = with_current(plugged_in(on(SATURDAY, "13:30"), "30", 114, 71), "43");
    each("tariff_4_complex", &progress, both("12.38", "13.98"));
    for mut tariff in named(OcpiVersion::V2_2_1, "tariff_4_complex") {
        tariff.elements[3].price_components[0].price = money("1.20");
        let priced = both_ways(&[tariff], ZONE, &progress);
        assert_eq!(priced.total(), both("12.28", "13.86"));
        assert_eq!(priced.cost.exact_incl_vat, Exact::from_money(money("13.861")).unwrap());
    }
}

#[test]
fn tariff_5_free_of_charge() {
    each("tariff_5_free_of_charge", &morning("30", 150, 60), without_vat("0.00"));
}

#[test]
fn tariff_6_a_maximum() {
    // 0.50 + 12.50 is above 10, 0.60 + 13.75 above 11; 0.50 + 7.50 and 0.60 + 8.25 are not.
    each("tariff_6_025kwh_start_max_price", &morning("50", 60, 0), both("10.00", "11.00"));
    each("tariff_6_025kwh_start_max_price", &morning("30", 60, 0), both("8.00", "8.85"));
}

#[test]
fn tariffs_8_to_10_energy_start_and_parking() {
    // 20 kWh × 0.25 at 10 %; a start of 0.50 at 20 %; 45 min (of 40) × 2.00 at 20 %.
    each("tariff_8_simple_025kwh", &morning("20", 60, 0), both("5.00", "5.50"));
    each("tariff_9_025kwh_start", &morning("20", 60, 0), both("5.50", "6.10"));
    each("tariff_10_025kwh_parking_start", &morning("20", 60, 40), both("7.00", "7.90"));
}

#[test]
fn tariff_11_start_and_time() {
    // 0.40 + 2.5 h × 1.90 = 5.15; 0.50 + 4.997 = 5.497.
    each("tariff_11_not_possible_alt_text", &morning("20", 150, 0), both("5.15", "5.50"));
}

#[test]
fn tariff_12_a_minimum() {
    each("tariff_12_025kwh_min_price", &morning("20", 60, 0), both("5.00", "5.50"));
    each("tariff_12_025kwh_min_price", &morning("1.999", 60, 0), both("0.50", "0.55"));
    // 2 kWh are 0.50 by themselves, and 2.001 are more.
    each("tariff_12_025kwh_min_price", &morning("2", 60, 0), both("0.50", "0.55"));
    each("tariff_12_025kwh_min_price", &morning("2.1", 60, 0), both("0.53", "0.58"));
}

#[test]
fn tariff_13_time_and_parking() {
    // 2.5 h × 3.00 + 45 min (of 42) × 5.00 = 7.50 + 3.75; 8.25 + 4.50.
    each("tariff_13_simple_3hour_5parking", &morning("20", 150, 42), both("11.25", "12.75"));
}

#[test]
fn tariff_14_from_one_element_to_another() {
    // 5 min × 1.20 + 5 min × 2.40 + 15 min (of 2) × 1.00.
    let first = plugged_in(on(MONDAY, "16:55"), "2", 10, 2);
    each("tariff_14_step_size", &first, without_vat("0.55"));
    // 25 min × 1.20 + 20 min (of 10, 45 of 35 in all) × 2.40.
    let second = plugged_in(on(MONDAY, "16:35"), "7", 35, 0);
    each("tariff_14_step_size", &second, without_vat("1.30"));
    // 12 min × 2.40 + 15 min (of 8 until 20:00, where parking becomes free) × 1.00.
    let third = plugged_in(on(MONDAY, "19:40"), "3", 12, 20);
    each("tariff_14_step_size", &third, without_vat("0.73"));
}

/// A reservation, and the charge for which it was used where it was.
fn each_reserved(name: &str, minutes: i64, kwh: Option<&str>, total: (String, Option<String>)) {
    for version in TWO {
        for tariff in named(version, name) {
            let start = on(MONDAY, "09:30");
            let begins = later(start, minutes * MINUTE);
            let hours = (Decimal::from(minutes) / Decimal::from(60)).round_dp(4).to_string();
            let mut periods = vec![period(start, &[("RESERVATION_TIME", &hours)])];
            periods[0].tariff_id = Some(tariff.id.clone());
            let mut end = begins;
            if let Some(kwh) = kwh {
                let charge = plugged_in(begins, kwh, 60, 0);
                periods.extend(both_ways(std::slice::from_ref(&tariff), ZONE, &charge).periods);
                end = later(begins, 60 * MINUTE);
            }
            let list = [tariff];
            let cdr = CdrToPrice { start, end, zone: ZONE, tariffs: &list, periods: &periods };
            let cost = price_cdr(&cdr, &PricingPolicy::default()).unwrap();
            assert_eq!(said(&cost.total), total, "{version} {name}");
            assert_eq!(cost.warnings, [], "{version} {name}");
        }
    }
}

#[test]
fn tariffs_15_and_16_a_reservation_that_was_used() {
    // 15 min × 5.00 = 1.25, at 20 % 1.50; 0.50 and 5.00, with VAT 0.60 and 5.50.
    each_reserved("tariff_15_reservation_5_euro_per_hour", 15, Some("20"), both("6.75", "7.60"));
    // 2.00 + 15 min (of 13) × 5.00, and 0.50 and 5.00.
    each_reserved("tariff_16_reservation_2_euro_fee_5_euro_per_hour", 13, Some("20"), both("8.75", "10.00"));
    // Not used, and nothing special for that: the fee and the time alone.
    each_reserved("tariff_16_reservation_2_euro_fee_5_euro_per_hour", 13, None, both("3.25", "3.90"));
}

#[test]
fn tariff_17_a_fee_where_it_expires() {
    // 30 min (of 22) × 2.00 + 0.50 + 5.00; 1.20 + 0.60 + 5.50.
    each_reserved("tariff_17_reservation_with_expire_fee", 22, Some("20"), both("6.50", "7.30"));
    // 4.00 + 60 min × 2.00: the time has no component of its own where it expires.
    each_reserved("tariff_17_reservation_with_expire_fee", 60, None, both("6.00", "7.20"));
}

#[test]
fn tariff_18_another_price_where_it_expires() {
    // 30 min (of 22) × 3.00 + 0.50 + 5.00; 1.80 + 0.60 + 5.50.
    each_reserved("tariff_18_reservation_with_expire_time", 22, Some("20"), both("7.00", "7.90"));
    // 90 min × 6.00.
    each_reserved("tariff_18_reservation_with_expire_time", 90, None, both("9.00", "10.80"));
}

#[test]
fn tariffs_19_and_20_taxes_of_north_america() {
    // 2.5 h × 2.00, taxes not known yet; 2.5 h × 2.10, taxes in it but not told.
    let names = ["tariff_19_simple_north_american_exclusive", "tariff_20_simple_north_american_inclusive"];
    for (name, total) in names.into_iter().zip(["5.00", "5.25"]) {
        for tariff in named(OcpiVersion::V2_3_0, name) {
            let priced = both_ways(&[tariff], ZONE, &morning("20", 150, 0));
            assert_eq!(priced.total(), without_vat(total), "{name}");
        }
    }
}

#[test]
fn the_restriction_on_power() {
    // 1 kWh at 6 kW, 40 at 48 kW, 0.5 at 4 kW: 1 × 0.20 + 40 × 0.50 + 0.5 × 0.20; 20 % VAT.
    let start = on(MONDAY, "09:30");
    let at = |seconds: i64, kwh: &str| {
        Progress::measured(later(start, seconds * 1000), kwh.parse().unwrap(), Activity::Charging)
    };
    let progress = [at(0, "0"), at(600, "1"), at(3600, "41"), at(4050, "41.5")];
    each("tariffrestriction_example_max_power", &progress, both("20.30", "24.36"));
}

#[test]
fn the_restriction_on_the_duration() {
    // 5 kWh in half an hour for nothing, 1.2 in ten minutes × 0.25; 20 % VAT.
    let start = on(MONDAY, "09:30");
    let at = |minutes: i64, kwh: &str| {
        Progress::measured(later(start, minutes * MINUTE), kwh.parse().unwrap(), Activity::Charging)
    };
    let progress = [at(0, "0"), at(30, "5"), at(40, "6.2")];
    each("tariffrestriction_example_max_duration", &progress, both("0.30", "0.36"));
    // Another half an hour with 6 kWh: 20 min × 0.25 and 10 min × 0.40; 1.2 + 4 and 2 kWh.
    let progress = [at(0, "0"), at(30, "5"), at(40, "6.2"), at(70, "12.2")];
    each("tariffrestriction_example_max_duration", &progress, both("2.10", "2.52"));
}

#[test]
fn taxes_are_in_the_prices_on_top_of_them_or_not_applicable() {
    let read = |word: &str, vat: Value| {
        read_as(
            OcpiVersion::V2_3_0,
            &json!({
                "country_code": "DE", "party_id": "ROA", "id": "T", "currency": "EUR", "tax_included": word,
                "elements": [{"price_components":
                    [{"type": "ENERGY", "price": 0.25, "vat": vat, "step_size": 1}]}],
                "last_updated": "2026-01-01T00:00:00Z",
            }),
        )
    };
    let total = |word, vat| both_ways(&[read(word, vat)], ZONE, &morning("20", 60, 0)).total();
    // 20 kWh × 0.25 = 5.00, before 10 % or with them: 5.00 / 1.10 = 4.5454….
    assert_eq!(total("NO", json!(10)), both("5.00", "5.50"));
    assert_eq!(total("YES", json!(10)), both("4.55", "5.00"));
    assert_eq!(total("YES", json!(0)), both("5.00", "5.00"));
    assert_eq!(total("N/A", json!(null)), without_vat("5.00"));
    let odd = both_ways(&[read("N/A", json!(10))], ZONE, &morning("20", 60, 0));
    assert_eq!(odd.total(), without_vat("5.00"), "no taxes are applicable, whatever a component says");
    let paths: Vec<&str> = odd.cost.warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(paths, ["$.elements[0].price_components[0].vat"]);
}

/// The blocks of 2.1.1's text, by their order; those that are no JSON are requests.
fn of_2_1_1(name: &str) -> Vec<Tariff> {
    let own: Value =
        serde_json::from_str(include_str!("../fixtures/own/pricing/tariffs_2.1.1.json")).unwrap();
    let mut found = vec![read_as(OcpiVersion::V2_1_1, &own[name])];
    if let Some(folder) = shared("spec/ocpi/2.1.1") {
        let text = std::fs::read_to_string(folder.join("mod_tariffs.md")).unwrap();
        let blocks = text.split("```json").skip(1).filter_map(|rest| rest.split("```").next());
        let tariffs: Vec<Value> = blocks.filter_map(|block| serde_json::from_str(block).ok()).collect();
        let names = ["simple", "alt_text", "alt_url", "complex", "free"];
        assert_eq!(tariffs.len(), names.len());
        let at = names.iter().position(|known| *known == name).unwrap();
        found.push(read_as(OcpiVersion::V2_1_1, &tariffs[at]));
    }
    found
}

#[test]
fn the_tariffs_of_2_1_1() {
    let each = |name: &str, progress: &[Progress], total: &str| {
        for tariff in of_2_1_1(name) {
            let priced = both_ways(&[tariff], ZONE, progress);
            assert_eq!(priced.total(), without_vat(total), "2.1.1 {name}: {:#?}", priced.explained.lines);
        }
    };
    // 152 min are billed as 155 × 2.00 an hour: 5.1666….
    for name in ["simple", "alt_text", "alt_url"] {
        each(name, &morning("20", 150, 60), "5.00");
        each(name, &morning("20", 152, 60), "5.17");
    }
    each("free", &morning("20", 150, 60), "0.00");
    // As tariff 4 above. Its text speaks of 32 A, its restrictions are on 32 kW.
    each("complex", &morning("10", 165, 42), "9.00");
    // 81.7 kWh in 114 min are 43 kW: 12.375.
    each("complex", &plugged_in(on(SATURDAY, "13:30"), "81.7", 114, 71), "12.38");
}
