//! Finding places: by box, radius and filter, a page at a time, gathered for a map, and as they are now.

use super::phone::AppOf;
use super::places::{CPO, at, evse, found, indexed, keep, place};
use crate::roaming::peer::{FakePartner, until};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use crate::support::shared::shared;
use reqwest::Method;
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use roamwatt::clock::Clock;
use roamwatt::db::{locations, parties, tariffs};
use roamwatt::domain::location::{EvseStatus, Hours, Location, PublishToken};
use roamwatt::domain::party::{Party, Role};
use roamwatt::domain::tariff::Tariff;
use roamwatt::domain::{CiString, Extra};
use roamwatt::ocpi::v2_2_1::import::{Defaults, read_locations};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn tariff(id: &str, price: f64) -> Tariff {
    serde_json::from_value(json!({
        "party": {"country_code": "DE", "party_id": "ABC"}, "id": id, "currency": "EUR",
        "elements": [{"price_components": [{"type": "ENERGY", "price": price, "vat": 19.0, "step_size": 1}]}],
        "last_updated": "2026-01-01T00:00:00Z", "extra": {},
    }))
    .unwrap()
}

on_each_engine! {
    async fn a_box_may_cross_the_antimeridian_and_reach_the_poles(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let phone = AppOf::new(&node, "app").await.driver("anna").await;
        let places = vec![
            place("SUVA", "-18.14", "178.44"),
            place("TAVEUNI", "-16.85", "-179.97"),
            place("BERLIN", "52.52", "13.40"),
            place("SOUTH", "-90", "0"),
            place("NOWHERE", "91", "0"),
        ];
        keep(&node, places, 4).await;
        assert_eq!(found(&phone, "bbox=177,-20,-179,-15").await, ["SUVA", "TAVEUNI"]);
        assert_eq!(found(&phone, "bbox=-179,-20,177,-15").await, [""; 0]);
        assert_eq!(found(&phone, "bbox=-180,-90,180,-60").await, ["SOUTH"]);
        assert_eq!(found(&phone, "bbox=13,52,14,53").await, ["BERLIN"]);
        // Around a point on the other side, and around a pole.
        let near = "latitude=-17&longitude=-179.5&radius=300000";
        assert_eq!(found(&phone, near).await, ["TAVEUNI", "SUVA"]);
        assert_eq!(found(&phone, "latitude=-89.5&longitude=120&radius=100000").await, ["SOUTH"]);
        for wrong in [
            "", "bbox=1,2,3", "bbox=0,10,1,5", "bbox=0,0,181,1", "bbox=1,2,3,4&radius=5", "latitude=1",
            "latitude=91&longitude=0", "latitude=1&longitude=1&radius=0", "latitude=1&longitude=1&radius=1000001",
            "bbox=1,2,3,4&limit=0", "bbox=1,2,3,4&after=x", "bbox=1,2,3,4&colour=red", "bbox=1,2,3,4&min_power_kw=x",
            "bbox=1,2,3,4&payment=gold", "bbox=1,2,3,4&party=nobody", "bbox=NaN,2,3,4",
        ] {
            let (status, problem) = phone.ask(Method::GET, &format!("/locations?{wrong}"), None).await;
            assert_eq!(status, 400, "{wrong}: {problem}");
            assert_eq!(problem["errors"][0]["in"], "query", "{wrong}: {problem}");
        }
        node.stop().await;
    }

    async fn around_a_point_the_nearest_come_first_a_page_at_a_time(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let phone = AppOf::new(&node, "app").await.driver("anna").await;
        // A hundred metres apart to the east, created in another order than that of the distance.
        let number = |step: usize| (step * 7) % 20;
        let all = (0..20).map(number).map(|step| {
            place(&format!("P{step:02}"), "48.9", &format!("{:.5}", 9.2 + 0.001_366 * step as f64))
        });
        keep(&node, all.collect(), 20).await;
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = phone.get(&format!("/locations?latitude=48.9&longitude=9.2&radius=1550&limit=6{after}")).await;
            assert_eq!(page["total"], 16);
            for found in page["locations"].as_array().unwrap() {
                seen.push((found["id"].as_str().unwrap().to_owned(), found["distance_m"].as_u64().unwrap()));
            }
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let ids: Vec<String> = (0..16).map(|step| format!("P{step:02}")).collect();
        assert_eq!(seen.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids);
        for (step, (_, metres)) in seen.iter().enumerate() {
            assert!(metres.abs_diff(step as u64 * 100) <= 2, "{step}: {metres}");
        }
        node.stop().await;
    }

    async fn what_is_asked_must_be_true_of_one_evse(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let phone = AppOf::new(&node, "app").await.driver("anna").await;
        let everywhere = "bbox=-180,-90,180,90";
        let mut mixed = place("MIXED", "48", "9");
        let mut chademo = evse("M2", "CHADEMO", 150_000);
        chademo.status = EvseStatus::Charging;
        chademo.capabilities = Some(vec!["CREDIT_CARD_PAYABLE".into(), "RESERVABLE".into()]);
        mixed.evses.as_mut().unwrap().push(chademo);
        let mut dear = place("DEAR", "48", "9.01");
        dear.evses.as_mut().unwrap()[0].connectors[0].tariff_ids = Some(vec!["t-dear".into()]);
        let mut cheap = place("CHEAP", "48", "9.02");
        cheap.evses.as_mut().unwrap()[0].connectors[0].tariff_ids = Some(vec!["T-CHEAP".into()]);
        cheap.evses.as_mut().unwrap()[0].capabilities = Some(vec!["RFID_READER".into(), "REMOTE_START_STOP_CAPABLE".into()]);
        let mut removed = place("REMOVED", "48", "9.03");
        removed.evses.as_mut().unwrap()[0].status = EvseStatus::Removed;
        let mut hidden = place("HIDDEN", "48", "9.04");
        hidden.publish = false;
        let write = |conn: &mut _| {
            tariffs::upsert(conn, &tariff("T-DEAR", 0.60), None)?;
            tariffs::upsert(conn, &tariff("T-CHEAP", 0.40), None)
        };
        node.app().db.write(write).await.unwrap();
        keep(&node, vec![mixed, dear, cheap, removed, hidden], 3).await;
        for (filter, ids) in [
            ("", vec!["MIXED", "DEAR", "CHEAP"]),
            ("&standard=CHADEMO", vec!["MIXED"]),
            ("&standard=CHADEMO,IEC_62196_T2_COMBO", vec!["MIXED", "DEAR", "CHEAP"]),
            // The one that is free is another one than the one that is strong.
            ("&min_power_kw=100&free=true", vec![]),
            ("&min_power_kw=100", vec!["MIXED"]),
            ("&min_power_kw=50.001", vec!["MIXED"]),
            ("&payment=card", vec!["MIXED"]),
            ("&payment=app,card", vec!["MIXED", "CHEAP"]),
            ("&capability=RESERVABLE,CREDIT_CARD_PAYABLE", vec!["MIXED"]),
            ("&capability=RESERVABLE,RFID_READER", vec![]),
            // With VAT: 0.476 and 0.714.
            ("&max_price_kwh=0.476", vec!["CHEAP"]),
            ("&max_price_kwh=0.475", vec![]),
            ("&max_price_kwh=1", vec!["DEAR", "CHEAP"]),
            ("&max_price_kwh=1&currency=CHF", vec![]),
            ("&party=DE*XYZ", vec![]),
            ("&party=de-abc", vec!["MIXED", "DEAR", "CHEAP"]),
        ] {
            assert_eq!(found(&phone, &format!("{everywhere}{filter}")).await, ids, "{filter}");
        }
        let all = phone.get(&format!("/locations?{everywhere}")).await;
        let first = &all["locations"][0];
        assert_eq!((&first["evses"], &first["free"], &first["max_power_kw"]), (&json!(2), &json!(1), &json!("150")));
        assert_eq!(first["standards"], json!(["CHADEMO", "IEC_62196_T2_COMBO"]));
        assert_eq!(all["locations"][2]["price"], json!({"currency": "EUR", "kwh_from": "0.476", "kwh_to": "0.476"}));
        let strong = phone.get(&format!("/locations?{everywhere}&min_power_kw=100")).await;
        assert_eq!((&strong["locations"][0]["evses"], &strong["locations"][0]["free"]), (&json!(1), &json!(0)));
        node.stop().await;
    }

    async fn a_place_that_is_for_some_is_shown_to_them_alone(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let app = AppOf::new(&node, "app").await;
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        let uid = anna.get("/tokens").await[0]["uid"].as_str().unwrap().to_owned();
        let mut club = place("CLUB", "48", "9");
        club.publish = false;
        club.publish_allowed_to = Some(vec![PublishToken {
            uid: Some(CiString::from(uid)), token_type: None, visual_number: None, issuer: None, group_id: None,
            extra: Extra::new(),
        }]);
        keep(&node, vec![club], 1).await;
        let looker = app.tokens(&[("grant_type", "client_credentials")]).await;
        let looker = crate::driver::phone::Phone {
            node: &node, token: looker["access_token"].as_str().unwrap().to_owned(), driver_id: String::new(),
        };
        let query = "bbox=-180,-90,180,90";
        assert_eq!(found(&anna, query).await, ["CLUB"]);
        assert_eq!(found(&otto, query).await, [""; 0]);
        assert_eq!(found(&looker, query).await, [""; 0]);
        let path = "/locations/DE*ABC/CLUB";
        assert_eq!([anna.status(path).await, otto.status(path).await, looker.status(path).await], [200, 404, 404]);
        let clusters = async |phone: &crate::driver::phone::Phone<'_>| phone.get(&format!("/clusters?{query}&zoom=3")).await["total"].clone();
        assert_eq!([clusters(&anna).await, clusters(&otto).await], [json!(1), json!(0)]);
        node.stop().await;
    }

    async fn a_map_gathers_places_and_loses_none(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let phone = AppOf::new(&node, "app").await.driver("anna").await;
        let mut places = Vec::new();
        for at in 0..200_usize {
            let (latitude, longitude) = (-80.0 + (at * 37 % 160) as f64, -179.5 + (at * 61 % 359) as f64);
            let mut one = place(&format!("P{at}"), &latitude.to_string(), &longitude.to_string());
            if at % 3 == 0 {
                one.evses.as_mut().unwrap()[0].status = EvseStatus::Charging;
            }
            one.evses.as_mut().unwrap().push(evse(&format!("P{at}-E2"), "CHADEMO", 50_000));
            places.push(one);
        }
        keep(&node, places, 200).await;
        let sums = |body: &Value| {
            let of = |list: &str, field: &str| -> u64 {
                body[list].as_array().unwrap().iter().map(|one| one[field].as_u64().unwrap()).sum()
            };
            let singles = body["locations"].as_array().unwrap().len() as u64;
            [
                of("clusters", "locations") + singles,
                of("clusters", "evses") + of("locations", "evses"),
                of("clusters", "free") + of("locations", "free"),
            ]
        };
        let free = 200 + (0..200).filter(|at| at % 3 != 0).count() as u64;
        for zoom in [0, 1, 2, 3, 20] {
            let body = phone.get(&format!("/clusters?bbox=-180,-90,180,90&zoom={zoom}")).await;
            assert_eq!((sums(&body), &body["total"]), ([200, 400, free], &json!(200)), "zoom {zoom}");
            assert_eq!(body["zoom"], json!(zoom.min(3)));
            for cluster in body["clusters"].as_array().unwrap() {
                let number = |value: &Value| value.as_f64().unwrap();
                let bounds: Vec<f64> = cluster["bounds"].as_array().unwrap().iter().map(number).collect();
                assert!((bounds[0]..=bounds[2]).contains(&number(&cluster["longitude"])), "{cluster}");
                assert!((bounds[1]..=bounds[3]).contains(&number(&cluster["latitude"])), "{cluster}");
            }
        }
        // The same marks whatever part of the map is shown, also across the antimeridian.
        let whole = phone.get("/clusters?bbox=-180,-90,180,90&zoom=2").await;
        let part = phone.get("/clusters?bbox=90,-90,-90,90&zoom=2").await;
        let beyond = |cluster: &&Value| cluster["bounds"][0].as_f64().unwrap().abs() >= 90.0;
        let wanted: Vec<&Value> = whole["clusters"].as_array().unwrap().iter().filter(beyond).collect();
        assert_eq!(part["clusters"].as_array().unwrap().iter().collect::<Vec<_>>(), wanted);
        assert!(!wanted.is_empty());
        let some = phone.get("/clusters?bbox=-180,-90,180,90&zoom=2&standard=CHADEMO&free=true").await;
        assert_eq!(sums(&some), [200, 200, 200]);
        for wrong in ["bbox=0,0,1,1", "zoom=3", "bbox=0,0,1,1&zoom=-1", "bbox=0,0,1,1&zoom=x&limit=3"] {
            assert_eq!(phone.status(&format!("/clusters?{wrong}")).await, 400, "{wrong}");
        }
        node.stop().await;
    }

    async fn changes_show_within_a_second(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let phone = AppOf::new(&node, "app").await.driver("anna").await;
        keep(&node, vec![place("OURS", "48", "9")], 1).await;
        let cpo = FakePartner::start();
        let partner = cpo.join_as(&node, "cpo", &[("NL*CPO", Role::Cpo)]).await;
        let free = async |count: u64| {
            let body = phone.get("/locations?bbox=-180,-90,180,90").await;
            body["locations"].as_array().unwrap().iter().map(|one| one["free"].as_u64().unwrap()).sum::<u64>() == count
        };
        assert!(free(1).await);

        // A state of ours, written by any process.
        let now = node.app().now();
        let begun = Instant::now();
        let write = move |conn: &mut _| {
            let mut place = locations::find(conn, &CPO.parse().unwrap(), &"OURS".into())?.unwrap();
            place.evses.as_mut().unwrap()[0].status = EvseStatus::Charging;
            place.last_updated = now;
            locations::upsert(conn, &place, None)
        };
        node.app().db.write(write).await.unwrap();
        until("our change shows", async || free(0).await).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());

        // What a partner tells this node, whatever it says when it changed.
        let app = node.app();
        let find = move |conn: &mut _| roamwatt::db::partners::find(conn, partner);
        let partner = app.db.read(find).await.unwrap().unwrap();
        let mut theirs = place("THEIRS", "52", "5");
        theirs.party = "NL*CPO".parse().unwrap();
        theirs.last_updated = at("2020-01-01T00:00:00Z");
        let begun = Instant::now();
        roamwatt::roaming::receive::put(app, &partner, theirs.clone()).await.unwrap();
        until("a partner's place shows", async || free(1).await).await;
        theirs.evses.as_mut().unwrap()[0].status = EvseStatus::Blocked;
        roamwatt::roaming::receive::put(app, &partner, theirs.clone()).await.unwrap();
        until("a partner's state shows", async || free(0).await).await;
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        let body = phone.get("/locations?bbox=4,51,6,53").await;
        assert_eq!((&body["locations"][0]["party"], &body["locations"][0]["own"]), (&json!("NL*CPO"), &json!(false)));

        // A tariff that comes later gives the place its price.
        let mut named = theirs.clone();
        named.evses.as_mut().unwrap()[0].connectors[0].tariff_ids = Some(vec!["T9".into()]);
        roamwatt::roaming::receive::put(app, &partner, named).await.unwrap();
        let mut price = tariff("T9", 0.50);
        price.party = "NL*CPO".parse().unwrap();
        roamwatt::roaming::receive::put(app, &partner, price).await.unwrap();
        until("the price shows", async || {
            phone.get("/locations?bbox=4,51,6,53").await["locations"][0]["price"]["kwh_to"] == "0.595"
        })
        .await;
        // Taken from the map, it is gone.
        theirs.publish = false;
        roamwatt::roaming::receive::put(app, &partner, theirs).await.unwrap();
        indexed(&node, 1).await;
        node.stop().await;
    }

    async fn a_place_tells_when_it_is_open_and_only_open_ones_are_found(db: TestDb) {
        let clock = Clock::manual(at("2026-06-01T05:59:00Z"));
        let node = TestNode::start_with(db.url(), clock.clone(), |_| ()).await;
        let phone = AppOf::new(&node, "app").await.driver("anna").await;
        let hours: Hours = serde_json::from_value(json!({
            "twentyfourseven": false,
            "regular_hours": [{"weekday": 1, "period_begin": "08:00", "period_end": "20:00"}],
            "exceptional_closings": [{"period_begin": "2026-06-01T10:00:00Z", "period_end": "2026-06-01T11:00:00Z"}],
        }))
        .unwrap();
        let mut shop = place("SHOP", "48", "9");
        shop.opening_times = Some(hours);
        keep(&node, vec![shop, place("STREET", "48", "9.1")], 2).await;
        let everywhere = "bbox=-180,-90,180,90";
        let shown = async || {
            let body = phone.get("/locations/DE*ABC/SHOP").await;
            let hours = &body["opening_times"];
            (hours["open_now"].clone(), hours["next_change"].clone())
        };
        assert_eq!(found(&phone, &format!("{everywhere}&open=true")).await, ["STREET"]);
        assert_eq!(shown().await, (json!(false), json!("2026-06-01T06:00:00Z")));
        clock.advance(Duration::from_secs(60));
        // The access token is good for a quarter of an hour by the same clock.
        assert_eq!(found(&phone, &format!("{everywhere}&open=true")).await, ["SHOP", "STREET"]);
        assert_eq!(shown().await, (json!(true), json!("2026-06-01T10:00:00Z")));
        let body = phone.get("/locations/DE*ABC/SHOP").await;
        assert_eq!(body["opening_times"]["regular"], json!([{"weekday": 1, "from": "08:00", "to": "20:00"}]));
        assert_eq!(body["opening_times"]["closings"][0]["from"], "2026-06-01T10:00:00Z");
        let list = phone.get(&format!("/locations?{everywhere}")).await;
        assert_eq!(list["locations"][0]["open_now"], json!(true));
        assert!(list["locations"][1].get("open_now").is_none());
        node.stop().await;
    }

    async fn what_did_not_change_is_not_sent_again_and_what_is_sent_is_small(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let phone = AppOf::new(&node, "app").await.driver("anna").await;
        let places = (0..50).map(|at| place(&format!("P{at}"), "48", &format!("9.{at:02}"))).collect();
        keep(&node, places, 50).await;
        for path in ["/locations?bbox=-180,-90,180,90", "/clusters?bbox=-180,-90,180,90&zoom=1", "/locations/DE*ABC/P1", "/tokens"] {
            let response = phone.send(Method::GET, path, HeaderMap::new(), None).await;
            let tag = response.headers()[ETAG].clone();
            assert!(tag.to_str().unwrap().starts_with("W/\""), "{path}");
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, tag.clone());
            let again = phone.send(Method::GET, path, headers.clone(), None).await;
            assert_eq!((again.status().as_u16(), again.headers()[ETAG].clone()), (304, tag), "{path}");
            assert_eq!(again.text().await.unwrap(), "");
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static("W/\"other\""));
            assert_eq!(phone.send(Method::GET, path, headers, None).await.status(), 200, "{path}");
        }
        let plain = phone.send(Method::GET, "/locations?bbox=-180,-90,180,90", HeaderMap::new(), None).await;
        assert!(plain.headers().get("content-encoding").is_none());
        let whole = plain.bytes().await.unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
        let packed = phone.send(Method::GET, "/locations?bbox=-180,-90,180,90", headers, None).await;
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        let bytes = packed.bytes().await.unwrap();
        assert!(bytes.len() * 4 < whole.len(), "{} of {}", bytes.len(), whole.len());
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
        assert_eq!(text.as_bytes(), &whole[..]);
        node.stop().await;
    }

    async fn real_places_are_found_where_they_are(db: TestDb) {
        let Some(file) = shared("data/locations/ludwigsburg.json") else { return };
        let node = TestNode::start(db.url()).await;
        let phone = AppOf::new(&node, "app").await.driver("anna").await;
        let defaults = Defaults { owner: None, now: at("2026-01-31T18:00:00Z") };
        let import = read_locations(&std::fs::read(file).unwrap(), defaults).unwrap();
        let places: Vec<Location> = import.into_iter().map(|item| item.unwrap().object).collect();
        assert!(places.len() > 50, "{}", places.len());
        let shown = places
            .iter()
            .filter(|place| place.is_for_partners() && place.evses().any(|evse| evse.status != EvseStatus::Removed))
            .count();
        let party = Party { id: places[0].party.clone(), name: "Real".into(), website: None, roles: vec![Role::Cpo] };
        let now = node.app().now();
        node.app().db.write(move |conn| parties::insert(conn, &party, now)).await.unwrap();
        keep(&node, places.clone(), shown).await;
        let whole = phone.get("/locations?bbox=-180,-90,180,90&limit=1").await;
        assert_eq!(whole["total"], json!(shown));
        // Each is the nearest to where it is.
        for place in places.iter().filter(|place| place.is_for_partners()).step_by(17) {
            let (latitude, longitude) = (&place.coordinates.latitude, &place.coordinates.longitude);
            let near = phone.get(&format!("/locations?latitude={latitude}&longitude={longitude}&radius=1")).await;
            let ids: Vec<&str> = near["locations"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
            assert!(ids.contains(&place.id.as_str()), "{} is not among {ids:?}", place.id);
        }
        node.stop().await;
    }
}
