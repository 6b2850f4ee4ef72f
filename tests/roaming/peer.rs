//! A partner of a node: an HTTP server that keeps what it is told as the specification asks a receiver to, or
//! fails at it in the ways that partners do.

use crate::support::node::TestNode;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use roamwatt::db::partners::Health;
use roamwatt::db::{DbError, changes, partners};
use roamwatt::domain::partner::{
    DeliveryPolicy, Endpoint, InterfaceRole, ModuleId, Partner, PartnerRole, PartnerStatus, TokenEncoding,
};
use roamwatt::domain::party::Role;
use roamwatt::roaming::delivery::mark_everything;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// The eMSP whose drivers charge at a [`Site`](crate::charging::site::Site).
pub(crate) const EMP: &str = "DE*EMP";
/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Below the base, e.g. `tariffs/DE/ABC/T1`.
    pub(crate) path: String,
    pub(crate) body: Value,
    /// `FROM > TO`.
    pub(crate) routing: String,
}

/// How a partner behaves.
#[derive(Debug, Clone)]
pub(crate) enum Mood {
    /// As it should.
    Well,
    /// An HTTP status and nothing else, for paths that contain the text.
    Status(u16, &'static str),
    /// An OCPI status code, for paths that contain the text.
    Refuses(u16, &'static str),
    /// No OCPI at all.
    Rubbish,
    /// Never answers, and takes nothing.
    Hangs,
    /// Takes what it is told, and its answer never comes, for paths that contain the text.
    LosesAnswers(&'static str),
    /// Takes a request only when a permit is there.
    Waits(Arc<Semaphore>),
}

#[derive(Default)]
struct State {
    mood: Mutex<Option<Mood>>,
    seen: Mutex<Vec<Seen>>,
    held: Mutex<BTreeMap<String, Value>>,
}

/// A partner of a node. Its server ends with it.
pub(crate) struct FakePartner {
    address: SocketAddr,
    state: Arc<State>,
    server: Option<actix_web::dev::ServerHandle>,
}

impl Drop for FakePartner {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            drop(server.stop(false));
        }
    }
}

impl FakePartner {
    /// One that answers.
    pub(crate) fn start() -> Self {
        let mut partner = Self::away();
        partner.come();
        partner
    }

    /// One at whose address nobody listens yet.
    pub(crate) fn away() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { address: listener.local_addr().unwrap(), state: Arc::default(), server: None }
    }

    /// Begins to listen.
    pub(crate) fn come(&mut self) {
        let state = web::Data::from(Arc::clone(&self.state));
        let server = HttpServer::new(move || {
            actix_web::App::new()
                .app_data(state.clone())
                .app_data(web::PayloadConfig::new(1 << 20))
                .default_service(web::to(hear))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .bind(self.address)
        .unwrap()
        .run();
        self.server = Some(server.handle());
        tokio::spawn(server);
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.state.mood.lock().unwrap() = Some(mood);
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// The requests so far, as `PUT tariffs/DE/ABC/T1`.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    /// What it holds, by path.
    pub(crate) fn held(&self) -> BTreeMap<String, Value> {
        self.state.held.lock().unwrap().clone()
    }

    pub(crate) fn holds(&self, path: &str) -> Option<Value> {
        self.state.held.lock().unwrap().get(path).cloned()
    }

    /// Forgets all it was told, as partners do.
    pub(crate) fn forget(&self) {
        self.state.held.lock().unwrap().clear();
    }

    /// Registers it with a node, as the eMSP [`EMP`], and has it told everything.
    pub(crate) async fn join(&self, node: &TestNode) -> i64 {
        self.join_as(node, EMP, &[(EMP, Role::Emsp)]).await
    }

    pub(crate) async fn join_as(&self, node: &TestNode, name: &str, roles: &[(&str, Role)]) -> i64 {
        let app = node.app();
        let modules =
            [ModuleId::Locations, ModuleId::Tariffs, ModuleId::Tokens, ModuleId::Sessions, ModuleId::Cdrs];
        let endpoints = modules.into_iter().map(|module| Endpoint {
            url: format!("http://{}/{module}", self.address),
            module,
            role: InterfaceRole::Receiver,
        });
        let roles = roles.iter().map(|(id, role)| PartnerRole {
            role: role.clone(),
            party: id.parse().unwrap(),
            name: (*id).to_owned(),
            website: None,
            logo: None,
        });
        let now = app.now();
        let partner = Partner {
            id: 0,
            name: name.to_owned(),
            status: PartnerStatus::Registered,
            versions_url: Some(format!("http://{}/versions", self.address)),
            version: Some("2.2.1".to_owned()),
            endpoints: endpoints.collect(),
            roles: roles.collect(),
            allowed_origins: vec![format!("http://{}", self.address)],
            delivery: DeliveryPolicy::Converge,
            token_encoding: TokenEncoding::Base64,
            created: now,
            last_updated: now,
        };
        let sealed = app.keys.seal("what the partner knows us by").unwrap();
        let write = move |conn: &mut _| {
            let mut partner = partner.clone();
            partner.id = partners::insert(conn, &partner)?;
            partners::update(conn, &partner)?;
            partners::set_token_out(conn, partner.id, Some(&sealed))?;
            mark_everything(conn, &partner, now)?;
            Ok::<_, DbError>(partner.id)
        };
        app.db.write(write).await.unwrap()
    }
}

async fn hear(request: HttpRequest, body: web::Bytes, state: web::Data<State>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).map_or("-", |value| value.to_str().unwrap());
    let party = |side: &str| {
        let part = |what: &str| header(&format!("OCPI-{side}-{what}"));
        format!("{}*{}", part("country-code"), part("party-id"))
    };
    let path = request.path().trim_matches('/').to_owned();
    let seen = Seen {
        method: request.method().to_string(),
        path: path.clone(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        routing: format!("{} > {}", party("from"), party("to")),
    };
    assert!(header("Authorization").starts_with("Token "));
    state.seen.lock().unwrap().push(seen.clone());
    let mood = state.mood.lock().unwrap().clone().unwrap_or(Mood::Well);
    let forever = || tokio::time::sleep(Duration::from_secs(3600));
    match mood {
        Mood::Status(http, what) if path.contains(what) => {
            return HttpResponse::build(StatusCode::from_u16(http).unwrap()).finish();
        }
        Mood::Refuses(code, what) if path.contains(what) => return answer(200, code),
        Mood::Rubbish => return HttpResponse::Ok().body("<html>Welcome</html>"),
        Mood::Hangs => forever().await,
        Mood::Waits(permits) => permits.acquire().await.unwrap().forget(),
        Mood::LosesAnswers(what) if path.contains(what) => {
            keep(&state, request.method(), &path, seen.body);
            forever().await;
            return answer(200, 1000);
        }
        _ => (),
    }
    let (http, code) = keep(&state, request.method(), &path, seen.body);
    answer(http, code)
}

fn answer(http: u16, code: u16) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(http).unwrap()).json(json!({
        "status_code": code, "status_message": "so be it", "timestamp": "2026-03-01T08:00:00Z"
    }))
}

/// What a receiver does (OCPI 2.2.1 mod_locations, mod_sessions, mod_cdrs, mod_tariffs, "Receiver Interface").
fn keep(state: &State, method: &Method, path: &str, body: Value) -> (u16, u16) {
    let mut held = state.held.lock().unwrap();
    let parts: Vec<&str> = path.split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("POST", ["cdrs"]) => {
            let path = format!("cdrs/{}", body["id"].as_str().unwrap());
            let same = held.get(&path).is_none_or(|known| *known == body);
            held.insert(path, body);
            (200, if same { 1000 } else { 2001 })
        }
        ("PUT", [_, _, _, _]) => {
            held.insert(path.to_owned(), body);
            (200, 1000)
        }
        ("DELETE", ["tariffs", ..]) => {
            let known = held.remove(path).is_some();
            if known { (200, 1000) } else { (404, 2000) }
        }
        ("PATCH", ["locations", country, party, id, evse]) => {
            let evses = held
                .get_mut(&format!("locations/{country}/{party}/{id}"))
                .and_then(|location| location["evses"].as_array_mut());
            let mut evses = evses.into_iter().flatten();
            match evses.find(|found| found["uid"] == decoded(evse)) {
                Some(found) => {
                    merge(found, &body);
                    (200, 1000)
                }
                None => (404, 2003),
            }
        }
        ("PATCH", ["locations" | "sessions" | "tokens", _, _, _]) => match held.get_mut(path) {
            Some(found) => {
                let mut periods = found["charging_periods"].as_array().cloned().unwrap_or_default();
                merge(found, &body);
                if let Some(added) = body["charging_periods"].as_array() {
                    periods.extend(added.iter().cloned());
                    found["charging_periods"] = json!(periods);
                }
                (200, 1000)
            }
            None => (404, 2000),
        },
        _ => (405, 2000),
    }
}

/// The text of a segment of a path.
fn decoded(segment: &str) -> String {
    let query = format!("text={}", segment.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes()).next().unwrap().1.into_owned()
}

fn merge(object: &mut Value, change: &Value) {
    for (name, value) in change.as_object().unwrap() {
        object[name] = value.clone();
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a partner was told everything.
pub(crate) async fn until_told(node: &TestNode, partner: i64) {
    let begun = Instant::now();
    while waiting(node, partner).await != (0, 0) {
        if begun.elapsed() > PATIENCE {
            let rows = node.app().db.read(move |conn| changes::pending(conn, partner, 100)).await.unwrap();
            panic!("not told: {rows:?}; {:?} at {}", health(node, partner).await, node.app().now());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many changes wait, and how many are set aside.
pub(crate) async fn waiting(node: &TestNode, partner: i64) -> (i64, i64) {
    node.app().db.read(move |conn| changes::backlog(conn, partner)).await.unwrap()
}

pub(crate) async fn health(node: &TestNode, partner: i64) -> Health {
    node.app().db.read(move |conn| partners::health(conn, partner)).await.unwrap()
}

/// Suspends a partner, or ends that.
pub(crate) async fn set_status(node: &TestNode, partner: i64, status: PartnerStatus) {
    let write = move |conn: &mut _| {
        let mut partner = partners::find(conn, partner)?.unwrap();
        partner.status = status.clone();
        partners::update(conn, &partner)
    };
    node.app().db.write(write).await.unwrap();
}
