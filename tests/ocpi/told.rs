//! What partners tell us: whole and in part, and what comes back when they ask.

use super::peer::{Peer, fixture, node, with};
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use roamwatt::app::Event;
use serde_json::{Value, json};

const LOCATION: &str = "/emsp/locations/DE/ABC/LOC-FULL";
const SESSION: &str = "/emsp/sessions/DE/ABC/S-1";
const TARIFF: &str = "/emsp/tariffs/DE/ABC/T-1";
const TOKEN: &str = "/cpo/tokens/NL/XYZ/04A2B3C4D5";

on_each_engine! {
    async fn what_is_told_whole_comes_back_equal(db: TestDb) {
        let node = node(db.url()).await;
        let (abc, xyz) = (Peer::abc(&node).await, Peer::xyz(&node).await);
        for (peer, path, name) in [
            (&abc, LOCATION, "location_full"),
            (&abc, TARIFF, "tariff_full"),
            (&abc, SESSION, "session_full"),
            (&xyz, TOKEN, "token_full"),
        ] {
            let object = fixture(name);
            assert_eq!(peer.get(path).await.http, 404, "{path} before it was told");
            let told = peer.put(path, &object).await;
            assert_eq!((told.codes(), told.body.get("data")), ((201, 1000), None), "{path}: {told:?}");
            let again = peer.put(path, &object).await;
            assert_eq!(again.codes(), (200, 1000), "{path} again");
            let got = peer.get(path).await;
            assert_eq!((got.codes(), got.data()), ((200, 1000), &object), "{path}");
            // The ids are CiStrings, and a slash at the end changes nothing.
            let got = peer.get(&format!("{}/", path.to_lowercase())).await;
            assert_eq!((got.http, got.data()), (200, &object), "{path} in lower case, with a slash");
        }
        let evse = fixture("location_full")["evses"][0].clone();
        let got = abc.get(&format!("{LOCATION}/E-1")).await;
        assert_eq!(got.data(), &evse);
        let got = abc.get(&format!("{LOCATION}/E-1/1")).await;
        assert_eq!(got.data(), &evse["connectors"][0]);
        for path in [format!("{LOCATION}/E-9"), format!("{LOCATION}/E-1/9")] {
            assert_eq!(abc.get(&path).await.http, 404, "{path}");
        }
    }

    async fn a_put_clears_what_it_leaves_out(db: TestDb) {
        let node = node(db.url()).await;
        let (abc, xyz) = (Peer::abc(&node).await, Peer::xyz(&node).await);
        for (peer, path, name, field) in [
            (&abc, LOCATION, "location_full", "facilities"),
            (&abc, TARIFF, "tariff_full", "max_price"),
            (&abc, SESSION, "session_full", "charging_periods"),
            (&xyz, TOKEN, "token_full", "group_id"),
        ] {
            peer.put(path, &fixture(name)).await;
            let without = with(fixture(name), json!({ field: null }));
            assert_eq!(peer.put(path, &without).await.codes(), (200, 1000), "{path}");
            assert_eq!(peer.get(path).await.data(), &without, "{path}");
        }
    }

    async fn a_patch_keeps_what_it_leaves_out(db: TestDb) {
        let node = node(db.url()).await;
        let (abc, xyz) = (Peer::abc(&node).await, Peer::xyz(&node).await);
        let at = "2026-05-01T10:00:00Z";
        let patch = json!({"name": "Rathaus Nord", "last_updated": at});
        assert_eq!(abc.patch(LOCATION, &patch).await.codes(), (404, 2003), "before it was told");
        abc.put(LOCATION, &fixture("location_full")).await;
        assert_eq!(abc.patch(LOCATION, &patch).await.codes(), (200, 1000));
        assert_eq!(abc.get(LOCATION).await.data(), &with(fixture("location_full"), patch));

        // A PATCH of a token without `valid` does not block the card.
        xyz.put(TOKEN, &fixture("token_full")).await;
        let patch = json!({"language": "de", "last_updated": at});
        assert_eq!(xyz.patch(TOKEN, &patch).await.codes(), (200, 1000));
        let token = xyz.get(TOKEN).await;
        assert_eq!(token.data(), &with(fixture("token_full"), patch));
        assert_eq!(token.data()["valid"], json!(true));
        // One that says so does, and a null says nothing.
        let patch = json!({"valid": false, "issuer": null, "last_updated": at});
        assert_eq!(xyz.patch(TOKEN, &patch).await.codes(), (200, 1000));
        assert_eq!(xyz.get(TOKEN).await.data()["valid"], json!(false));
        assert_eq!(xyz.get(TOKEN).await.data()["issuer"], fixture("token_full")["issuer"]);
    }

    async fn a_patch_of_a_session_adds_charging_periods(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        let mut events = node.app().wakes.events.subscribe();
        let session = fixture("session_full");
        let periods = session["charging_periods"].as_array().unwrap().clone();
        abc.put(SESSION, &session).await;
        assert_eq!(events.try_recv().unwrap(), Event::SessionChanged("S-1".to_owned()));
        let more = json!({"start_date_time": "2026-02-03T11:29:00Z", "dimensions": [{"type": "ENERGY", "volume": 0.5}]});
        let patch = json!({"kwh": 12.845, "charging_periods": [more], "last_updated": "2026-02-03T11:40:00Z"});
        assert_eq!(abc.patch(SESSION, &patch).await.codes(), (200, 1000));
        let got = abc.get(SESSION).await;
        let mut wanted = periods.clone();
        wanted.push(more.clone());
        assert_eq!(got.data()["charging_periods"], Value::Array(wanted.clone()));
        assert_eq!(got.data()["kwh"], json!(12.845));
        let none = json!({"charging_periods": [], "last_updated": "2026-02-03T11:41:00Z"});
        assert_eq!(abc.patch(SESSION, &none).await.codes(), (200, 1000));
        assert_eq!(abc.get(SESSION).await.data()["charging_periods"], Value::Array(wanted));
        // PUT replaces them.
        abc.put(SESSION, &with(session, json!({"charging_periods": [more]}))).await;
        assert_eq!(abc.get(SESSION).await.data()["charging_periods"], json!([more]));
    }

    async fn a_patch_says_when_and_makes_no_other_object(db: TestDb) {
        let node = node(db.url()).await;
        let (abc, xyz) = (Peer::abc(&node).await, Peer::xyz(&node).await);
        abc.put(LOCATION, &fixture("location_full")).await;
        abc.put(SESSION, &fixture("session_full")).await;
        xyz.put(TOKEN, &fixture("token_full")).await;
        let at = "2026-05-01T10:00:00Z";
        let evse = format!("{LOCATION}/E-1");
        let connector = format!("{LOCATION}/E-1/1");
        for (peer, path, patch, wanted) in [
            (&abc, LOCATION, json!({"name": "x"}), "$.last_updated: is required in a PATCH and missing"),
            (&abc, evse.as_str(), json!({"status": "CHARGING"}), "$.last_updated: is required"),
            (&abc, connector.as_str(), json!({"max_voltage": 400}), "$.last_updated: is required"),
            (&abc, SESSION, json!({"kwh": 3}), "$.last_updated: is required"),
            (&xyz, TOKEN, json!({"valid": false}), "$.last_updated: is required"),
            (&abc, LOCATION, json!({"id": "OTHER", "last_updated": at}), "$.id: is 'OTHER', but the URL says 'LOC-FULL'"),
            (&abc, LOCATION, json!({"party_id": "XXX", "last_updated": at}), "$.party_id"),
            (&abc, evse.as_str(), json!({"uid": "E-7", "last_updated": at}), "$.uid"),
            (&abc, connector.as_str(), json!({"id": "7", "last_updated": at}), "$.id"),
            (&abc, SESSION, json!({"kwh": "much", "last_updated": at}), "$.kwh: a decimal number is wanted"),
            (&xyz, TOKEN, json!({"uid": "X", "last_updated": at}), "$.uid"),
            (&xyz, &format!("{TOKEN}?type=RFID"), json!({"type": "OTHER", "last_updated": at}), "$.type"),
            (&abc, LOCATION, json!([1]), "$: an object is wanted"),
        ] {
            let refused = peer.patch(path, &patch).await;
            assert_eq!(refused.codes(), (200, 2001), "{path} {patch}: {refused:?}");
            assert!(refused.message().starts_with(wanted), "{}", refused.message());
        }
        assert_eq!(abc.get(LOCATION).await.data(), &fixture("location_full"));
        assert_eq!(abc.get(SESSION).await.data(), &fixture("session_full"));
        assert_eq!(xyz.get(TOKEN).await.data(), &fixture("token_full"));
    }

    async fn a_change_of_a_part_moves_the_time_of_what_is_around_it(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        abc.put(LOCATION, &fixture("location_full")).await;
        let (evse, connector) = (format!("{LOCATION}/E-1"), format!("{LOCATION}/E-1/1"));
        let times = async || {
            let location = abc.get(LOCATION).await.data().clone();
            let evse = &location["evses"][0];
            [&location, evse, &evse["connectors"][0]].map(|o| o["last_updated"].as_str().unwrap().to_owned())
        };
        let before = times().await;
        let (one, two, three, four) =
            ("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", "2026-06-03T00:00:00Z", "2026-06-04T00:00:00Z");
        let patched = abc.patch(&evse, &json!({"status": "CHARGING", "last_updated": one})).await;
        assert_eq!(patched.codes(), (200, 1000), "{patched:?}");
        assert_eq!(times().await, [one, one, &before[2]]);
        abc.patch(&connector, &json!({"tariff_ids": ["T-2"], "last_updated": two})).await;
        assert_eq!(times().await, [two; 3]);
        let whole = abc.get(&connector).await.data().clone();
        let told = abc.put(&connector, &with(whole, json!({"max_amperage": 63, "last_updated": three}))).await;
        assert_eq!(told.codes(), (200, 1000), "{told:?}");
        assert_eq!(times().await, [three; 3]);
        let whole = abc.get(&evse).await.data().clone();
        abc.put(&evse, &with(whole, json!({"status": "REMOVED", "last_updated": four}))).await;
        assert_eq!(times().await, [four, four, three]);
        assert_eq!(abc.get(&evse).await.data()["status"], json!("REMOVED"));

        // New ones are added; what they would be within has to be known.
        let new = with(fixture("location_full")["evses"][0].clone(), json!({"uid": "E-2"}));
        assert_eq!(abc.put(&format!("{LOCATION}/E-2"), &new).await.codes(), (201, 1000));
        let new = with(new["connectors"][0].clone(), json!({"id": "9"}));
        assert_eq!(abc.put(&format!("{LOCATION}/E-2/9"), &new).await.codes(), (201, 1000));
        assert_eq!(abc.get(&format!("{LOCATION}/E-2/9")).await.data(), &new);
        for path in [format!("{LOCATION}/E-7/9"), "/emsp/locations/DE/ABC/LOC-2/E-1/9".to_owned()] {
            assert_eq!(abc.put(&path, &new).await.codes(), (404, 2003), "{path}");
        }
        assert_eq!(abc.delete(LOCATION).await.http, 405);
    }

    async fn the_url_and_the_body_name_the_same_object(db: TestDb) {
        let node = node(db.url()).await;
        let (abc, xyz) = (Peer::abc(&node).await, Peer::xyz(&node).await);
        abc.put(LOCATION, &fixture("location_full")).await;
        let evse = fixture("location_full")["evses"][0].clone();
        for (peer, path, body, wanted) in [
            (&abc, "/emsp/locations/DE/ABC/LOC-2", fixture("location_full"), "$.id: is 'LOC-FULL', but the URL says 'LOC-2'"),
            (&abc, "/emsp/locations/DE/ABC/LOC-FULL/E-9", evse.clone(), "$.uid: is 'E-1', but the URL says 'E-9'"),
            (&abc, "/emsp/locations/DE/ABC/LOC-FULL/E-1/9", evse["connectors"][0].clone(), "$.id: is '1', but"),
            (&abc, "/emsp/tariffs/DE/ABC/T-2", fixture("tariff_full"), "$.id"),
            (&abc, "/emsp/sessions/DE/ABC/S-2", fixture("session_full"), "$.id"),
            (&abc, SESSION, with(fixture("session_full"), json!({"party_id": "AB2"})), "$.party_id: is 'AB2', but"),
            (&abc, TARIFF, with(fixture("tariff_full"), json!({"country_code": "NL"})), "$.country_code: is 'NL', but"),
            (&xyz, "/cpo/tokens/NL/XYZ/0000", fixture("token_full"), "$.uid"),
            (&xyz, "/cpo/tokens/NL/XYZ/04A2B3C4D5?type=APP_USER", fixture("token_full"), "$.type: is 'RFID', but"),
        ] {
            let refused = peer.put(path, &body).await;
            assert_eq!(refused.codes(), (200, 2001), "{path}: {refused:?}");
            assert!(refused.message().starts_with(wanted), "{path}: {}", refused.message());
        }
        assert_eq!(abc.get(TARIFF).await.http, 404);
    }

    async fn a_tariff_goes_by_delete(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        assert_eq!(abc.delete(TARIFF).await.codes(), (404, 2001));
        abc.put(TARIFF, &fixture("tariff_full")).await;
        assert_eq!(abc.delete(TARIFF).await.codes(), (200, 1000));
        assert_eq!(abc.get(TARIFF).await.http, 404);
        // The specification's own example of a PUT does not say when: it is now.
        let without = with(fixture("tariff_full"), json!({"last_updated": null}));
        assert_eq!(abc.put(TARIFF, &without).await.codes(), (201, 1000));
        assert!(abc.get(TARIFF).await.data()["last_updated"].is_string());
        assert_eq!(abc.patch(TARIFF, &json!({"currency": "CHF", "last_updated": "2026-05-01T10:00:00Z"})).await.http, 405);
    }

    async fn a_token_is_named_by_uid_and_type(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        let app_user = with(fixture("token_full"), json!({"type": "APP_USER"}));
        // Without `?type=` the body says the type: many platforms leave it out.
        assert_eq!(xyz.put(TOKEN, &app_user).await.codes(), (201, 1000));
        assert_eq!(xyz.get(TOKEN).await.codes(), (404, 2004), "RFID is the default");
        assert_eq!(xyz.put(&format!("{TOKEN}?type=RFID"), &fixture("token_full")).await.codes(), (201, 1000));
        assert_eq!(xyz.get(TOKEN).await.data()["type"], json!("RFID"));
        assert_eq!(xyz.get(&format!("{TOKEN}?type=APP_USER")).await.data(), &app_user);
        let patch = json!({"valid": false, "last_updated": "2026-05-01T10:00:00Z"});
        assert_eq!(xyz.patch(&format!("{TOKEN}?type=APP_USER"), &patch).await.codes(), (200, 1000));
        assert_eq!(xyz.get(TOKEN).await.data()["valid"], json!(true));
        let refused = xyz.get(&format!("{TOKEN}?type=CARD")).await;
        assert_eq!(refused.codes(), (200, 2001));
        assert!(refused.message().starts_with("parameter type: 'CARD' is not RFID"), "{}", refused.message());
    }

    /// What bounds a price as a plain number says too little to have an effect, and comes back as it came; so do
    /// more decimals than ours may have.
    async fn a_tariff_of_a_partner_keeps_what_does_not_price(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        let mut odd = fixture("tariff_full");
        odd["max_price"] = serde_json::from_str("30.00").unwrap();
        odd["min_price"] = json!("cheap");
        odd["elements"][0]["price_components"][0]["price"] = serde_json::from_str("0.123456").unwrap();
        let told = abc.put(TARIFF, &odd).await;
        assert_eq!(told.codes(), (201, 1000), "{told:?}");
        let got = abc.get(TARIFF).await;
        assert_eq!(got.data(), &odd);
        assert_eq!(got.data()["max_price"].to_string(), "30.00");
    }

    async fn odd_but_clear_objects_are_taken(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        // An enum that nobody knows, a field that nobody knows, an EVSE without connectors, an id that is a
        // number, times without zone or with nanoseconds.
        let mut odd = with(fixture("location_full"), json!({
            "id": 1012, "parking_type": "ON_THE_MOON", "x_note": {"a": [1]}, "last_updated": "2026-02-03T10:00:00.123456789"
        }));
        odd["evses"][0]["connectors"] = json!([]);
        odd["evses"][0]["status"] = json!("ON_FIRE");
        let told = abc.put("/emsp/locations/DE/ABC/1012", &odd).await;
        assert_eq!(told.codes(), (201, 1000), "{told:?}");
        let got = abc.get("/emsp/locations/DE/ABC/1012").await;
        let wanted = with(odd, json!({"id": "1012", "last_updated": "2026-02-03T10:00:00.123Z"}));
        assert_eq!(got.data(), &wanted);

        // What is optional and cannot be understood is left out, and the sender is told.
        let bad = with(fixture("location_full"), json!({
            "parking_type": 7, "energy_mix": {"is_green_energy": "perhaps"}, "facilities": ["HOTEL", {"a": 1}]
        }));
        let told = abc.put(LOCATION, &bad).await;
        assert_eq!(told.codes(), (201, 1000), "{told:?}");
        for place in ["$.parking_type: left out", "$.energy_mix.is_green_energy: left out", "$.facilities[1]: left out"] {
            assert!(told.message().contains(place), "{}", told.message());
        }
        let wanted = with(bad, json!({"parking_type": null, "energy_mix": null, "facilities": ["HOTEL"]}));
        assert_eq!(abc.get(LOCATION).await.data(), &wanted);
        // What is required, or part of a price, is not.
        let bad = with(fixture("location_full"), json!({"coordinates": "here"}));
        let refused = abc.put(LOCATION, &bad).await;
        assert_eq!(refused.codes(), (200, 2001));
        assert!(refused.message().starts_with("$.coordinates: "), "{}", refused.message());
        let mut bad = fixture("tariff_full");
        bad["elements"][0]["restrictions"]["max_kwh"] = json!("lots");
        let refused = abc.put(TARIFF, &bad).await;
        assert_eq!(refused.codes(), (200, 2001));
        assert!(refused.message().starts_with("$.elements[0].restrictions.max_kwh: "), "{}", refused.message());
        let mut bad = fixture("location_full");
        bad["evses"][0]["uid"] = json!({});
        let refused = abc.put(LOCATION, &bad).await;
        assert!(refused.message().starts_with("$.evses[0].uid: "), "an EVSE is not left out: {refused:?}");
        assert_eq!(abc.get(LOCATION).await.data(), &wanted, "what was refused changed nothing");
    }

    async fn what_is_no_message_is_answered_with_its_place(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        let put = async |body: &str| abc.send(Method::PUT, LOCATION, &[], Some(body.as_bytes().to_vec())).await;
        for (body, wanted) in [
            ("{\"id\": \"LOC-FULL\",\n \"publish\": tru }", "line 2, column 16: not JSON: "),
            ("", "line 1, column 0: not JSON: "),
            ("<xml/>", "line 1, column 1: not JSON: "),
        ] {
            let refused = put(body).await;
            assert_eq!(refused.codes(), (400, 2001), "{body}");
            assert!(refused.message().starts_with(wanted), "{body}: {}", refused.message());
        }
        for (body, wanted) in [("[]", "$: a Location is wanted, found a list of 0"), ("7", "$: a Location is wanted")] {
            let refused = put(body).await;
            assert_eq!(refused.codes(), (200, 2001), "{body}");
            assert!(refused.message().starts_with(wanted), "{body}: {}", refused.message());
        }
        let huge = vec![b' '; node.app().config.server.max_body + 1];
        let refused = abc.send(Method::PUT, LOCATION, &[], Some(huge)).await;
        assert_eq!(refused.codes(), (413, 2001));
        for (method, path) in [
            (Method::POST, LOCATION),
            (Method::DELETE, SESSION),
            (Method::PATCH, TARIFF),
            (Method::PUT, "/emsp/cdrs"),
            (Method::DELETE, "/cpo/locations"),
            (Method::GET, "/emsp/tokens/1/authorize"),
        ] {
            let refused = abc.send(method.clone(), path, &[], Some(b"{}".to_vec())).await;
            assert_eq!((refused.http, refused.code()), (405, 2000), "{method} {path}");
        }
        assert_eq!(abc.get("/emsp/nowhere").await.codes(), (404, 2000));
        let counted = node.app().metrics.refused.with_label_values(&["ocpi", "invalid"]).get();
        assert_eq!(counted, 5);
        let counted = node.app().metrics.ocpi_requests.with_label_values(&["in", "locations", "4xx"]).get();
        assert_eq!(counted, 6);
    }
}
