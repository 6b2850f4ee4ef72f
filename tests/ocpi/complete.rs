//! A partner that asks for what changed since it last asked misses nothing, however many write at the same time.

use super::peer::{OURS, Peer, add_party};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use crate::web::operator::Operator;
use reqwest::Method;
use roamwatt::clock::Clock;
use roamwatt::domain::party::Role;
use roamwatt::ocpi::paging::next_of_link;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long is written.
const TIME: Duration = Duration::from_secs(3);
/// Who write at a time, through each of two nodes.
const WRITERS: usize = 6;

async fn node(database_url: &str) -> TestNode {
    TestNode::start_with(database_url, Clock::System, |config| {
        config.limits.token_per_second = 100_000;
        config.limits.address_per_second = 100_000;
        config.server.workers = Some(4);
    })
    .await
}

/// Writes one token after the other, and gives the uids of those that were taken.
async fn write(node: &TestNode, name: String) -> Vec<String> {
    let operator = Operator::of_role(node, "operator").await;
    let (begun, mut written) = (Instant::now(), Vec::new());
    while begun.elapsed() < TIME {
        let uid = format!("{name}-{}", written.len());
        let path = format!("/tokens/DE*OUR/RFID/{uid}");
        let answer = operator.send(Method::PUT, &path, Some(json!({ "contract_id": uid }))).await;
        assert_eq!(answer.status(), 201, "{path}");
        written.push(uid);
    }
    written
}

/// All pages of the tokens that changed since a time.
async fn pull(peer: &Peer<'_>, since: Option<&str>, limit: usize) -> Vec<Value> {
    let mut path = format!("/emsp/tokens?limit={limit}");
    if let Some(since) = since {
        path.push_str(&format!("&date_from={since}"));
    }
    let mut all = Vec::new();
    loop {
        let page = peer.get(&path).await;
        assert_eq!(page.codes(), (200, 1000), "{path}: {page:?}");
        all.extend(page.data().as_array().unwrap().iter().cloned());
        match next_of_link(page.header("link")) {
            Some(next) => path = next.to_owned(),
            None => return all,
        }
    }
}

/// What a partner comes to know that asks from when it began to ask the last time, page by page.
async fn by_the_clock(peer: &Peer<'_>, over: &AtomicBool) -> BTreeSet<String> {
    let (mut known, mut since) = (BTreeSet::new(), None::<String>);
    loop {
        let last = over.load(Ordering::SeqCst);
        let begun = peer.node.app().now().to_string();
        for token in pull(peer, since.as_deref(), 40).await {
            known.insert(token["uid"].as_str().unwrap().to_owned());
        }
        since = Some(begun);
        if last {
            return known;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What a partner comes to know that asks from the newest time it was shown.
async fn by_the_newest(peer: &Peer<'_>, over: &AtomicBool) -> BTreeSet<String> {
    let (mut known, mut newest) = (BTreeSet::new(), None::<String>);
    loop {
        let last = over.load(Ordering::SeqCst);
        for token in pull(peer, newest.as_deref(), 1000).await {
            known.insert(token["uid"].as_str().unwrap().to_owned());
            newest = newest.max(token["last_updated"].as_str().map(ToOwned::to_owned));
        }
        if last {
            return known;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_each_engine! {
    async fn nothing_is_missed_by_one_who_asks_since_when_it_last_asked(db: TestDb) {
        let (one, two) = (node(db.url()).await, node(db.url()).await);
        add_party(&one, OURS, &[Role::Cpo, Role::Emsp]).await;
        let (abc, other) = (Peer::abc(&one).await, Peer::join(&two, &[("DE*OTH", Role::Cpo)]).await);
        let over = AtomicBool::new(false);
        let writing = async {
            let writers = (0..WRITERS).flat_map(|number| {
                [write(&one, format!("one{number}")), write(&two, format!("two{number}"))]
            });
            let written: BTreeSet<String> =
                futures_util::future::join_all(writers).await.into_iter().flatten().collect();
            over.store(true, Ordering::SeqCst);
            written
        };
        let (written, clock, newest) =
            tokio::join!(writing, by_the_clock(&abc, &over), by_the_newest(&other, &over));
        assert!(written.len() > 50, "{}", written.len());
        for (how, known) in [("by the clock", clock), ("by the newest", newest)] {
            let missed: Vec<&String> = written.difference(&known).collect();
            assert!(missed.is_empty(), "{how}: {} of {} missed: {missed:?}", missed.len(), written.len());
        }
        one.stop().await;
        two.stop().await;
    }
}
