//! Parties, locations, stations and tokens from the command line.

use super::{add_party, fixture, run, run_with};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::shared::shared;
use roamwatt::db::{DbError, locations, station_access, tokens};
use roamwatt::domain::CiString;
use roamwatt::domain::station::StationId;
use serde_json::{Value, json};

/// A location with EVSEs E1 (connectors 1 and 2) and E2 (connector 1).
pub(super) fn location(id: &str) -> Value {
    let connector = |id: &str| {
        json!({
            "id": id, "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE",
            "max_voltage": 230, "max_amperage": 32, "last_updated": "2020-01-01T00:00:00Z",
        })
    };
    let evse = |uid: &str, connectors: Vec<Value>| {
        json!({
            "uid": uid, "status": "AVAILABLE", "connectors": connectors,
            "last_updated": "2020-01-01T00:00:00Z",
        })
    };
    json!({
        "country_code": "DE", "party_id": "ABC", "id": id, "publish": true, "address": "A 1", "city": "B",
        "country": "DEU", "time_zone": "Europe/Berlin", "last_updated": "2020-01-01T00:00:00Z",
        "coordinates": { "latitude": "48.89233", "longitude": "9.18329" },
        "evses": [evse("E1", vec![connector("1"), connector("2")]), evse("E2", vec![connector("1")])],
    })
}

pub(super) fn import(db: &TestDb, what: &str, list: &Value, flags: &[&str]) -> super::Ran {
    run_with(db, &[&["import", what, "-", "--json"][..], flags].concat(), &list.to_string())
}

on_each_engine! {
    async fn parties_are_added_once(db: TestDb) {
        add_party(&db);
        let again = run(&db, &["party", "add", "--country", "de", "--party", "abc", "--role", "cpo", "--name", "x"]);
        assert!(again.code == 1 && again.err.contains("DE*ABC is there already"), "{again:?}");
        let bad = run(&db, &["party", "add", "--country", "DEU", "--party", "ABC", "--role", "cpo", "--name", "x"]);
        assert!(bad.code == 2 && bad.err.contains("two letters"), "{bad:?}");
        let list = run(&db, &["party", "list", "--json"]).json();
        assert_eq!(list[0]["roles"], json!(["CPO", "EMSP"]));
        assert_eq!(list.as_array().unwrap().len(), 1);
    }

    async fn stations_get_the_connectors_that_were_named(db: TestDb) {
        add_party(&db);
        assert_eq!(import(&db, "locations", &json!([location("L1"), location("L2")]), &[]).code, 0);
        let all = run(&db, &["station", "add", "CS1", "--location", "L1", "--json"]).json();
        let numbered: Vec<(i64, &str, &str)> = all["connectors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| (c["number"].as_i64().unwrap(), c["evse_uid"].as_str().unwrap(), c["connector_id"].as_str().unwrap()))
            .collect();
        assert_eq!(numbered, [(1, "E1", "1"), (2, "E1", "2"), (3, "E2", "1")]);
        assert_eq!(all["url"], "ws://127.0.0.1:8080/ocpp/CS1");
        assert_eq!(all["password"].as_str().unwrap().len(), 20);

        let taken = run(&db, &["station", "add", "CS2", "--location", "L1"]);
        assert!(taken.code == 1 && taken.err.contains("belongs to station CS1"), "{taken:?}");
        let ambiguous = run(&db, &["station", "add", "CS2", "--location", "L2", "--evse", "E1"]);
        assert!(ambiguous.code == 1 && ambiguous.err.contains("--evse UID:CONNECTOR"), "{ambiguous:?}");
        let unknown = run(&db, &["station", "add", "CS2", "--location", "L2", "--evse", "E9"]);
        assert!(unknown.code == 1 && unknown.err.contains("it has E1 (connectors 1, 2), E2"), "{unknown:?}");
        let named = ["station", "add", "CS2", "--location", "L2", "--evse", "E2", "--evse", "E1:2", "--json"];
        let named = run_with(&db, &[&named[..], &["--password-stdin"]].concat(), "a password of sixteen\n").json();
        assert_eq!(named["connectors"][1]["connector_id"], "2");
        assert!(named.get("password").is_none(), "a password that was given is not shown");

        let open = db.open();
        let (auth, hash): (_, Option<String>) = open
            .read(|conn| station_access::credentials(conn, &StationId::parse("CS2").unwrap()))
            .await
            .map(|found: Option<_>| found.unwrap())
            .unwrap();
        assert_eq!(auth, roamwatt::domain::station::StationAuth::Basic);
        let hash = hash.unwrap();
        assert!(!hash.contains("sixteen"), "{hash}");

        let changed = run(&db, &["station", "set-password", "CS2", "--json"]).json();
        assert_eq!(changed["password"].as_str().unwrap().len(), 20);
        let none = run(&db, &["station", "set-password", "CS9"]);
        assert!(none.code == 1 && none.err.contains("there is no station CS9"), "{none:?}");
        assert_eq!(run(&db, &["station", "remove", "CS1"]).code, 0);
        assert_eq!(run(&db, &["station", "remove", "CS1"]).code, 1);
        let left = run(&db, &["station", "list", "--json"]).json();
        assert_eq!((left.as_array().unwrap().len(), &left[0]["id"]), (1, &json!("CS2")));
    }

    async fn tokens_are_blocked_and_removed(db: TestDb) {
        add_party(&db);
        let add = ["token", "add", "--uid", "04A2B3C4", "--type", "RFID", "--contract", "DE-ABC-C12345678-X"];
        let added = run(&db, &[&add[..], &["--json"]].concat()).json();
        assert_eq!((&added["party_id"], &added["issuer"]), (&json!("ABC"), &json!("ABC Charging")));
        let again = run(&db, &add);
        assert!(again.code == 1 && again.err.contains("is there already"), "{again:?}");
        let valid = async || {
            let open = db.open();
            let all = open.read(|conn| tokens::ours_by_uid(conn, &CiString::from("04a2b3c4"))).await;
            all.map(|all: Vec<_>| all.into_iter().map(|token| token.valid).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(valid().await, [true]);
        assert_eq!(run(&db, &["token", "block", "04a2b3c4"]).code, 0);
        assert_eq!(valid().await, [false]);
        assert_eq!(run(&db, &["token", "unblock", "04A2B3C4"]).code, 0);
        assert_eq!(valid().await, [true]);
        assert_eq!(run(&db, &["token", "remove", "04A2B3C4", "--json"]).json()["result"], "removed");
        assert!(valid().await.is_empty());
        let gone = run(&db, &["token", "block", "04A2B3C4"]);
        assert!(gone.code == 1 && gone.err.contains("there is no token"), "{gone:?}");
        let long = run(&db, &["token", "add", "--uid", &"x".repeat(37), "--contract", "c"]);
        assert!(long.code == 2 && long.err.contains("37 characters"), "{long:?}");
    }

    async fn an_import_with_a_bad_object_changes_nothing(db: TestDb) {
        add_party(&db);
        let mut wrong_type = location("L2");
        wrong_type["evses"][0]["connectors"][0]["max_voltage"] = json!("high");
        let mut foreign = location("L3");
        foreign["party_id"] = json!("XYZ");
        let list = json!([location("L1"), wrong_type, 7, foreign, location("l1")]);

        let ran = import(&db, "locations", &list, &[]);
        assert_eq!(ran.code, 1);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let bad: Vec<(i64, &str)> = report["bad"]
            .as_array()
            .unwrap()
            .iter()
            .map(|bad| (bad["index"].as_i64().unwrap(), bad["path"].as_str().unwrap()))
            .collect();
        let expected =
            [(1, "$[1].evses[0].connectors[0].max_voltage"), (2, "$[2]"), (3, "$[3].party_id"), (4, "$[4]")];
        assert_eq!(bad, expected);
        assert_eq!(report["bad"][0]["id"], "L2");
        let open = db.open();
        let there = async |id: &'static str| {
            let found = open.read(move |conn| locations::ours_by_id(conn, &CiString::from(id))).await;
            found.map(|found: Vec<_>| !found.is_empty()).map_err(|error: DbError| error).unwrap()
        };
        assert!(!there("L1").await);

        let ran = import(&db, "locations", &list, &["--keep-going"]);
        assert_eq!(ran.code, 1, "bad objects are told by the exit code all the same");
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((&report["imported"], report["bad"].as_array().unwrap().len()), (&json!(1), 4));
        assert!(there("L1").await && !there("L2").await);

        for (text, place) in [("{\"a\": 1}", "$:"), ("[1,", "line 1, column 3"), ("\"x\"", "$:")] {
            let ran = run_with(&db, &["import", "locations", "-"], text);
            assert!(ran.code == 1 && ran.err.contains(place), "{ran:?}");
        }
    }

    async fn an_import_again_changes_only_what_differs(db: TestDb) {
        add_party(&db);
        let two = json!({ "data": [location("L1"), location("L2")] });
        let first: Value = import(&db, "locations", &two, &[]).json();
        assert_eq!((&first["imported"], &first["unchanged"]), (&json!(2), &json!(0)));
        let second: Value = import(&db, "locations", &two, &[]).json();
        assert_eq!((&second["imported"], &second["unchanged"]), (&json!(0), &json!(2)));

        // One EVSE changes, one goes: the change shows in the times around it, and the EVSE stays as REMOVED.
        let mut changed = location("L1");
        changed["evses"][0]["physical_reference"] = json!("7");
        changed["evses"].as_array_mut().unwrap().truncate(1);
        let third: Value = import(&db, "locations", &json!([changed]), &[]).json();
        assert_eq!(third["imported"], 1);
        let open = db.open();
        let found: Result<_, DbError> = open.read(|conn| locations::ours_by_id(conn, &CiString::from("L1"))).await;
        let found = found.unwrap().remove(0);
        let old = "2020-01-01T00:00:00Z";
        let evse = found.evse(&CiString::from("E1")).unwrap();
        assert_ne!(found.last_updated.to_string(), old);
        assert_ne!(evse.last_updated.to_string(), old);
        assert_eq!(evse.connectors[0].last_updated.to_string(), old);
        assert_eq!(found.evse(&CiString::from("E2")).unwrap().status.as_str(), "REMOVED");

        // What a station serves does not go.
        assert_eq!(run(&db, &["station", "add", "CS1", "--location", "L2"]).code, 0);
        let mut smaller = location("L2");
        smaller["evses"].as_array_mut().unwrap().truncate(1);
        let refused = import(&db, "locations", &json!([smaller]), &[]);
        assert!(refused.code == 1 && refused.out.contains("station CS1 serves connector 1 of EVSE E2"), "{refused:?}");
    }

    async fn tariffs_and_tokens_are_imported_for_a_party(db: TestDb) {
        add_party(&db);
        let tariff = json!({
            "id": "T1", "currency": "EUR",
            "elements": [{ "price_components": [{ "type": "ENERGY", "price": 0.50, "step_size": 1 }] }],
        });
        assert_eq!(import(&db, "tariffs", &json!([tariff]), &[]).json()["imported"], 1);
        let file = fixture("token_full.json");
        let token = file.to_str().unwrap();
        let foreign = run(&db, &["import", "tokens", token]);
        assert!(foreign.code == 1 && foreign.out.contains("none of our parties"), "{foreign:?}");
        let taken = run(&db, &["import", "tokens", token, "--party", "DE*ABC", "--json"]).json();
        assert_eq!(taken["imported"], 1);
        assert!(taken["notes"][0]["message"].as_str().unwrap().contains("imported as \"DE\""), "{taken}");
        let stranger = run(&db, &["import", "tokens", token, "--party", "FR*XXX"]);
        assert!(stranger.code == 1 && stranger.err.contains("FR*XXX is none of our parties"), "{stranger:?}");
    }

    async fn a_real_page_of_locations_is_imported(db: TestDb) {
        let Some(file) = shared("data/locations/ludwigsburg.json") else { return };
        let add = ["party", "add", "--country", "DE", "--party", "SLB", "--role", "cpo", "--name", "SWLB"];
        assert_eq!(run(&db, &add).code, 0);
        let report = run(&db, &["import", "locations", file.to_str().unwrap(), "--json"]).json();
        assert_eq!((&report["imported"], &report["bad"]), (&json!(100), &json!([])));
        let notes = report["notes"].as_array().unwrap();
        let empty = notes.iter().filter(|note| note["path"].as_str().unwrap().ends_with(".physical_reference"));
        assert_eq!(empty.count(), 273, "each empty text that was taken as missing is told");
        let open = db.open();
        let found: Result<_, DbError> =
            open.read(|conn| locations::ours_by_id(conn, &CiString::from("1588625"))).await;
        let location = found.unwrap().remove(0);
        assert!(location.evses().next().unwrap().extra.contains_key("accepted_service_providers"));
    }
}
