//! Each restriction at its edges and around them (2.2.1 mod_tariffs, "TariffRestrictions class"), while a charge runs
//! and by the periods of its CDR.

use super::both_ways::*;
use super::*;
use Activity::Charging;
use chrono_tz::Asia::{Kathmandu, Kolkata};
use chrono_tz::Australia::Lord_Howe;
use chrono_tz::Europe::Berlin;
use roamwatt::pricing::{CdrToPrice, WrappedDays, price_cdr};

/// A tariff with one component in each element, and a price and restrictions of its own.
fn elements(dimension: &str, list: &[(&str, Value)]) -> Tariff {
    let element = |(price, restrictions): &(&str, Value)| {
        let price: Value = serde_json::from_str(price).unwrap();
        let mut element = json!({"price_components": [{"type": dimension, "price": price, "step_size": 1}]});
        if !restrictions.is_null() {
            element["restrictions"] = restrictions.clone();
        }
        element
    };
    tariff(&json!({"elements": list.iter().map(element).collect::<Vec<_>>()}))
}

/// 6 an hour where the restrictions hold, else 3.
fn six_or_three(restrictions: Value) -> Tariff {
    elements("TIME", &[("6", restrictions), ("3", Value::Null)])
}

/// Charging from and to, by the clock of a place, with 10 kWh.
fn from_to(zone: Tz, from: &str, to: &str) -> [Progress; 2] {
    [
        Progress::measured(local(zone, from), kwh("0"), Charging),
        Progress::measured(local(zone, to), kwh("10"), Charging),
    ]
}

fn total(tariff: &Tariff, zone: Tz, from: &str, to: &str) -> String {
    both_ways(std::slice::from_ref(tariff), zone, &from_to(zone, from, to)).total().0
}

/// The same day.
fn day(tariff: &Tariff, from: &str, to: &str) -> String {
    total(tariff, ZONE, &format!("2026-01-14 {from}"), &format!("2026-01-14 {to}"))
}

fn begins(tariff: &Tariff, from: &str, to: &str) -> Vec<Decimal> {
    let (from, to) = (format!("2026-01-14 {from}"), format!("2026-01-14 {to}"));
    both_ways(std::slice::from_ref(tariff), ZONE, &from_to(ZONE, &from, &to)).begins()
}

fn minutes(list: &[&str]) -> Vec<Decimal> {
    list.iter().map(|text| decimal(text)).collect()
}

#[test]
fn the_start_of_a_window_is_in_it_and_its_end_is_not() {
    let tariff = six_or_three(json!({"start_time": "08:00", "end_time": "10:00"}));
    // 0.5 h × 3 + 2 h × 6 + 0.5 h × 3.
    assert_eq!(day(&tariff, "07:30", "10:30"), "15.00");
    assert_eq!(begins(&tariff, "07:30", "10:30"), minutes(&["0", "30", "150"]));
    assert_eq!(day(&tariff, "08:00", "10:00"), "12.00");
    assert_eq!(begins(&tariff, "08:00", "10:00"), minutes(&["0"]));
    assert_eq!(day(&tariff, "10:00", "11:00"), "3.00");
    assert_eq!(day(&tariff, "07:00", "08:00"), "3.00");
    assert_eq!(
        begins(&tariff, "09:59:59.999", "10:00:01"),
        minutes(&["0", "0.0000166666666666666666666667"])
    );
}

#[test]
fn a_window_may_go_over_midnight() {
    let tariff = six_or_three(json!({"start_time": "22:00", "end_time": "06:00"}));
    // 1 h × 3 + 8 h × 6 + 1 h × 3.
    assert_eq!(total(&tariff, ZONE, "2026-01-14 21:00", "2026-01-15 07:00"), "54.00");
    assert_eq!(day(&tariff, "05:00", "07:00"), "9.00");
    assert_eq!(day(&tariff, "21:00", "23:00"), "9.00");
}

#[test]
fn an_end_of_00_00_is_the_end_of_the_day() {
    let tariff = six_or_three(json!({"start_time": "22:00", "end_time": "00:00"}));
    assert_eq!(total(&tariff, ZONE, "2026-01-14 21:00", "2026-01-15 01:00"), "18.00");
    let all_day = six_or_three(json!({"start_time": "00:00", "end_time": "00:00"}));
    assert_eq!(day(&all_day, "07:00", "08:00"), "6.00");
    let only_end = six_or_three(json!({"end_time": "00:00"}));
    assert_eq!(day(&only_end, "07:00", "08:00"), "6.00");
}

#[test]
fn only_a_start_is_until_midnight_and_only_an_end_is_from_midnight() {
    let late = six_or_three(json!({"start_time": "22:00"}));
    assert_eq!(total(&late, ZONE, "2026-01-14 21:00", "2026-01-15 01:00"), "18.00");
    let early = six_or_three(json!({"end_time": "06:00"}));
    assert_eq!(total(&early, ZONE, "2026-01-14 23:00", "2026-01-15 07:00"), "42.00");
}

#[test]
fn a_window_that_ends_where_it_begins_is_empty() {
    let never = six_or_three(json!({"start_time": "08:00", "end_time": "08:00"}));
    assert_eq!(day(&never, "07:00", "09:00"), "6.00");
}

#[test]
fn days_of_the_week_change_at_midnight() {
    // 2026-01-16 is a Friday.
    let tariff = six_or_three(json!({"day_of_week": ["SATURDAY", "SUNDAY"]}));
    assert_eq!(total(&tariff, ZONE, "2026-01-16 23:00", "2026-01-17 01:00"), "9.00");
    assert_eq!(total(&tariff, ZONE, "2026-01-18 23:00", "2026-01-19 01:00"), "9.00");
    assert_eq!(total(&tariff, ZONE, "2026-01-17 23:00", "2026-01-18 01:00"), "12.00");
    let any = six_or_three(json!({"day_of_week": []}));
    assert_eq!(total(&any, ZONE, "2026-01-16 23:00", "2026-01-17 01:00"), "12.00");
}

#[test]
fn a_day_of_a_window_over_midnight_is_a_policy() {
    let tariff = six_or_three(json!({"start_time": "22:00", "end_time": "06:00", "day_of_week": ["FRIDAY"]}));
    let by = |wrapped_days, from: &str, to: &str| {
        let policy = PricingPolicy { wrapped_days, ..PricingPolicy::default() };
        both_ways_by(policy, std::slice::from_ref(&tariff), ZONE, &from_to(ZONE, from, to)).total().0
    };
    // The night from Thursday to Friday, Friday evening, and the night to Saturday: 6 + 2 + 6 hours of 6 or 3.
    let nights = [
        ("2026-01-16 00:00", "2026-01-16 06:00"),
        ("2026-01-16 22:00", "2026-01-17 00:00"),
        ("2026-01-17 00:00", "2026-01-17 06:00"),
    ];
    let window_start = nights.map(|(from, to)| by(WrappedDays::WindowStart, from, to));
    assert_eq!(window_start, ["18.00", "12.00", "36.00"]);
    let calendar = nights.map(|(from, to)| by(WrappedDays::Calendar, from, to));
    assert_eq!(calendar, ["36.00", "12.00", "18.00"]);
    assert_eq!(by(WrappedDays::WindowStart, "2026-01-16 21:00", "2026-01-17 07:00"), "54.00");
    assert_eq!(by(WrappedDays::Calendar, "2026-01-16 21:00", "2026-01-17 07:00"), "36.00");
}

#[test]
fn the_first_date_is_in_and_the_last_is_not() {
    let tariff = six_or_three(json!({"start_date": "2026-01-14", "end_date": "2026-01-16"}));
    assert_eq!(total(&tariff, ZONE, "2026-01-13 23:00", "2026-01-14 01:00"), "9.00");
    assert_eq!(total(&tariff, ZONE, "2026-01-15 23:00", "2026-01-16 01:00"), "9.00");
    assert_eq!(total(&tariff, ZONE, "2026-01-14 23:00", "2026-01-15 01:00"), "12.00");
    let from = six_or_three(json!({"start_date": "2026-01-14"}));
    assert_eq!(total(&from, ZONE, "2026-01-13 23:00", "2026-01-14 01:00"), "9.00");
    let until = six_or_three(json!({"end_date": "2026-01-14"}));
    assert_eq!(total(&until, ZONE, "2026-01-13 23:00", "2026-01-14 01:00"), "9.00");
}

#[test]
fn where_clocks_go_forward_an_hour_is_missing() {
    // 01:30 to 04:30 by the clock of 2026-03-29 are two hours.
    let (from, to) = ("2026-03-29 01:30", "2026-03-29 04:30");
    let missing = six_or_three(json!({"start_time": "02:00", "end_time": "03:00"}));
    assert_eq!(total(&missing, Berlin, from, to), "6.00", "there is no such hour on that day");
    let around = six_or_three(json!({"start_time": "01:45", "end_time": "03:15"}));
    assert_eq!(total(&around, Berlin, from, to), "7.50", "2 h × 3, and half an hour × 3 more");
    let half_past = six_or_three(json!({"start_time": "02:30", "end_time": "03:30"}));
    assert_eq!(total(&half_past, Berlin, from, to), "7.50", "from 03:00, when the clocks show it");
}

#[test]
fn where_clocks_go_back_an_hour_comes_twice() {
    // 01:30 to 03:30 by the clock of 2026-10-25 are three hours.
    let (from, to) = ("2026-10-25 01:30", "2026-10-25 03:30");
    let twice = six_or_three(json!({"start_time": "02:00", "end_time": "03:00"}));
    assert_eq!(total(&twice, Berlin, from, to), "15.00", "two hours of three");
    let half = six_or_three(json!({"start_time": "02:30", "end_time": "03:00"}));
    assert_eq!(total(&half, Berlin, from, to), "12.00", "half an hour, twice");
    let priced = both_ways(&[half], Berlin, &from_to(Berlin, from, to));
    assert_eq!(priced.begins(), minutes(&["0", "60", "90", "120", "150"]));
}

#[test]
fn zones_need_not_be_whole_hours() {
    let tariff = six_or_three(json!({"start_time": "08:00", "end_time": "09:00"}));
    for zone in [Kolkata, Kathmandu] {
        assert_eq!(total(&tariff, zone, "2026-01-14 07:30", "2026-01-14 09:30"), "9.00", "{zone}");
    }
    // Lord Howe puts its clocks back by half an hour, at 02:00 on 2026-04-05: 01:30 to 02:00 comes twice.
    let twice = six_or_three(json!({"start_time": "01:30", "end_time": "02:00"}));
    assert_eq!(
        total(&twice, Lord_Howe, "2026-04-05 01:00", "2026-04-05 02:30"),
        "9.00",
        "2 h × 3 and 1 h × 3 more"
    );
}

/// Measurements at minutes after 10:00.
fn measured(list: &[(i64, &str)]) -> Vec<Progress> {
    let start = local(ZONE, "2026-01-14 10:00");
    let one = |(minute, energy): &(i64, &str)| {
        Progress::measured(later(start, minute * MINUTE), kwh(energy), Charging)
    };
    list.iter().map(one).collect()
}

fn by_energy(list: &[(&str, Value)], progress: &[Progress]) -> Priced {
    both_ways(&[elements("ENERGY", list)], ZONE, progress)
}

#[test]
fn energy_is_interpolated_where_a_threshold_is_passed_between_two_meter_values() {
    let list = [("0.5", json!({"max_kwh": 10})), ("1", json!({"min_kwh": 10}))];
    // 8 kWh after half an hour, 14 after an hour: 10 after 40 minutes.
    let priced = by_energy(&list, &measured(&[(0, "0"), (30, "8"), (60, "14")]));
    assert_eq!(priced.total().0, "9.00", "10 × 0.5 + 4 × 1");
    assert_eq!(priced.begins(), minutes(&["0", "40"]));
    assert_eq!(priced.running.interpolated(), [1]);
    // A meter value of exactly the threshold is a measurement: no period is marked.
    let exactly = by_energy(&list, &measured(&[(0, "0"), (30, "10"), (60, "14")]));
    assert_eq!((exactly.total().0.as_str(), exactly.begins()), ("9.00", minutes(&["0", "30"])));
    assert_eq!(exactly.running.interpolated(), [0_usize; 0]);
    // It ends at the threshold: nothing is above it.
    let until = by_energy(&list, &measured(&[(0, "0"), (30, "10")]));
    assert_eq!((until.total().0.as_str(), until.begins()), ("5.00", minutes(&["0"])));
    // Two thresholds in one interval.
    let list = [("0.5", json!({"max_kwh": 2})), ("1", json!({"max_kwh": 5})), ("2", Value::Null)];
    let two = by_energy(&list, &measured(&[(0, "0"), (60, "6")]));
    assert_eq!((two.total().0.as_str(), two.begins()), ("6.00", minutes(&["0", "20", "50"])));
    assert_eq!(two.running.interpolated(), [1, 2]);
}

#[test]
fn energy_is_interpolated_at_a_time_to_a_tenth_of_a_watt_hour() {
    let list = [("1", json!({"end_time": "10:20"})), ("2", Value::Null)];
    // 1 kWh in an hour: 0.3333 until 10:20, 0.6667 after.
    let priced = by_energy(&list, &measured(&[(0, "0"), (60, "1")]));
    let volumes: Vec<String> =
        priced.periods.iter().map(|one| one.dimensions[0].volume.to_string()).collect();
    assert_eq!(volumes, ["0.3333", "0.6667"]);
    assert_eq!(priced.running.interpolated(), [1]);
    assert_eq!(priced.cost.exact_excl_vat, Exact::from_money(money("1.6667")).unwrap());
}

#[test]
fn durations_count_from_the_start_of_the_charge() {
    let list = [("6", json!({"max_duration": 1800})), ("3", json!({"min_duration": 1800}))];
    let tariff = elements("TIME", &list);
    assert_eq!(day(&tariff, "10:00", "11:00"), "4.50");
    assert_eq!(begins(&tariff, "10:00", "11:00"), minutes(&["0", "30"]));
    assert_eq!(begins(&tariff, "10:00", "10:30"), minutes(&["0"]));
    let short = elements("TIME", &[("6", json!({"min_duration": 60, "max_duration": 120}))]);
    assert_eq!(day(&short, "10:00", "11:00"), "0.10", "one minute of sixty");
}

#[test]
fn power_is_the_mean_between_two_meter_values() {
    let list = [
        ("1", json!({"max_power": 16})),
        ("2", json!({"min_power": 16, "max_power": 32})),
        ("3", Value::Null),
    ];
    // 15.999, 16, 31.998 and 32 kW for an hour each.
    let progress = measured(&[(0, "0"), (60, "15.999"), (120, "31.999"), (180, "63.997"), (240, "95.997")]);
    let priced = by_energy(&list, &progress);
    assert_eq!(priced.begins(), minutes(&["0", "60", "180"]));
    assert_eq!(priced.total().0, "208.00", "15.999 + (16 + 31.998) × 2 + 32 × 3 = 207.995");
}

#[test]
fn current_is_that_of_the_meter_value() {
    let list = [("1", json!({"max_current": 32})), ("2", json!({"min_current": 32}))];
    let amperes = |list: &[(i64, &str, &str)]| -> Vec<Progress> {
        let with = |(minute, energy, amperes): &(i64, &str, &str)| {
            with_current(measured(&[(*minute, energy)]), amperes)[0]
        };
        list.iter().map(with).collect()
    };
    // The hour to a meter value has its current: 31.9, then 32, then 31.9 again.
    let progress = amperes(&[(0, "0", "31.9"), (60, "10", "31.9"), (120, "20", "32"), (180, "30", "31.9")]);
    let priced = by_energy(&list, &progress);
    assert_eq!(priced.total().0, "40.00");
    assert_eq!(priced.begins(), minutes(&["0", "60", "120"]));
    // Never told: no restriction on it holds, and nothing else prices the energy.
    assert_eq!(by_energy(&list, &measured(&[(0, "0"), (60, "10")])).total().0, "0.00");
}

#[test]
fn all_restrictions_of_an_element_have_to_hold() {
    let both = json!({"start_time": "10:30", "min_kwh": 6, "max_duration": 5400});
    // 6 kWh after 36 minutes, 90 minutes are at 15 kWh: 9 of 20 kWh.
    let priced = by_energy(&[("1", both), ("0.1", Value::Null)], &measured(&[(0, "0"), (120, "20")]));
    assert_eq!(priced.begins(), minutes(&["0", "36", "90"]));
    assert_eq!(priced.total().0, "10.10", "6 × 0.1 + 9 × 1 + 5 × 0.1");
}

#[test]
fn dimensions_find_their_elements_each_on_its_own() {
    let tariff = tariff(&json!({"elements": [
        {"price_components": [{"type": "TIME", "price": 6, "step_size": 1}], "restrictions": {"max_duration": 1800}},
        {"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}], "restrictions": {"max_kwh": 4}},
        {"price_components": [{"type": "ENERGY", "price": 2, "step_size": 1}, {"type": "TIME", "price": 3, "step_size": 1}]},
    ]}));
    let priced = both_ways(&[tariff], ZONE, &measured(&[(0, "0"), (60, "6")]));
    assert_eq!(priced.begins(), minutes(&["0", "30", "40"]));
    assert_eq!(priced.total().0, "12.50", "3 + 1.50 for the time, 4 + 4 for the energy");
}

#[test]
fn a_restriction_may_change_while_parking() {
    let tariff = elements("PARKING_TIME", &[("6", json!({"start_time": "08:00", "end_time": "18:00"}))]);
    let progress = plugged_in(local(ZONE, "2026-01-14 17:00"), "10", 30, 120);
    let priced = both_ways(std::slice::from_ref(&tariff), ZONE, &progress);
    assert_eq!(priced.begins(), minutes(&["0", "30", "60"]));
    assert_eq!(priced.total().0, "3.00");
    // Overnight: it is priced again from 08:00 on.
    let overnight = plugged_in(local(ZONE, "2026-01-14 17:00"), "10", 30, 16 * 60);
    assert_eq!(both_ways(&[tariff], ZONE, &overnight).total().0, "12.00", "half an hour and one and a half");
}

#[test]
fn energy_that_is_fed_back_falls_below_a_threshold_again() {
    let list = [("0.5", json!({"max_kwh": 10})), ("1", json!({"min_kwh": 10}))];
    let progress = measured(&[(0, "0"), (60, "12"), (120, "8"), (180, "12")]);
    let priced = by_energy(&list, &progress);
    assert_eq!(priced.begins(), minutes(&["0", "50", "90", "150"]));
    // 10 and 2 up, 2 and 2 down, 2 and 2 up: 10 below the threshold, 2 above.
    assert_eq!(priced.total().0, "7.00");
    let turned = by_energy(&list, &measured(&[(0, "0"), (60, "10"), (120, "8")]));
    assert_eq!(turned.total().0, "4.00", "what falls from the threshold is below it");
}

#[test]
fn the_tariff_may_change_with_the_charging_preference() {
    let mut green = elements("ENERGY", &[("1", json!({"max_kwh": 4})), ("2", Value::Null)]);
    green.id = "GREEN".into();
    let mut fast = elements("ENERGY", &[("10", json!({"min_duration": 3000})), ("5", Value::Null)]);
    fast.id = "FAST".into();
    let mut progress = measured(&[(0, "0"), (20, "2"), (40, "4"), (60, "6"), (80, "8")]);
    for (one, tariff) in progress.iter_mut().zip([0, 1, 1, 0, 0]) {
        one.tariff = tariff;
    }
    let priced = both_ways(&[green, fast], ZONE, &progress);
    // 2 × 1 green, 2 × 5 and until 50 min 1 × 5, then 1 × 10 fast, 2 × 2 green.
    assert_eq!(priced.total().0, "31.00");
    assert_eq!(priced.begins(), minutes(&["0", "20", "50", "60"]));
    let named: Vec<&str> =
        priced.periods.iter().map(|period| period.tariff_id.as_ref().unwrap().as_str()).collect();
    assert_eq!(named, ["GREEN", "FAST", "FAST", "GREEN"]);
}

#[test]
fn bounds_hold_for_what_was_priced_with_their_tariff() {
    let list = |first: &str, second: &str| {
        let mut low = elements("ENERGY", &[(first, Value::Null)]);
        low.min_price = serde_json::from_value(json!({"excl_vat": 3})).unwrap();
        let mut high = elements("ENERGY", &[(second, Value::Null)]);
        high.id = "T2".into();
        high.max_price = serde_json::from_value(json!({"excl_vat": 8})).unwrap();
        [low, high]
    };
    let mut progress = measured(&[(0, "0"), (60, "2"), (120, "4")]);
    progress[1].tariff = 1;
    progress[2].tariff = 1;
    assert_eq!(
        both_ways(&list("1", "5"), ZONE, &progress).total().0,
        "11.00",
        "2, at least 3, and 10, at most 8"
    );
    assert_eq!(both_ways(&list("2", "3"), ZONE, &progress).total().0, "10.00", "4 and 6");
}

#[test]
fn a_flat_may_become_active_later() {
    let energy = json!({"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}]});
    let flat = |price: i64, restrictions: Value| json!({"price_components": [{"type": "FLAT", "price": price, "step_size": 1}], "restrictions": restrictions});
    let with = |flats: &[Value], progress: &[Progress]| {
        let mut list = flats.to_vec();
        list.push(energy.clone());
        both_ways(&[tariff(&json!({"elements": list}))], ZONE, progress)
    };
    let hour = measured(&[(0, "0"), (60, "6")]);
    let late = with(&[flat(5, json!({"min_duration": 1800}))], &hour);
    assert_eq!((late.total().0.as_str(), late.begins()), ("11.00", minutes(&["0", "30"])));
    let never = with(&[flat(5, json!({"min_duration": 3600}))], &hour);
    assert_eq!((never.total().0.as_str(), never.begins()), ("6.00", minutes(&["0"])));
    let much = with(&[flat(5, json!({"min_kwh": 4}))], &hour);
    assert_eq!((much.total().0.as_str(), much.begins()), ("11.00", minutes(&["0", "40"])));
    // Once: the first that is active, though another comes.
    let two = with(&[flat(5, json!({"min_duration": 1800})), flat(2, Value::Null)], &hour);
    assert_eq!(two.total().0, "8.00");
    // The power of the start is known with the first meter value only.
    let strong = [flat(5, json!({"min_power": 5})), flat(2, Value::Null)];
    assert_eq!(with(&strong, &hour).total().0, "11.00");
    assert_eq!(with(&strong, &measured(&[(0, "0"), (60, "4"), (120, "14")])).total().0, "16.00");
    // It stays what it was though the power falls.
    assert_eq!(with(&strong, &measured(&[(0, "0"), (60, "6"), (120, "8")])).total().0, "13.00");
}

#[test]
fn a_word_that_another_takes_back_at_the_same_moment_charges_nothing() {
    let mut dear = simple(&[("FLAT", "5", None, 1)]);
    dear.id = "DEAR".into();
    let list = [simple(&[("ENERGY", "1", None, 1)]), dear];
    let mut progress = measured(&[(0, "0"), (30, "3"), (30, "3"), (60, "6")]);
    progress[1].tariff = 1;
    assert_eq!(both_ways(&list, ZONE, &progress).total().0, "6.00");
}

#[test]
fn a_reservation_is_priced_by_the_clock_too() {
    let tariff = tariff(&json!({"elements": [
        {"price_components": [{"type": "TIME", "price": 6, "step_size": 1}, {"type": "FLAT", "price": 1, "step_size": 1}],
         "restrictions": {"reservation": "RESERVATION", "start_time": "08:00", "end_time": "20:00"}},
        {"price_components": [{"type": "TIME", "price": 3, "step_size": 1}, {"type": "FLAT", "price": 2, "step_size": 1}],
         "restrictions": {"reservation": "RESERVATION"}},
        {"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}]},
    ]}));
    let start = local(ZONE, "2026-01-14 07:30");
    let price = |periods: &[roamwatt::domain::charging_period::ChargingPeriod], end: i64| {
        let list = [tariff.clone()];
        let end = later(start, end * MINUTE);
        let cdr = CdrToPrice { start, end, zone: ZONE, tariffs: &list, periods };
        price_cdr(&cdr, &PricingPolicy::default()).unwrap()
    };
    let mut periods = vec![
        period(start, &[("RESERVATION_TIME", "0.5")]),
        period(later(start, 30 * MINUTE), &[("RESERVATION_TIME", "0.25")]),
        period(later(start, 45 * MINUTE), &[("ENERGY", "4"), ("TIME", "0.5")]),
    ];
    let used = price(&periods, 75);
    assert_eq!(part(&used.reservation), without_vat("5.00"), "0.5 h × 3, 0.25 h × 6, and the FLAT of 07:30");
    assert_eq!(said(&used.total), without_vat("9.00"));
    assert_eq!((used.total_time, used.total_reservation_time), (decimal("0.5"), decimal("0.75")));
    periods.truncate(2);
    assert_eq!(said(&price(&periods, 45).total), without_vat("5.00"), "expired: there is no other price");
}

#[test]
fn a_period_that_spans_a_threshold_of_power_is_not_below_it() {
    let tariff = elements(
        "ENERGY",
        &[("1", json!({"max_power": 16})), ("2", json!({"min_power": 16})), ("3", Value::Null)],
    );
    let start = local(ZONE, "2026-01-14 10:00");
    let price = |dimensions: &[(&str, &str)]| {
        let list = [tariff.clone()];
        let mut all = vec![("ENERGY", "10"), ("TIME", "1")];
        all.extend(dimensions);
        let cdr = CdrToPrice {
            start,
            end: later(start, 60 * MINUTE),
            zone: ZONE,
            tariffs: &list,
            periods: &[period(start, &all)],
        };
        said(&price_cdr(&cdr, &PricingPolicy::default()).unwrap().total).0
    };
    assert_eq!(price(&[("MIN_POWER", "5"), ("MAX_POWER", "15.9")]), "10.00");
    assert_eq!(price(&[("MIN_POWER", "5"), ("MAX_POWER", "16")]), "30.00", "neither all below nor all above");
    assert_eq!(price(&[("MIN_POWER", "16"), ("MAX_POWER", "50")]), "20.00");
    assert_eq!(price(&[("MAX_POWER", "15")]), "10.00", "the one that is told counts for both");
    assert_eq!(price(&[]), "10.00", "the mean of energy and time");
    let list = [tariff.clone()];
    let warned = |low: &str, high: &str| {
        let told = [("ENERGY", "10"), ("TIME", "1"), ("MIN_POWER", low), ("MAX_POWER", high)];
        let stated = stated_by(&list, ZONE, (start, later(start, 60 * MINUTE)), &[period(start, &told)]);
        stated.warnings(&ready(&list[0])).len()
    };
    assert_eq!((warned("5", "15.9"), warned("5", "16")), (0, 1), "the period should have been two");
}

#[test]
fn parking_looks_at_restrictions_as_charging_does() {
    let tariff = tariff(&json!({"elements": [
        {"price_components": [{"type": "PARKING_TIME", "price": 6, "step_size": 60}],
         "restrictions": {"min_duration": 3600, "min_kwh": 10}},
    ]}));
    let start = local(ZONE, "2026-01-14 10:00");
    assert_eq!(
        both_ways(std::slice::from_ref(&tariff), ZONE, &plugged_in(start, "10", 45, 30)).total().0,
        "1.50"
    );
    assert_eq!(both_ways(&[tariff], ZONE, &plugged_in(start, "9.999", 45, 30)).total().0, "0.00");
}
