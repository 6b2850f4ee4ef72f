//! Who may tell us of what, and who may see what.

use super::peer::{ABC, OURS, Peer, add_party, fixture, node, party, with};
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use roamwatt::db::{DbError, cdrs, partners, sessions};
use roamwatt::domain::location::Location;
use roamwatt::domain::party::Role;
use roamwatt::domain::tariff::Tariff;
use roamwatt::domain::token::Token;
use roamwatt::ocpi::v2_2_1 as ocpi;
use roamwatt::ocpi::wire::parse;
use roamwatt::roaming::catalogue;
use serde_json::{Value, json};

pub(crate) fn location(value: &Value) -> Location {
    let wire: ocpi::locations::wire::Location = parse(value.to_string().as_bytes()).unwrap();
    wire.try_into().unwrap()
}
pub(crate) fn tariff(value: &Value) -> Tariff {
    let wire: ocpi::tariffs::wire::Tariff = parse(value.to_string().as_bytes()).unwrap();
    wire.try_into().unwrap()
}
pub(crate) fn token(value: &Value) -> Token {
    let wire: ocpi::tokens::wire::Token = parse(value.to_string().as_bytes()).unwrap();
    wire.try_into().unwrap()
}

/// The fixture as an object of our own.
pub(crate) fn our(name: &str, changes: Value) -> Value {
    let changed = with(fixture(name), json!({"country_code": "DE", "party_id": "OUR"}));
    with(changed, changes)
}

on_each_engine! {
    async fn nobody_tells_us_of_what_another_owns(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        let other = Peer::join(&node, &[("DE*OTH", Role::Cpo), ("NL*OTH", Role::Emsp)]).await;
        // The right party in the wrong role.
        let as_emsp = Peer::join(&node, &[("FR*ABC", Role::Emsp)]).await;
        let told = [
            ("/emsp/locations/DE/ABC/LOC-FULL", fixture("location_full")),
            ("/emsp/tariffs/DE/ABC/T-1", fixture("tariff_full")),
            ("/emsp/sessions/DE/ABC/S-1", fixture("session_full")),
        ];
        for (path, object) in &told {
            assert_eq!(abc.put(path, object).await.http, 201, "{path}");
            let patch = json!({"last_updated": "2027-01-01T00:00:00Z"});
            for refused in [
                other.put(path, object).await,
                other.get(path).await,
                other.patch(path, &patch).await,
            ] {
                if refused.http == 405 {
                    continue;
                }
                assert_eq!(refused.codes(), (404, 2001), "{path}: {refused:?}");
                assert_eq!(refused.message(), "this connection does not speak for DE*ABC as CPO");
            }
            assert_eq!(abc.get(path).await.data(), object, "{path} is as it was");
            let french = with(object.clone(), json!({"country_code": "FR"}));
            let refused = as_emsp.put(&path.replace("/DE/", "/FR/"), &french).await;
            assert_eq!(refused.codes(), (404, 2001), "{path} as an eMSP");
        }
        assert_eq!(other.delete("/emsp/tariffs/DE/ABC/T-1").await.codes(), (404, 2001));
        let refused = other.put("/cpo/tokens/NL/XYZ/04A2B3C4D5", &fixture("token_full")).await;
        assert_eq!(refused.codes(), (404, 2001));
        let refused = other.post("/emsp/cdrs", &fixture("cdr_full")).await;
        assert_eq!(refused.codes(), (404, 2001));
        for path in ["/emsp/locations/DEU/ABC/L", "/emsp/locations/DE/ABCD/L"] {
            assert_eq!(abc.get(path).await.codes(), (404, 2001), "{path}");
        }
        assert_eq!(node.app().metrics.refused.with_label_values(&["ocpi", "not_the_owner"]).get(), 14);
    }

    async fn a_hub_tells_of_parties_behind_it_and_of_no_others(db: TestDb) {
        let node = node(db.url()).await;
        let hub = Peer::join(&node, &[("NL*HUB", Role::Hub)]).await;
        let abc = Peer::abc(&node).await;
        let path = "/emsp/tariffs/DE/ABC/T-1";
        assert_eq!(hub.put(path, &fixture("tariff_full")).await.codes(), (404, 2001), "a direct partner's");
        let behind = with(fixture("tariff_full"), json!({"party_id": "BEH"}));
        assert_eq!(hub.put("/emsp/tariffs/DE/BEH/T-1", &behind).await.codes(), (201, 1000));
        let ours = our("tariff_full", json!({}));
        assert_eq!(hub.put("/emsp/tariffs/DE/OUR/T-1", &ours).await.codes(), (404, 2001), "ours");
        // The party leaves the hub and connects itself: its objects are its own from then on.
        assert_eq!(abc.put(path, &fixture("tariff_full")).await.codes(), (201, 1000));
        let direct = Peer::join(&node, &[("DE*BEH", Role::Cpo)]).await;
        assert_eq!(direct.get("/emsp/tariffs/DE/BEH/T-1").await.data(), &behind);
        assert_eq!(direct.put("/emsp/tariffs/DE/BEH/T-1", &behind).await.codes(), (200, 1000));
        assert_eq!(hub.put("/emsp/tariffs/DE/BEH/T-1", &behind).await.codes(), (404, 2001));
    }

    async fn what_is_ours_is_never_overwritten(db: TestDb) {
        let node = node(db.url()).await;
        let ours = our("location_full", json!({}));
        let (object, now) = (location(&ours), node.app().now());
        node.app().db.write(move |conn| catalogue::put_location(conn, &object, now)).await.unwrap();
        // Somebody got registered under our own name before the party was added here.
        let twin = Peer::join(&node, &[(OURS, Role::Cpo)]).await;
        let changed = with(ours, json!({"name": "Mine"}));
        let path = "/emsp/locations/DE/OUR/LOC-FULL";
        assert_eq!(twin.put(path, &changed).await.codes(), (404, 2001));
        assert_eq!(twin.get(path).await.codes(), (404, 2001));
    }

    async fn a_partner_sees_its_own_drivers_only(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        let other = Peer::join(&node, &[("NL*OTH", Role::Emsp)]).await;
        let cpo = Peer::abc(&node).await;
        let wire: ocpi::sessions::wire::Session = parse(our("session_full", json!({"kwh": 1.234567})).to_string().as_bytes()).unwrap();
        let session: roamwatt::domain::session::Session = wire.try_into().unwrap();
        let wire: ocpi::cdrs::wire::Cdr = parse(our("cdr_full", json!({"total_energy": 1.23456})).to_string().as_bytes()).unwrap();
        let cdr: roamwatt::domain::cdr::Cdr = wire.try_into().unwrap();
        node.app().db.write::<_, DbError, _>(move |conn| {
            sessions::upsert(conn, &session, None)?;
            cdrs::insert(conn, &cdr, None, None)?;
            Ok(())
        }).await.unwrap();
        for module in ["sessions", "cdrs"] {
            let seen = xyz.get(&format!("/cpo/{module}")).await;
            assert_eq!(seen.data().as_array().unwrap().len(), 1, "{module}");
            assert_eq!(seen.header("x-total-count"), "1");
            for peer in [&other, &cpo] {
                let seen = peer.get(&format!("/cpo/{module}")).await;
                assert_eq!((seen.codes(), seen.data()), ((200, 1000), &json!([])), "{module}");
                assert_eq!(seen.header("x-total-count"), "0", "{module}");
            }
        }
        // What we write has at most 4 decimals.
        assert_eq!(xyz.get("/cpo/sessions").await.data()[0]["kwh"].to_string(), "1.2346");
        assert_eq!(xyz.get("/cpo/cdrs").await.data()[0]["total_energy"].to_string(), "1.2346");
    }

    async fn a_partner_sees_locations_that_are_for_partners(db: TestDb) {
        let node = node(db.url()).await;
        add_party(&node, "AT*OUR", &[Role::Cpo]).await;
        let xyz = Peer::xyz(&node).await;
        let shown = [
            our("location_full", json!({"id": "PUBLIC", "publish": true, "publish_allowed_to": null})),
            our("location_full", json!({"id": "ALLOWED"})),
            our("location_full", json!({"id": "AUSTRIAN", "country_code": "AT", "publish": true})),
        ];
        let hidden = our("location_full", json!({"id": "PRIVATE", "publish_allowed_to": null}));
        let (now, all) = (node.app().now(), shown.iter().chain([&hidden]).map(location).collect::<Vec<_>>());
        // Valid for good: what is over is not among the tariffs of a connector.
        let valid = json!({"end_date_time": null});
        let rates = [our("tariff_full", valid.clone()), our("tariff_full", with(valid, json!({"country_code": "AT"})))];
        let tariffs: Vec<_> = rates.iter().map(tariff).collect();
        node.app().db.write::<_, DbError, _>(move |conn| {
            for object in &all {
                catalogue::put_location(conn, object, now)?;
            }
            for object in &tariffs {
                catalogue::put_tariff(conn, object, now)?;
            }
            Ok(())
        }).await.unwrap();
        // One of another partner, which is nothing of ours to show.
        Peer::abc(&node).await.put("/emsp/locations/DE/ABC/LOC-FULL", &fixture("location_full")).await;
        let seen = xyz.get("/cpo/locations").await;
        assert_eq!(seen.data(), &json!(shown));
        assert_eq!(seen.header("X-Total-Count"), "3");
        for (id, http) in [("PUBLIC", 200), ("allowed", 200), ("PRIVATE", 404), ("LOC-FULL", 404), ("NONE", 404)] {
            assert_eq!(xyz.get(&format!("/cpo/locations/{id}")).await.http, http, "{id}");
        }
        let evse = &shown[0]["evses"][0];
        assert_eq!(xyz.get("/cpo/locations/PUBLIC/E-1").await.data(), evse);
        assert_eq!(xyz.get("/cpo/locations/PUBLIC/E-1/1").await.data(), &evse["connectors"][0]);
        assert_eq!(xyz.get("/cpo/locations/PUBLIC/E-9").await.http, 404);
        // A request to one of our parties is about that party's.
        let to = [("OCPI-to-country-code", "AT"), ("OCPI-to-party-id", "OUR")];
        let seen = xyz.send(Method::GET, "/cpo/locations", &to, None).await;
        assert_eq!(seen.data(), &json!([shown[2]]));
        let seen = xyz.send(Method::GET, "/cpo/tariffs", &to, None).await;
        assert_eq!(seen.data(), &json!([rates[1]]));
        assert_eq!(xyz.get("/cpo/tariffs").await.data(), &json!(rates));
        assert_eq!(xyz.send(Method::GET, "/cpo/locations/PUBLIC", &to, None).await.http, 404);
    }

    async fn tokens_are_for_those_who_operate_stations(db: TestDb) {
        let node = node(db.url()).await;
        let (abc, xyz) = (Peer::abc(&node).await, Peer::xyz(&node).await);
        xyz.put("/cpo/tokens/NL/XYZ/04A2B3C4D5", &fixture("token_full")).await;
        let ours = our("token_full", json!({"uid": "OURS"}));
        let (object, now) = (token(&ours), node.app().now());
        node.app().db.write(move |conn| catalogue::put_token(conn, &object, now)).await.unwrap();
        assert_eq!(abc.get("/emsp/tokens").await.data(), &json!([ours]));
        assert_eq!(xyz.get("/emsp/tokens").await.codes(), (403, 2000));
    }

    async fn headers_of_an_answer_are_those_of_the_request_swapped(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        let headers = [
            ("X-Request-ID", "r-1"), ("X-Correlation-ID", "c-1"),
            ("OCPI-from-country-code", "DE"), ("OCPI-from-party-id", "ABC"),
            ("OCPI-to-country-code", "DE"), ("OCPI-to-party-id", "OUR"),
        ];
        for path in ["/cpo/locations", "/cpo/locations/NONE", "/cpo/locations?limit=-1"] {
            let answer = abc.send(Method::GET, path, &headers, None).await;
            for (name, value) in [
                ("x-request-id", "r-1"), ("x-correlation-id", "c-1"),
                ("ocpi-from-country-code", "DE"), ("ocpi-from-party-id", "OUR"),
                ("ocpi-to-country-code", "DE"), ("ocpi-to-party-id", "ABC"),
            ] {
                assert_eq!(answer.header(name), value, "{path} {name}");
            }
        }
        // None are no error, and get ids of ours.
        let answer = abc.get("/cpo/locations").await;
        assert_eq!(answer.codes(), (200, 1000));
        assert!(!answer.header("x-request-id").is_empty() && !answer.header("x-correlation-id").is_empty());
        let stranger = [("OCPI-from-country-code", "FR"), ("OCPI-from-party-id", "ABC")];
        assert_eq!(abc.send(Method::GET, "/cpo/locations", &stranger, None).await.codes(), (200, 2001));
        let unknown = [("OCPI-to-country-code", "FR"), ("OCPI-to-party-id", "ABC")];
        assert_eq!(abc.send(Method::GET, "/cpo/locations", &unknown, None).await.codes(), (200, 4001));
    }

    async fn only_registered_partners_are_heard(db: TestDb) {
        let node = node(db.url()).await;
        let mut abc = Peer::abc(&node).await;
        assert_eq!(party(ABC), abc.partner.roles[0].party);
        for path in ["/cpo/locations", "/emsp/locations/DE/ABC/LOC-FULL", "/cpo/nothing"] {
            let plain = node.get(&format!("/ocpi/2.2.1{path}")).await;
            assert_eq!(plain.status(), 401, "{path}");
        }
        abc.partner.status = roamwatt::domain::partner::PartnerStatus::Suspended;
        let partner = abc.partner.clone();
        node.app().db.write(move |conn| partners::update(conn, &partner)).await.unwrap();
        assert_eq!(abc.get("/cpo/locations").await.http, 403);
        abc.token.push('x');
        assert_eq!(abc.get("/cpo/locations").await.codes(), (401, 2000));
    }
}
