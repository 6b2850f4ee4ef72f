//! Every migration can be undone and done again, and both engines know the same tables and columns.

use crate::support::db::{Engine, TestDb, on_each_engine, run_test};
use diesel::prelude::*;
use roamwatt::db::{Db, DbConn, DbError};
use std::collections::BTreeSet;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// `table.column` of everything that the migrations made, without what diesel keeps for itself.
async fn columns(db: &Db) -> BTreeSet<String> {
    let rows = db
        .read(|conn| {
            let rows: Vec<Column> = match conn {
                DbConn::Sqlite(c) => diesel::sql_query(
                    "SELECT t.name || '.' || c.name AS name FROM sqlite_master t, pragma_table_info(t.name) c \
                     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'",
                )
                .load(c)?,
                DbConn::Postgres(c) => diesel::sql_query(
                    "SELECT table_name || '.' || column_name AS name FROM information_schema.columns \
                     WHERE table_schema = 'public'",
                )
                .load(c)?,
            };
            Ok::<_, DbError>(rows)
        })
        .await
        .unwrap();
    rows.into_iter().map(|row| row.name).filter(|name| !name.starts_with("__diesel")).collect()
}

on_each_engine! {
    async fn up_down_and_up_again(db: TestDb) {
        let db = db.open();
        assert_eq!(db.pending_migrations().await.unwrap(), Vec::<String>::new(), "the template is migrated");
        let before = columns(&db).await;
        assert!(before.contains("sessions.id"), "{before:?}");

        let mut undone = 0;
        while db.revert_last_migration().await.is_ok() {
            undone += 1;
        }
        assert!(undone > 0);
        assert_eq!(columns(&db).await, BTreeSet::new(), "nothing is left when all is undone");
        assert_eq!(db.pending_migrations().await.unwrap().len(), undone);

        assert_eq!(db.migrate().await.unwrap().len(), undone);
        assert_eq!(columns(&db).await, before);
        assert_eq!(db.migrate().await.unwrap(), Vec::<String>::new(), "a second time there is nothing to do");
    }
}

/// The same table and column names on both engines, since one `schema.rs` stands for both.
#[test]
fn both_engines_know_the_same_columns() {
    let name = "db::migrations::both_engines_know_the_same_columns";
    let Some(postgres) = TestDb::new(Engine::Postgres, name) else { return };
    run_test(Engine::Sqlite, name, async move |sqlite| {
        assert_eq!(columns(&sqlite.open()).await, columns(&postgres.open()).await);
    });
}
