//! A write sees one state, changes it whole or not at all, and loses nothing to its neighbours.

use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::{Db, DbError, DbUrl, settings};
use std::time::{Duration, Instant};

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

    async fn a_read_between_writes_sees_all_that_was_begun_before(db: TestDb) {
        let db = db.open();
        let (begun, wait) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        // Begun first, and done last: on PostgreSQL after one that was begun later.
        let slow = db.write(move |conn| {
            if let Some(begun) = begun.take() {
                begun.send(()).unwrap();
            }
            std::thread::sleep(Duration::from_millis(400));
            settings::set(conn, "slow", "there")
        });
        let others = async {
            wait.await.unwrap();
            let quick = db.write(|conn| settings::set(conn, "quick", "there"));
            let read = async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                db.read_between_writes(|conn| Ok::<_, DbError>((settings::get(conn, "slow")?, settings::get(conn, "quick")?))).await
            };
            tokio::join!(quick, read)
        };
        let (slow, (quick, read)) = tokio::join!(slow, others);
        slow.unwrap();
        quick.unwrap();
        let (slow, quick) = read.unwrap();
        assert_eq!((slow.as_deref(), quick.as_deref()), (Some("there"), Some("there")));
        // It changes nothing, and leaves nothing behind: no lock, no open transaction.
        for _ in 0..20 {
            let failing = db.read_between_writes(|conn| {
                settings::set(conn, "slow", "changed")?;
                Err::<(), _>(DbError::Url("on purpose".to_owned()))
            });
            assert!(failing.await.is_err());
        }
        db.write(|conn| settings::set(conn, "later", "there")).await.unwrap();
        assert_eq!(value(&db, "slow").await.as_deref(), Some("there"));
        assert_eq!(value(&db, "later").await.as_deref(), Some("there"));
    }

    /// A long write keeps a list waiting, and other writes only for moments.
    async fn writes_go_on_while_a_read_waits_for_one(db: TestDb) {
        let (db, other) = (db.open(), db.open());
        let is_sqlite = matches!(db.url(), DbUrl::Sqlite(_));
        let long = db.write(move |conn| {
            settings::set(conn, "long", "there")?;
            std::thread::sleep(Duration::from_millis(1200));
            Ok::<_, DbError>(())
        });
        let read = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            db.read_between_writes(|conn| settings::get(conn, "long")).await
        };
        let writes = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let begun = Instant::now();
            other.write(|conn| settings::set(conn, "short", "there")).await.unwrap();
            begun.elapsed()
        };
        let (long, read, waited) = tokio::join!(long, read, writes);
        long.unwrap();
        assert_eq!(read.unwrap().as_deref(), Some("there"));
        // SQLite has one writer at a time.
        assert!(is_sqlite || waited < Duration::from_millis(800), "{waited:?}");
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
