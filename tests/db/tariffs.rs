//! What the migration of tariffs as goods finds in a database that is in use.

use crate::support::db::{TestDb, on_each_engine};
use diesel::connection::SimpleConnection;
use roamwatt::db::{Db, DbConn, DbError, locations, tariffs};
use roamwatt::domain::party::PartyId;
use serde_json::json;

fn execute(conn: &mut DbConn, sql: &str) -> Result<(), DbError> {
    match conn {
        DbConn::Sqlite(conn) => conn.batch_execute(sql)?,
        DbConn::Postgres(conn) => conn.batch_execute(sql)?,
    }
    Ok(())
}

/// Takes migrations back until the one is undone.
pub(super) async fn revert_to_before(db: &Db, name: &str) {
    loop {
        let undone = db.revert_last_migration().await.unwrap();
        let pending = db.pending_migrations().await.unwrap();
        if pending.iter().any(|pending| pending.contains(name)) {
            return;
        }
        assert!(!undone.is_empty());
    }
}

on_each_engine! {
    async fn what_is_there_is_found_after_the_migration(db: TestDb) {
        let db = db.open();
        revert_to_before(&db, "tariff_assignments").await;
        let location = json!({ "evses": [
            { "connectors": [{ "tariff_ids": ["T1", "b,c"] }, { "tariff_ids": null }, { "tariff_ids": ["t1"] }] },
            { "connectors": [] },
        ] });
        let mut sql = String::new();
        for (id, body) in [("l1", location), ("l2", json!({ "evses": null })), ("l3", json!({}))] {
            sql.push_str(&format!(
                "INSERT INTO locations (country_code, party_id, id, publish, body, last_updated) \
                 VALUES ('DE', 'ABC', '{id}', TRUE, '{body}', '2026-01-01T00:00:00.000Z');"
            ));
        }
        for (id, body) in [
            ("t1", json!({ "start_date_time": "2026-01-31T18:00:00Z", "end_date_time": null })),
            ("t2", json!({ "start_date_time": null, "end_date_time": "2026-02-28T18:00:00.5Z" })),
        ] {
            sql.push_str(&format!(
                "INSERT INTO tariffs (country_code, party_id, id, body, last_updated) \
                 VALUES ('DE', 'ABC', '{id}', '{body}', '2026-01-01T00:00:00.000Z');"
            ));
        }
        db.write(move |conn| execute(conn, &sql)).await.unwrap();
        assert!(!db.migrate().await.unwrap().is_empty());
        let named = db.read(locations::named_tariffs).await.unwrap();
        let abc: PartyId = "DE*ABC".parse().unwrap();
        let mut ids: Vec<String> = named.into_iter().filter(|(party, _)| *party == abc).map(|(_, id)| id).collect();
        ids.sort();
        assert_eq!(ids, ["b,c", "t1"]);
        for (after, wanted) in [
            ("2026-01-01T00:00:00Z", Some("2026-01-31T18:00:00Z")),
            ("2026-01-31T18:00:00Z", Some("2026-02-28T18:00:00.500Z")),
            ("2026-03-01T00:00:00Z", None),
        ] {
            let after = after.parse().unwrap();
            let next = db.read(move |conn| tariffs::next_edge(conn, after)).await.unwrap();
            assert_eq!(next.map(|at| at.to_string()).as_deref(), wanted);
        }
    }
}
