//! What a charge costs at a place: in words, in numbers, and for a given charge.

use super::phone::AppOf;
use super::places::indexed;
use crate::charging::site::{Site, at};
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use roamwatt::clock::Clock;
use roamwatt::domain::assignment::{Buyers, Place};
use serde_json::{Value, json};

const PRICE: &str = "/locations/DE*ABC/LOC1/evses/E0/connectors/1/price";

on_each_engine! {
    async fn a_place_tells_its_tariff_and_what_a_charge_would_cost(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::manual(at(0)), |_| ()).await;
        let app = AppOf::new(&site.node, "app").await;
        let anna = app.driver("anna").await;
        indexed(&site.node, 1).await;
        let place = anna.get("/locations/DE*ABC/LOC1?lang=en").await;
        assert_eq!((&place["name"], &place["own"]), (&json!("Market"), &json!(true)));
        let connector = &place["evses"][0]["connectors"][0];
        assert_eq!((&connector["tariff_id"], &connector["max_power_kw"]), (&json!("T1"), &json!("22.08")));
        assert_eq!(place["evses"][0]["status"], json!("AVAILABLE"));
        let tariff = &place["tariffs"][0];
        assert_eq!((&tariff["id"], &tariff["currency"]), (&json!("T1"), &json!("EUR")));
        assert_eq!(tariff["lines"][0]["part"], json!("per_kwh"));
        assert_eq!((&tariff["lines"][0]["net"], &tariff["lines"][0]["gross"]), (&json!("0.39"), &json!("0.4641")));
        let english = tariff["summary"].as_str().unwrap();
        assert!(english.contains("per kWh"), "{english}");
        // German where the phone asks for it, English where it asks for neither.
        let german = async |header: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("accept-language", HeaderValue::from_static(header));
            let response = anna.send(Method::GET, "/locations/DE*ABC/LOC1", headers, None).await;
            response.json::<Value>().await.unwrap()["tariffs"][0]["summary"].as_str().unwrap().to_owned()
        };
        assert_eq!(german("de-AT,de;q=0.9").await, anna.get("/locations/DE*ABC/LOC1?lang=de").await["tariffs"][0]["summary"]);
        assert_ne!(german("de").await, english);
        assert_eq!(german("fr,nl").await, english);

        // 22.08 kWh in an hour at full power, then an hour parked: 0.50 + 22.08 × 0.39 + 6.00, with 19 % VAT.
        let price = anna.get(&format!("{PRICE}?kwh=22.08&minutes=120")).await;
        assert_eq!((&price["kwh"], &price["complete"], &price["minutes"]), (&json!("22.08"), &json!(true), &json!(120)));
        assert_eq!(price["total"], json!({"net": "15.11", "tax": "2.87", "gross": "17.98"}), "{price}");
        let kinds: Vec<&str> = price["lines"].as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
        assert!(kinds.starts_with(&["FIXED", "ENERGY", "PARKING"]), "{kinds:?}");
        assert_eq!(price["tariff"]["id"], json!("T1"));
        // As much as the time allows; as long as the energy takes; and not all where there is not enough time.
        let price = anna.get(&format!("{PRICE}?minutes=30&power_kw=11")).await;
        assert_eq!((&price["kwh"], &price["power_kw"]), (&json!("5.5"), &json!("11")));
        let price = anna.get(&format!("{PRICE}?kwh=11&power_kw=11")).await;
        assert_eq!((&price["minutes"], &price["total"]["net"]), (&json!(60), &json!("4.79")));
        let price = anna.get(&format!("{PRICE}?kwh=50&minutes=60&power_kw=500")).await;
        assert_eq!((&price["kwh"], &price["complete"], &price["power_kw"]), (&json!("22.08"), &json!(false), &json!("22.08")));
        for (query, status) in [
            ("", 400), ("kwh=0", 400), ("kwh=-1", 400), ("kwh=x", 400), ("minutes=100000", 400), ("kwh=1&power_kw=0", 400),
            ("kwh=1&lang=fr", 400), ("kwh=1&start=yesterday", 400), ("kwh=1&colour=red", 400),
        ] {
            assert_eq!(anna.status(&format!("{PRICE}?{query}")).await, status, "{query}");
        }
        for path in ["LOC1/evses/E0/connectors/9", "LOC1/evses/E9/connectors/1", "NONE/evses/E0/connectors/1"] {
            assert_eq!(anna.status(&format!("/locations/DE*ABC/{path}/price?kwh=1")).await, 404, "{path}");
        }
        site.node.stop().await;
    }

    async fn a_driver_pays_what_is_assigned_to_the_drivers_of_the_emsp(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::manual(at(0)), |_| ()).await;
        let app = AppOf::new(&site.node, "app").await;
        let anna = app.driver("anna").await;
        indexed(&site.node, 1).await;
        site.add_tariff("T2", "0.29", |_| ()).await;
        site.assign("T2", Place::Party, Buyers::Emsp { party: "DE*EMP".parse().unwrap() }).await;
        let price = anna.get(&format!("{PRICE}?kwh=10&minutes=60")).await;
        assert_eq!((&price["tariff"]["id"], &price["total"]["net"]), (&json!("T2"), &json!("2.90")));
        assert_eq!(anna.get("/locations/DE*ABC/LOC1").await["evses"][0]["connectors"][0]["tariff_id"], json!("T2"));
        // Somebody of whom nothing is known sees what everybody pays.
        let tokens = app.tokens(&[("grant_type", "client_credentials")]).await;
        let looker = crate::driver::phone::Phone {
            node: &site.node, token: tokens["access_token"].as_str().unwrap().to_owned(), driver_id: String::new(),
        };
        let price = looker.get(&format!("{PRICE}?kwh=10&minutes=60")).await;
        assert_eq!((&price["tariff"]["id"], &price["total"]["net"]), (&json!("T1"), &json!("7.70")), "{price}");
        // Where nothing is offered, charging is free at our own stations.
        site.name_no_tariffs().await;
        let price = looker.get(&format!("{PRICE}?kwh=10&minutes=60")).await;
        assert_eq!((&price["currency"], &price["total"]["gross"], price.get("tariff")), (&json!("EUR"), &json!("0.00"), None), "{price}");
        site.node.stop().await;
    }
}
