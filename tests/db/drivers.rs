//! What the migration of drivers finds in a database that is in use: sessions and CDRs by their tokens.

use super::tariffs::revert_to_before;
use crate::ocpi::peer::fixture;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::{DbError, cdrs, sessions};
use roamwatt::domain::cdr::Cdr;
use roamwatt::domain::session::Session;
use roamwatt::domain::token::TokenKey;
use roamwatt::ocpi::v2_2_1::{cdrs as ocpi_cdrs, sessions as ocpi_sessions};

on_each_engine! {
    async fn charges_are_found_by_their_tokens_after_the_migration(db: TestDb) {
        let db = db.open();
        let session: ocpi_sessions::wire::Session = serde_json::from_value(fixture("session_full")).unwrap();
        let session: Session = session.try_into().unwrap();
        let cdr: ocpi_cdrs::wire::Cdr = serde_json::from_value(fixture("cdr_full")).unwrap();
        let cdr: Cdr = cdr.try_into().unwrap();
        let key = |token: &roamwatt::domain::session::CdrToken| TokenKey {
            party: token.party.clone().unwrap(),
            uid: token.uid.clone(),
            token_type: token.token_type.clone(),
        };
        let (by_session, by_cdr) = (key(&session.cdr_token), key(&cdr.cdr_token));
        db.write(move |conn| {
            sessions::upsert(conn, &session, None)?;
            cdrs::insert(conn, &cdr, None, None)
        })
        .await
        .unwrap();
        revert_to_before(&db, "drivers").await;
        assert!(!db.migrate().await.unwrap().is_empty());
        let (found, bills) = db
            .read(move |conn| {
                let found = sessions::of_tokens(conn, &[by_session], i64::MAX, false, 10)?;
                Ok::<_, DbError>((found, cdrs::of_tokens(conn, &[by_cdr], i64::MAX, 10)?))
            })
            .await
            .unwrap();
        assert_eq!((found.len(), bills.len()), (1, 1));
        assert_eq!((found[0].1.id.as_str(), bills[0].cdr.id.as_str()), ("S-1", "C-1"));
    }
}
