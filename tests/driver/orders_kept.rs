//! How long it is kept what drivers asked for and were given.

use super::charging::{ask_with_key, wish};
use super::phone::{AppOf, Phone};
use crate::charging::site::{Site, at};
use crate::roaming::peer::until;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::clock::Clock;
use roamwatt::db::{commands, driver_grants};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Asks for something that is refused at once, which is an order all the same.
async fn order(phone: &Phone<'_>, path: &str, key: &'static str, body: Value) -> String {
    let (status, order) = ask_with_key(phone, path, key, Some(body)).await;
    assert_eq!((status, &order["state"]), (202, &json!("REFUSED")), "{order}");
    order["id"].as_str().unwrap().to_owned()
}

on_each_engine! {
    async fn orders_go_when_their_time_is_over(db: TestDb) {
        let clock = Clock::manual(at(0));
        let site = Site::bare(db.url(), 1, clock.clone(), |config| config.driver.orders_kept = DAY * 10).await;
        let node = &site.node;
        let app = AppOf::new(node, "app").await;
        let given = app.exchange("anna").await;
        let anna = app.driver("anna").await;
        let old = order(&anna, "/charges", "k1", wish("E0")).await;
        let mut reservation = wish("E0");
        reservation["expires"] = json!(at(15 * 24 * 3600));
        let reserved = order(&anna, "/reservations", "k2", reservation).await;
        // What was made of an order goes with it.
        let mut command = commands::CommandRow {
            id: old.clone(), kind: "START_SESSION".to_owned(), direction: "local".to_owned(), partner_id: None,
            from_party: None, to_party: None, station_id: None, connector: None, id_tag: None, session_id: None,
            authorization_reference: None, token: None, response_url: None, correlation_id: None,
            state: "DONE".to_owned(), result: Some("REJECTED".to_owned()), message: None, created: at(0),
            expires_at: at(60), delivered: true,
        };
        let others = commands::CommandRow { id: "another".to_owned(), ..command.clone() };
        command.message = Some("no".to_owned());
        let write = move |conn: &mut _| {
            commands::insert(conn, &command)?;
            commands::insert(conn, &others)
        };
        node.app().db.write(write).await.unwrap();

        clock.advance(DAY * 9);
        let anna = app.driver("anna").await;
        let young = order(&anna, "/charges", "k3", wish("E0")).await;
        assert_eq!(anna.status(&format!("/orders/{old}")).await, 200);
        clock.advance(DAY * 2);
        let anna = app.driver("anna").await;
        until("the old order is gone", async || anna.status(&format!("/orders/{old}")).await == 404).await;
        assert_eq!(anna.status(&format!("/orders/{young}")).await, 200);
        assert_eq!(anna.status(&format!("/orders/{reserved}")).await, 200, "it has not ended yet");
        let (id, other) = (old.clone(), "another");
        let read = move |conn: &mut _| {
            Ok::<_, roamwatt::db::DbError>((commands::find(conn, &id)?.is_none(), commands::find(conn, other)?.is_some()))
        };
        assert_eq!(node.app().db.read(read).await.unwrap(), (true, true));
        // Its key is free again.
        let again = order(&anna, "/charges", "k1", wish("E0")).await;
        assert_ne!(again, old);
        clock.advance(DAY * 5);
        let anna = app.driver("anna").await;
        until("the reservation is gone", async || anna.status(&format!("/orders/{reserved}")).await == 404).await;
        assert_eq!(anna.status(&format!("/orders/{again}")).await, 200);

        // A driver who never came back leaves nothing that was given.
        let otto = app.exchange("otto").await;
        clock.advance(DAY * 31);
        let hash = |tokens: &Value| node.app().keys.hash(tokens["refresh_token"].as_str().unwrap());
        for hash in [hash(&given), hash(&otto)] {
            until("the grant is gone", async || {
                let hash = hash.clone();
                let read = move |conn: &mut _| driver_grants::by_refresh_token(conn, &hash);
                node.app().db.read(read).await.unwrap().is_none()
            })
            .await;
        }
        site.node.stop().await;
    }
}
