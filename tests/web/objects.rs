//! What an operator sees and changes through the API: tokens, and a charge from its start to its CDR.

use super::operator::Operator;
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use roamwatt::db::partners::Health;
use roamwatt::db::{DbError, changes, parties, partners};
use roamwatt::domain::partner::{DeliveryPolicy, Partner, PartnerRole, PartnerStatus, TokenEncoding};
use roamwatt::domain::party::{Party, Role};
use roamwatt::domain::station::ConnectorStatus;
use roamwatt::simulate::{StationConfig, StationSim};
use serde_json::{Value, json};
use std::time::Duration;

/// Adds an eMSP of ours, and a registered partner that is a CPO; the partner's number.
pub(super) async fn add_emsp_and_partner(node: &TestNode) -> i64 {
    let now = node.app().now();
    let emsp =
        Party { id: "DE*EMP".parse().unwrap(), name: "Emp".into(), website: None, roles: vec![Role::Emsp] };
    let mut partner = Partner {
        id: 0,
        name: "cpo".to_owned(),
        status: PartnerStatus::Registered,
        versions_url: None,
        version: Some("2.2.1".to_owned()),
        endpoints: Vec::new(),
        roles: vec![PartnerRole {
            role: Role::Cpo,
            party: "NL*CPO".parse().unwrap(),
            name: "Cpo".to_owned(),
            website: None,
            logo: None,
        }],
        allowed_origins: Vec::new(),
        delivery: DeliveryPolicy::Converge,
        token_encoding: TokenEncoding::Base64,
        created: now,
        last_updated: now,
    };
    let write = move |conn: &mut _| {
        parties::insert(conn, &emsp, now)?;
        partner.id = partners::insert(conn, &partner)?;
        partners::update(conn, &partner)?;
        // Not to be tried for an hour, so that what waits for it stays to be seen.
        let health = Health {
            failures: 1,
            retry_at: Some(now.plus(chrono::TimeDelta::hours(1))),
            ..Health::default()
        };
        partners::set_health(conn, partner.id, &health)?;
        Ok::<_, DbError>(partner.id)
    };
    node.app().db.write(write).await.unwrap()
}

on_each_engine! {
    async fn a_token_is_written_blocked_and_taken_away(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let partner = add_emsp_and_partner(&node).await;
        let operator = Operator::of_role(&node, "operator").await;
        let path = "/tokens/DE*EMP/RFID/04A2B3C4";

        // We speak for no such eMSP.
        let other = "/tokens/DE*XYZ/RFID/04A2B3C4";
        let input = json!({ "contract_id": "DE-EMP-C1", "language": "de" });
        assert_eq!(operator.problem(Method::PUT, other, Some(input.clone())).await.0, 404);

        let created = operator.send(Method::PUT, path, Some(input)).await;
        assert_eq!(created.status(), 201);
        let created: Value = created.json().await.unwrap();
        assert_eq!((&created["issuer"], &created["valid"]), (&json!("Emp"), &json!(true)));
        assert_eq!(operator.get(path).await, created);
        let changed = json!({ "contract_id": "DE-EMP-C2", "whitelist": "NEVER" });
        assert_eq!(operator.send(Method::PUT, path, Some(changed)).await.status(), 200);
        assert_eq!(operator.get("/tokens?whose=ours").await[0]["contract_id"], "DE-EMP-C2");

        // The partner is told: one change, however often it was written.
        let waiting = operator.get(&format!("/partners/{partner}")).await["connection"]["waiting"].clone();
        assert_eq!(waiting, 1);
        let pending = node.app().db.read(move |conn| changes::pending(conn, partner, 10)).await.unwrap();
        assert_eq!(pending[0].key.0, "DE*EMP*RFID*04a2b3c4");

        let blocked = operator.send(Method::POST, &format!("{path}/block"), None).await;
        assert_eq!(blocked.json::<Value>().await.unwrap()["valid"], false);
        let valid = operator.send(Method::POST, &format!("{path}/unblock"), None).await;
        assert_eq!(valid.json::<Value>().await.unwrap()["valid"], true);
        // The partner may hold it, so it is blocked for good.
        let removed = operator.send(Method::DELETE, path, None).await;
        assert_eq!(removed.json::<Value>().await.unwrap(), json!({ "result": "blocked" }));
        assert_eq!(operator.get(path).await["valid"], false);
        node.stop().await;
    }

    async fn lists_come_in_pages(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        add_emsp_and_partner(&node).await;
        let operator = Operator::of_role(&node, "operator").await;
        for number in 0..5 {
            let path = format!("/tokens/DE*EMP/RFID/T{number}");
            let input = json!({ "contract_id": format!("C{number}") });
            assert_eq!(operator.send(Method::PUT, &path, Some(input)).await.status(), 201);
        }
        let mut next = Some("/tokens?whose=ours&limit=2".to_owned());
        let mut seen = Vec::new();
        while let Some(path) = next {
            let response = operator.send(Method::GET, &path, None).await;
            assert_eq!(response.headers()["x-total-count"], "5");
            let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
            next = link.and_then(|link| {
                let next = link.split(", ").find(|link| link.ends_with("rel=\"next\""))?.to_owned();
                let url = next.split(['<', '>']).nth(1)?.to_owned();
                Some(url.strip_prefix(&node.url("/api/v1")).unwrap().to_owned())
            });
            let page: Vec<Value> = response.json().await.unwrap();
            assert!(page.len() <= 2);
            seen.extend(page.iter().map(|token| token["uid"].as_str().unwrap().to_owned()));
        }
        assert_eq!(seen, ["T0", "T1", "T2", "T3", "T4"]);
        node.stop().await;
    }

    async fn an_operator_runs_a_charge_from_afar(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let start = json!({ "connector": 1, "token_uid": "04A1" });
        let away = operator.problem(Method::POST, "/stations/CS0/remote-start", Some(start.clone())).await;
        assert_eq!((away.0, &away.1["detail"]), (409, &json!("the station is not connected")));

        let mut config = StationConfig::new(site.node.ws_url("/ocpp"), "CS0");
        config.meter_interval = Duration::from_secs(1);
        config.speed = 60;
        let station = StationSim::spawn(config).unwrap();
        let limit = Duration::from_secs(20);
        station.wait_for(limit, |now| now.accepted).await.unwrap();
        station.plug_in(1).await.unwrap();

        for (body, at) in [
            (json!({ "connector": 7, "token_uid": "04A1" }), "$.connector"),
            (json!({ "token_uid": "unknown" }), "$.token_uid"),
            (json!({ "token_uid": "04A1", "token_party": "?" }), "$.token_party"),
        ] {
            let (status, problem) = operator.problem(Method::POST, "/stations/CS0/remote-start", Some(body)).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)));
        }
        let answer = operator.send(Method::POST, "/stations/CS0/remote-start", Some(start)).await;
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "status": "Accepted" }));
        station.wait_for(limit, |now| now.connector(1).is_some_and(|c| c.transaction_id.is_some())).await.unwrap();

        let seen = operator.get("/stations/CS0").await;
        assert_eq!((&seen["online"], &seen["device"]["vendor"]), (&json!(true), &json!("Roamwatt")));
        let session_id = seen["charges"][0]["session_id"].as_str().unwrap().to_owned();
        let session = operator.get(&format!("/sessions/DE*ABC/{session_id}")).await;
        assert_eq!((&session["status"], &session["token"]["uid"]), (&json!("ACTIVE"), &json!("04A1")));
        assert_eq!(operator.get("/sessions?status=ACTIVE&emsp=DE*EMP").await[0]["id"], session["id"]);
        assert_eq!(operator.get("/sessions?status=COMPLETED").await, json!([]));
        assert_eq!(operator.get("/stations?online=true").await[0]["id"], "CS0");
        assert_eq!(operator.get("/stations?online=false&location_id=loc1").await[0]["id"], "CS1");

        // Not at another station.
        let stop = json!({ "session_id": session_id });
        let (status, _) = operator.problem(Method::POST, "/stations/CS1/remote-stop", Some(stop.clone())).await;
        assert_eq!(status, 409);
        let answer = operator.send(Method::POST, "/stations/CS0/remote-stop", Some(stop.clone())).await;
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "status": "Accepted" }));
        station.wait_for(limit, |now| now.unsent == 0 && !now.connectors[0].charging).await.unwrap();
        station.unplug(1).await.unwrap();
        let free = |now: &_| is_free(now);
        station.wait_for(limit, free).await.unwrap();

        // The CDR is written when the charge has settled.
        let mut cdrs = operator.get("/cdrs").await;
        for _ in 0..100 {
            if cdrs != json!([]) {
                break;
            }
            site.clock.advance(Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(50)).await;
            cdrs = operator.get("/cdrs").await;
        }
        let cdr = &cdrs[0];
        assert_eq!((&cdr["session_id"], &cdr["currency"]), (&json!(session_id), &json!("EUR")));
        assert_eq!(cdr["costs"]["fixed"]["excl_vat"].as_str().unwrap().parse::<f64>().unwrap(), 0.5);
        assert_eq!(cdr["tariff_ids"], json!(["T1"]));
        let path = format!("/cdrs/DE*ABC/{}", cdr["id"].as_str().unwrap());
        assert_eq!(operator.get(&path).await, *cdr);
        let (status, _) = operator.problem(Method::POST, "/stations/CS0/remote-stop", Some(stop)).await;
        assert_eq!(status, 409);
        assert_eq!(operator.get("/locations/DE*ABC/LOC1").await["evses"][0]["uid"], "E0");
        let price = &operator.get("/tariffs?whose=ours").await[0]["elements"][0]["components"][1]["price"];
        assert_eq!(price, "0.39");
        station.shutdown().await.unwrap();
        site.node.stop().await;
    }

    async fn a_station_is_asked_and_its_answer_comes_back(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let station = StationSim::spawn(StationConfig::new(site.node.ws_url("/ocpp"), "CS0")).unwrap();
        station.wait_for(Duration::from_secs(20), |now| now.accepted).await.unwrap();

        let configuration = operator.get("/stations/CS0/configuration?keys=HeartbeatInterval,NoSuchKey").await;
        assert_eq!(configuration["keys"][0]["key"], "HeartbeatInterval");
        assert_eq!(configuration["unknown"], json!(["NoSuchKey"]));
        let path = "/stations/CS0/configuration/HeartbeatInterval";
        let answer = operator.send(Method::PUT, path, Some(json!({ "value": "77" }))).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], "Accepted");
        let configuration = operator.get("/stations/CS0/configuration?keys=HeartbeatInterval").await;
        assert_eq!(configuration["keys"][0]["value"], "77");
        let path = "/stations/CS0/configuration/NoSuchKey";
        let answer = operator.send(Method::PUT, path, Some(json!({ "value": "1" }))).await;
        assert_ne!(answer.json::<Value>().await.unwrap()["status"], "Accepted");

        let trigger = json!({ "message": "StatusNotification", "connector": 1 });
        let answer = operator.send(Method::POST, "/stations/CS0/trigger", Some(trigger)).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], "Accepted");
        let answer = operator.send(Method::POST, "/stations/CS0/reset", Some(json!({ "kind": "soft" }))).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], "Accepted");
        let (status, problem) =
            operator.problem(Method::POST, "/stations/CS0/reset", Some(json!({ "kind": "gentle" }))).await;
        assert_eq!((status, &problem["errors"][0]["at"]), (400, &json!("$.kind")));
        station.shutdown().await.unwrap();
        site.node.stop().await;
    }
}

fn is_free(now: &roamwatt::simulate::Snapshot) -> bool {
    now.unsent == 0 && now.connector(1).is_some_and(|c| c.status == ConnectorStatus::Available)
}
