//! A CDR is offered to its eMSP until it acknowledged it or pulled it.

use super::peer::{EMP, FakePartner, Mood, health, until, until_told, waiting};
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use roamwatt::db::changes::{self, Change, ObjectKey};
use roamwatt::db::page::Page;
use roamwatt::db::{DbError, partners};
use roamwatt::domain::partner::ModuleId;
use roamwatt::domain::party::Role;
use roamwatt::roaming::serve;
use serde_json::Value;
use std::time::Duration;

/// A site with two settled charges of [`EMP`]'s drivers.
async fn with_two_cdrs(db: &TestDb) -> Site {
    let site =
        Site::start(db.url(), 2, |config| config.roaming.request_timeout = Duration::from_millis(400)).await;
    for (station, card) in [(0, "04A1"), (1, "04A2")] {
        let started = site.begin(station, card, 60, 1000).await;
        site.end(station, started.transaction_id, 660, 3000).await;
    }
    site.settle_after(3600).await;
    assert_eq!(site.cdrs().await.len(), 2);
    site
}

/// Gives a partner a token to call the node with.
async fn let_in(node: &TestNode, partner: i64) -> String {
    let token = format!("token-of-{partner}");
    let hash = node.app().keys.hash(&token);
    let set = move |conn: &mut _| partners::set_tokens_in(conn, partner, Some(&hash), None);
    node.app().db.write::<_, DbError, _>(set).await.unwrap();
    token
}

/// The CDRs of a page that a partner pulls.
async fn pull(node: &TestNode, token: &str, query: &str) -> Vec<Value> {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(token);
    let request = node.client.get(node.url(&format!("/ocpi/2.2.1/cpo/cdrs{query}")));
    let answer = request.header("Authorization", format!("Token {encoded}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    body["data"].as_array().unwrap().clone()
}

/// The CDRs that a partner still has to be told of.
async fn untold(node: &TestNode, partner: i64) -> Vec<Change> {
    let pending = move |conn: &mut _| changes::pending(conn, partner, 100);
    let all = node.app().db.read(pending).await.unwrap();
    all.into_iter().filter(|change| change.module == ModuleId::Cdrs).collect()
}

on_each_engine! {
    async fn a_cdr_that_was_pulled_is_not_posted(db: TestDb) {
        let site = with_two_cdrs(&db).await;
        let node = &site.node;
        let mut partner = FakePartner::away();
        let id = partner.join(node).await;
        let token = let_in(node, id).await;
        until("the partner is left alone", async || health(node, id).await.failures > 0).await;
        assert_eq!(untold(node, id).await.len(), 2);

        // What another partner pulls is its own affair.
        let other = FakePartner::away();
        let other = other.join_as(node, "other", &[("NL*OTH", Role::Emsp)]).await;
        assert_eq!(pull(node, &let_in(node, other).await, "").await, Vec::<Value>::new());
        assert_eq!(untold(node, id).await.len(), 2);

        // A page takes what stands on it, and no more.
        let first = pull(node, &token, "?limit=1").await;
        assert_eq!(first.len(), 1);
        until("one is left", async || untold(node, id).await.len() == 1).await;
        assert!(untold(node, id).await.iter().all(|change| !change.key.0.ends_with(first[0]["id"].as_str().unwrap())));
        assert_eq!(pull(node, &token, "?limit=1").await, first, "it can be pulled as often as one likes");

        // The other one is posted; the one that was pulled is not, and everything else comes as ever.
        partner.come();
        site.clock.advance(Duration::from_secs(7200));
        until_told(node, id).await;
        let posted: Vec<Value> =
            partner.seen().into_iter().filter(|seen| seen.method == "POST").map(|seen| seen.body).collect();
        assert_eq!(posted.len(), 1);
        assert_ne!(posted[0]["id"], first[0]["id"]);
        let sessions = partner.heard().iter().filter(|told| told.starts_with("PUT sessions/")).count();
        assert_eq!(sessions, 2);
    }

    async fn a_cdr_that_was_refused_and_pulled_is_not_offered_again(db: TestDb) {
        let site = with_two_cdrs(&db).await;
        let node = &site.node;
        let partner = FakePartner::start();
        partner.be(Mood::Refuses(2001, "cdrs"));
        let id = partner.join(node).await;
        let token = let_in(node, id).await;
        until("both are set aside", async || waiting(node, id).await == (0, 2)).await;
        assert_eq!(pull(node, &token, "").await.len(), 2);
        until("nothing is left", async || waiting(node, id).await == (0, 0)).await;
    }

    /// The partner registers again in the moment between: it is told everything, also what it has just pulled.
    async fn a_mark_that_is_newer_than_the_page_stays(db: TestDb) {
        let site = with_two_cdrs(&db).await;
        let (node, now) = (&site.node, site.clock.now());
        let partner = FakePartner::away();
        let id = partner.join_as(node, "emp", &[(EMP, Role::Emsp)]).await;
        let app = node.app();
        let found = app.db.read::<_, DbError, _>(move |conn| partners::find(conn, id)).await.unwrap().unwrap();
        let (slice, marks) = serve::cdrs(app, &found, None, Page::first(10)).await.unwrap();
        assert_eq!((slice.items.len(), marks.len()), (2, 2));
        let key = ObjectKey::of(&slice.items[0].party, &slice.items[0].id);
        let again = key.clone();
        let mark = move |conn: &mut _| changes::mark(conn, id, &ModuleId::Cdrs, &again, now);
        app.db.write::<_, DbError, _>(mark).await.unwrap();
        serve::cdrs_were_taken(app, marks).await.unwrap();
        let left: Vec<ObjectKey> = untold(node, id).await.into_iter().map(|change| change.key).collect();
        assert_eq!(left, [key]);
    }
}
