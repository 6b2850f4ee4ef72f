//! What was taken back opens nothing from then on, looking for places included, however long its access token would be
//! good.

use super::phone::{AppOf, Phone};
use crate::roaming::peer::until;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use crate::web::operator::Operator;
use reqwest::Method;
use roamwatt::clock::Clock;
use roamwatt::db::driver_apps;
use serde_json::{Value, json};

/// What an app alone may do.
const LOOKING: [&str; 4] = [
    "/locations?bbox=0,0,1,1",
    "/clusters?bbox=0,0,1,1&zoom=3",
    "/locations/DE*ABC/LOC1",
    "/locations/DE*ABC/LOC1/evses/E0/connectors/1/price?kwh=1",
];
/// What needs a driver.
const CHARGING: [&str; 4] = ["/tokens", "/sessions", "/receipts", "/orders/1"];

/// Whether none of all that answers anything but 401.
async fn is_shut_out(phone: &Phone<'_>) -> bool {
    for path in LOOKING.iter().chain(&CHARGING) {
        let (status, problem) = phone.ask(Method::GET, path, None).await;
        if status != 401 {
            return false;
        }
        assert!(problem["detail"].as_str().is_some_and(|text| !text.is_empty()), "{path}: {problem}");
    }
    true
}

async fn looks(phone: &Phone<'_>) -> bool {
    phone.status(LOOKING[0]).await == 200
}

async fn looker<'a>(app: &AppOf<'a>) -> Phone<'a> {
    let tokens = app.tokens(&[("grant_type", "client_credentials")]).await;
    Phone {
        node: app.node,
        token: tokens["access_token"].as_str().unwrap().to_owned(),
        driver_id: String::new(),
    }
}

fn phone<'a>(node: &'a TestNode, tokens: &Value) -> Phone<'a> {
    Phone { node, token: tokens["access_token"].as_str().unwrap().to_owned(), driver_id: String::new() }
}

on_each_engine! {
    async fn an_app_that_an_operator_removes_is_shut_out_at_once(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let (app, other) = (AppOf::new(&node, "app").await, AppOf::new(&node, "other").await);
        let (anna, own) = (app.driver("anna").await, looker(&app).await);
        let (otto, others) = (other.driver("otto").await, looker(&other).await);
        for phone in [&anna, &own, &otto, &others] {
            assert!(looks(phone).await && looks(phone).await);
        }
        let operator = Operator::of_role(&node, "operator").await;
        assert_eq!(operator.send(Method::DELETE, "/driver-apps/app", None).await.status(), 204);
        assert!(is_shut_out(&anna).await && is_shut_out(&own).await);
        assert!(looks(&otto).await && looks(&others).await);
        // Another app under the same id opens nothing for what the first one was given.
        let again = json!({"id": "app", "party": crate::driver::phone::EMSP});
        let made: Value = operator.send(Method::POST, "/driver-apps", Some(again)).await.json().await.unwrap();
        let app = AppOf { node: &node, id: "app".to_owned(), secret: made["secret"].as_str().unwrap().to_owned() };
        assert!(looks(&looker(&app).await).await && looks(&app.driver("anna").await).await);
        assert!(is_shut_out(&anna).await && is_shut_out(&own).await);
        node.stop().await;
    }

    async fn an_app_that_another_process_removes_is_shut_out_within_seconds(db: TestDb) {
        // It is asked again and again until then.
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            config.driver.driver_per_second = 10_000;
            config.driver.driver_burst = 10_000;
            config.driver.app_per_second = 10_000;
            config.driver.app_burst = 10_000;
            config.limits.token_per_second = 10_000;
            config.limits.token_burst = 10_000;
            config.limits.address_per_second = 10_000;
            config.limits.address_burst = 10_000;
        })
        .await;
        let app = AppOf::new(&node, "app").await;
        let (anna, own) = (app.driver("anna").await, looker(&app).await);
        assert!(looks(&anna).await && looks(&own).await);
        assert!(node.app().db.write(|conn| driver_apps::remove(conn, "app")).await.unwrap());
        until("the driver is shut out", async || is_shut_out(&anna).await).await;
        until("the app is shut out", async || is_shut_out(&own).await).await;
        node.stop().await;
    }

    async fn who_signs_out_is_shut_out_at_once(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let app = AppOf::new(&node, "app").await;
        let (first, second) = (app.exchange("anna").await, app.exchange("anna").await);
        let (here, there) = (phone(&node, &first), phone(&node, &second));
        assert!(looks(&here).await && looks(&there).await);
        let token = first["refresh_token"].as_str().unwrap();
        assert_eq!(app.post("/driver/v1/revoke", &[("token", token)]).await.status(), 200);
        assert!(is_shut_out(&here).await);
        assert!(looks(&there).await, "another device of the driver goes on");
        // A refresh token that comes again ends what came of it.
        let refresh = |tokens: &Value| {
            let token = tokens["refresh_token"].as_str().unwrap().to_owned();
            [("grant_type", "refresh_token".to_owned()), ("refresh_token", token)]
        };
        let ask = async |pairs: [(&str, String); 2]| {
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            app.ask(&pairs).await
        };
        let third: Value = ask(refresh(&second)).await.json().await.unwrap();
        let third = phone(&node, &third);
        assert!(looks(&third).await);
        assert_eq!(ask(refresh(&second)).await.status(), 400);
        assert!(is_shut_out(&third).await && is_shut_out(&there).await);
        // Also after a restart, when nothing is in memory.
        let (token, fresh) = (there.token.clone(), app.exchange("anna").await);
        let fresh = fresh["access_token"].as_str().unwrap().to_owned();
        node.stop().await;
        let node = TestNode::start(db.url()).await;
        let of = |token: String| Phone { node: &node, token, driver_id: String::new() };
        assert!(is_shut_out(&of(token)).await);
        assert!(looks(&of(fresh)).await);
        node.stop().await;
    }
}
