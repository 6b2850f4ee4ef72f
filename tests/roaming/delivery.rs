//! How changes reach a partner: what is sent, in which order, and what is not.

use super::peer::{EMP, FakePartner, Mood, health, set_status, until, until_told, waiting};
use crate::charging::site::{Site, at, token};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::{DbError, changes, locations, partners, tariffs};
use roamwatt::domain::CiString;
use roamwatt::domain::assignment::{Assignment, Buyers, Place};
use roamwatt::domain::location::Location;
use roamwatt::domain::partner::{ModuleId, PartnerStatus};
use roamwatt::domain::party::{PartyId, Role};
use roamwatt::domain::tariff::Tariff;
use roamwatt::roaming::assign::{AssignError, assign};
use roamwatt::roaming::catalogue::{put_location, put_tariff, put_token, remove_tariff};
use roamwatt::roaming::spread::work_off;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

pub(super) const LOCATION: &str = "locations/DE/ABC/LOC1";

/// A site whose calls to partners give up soon.
pub(super) async fn site(db: &TestDb) -> Site {
    Site::start(db.url(), 2, |config| config.roaming.request_timeout = Duration::from_millis(400)).await
}

pub(super) fn abc() -> PartyId {
    "DE*ABC".parse().unwrap()
}

pub(super) async fn change_location(site: &Site, id: &'static str, change: impl Fn(&mut Location)) {
    let app = site.node.app();
    let find = |conn: &mut _| locations::find(conn, &abc(), &"LOC1".into());
    let mut location = app.db.read(find).await.unwrap().unwrap();
    location.id = id.into();
    location.last_updated = app.now();
    change(&mut location);
    let now = app.now();
    app.db.write(move |conn| put_location(conn, &location, now)).await.unwrap();
    app.wakes.delivery.notify_waiters();
}

pub(super) async fn rename(site: &Site, name: &'static str) {
    change_location(site, "LOC1", |location| location.name = Some(name.to_owned())).await;
}

pub(super) async fn add_tariff(site: &Site, id: &'static str) {
    let app = site.node.app();
    let find = |conn: &mut _| tariffs::find(conn, &abc(), &"T1".into());
    let tariff = Tariff { id: id.into(), ..app.db.read(find).await.unwrap().unwrap() };
    let now = app.now();
    let everywhere = Assignment {
        id: 0,
        party: abc(),
        tariff_id: id.into(),
        place: Place::Party,
        buyers: Buyers::Everybody,
        valid_from: None,
        valid_to: None,
        created: now,
    };
    let write = move |conn: &mut _| {
        put_tariff(conn, &tariff, now)?;
        // Partners are told of what is for sale: the connectors name T1 themselves.
        if id != "T1" {
            assign(conn, &everywhere, false, now)?;
        }
        Ok::<_, AssignError>(())
    };
    app.db.write(write).await.unwrap();
    work_off(&app.db, now).await.unwrap();
    app.wakes.delivery.notify_waiters();
}

on_each_engine! {
    /// Registered: everything, each object after what it refers to, each message from and for the right party.
    async fn all_is_told_in_order(db: TestDb) {
        let site = site(&db).await;
        let started = site.begin(0, "04A1", 60, 1000).await;
        site.meter(0, started.transaction_id, 360, 2000).await;
        site.end(0, started.transaction_id, 660, 3000).await;
        site.settle_after(3600).await;
        change_location(&site, "HOME", |location| location.publish = false).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        until_told(&site.node, id).await;

        let session = site.sessions().await.remove(0).id;
        assert_eq!(
            partner.heard(),
            [
                "PUT tariffs/DE/ABC/T1".to_owned(),
                format!("PUT {LOCATION}"),
                format!("PUT sessions/DE/ABC/{session}"),
                "POST cdrs".to_owned(),
            ],
            "and nothing of tokens, nor of a location that is not for partners"
        );
        assert!(partner.seen().iter().all(|seen| seen.routing == "DE*ABC > DE*EMP"));
        assert_eq!(partner.holds(&format!("cdrs/{session}")).unwrap()["total_energy"], json!(2));
        let health = health(&site.node, id).await;
        assert_eq!((health.failures, health.last_contact), (0, Some(site.clock.now())));
    }

    /// Over all batches, too.
    async fn the_order_holds_over_many_batches(db: TestDb) {
        let small = |config: &mut roamwatt::config::Config| config.roaming.delivery_batch = 2;
        let site = Site::start(db.url(), 2, small).await;
        for id in ["T2", "T3", "T4"] {
            add_tariff(&site, id).await;
        }
        change_location(&site, "ANOTHER", |_| ()).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        until_told(&site.node, id).await;
        let modules: Vec<String> =
            partner.seen().iter().map(|seen| seen.path.split('/').next().unwrap().to_owned()).collect();
        assert_eq!(modules, ["tariffs", "tariffs", "tariffs", "tariffs", "locations", "locations"]);
    }

    /// Only what a partner's roles may see: a CPO is told of tokens and of nothing else.
    async fn a_cpo_is_told_of_tokens(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join_as(&site.node, "CPO", &[("NL*CPO", Role::Cpo)]).await;
        until_told(&site.node, id).await;
        let mut heard = partner.heard();
        heard.sort();
        assert_eq!(
            heard,
            ["PUT tokens/DE/EMP/04A1", "PUT tokens/DE/EMP/04A2", "PUT tokens/DE/EMP/04BAD"]
        );
        assert_eq!(partner.seen()[0].routing, "DE*EMP > NL*CPO");
        let app = site.node.app();
        let mut blocked = token("04A1", false);
        blocked.last_updated = at(5);
        app.db.write(move |conn| put_token(conn, &blocked, at(5))).await.unwrap();
        until_told(&site.node, id).await;
        let seen = partner.seen().pop().unwrap();
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("PATCH", "tokens/DE/EMP/04A1"));
        assert_eq!(seen.body, json!({"valid": false, "last_updated": at(5)}));
    }

    /// A change of an EVSE's status is small, also for a worker that does not know what the partner holds.
    async fn the_status_of_an_evse_goes_alone(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        until_told(&site.node, id).await;
        for (second, status, wanted) in [(10, "Faulted", "OUTOFORDER"), (20, "Available", "AVAILABLE")] {
            site.clock.advance(Duration::from_secs(10));
            site.status(1, second, status).await;
            until_told(&site.node, id).await;
            let seen = partner.seen().pop().unwrap();
            assert_eq!((seen.method.as_str(), seen.path.as_str()), ("PATCH", "locations/DE/ABC/LOC1/E1"));
            assert_eq!(seen.body, json!({"status": wanted, "last_updated": site.clock.now()}));
            // The next worker begins anew.
            set_status(&site.node, id, PartnerStatus::Suspended).await;
            until("the worker has ended", async || {
                !site.node.get("/metrics").await.text().await.unwrap().contains("partner_backlog{")
            })
            .await;
            set_status(&site.node, id, PartnerStatus::Registered).await;
        }
        // A partner that has forgotten the location gets all of it.
        partner.forget();
        site.status(1, 30, "Faulted").await;
        until_told(&site.node, id).await;
        assert_eq!(partner.heard().pop().unwrap(), format!("PUT {LOCATION}"));
        assert_eq!(partner.holds(LOCATION).unwrap()["evses"][1]["status"], "OUTOFORDER");
    }

    /// A session that grows is patched, and its charging periods stay whole.
    async fn a_session_grows_at_the_partner(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        let started = site.begin(0, "04A1", 60, 1000).await;
        until_told(&site.node, id).await;
        let session = site.sessions().await.remove(0).id;
        let path = format!("sessions/DE/ABC/{session}");
        for (second, meter) in [(120, 1500), (180, 2000)] {
            site.clock.advance(Duration::from_secs(60));
            site.meter(0, started.transaction_id, second, meter).await;
            until_told(&site.node, id).await;
        }
        site.end(0, started.transaction_id, 240, 2500).await;
        site.settle_after(3600).await;
        until_told(&site.node, id).await;
        let ours = site.sessions().await.remove(0);
        let theirs = partner.holds(&path).unwrap();
        assert_eq!((&theirs["status"], &theirs["kwh"]), (&json!("COMPLETED"), &json!(1.5)));
        assert_eq!(theirs["charging_periods"].as_array().unwrap().len(), ours.charging_periods.len());
        assert_eq!(partner.heard().iter().filter(|heard| **heard == "POST cdrs").count(), 1);
    }

    /// What is gone, or not for partners any more.
    async fn what_is_gone_is_taken_back(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        until_told(&site.node, id).await;
        let app = site.node.app();
        app.db.write(|conn| remove_tariff(conn, &abc(), &"T1".into(), at(1))).await.unwrap();
        change_location(&site, "LOC1", |location| location.publish = false).await;
        until_told(&site.node, id).await;
        assert_eq!(partner.holds("tariffs/DE/ABC/T1"), None);
        assert_eq!(partner.holds(LOCATION).unwrap()["publish"], json!(false));
        let heard = partner.heard();
        // It is not mentioned any more, by whatever changes in it.
        site.status(0, 10, "Faulted").await;
        rename(&site, "Hidden").await;
        until_told(&site.node, id).await;
        assert_eq!(partner.heard(), heard);
    }

    async fn a_refused_object_is_set_aside_and_others_pass(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        partner.be(Mood::Refuses(2001, "tariffs"));
        let id = partner.join(&site.node).await;
        until("one is set aside", async || waiting(&site.node, id).await == (0, 1)).await;
        assert!(partner.holds(LOCATION).is_some());
        assert_eq!(health(&site.node, id).await.failures, 0);
        let tries = partner.seen().len();
        rename(&site, "New").await;
        until("another is told", async || waiting(&site.node, id).await == (0, 1)).await;
        assert_eq!(partner.seen().len(), tries + 1, "what was refused is not sent again with the others");
        // The next change takes it up again.
        partner.be(Mood::Well);
        add_tariff(&site, "T1").await;
        until_told(&site.node, id).await;
        assert!(partner.holds("tariffs/DE/ABC/T1").is_some());
    }

    /// One object at which the partner breaks does not hold up the others, and is offered until it is taken.
    async fn an_object_that_breaks_the_partner_waits_alone(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        partner.be(Mood::Status(500, "tariffs"));
        let id = partner.join(&site.node).await;
        until("the others are told", async || waiting(&site.node, id).await == (1, 0)).await;
        assert!(partner.holds(LOCATION).is_some());
        rename(&site, "New").await;
        until("others pass on", async || {
            partner.holds(LOCATION).is_some_and(|location| location["name"] == "New")
        })
        .await;
        partner.be(Mood::Well);
        site.clock.advance(Duration::from_secs(3600));
        until_told(&site.node, id).await;
        assert!(partner.holds("tariffs/DE/ABC/T1").is_some());
        until("all is well", async || health(&site.node, id).await.last_error.is_none()).await;
    }

    async fn a_change_while_sending_is_not_lost(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        until_told(&site.node, id).await;
        let permits = Arc::new(Semaphore::new(0));
        partner.be(Mood::Waits(Arc::clone(&permits)));
        let before = partner.seen().len();
        rename(&site, "First").await;
        until("the first is on its way", async || partner.seen().len() == before + 1).await;
        rename(&site, "Second").await;
        permits.add_permits(100);
        until_told(&site.node, id).await;
        assert_eq!(partner.holds(LOCATION).unwrap()["name"], "Second");
        let names: Vec<_> = partner.seen().drain(before..).map(|seen| seen.body["name"].clone()).collect();
        assert_eq!(names, ["First", "Second"]);
    }

    async fn a_suspended_partner_is_told_nothing_until_it_is_back(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        until_told(&site.node, id).await;
        set_status(&site.node, id, PartnerStatus::Suspended).await;
        let before = partner.seen().len();
        rename(&site, "Meanwhile").await;
        let started = site.begin(0, "04A1", 60, 1000).await;
        site.end(0, started.transaction_id, 660, 3000).await;
        site.settle_after(3600).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(partner.seen().len(), before);
        set_status(&site.node, id, PartnerStatus::Registered).await;
        until_told(&site.node, id).await;
        assert_eq!(partner.holds(LOCATION).unwrap()["name"], "Meanwhile");
        assert!(partner.heard().contains(&"POST cdrs".to_owned()));
    }

    async fn a_partner_that_hangs_does_not_delay_another(db: TestDb) {
        let long = |config: &mut roamwatt::config::Config| {
            config.roaming.request_timeout = Duration::from_secs(60);
        };
        let site = Site::start(db.url(), 2, long).await;
        let (slow, quick) = (FakePartner::start(), FakePartner::start());
        slow.be(Mood::Hangs);
        let slow_id = slow.join(&site.node).await;
        until("the slow one has a request", async || !slow.seen().is_empty()).await;
        let quick_id = quick.join_as(&site.node, "quick", &[("NL*QCK", Role::Emsp)]).await;
        until_told(&site.node, quick_id).await;
        rename(&site, "New").await;
        until_told(&site.node, quick_id).await;
        assert_eq!(quick.holds(LOCATION).unwrap()["name"], "New");
        assert_eq!(slow.seen().len(), 1, "and it still has not answered");
        until("both are counted", async || {
            let metrics = site.node.get("/metrics").await.text().await.unwrap();
            let counts = |name: &str, count: i64| {
                metrics.contains(&format!("roamwatt_partner_backlog{{partner=\"{name}\"}} {count}\n"))
            };
            counts("quick", 0) && counts(EMP, 2)
        })
        .await;
        assert_eq!(health(&site.node, slow_id).await.failures, 0);
        // A hanging partner does not hold up the end either.
        let begun = std::time::Instant::now();
        site.node.stop().await;
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    /// What another process marks, or removes, is seen without being told of it.
    async fn what_is_marked_elsewhere_is_found(db: TestDb) {
        let site = site(&db).await;
        let partner = FakePartner::start();
        let id = partner.join(&site.node).await;
        until_told(&site.node, id).await;
        let other = db.open();
        let key = changes::ObjectKey::of_tariff(&abc(), &CiString::from("GONE"));
        other
            .write::<_, DbError, _>(move |conn| changes::mark(conn, id, &ModuleId::Tariffs, &key, at(1)))
            .await
            .unwrap();
        until_told(&site.node, id).await;
        assert_eq!(partner.heard().pop().unwrap(), "DELETE tariffs/DE/ABC/GONE");
        let forgotten = move |conn: &mut _| {
            partners::forget_changes(conn, id)?;
            partners::find(conn, id)
        };
        assert!(other.write::<_, DbError, _>(forgotten).await.unwrap().is_some());
    }
}
