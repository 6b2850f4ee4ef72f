//! The controller of a site, event by event.

use super::bench::{Bench, MINUTE, SECOND, site};
use roamwatt::load::control::{
    Ask, Controller, Event, Finding, GridControl, GridLimit, Settings, Wish, guaranteed_watts,
};
use roamwatt::load::ledger::{Millis, Outcome, Trust};

#[test]
fn two_cars_share_and_the_one_that_leaves_frees_its_part() {
    let mut bench = Bench::new(site(20, 2, ""), Trust::Proven);
    bench.begin(0);
    bench.pass(MINUTE);
    assert_eq!(bench.amps(0), 16.0);
    bench.begin(1);
    bench.pass(MINUTE);
    assert_eq!((bench.amps(0), bench.amps(1)), (10.0, 10.0));
    bench.charging[1] = false;
    bench.tell(Event::Ended { leaf: 1, transaction: 2 });
    bench.pass(6 * MINUTE);
    assert_eq!(bench.amps(0), 16.0);
}

#[test]
fn a_limit_rises_once_in_five_minutes_and_a_lease_is_renewed_before_it_ends() {
    let mut bench = Bench::new(site(20, 1, ""), Trust::Proven);
    bench.begin(0);
    bench.pass(10 * SECOND);
    assert_eq!((bench.amps(0), bench.writes), (16.0, 1));
    // For less the meter takes a part of it away, and gives it back at once.
    bench.pass(9 * MINUTE);
    assert_eq!(bench.writes, 1, "a lease of fifteen minutes is not renewed before ten have passed");
    bench.pass(2 * MINUTE);
    assert_eq!(bench.writes, 2);
    bench.pass(60 * MINUTE);
    assert_eq!(bench.writes, 8, "six an hour");
    let view = bench.controller.view(bench.now);
    assert_eq!(view.connectors[0].writes_today, 8);
}

#[test]
fn a_car_on_one_phase_leaves_the_others_to_its_neighbour() {
    let mut bench = Bench::new(site(16, 2, ""), Trust::Proven);
    bench.phases = vec![[true, false, false], [false, true, false]];
    bench.begin(0);
    bench.begin(1);
    bench.pass(10 * MINUTE);
    assert_eq!((bench.amps(0), bench.amps(1)), (16.0, 16.0), "each has a phase of its own");
}

#[test]
fn a_car_that_takes_less_gives_the_rest_away() {
    let mut bench = Bench::new(site(24, 2, ""), Trust::Proven);
    bench.takes[0] = 7.0;
    bench.begin(0);
    bench.begin(1);
    bench.pass(12 * MINUTE);
    assert!(bench.amps(0) <= 9.0 && bench.amps(1) >= 15.0, "{:?}", bench.told);
}

#[test]
fn a_wish_only_narrows() {
    let mut bench = Bench::new(site(16, 1, ""), Trust::Proven);
    bench.begin(0);
    bench.pass(10 * SECOND);
    let wish = |most: f64| Wish { most_amps: Some(most), ..Wish::default() };
    bench.tell(Event::Wish { leaf: 0, wish: wish(8.0) });
    bench.pass(10 * SECOND);
    assert_eq!(bench.amps(0), 8.0);
    bench.tell(Event::Wish { leaf: 0, wish: wish(1_000.0) });
    bench.pass(10 * MINUTE);
    assert_eq!(bench.amps(0), 16.0);
    bench.tell(Event::Wish { leaf: 0, wish: wish(3.0) });
    bench.pass(10 * SECOND);
    assert_eq!(bench.amps(0), 0.0, "less than a car can charge with means paused");
}

#[test]
fn who_leaves_soon_goes_first() {
    let mut bench = Bench::new(site(22, 2, ""), Trust::Proven);
    bench.begin(0);
    bench.begin(1);
    bench.pass(MINUTE);
    assert_eq!((bench.amps(0), bench.amps(1)), (11.0, 11.0));
    // 5 kWh in half an hour on three phases of 230 V are 14.5 A; the other has all day for them.
    let wish = |hours: Millis| Wish {
        energy_kwh: Some(5.0),
        departure: Some(bench.now + hours * 30 * MINUTE),
        ..Wish::default()
    };
    let (soon, late) = (wish(1), wish(20));
    bench.tell(Event::Wish { leaf: 0, wish: soon });
    bench.tell(Event::Wish { leaf: 1, wish: late });
    bench.pass(8 * MINUTE);
    assert!(bench.amps(0) > 14.0, "{:?}, {}", bench.told, bench.controller.view(bench.now).plan);
    assert!(bench.controller.view(bench.now).plan.starts_with("made "));
}

#[test]
fn a_site_meter_takes_its_load_off_and_its_worst_case_when_it_is_lost() {
    let meter = "[[meter]]\nid = 'house'\nnode = 'grid'\nmeasures = 'background'\nworst_amps = 9\nstale_seconds = 60\n";
    let mut bench = Bench::new(site(20, 1, meter), Trust::Proven);
    bench.begin(0);
    let read = |bench: &mut Bench, amps: f64| {
        let taken = bench.now;
        bench.tell(Event::SiteMeter { meter: 0, amps: [amps; 3], taken });
    };
    read(&mut bench, 2.0);
    bench.pass(10 * SECOND);
    assert_eq!(bench.amps(0), 16.0);
    read(&mut bench, 10.0);
    bench.pass(10 * SECOND);
    assert_eq!(bench.amps(0), 10.0);
    bench.pass(70 * SECOND);
    let left = |bench: &Bench| bench.controller.view(bench.now).rows[0].cap;
    assert_eq!(left(&bench), 11.0, "its worst case, since it is silent");
    assert!(bench.found().contains(&("house".to_owned(), Finding::MeterLost)));
    for nonsense in [f64::NAN, f64::INFINITY, -1e9] {
        read(&mut bench, 1.0);
        bench.pass(5 * SECOND);
        read(&mut bench, nonsense);
        bench.pass(10 * SECOND);
        assert_eq!(left(&bench), 11.0, "{nonsense}");
    }
}

#[test]
fn a_meter_of_everything_does_not_count_the_cars_twice() {
    let meter = "[[meter]]\nid = 'main'\nnode = 'grid'\nmeasures = 'total'\nworst_amps = 20\n";
    let mut bench = Bench::new(site(20, 1, meter), Trust::Proven);
    let pass = |bench: &mut Bench, minutes: Millis| {
        for _ in 0..minutes * 6 {
            let amps = [bench.draws(0) * f64::from(u8::from(bench.charging[0])) + 3.0; 3];
            let taken = bench.now;
            bench.tell(Event::SiteMeter { meter: 0, amps, taken });
            bench.pass(10 * SECOND);
        }
    };
    pass(&mut bench, 2);
    bench.begin(0);
    pass(&mut bench, 12);
    assert_eq!(bench.amps(0), 16.0, "3 A of the house leave 17 A");
}

#[test]
fn a_station_that_refuses_every_limit_counts_whole_and_is_reported() {
    let mut bench = Bench::new(site(20, 2, ""), Trust::Proven);
    bench.answers = Outcome::Unable;
    bench.begin(0);
    bench.pass(10 * SECOND);
    assert_eq!(bench.found(), [("S0".to_owned(), Finding::Unable)]);
    let entry = bench.controller.ledger().entry(0).unwrap();
    assert_eq!((entry.trust, entry.exposure(bench.now, 0).most()), (Trust::Unable, 160));
    bench.answers = Outcome::Accepted;
    bench.begin(1);
    bench.pass(MINUTE);
    assert_eq!(bench.amps(1), 0.0, "4 A are left, and that is not enough for a car");
}

#[test]
fn a_grid_limit_holds_at_once_and_its_silence_is_failsafe() {
    let agreed = format!("[grid_control]\nfailsafe_watts = {}\n", guaranteed_watts(2));
    let mut bench = Bench::new(site(32, 2, &agreed), Trust::Proven);
    assert!(GridControl::clone(&bench.controller.site().grid_control.unwrap()).failsafe_watts > 7_559.0);
    bench.tell(Event::GridLimit(GridLimit { watts: None, until: None }));
    bench.begin(0);
    bench.begin(1);
    bench.pass(MINUTE);
    assert_eq!((bench.amps(0), bench.amps(1)), (16.0, 16.0));
    bench.tell(Event::GridLimit(GridLimit { watts: Some(9_000.0), until: None }));
    bench.tick();
    // 9,000 W on three phases of 230 V are 13.04 A: two cars of 6 A.
    assert_eq!((bench.amps(0), bench.amps(1)), (6.5, 6.5));
    // After two minutes of silence the failsafe limit of 7,560 W leaves 10.9 A: one car.
    bench.pass(3 * MINUTE);
    let sum = bench.amps(0) + bench.amps(1);
    assert!((6.0..=10.95).contains(&sum), "{:?}", bench.told);
    assert!(bench.found().iter().any(|(_, what)| *what == Finding::HeartbeatLost));
}

#[test]
fn nobody_starts_at_a_station_that_has_not_confirmed_its_standing_limit() {
    let site = site(20, 1, "");
    let mut controller = Controller::new(site, Settings::default(), Vec::new(), None, 0);
    assert!(!controller.admit(0, 0));
    controller.handle(&Event::Online { station: 0 }, 0);
    let orders = controller.tick(0);
    assert!(orders.iter().any(|order| matches!(order.ask, Ask::Default { leaf: 0, limit: 0 })));
    assert!(orders.iter().any(|order| matches!(order.ask, Ask::StationMost { limit: 160 })));
    for order in orders {
        controller.handle(&Event::Answered { seq: order.seq, outcome: Outcome::Accepted }, 0);
    }
    assert!(controller.admit(0, 0));
}
