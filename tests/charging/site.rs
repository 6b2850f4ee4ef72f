//! A location with EVSEs, stations at them, a tariff and tokens: what the tests of a charge stand on.

use crate::support::node::TestNode;
use roamwatt::charging::record::{self, ConnectorReport, MeterValues};
use roamwatt::charging::settle;
use roamwatt::charging::start::{self, StartTransaction, Started};
use roamwatt::charging::stop::{self, StopTransaction};
use roamwatt::clock::Clock;
use roamwatt::config::Config;
use roamwatt::db::cdrs::CdrFilter;
use roamwatt::db::locations::Owner;
use roamwatt::db::page::Page;
use roamwatt::db::{DbError, cdrs, late_messages, locations, parties, sessions, stations, tariffs, tokens};
use roamwatt::domain::assignment::{Assignment, Buyers, Group, Members, Place};
use roamwatt::domain::cdr::Cdr;
use roamwatt::domain::location::{Connector, Evse, EvseStatus, GeoLocation, Location};
use roamwatt::domain::party::{Party, PartyId, Role};
use roamwatt::domain::session::Session;
use roamwatt::domain::station::{MeterSample, Station, StationAuth, StationConnector, StationId};
use roamwatt::domain::tariff::{PriceComponent, Tariff, TariffDimension, TariffElement};
use roamwatt::domain::token::{Token, TokenType, Whitelist};
use roamwatt::domain::{CiString, Extra, Kwh, Timestamp};
use roamwatt::roaming::assign::{assign, put_group, unassign};
use roamwatt::roaming::catalogue;

/// When every story begins.
pub(crate) const BEGIN: &str = "2026-03-01T08:00:00Z";

/// A node with a manual clock and a site of so many stations, `CS0`, `CS1`, …, each with one connector.
pub(crate) struct Site {
    pub(crate) node: TestNode,
    pub(crate) clock: Clock,
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    BEGIN.parse::<Timestamp>().unwrap().plus(chrono::TimeDelta::seconds(seconds))
}

fn party() -> PartyId {
    "DE*ABC".parse().unwrap()
}

fn component(dimension: TariffDimension, price: &str, step_size: u32) -> PriceComponent {
    PriceComponent {
        dimension,
        price: price.parse().unwrap(),
        vat: Some("19".parse().unwrap()),
        step_size,
        extra: Extra::new(),
    }
}

pub(crate) fn token(uid: &str, valid: bool) -> Token {
    Token {
        party: "DE*EMP".parse().unwrap(),
        uid: uid.into(),
        token_type: TokenType::Rfid,
        contract_id: format!("DE-EMP-C{uid}").into(),
        visual_number: None,
        issuer: "Emp".to_owned(),
        group_id: None,
        valid,
        whitelist: Whitelist::Always,
        language: None,
        default_profile_type: None,
        energy_contract: None,
        last_updated: at(0),
        extra: Extra::new(),
    }
}

impl Site {
    /// With a clock that stands, and with tokens of an eMSP that is our own.
    pub(crate) async fn start(database_url: &str, count: usize, change: impl FnOnce(&mut Config)) -> Self {
        let site = Self::bare(database_url, count, Clock::manual(at(0)), change).await;
        site.node
            .app()
            .db
            .write(|conn| {
                for (uid, valid) in [("04A1", true), ("04A2", true), ("04BAD", false)] {
                    tokens::upsert(conn, &token(uid, valid), None)?;
                }
                Ok::<_, DbError>(())
            })
            .await
            .unwrap();
        site
    }

    /// Without any token.
    pub(crate) async fn bare(
        database_url: &str,
        count: usize,
        clock: Clock,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let node = TestNode::start_with(database_url, clock.clone(), change).await;
        let now = at(0);
        let coordinates =
            GeoLocation { latitude: "48.89233".into(), longitude: "9.18329".into(), extra: Extra::new() };
        let evse = |number: usize| Evse {
            uid: format!("E{number}").into(),
            evse_id: Some(format!("DE*ABC*E{number}").into()),
            status: EvseStatus::Available,
            status_schedule: None,
            capabilities: None,
            connectors: vec![Connector {
                id: "1".into(),
                standard: "IEC_62196_T2".into(),
                format: "SOCKET".into(),
                power_type: "AC_3_PHASE".into(),
                max_voltage: 230,
                max_amperage: 32,
                max_electric_power: None,
                tariff_ids: Some(vec!["T1".into()]),
                terms_and_conditions: None,
                last_updated: now,
                extra: Extra::new(),
            }],
            floor_level: None,
            coordinates: None,
            physical_reference: None,
            directions: None,
            parking_restrictions: None,
            images: None,
            last_updated: now,
            extra: Extra::new(),
        };
        let location = Location {
            party: party(),
            id: "LOC1".into(),
            publish: true,
            publish_allowed_to: None,
            name: Some("Market".into()),
            address: "Market 1".into(),
            city: "Ludwigsburg".into(),
            postal_code: Some("71636".into()),
            state: None,
            country: "DEU".into(),
            coordinates,
            related_locations: None,
            parking_type: None,
            evses: Some((0..count).map(evse).collect()),
            directions: None,
            operator: None,
            suboperator: None,
            owner: None,
            facilities: None,
            time_zone: "Europe/Berlin".into(),
            opening_times: None,
            charging_when_closed: None,
            images: None,
            energy_mix: None,
            last_updated: now,
            extra: Extra::new(),
        };
        let tariff = Tariff {
            party: party(),
            id: "T1".into(),
            currency: "EUR".into(),
            tariff_type: None,
            tariff_alt_text: None,
            tariff_alt_url: None,
            tax_included: None,
            min_price: None,
            max_price: None,
            elements: vec![TariffElement {
                price_components: vec![
                    component(TariffDimension::Flat, "0.50", 1),
                    component(TariffDimension::Energy, "0.39", 1),
                    component(TariffDimension::ParkingTime, "6.00", 60),
                ],
                restrictions: None,
                extra: Extra::new(),
            }],
            start_date_time: None,
            end_date_time: None,
            energy_mix: None,
            last_updated: now,
            extra: Extra::new(),
        };
        let cpo = Party { id: party(), name: "ABC".into(), website: None, roles: vec![Role::Cpo] };
        node.app()
            .db
            .write(move |conn| {
                parties::insert(conn, &cpo, now)?;
                locations::upsert(conn, &location, None)?;
                tariffs::upsert(conn, &tariff, None)?;
                for number in 0..count {
                    let station = Station::new(
                        StationId::parse(&format!("CS{number}")).unwrap(),
                        party(),
                        "LOC1".into(),
                        StationAuth::None,
                        vec![StationConnector::new(1, format!("E{number}").into(), "1".into())],
                    );
                    stations::insert(conn, &station, None, now)?;
                }
                Ok::<_, DbError>(())
            })
            .await
            .unwrap();
        Self { node, clock }
    }

    /// Takes the tariffs from the connectors, so that only assignments price.
    pub(crate) async fn name_no_tariffs(&self) {
        let write = |conn: &mut _| {
            let mut location = locations::find(conn, &party(), &"LOC1".into())?.unwrap();
            for evse in location.evses.iter_mut().flatten() {
                for connector in &mut evse.connectors {
                    connector.tariff_ids = None;
                }
            }
            locations::upsert(conn, &location, None)
        };
        self.node.app().db.write(write).await.unwrap();
    }

    /// Adds a tariff by energy alone.
    pub(crate) async fn add_tariff(
        &self,
        id: &'static str,
        price: &'static str,
        change: impl Fn(&mut Tariff) + Send + 'static,
    ) {
        let write = move |conn: &mut _| {
            let mut tariff = tariffs::find(conn, &party(), &"T1".into())?.unwrap();
            tariff.id = id.into();
            tariff.elements[0].price_components = vec![component(TariffDimension::Energy, price, 1)];
            change(&mut tariff);
            catalogue::put_tariff(conn, &tariff, at(0))
        };
        self.node.app().db.write(write).await.unwrap();
        self.wake();
    }

    /// Assigns a tariff; the assignment's number.
    pub(crate) async fn assign(&self, tariff_id: &str, place: Place, buyers: Buyers) -> i64 {
        self.assign_for(tariff_id, place, buyers, (None, None)).await
    }

    /// Assigns it for a time, in seconds since the beginning.
    pub(crate) async fn assign_for(
        &self,
        tariff_id: &str,
        place: Place,
        buyers: Buyers,
        (from, to): (Option<i64>, Option<i64>),
    ) -> i64 {
        let now = self.clock.now();
        let new = Assignment {
            id: 0,
            party: party(),
            tariff_id: tariff_id.into(),
            place,
            buyers,
            valid_from: from.map(at),
            valid_to: to.map(at),
            created: now,
        };
        let write = move |conn: &mut _| assign(conn, &new, false, now);
        let made = self.node.app().db.write(write).await.unwrap();
        self.wake();
        made.id
    }

    pub(crate) async fn unassign(&self, id: i64) {
        let now = self.clock.now();
        let gone = self.node.app().db.write(move |conn| unassign(conn, id, now)).await.unwrap();
        assert!(gone.is_some());
        self.wake();
    }

    /// Writes a group.
    pub(crate) async fn group(&self, name: &str, members: Members) {
        let (group, now) = (Group { name: name.into(), members }, self.clock.now());
        self.node.app().db.write(move |conn| put_group(conn, &group, now)).await.unwrap();
        self.wake();
    }

    fn wake(&self) {
        self.node.app().wakes.tariffs.notify_waiters();
        self.node.app().wakes.delivery.notify_waiters();
    }

    pub(crate) async fn begin(&self, station: usize, id_tag: &str, second: i64, meter: i64) -> Started {
        let begin = StartTransaction {
            connector: 1,
            id_tag: id_tag.to_owned(),
            at: at(second),
            meter_start_wh: meter.into(),
            reservation_id: None,
            raw: String::new(),
        };
        start::start_transaction(self.node.app(), &id(station), begin).await.unwrap()
    }

    pub(crate) async fn end(&self, station: usize, transaction_id: i32, second: i64, meter: i64) {
        let end = StopTransaction {
            transaction_id,
            id_tag: None,
            at: at(second),
            meter_stop_wh: meter.into(),
            reason: "Local".to_owned(),
            samples: Vec::new(),
            raw: format!("stop {transaction_id} {second} {meter}"),
        };
        stop::stop_transaction(self.node.app(), &id(station), end).await.unwrap();
    }

    pub(crate) async fn meter(&self, station: usize, transaction_id: i32, second: i64, meter: i64) {
        let sample = MeterSample {
            at: at(second),
            register: Some(Kwh::from_wh(meter.into()).unwrap()),
            power_kw: None,
            current_a: None,
            currents: [None; 3],
            offered_a: None,
            context: "Sample.Periodic".to_owned(),
            raw: format!("{second} {meter}"),
            signed: Vec::new(),
        };
        let values = MeterValues {
            connector: 1,
            transaction_id: Some(transaction_id),
            raw: format!("{transaction_id} {}", sample.raw),
            samples: vec![sample],
        };
        record::meter_values(self.node.app(), &id(station), values).await.unwrap();
    }

    pub(crate) async fn status(&self, station: usize, second: i64, status: &str) {
        let report = ConnectorReport {
            connector: 1,
            status: status.into(),
            error_code: "NoError".to_owned(),
            at: at(second),
            is_dated: true,
        };
        record::connector_status(self.node.app(), &id(station), report).await.unwrap();
    }

    /// Turns the clock and settles what is due.
    pub(crate) async fn settle_after(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
        settle::settle_due(self.node.app()).await.unwrap();
    }

    pub(crate) async fn cdrs(&self) -> Vec<Cdr> {
        let filter = CdrFilter::of(Owner::Ours);
        let read = move |conn: &mut _| cdrs::list(conn, &filter, Page::first(1000));
        self.node.app().db.read(read).await.unwrap().items
    }

    /// The CDR of a charge at that station.
    pub(crate) async fn cdr_at(&self, station: usize) -> Cdr {
        let uid = CiString::from(format!("E{station}"));
        let mut found: Vec<Cdr> =
            self.cdrs().await.into_iter().filter(|cdr| cdr.cdr_location.evse_uid == uid).collect();
        assert_eq!(found.len(), 1, "one CDR at CS{station}");
        found.remove(0)
    }

    pub(crate) async fn sessions(&self) -> Vec<Session> {
        let filter = sessions::SessionFilter { owner: Owner::Ours, emsps: None, status: None };
        let read = move |conn: &mut _| sessions::list(conn, &filter, Page::first(1000));
        self.node.app().db.read(read).await.unwrap().items
    }

    pub(crate) async fn late_messages(&self) -> Vec<late_messages::LateMessage> {
        let read = |conn: &mut _| late_messages::list(conn, Page::first(100));
        self.node.app().db.read(read).await.unwrap().items
    }
}

fn id(station: usize) -> StationId {
    StationId::parse(&format!("CS{station}")).unwrap()
}
