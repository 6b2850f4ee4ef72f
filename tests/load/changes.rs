//! What changes under a running site: its stations' fuses, their clocks, and the node that runs it.

use super::bench::{Bench, MINUTE, SECOND, site};
use roamwatt::load::control::{Ask, Controller, Event, Finding, Order, Settings, Wish};
use roamwatt::load::ledger::{Entry, Millis, Outcome, Tenths, Trust};
use roamwatt::load::site::Site;

/// The site with another word on its connectors, or on its stations.
fn with(site: &Site, amps: f64, fuse: Option<f64>) -> Site {
    let mut site = site.clone();
    for station in &mut site.stations {
        station.amps = fuse;
        station.connectors.iter_mut().for_each(|connector| connector.amps = amps);
    }
    site
}

/// A controller that takes over, as when a site was changed or the node has restarted: with the pages as the database
/// keeps them.
fn take_over(bench: &mut Bench, site: Site) {
    let page = |entry: &Entry| {
        let text = serde_json::to_string(entry).unwrap();
        Some(serde_json::from_str(&text).unwrap())
    };
    let pages = bench.controller.ledger().entries().iter().map(page).collect();
    bench.controller = Controller::new(site, Settings::default(), pages, None, bench.now);
    bench.tell(Event::Online { station: 0 });
}

fn most(orders: &[Order]) -> Option<(Tenths, bool)> {
    orders.iter().find_map(|order| match order.ask {
        Ask::StationMost { limit } => Some((limit, order.raises)),
        _ => None,
    })
}

#[test]
fn a_changed_fuse_is_sent_at_once_and_again_until_it_is_accepted() {
    let mut bench = Bench::new(site(40, 1, ""), Trust::Proven);
    bench.begin(0);
    bench.pass(MINUTE);
    let narrow = with(bench.controller.site(), 16.0, Some(10.0));
    take_over(&mut bench, narrow.clone());
    let orders = bench.controller.tick(bench.now);
    assert_eq!(most(&orders), Some((100, false)), "{orders:?}");
    // What lowers a car goes before it, and nothing rises.
    assert!(
        matches!(orders[0].ask, Ask::Grant { limit: 100, .. }) && orders.iter().all(|order| !order.raises)
    );
    for order in orders {
        bench.tell(Event::Answered { seq: order.seq, outcome: Outcome::Lost });
    }
    bench.now += 31 * SECOND;
    assert_eq!(most(&bench.controller.tick(bench.now)), Some((100, false)));
    bench.now += 31 * SECOND;
    bench.tick();
    bench.pass(5 * MINUTE);
    // It is known over a restart, and not written again.
    take_over(&mut bench, narrow.clone());
    bench.now += MINUTE;
    assert_eq!(most(&bench.controller.tick(bench.now)), None);
    // A larger one may raise what flows: it is durable first.
    take_over(&mut bench, with(&narrow, 16.0, Some(12.0)));
    assert_eq!(most(&bench.controller.tick(bench.now)), Some((120, true)));
    // A station that has booted may have forgotten it.
    bench.tick();
    bench.pass(MINUTE);
    bench.tell(Event::Booted { station: 0 });
    assert_eq!(most(&bench.controller.tick(bench.now)), Some((120, false)));
}

#[test]
fn what_a_connector_could_draw_counts_until_the_station_has_accepted_less() {
    let mut bench = Bench::new(site(40, 2, ""), Trust::Proven);
    bench.begin(0);
    bench.pass(MINUTE);
    assert_eq!(bench.amps(0), 16.0);
    let counts = |bench: &Bench, leaf: usize| bench.controller.ledger().exposure(leaf, bench.now).most();
    let narrow = with(bench.controller.site(), 8.0, None);
    take_over(&mut bench, narrow);
    bench.answers = Outcome::Lost;
    bench.pass(2 * MINUTE);
    assert_eq!((counts(&bench, 0), counts(&bench, 1)), (160, 0), "nobody knows whether it arrived");
    let entry = bench.controller.ledger().entry(0).unwrap();
    assert_eq!((entry.nameplate, entry.outgrown, entry.ceiling()), (80, Some(160), 160));
    bench.answers = Outcome::Accepted;
    bench.pass(2 * MINUTE);
    assert_eq!((bench.amps(0), counts(&bench, 0)), (8.0, 80));
    let entry = bench.controller.ledger().entry(0).unwrap();
    assert_eq!((entry.outgrown, entry.most), (None, Some(80)));
    // The other station was never asked: it is not there. All that it was told counts.
    let away = bench.controller.ledger().entry(1).unwrap();
    assert_eq!((away.online, away.outgrown), (false, Some(160)));
}

#[test]
fn a_wish_survives_the_node_and_ends_with_its_charge() {
    let mut bench = Bench::new(site(20, 1, ""), Trust::Proven);
    bench.begin(0);
    bench.pass(MINUTE);
    let wish = Wish { most_amps: Some(9.0), energy_kwh: Some(3.0), ..Wish::default() };
    bench.tell(Event::Wish { leaf: 0, wish });
    bench.pass(15 * MINUTE);
    assert_eq!(bench.amps(0), 9.0);
    let before = bench.controller.view(bench.now).connectors[0].wish.unwrap();
    // 9 A on three phases are 6.2 kW.
    assert!((1.3..1.6).contains(&before.energy_kwh.unwrap()), "{before:?}");
    let same = bench.controller.site().clone();
    take_over(&mut bench, same.clone());
    bench.pass(10 * MINUTE);
    assert_eq!(bench.amps(0), 9.0);
    let after = bench.controller.view(bench.now).connectors[0].wish.unwrap();
    assert!((0.3..0.6).contains(&after.energy_kwh.unwrap()), "what it got before counts: {after:?}");
    bench.pass(10 * MINUTE);
    assert_eq!(bench.amps(0), 0.0, "it has what was wished");
    bench.tell(Event::Ended { leaf: 0, transaction: 1 });
    bench.tell(Event::Began { leaf: 0, transaction: 7, at: bench.now });
    bench.pass(MINUTE);
    assert_eq!((bench.amps(0), bench.controller.view(bench.now).connectors[0].wish), (16.0, None));
    take_over(&mut bench, same);
    assert_eq!(bench.controller.view(bench.now).connectors[0].wish, None);
}

#[test]
fn a_lease_is_kept_free_for_longer_at_a_station_whose_clock_is_behind() {
    let mut bench = Bench::new(site(20, 1, ""), Trust::Proven);
    let say = |bench: &mut Bench, late: Millis| {
        let said = bench.now - late;
        bench.tell(Event::Clock { station: 0, said });
    };
    // A message that waited for long in the station says nothing of its clock.
    say(&mut bench, 50 * MINUTE);
    assert_eq!((bench.found(), bench.controller.view(bench.now).clocks), (vec![], vec![]));
    bench.begin(0);
    bench.pass(20 * SECOND);
    for _ in 0..4 {
        say(&mut bench, 10 * MINUTE);
        bench.pass(20 * SECOND);
    }
    assert_eq!(bench.found(), [("S0".to_owned(), Finding::ClockBehind)]);
    assert_eq!(bench.controller.view(bench.now).clocks, [("S0".to_owned(), -600)]);
    let until = bench.controller.ledger().entry(0).unwrap().held[0].until;
    let same = bench.controller.site().clone();
    take_over(&mut bench, same);
    bench.tell(Event::Offline { station: 0 });
    let counts = |bench: &Bench, at: Millis| bench.controller.ledger().exposure(0, at).most();
    assert_eq!((counts(&bench, until + 9 * MINUTE), counts(&bench, until + 10 * MINUTE + SECOND)), (160, 0));
    // It has set its clock.
    bench.tell(Event::Online { station: 0 });
    say(&mut bench, 0);
    assert_eq!(bench.controller.view(bench.now).clocks, []);
    assert_eq!((counts(&bench, until + MINUTE), counts(&bench, until + MINUTE + SECOND)), (160, 0));
    // Ahead is certain.
    say(&mut bench, -5 * MINUTE);
    assert_eq!(bench.found(), [("S0".to_owned(), Finding::ClockAhead)]);
    assert_eq!(bench.controller.view(bench.now).clocks, [("S0".to_owned(), 300)]);
}
