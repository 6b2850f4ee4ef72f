//! Lists, a page at a time.

use super::ownership::{location, our};
use super::peer::{OURS, Peer, node, party, with};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use crate::support::shared::shared;
use roamwatt::db::DbError;
use roamwatt::domain::Timestamp;
use roamwatt::domain::location::Location;
use roamwatt::ocpi::paging::next_of_link;
use roamwatt::ocpi::v2_2_1::import::{Defaults, read_locations};
use roamwatt::ocpi::v2_2_1::locations::wire;
use roamwatt::ocpi::wire::parse_list;
use roamwatt::roaming::catalogue;
use serde_json::value::RawValue;
use serde_json::{Value, json};

async fn keep(node: &TestNode, all: Vec<Location>) {
    let now = node.app().now();
    let kept = node.app().db.write::<_, DbError, _>(move |conn| {
        all.iter().try_for_each(|object| catalogue::put_location(conn, object, now).map(drop))
    });
    kept.await.unwrap();
}

/// A location of ours that was updated on that day of May.
fn of_day(day: u32) -> Value {
    let at = format!("2026-05-{day:02}T00:00:00Z");
    our("location_full", json!({"id": format!("L{day}"), "publish": true, "last_updated": at}))
}

/// Follows the links from `path` to the end: the objects, and how many each page had.
async fn walk(peer: &Peer<'_>, path: &str) -> (Vec<Value>, Vec<usize>) {
    let (mut all, mut pages, mut next) = (Vec::new(), Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let page = peer.get(&path).await;
        assert_eq!(page.codes(), (200, 1000), "{path}");
        let items = page.data().as_array().unwrap();
        pages.push(items.len());
        all.extend(items.iter().cloned());
        next = next_of_link(page.header("link")).map(ToOwned::to_owned);
        assert!(pages.len() < 50, "the pages have no end");
    }
    (all, pages)
}

fn ids(all: &[Value]) -> Vec<&str> {
    all.iter().map(|object| object["id"].as_str().unwrap()).collect()
}

on_each_engine! {
    async fn links_lead_through_the_whole_list(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        keep(&node, (1..=7).map(|day| location(&of_day(day))).collect()).await;
        let (all, pages) = walk(&xyz, "/cpo/locations?limit=3").await;
        assert_eq!((ids(&all), pages), (vec!["L1", "L2", "L3", "L4", "L5", "L6", "L7"], vec![3, 3, 1]));

        let page = xyz.get("/cpo/locations/?limit=3&offset=3").await;
        // All that match, not the page; what a page may hold at most, not what was asked.
        assert_eq!(page.header("x-total-count"), "7");
        assert_eq!(page.header("x-limit"), node.app().config.roaming.page_limit_max.to_string());
        assert_eq!(page.header("link"), format!("<{}?offset=6&limit=3>; rel=\"next\"", node.url("/ocpi/2.2.1/cpo/locations")));
        let page = xyz.get("/cpo/locations?offset=7").await;
        assert_eq!((page.data(), page.header("link"), page.header("x-total-count")), (&json!([]), "", "7"));
        let page = xyz.get("/cpo/locations?limit=100000").await;
        assert_eq!((page.code(), page.data().as_array().unwrap().len()), (1000, 7));

        // The filters go with the links; `date_from` is included, `date_to` is not.
        let path = "/cpo/locations?limit=2&date_from=2026-05-02T00:00:00Z&date_to=2026-05-06T00:00:00Z";
        let page = xyz.get(path).await;
        assert_eq!(page.header("x-total-count"), "4");
        let (all, pages) = walk(&xyz, path).await;
        assert_eq!((ids(&all), pages), (vec!["L2", "L3", "L4", "L5"], vec![2, 2]));

        // An update moves nothing to another page, and a new object is on the last.
        keep(&node, vec![location(&with_day(1, 30)), location(&of_day(8))]).await;
        let (all, _) = walk(&xyz, "/cpo/locations?limit=3").await;
        assert_eq!(ids(&all), ["L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8"]);
    }

    async fn a_wrong_page_is_named(db: TestDb) {
        let node = node(db.url()).await;
        let peer = Peer::join(&node, &[("DE*ALL", roamwatt::domain::party::Role::Cpo), ("DE*ALL", roamwatt::domain::party::Role::Emsp)]).await;
        for list in ["/cpo/locations", "/cpo/tariffs", "/cpo/sessions", "/cpo/cdrs", "/emsp/tokens"] {
            assert_eq!(peer.get(list).await.data(), &json!([]), "{list}");
            for (query, parameter) in [("limit=-1", "limit"), ("limit=0", "limit"), ("offset=-1", "offset"), ("date_from=soon", "date_from"), ("date_to=x", "date_to")] {
                let refused = peer.get(&format!("{list}?{query}")).await;
                assert_eq!(refused.codes(), (200, 2001), "{list}?{query}");
                assert!(refused.message().starts_with(&format!("parameter {parameter}: ")), "{}", refused.message());
            }
        }
    }

    async fn a_live_platforms_locations_are_served(db: TestDb) {
        let Some(path) = shared("data/locations/ludwigsburg.json") else { return };
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        let file = std::fs::read(path).unwrap();
        let now = Timestamp::parse("2026-01-31T18:00:00Z").unwrap();
        let owner = party(OURS);
        let import = read_locations(&file, Defaults { owner: Some(&owner), now }).unwrap();
        let all: Vec<Location> = import.into_iter().map(|item| item.unwrap().object).collect();
        let wanted: Vec<Value> = all.iter().filter(|location| location.is_for_partners())
            .map(|location| serde_json::to_value(wire::Location::from(location.clone())).unwrap()).collect();
        assert!(wanted.len() > 90, "{}", wanted.len());
        keep(&node, all).await;
        let (served, pages) = walk(&xyz, "/cpo/locations?limit=30").await;
        assert_eq!(served, wanted);
        assert_eq!(pages.len(), wanted.len().div_ceil(30));
        // A partner's strict reader has nothing to put right in them.
        let text = RawValue::from_string(Value::Array(served).to_string()).unwrap();
        for item in parse_list::<wire::Location>(&text).unwrap() {
            assert_eq!(item.unwrap().notes, []);
        }
    }
}

fn with_day(id: u32, day: u32) -> Value {
    with(of_day(day), json!({"id": format!("L{id}")}))
}
