//! What partners see of tariffs: their own and everybody's, and nobody else's.

use super::delivery::{LOCATION, change_location, site};
use super::peer::{FakePartner, until, until_told};
use crate::charging::site::{Site, at};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::page::Page;
use roamwatt::db::{DbError, partners, tariff_news, tariffs};
use roamwatt::domain::assignment::{Buyers, Members, Place, TokenMember};
use roamwatt::domain::partner::Partner;
use roamwatt::domain::party::Role;
use roamwatt::roaming::assign::{AssignError, withdraw};
use roamwatt::roaming::serve;
use serde_json::{Value, json};
use std::time::Duration;

/// Waits until what was announced is worked off and everybody was told.
async fn settled(site: &Site, partners: &[i64]) {
    let app = site.node.app();
    until("the news are worked off", async || {
        app.db.read(|conn| Ok::<_, DbError>(tariff_news::first(conn)?.is_none())).await.unwrap()
    })
    .await;
    app.wakes.delivery.notify_waiters();
    for partner in partners {
        until_told(&site.node, *partner).await;
    }
}

/// The tariffs of a connector, as a partner holds them.
fn tariff_ids(partner: &FakePartner, evse: usize) -> Value {
    partner.holds(LOCATION).unwrap()["evses"][evse]["connectors"][0]["tariff_ids"].clone()
}

/// The tariffs that a partner holds.
fn held(partner: &FakePartner) -> Vec<String> {
    let held = partner.held();
    let tariffs = held.keys().filter_map(|path| path.strip_prefix("tariffs/DE/ABC/"));
    tariffs.map(str::to_owned).collect()
}

fn evse(uid: &str) -> Place {
    Place::Evse { location_id: "LOC1".into(), evse_uid: uid.into() }
}

async fn partner(site: &Site, id: i64) -> Partner {
    site.node.app().db.read(move |conn| partners::find(conn, id)).await.unwrap().unwrap()
}

/// What a partner gets that asks for the tariffs that changed since a time.
async fn pulled(site: &Site, id: i64, since: i64) -> Vec<String> {
    let partner = partner(site, id).await;
    let page = Page { from: Some(at(since)), ..Page::first(100) };
    let slice = serve::tariffs(site.node.app(), &partner, None, page).await.unwrap();
    assert_eq!(usize::try_from(slice.total).unwrap(), slice.items.len());
    slice.items.into_iter().map(|tariff| tariff.id.to_string()).collect()
}

on_each_engine! {
    async fn a_special_tariff_is_told_to_its_buyer_alone(db: TestDb) {
        let site = site(&db).await;
        let (emp, other) = (FakePartner::start(), FakePartner::start());
        let emp_id = emp.join(&site.node).await;
        let other_id = other.join_as(&site.node, "other", &[("NL*OTH", Role::Emsp)]).await;
        let both = [emp_id, other_id];
        // A tariff that is not assigned is nobody's business.
        site.add_tariff("SPECIAL", "0.10", |_| ()).await;
        settled(&site, &both).await;
        assert_eq!((held(&emp), held(&other)), (vec!["T1".to_owned()], vec!["T1".to_owned()]));
        assert_eq!(tariff_ids(&emp, 0), json!(["T1"]));

        site.clock.advance(Duration::from_secs(100));
        let quiet = other.heard();
        let assignment = site.assign("SPECIAL", evse("E0"), Buyers::Partner { id: emp_id }).await;
        settled(&site, &both).await;
        assert_eq!(held(&emp), ["SPECIAL", "T1"]);
        // What goes before T1 at all times takes its place; at the other EVSE nothing changed.
        assert_eq!((tariff_ids(&emp, 0), tariff_ids(&emp, 1)), (json!(["SPECIAL"]), json!(["T1"])));
        assert_eq!(other.heard(), quiet, "others are not even told that something changed");
        let location = emp.holds(LOCATION).unwrap();
        assert_eq!(location["last_updated"], json!(at(100)));
        assert_eq!(location["evses"][0]["last_updated"], json!(at(100)));
        assert_eq!(location["evses"][0]["connectors"][0]["last_updated"], json!(at(100)));
        assert_eq!(location["evses"][1]["last_updated"], json!(at(0)));
        let heard = emp.heard();
        let place = |what: &str| heard.iter().rposition(|heard| *heard == what).unwrap();
        assert!(place("PUT tariffs/DE/ABC/SPECIAL") < place(&format!("PUT {LOCATION}")), "{heard:?}");

        // Who pulls sees the same.
        assert_eq!((pulled(&site, emp_id, 100).await, pulled(&site, other_id, 100).await), (vec!["SPECIAL".to_owned()], vec![]));
        let app = site.node.app();
        for (id, wanted) in [(emp_id, "SPECIAL"), (other_id, "T1")] {
            let partner = partner(&site, id).await;
            let page = serve::locations(app, &partner, None, Page::first(10)).await.unwrap();
            let one = serve::location(app, &partner, None, "loc1".into()).await.unwrap().unwrap();
            for location in [&page.items[0], &one] {
                let connector = &location.evses().next().unwrap().connectors[0];
                assert_eq!(connector.tariff_ids, Some(vec![wanted.into()]));
            }
        }

        // Taken back: first the location, then the tariff.
        site.clock.advance(Duration::from_secs(100));
        let before = emp.heard().len();
        site.unassign(assignment).await;
        settled(&site, &both).await;
        assert_eq!(held(&emp), ["T1"]);
        assert_eq!(tariff_ids(&emp, 0), json!(["T1"]));
        assert_eq!(emp.heard()[before..], [format!("PUT {LOCATION}"), "DELETE tariffs/DE/ABC/SPECIAL".to_owned()]);
        assert_eq!(other.heard(), quiet);
        assert_eq!(emp.holds(LOCATION).unwrap()["last_updated"], json!(at(200)));
    }

    async fn a_tariff_for_everybody_is_told_to_everybody(db: TestDb) {
        let site = site(&db).await;
        site.name_no_tariffs().await;
        let (emp, other) = (FakePartner::start(), FakePartner::start());
        let both = [
            emp.join(&site.node).await,
            other.join_as(&site.node, "other", &[("NL*OTH", Role::Emsp)]).await,
        ];
        site.add_tariff("BASE", "0.10", |_| ()).await;
        settled(&site, &both).await;
        assert!(held(&emp).is_empty() && tariff_ids(&emp, 0).is_null());
        let assignment = site.assign("BASE", Place::Party, Buyers::Everybody).await;
        settled(&site, &both).await;
        for partner in [&emp, &other] {
            assert_eq!(held(partner), ["BASE"]);
            assert_eq!((tariff_ids(partner, 0), tariff_ids(partner, 1)), (json!(["BASE"]), json!(["BASE"])));
        }
        // Changed: told again, with PUT.
        site.add_tariff("BASE", "0.77", |_| ()).await;
        settled(&site, &both).await;
        let price = |partner: &FakePartner| {
            partner.holds("tariffs/DE/ABC/BASE").unwrap()["elements"][0]["price_components"][0]["price"].clone()
        };
        assert_eq!((price(&emp), price(&other)), (json!(0.77), json!(0.77)));
        // Not removed while it is assigned.
        let app = site.node.app();
        let remove = || app.db.write(|conn| withdraw(conn, &"DE*ABC".parse().unwrap(), &"base".into(), at(9)));
        assert!(matches!(remove().await.unwrap_err(), AssignError::InUse { .. }));
        site.unassign(assignment).await;
        settled(&site, &both).await;
        assert!(held(&emp).is_empty() && held(&other).is_empty());
        assert!(tariff_ids(&emp, 0).is_null());
        assert!(remove().await.unwrap());
    }

    /// Whose tokens a group holds is told, and whose it no longer holds is told so.
    async fn a_group_of_tokens_concerns_their_emsps(db: TestDb) {
        let site = site(&db).await;
        let (emp, other) = (FakePartner::start(), FakePartner::start());
        let both = [
            emp.join(&site.node).await,
            other.join_as(&site.node, "other", &[("NL*OTH", Role::Emsp)]).await,
        ];
        let of = |contract: &str| Members::Tokens(vec![TokenMember::contract(contract).unwrap()]);
        site.group("fleet", of("DE-EMP-C1")).await;
        site.add_tariff("FLEET", "0.10", |_| ()).await;
        site.assign("FLEET", Place::Party, Buyers::TokenGroup { group: "fleet".into() }).await;
        settled(&site, &both).await;
        assert_eq!((held(&emp), held(&other)), (vec!["FLEET".to_owned(), "T1".to_owned()], vec!["T1".to_owned()]));
        assert_eq!(tariff_ids(&other, 0), json!(["T1"]));
        site.group("fleet", of("NL-OTH-C1")).await;
        settled(&site, &both).await;
        assert_eq!((held(&other), held(&emp)), (vec!["FLEET".to_owned(), "T1".to_owned()], vec!["T1".to_owned()]));
        assert_eq!(tariff_ids(&emp, 0), json!(["T1"]));
    }

    /// Nobody does anything: time passes, and partners are told.
    async fn beginnings_and_ends_are_told_when_they_come(db: TestDb) {
        let site = site(&db).await;
        site.name_no_tariffs().await;
        let emp = FakePartner::start();
        let id = [emp.join(&site.node).await];
        site.add_tariff("BASE", "0.10", |_| ()).await;
        site.add_tariff("SUMMER", "0.20", |_| ()).await;
        site.assign("BASE", Place::Party, Buyers::Everybody).await;
        site.assign_for("SUMMER", evse("E0"), Buyers::Everybody, (Some(1_000), Some(2_000))).await;
        settled(&site, &id).await;
        // Told before it is valid, so that drivers can be told.
        assert_eq!(held(&emp), ["BASE", "SUMMER"]);
        assert_eq!((tariff_ids(&emp, 0), tariff_ids(&emp, 1)), (json!(["BASE", "SUMMER"]), json!(["BASE"])));
        let updated = || emp.holds(LOCATION).unwrap()["evses"][0]["last_updated"].clone();
        for (advance, moment, ids) in [(1_000, 1_000, json!(["BASE", "SUMMER"])), (1_000, 2_000, json!(["BASE"]))] {
            site.clock.advance(Duration::from_secs(advance));
            until("the edge is told", async || updated() == json!(at(moment))).await;
            settled(&site, &id).await;
            assert_eq!(tariff_ids(&emp, 0), ids, "at {moment}");
            assert_eq!(emp.holds("tariffs/DE/ABC/SUMMER").unwrap()["last_updated"], json!(at(moment)));
        }
        // Over, but assigned: charges that began with it may still run.
        assert_eq!(held(&emp), ["BASE", "SUMMER"]);

        // A tariff's own time, while no node runs.
        site.add_tariff("BASE", "0.10", |tariff| tariff.end_date_time = Some(at(5_000))).await;
        settled(&site, &id).await;
        assert_eq!(tariff_ids(&emp, 1), json!(["BASE"]));
        site.clock.advance(Duration::from_secs(3_500));
        until("the end is told", async || tariff_ids(&emp, 1).is_null()).await;
        settled(&site, &id).await;
        assert_eq!(pulled(&site, id[0], 5_000).await, ["BASE"]);
    }

    /// A CPO's locations are touched a few at a time, and none is left out.
    async fn many_locations_are_touched_in_batches(db: TestDb) {
        let site = site(&db).await;
        let emp = FakePartner::start();
        let id = [emp.join(&site.node).await];
        for number in 0..60 {
            let name: &'static str = format!("MANY{number}").leak();
            change_location(&site, name, |_| ()).await;
        }
        site.add_tariff("EMP", "0.10", |_| ()).await;
        site.clock.advance(Duration::from_secs(50));
        site.assign("EMP", Place::Party, Buyers::Emsp { party: "DE*EMP".parse().unwrap() }).await;
        settled(&site, &id).await;
        let locations: Vec<Value> =
            emp.held().into_iter().filter(|(path, _)| path.starts_with("locations")).map(|(_, held)| held).collect();
        assert_eq!(locations.len(), 61);
        for location in locations {
            assert_eq!(location["evses"][1]["connectors"][0]["tariff_ids"], json!(["EMP"]));
            assert_eq!(location["last_updated"], json!(at(50)));
        }
        // Nothing is sent twice for it.
        let times = emp.heard().iter().filter(|heard| heard.ends_with("/MANY59")).count();
        assert!(times <= 2, "{times}");
        let found = site.node.app().db.read(|conn| tariffs::find(conn, &"DE*ABC".parse().unwrap(), &"EMP".into())).await;
        assert_eq!(found.unwrap().unwrap().last_updated, at(50));
    }
}
