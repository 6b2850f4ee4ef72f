//! The public map: what it tells, and that nothing is loaded from elsewhere.

use super::scene::{Browser, heading};
use crate::payments::scene::Scene;
use crate::payments::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use reqwest::StatusCode;
use reqwest::header::CONTENT_SECURITY_POLICY;
use serde_json::Value;
use std::time::Duration;

/// What is in a box.
async fn places(browser: &Browser<'_>, query: &str) -> Value {
    let response = browser.get(&format!("/map/places?{query}")).await;
    assert_eq!(response.status(), StatusCode::OK, "{query}");
    response.json().await.unwrap()
}

on_each_engine! {
    /// A place of ours stands on the map, with its price, and leads to its pay pages.
    async fn the_map_leads_to_the_pay_page(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let around = "bbox=9.1,48.8,9.3,49.0&zoom=12&lang=de";
        let indexed = async {
            while places(&browser, around).await["total"] == 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), indexed).await.expect("the place is found");
        let found = places(&browser, around).await;
        let place = &found["places"][0];
        assert_eq!((&found["total"], &place["name"], &place["evses"]), (&1.into(), &"Market".into(), &2.into()), "{found}");
        assert_eq!(place["plugs"], serde_json::json!(["Type 2, 22,08 kW, 0,4641 €/kWh"]), "{found}");
        let (evse, address) = (&place["pay"][0][0], place["pay"][0][1].as_str().unwrap());
        assert_eq!(evse, "DE*ABC*E0");
        assert_eq!(heading(&browser.page(address).await), "Charge here");
        assert_eq!(places(&browser, "bbox=-10,-10,0,0&zoom=3").await["total"], 0);
        // Far away it is the same place.
        assert_eq!(places(&browser, "bbox=-180,-85,180,85&zoom=0").await["total"], 1);
    }

    /// The page and its files come from here, and bad questions are answered as such.
    async fn the_map_loads_nothing_from_elsewhere(db: TestDb) {
        let scene = Scene::start(&db).await;
        let browser = Browser::new(&scene);
        let page = browser.get_in("/map", "de").await;
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("connect-src 'self';") && !policy.contains("http"), "{policy}");
        let page = page.text().await.unwrap();
        assert!(page.contains("Karte der Ladepunkte") && !page.contains("http"), "{page}");
        for part in page.split("\"/map/assets/").skip(1) {
            let path = format!("/map/assets/{}", part.split('"').next().unwrap());
            assert_eq!(browser.get(&path).await.status(), StatusCode::OK, "{path}");
        }
        for (query, at) in [
            ("bbox=1,2,3&zoom=3", "bbox"),
            ("bbox=0,50,1,40&zoom=3", "bbox"),
            ("bbox=NaN,0,1,1&zoom=3", "bbox"),
            ("bbox=0,0,1,1&zoom=999", "zoom"),
            ("bbox=0,0,1,1&zoom=3&free=perhaps", "free"),
            ("bbox=0,0,1,1&zoom=3&zom=3", "zom"),
        ] {
            let response = browser.get(&format!("/map/places?{query}")).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
            let problem: Value = response.json().await.unwrap();
            assert_eq!(problem["errors"][0]["at"], at, "{problem}");
        }
        assert_eq!(browser.get("/map/places?bbox=0,0,1,1").await.status(), StatusCode::BAD_REQUEST);
        assert_eq!(browser.get("/map/assets/x/secrets.txt").await.status(), StatusCode::NOT_FOUND);
    }
}
