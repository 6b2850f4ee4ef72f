//! Tariffs as goods, from the command line.

use super::{Ran, add_party, run, run_with};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::{DbError, locations, tariff_news, tariffs};
use roamwatt::domain::CiString;
use serde_json::{Value, json};

fn location() -> Value {
    let connector = |id: &str| {
        json!({
            "id": id, "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE",
            "max_voltage": 230, "max_amperage": 32, "last_updated": "2020-01-01T00:00:00Z",
        })
    };
    json!({
        "id": "L1", "publish": true, "address": "A 1", "city": "B", "country": "DEU",
        "time_zone": "Europe/Berlin", "coordinates": { "latitude": "48.89233", "longitude": "9.18329" },
        "evses": [{
            "uid": "E1", "status": "AVAILABLE", "connectors": [connector("1"), connector("2")],
            "last_updated": "2020-01-01T00:00:00Z",
        }],
    })
}

fn tariff(id: &str, price: &str) -> Value {
    let price: Value = serde_json::from_str(price).unwrap();
    json!({
        "id": id, "currency": "EUR",
        "elements": [{ "price_components": [{ "type": "ENERGY", "price": price, "step_size": 1 }] }],
    })
}

fn import(db: &TestDb, what: &str, list: &Value) -> Ran {
    run_with(db, &["import", what, "-", "--json"], &list.to_string())
}

fn seed(db: &TestDb) {
    add_party(db);
    assert_eq!(import(db, "locations", &json!([location()])).code, 0);
    assert_eq!(import(db, "tariffs", &json!([tariff("DAY", "0.49"), tariff("FAST", "0.69")])).code, 0);
    assert_eq!(run(db, &["station", "add", "CS1", "--location", "L1"]).code, 0);
}

on_each_engine! {
    async fn a_tariff_is_assigned_and_taken_back(db: TestDb) {
        seed(&db);
        let empty = run(&db, &["tariff", "assignments"]);
        assert!(empty.code == 0 && empty.out.contains("nothing is assigned yet"), "{empty:?}");
        let all = run(&db, &["tariff", "assign", "day", "--all", "--json"]).json();
        assert_eq!((&all["tariff_id"], &all["party"], &all["location_id"]), (&json!("DAY"), &json!("DE*ABC"), &json!(null)));
        let one = ["tariff", "assign", "FAST", "--connector", "L1/E1/2", "--emsp", "NL*XYZ"];
        let one = run(&db, &[&one[..], &["--from", "2026-06-01", "--to", "2026-09-01T06:00:00Z", "--json"]].concat()).json();
        assert_eq!((&one["connector_id"], &one["emsp"]), (&json!("2"), &json!("NL*XYZ")));
        assert_eq!((&one["valid_from"], &one["valid_to"]), (&json!("2026-06-01T00:00:00Z"), &json!("2026-09-01T06:00:00Z")));
        let listed = run(&db, &["tariff", "assignments"]);
        for wanted in ["WHERE", "everywhere", "everybody", "connector L1/E1/2", "eMSP NL*XYZ"] {
            assert!(listed.out.contains(wanted), "{listed:?}");
        }
        let shown = run(&db, &["tariff", "list", "--json"]).json();
        assert_eq!((&shown[0]["id"], &shown[0]["assigned"], &shown[0]["named"]), (&json!("DAY"), &json!(1), &json!(false)));

        // What it means for the location is done when the command ends, without any node.
        let open = db.open();
        let read = |conn: &mut _| {
            let location = locations::ours_by_id(conn, &CiString::from("L1"))?.remove(0);
            Ok::<_, DbError>((location, tariff_news::first(conn)?))
        };
        let (found, news) = open.read(read).await.unwrap();
        assert_eq!(news, None);
        assert!(found.evses().next().unwrap().connectors[0].last_updated.to_string().as_str() > "2020-01-02");

        let again = run(&db, &["tariff", "assign", "DAY", "--all"]);
        assert!(again.code == 1 && again.err.contains("already, as assignment 1"), "{again:?}");
        for (line, code, wanted) in [
            ("tariff assign NONE --all", 1, "there is no tariff NONE of ours"),
            ("tariff assign DAY", 2, "--connector"),
            ("tariff assign DAY --all --location L1", 2, "cannot be used with"),
            ("tariff assign DAY --all --partner A --emsp NL*XYZ", 2, "cannot be used with"),
            ("tariff assign DAY --location L9", 1, "there is no location L9 of DE*ABC"),
            ("tariff assign DAY --evse L1/E9", 1, "there is no EVSE E9 at location L1"),
            ("tariff assign DAY --evse L1", 2, "like L1/E1"),
            ("tariff assign DAY --connector L1/E1/9", 1, "there is no connector L1/E1/9"),
            ("tariff assign DAY --connector L1/E1", 2, "LOCATION/EVSE/CONNECTOR"),
            ("tariff assign DAY --group none --all", 2, "cannot be used with"),
            ("tariff assign DAY --group none", 1, "roamwatt tariff group list"),
            ("tariff assign DAY --all --partner Nobody", 1, "there is no partner 'Nobody'"),
            ("tariff assign DAY --all --from 2026-02-01 --to 2026-01-01", 1, "is not after"),
            ("tariff assign DAY --all --from tomorrow", 2, "is not an RFC 3339 time"),
            ("tariff unassign 99", 1, "there is no assignment 99"),
            ("tariff show NONE", 1, "there is no tariff NONE"),
            ("tariff remove DAY", 1, "is in use: assignment 1"),
        ] {
            let ran = run(&db, &line.split(' ').collect::<Vec<_>>());
            let wanted = wanted.replace("like L1/E1", "LOC1/E1");
            assert!(ran.code == code && ran.err.contains(&wanted), "{line}: {ran:?}");
        }
        assert_eq!(run(&db, &["tariff", "unassign", "1", "--json"]).json()["tariff_id"], "DAY");
        assert_eq!(run(&db, &["tariff", "remove", "DAY", "--json"]).json()["result"], "removed");
        assert_eq!(run(&db, &["tariff", "list", "--json"]).json().as_array().unwrap().len(), 1);
    }

    async fn groups_are_kept(db: TestDb) {
        seed(&db);
        let made = run(&db, &["tariff", "group", "add", "depots", "--station", "CS1", "--json"]).json();
        assert_eq!(made["members"], json!(["station CS1"]));
        let more = ["tariff", "group", "add", "Depots", "--connector", "L1/E1/1", "--station", "CS1", "--json"];
        let more = run(&db, &more).json();
        assert_eq!((&more["name"], &more["members"]), (&json!("depots"), &json!(["station CS1", "connector L1/E1/1"])));
        let fleet = ["tariff", "group", "add", "fleet", "--contract", "NL-XYZ-C1", "--token", "NL*XYZ/04A2", "--json"];
        let fleet = run(&db, &fleet).json();
        assert_eq!(fleet["members"], json!(["token NL*XYZ/04A2", "contract NL*XYZ/NLXYZC1"]));
        for (line, code, wanted) in [
            ("tariff group add depots --station CS9", 1, "there is no station CS9"),
            ("tariff group add depots --connector L1/E1/9", 1, "there is no connector L1/E1/9"),
            ("tariff group add depots --token NL*XYZ/1", 1, "holds places"),
            ("tariff group add both --station CS1 --token NL*XYZ/1", 2, "not both"),
            ("tariff group add none", 2, "no member is named"),
            ("tariff group add fleet --contract 7", 2, "NL-XYZ-C12"),
            ("tariff assign DAY --group fleet", 1, "the group fleet holds tokens"),
            ("tariff assign DAY --all --token-group depots", 1, "the group depots holds places"),
        ] {
            let ran = run(&db, &line.split(' ').collect::<Vec<_>>());
            assert!(ran.code == code && ran.err.contains(wanted), "{line}: {ran:?}");
        }
        assert_eq!(run(&db, &["tariff", "assign", "DAY", "--group", "depots", "--token-group", "fleet"]).code, 0);
        let used = run(&db, &["tariff", "group", "remove", "fleet"]);
        assert!(used.code == 1 && used.err.contains("the group fleet is in use: assignment 1"), "{used:?}");
        let fewer = run(&db, &["tariff", "group", "remove", "depots", "--station", "CS1", "--json"]).json();
        assert_eq!(fewer["members"], json!(["connector L1/E1/1"]));
        assert_eq!(run(&db, &["tariff", "unassign", "1"]).code, 0);
        assert_eq!(run(&db, &["tariff", "group", "remove", "fleet"]).code, 0);
        let left = run(&db, &["tariff", "group", "list", "--json"]).json();
        assert_eq!(left, json!([{ "name": "depots", "holds": "places", "members": ["connector L1/E1/1"] }]));
    }

    async fn what_does_not_price_is_stored_and_told(db: TestDb) {
        seed(&db);
        let mut odd = tariff("ODD", "0.50");
        odd["max_price"] = serde_json::from_str("30.00").unwrap();
        odd["elements"][0]["price_components"][0]["type"] = json!("SESSION_TIME");
        let report = import(&db, "tariffs", &json!([odd])).json();
        assert_eq!((&report["imported"], &report["bad"]), (&json!(1), &json!([])));
        let told = |list: &Value| list.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert!(told(&report["violations"]).contains(&"$[0].max_price".to_owned()), "{report}");
        assert_eq!(told(&report["warnings"]), ["$[0].elements[0].price_components[0].type", "$[0].max_price"]);

        // As it came, to whoever asks.
        let shown = run(&db, &["tariff", "show", "ODD", "--json"]).json();
        assert_eq!(shown["tariff"]["max_price"].to_string(), "30.00");
        assert_eq!(shown["warnings"].as_array().unwrap().len(), 2);
        let people = run(&db, &["tariff", "show", "ODD"]);
        assert!(people.out.contains("Without effect:\n") && people.out.contains("SESSION_TIME"), "{people:?}");
        let again = import(&db, "tariffs", &json!([odd])).json();
        assert_eq!((&again["imported"], &again["unchanged"]), (&json!(0), &json!(1)));

        let refused = run(&db, &["tariff", "assign", "ODD", "--all"]);
        assert!(refused.code == 1 && refused.err.contains("--accept-warnings"), "{refused:?}");
        assert!(refused.err.contains("$.max_price") && refused.err.contains("SESSION_TIME"), "{refused:?}");
        assert_eq!(run(&db, &["tariff", "assign", "ODD", "--all", "--accept-warnings"]).code, 0);
    }

    async fn prices_of_ours_have_at_most_four_decimals(db: TestDb) {
        seed(&db);
        let mut limited = tariff("LIMIT", "0.5");
        limited["max_price"] = json!({ "excl_vat": serde_json::from_str::<Value>("9.99999").unwrap() });
        let refused = import(&db, "tariffs", &json!([tariff("FINE", "0.12345"), limited, tariff("GOOD", "0.1234")]));
        assert_eq!(refused.code, 1);
        let report: Value = serde_json::from_str(&refused.out).unwrap();
        let paths: Vec<_> = report["bad"].as_array().unwrap().iter().map(|bad| bad["path"].clone()).collect();
        assert_eq!(paths, ["$[0].elements[0].price_components[0].price", "$[1].max_price.excl_vat"]);
        assert!(report["bad"][0]["message"].as_str().unwrap().contains("more than four decimals"));
        let open = db.open();
        let found = open.read(|conn| tariffs::ours_by_id(conn, &CiString::from("GOOD"))).await;
        assert!(found.unwrap().is_empty(), "nothing is written when an object is bad");
    }

    async fn a_connector_that_names_tariffs_is_mentioned(db: TestDb) {
        seed(&db);
        let mut naming = location();
        naming["evses"][0]["connectors"][0]["tariff_ids"] = json!(["FAST"]);
        assert_eq!(import(&db, "locations", &json!([naming])).code, 0);
        let noted = run(&db, &["tariff", "assign", "DAY", "--location", "L1"]);
        assert!(noted.code == 0 && noted.err.contains("1 connector names tariffs there"), "{noted:?}");
        let quiet = run(&db, &["tariff", "assign", "DAY", "--connector", "L1/E1/1"]);
        assert!(quiet.code == 0 && quiet.err.is_empty(), "{quiet:?}");
        let named = run(&db, &["tariff", "remove", "FAST"]);
        assert!(named.code == 1 && named.err.contains("connectors name it"), "{named:?}");
    }
}
