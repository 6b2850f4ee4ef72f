//! A partner's platform as the tests play it: an HTTP server that keeps what it is told, and can be told to fail.

use actix_web::http::Method;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What the platform does with requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Answers this HTTP status, without a body.
    Http(u16),
    /// Answers after longer than anybody waits.
    Hangs,
    /// Answers a page for people.
    Rubbish,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) mood: Mood,
    /// What callers have to know.
    pub(crate) token: String,
    pub(crate) raw_token: bool,
    pub(crate) seen: Vec<Seen>,
    /// What it was told, by path below its receivers; CDRs by their id.
    pub(crate) objects: BTreeMap<String, Value>,
    /// What its lists hold, by module.
    pub(crate) lists: HashMap<&'static str, Vec<Value>>,
    /// Objects a page.
    pub(crate) page: usize,
    /// The Link of the last page leads back to the first.
    pub(crate) loops: bool,
    /// Where its Links lead, if not to itself.
    pub(crate) link_base: Option<String>,
    /// What it answers at paths that end like this, in place of doing anything.
    pub(crate) answers: HashMap<String, (u16, Value)>,
    pub(crate) roles: Value,
    /// The token that it gives for our credentials.
    pub(crate) gives: String,
    /// Our credentials.
    pub(crate) ours: Option<Value>,
    /// Calls our versions back while it takes our credentials, as most platforms do.
    pub(crate) calls_back: bool,
    /// What our versions answered then.
    pub(crate) called_back: Vec<u16>,
}

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

pub(crate) fn role(party: &str, role: &str) -> Value {
    let (country, id) = party.split_once('*').unwrap();
    json!({"role": role, "party_id": id, "country_code": country, "business_details": {"name": party}})
}

impl Fake {
    /// A platform with these roles on a free port.
    pub(crate) fn start(roles: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Well,
            token: "token-a-of-the-fake".to_owned(),
            raw_token: false,
            seen: Vec::new(),
            objects: BTreeMap::new(),
            lists: HashMap::new(),
            page: 2,
            loops: false,
            link_base: None,
            answers: HashMap::new(),
            roles,
            gives: "token-c-of-the-fake".to_owned(),
            ours: None,
            calls_back: true,
            called_back: Vec::new(),
        }));
        let fake = Self { url, state };
        let data = web::Data::new(fake.clone());
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(handle)))
                .workers(1)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run();
        tokio::spawn(server);
        fake
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn versions_url(&self) -> String {
        format!("{}/versions", self.url)
    }

    /// Its credentials, with a token for us.
    pub(crate) fn credentials(&self, token: &str) -> Value {
        json!({"token": token, "url": self.versions_url(), "roles": self.state().roles})
    }

    /// How often a method came to paths that end like this.
    pub(crate) fn count(&self, method: &str, end: &str) -> usize {
        self.seen(method, end).len()
    }

    pub(crate) fn seen(&self, method: &str, end: &str) -> Vec<Seen> {
        let matches = |seen: &&Seen| seen.method == method && seen.path.ends_with(end);
        self.state().seen.iter().filter(matches).cloned().collect()
    }
}

fn envelope(http: u16, code: u64, data: Value) -> HttpResponse {
    let http = actix_web::http::StatusCode::from_u16(http).unwrap();
    HttpResponse::build(http)
        .json(json!({"status_code": code, "data": data, "timestamp": "2026-01-01T00:00:00Z"}))
}

async fn handle(req: HttpRequest, body: web::Bytes, fake: web::Data<Fake>) -> HttpResponse {
    let seen = Seen {
        method: req.method().to_string(),
        path: req.path().to_owned(),
        query: req.query_string().to_owned(),
        headers: req
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_lowercase(), value.to_str().unwrap_or_default().to_owned())
            })
            .collect(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let (mood, wanted, answer) = {
        let mut state = fake.state();
        state.seen.push(seen.clone());
        let token = if state.raw_token { state.token.clone() } else { STANDARD.encode(&state.token) };
        let answer =
            state.answers.iter().find(|(end, _)| seen.path.ends_with(*end)).map(|(_, answer)| answer.clone());
        (state.mood.clone(), format!("Token {token}"), answer)
    };
    match mood {
        Mood::Well => (),
        Mood::Http(status) => {
            return HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).finish();
        }
        Mood::Hangs => tokio::time::sleep(Duration::from_secs(30)).await,
        Mood::Rubbish => return HttpResponse::Ok().body("<html>come back later</html>"),
    }
    if seen.headers.get("authorization") != Some(&wanted) {
        return envelope(401, 2001, Value::Null);
    }
    if let Some((http, body)) = answer {
        return HttpResponse::build(actix_web::http::StatusCode::from_u16(http).unwrap()).json(body);
    }
    if seen.path == "/credentials" {
        return credentials(&fake, &seen).await;
    }
    serve(&fake, req.method(), &seen)
}

async fn credentials(fake: &Fake, seen: &Seen) -> HttpResponse {
    if seen.method == "DELETE" {
        fake.state().ours = None;
        return envelope(200, 1000, Value::Null);
    }
    let (url, token) = (seen.body["url"].as_str().unwrap(), seen.body["token"].as_str().unwrap());
    if fake.state().calls_back {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let authorization = format!("Token {}", STANDARD.encode(token));
        let mut next = url.to_owned();
        for _ in 0..2 {
            let response = client.get(&next).header("Authorization", &authorization).send().await.unwrap();
            fake.state().called_back.push(response.status().as_u16());
            let body: Value = response.json().await.unwrap();
            next = body["data"][0]["url"].as_str().unwrap_or_default().to_owned();
        }
    }
    let mut state = fake.state();
    state.ours = Some(seen.body.clone());
    state.token = state.gives.clone();
    let data = json!({"token": state.gives, "url": format!("{}/versions", fake.url), "roles": state.roles});
    envelope(200, 1000, data)
}

fn serve(fake: &Fake, method: &Method, seen: &Seen) -> HttpResponse {
    let mut state = fake.state();
    let url = &fake.url;
    if seen.path == "/versions" {
        return envelope(
            200,
            1000,
            json!([{"version": "2.1.1", "url": format!("{url}/2.1.1")}, {"version": "2.2.1", "url": format!("{url}/2.2.1")}]),
        );
    }
    if seen.path == "/2.2.1" {
        let mut endpoints =
            vec![json!({"identifier": "credentials", "role": "SENDER", "url": format!("{url}/credentials")})];
        for module in ["locations", "tariffs", "sessions", "cdrs", "tokens", "commands"] {
            for role in ["SENDER", "RECEIVER"] {
                let side = role.to_lowercase();
                // With a slash at the end, as many platforms have it.
                endpoints.push(
                    json!({"identifier": module, "role": role, "url": format!("{url}/{side}/{module}/")}),
                );
            }
        }
        return envelope(200, 1000, json!({"version": "2.2.1", "endpoints": endpoints}));
    }
    if let Some(list) = seen.path.strip_prefix("/sender/") {
        let list = list.trim_end_matches('/');
        let all = state.lists.get(list).cloned().unwrap_or_default();
        let offset: usize = seen
            .query
            .split('&')
            .find_map(|part| part.strip_prefix("offset="))
            .map_or(0, |offset| offset.parse().unwrap());
        let page: Vec<Value> = all.iter().skip(offset).take(state.page).cloned().collect();
        let (next, more) = (offset + state.page, offset + state.page < all.len());
        let mut response = HttpResponse::Ok();
        response.insert_header(("X-Total-Count", all.len().to_string()));
        if more || state.loops {
            let next = if more { next } else { 2 };
            let base = state.link_base.as_ref().unwrap_or(url);
            response.insert_header(("Link", format!("<{base}/sender/{list}?offset={next}>; rel=\"next\"")));
        }
        return response
            .json(json!({"status_code": 1000, "data": page, "timestamp": "2026-01-01T00:00:00Z"}));
    }
    let Some(path) = seen.path.strip_prefix("/receiver/") else { return envelope(404, 2000, Value::Null) };
    let path = path.to_owned();
    match *method {
        Method::PUT => {
            state.objects.insert(path, seen.body.clone());
        }
        Method::PATCH => {
            let Some(object) = state.objects.get_mut(&path).and_then(Value::as_object_mut) else {
                return envelope(404, 2003, Value::Null);
            };
            object.extend(seen.body.as_object().unwrap().clone());
        }
        Method::POST => {
            let id = seen.body["id"].as_str().unwrap().to_owned();
            state.objects.insert(format!("cdrs/{id}"), seen.body.clone());
        }
        Method::DELETE => {
            if state.objects.remove(&path).is_none() {
                return envelope(404, 2000, Value::Null);
            }
        }
        _ => return envelope(405, 2000, Value::Null),
    }
    envelope(200, 1000, Value::Null)
}
