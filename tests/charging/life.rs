//! What a charge becomes, by what its station says.

use super::site::{Site, at, token};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::charging::authorize::IdTagStatus;
use roamwatt::db::{DbError, partners, tokens};
use roamwatt::domain::partner::{DeliveryPolicy, Partner, PartnerStatus, TokenEncoding};
use roamwatt::domain::session::SessionStatus;

on_each_engine! {
    async fn a_charge_is_billed_to_the_cent(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let started = site.begin(0, "04a1", 0, 10_000).await;
        assert_eq!(started.decision.status, IdTagStatus::Accepted);
        site.meter(0, started.transaction_id, 900, 14_000).await;
        let session = site.sessions().await.remove(0);
        // 0.50 + 4 kWh × 0.39 = 2.06; with 19 % VAT 2.4514
        assert_eq!(session.status, SessionStatus::Active);
        assert_eq!(session.total_cost.unwrap().excl_vat.to_string(), "2.06");
        site.status(0, 1800, "SuspendedEV").await;
        site.end(0, started.transaction_id, 2400, 18_000).await;
        site.settle_after(61).await;
        let cdr = site.cdr_at(0).await;
        // 0.50 + 8 × 0.39 + 600 s × 6.00/h = 4.62; 5.4978 with VAT
        assert_eq!(cdr.total_cost.excl_vat.to_string(), "4.62");
        assert_eq!(cdr.total_cost.incl_vat.unwrap().to_string(), "5.50");
        assert_eq!(cdr.total_energy.decimal().normalize().to_string(), "8");
        assert_eq!(cdr.end_date_time, at(2400));
        let session = site.sessions().await.remove(0);
        assert_eq!(session.status, SessionStatus::Completed);
        assert_eq!(session.total_cost.unwrap(), cdr.total_cost);
        assert_eq!(session.charging_periods, cdr.charging_periods);
    }

    async fn the_same_start_twice_is_one_charge(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let first = site.begin(0, "04A1", 0, 0).await;
        assert_eq!(site.begin(0, "04A1", 0, 0).await, first);
        assert_eq!(site.sessions().await.len(), 1);
        // Another moment is another charge, and ends the one whose stop never came.
        let second = site.begin(0, "04A1", 500, 100).await;
        assert_ne!(second.transaction_id, first.transaction_id);
        assert_eq!(second.decision.status, IdTagStatus::Accepted, "the first one is over");
        site.settle_after(700).await;
        assert_eq!(site.cdrs().await.len(), 1);
    }

    async fn nobody_is_billed_for_a_token_that_may_not_charge(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        for (station, id_tag, wanted) in
            [(0, "04BAD", IdTagStatus::Blocked), (1, "UNKNOWN", IdTagStatus::Invalid)]
        {
            let started = site.begin(station, id_tag, 0, 0).await;
            assert_eq!(started.decision.status, wanted);
            site.meter(station, started.transaction_id, 60, 50).await;
            site.end(station, started.transaction_id, 120, 100).await;
        }
        site.settle_after(61).await;
        assert!(site.cdrs().await.is_empty());
        assert!(site.sessions().await.iter().all(|session| session.status == SessionStatus::Invalid));
    }

    async fn a_card_that_charges_elsewhere_is_told_so_and_billed_all_the_same(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let first = site.begin(0, "04A1", 0, 0).await;
        let second = site.begin(1, "04A1", 10, 0).await;
        assert_eq!(second.decision.status, IdTagStatus::ConcurrentTx);
        site.end(0, first.transaction_id, 100, 1_000).await;
        site.end(1, second.transaction_id, 100, 1_000).await;
        site.settle_after(61).await;
        assert_eq!(site.cdrs().await.len(), 2);
    }

    async fn a_charge_while_offline_keeps_its_own_times(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        site.clock.advance(std::time::Duration::from_secs(7200));
        let started = site.begin(0, "04A1", 0, 0).await;
        site.end(0, started.transaction_id, 3600, 5_000).await;
        site.settle_after(61).await;
        let cdr = site.cdr_at(0).await;
        assert_eq!((cdr.start_date_time, cdr.end_date_time), (at(0), at(3600)));
    }

    async fn a_stop_that_never_comes_is_made_up_for(db: TestDb) {
        let site = Site::start(db.url(), 1, |config| {
            config.charging.missing_stop_grace = std::time::Duration::from_secs(300);
        }).await;
        let started = site.begin(0, "04A1", 0, 0).await;
        site.meter(0, started.transaction_id, 600, 3_000).await;
        site.status(0, 700, "Available").await;
        site.settle_after(301).await;
        assert!(site.cdrs().await.is_empty(), "closed, not yet settled");
        site.settle_after(61).await;
        let cdr = site.cdr_at(0).await;
        assert_eq!(cdr.end_date_time, at(600));
        assert_eq!(cdr.total_energy.decimal().normalize().to_string(), "3");
    }

    async fn a_free_connector_after_the_stop_settles_at_once(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let started = site.begin(0, "04A1", 0, 0).await;
        site.end(0, started.transaction_id, 600, 3_000).await;
        site.status(0, 601, "Finishing").await;
        site.settle_after(0).await;
        assert!(site.cdrs().await.is_empty());
        site.status(0, 660, "Available").await;
        site.settle_after(0).await;
        assert_eq!(site.cdr_at(0).await.end_date_time, at(600));
    }

    async fn parking_can_be_billed_until_the_car_leaves(db: TestDb) {
        let site = Site::start(db.url(), 1, |config| config.charging.bill_until_unplugged = true).await;
        let started = site.begin(0, "04A1", 0, 0).await;
        site.end(0, started.transaction_id, 600, 1_000).await;
        site.settle_after(3600).await;
        assert!(site.cdrs().await.is_empty(), "the car is still there");
        site.status(0, 1200, "Available").await;
        site.settle_after(0).await;
        let cdr = site.cdr_at(0).await;
        assert_eq!(cdr.end_date_time, at(1200));
        // 0.50 + 0.39 + 600 s × 6.00/h
        assert_eq!(cdr.total_cost.excl_vat.to_string(), "1.89");
    }

    async fn a_register_that_falls_back_takes_no_energy_back(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let started = site.begin(0, "04A1", 0, 1_000).await;
        site.meter(0, started.transaction_id, 60, 3_000).await;
        site.meter(0, started.transaction_id, 120, 500).await;
        let session = site.sessions().await.remove(0);
        assert_eq!(session.kwh.decimal().normalize().to_string(), "2");
    }

    async fn cards_of_a_suspended_partner_do_not_charge(db: TestDb) {
        let site = Site::bare(db.url(), 1, roamwatt::clock::Clock::manual(at(0)), |_| ()).await;
        let partner = Partner {
            id: 0,
            name: "Emp".into(),
            status: PartnerStatus::Suspended,
            versions_url: None,
            version: None,
            endpoints: Vec::new(),
            roles: Vec::new(),
            allowed_origins: Vec::new(),
            delivery: DeliveryPolicy::Converge,
            token_encoding: TokenEncoding::Base64,
            created: at(0),
            last_updated: at(0),
        };
        let mut registered = partner.clone();
        registered.status = PartnerStatus::Registered;
        let app = site.node.app();
        let id = app
            .db
            .write(move |conn| {
                let id = partners::insert(conn, &partner)?;
                tokens::upsert(conn, &token("04A1", true), Some(id))?;
                Ok::<_, DbError>(id)
            })
            .await
            .unwrap();
        assert_eq!(site.begin(0, "04A1", 0, 0).await.decision.status, IdTagStatus::Blocked);
        registered.id = id;
        app.db.write(move |conn| partners::update(conn, &registered)).await.unwrap();
        assert_eq!(site.begin(0, "04A1", 60, 0).await.decision.status, IdTagStatus::Accepted);
    }
}
