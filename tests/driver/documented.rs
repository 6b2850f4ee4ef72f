//! What docs/driver-api.md says: each of its requests is sent as it stands there, in its order, and succeeds.

use super::phone::AppOf;
use super::places::indexed;
use super::station::{Manner, Station};
use crate::charging::site::{Site, token};
use crate::roaming::peer::until;
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use roamwatt::clock::Clock;
use roamwatt::db::tokens;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

const PAGE: &str = include_str!("../../docs/driver-api.md");

/// The requests of the page.
fn requests() -> Vec<&'static str> {
    let blocks = PAGE.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).filter(|line| line.starts_with("curl ")).collect()
}

/// The words of a shell's line, with variables put in.
fn words(line: &str, variables: &HashMap<&str, String>) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ') if !word.is_empty() => words.push(std::mem::take(&mut word)),
            (None, ' ') => {}
            _ => word.push(c),
        }
    }
    let put_in = |word: String| {
        let known =
            variables.iter().fold(word, |word, (name, value)| word.replace(&format!("${name}"), value));
        assert!(!known.contains('$'), "{known}: no such variable");
        known
    };
    words.into_iter().map(put_in).collect()
}

/// Sends what `curl` would.
async fn send(client: &reqwest::Client, words: &[String]) -> (String, reqwest::Response) {
    let (mut method, mut url, mut data) = (None, None, Vec::new());
    let (mut headers, mut user) = (Vec::new(), None);
    let mut rest = words[1..].iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-X" => method = Some(rest.next().unwrap().parse().unwrap()),
            "-H" => headers.push(rest.next().unwrap().split_once(": ").unwrap()),
            "-u" => user = Some(rest.next().unwrap().split_once(':').unwrap()),
            "-d" => data.push(rest.next().unwrap().clone()),
            "-N" => {}
            word if word.starts_with("http://") => url = Some(word),
            word => panic!("{word}"),
        }
    }
    let method = method.unwrap_or(if data.is_empty() { Method::GET } else { Method::POST });
    let mut built = client.request(method, url.unwrap());
    for (name, value) in &headers {
        built = built.header(*name, *value);
    }
    if let Some((id, secret)) = user {
        built = built.basic_auth(id, Some(secret));
    }
    if !data.is_empty() {
        if !headers.iter().any(|(name, _)| *name == "Content-Type") {
            built = built.header("Content-Type", "application/x-www-form-urlencoded");
        }
        built = built.body(data.join("&"));
    }
    (url.unwrap().to_owned(), built.send().await.unwrap())
}

on_each_engine! {
    async fn every_request_of_the_page_succeeds(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::System, |config| {
            config.charging.cdr_delay = Duration::from_millis(100);
        })
        .await;
        let node = &site.node;
        let app = AppOf::new(node, "charge-now").await;
        let mut card = token("04A2B3C4", true);
        card.party = crate::driver::phone::EMSP.parse().unwrap();
        node.app().db.write(move |conn| tokens::upsert(conn, &card, None)).await.unwrap();
        let _station = Station::come(node, "CS0", Manner::Obliging).await;
        indexed(node, 1).await;
        let mut variables = HashMap::from([("NODE", node.url("")), ("SECRET", app.secret.clone())]);
        let mut sent = 0;
        for line in requests() {
            let words = words(line, &variables);
            if words.iter().any(|word| word.ends_with("/receipt")) {
                // A receipt is there when the charge has settled.
                until("there is a receipt", async || send(&node.client, &words).await.1.status() == 200).await;
            }
            let (url, response) = send(&node.client, &words).await;
            assert!(response.status().is_success(), "{line}: {}", response.status());
            sent += 1;
            if url.ends_with("/events") || response.status() == 204 {
                continue;
            }
            let body: Value = response.json().await.unwrap();
            let text = |name: &str| body[name].as_str().unwrap().to_owned();
            if url.ends_with("/token") {
                variables.insert("TOKEN", text("access_token"));
                variables.insert("REFRESH", text("refresh_token"));
                variables.insert("DRIVER", text("driver_id"));
            } else if url.ends_with("/charges") {
                variables.insert("ORDER", text("id"));
            } else if url.contains("/orders/") {
                until("the charge goes on", async || {
                    let (_, response) = send(&node.client, &words).await;
                    response.json::<Value>().await.unwrap()["state"] == "STARTED"
                })
                .await;
                let order: Value = send(&node.client, &words).await.1.json().await.unwrap();
                variables.insert("SESSION", order["session_id"].as_str().unwrap().to_owned());
            } else if url.contains("locations?") {
                assert_eq!(body["total"], 1, "{line}");
            }
        }
        assert!(sent >= 15, "{sent}");
        site.node.stop().await;
    }
}
