//! The whole story: two nodes as CPO and eMSP, a real station, and a partner that fails in the middle.

use crate::charging::site::{Site, token};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use roamwatt::clock::Clock;
use roamwatt::db::cdrs::CdrFilter;
use roamwatt::db::locations::Owner;
use roamwatt::db::page::Page;
use roamwatt::db::sessions::SessionFilter;
use roamwatt::db::{DbConn, DbError, cdrs, changes, locations, parties, partners, sessions, tokens};
use roamwatt::domain::cdr::Cdr;
use roamwatt::domain::command::{StartSession, StopSession};
use roamwatt::domain::partner::{DeliveryPolicy, Partner, PartnerStatus, TokenEncoding};
use roamwatt::domain::party::{Party, PartyId, Role};
use roamwatt::domain::session::{Session, SessionStatus};
use roamwatt::roaming::catalogue;
use roamwatt::roaming::commands::{send_start, send_stop};
use roamwatt::roaming::desk::Desk;
use roamwatt::roaming::registration::{Invite, Register};
use roamwatt::simulate::{StationConfig, StationSim};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// An address that stays the node's when it is started again.
fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn emsp_node(database: &TestDb, address: SocketAddr) -> TestNode {
    TestNode::start_with(database.url(), Clock::System, |config| config.server.listen = address).await
}

fn emsp() -> PartyId {
    "DE*EMP".parse().unwrap()
}

async fn until<T: Send + 'static>(
    node: &TestNode,
    what: &str,
    look: impl Fn(&mut DbConn) -> Result<Option<T>, DbError> + Clone + Send + 'static,
) -> T {
    let begun = Instant::now();
    loop {
        let look = look.clone();
        if let Some(found) = node.app().db.read(move |conn| look(conn)).await.unwrap() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// Both nodes with what they own, peered by the handshake; the CPO as the eMSP sees it.
async fn peered(cpo: &TestNode, other: &TestNode) -> Partner {
    let now = other.app().now();
    let party = Party { id: emsp(), name: "Emp".into(), website: None, roles: vec![Role::Emsp] };
    other
        .app()
        .db
        .write(move |conn| {
            parties::insert(conn, &party, now)?;
            catalogue::put_token(conn, &token("04A1", true), now)?;
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    let invitation = Desk::of(cpo.app())
        .invite(Invite {
            name: "Emp".into(),
            allowed_origins: vec![other.url("")],
            delivery: DeliveryPolicy::Converge,
            encoding: TokenEncoding::Base64,
        })
        .await
        .unwrap();
    let partner = Desk::of(other.app())
        .register(Register {
            name: "Abc".into(),
            versions_url: invitation.versions_url,
            token: invitation.token,
            allowed_origins: Vec::new(),
            delivery: DeliveryPolicy::Converge,
            encoding: TokenEncoding::Base64,
        })
        .await
        .unwrap();
    let key = token("04A1", true).key();
    until(cpo, "the token at the CPO", move |conn| tokens::find(conn, &key)).await;
    until(other, "the location at the eMSP", |conn| {
        Ok(locations::list(conn, &Owner::Any, Page::first(1))?.items.pop())
    })
    .await;
    partner
}

async fn station(cpo: &TestNode) -> StationSim {
    let mut config = StationConfig::new(cpo.ws_url("/ocpp"), "CS0");
    config.speed = 60;
    config.meter_interval = Duration::from_secs(20);
    config.auto_plug = Some(Duration::from_secs(10));
    let station = StationSim::spawn(config).unwrap();
    station.wait_for(PATIENCE, |now| now.accepted).await.unwrap();
    station
}

fn only_session(conn: &mut DbConn) -> Result<Option<Session>, DbError> {
    let filter = SessionFilter { owner: Owner::Any, emsps: None, status: None };
    Ok(sessions::list(conn, &filter, Page::first(2))?.items.pop())
}

fn only_cdr(conn: &mut DbConn) -> Result<Option<Cdr>, DbError> {
    let mut all = cdrs::list(conn, &CdrFilter::of(Owner::Any), Page::first(10))?.items;
    assert!(all.len() <= 1, "a CDR twice");
    Ok(all.pop())
}

on_each_engine! {
    async fn a_partner_that_fails_in_the_middle_catches_up(db: TestDb) {
        let (emsp_db, address) = (db.another(), free_address());
        let cpo = Site::bare(db.url(), 1, Clock::System, |config| {
            config.roaming.retry_first = Duration::from_millis(200);
            config.roaming.retry_max = Duration::from_secs(1);
        })
        .await
        .node;
        let other = emsp_node(&emsp_db, address).await;
        peered(&cpo, &other).await;
        let station = station(&cpo).await;

        station.plug_in_car(1, 60_000, 200).await.unwrap();
        station.present_token(1, "04A1").await.unwrap();
        let seen = until(&other, "the session at the eMSP", only_session).await;
        assert_eq!(seen.status, SessionStatus::Active);
        let before = seen.kwh;
        until(&other, "the session grows", move |conn| {
            Ok(only_session(conn)?.filter(|session| session.kwh > before))
        })
        .await;

        // The partner is gone while the charge goes on, stops and settles.
        other.stop().await;
        station.stop(1).await.unwrap();
        station.unplug(1).await.unwrap();
        let sent = until(&cpo, "the CDR at the CPO", only_cdr).await;
        until(&cpo, "failures are noted", |conn| {
            let partner = partners::by_name(conn, "Emp")?.unwrap();
            Ok(Some(partners::health(conn, partner.id)?).filter(|health| health.failures > 0))
        })
        .await;

        let other = emsp_node(&emsp_db, address).await;
        let received = until(&other, "the CDR at the eMSP", only_cdr).await;
        assert_eq!(received, sent);
        let ours = until(&cpo, "our session", only_session).await;
        assert_eq!(ours.status, SessionStatus::Completed);
        let wanted = ours.clone();
        until(&other, "the session as the CPO has it", move |conn| {
            Ok(only_session(conn)?.filter(|session| *session == wanted))
        })
        .await;
        until(&cpo, "nothing waits any more", |conn| {
            let partner = partners::by_name(conn, "Emp")?.unwrap();
            assert_eq!(partner.status, PartnerStatus::Registered);
            Ok(Some(changes::backlog(conn, partner.id)?).filter(|backlog| *backlog == (0, 0)))
        })
        .await;
        station.shutdown().await.unwrap();
        other.stop().await;
        cpo.stop().await;
    }

    async fn an_app_starts_and_stops_a_charge(db: TestDb) {
        let (emsp_db, address) = (db.another(), free_address());
        let cpo = Site::bare(db.url(), 1, Clock::System, |_| ()).await.node;
        let other = emsp_node(&emsp_db, address).await;
        let partner = peered(&cpo, &other).await;
        let station = station(&cpo).await;
        station.plug_in_car(1, 60_000, 200).await.unwrap();

        let cpo_party: PartyId = "DE*ABC".parse().unwrap();
        let start = StartSession {
            token: token("04A1", true),
            location_id: "LOC1".into(),
            evse_uid: Some("E0".into()),
            connector_id: Some("1".into()),
            authorization_reference: Some("REF-1".into()),
        };
        let sent = send_start(other.app(), &partner, emsp(), cpo_party.clone(), start).await.unwrap();
        let result = {
            let id = sent.id.clone();
            until(&other, "the result", move |conn| {
                Ok(roamwatt::db::commands::find(conn, &id)?.and_then(|row| row.result))
            })
            .await
        };
        assert_eq!(result, "ACCEPTED");
        let session = until(&other, "the session", only_session).await;
        assert_eq!(session.authorization_reference, Some("REF-1".into()));
        assert_eq!(session.auth_method.as_str(), "COMMAND");

        let stop = StopSession { session_id: session.id.clone() };
        send_stop(other.app(), &partner, emsp(), cpo_party.clone(), stop).await.unwrap();
        station
            .wait_for(PATIENCE, |now| now.connector(1).is_some_and(|connector| !connector.charging))
            .await
            .unwrap();
        station.unplug(1).await.unwrap();
        let cdr = until(&other, "the CDR at the eMSP", only_cdr).await;
        assert_eq!(cdr.authorization_reference, Some("REF-1".into()));

        // A session that nobody knows.
        let stop = StopSession { session_id: "nobody".into() };
        let sent = send_stop(other.app(), &partner, emsp(), cpo_party, stop).await.unwrap();
        assert_eq!(sent.answer.response.as_str(), "UNKNOWN_SESSION");
        station.shutdown().await.unwrap();
    }
}
