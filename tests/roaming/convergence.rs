//! A partner that fails ends with exactly our state, and has every CDR once.

use super::delivery::{abc, add_tariff, rename, site};
use super::peer::{FakePartner, Mood, health, until, until_told};
use crate::charging::site::{Site, at};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db;
use roamwatt::db::locations::Owner;
use roamwatt::db::page::Page;
use roamwatt::ocpi::v2_2_1::{cdrs, locations, sessions, tariffs};
use roamwatt::roaming::catalogue::remove_tariff;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a partner has to hold, as it stands on the wire.
async fn ours(site: &Site) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let page = Page::first(1000);
    let db = &site.node.app().db;
    let json = |value: serde_json::Result<Value>| value.unwrap();
    for session in site.sessions().await {
        let wire = sessions::wire::Session::from(session.clone()).with_at_most_4_decimals();
        all.insert(format!("sessions/DE/ABC/{}", session.id), json(serde_json::to_value(wire)));
    }
    for cdr in site.cdrs().await {
        let wire = cdrs::wire::Cdr::from(cdr.clone()).with_at_most_4_decimals();
        all.insert(format!("cdrs/{}", cdr.id), json(serde_json::to_value(wire)));
    }
    let found = db.read(move |conn| db::tariffs::list(conn, &Owner::Ours, page)).await.unwrap();
    for tariff in found.items {
        let wire = tariffs::wire::Tariff::from(tariff.clone());
        all.insert(format!("tariffs/DE/ABC/{}", tariff.id), json(serde_json::to_value(wire)));
    }
    let found = db.read(move |conn| db::locations::list(conn, &Owner::Ours, page)).await.unwrap();
    for location in found.items {
        let wire = locations::wire::Location::from(location.clone());
        all.insert(format!("locations/DE/ABC/{}", location.id), json(serde_json::to_value(wire)));
    }
    all
}

/// The location's own time of change may differ by what only its EVSEs changed: the receiver moves it then.
fn comparable(mut held: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    for (path, object) in &mut held {
        if path.starts_with("locations") {
            object.as_object_mut().unwrap().remove("last_updated");
        }
    }
    held
}

/// Waits for a failure, and for nothing more: the clock stands.
async fn failed(site: &Site, partner: i64, failures: i32) {
    until("the failure is noted", async || health(&site.node, partner).await.failures >= failures).await;
    let health = health(&site.node, partner).await;
    assert_eq!(health.failures, failures);
    assert!(health.retry_at.unwrap() > site.clock.now() && health.last_error.is_some(), "{health:?}");
}

/// As long as a wait can be.
fn wait_is_over(site: &Site) {
    site.clock.advance(Duration::from_secs(3600));
}

on_each_engine! {
    async fn a_partner_that_failed_in_every_way_ends_with_our_state(db: TestDb) {
        let site = site(&db).await;
        add_tariff(&site, "T2").await;
        let mut partner = FakePartner::away();
        let id = partner.join(&site.node).await;
        // Nobody listens.
        failed(&site, id, 1).await;
        assert_eq!(partner.seen().len(), 0);
        let started = site.begin(0, "04A1", 60, 1000).await;
        partner.come();
        let moods = [
            Mood::Hangs,
            Mood::Status(503, ""),
            Mood::Status(500, ""),
            Mood::Status(429, ""),
            Mood::Status(401, ""),
            Mood::Rubbish,
            Mood::LosesAnswers(""),
        ];
        for (failures, mood) in (2..).zip(moods) {
            partner.be(mood);
            wait_is_over(&site);
            failed(&site, id, failures).await;
            site.meter(0, started.transaction_id, 100 + i64::from(failures), 1000 + 100 * i64::from(failures)).await;
            site.status(1, i64::from(failures), if failures % 2 == 0 { "Faulted" } else { "Available" }).await;
        }
        site.end(0, started.transaction_id, 660, 3000).await;
        site.settle_after(3600).await;
        failed(&site, id, 9).await;
        rename(&site, "At last").await;
        let app = site.node.app();
        app.db.write(|conn| remove_tariff(conn, &abc(), &"T2".into(), at(9))).await.unwrap();
        assert_ne!(comparable(partner.held()), comparable(ours(&site).await));

        partner.be(Mood::Well);
        wait_is_over(&site);
        until_told(&site.node, id).await;
        assert_eq!(comparable(partner.held()), comparable(ours(&site).await));
        let health = health(&site.node, id).await;
        assert_eq!((health.failures, health.retry_at, health.last_error), (0, None, None));

        // And goes on to.
        let second = site.begin(1, "04A2", 9000, 0).await;
        site.meter(1, second.transaction_id, 9100, 700).await;
        until_told(&site.node, id).await;
        site.meter(1, second.transaction_id, 9200, 1400).await;
        until_told(&site.node, id).await;
        assert_eq!(comparable(partner.held()), comparable(ours(&site).await));
    }

    async fn a_cdr_is_posted_until_it_is_acknowledged(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        let started = site.begin(0, "04A1", 60, 1000).await;
        site.end(0, started.transaction_id, 660, 3000).await;
        until_told(&site.node, id).await;
        partner.be(Mood::LosesAnswers("cdrs"));
        site.settle_after(3600).await;
        let posts = || partner.seen().into_iter().filter(|seen| seen.path == "cdrs").collect::<Vec<_>>();
        for failures in 1..4 {
            failed(&site, id, failures).await;
            assert_eq!(posts().len(), usize::try_from(failures).unwrap());
            wait_is_over(&site);
        }
        failed(&site, id, 4).await;
        partner.be(Mood::Well);
        wait_is_over(&site);
        until_told(&site.node, id).await;
        let posted = posts();
        assert_eq!(posted.len(), 5);
        assert!(posted.iter().all(|post| post.body == posted[0].body), "the same, always");
        let held: Vec<_> = partner.held().into_iter().filter(|(path, _)| path.starts_with("cdrs")).collect();
        assert_eq!(held.len(), 1);
        // Nothing makes it go again.
        rename(&site, "New").await;
        site.clock.advance(Duration::from_secs(100_000));
        until_told(&site.node, id).await;
        assert_eq!(posts().len(), posted.len());
    }

    /// A period of a session that the partner took without our knowing must not be appended twice.
    async fn after_a_lost_answer_a_session_goes_whole(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        let started = site.begin(0, "04A1", 60, 1000).await;
        site.meter(0, started.transaction_id, 120, 1500).await;
        until_told(&site.node, id).await;
        partner.be(Mood::LosesAnswers("sessions"));
        site.status(0, 180, "SuspendedEV").await;
        site.meter(0, started.transaction_id, 240, 1500).await;
        failed(&site, id, 1).await;
        partner.be(Mood::Well);
        wait_is_over(&site);
        until_told(&site.node, id).await;
        let ours = site.sessions().await.remove(0);
        let theirs = partner.holds(&format!("sessions/DE/ABC/{}", ours.id)).unwrap();
        assert_eq!(theirs["charging_periods"].as_array().unwrap().len(), ours.charging_periods.len());
        let last = partner.heard().into_iter().rfind(|heard| heard.contains("sessions")).unwrap();
        assert!(last.starts_with("PUT"), "{last}");
    }
}
