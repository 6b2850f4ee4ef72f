//! The export of CDRs.

use super::{fixture, run};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::{DbError, cdrs};
use roamwatt::domain::CiString;
use roamwatt::domain::cdr::Cdr;
use roamwatt::finance::cdr_export::COLUMNS;
use roamwatt::ocpi::v2_2_1::cdrs::wire;
use roamwatt::ocpi::wire::parse;
use serde_json::Value;

#[test]
fn every_column_is_documented_in_its_order() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/export.md");
    let text = std::fs::read_to_string(file).unwrap();
    let told: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(column, _)| column)
        .collect();
    assert_eq!(told, COLUMNS);
}

/// Writes so many CDRs of ours that end on 1, 2, … February 2026, one hour into the day, and again from the first
/// when the month is over.
pub(crate) async fn write_cdrs(db: &TestDb, count: u32) {
    let wire: wire::Cdr = parse(&std::fs::read(fixture("cdr_full.json")).unwrap()).unwrap();
    let cdr = Cdr::try_from(wire).unwrap();
    let write = move |conn: &mut _| {
        for number in 1..=count {
            let mut cdr = cdr.clone();
            let day = (number - 1) % 28 + 1;
            cdr.id = CiString::from(format!("C-{number}"));
            cdr.end_date_time = format!("2026-02-{day:02}T01:00:00Z").parse().unwrap();
            cdr.remark = Some("=cmd()".to_owned());
            assert!(cdrs::insert(conn, &cdr, None, None)?);
        }
        Ok::<_, DbError>(())
    };
    db.open().write(write).await.unwrap();
}

on_each_engine! {
    async fn cdrs_are_exported_for_a_period(db: TestDb) {
        write_cdrs(&db, 4).await;
        let file = db.folder().join("february.csv");
        let line = ["export", "cdrs", "--from", "2026-02-02", "--to", "2026-02-04", "--format", "csv", "--out"];
        let ran = run(&db, &[&line[..], &[file.to_str().unwrap()]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
        assert!(ran.err.starts_with("2 CDRs of "), "{}", ran.err);

        let mut reader = csv::Reader::from_path(&file).unwrap();
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let place = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
        assert_eq!(rows.iter().map(|row| &row[place("id")]).collect::<Vec<_>>(), ["C-2", "C-3"]);
        assert_eq!(&rows[0][place("direction")], "issued");
        assert_eq!(&rows[0][place("remark")], "'=cmd()", "a text must not become a formula");

        // The same in JSON Lines, with every digit of the CDR and the same columns in the same order.
        let lines = run(&db, &["export", "cdrs", "--format", "jsonl", "--json"]);
        assert_eq!(lines.code, 0, "{lines:?}");
        assert_eq!(lines.out.lines().count(), 4);
        let cdr: Value = serde_json::from_slice(&std::fs::read(fixture("cdr_full.json")).unwrap()).unwrap();
        for line in lines.out.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            assert_eq!(row["total_cost_excl_vat"], cdr["total_cost"]["excl_vat"]);
            assert_eq!(row["total_energy_kwh"], cdr["total_energy"]);
            assert_eq!(row.as_object().unwrap().len(), COLUMNS.len());
        }
        let totals: Value = serde_json::from_str(&lines.err).unwrap();
        assert_eq!(totals["cdrs"], 4);
        let one: rust_decimal::Decimal = cdr["total_cost"]["excl_vat"].to_string().parse().unwrap();
        let sum: rust_decimal::Decimal = totals["costs"]["EUR"]["excl_vat"].as_str().unwrap().parse().unwrap();
        assert_eq!(sum, one * rust_decimal::Decimal::from(4));

        assert!(run(&db, &["export", "cdrs", "--direction", "received"]).err.starts_with("0 CDRs"));
        let swapped = run(&db, &["export", "cdrs", "--from", "2026-02-02", "--to", "2026-02-02"]);
        assert_eq!(swapped.code, 2);
        let nowhere = run(&db, &["export", "cdrs", "--out", "/no/such/folder/x.csv"]);
        assert!(nowhere.code == 1 && nowhere.err.contains("/no/such/folder/x.csv"), "{nowhere:?}");
    }
}
