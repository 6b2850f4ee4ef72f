//! How we ask partners: with which token and headers, for how long, and what their failures are taken for.

use super::fake::{Mood, role};
use super::peer::{fixture, party};
use super::registering::{joined, node_with};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::domain::partner::{Partner, TokenEncoding};
use roamwatt::domain::party::Role;
use roamwatt::domain::token::{Allowed, LocationReferences, TokenKey, TokenType};
use roamwatt::roaming::PartnerCallError;
use serde_json::json;
use std::time::{Duration, Instant};

on_each_engine! {
    async fn an_emsp_is_asked_in_real_time(db: TestDb) {
        let node = node_with(db.url(), "DE*OUR", &[Role::Cpo], |config| {
            config.roaming.authorize_timeout = Duration::from_millis(500);
        })
        .await;
        let (fake, _, partner) = joined(&node, "peer", json!([role("NL*XYZ", "EMSP")])).await;
        let uid = "04/A2 ä";
        let key = TokenKey { party: party("NL*XYZ"), uid: uid.into(), token_type: TokenType::Rfid };
        let place = LocationReferences {
            location_id: "LOC1".into(),
            evse_uids: Some(vec!["E1".into()]),
            extra: serde_json::Map::default(),
        };
        let ask = async |partner: &Partner| {
            node.app().partners.authorize(partner, &key, Some(&place), Some("c-1")).await
        };
        let info = json!({"status_code": 1000, "data": fixture("authorization_full"), "timestamp": "2026-01-01T00:00:00Z"});
        fake.state().answers.insert("/authorize".to_owned(), (200, info));
        assert_eq!(ask(&partner).await.unwrap().allowed, Allowed::Allowed);
        let asked = fake.seen("POST", "/authorize").remove(0);
        assert_eq!((asked.path.as_str(), asked.query.as_str()), ("/sender/tokens/04%2FA2%20%C3%A4/authorize", "type=RFID"));
        assert_eq!(asked.body, json!({"location_id": "LOC1", "evse_uids": ["E1"]}));
        for (header, value) in [
            ("x-correlation-id", "c-1"),
            ("ocpi-from-country-code", "DE"),
            ("ocpi-from-party-id", "OUR"),
            ("ocpi-to-country-code", "NL"),
            ("ocpi-to-party-id", "XYZ"),
        ] {
            assert_eq!(asked.headers[header], value, "{header}");
        }

        // A partner that wants its token raw gets it raw.
        fake.state().raw_token = true;
        assert!(matches!(ask(&partner).await, Err(PartnerCallError::Unreachable(_))), "401");
        let raw = Partner { token_encoding: TokenEncoding::Raw, ..partner.clone() };
        assert!(ask(&raw).await.is_ok());
        fake.state().raw_token = false;

        fake.state().answers.insert("/authorize".to_owned(), (404, json!({"status_code": 2004, "status_message": "who?"})));
        let refused = PartnerCallError::Refused { code: 2004, http: 404, message: "who?".to_owned() };
        assert_eq!(ask(&partner).await.unwrap_err(), refused);
        fake.state().mood = Mood::Rubbish;
        assert!(matches!(ask(&partner).await, Err(PartnerCallError::Unreadable(_))));
        fake.state().mood = Mood::Http(503);
        assert!(matches!(ask(&partner).await, Err(PartnerCallError::Unreachable(_))));
        // The driver is waiting at the station.
        fake.state().mood = Mood::Hangs;
        let begun = Instant::now();
        let error = ask(&partner).await.unwrap_err();
        assert_eq!(error.to_string(), "the partner cannot be reached: it did not answer in time");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        // What is not on the list of origins is not called, however the endpoint came to be there.
        let elsewhere = Partner { allowed_origins: vec!["https://peer.example".to_owned()], ..partner };
        fake.state().mood = Mood::Well;
        let before = fake.state().seen.len();
        assert!(matches!(ask(&elsewhere).await, Err(PartnerCallError::Impossible(_))));
        assert_eq!(fake.state().seen.len(), before);
    }
}
