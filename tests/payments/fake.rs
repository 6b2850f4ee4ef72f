//! Stripe as a fake of ours: an HTTP server with what the documentation says of PaymentIntents, refunds, disputes,
//! idempotency keys and connected accounts, as far as a node uses it. It keeps every call, and fails when told to.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// The secret that its messages are signed with.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_of_the_fake";
/// The key that it takes.
pub(crate) const SECRET_KEY: &str = "sk_test_of_the_fake";

/// A call as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// e.g. `POST /v1/payment_intents/pi_1/capture`.
    pub(crate) what: String,
    pub(crate) account: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) form: BTreeMap<String, String>,
}

/// What goes wrong with the next call whose path contains a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Answered with that status, and nothing was done.
    Before(u16),
    /// Done, and answered with that status all the same: the true answer is lost.
    After(u16),
    /// Refused with a 400 and that code.
    Refuse(&'static str),
}

#[derive(Debug, Clone)]
struct Intent {
    account: Option<String>,
    status: &'static str,
    amount: i64,
    received: i64,
    currency: String,
    payment: Option<String>,
    failure: Option<&'static str>,
    capture_before: Option<i64>,
}

#[derive(Debug, Clone)]
struct Refund {
    intent: String,
    amount: i64,
    /// The metadata by which it is found again.
    operation: Option<String>,
    reason: Option<&'static str>,
    failure: Option<&'static str>,
    /// What was held and not taken: Stripe lists it as a refund (before its version 2025-03-31).
    rest: bool,
}

impl Refund {
    fn show(&self, at: usize) -> Value {
        let status = if self.failure.is_some() { "failed" } else { "succeeded" };
        json!({ "id": refund_id(at), "object": "refund", "amount": self.amount, "status": status, "reason": self.reason,
            "failure_reason": self.failure, "payment_intent": self.intent, "charge": format!("ch_of_{}", self.intent),
            "metadata": self.operation.as_ref().map_or(json!({}), |key| json!({ "operation": key })) })
    }
}

fn refund_id(at: usize) -> String {
    format!("re_{}", at + 1)
}

/// A message as it waits to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) object: Value,
    pub(crate) account: Option<String>,
}

#[derive(Default)]
struct State {
    intents: BTreeMap<String, Intent>,
    refunds: Vec<Refund>,
    outbox: Vec<Message>,
    told: usize,
    /// Intent, amount, status.
    disputes: BTreeMap<String, (String, i64, &'static str)>,
    answers: BTreeMap<String, (String, u16, Value)>,
    seen: Vec<Seen>,
    faults: VecDeque<(&'static str, Fault)>,
    down: bool,
    capture_before: Option<i64>,
}

/// The fake. Its server ends with it.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    _server: Arc<Server>,
}

struct Server(actix_web::dev::ServerHandle);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.stop(false));
    }
}

impl Fake {
    pub(crate) fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let data = web::Data::from(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = HttpServer::new(move || {
            actix_web::App::new().app_data(data.clone()).default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, state, _server: Arc::new(Server(handle)) }
    }

    fn with<T>(&self, body: impl FnOnce(&mut State) -> T) -> T {
        body(&mut self.state.lock().unwrap())
    }

    /// From now on nobody answers, or again.
    pub(crate) fn be_down(&self, down: bool) {
        self.with(|state| state.down = down);
    }

    /// What goes wrong with the next call whose path contains the text; several in their order.
    pub(crate) fn fail(&self, path: &'static str, fault: Fault) {
        self.with(|state| state.faults.push_back((path, fault)));
    }

    /// Holds that are made from now on lapse then (seconds since 1970).
    pub(crate) fn lapse_at(&self, seconds: i64) {
        self.with(|state| state.capture_before = Some(seconds));
    }

    /// The driver pays.
    pub(crate) fn pay(&self, id: &str) {
        self.with(|state| {
            let capture_before = state.capture_before;
            let intent = state.intents.get_mut(id).unwrap();
            assert!(["requires_payment_method", "requires_action"].contains(&intent.status), "{intent:?}");
            (intent.status, intent.failure) = ("requires_capture", None);
            intent.capture_before = capture_before;
            state.tell_of("payment_intent.amount_capturable_updated", id);
        });
    }

    /// The driver's attempt fails.
    pub(crate) fn attempt_fails(&self, intent: &str, code: &'static str) {
        self.with(|state| state.intents.get_mut(intent).unwrap().failure = Some(code));
    }

    /// The hold is gone at the provider.
    pub(crate) fn cancel(&self, intent: &str) {
        self.with(|state| state.cancel(intent));
    }

    /// Somebody takes it in the provider's dashboard.
    pub(crate) fn take(&self, intent: &str, amount: i64) {
        self.with(|state| state.take(intent, amount));
    }

    /// Somebody gives money back in the provider's dashboard; the refund's id.
    pub(crate) fn refund_there(&self, intent: &str, amount: i64, reason: Option<&'static str>) -> String {
        self.with(|state| {
            state.refund(Refund {
                intent: intent.to_owned(),
                amount,
                operation: None,
                reason,
                failure: None,
                rest: false,
            })
        })
    }

    /// The driver's bank sends the refund of that amount back.
    pub(crate) fn send_back(&self, intent: &str, amount: i64, why: &'static str) {
        self.with(|state| {
            let mut all = state.refunds.iter_mut();
            let found = all.position(|refund| refund.intent == intent && refund.amount == amount).unwrap();
            state.refunds[found].failure = Some(why);
            let object = state.refunds[found].show(found);
            state.tell("refund.failed", object, intent);
        });
    }

    /// The messages that were not sent yet.
    pub(crate) fn take_messages(&self) -> Vec<Message> {
        self.with(|state| std::mem::take(&mut state.outbox))
    }

    /// What is held is another amount.
    pub(crate) fn hold_only(&self, intent: &str, amount: i64) {
        self.with(|state| state.intents.get_mut(intent).unwrap().amount = amount);
    }

    /// The driver's bank claims money back, or decides.
    pub(crate) fn dispute(&self, id: &str, intent: &str, amount: i64, status: &'static str) {
        self.with(|state| state.disputes.insert(id.to_owned(), (intent.to_owned(), amount, status)));
    }

    /// The only intent.
    pub(crate) fn only(&self) -> String {
        self.with(|state| {
            assert_eq!(state.intents.len(), 1, "{:?}", state.intents);
            state.intents.keys().next().unwrap().clone()
        })
    }

    /// Status and what was taken.
    pub(crate) fn stands(&self, intent: &str) -> (&'static str, i64) {
        self.with(|state| (state.intents[intent].status, state.intents[intent].received))
    }

    /// Every hold that is open.
    pub(crate) fn open_holds(&self) -> usize {
        self.with(|state| state.intents.values().filter(|intent| intent.status == "requires_capture").count())
    }

    /// What was given back of an intent, each refund by itself.
    pub(crate) fn refunds_of(&self, intent: &str) -> Vec<i64> {
        self.with(|state| {
            let counts =
                |refund: &&Refund| refund.intent == intent && !refund.rest && refund.failure.is_none();
            state.refunds.iter().filter(counts).map(|refund| refund.amount).collect()
        })
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.with(|state| state.seen.clone())
    }

    /// The calls whose path contains the text.
    pub(crate) fn calls(&self, path: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.what.contains(path)).collect()
    }
}

impl State {
    fn tell(&mut self, kind: &'static str, object: Value, intent: &str) {
        self.told += 1;
        let (id, account) = (format!("evt_of_fake_{}", self.told), self.intents[intent].account.clone());
        self.outbox.push(Message { id, kind, object, account });
    }

    fn tell_of(&mut self, kind: &'static str, intent: &str) {
        let object = show(self, intent);
        self.tell(kind, object, intent);
    }

    fn take(&mut self, id: &str, amount: i64) {
        let intent = self.intents.get_mut(id).unwrap();
        (intent.status, intent.received) = ("succeeded", amount);
        let rest = intent.amount - amount;
        self.tell_of("payment_intent.succeeded", id);
        self.never_taken(id, rest);
    }

    fn cancel(&mut self, id: &str) {
        let intent = self.intents.get_mut(id).unwrap();
        let held = if intent.status == "requires_capture" { intent.amount } else { 0 };
        intent.status = "canceled";
        self.tell_of("payment_intent.canceled", id);
        self.never_taken(id, held);
    }

    fn never_taken(&mut self, id: &str, amount: i64) {
        if amount > 0 {
            let intent = id.to_owned();
            self.refund(Refund { intent, amount, operation: None, reason: None, failure: None, rest: true });
        }
    }

    fn refund(&mut self, refund: Refund) -> String {
        let (at, intent) = (self.refunds.len(), refund.intent.clone());
        let object = refund.show(at);
        self.refunds.push(refund);
        self.tell("refund.created", object, &intent);
        let charge = json!({ "id": format!("ch_of_{intent}"), "object": "charge", "payment_intent": intent });
        self.tell("charge.refunded", charge, &intent);
        refund_id(at)
    }
}

/// A message and its signature, as they are sent.
pub(crate) fn message(
    id: &str,
    kind: &str,
    object: Value,
    account: Option<&str>,
    at: i64,
) -> (String, String) {
    let mut event =
        json!({ "id": id, "object": "event", "type": kind, "created": at, "data": { "object": object } });
    if let Some(account) = account {
        event["account"] = account.into();
    }
    let body = event.to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_SECRET.as_bytes());
    let tag = hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    (format!("t={at},v1={hex}"), body)
}

fn refuse(status: u16, code: &str) -> (u16, Value) {
    let error =
        json!({ "type": "invalid_request_error", "code": code, "message": format!("told to: {code}") });
    (status, json!({ "error": error }))
}

async fn answer(request: HttpRequest, body: web::Bytes, state: web::Data<Mutex<State>>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let text = if request.method() == Method::GET {
        request.query_string()
    } else {
        std::str::from_utf8(&body).unwrap()
    };
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let what = format!("{} {}", request.method(), request.path());
    let seen = Seen { what, account: header("Stripe-Account"), key: header("Idempotency-Key"), form };
    let mut state = state.lock().unwrap();
    state.seen.push(seen.clone());
    let (status, value) = if header("Authorization") == Some(format!("Bearer {SECRET_KEY}")) {
        judge(&mut state, &seen, request.method() == Method::POST)
    } else {
        refuse(401, "invalid_api_key")
    };
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).json(value)
}

fn judge(state: &mut State, seen: &Seen, changes: bool) -> (u16, Value) {
    if state.down {
        return (503, json!({}));
    }
    let fault = state.faults.iter().position(|(path, _)| seen.what.contains(path));
    let fault = fault.and_then(|at| state.faults.remove(at)).map(|(_, fault)| fault);
    match fault {
        Some(Fault::Before(status)) => return (status, json!({})),
        Some(Fault::Refuse(code)) => return refuse(400, code),
        Some(Fault::After(_)) | None => {}
    }
    let known = seen.key.as_ref().and_then(|key| state.answers.get(key)).cloned();
    let content = format!("{} {:?}", seen.what, seen.form);
    let done = match known {
        Some((same, status, value)) if same == content => (status, value),
        Some(_) => refuse(400, "idempotency_error"),
        None => {
            let done = act(state, seen);
            if let Some(key) = &seen.key {
                state.answers.insert(key.clone(), (content, done.0, done.1.clone()));
            }
            done
        }
    };
    assert!(!changes || seen.key.is_some(), "a call that changes something has a key: {seen:?}");
    match fault {
        Some(Fault::After(status)) => (status, json!({})),
        _ => done,
    }
}

fn act(state: &mut State, seen: &Seen) -> (u16, Value) {
    let (method, path) = seen.what.split_once(' ').unwrap();
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let number = |name: &str| seen.form.get(name).map(|text| text.parse::<i64>().unwrap());
    match (method, parts.as_slice()) {
        ("POST", ["payment_intents"]) => {
            assert_eq!(seen.form["capture_method"], "manual");
            let id = format!("pi_{}", state.intents.len() + 1);
            let intent = Intent {
                account: seen.account.clone(),
                status: "requires_payment_method",
                amount: number("amount").unwrap(),
                received: 0,
                currency: seen.form["currency"].clone(),
                payment: seen.form.get("metadata[payment]").cloned(),
                failure: None,
                capture_before: None,
            };
            state.intents.insert(id.clone(), intent);
            (200, show(state, &id))
        }
        ("GET", ["payment_intents", id]) => match owned(state, id, seen) {
            Some(_) => (200, show(state, id)),
            None => refuse(404, "resource_missing"),
        },
        ("POST", ["payment_intents", id, "capture"]) => {
            let Some(intent) = owned(state, id, seen) else { return refuse(404, "resource_missing") };
            let amount = number("amount_to_capture").unwrap();
            if intent.status != "requires_capture" {
                return refuse(400, "payment_intent_unexpected_state");
            }
            if amount < 1 || amount > intent.amount {
                return refuse(400, "amount_too_large");
            }
            state.take(id, amount);
            (200, show(state, id))
        }
        ("POST", ["payment_intents", id, "cancel"]) => {
            let Some(intent) = owned(state, id, seen) else { return refuse(404, "resource_missing") };
            if ["succeeded", "canceled"].contains(&intent.status) {
                return refuse(400, "payment_intent_unexpected_state");
            }
            state.cancel(id);
            (200, show(state, id))
        }
        ("POST", ["refunds"]) => {
            let intent_id = seen.form["payment_intent"].clone();
            let amount = number("amount").unwrap();
            let counts =
                |refund: &&Refund| refund.intent == intent_id && !refund.rest && refund.failure.is_none();
            let back: i64 = state.refunds.iter().filter(counts).map(|refund| refund.amount).sum();
            let Some(intent) = owned(state, &intent_id, seen) else { return refuse(404, "resource_missing") };
            if intent.status != "succeeded" || back + amount > intent.received {
                return refuse(400, "charge_already_refunded");
            }
            let operation = seen.form.get("metadata[operation]").cloned();
            state.refund(Refund {
                intent: intent_id,
                amount,
                operation,
                reason: None,
                failure: None,
                rest: false,
            });
            let at = state.refunds.len() - 1;
            (200, state.refunds[at].show(at))
        }
        ("GET", ["refunds"]) => {
            let of = &seen.form["payment_intent"];
            // The newest first.
            let found = state.refunds.iter().enumerate().rev().filter(|(_, refund)| refund.intent == *of);
            (
                200,
                json!({ "object": "list", "data": found.map(|(at, refund)| refund.show(at)).collect::<Vec<_>>() }),
            )
        }
        ("GET", ["disputes", id]) => match state.disputes.get(*id) {
            Some((intent, amount, status)) => (
                200,
                json!({ "id": id, "object": "dispute", "amount": amount, "status": status,
                    "payment_intent": intent, "charge": "ch_1" }),
            ),
            None => refuse(404, "resource_missing"),
        },
        _ => refuse(404, "unknown_url"),
    }
}

/// An intent as far as the account that asks may see it.
fn owned<'s>(state: &'s mut State, id: &str, seen: &Seen) -> Option<&'s mut Intent> {
    state.intents.get_mut(id).filter(|intent| intent.account == seen.account)
}

fn show(state: &State, id: &str) -> Value {
    let intent = &state.intents[id];
    let held = if intent.status == "requires_capture" { intent.amount } else { 0 };
    let charge = (intent.status == "requires_capture" || intent.received > 0).then(|| {
        json!({ "id": format!("ch_of_{id}"), "object": "charge", "amount": intent.amount,
            "captured": intent.received > 0, "amount_captured": intent.received, "amount_refunded": 0,
            "payment_method_details": { "type": "card", "card": { "capture_before": intent.capture_before } } })
    });
    json!({
        "id": id,
        "object": "payment_intent",
        "status": intent.status,
        "amount": intent.amount,
        "amount_capturable": held,
        "amount_received": intent.received,
        "currency": intent.currency,
        "client_secret": format!("{id}_secret_of_the_fake"),
        "metadata": { "payment": intent.payment },
        "last_payment_error": intent.failure.map(|code| json!({ "code": code })),
        "latest_charge": charge,
    })
}
