//! What the controller makes of prices, CO₂ and the sun: who can wait does, and is ready in time; who cannot does not.

use super::bench::{Bench, MINUTE, SECOND, site};
use roamwatt::load::control::{Event, Finding, Wish};
use roamwatt::load::ledger::{Millis, Trust};
use roamwatt::load::outlook::SiteOutlook;
use serde_json::{Value, json};

const HOUR: Millis = 60 * MINUTE;

fn time(at: Millis) -> String {
    chrono::DateTime::from_timestamp_millis(at).unwrap().to_rfc3339()
}

/// Values from now on, each for an hour.
fn hours(bench: &Bench, values: &[f64]) -> Value {
    json!({ "from": time(bench.now), "minutes": 60, "values": values })
}

fn expect(bench: &mut Bench, outlook: &Value) {
    bench.tell(Event::Outlook(SiteOutlook::from_json(&outlook.to_string()).unwrap()));
}

/// A car that wants so many kWh, and leaves in so many hours.
fn wish(bench: &mut Bench, leaf: usize, kwh: f64, leaves_in: Option<Millis>) {
    let departure = leaves_in.map(|hours| bench.now + hours * HOUR);
    bench.tell(Event::Wish { leaf, wish: Wish { energy_kwh: Some(kwh), departure, ..Wish::default() } });
}

fn why(bench: &Bench, leaf: usize) -> String {
    bench.controller.view(bench.now).connectors[leaf].why.clone()
}

#[test]
fn a_car_waits_for_the_cheap_hours_and_has_its_energy_when_it_leaves() {
    let mut bench = Bench::new(site(20, 1, ""), Trust::Proven);
    let prices = hours(&bench, &[0.40, 0.40, 0.10, 0.10, 0.10, 0.40, 0.40, 0.40]);
    expect(&mut bench, &json!({ "prices": prices }));
    let begin = bench.now;
    bench.begin(0);
    wish(&mut bench, 0, 22.0, Some(8));
    bench.pass(5 * SECOND);
    assert_eq!(bench.amps(0), 16.0, "nobody knows yet how fast it charges");
    bench.pass(5 * MINUTE);
    assert_eq!(
        bench.amps(0),
        6.0,
        "once it is on it stays on for a quarter of an hour, with no more than it must"
    );
    bench.pass(15 * MINUTE);
    assert_eq!(bench.amps(0), 0.0, "{}", why(&bench, 0));
    let early = bench.kwh[0];
    assert!(early < 3.0, "{early} kWh in the dear hours");
    let cheap = time(begin + 2 * HOUR)[..16].replace('T', " ");
    assert_eq!(why(&bench, 0), format!("waits because of the price, until about {cheap} UTC"));
    let view = bench.controller.view(bench.now);
    assert!(view.plan.contains("; follows prices until "), "{}", view.plan);
    assert!(view.outlook[0].used && view.outlook[0].now == Some(0.40), "{:?}", view.outlook);
    bench.pass(90 * MINUTE);
    assert!(bench.kwh[0] < early + 0.1, "{} kWh before it is cheap", bench.kwh[0]);
    bench.pass(begin + 5 * HOUR - bench.now);
    assert!((21.8..23.0).contains(&bench.kwh[0]), "{} kWh when it is dear again", bench.kwh[0]);
    bench.pass(begin + 8 * HOUR - 10 * SECOND - bench.now);
    assert!((21.8..23.0).contains(&bench.kwh[0]), "{} kWh", bench.kwh[0]);
    assert_eq!(bench.found(), [], "what is expected has not ended yet");
    bench.pass(MINUTE);
    assert_eq!(bench.found(), [("prices".to_owned(), Finding::OutlookEnded)]);
    bench.pass(2 * HOUR);
    assert_eq!(bench.found(), [], "once");
}

#[test]
fn a_departure_comes_before_the_price() {
    let mut bench = Bench::new(site(20, 1, ""), Trust::Proven);
    // The cheap hour is the last one, and 22 kWh take two: that leaves too little to be sure of.
    let prices = hours(&bench, &[0.30, 0.30, 0.30, 0.30, 0.10]);
    expect(&mut bench, &json!({ "prices": prices }));
    bench.begin(0);
    bench.pass(MINUTE);
    wish(&mut bench, 0, 22.0, Some(5));
    bench.pass(3 * HOUR);
    assert!(bench.amps(0) == 0.0 && bench.kwh[0] < 13.0, "it has time: {}", why(&bench, 0));
    bench.pass(HOUR);
    assert_eq!((bench.amps(0), why(&bench, 0).as_str()), (16.0, "all that it asks for"), "in a dear hour");
    bench.pass(HOUR);
    assert!(bench.kwh[0] >= 21.8, "{} kWh", bench.kwh[0]);
}

#[test]
fn a_car_on_one_phase_counts_by_what_its_meter_shows() {
    let mut bench = Bench::new(site(20, 1, ""), Trust::Proven);
    bench.phases = vec![[true, false, false]];
    let prices = hours(&bench, &[0.30, 0.30, 0.30, 0.30, 0.30, 0.10]);
    expect(&mut bench, &json!({ "prices": prices }));
    bench.begin(0);
    // 15 kWh on one phase take more than four hours; on three they would take one and a half.
    wish(&mut bench, 0, 15.0, Some(6));
    bench.pass(6 * HOUR);
    assert!(bench.kwh[0] >= 14.8, "{} kWh", bench.kwh[0]);
}

#[test]
fn who_did_not_say_when_it_leaves_waits_for_no_price() {
    let mut bench = Bench::new(site(32, 3, ""), Trust::Proven);
    let prices = hours(&bench, &[0.40, 0.40, 0.40, 0.05, 0.05, 0.05]);
    expect(&mut bench, &json!({ "prices": prices }));
    for leaf in 0..3 {
        bench.begin(leaf);
    }
    wish(&mut bench, 0, 20.0, None);
    wish(&mut bench, 2, 10.0, Some(6));
    bench.pass(40 * MINUTE);
    assert_eq!(bench.amps(2), 0.0, "it can wait");
    assert_eq!((bench.amps(0), bench.amps(1)), (16.0, 16.0), "{} {}", why(&bench, 0), why(&bench, 1));
}

#[test]
fn without_an_outlook_nobody_waits_and_with_one_of_the_past_neither() {
    for outlook in [None, Some(-3), Some(0)] {
        let mut bench = Bench::new(site(20, 1, ""), Trust::Proven);
        if let Some(hours) = outlook {
            let from = time(bench.now + hours * HOUR);
            // Of the past, or always the same.
            let values = if hours < 0 { [0.4, 0.1] } else { [0.4, 0.4] };
            expect(&mut bench, &json!({ "prices": { "from": from, "minutes": 60, "values": values } }));
        }
        bench.begin(0);
        wish(&mut bench, 0, 11.0, Some(10));
        bench.pass(30 * MINUTE);
        assert_eq!((bench.amps(0), why(&bench, 0).as_str()), (16.0, "all that it asks for"));
        let ended = bench.found().iter().any(|(_, what)| *what == Finding::OutlookEnded);
        assert_eq!(ended, outlook == Some(-3));
        let view = bench.controller.view(bench.now);
        assert_eq!(view.outlook.first().map(|series| series.used), outlook.map(|hours| hours == 0));
    }
}

#[test]
fn a_car_follows_the_sun_and_the_sun_raises_no_limit() {
    let mut bench = Bench::new(site(10, 1, ""), Trust::Proven);
    let caps = bench.controller.caps(bench.now);
    let sun = hours(&bench, &[0.0, 0.0, 500.0, 500.0, 500.0, 0.0]);
    expect(&mut bench, &json!({ "sun_kw": sun }));
    let begin = bench.now;
    bench.begin(0);
    wish(&mut bench, 0, 10.0, Some(9));
    bench.pass(40 * MINUTE);
    assert!(bench.amps(0) == 0.0 && why(&bench, 0).starts_with("waits because of the sun, until about "));
    let early = bench.kwh[0];
    bench.pass(begin + 3 * HOUR - bench.now);
    assert_eq!(bench.controller.caps(bench.now), caps);
    assert!((6.0..=10.0).contains(&bench.amps(0)), "{}", bench.amps(0));
    bench.pass(begin + 5 * HOUR - bench.now);
    assert!(early < 2.5 && bench.kwh[0] > 9.8, "{early} and {} kWh", bench.kwh[0]);
}

#[test]
fn co2_alone_is_followed_as_a_price_is_and_forgotten_with_the_outlook() {
    let mut bench = Bench::new(site(20, 1, ""), Trust::Proven);
    let co2 = hours(&bench, &[450.0, 450.0, 90.0, 90.0]);
    expect(&mut bench, &json!({ "co2": co2 }));
    bench.begin(0);
    wish(&mut bench, 0, 11.0, Some(6));
    bench.pass(40 * MINUTE);
    assert!(bench.amps(0) == 0.0 && why(&bench, 0).starts_with("waits because of CO₂"), "{}", why(&bench, 0));
    bench.tell(Event::Outlook(SiteOutlook::default()));
    bench.pass(10 * MINUTE);
    assert_eq!((bench.amps(0), why(&bench, 0).as_str()), (16.0, "all that it asks for"));
}
