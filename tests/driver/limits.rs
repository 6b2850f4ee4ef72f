//! How much an app and a driver may ask.

use super::phone::AppOf;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use reqwest::header::HeaderMap;
use roamwatt::clock::Clock;

on_each_engine! {
    async fn each_driver_and_each_app_has_its_share(db: TestDb) {
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            (config.driver.driver_per_second, config.driver.driver_burst) = (1, 5);
            (config.driver.app_per_second, config.driver.app_burst) = (1, 12);
        })
        .await;
        let (app, other) = (AppOf::new(&node, "app").await, AppOf::new(&node, "other").await);
        // One request of the app each.
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        let again = app.driver("anna").await;
        let mut statuses = Vec::new();
        for at in 0..9 {
            // A new token gives the driver no new share.
            let phone = if at % 2 == 0 { &anna } else { &again };
            let response = phone.send(Method::GET, "/locations?bbox=0,0,1,1", HeaderMap::new(), None).await;
            if response.status() == 429 {
                let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                assert!((1..=3).contains(&wait), "{wait}");
            }
            statuses.push(response.status().as_u16());
        }
        assert_eq!(statuses[..5], [200; 5]);
        assert!(statuses[5..].contains(&429), "{statuses:?}");
        // Others of the same app go on until the app has asked too much; then nobody of it does.
        let mut own = Vec::new();
        for _ in 0..5 {
            own.push(otto.status("/locations?bbox=0,0,1,1").await);
        }
        assert_eq!(own[0], 200);
        let mut asked = Vec::new();
        for _ in 0..6 {
            asked.push(app.ask(&[("grant_type", "client_credentials")]).await.status().as_u16());
        }
        assert!(asked.contains(&429), "{asked:?}");
        assert_eq!(other.ask(&[("grant_type", "client_credentials")]).await.status(), 200);
        node.stop().await;
    }
}
