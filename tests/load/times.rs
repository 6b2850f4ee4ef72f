//! Limits by the time of day, in the site's zone.

use chrono::{DateTime, Utc};
use roamwatt::load::rows::{Quantity, Rows};
use roamwatt::load::site::Site;

fn rows() -> Rows {
    let text = r#"
        id = "x"
        time_zone = "Europe/Berlin"
        [[node]]
        id = "grid"
        amps = 63
        [[node.schedule]]
        from = "17:00"
        to = "20:00"
        amps = { l1 = 32, l2 = 80, l3 = 40 }
        [[node.schedule]]
        from = "22:00"
        to = "06:00"
        days = ["fri"]
        watts = 5000
        [[node.schedule]]
        from = "02:30"
        to = "03:30"
        days = ["sun"]
        amps = 20
        [[station]]
        id = "A"
        parent = "grid"
        connector = [{ number = 1, amps = 32 }]
    "#;
    Rows::compile(&Site::from_toml(text).unwrap())
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn cap(rows: &Rows, of: Quantity, time: &str) -> f64 {
    rows.caps_at(at(time))[rows.row("grid", of).unwrap()]
}

#[test]
fn a_window_only_narrows_and_goes_by_local_time() {
    let rows = rows();
    // Berlin is an hour ahead in winter, two in summer.
    assert_eq!(cap(&rows, Quantity::L1, "2026-01-14T15:59:59Z"), 63.0);
    assert_eq!(cap(&rows, Quantity::L1, "2026-01-14T16:00:00Z"), 32.0);
    assert_eq!(cap(&rows, Quantity::L2, "2026-01-14T16:00:00Z"), 63.0);
    assert_eq!(cap(&rows, Quantity::L3, "2026-01-14T18:59:59Z"), 40.0);
    assert_eq!(cap(&rows, Quantity::L3, "2026-01-14T19:00:00Z"), 63.0);
    assert_eq!(cap(&rows, Quantity::L1, "2026-07-14T15:00:00Z"), 32.0);
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    let rows = rows();
    assert_eq!(cap(&rows, Quantity::Watts, "2026-01-16T20:59:00Z"), f64::INFINITY);
    assert_eq!(cap(&rows, Quantity::Watts, "2026-01-16T21:00:00Z"), 5000.0);
    assert_eq!(cap(&rows, Quantity::Watts, "2026-01-17T04:59:00Z"), 5000.0);
    assert_eq!(cap(&rows, Quantity::Watts, "2026-01-17T05:00:00Z"), f64::INFINITY);
    assert_eq!(cap(&rows, Quantity::Watts, "2026-01-17T22:00:00Z"), f64::INFINITY);
}

#[test]
fn the_next_change_is_known_also_where_the_clock_is_turned() {
    let rows = rows();
    let next = |time: &str| rows.next_change(at(time)).unwrap();
    assert_eq!(next("2026-01-14T12:00:00Z"), at("2026-01-14T16:00:00Z"));
    assert_eq!(next("2026-01-14T16:00:00Z"), at("2026-01-14T19:00:00Z"));
    // On 29 March 02:30 does not exist; the window begins at 03:00 and ends at 03:30.
    assert_eq!(cap(&rows, Quantity::L1, "2026-03-29T00:59:59Z"), 63.0);
    assert_eq!(cap(&rows, Quantity::L1, "2026-03-29T01:00:00Z"), 20.0);
    assert_eq!(cap(&rows, Quantity::L1, "2026-03-29T01:30:00Z"), 63.0);
    assert_eq!(next("2026-03-29T00:30:00Z"), at("2026-03-29T01:00:00Z"));
    assert_eq!(rows.lowest_caps()[rows.row("grid", Quantity::L1).unwrap()], 20.0);
}
