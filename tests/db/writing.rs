//! A write sees one state, changes it whole or not at all, and loses nothing to its neighbours.

use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::{Db, DbError, DbUrl, settings};

async fn value(db: &Db, name: &'static str) -> Option<String> {
    db.read(move |conn| settings::get(conn, name)).await.unwrap()
}

on_each_engine! {
    async fn writes_at_the_same_time_lose_nothing(db: TestDb) {
        let db = db.open();
        let counting = (0..60).map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(|conn| {
                    let before: u32 = settings::get(conn, "count")?.map_or(0, |text| text.parse().unwrap());
                    settings::set(conn, "count", &(before + 1).to_string())
                })
                .await
            })
        });
        for write in counting.collect::<Vec<_>>() {
            write.await.unwrap().unwrap();
        }
        assert_eq!(value(&db, "count").await.as_deref(), Some("60"));
    }

    async fn a_write_that_fails_undoes_only_itself(db: TestDb) {
        let db = db.open();
        let good = |name: &'static str| db.write(move |conn| settings::set(conn, name, "kept"));
        let bad = db.write(|conn| {
            settings::set(conn, "half", "done")?;
            Err::<(), _>(DbError::Url("given up halfway".to_owned()))
        });
        let panicking = db.write(|conn| {
            settings::set(conn, "panicked", "halfway")?;
            if settings::get(conn, "panicked")?.is_some() {
                panic!("on purpose: a panic in a write takes nothing else down");
            }
            Ok::<_, DbError>(())
        });
        let (one, bad, panicked, two) = tokio::join!(good("one"), bad, panicking, good("two"));
        one.unwrap();
        two.unwrap();
        assert!(matches!(bad, Err(DbError::Url(_))), "{bad:?}");
        assert!(matches!(panicked, Err(DbError::Panicked)), "{panicked:?}");
        assert_eq!(value(&db, "one").await.as_deref(), Some("kept"));
        assert_eq!(value(&db, "two").await.as_deref(), Some("kept"));
        assert_eq!(value(&db, "half").await, None);
        assert_eq!(value(&db, "panicked").await, None);
    }

    async fn what_was_written_is_there_for_another_process(db: TestDb) {
        let url: DbUrl = db.url().parse().unwrap();
        db.open().write(|conn| settings::set(conn, settings::PUBLIC_URL, "https://roam.example")).await.unwrap();
        let other = db.open();
        assert_eq!(other.url(), &url);
        assert_eq!(value(&other, settings::PUBLIC_URL).await.as_deref(), Some("https://roam.example"));
        assert_eq!(value(&db.another().open(), settings::PUBLIC_URL).await, None, "each database is its own");
        assert!(db.folder().is_dir());
    }
}
