//! The tariff that was assigned prices the charge, from its start to its end.

use super::site::{Site, at, token};
use crate::ocpp::client::{Client, meter_payload, start_payload, stop_payload};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::charging::tariff_choice::{buyer_of, choose_tariff};
use roamwatt::clock::Clock;
use roamwatt::db::{DbError, locations, parties, partners, stations, tariffs, tokens};
use roamwatt::domain::assignment::{Buyers, ConnectorRef, Members, Place, PlaceMember, TokenMember};
use roamwatt::domain::partner::{DeliveryPolicy, Partner, PartnerRole, PartnerStatus, TokenEncoding};
use roamwatt::domain::party::{Party, Role};
use roamwatt::domain::session::ProfileType;
use roamwatt::domain::station::StationId;
use roamwatt::domain::tariff::TariffType;
use roamwatt::domain::token::TokenType;
use roamwatt::roaming::assign::withdraw;

fn evse(uid: &str) -> Place {
    Place::Evse { location_id: "LOC1".into(), evse_uid: uid.into() }
}

fn connector(uid: &str) -> Place {
    Place::Connector(ConnectorRef {
        location_id: "LOC1".into(),
        evse_uid: uid.into(),
        connector_id: "1".into(),
    })
}

/// The tariff of a charge that begins now at a station.
async fn priced_by(site: &Site, station: usize, id_tag: &str, second: i64) -> Option<String> {
    let started = site.begin(station, id_tag, second, 0).await;
    site.end(station, started.transaction_id, second + 60, 1_000).await;
    site.settle_after(61).await;
    let mut cdrs = site.cdrs().await;
    cdrs.retain(|cdr| cdr.start_date_time == at(second));
    assert_eq!(cdrs.len(), 1, "{second}");
    cdrs.remove(0).tariffs.pop().map(|tariff| tariff.id.to_string())
}

/// A registered partner with an eMSP and a token of it.
async fn add_partner(site: &Site) -> i64 {
    let now = site.clock.now();
    let partner = Partner {
        id: 0,
        name: "Xyz".into(),
        status: PartnerStatus::Registered,
        versions_url: None,
        version: Some("2.2.1".into()),
        endpoints: Vec::new(),
        roles: vec![PartnerRole {
            role: Role::Emsp,
            party: "NL*XYZ".parse().unwrap(),
            name: "Xyz".into(),
            website: None,
            logo: None,
        }],
        allowed_origins: Vec::new(),
        delivery: DeliveryPolicy::PullOnly,
        token_encoding: TokenEncoding::Base64,
        created: now,
        last_updated: now,
    };
    let write = move |conn: &mut _| {
        let mut partner = partner.clone();
        partner.id = partners::insert(conn, &partner)?;
        partners::update(conn, &partner)?;
        for uid in ["0711", "0712"] {
            let mut token = token(uid, true);
            token.party = "NL*XYZ".parse().unwrap();
            token.contract_id = format!("NL-XYZ-C{uid}").into();
            tokens::upsert(conn, &token, Some(partner.id))?;
        }
        Ok::<_, DbError>(partner.id)
    };
    site.node.app().db.write(write).await.unwrap()
}

on_each_engine! {
    /// A station at its socket charges, and the assigned tariff prices, not the one that is for the whole party.
    async fn a_station_charges_by_the_tariff_that_was_assigned(db: TestDb) {
        let quiet = |config: &mut roamwatt::config::Config| config.ocpp.meter_value_interval = None;
        let site = Site::start(db.url(), 2, quiet).await;
        site.name_no_tariffs().await;
        site.add_tariff("BASE", "0.10", |_| ()).await;
        site.add_tariff("FAST", "0.50", |_| ()).await;
        site.assign("BASE", Place::Party, Buyers::Everybody).await;
        site.assign("FAST", evse("E0"), Buyers::Everybody).await;

        for (station, id_tag, tariff, cost) in [("CS0", "04A1", "FAST", "1.00"), ("CS1", "04A2", "BASE", "0.20")] {
            let mut client = Client::boot(&site.node, station).await;
            let started = client.call("StartTransaction", start_payload(id_tag)).await;
            assert_eq!(started["idTagInfo"]["status"], "Accepted");
            let transaction = started["transactionId"].clone();
            client.call("MeterValues", meter_payload(&transaction, "08:10:00", 2_000)).await;
            client.call("StopTransaction", stop_payload(&transaction, "08:20:00", 3_000)).await;
            site.settle_after(61).await;
            let cdr = site.cdr_at(if station == "CS0" { 0 } else { 1 }).await;
            assert_eq!(cdr.tariffs[0].id.as_str(), tariff);
            assert_eq!(cdr.total_cost.excl_vat.to_string(), cost, "2 kWh at {station}");
        }
    }

    async fn the_order_of_specificity_holds(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        site.name_no_tariffs().await;
        let xyz = add_partner(&site).await;
        site.group("depots", Members::Places(vec![PlaceMember::Station("CS0".into())])).await;
        let contracts = vec![TokenMember::contract("NL-XYZ-C0712").unwrap()];
        site.group("fleet", Members::Tokens(contracts)).await;
        assert_eq!(priced_by(&site, 0, "0711", 0).await, None, "nothing is assigned: free");

        // Each goes before all that were assigned before it; none where the driver or the place is another.
        let location = Place::Location { location_id: "LOC1".into() };
        let emsp = Buyers::Emsp { party: "NL*XYZ".parse().unwrap() };
        let steps = [
            ("PARTY", Place::Party, Buyers::Everybody),
            ("LOCATION", location, Buyers::Everybody),
            ("GROUP", Place::Group { group: "Depots".into() }, Buyers::Everybody),
            ("EVSE", evse("E0"), Buyers::Everybody),
            ("CONNECTOR", connector("E0"), Buyers::Everybody),
            ("EMSP", Place::Party, emsp),
            ("PARTNER", evse("E0"), Buyers::Partner { id: xyz }),
        ];
        let mut second = 1_000;
        for (id, place, buyers) in steps {
            site.add_tariff(id, "0.10", |_| ()).await;
            site.assign(id, place, buyers).await;
            assert_eq!(priced_by(&site, 0, "0711", second).await.as_deref(), Some(id));
            second += 1_000;
        }
        site.add_tariff("FLEET", "0.10", |_| ()).await;
        site.assign("FLEET", Place::Party, Buyers::TokenGroup { group: "fleet".into() }).await;
        for (station, id_tag, wanted) in [
            (0, "0711", "PARTNER"),
            (0, "0712", "FLEET"),
            (1, "0711", "EMSP"),
            (1, "04A1", "LOCATION"),
            (0, "04A1", "CONNECTOR"),
        ] {
            second += 1_000;
            assert_eq!(priced_by(&site, station, id_tag, second).await.as_deref(), Some(wanted), "{id_tag}");
        }
    }

    async fn what_a_connector_names_itself_prices_as_before(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        site.add_tariff("ALL", "0.10", |_| ()).await;
        site.assign("ALL", evse("E0"), Buyers::Everybody).await;
        assert_eq!(priced_by(&site, 0, "04A1", 0).await.as_deref(), Some("T1"));
        site.assign("ALL", connector("E0"), Buyers::Everybody).await;
        assert_eq!(priced_by(&site, 0, "04A1", 1_000).await.as_deref(), Some("ALL"));
    }

    async fn the_start_of_the_charge_decides_by_time_and_type(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        site.name_no_tariffs().await;
        site.add_tariff("BASE", "0.10", |_| ()).await;
        site.add_tariff("LATER", "0.20", |_| ()).await;
        site.add_tariff("ADHOC", "0.30", |tariff| tariff.tariff_type = Some(TariffType::AdHocPayment)).await;
        site.add_tariff("GREEN", "0.40", |tariff| tariff.tariff_type = Some(TariffType::ProfileGreen)).await;
        for id in ["BASE", "ADHOC", "GREEN"] {
            site.assign(id, Place::Party, Buyers::Everybody).await;
        }
        site.assign_for("LATER", evse("E0"), Buyers::Everybody, (Some(5_000), Some(9_000))).await;
        let mut guest = token("GUEST", true);
        guest.token_type = TokenType::AdHocUser;
        site.node.app().db.write(move |conn| tokens::upsert(conn, &guest, None)).await.unwrap();
        for (second, id_tag, wanted) in [
            (0, "04A1", "BASE"),
            (1_000, "GUEST", "ADHOC"),
            (4_999, "04A1", "BASE"),
            (5_060, "04A1", "LATER"),
            (9_000, "04A1", "BASE"),
        ] {
            assert_eq!(priced_by(&site, 0, id_tag, second).await.as_deref(), Some(wanted), "{second}");
        }
        // A preference selects another one, as soon as there is a way to give one.
        let choose = |conn: &mut _| {
            let location = locations::find(conn, &"DE*ABC".parse().unwrap(), &"LOC1".into())?.unwrap();
            let station = stations::find(conn, &StationId::parse("CS0").unwrap())?.unwrap();
            let buyer = buyer_of(conn, &token("04A1", true), None)?;
            let start = at(0);
            let mut chosen = Vec::new();
            for profile in [None, Some(ProfileType::Green), Some(ProfileType::Cheap)] {
                let connector = &station.connectors[0];
                let found = choose_tariff(conn, &location, connector, Some(&buyer), profile.as_ref(), start)?;
                chosen.push(found.unwrap().id.to_string());
            }
            Ok::<_, roamwatt::charging::ChargingError>(chosen)
        };
        assert_eq!(site.node.app().db.read(choose).await.unwrap(), ["BASE", "GREEN", "BASE"]);
    }

    /// What happens to the tariff during a charge changes nothing about it.
    async fn a_charge_keeps_the_tariff_it_began_with(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        site.name_no_tariffs().await;
        site.add_tariff("BASE", "0.10", |_| ()).await;
        let assignment = site.assign("BASE", Place::Party, Buyers::Everybody).await;
        let started = site.begin(0, "04A1", 0, 0).await;
        site.meter(0, started.transaction_id, 60, 1_000).await;
        site.add_tariff("BASE", "9.99", |_| ()).await;
        site.meter(0, started.transaction_id, 120, 2_000).await;
        site.add_tariff("SPECIAL", "8.88", |_| ()).await;
        site.assign("SPECIAL", connector("E0"), Buyers::Everybody).await;
        site.unassign(assignment).await;
        let (party, app) = ("DE*ABC".parse().unwrap(), site.node.app());
        let gone = app.db.write(move |conn| withdraw(conn, &party, &"BASE".into(), at(130))).await;
        assert!(gone.unwrap());
        let find = |conn: &mut _| tariffs::find(conn, &"DE*ABC".parse().unwrap(), &"BASE".into());
        assert_eq!(app.db.read(find).await.unwrap(), None);
        site.meter(0, started.transaction_id, 180, 3_000).await;
        let session = site.sessions().await.remove(0);
        assert_eq!(session.total_cost.unwrap().excl_vat.to_string(), "0.30");
        site.end(0, started.transaction_id, 240, 4_000).await;
        site.settle_after(61).await;
        let cdr = site.cdr_at(0).await;
        assert_eq!(cdr.total_cost.excl_vat.to_string(), "0.40");
        assert_eq!(cdr.tariffs[0].id.as_str(), "BASE");
        assert_eq!(cdr.tariffs[0].elements[0].price_components[0].price.to_string(), "0.10");
    }

    /// An eMSP of ours has drivers too, and no partner.
    async fn an_emsp_of_ours_can_be_a_buyer(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::manual(at(0)), |_| ()).await;
        site.name_no_tariffs().await;
        let emsp = Party { id: "DE*EMP".parse().unwrap(), name: "Emp".into(), website: None, roles: vec![Role::Emsp] };
        let write = move |conn: &mut _| {
            parties::insert(conn, &emsp, at(0))?;
            tokens::upsert(conn, &token("04A1", true), None)
        };
        site.node.app().db.write(write).await.unwrap();
        site.add_tariff("STAFF", "0.10", |_| ()).await;
        site.assign("STAFF", Place::Party, Buyers::Emsp { party: "DE*EMP".parse().unwrap() }).await;
        assert_eq!(priced_by(&site, 0, "04A1", 0).await.as_deref(), Some("STAFF"));
    }
}
