//! CDRs that partners send: taken once, and never changed.

use super::peer::{Peer, fixture, node, with};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::app::Event;
use roamwatt::domain::party::Role;
use serde_json::json;

on_each_engine! {
    async fn a_cdr_is_taken_once(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        let other = Peer::join(&node, &[("DE*OTH", Role::Cpo)]).await;
        let mut events = node.app().wakes.events.subscribe();
        let cdr = fixture("cdr_full");
        let first = abc.post("/emsp/cdrs", &cdr).await;
        assert_eq!(first.codes(), (201, 1000), "{first:?}");
        assert_eq!(events.try_recv().unwrap(), Event::CdrWritten("C-1".to_owned()));
        // Whoever follows the charge learns that there is a receipt.
        assert_eq!(events.try_recv().unwrap(), Event::SessionChanged("S-1".to_owned()));
        let url = first.header("location").to_owned();
        let got = abc.get(&url).await;
        assert_eq!((got.codes(), got.data()), ((200, 1000), &cdr));

        // The answer may have been lost: the same again is answered like the first time.
        let again = abc.post("/emsp/cdrs/", &cdr).await;
        assert_eq!((again.codes(), again.header("location")), (first.codes(), url.as_str()));
        assert!(events.try_recv().is_err(), "nothing was written");
        // Another one under the same id is refused.
        let changed = with(cdr.clone(), json!({"total_cost": {"excl_vat": 0.01}}));
        let refused = abc.post("/emsp/cdrs", &changed).await;
        assert_eq!(refused.codes(), (200, 2001));
        assert!(refused.message().starts_with("$.id: another CDR C-1 was taken before"), "{}", refused.message());
        assert_eq!(abc.get(&url).await.data(), &cdr);

        assert_eq!(other.get(&url).await.codes(), (404, 2001));
        assert_eq!(abc.get("/emsp/cdrs/DE/ABC/C-2").await.codes(), (404, 2001));
        // Others may have the same id, and ids hold what they like.
        let others = with(cdr.clone(), json!({"party_id": "OTH"}));
        assert_eq!(other.post("/emsp/cdrs", &others).await.codes(), (201, 1000));
        let odd = with(cdr, json!({"id": "2026 03?#%+1"}));
        let taken = abc.post("/emsp/cdrs", &odd).await;
        assert_eq!(abc.get(taken.header("location")).await.data(), &odd);
    }

    async fn a_cdr_that_cannot_be_read_is_refused_with_the_place(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        for (changes, place) in [
            (json!({"total_cost": null}), "$.total_cost: is required and missing"),
            (json!({"total_energy": "much"}), "$.total_energy: a decimal number is wanted"),
            (json!({"total_parking_cost": {"excl_vat": "free"}}), "$.total_parking_cost.excl_vat: "),
            (json!({"end_date_time": "later"}), "$.end_date_time: "),
        ] {
            let refused = abc.post("/emsp/cdrs", &with(fixture("cdr_full"), changes)).await;
            assert_eq!(refused.codes(), (200, 2001));
            assert!(refused.message().starts_with(place), "{}", refused.message());
        }
        assert_eq!(abc.get("/emsp/cdrs/DE/ABC/C-1").await.http, 404);
    }
}
