//! What we pull from partners: completely after a registration, then what changed; and lists that cannot be
//! trusted.

use super::fake::{Fake, Mood, role};
use super::peer::{fixture, with};
use super::registering::{joined_with, node, node_with, until};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use roamwatt::db::cdrs::CdrFilter;
use roamwatt::db::locations::Owner;
use roamwatt::db::page::Page;
use roamwatt::db::{DbError, cdrs, locations, sessions, settings, tariffs, tokens};
use roamwatt::domain::partner::Partner;
use roamwatt::domain::party::Role;
use roamwatt::roaming::sync::pull_partner;
use serde_json::{Value, json};

const BOTH: &[Role] = &[Role::Cpo, Role::Emsp];

fn roles() -> Value {
    json!([role("DE*ABC", "CPO"), role("NL*XYZ", "EMSP")])
}

fn token(number: usize) -> Value {
    with(fixture("token_full"), json!({ "uid": format!("UID-{number}") }))
}

fn some_tokens(numbers: impl IntoIterator<Item = usize>) -> Vec<Value> {
    numbers.into_iter().map(token).collect()
}

/// How many locations, tariffs, tokens, sessions and CDRs of the partner we hold.
async fn held(node: &TestNode, partner: &Partner) -> [i64; 5] {
    let id = partner.id;
    node.app()
        .db
        .read::<_, DbError, _>(move |conn| {
            let (owner, page) = (Owner::Partner(id), Page::first(1));
            let filter = sessions::SessionFilter { owner: owner.clone(), emsps: None, status: None };
            Ok([
                locations::list(conn, &owner, page)?.total,
                tariffs::list(conn, &owner, page)?.total,
                tokens::list(conn, &owner, page)?.total,
                sessions::list(conn, &filter, page)?.total,
                cdrs::list(conn, &CdrFilter::of(owner), page)?.total,
            ])
        })
        .await
        .unwrap()
}

/// Waits until the complete pull after the registration is done.
async fn pulled(node: &TestNode, partner: &Partner) {
    let name = format!("sync.{}", partner.id);
    until("the first pull", async || {
        let name = name.clone();
        let text =
            node.app().db.read(move |conn| settings::get(conn, &name)).await.unwrap().unwrap_or_default();
        text.contains(r#""complete_at":"2"#)
    })
    .await;
}

/// A platform of five tokens, whose first pull is done.
async fn with_tokens(node: &TestNode) -> (Fake, Partner) {
    let (fake, _, partner) = joined_with(node, "peer", roles(), |state| {
        state.lists.insert("tokens", some_tokens(0..5));
    })
    .await;
    pulled(node, &partner).await;
    assert_eq!(held(node, &partner).await[2], 5);
    (fake, partner)
}

on_each_engine! {
    async fn everything_is_pulled_after_a_registration(db: TestDb) {
        let node = node(db.url(), "DE*OUR", BOTH).await;
        let (fake, _, partner) = joined_with(&node, "peer", roles(), |state| {
            state.lists.insert("tokens", some_tokens(0..5));
            for (module, name) in [("locations", "location_full"), ("tariffs", "tariff_full"), ("sessions", "session_full"), ("cdrs", "cdr_full")] {
                state.lists.insert(module, vec![fixture(name)]);
            }
        })
        .await;
        pulled(&node, &partner).await;
        assert_eq!(held(&node, &partner).await, [1, 1, 5, 1, 1]);
        let pages = fake.seen("GET", "/sender/tokens");
        let queries: Vec<&str> = pages.iter().map(|page| page.query.as_str()).collect();
        assert_eq!(queries, ["", "offset=2", "offset=4"], "a slash at the end of the base is no segment");
        assert_eq!(pages[0].headers["ocpi-from-party-id"], "OUR");
        assert_eq!(pages[0].headers["ocpi-to-party-id"], "XYZ");
        assert_eq!(fake.seen("GET", "/sender/locations")[0].headers["ocpi-to-party-id"], "ABC");
        let ids: std::collections::HashSet<&String> = pages.iter().map(|page| &page.headers["x-request-id"]).collect();
        assert_eq!(ids.len(), 3, "a request id is new each time");
        // The next pull asks for what changed only, and takes nothing that it knows.
        let again = pull_partner(node.app(), &partner, false).await.unwrap();
        assert_eq!((again.taken, again.removed), (0, 0));
        assert!(fake.seen("GET", "/sender/tokens")[3].query.starts_with("date_from="));
    }

    async fn a_role_decides_what_is_of_use(db: TestDb) {
        let node = node(db.url(), "DE*OUR", &[Role::Cpo]).await;
        let (fake, _, partner) = joined_with(&node, "peer", roles(), |state| {
            state.lists.insert("tokens", some_tokens(0..1));
            state.lists.insert("locations", vec![fixture("location_full")]);
        })
        .await;
        pulled(&node, &partner).await;
        assert_eq!(held(&node, &partner).await, [0, 0, 1, 0, 0]);
        assert_eq!(fake.count("GET", "/sender/locations"), 0);
    }

    async fn only_a_complete_pull_that_was_read_whole_removes(db: TestDb) {
        let node = node(db.url(), "DE*OUR", BOTH).await;
        let (fake, partner) = with_tokens(&node).await;
        fake.state().lists.insert("tokens", some_tokens(0..4));
        assert_eq!(pull_partner(node.app(), &partner, false).await.unwrap().removed, 0, "only changes were asked for");
        // One that cannot be read may be one that we hold.
        let mut list = some_tokens(0..3);
        list.push(with(token(3), json!({ "valid": "maybe" })));
        fake.state().lists.insert("tokens", list);
        let pull = pull_partner(node.app(), &partner, true).await.unwrap();
        assert_eq!((pull.refused, pull.removed), (1, 0));
        // A pull that ends early says nothing about the rest.
        fake.state().lists.insert("tokens", some_tokens(0..3));
        fake.state().mood = Mood::Rubbish;
        assert!(pull_partner(node.app(), &partner, true).await.is_err());
        fake.state().mood = Mood::Well;
        assert_eq!(held(&node, &partner).await[2], 5);
        let pull = pull_partner(node.app(), &partner, true).await.unwrap();
        assert_eq!(pull.removed, 2);
        assert_eq!(held(&node, &partner).await[2], 3);
    }

    async fn what_is_newer_here_stays_and_what_is_anothers_is_refused(db: TestDb) {
        let node = node(db.url(), "DE*OUR", BOTH).await;
        let (fake, partner) = with_tokens(&node).await;
        let older = with(token(0), json!({ "valid": false, "last_updated": "2001-01-01T00:00:00Z" }));
        let newer = with(token(1), json!({ "valid": false, "last_updated": "2031-01-01T00:00:00Z" }));
        let others = with(token(9), json!({ "party_id": "ZZZ" }));
        fake.state().lists.insert("tokens", vec![older, newer, others, token(2), token(3), token(4)]);
        let pull = pull_partner(node.app(), &partner, true).await.unwrap();
        assert_eq!((pull.taken, pull.refused, pull.removed), (1, 1, 0));
        let id = partner.id;
        let page = node.app().db.read(move |conn| tokens::list(conn, &Owner::Partner(id), Page::first(10))).await.unwrap();
        let invalid: Vec<String> =
            page.items.iter().filter(|token| !token.valid).map(|token| token.uid.to_string()).collect();
        assert_eq!(invalid, ["UID-1"]);
    }

    async fn lists_that_never_end_or_lead_away_are_given_up(db: TestDb) {
        let node = node_with(db.url(), "DE*OUR", BOTH, |config| {
            config.roaming.max_pages = 4;
            config.roaming.max_page_bytes = 20_000;
        })
        .await;
        let (fake, partner) = with_tokens(&node).await;
        let pull = async || pull_partner(node.app(), &partner, true).await;

        fake.state().loops = true;
        let error = pull().await.unwrap_err().to_string();
        assert!(error.contains("lead back"), "{error}");
        fake.state().loops = false;

        fake.state().lists.insert("tokens", some_tokens(0..11));
        let error = pull().await.unwrap_err().to_string();
        assert!(error.contains("more than 4 pages"), "{error}");

        let large = with(token(0), json!({ "issuer": "x".repeat(30_000) }));
        fake.state().lists.insert("tokens", vec![large]);
        let error = pull().await.unwrap_err().to_string();
        assert!(error.contains("more than 20000 bytes"), "{error}");

        fake.state().answers.insert("/sender/tokens".to_owned(), (301, json!({})));
        let error = pull().await.unwrap_err().to_string();
        assert!(error.contains("redirects"), "{error}");
        fake.state().answers.clear();

        let canary = Fake::start(json!([]));
        fake.state().lists.insert("tokens", some_tokens(0..5));
        fake.state().link_base = Some(canary.url.clone());
        let error = pull().await.unwrap_err().to_string();
        assert!(error.contains("not approved"), "{error}");
        assert!(canary.state().seen.is_empty(), "no token is sent to a URL that somebody named");
        assert!(held(&node, &partner).await[2] >= 5, "nothing was removed by what could not be read whole");
    }
}
