//! `roamwatt cdr`: CDRs verified, explained and corrected, as a person or a program does it.

use super::{fixture, run};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::{DbError, cdrs};
use roamwatt::domain::CiString;
use roamwatt::domain::cdr::Cdr;
use roamwatt::ocpi::v2_2_1::cdrs::wire;
use roamwatt::ocpi::wire::parse;
use serde_json::{Value, json};

/// More than two batches.
const MANY: usize = 2_300;

/// A CDR of 10 kWh at 0.50, with 19 % VAT.
fn priced() -> Cdr {
    let mut json: Value = serde_json::from_slice(&std::fs::read(fixture("cdr_full.json")).unwrap()).unwrap();
    let fields = json.as_object_mut().unwrap();
    for name in ["credit", "credit_reference_id", "total_fixed_cost"] {
        fields.remove(name);
    }
    json["tariffs"] = json!([{
        "country_code": "DE", "party_id": "ABC", "id": "T-1", "currency": "EUR", "last_updated": "2026-01-01T00:00:00Z",
        "elements": [{ "price_components": [{ "type": "ENERGY", "price": 0.50, "vat": 19, "step_size": 1 }] }]
    }]);
    json["charging_periods"][0]["dimensions"][0]["volume"] = json!(10);
    json["total_energy"] = json!(10);
    json["total_energy_cost"] = json!({ "excl_vat": 5.00, "incl_vat": 5.95 });
    json["total_cost"] = json!({ "excl_vat": 5.00, "incl_vat": 5.95 });
    let wire: wire::Cdr = parse(json.to_string().as_bytes()).unwrap();
    Cdr::try_from(wire).unwrap()
}

/// Writes C-1, C-2, …; `change` gets each with its number.
async fn write(db: &TestDb, count: usize, change: fn(usize, &mut Cdr)) {
    let cdr = priced();
    let write = move |conn: &mut _| {
        for number in 1..=count {
            let mut cdr = cdr.clone();
            cdr.id = CiString::from(format!("C-{number}"));
            change(number, &mut cdr);
            assert!(cdrs::insert(conn, &cdr, None, None)?);
        }
        Ok::<_, DbError>(())
    };
    db.open().write(write).await.unwrap();
}

fn spoil(number: usize, cdr: &mut Cdr) {
    match number {
        7 | 1_500 => cdr.total_cost.excl_vat = "5.55".parse().unwrap(),
        1_001 => cdr.tariffs.clear(),
        2_300 => cdr.end_date_time = "2026-03-01T00:00:00Z".parse().unwrap(),
        _ => (),
    }
}

on_each_engine! {
    async fn many_are_verified_and_only_what_differs_is_told(db: TestDb) {
        write(&db, MANY, spoil).await;
        for _ in 0..2 {
            let ran = run(&db, &["cdr", "verify", "--all", "--json"]);
            assert_eq!(ran.code, 0, "{ran:?}");
            let mut lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            lines.sort_by_key(|line| line["id"].as_str().unwrap().to_owned());
            let found: Vec<(&str, &str)> =
                lines.iter().map(|line| (line["id"].as_str().unwrap(), line["state"].as_str().unwrap())).collect();
            assert_eq!(found, [("C-1001", "UNPRICEABLE"), ("C-1500", "DIFFERS"), ("C-7", "DIFFERS")]);
            let differences = lines[2]["differences"].as_array().unwrap();
            assert_eq!(differences.len(), 1, "{differences:?}");
            assert_eq!(differences[0]["field"], "total_cost.excl_vat");
            assert_eq!(differences[0]["difference"], "0.55");
            let sums: Value = serde_json::from_str(&ran.err).unwrap();
            assert_eq!(sums, json!({ "cdrs": MANY, "ok": MANY - 3, "differ": 2, "unpriceable": 1 }));
        }
        // Of a period, for people.
        let ran = run(&db, &["cdr", "verify", "--all", "--to", "2026-02-28"]);
        assert!(ran.err.contains("2299 CDRs: 2296 as they should be, 2 differ, 1 cannot be priced"), "{}", ran.err);
        assert!(ran.out.contains("DE*ABC C-7  DIFFERS  total_cost.excl_vat 5.55 instead of 5.00"), "{}", ran.out);
        assert!(run(&db, &["cdr", "verify", "--all", "--partner", "1"]).err.contains("0 CDRs"));
        let one = run(&db, &["cdr", "verify", "C-7"]);
        assert!(one.code == 0 && one.out.contains("DIFFERS") && one.out.contains("total_cost.excl_vat"), "{one:?}");
        assert_eq!(run(&db, &["cdr", "verify", "c-8", "--json"]).json()["state"], "OK");
        for (line, code) in [
            (&["cdr", "verify"][..], 2),
            (&["cdr", "verify", "C-1", "--all"], 2),
            (&["cdr", "verify", "C-0"], 1),
            (&["cdr", "verify", "--all", "--from", "2026-02-02", "--to", "2026-02-01"], 2),
        ] {
            assert_eq!(run(&db, line).code, code, "{line:?}");
        }
    }

    async fn a_cdr_is_explained(db: TestDb) {
        write(&db, 1, |_, _| ()).await;
        let told = run(&db, &["cdr", "explain", "C-1", "--json"]).json();
        assert_eq!(told["total_cost"].to_string(), r#"{"excl_vat":5.00,"incl_vat":5.95}"#);
        assert_eq!(told["stated_total_cost"].to_string(), r#"{"excl_vat":5.0,"incl_vat":5.95}"#);
        let line = &told["periods"][0]["lines"][0];
        assert_eq!((&line["kind"], &line["quantity"], &line["unit"]), (&json!("ENERGY"), &json!(10), &json!("kWh")));
        let text = run(&db, &["cdr", "explain", "C-1", "--language", "de"]);
        assert!(text.out.contains("Energie") && text.out.contains("10 kWh") && text.out.contains("Summe"), "{text:?}");
    }

    async fn a_cdr_is_credited_and_replaced(db: TestDb) {
        write(&db, 2, |_, _| ()).await;
        let made = run(&db, &["cdr", "credit", "C-1", "--reason", "Meter replaced", "--kwh", "8", "--json"]).json();
        assert_eq!(made["credit"]["id"], "C-1-C");
        assert_eq!(made["credit"]["total_cost"], json!({ "excl_vat": -5.0, "incl_vat": -5.95 }));
        assert_eq!(made["replacement"]["total_cost"].to_string(), r#"{"excl_vat":4.00,"incl_vat":4.76}"#);
        let again = run(&db, &["cdr", "credit", "C-1", "--reason", "x"]);
        assert!(again.code == 1 && again.err.contains("credited before by C-1-C"), "{again:?}");
        assert_eq!(run(&db, &["cdr", "credit", "C-1-C", "--reason", "x"]).code, 1);

        let file = db.folder().join("edited.json");
        let cdr = serde_json::to_value(wire::Cdr::from(priced())).unwrap();
        let mut edited = cdr.clone();
        edited["charging_periods"][0]["dimensions"][0]["volume"] = json!(6);
        std::fs::write(&file, edited.to_string()).unwrap();
        let line = ["cdr", "credit", "C-2", "--reason", "Read wrongly", "--replacement", file.to_str().unwrap()];
        let ran = run(&db, &line);
        assert!(ran.code == 0 && ran.out.contains("C-2-C") && ran.out.contains("3.57 EUR, 6 kWh"), "{ran:?}");

        // Original, credit CDR and replacement are the replacement alone.
        let totals: Value = serde_json::from_str(&run(&db, &["export", "cdrs", "--json"]).err).unwrap();
        assert_eq!((&totals["cdrs"], &totals["charges"], &totals["energy_kwh"]), (&json!(6), &json!(2), &json!("14")));
        assert_eq!(totals["costs"]["EUR"], json!({ "excl_vat": "7.00", "vat": "1.33", "incl_vat": "8.33" }));
        let sums: Value = serde_json::from_str(&run(&db, &["cdr", "verify", "--all", "--json"]).err).unwrap();
        assert_eq!(sums, json!({ "cdrs": 6, "ok": 6, "differ": 0, "unpriceable": 0 }));
    }
}
