//! A driver with the eMSP's app: everything goes through the driver API over HTTP, as a real app does it.

use super::nodes::PATIENCE;
use super::seed;
use crate::cli::failure::Failure;
use crate::driver::apps::{NewApp, add, new_app_secret};
use crate::node::Node;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use url::form_urlencoded;

/// The app's own id of its user.
const USER: &str = "anna";

/// Somebody who is signed in.
pub(super) struct Phone {
    client: Client,
    base: String,
    token: String,
}

/// A charge as the app names it: its CPO and its id.
pub(super) struct Charge {
    party: String,
    /// The session's id.
    pub(super) session: String,
}

impl Phone {
    /// Registers the app at the eMSP; its server exchanges its user for a driver's tokens.
    pub(super) async fn sign_in(emsp: &Node) -> Result<Self, Failure> {
        let app = emsp.app();
        let (secret, hash) = new_app_secret(&app.keys);
        let id = "demo-app".to_owned();
        let new = NewApp { id: id.clone(), name: "Demo".to_owned(), party: seed::emsp()?, oidc: None };
        let now = app.now();
        app.db.write(move |conn| add(conn, &new, &hash, now)).await?;
        let client = Client::builder().no_proxy().build()?;
        let base = format!("http://{}/driver/v1", emsp.addr());
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .append_pair("subject_token", USER)
            .append_pair("subject_token_type", "urn:roamwatt:params:oauth:token-type:user-id")
            .finish();
        let request = client.post(format!("{base}/token")).basic_auth(id, Some(secret)).body(body);
        let tokens = answer(request.header("Content-Type", "application/x-www-form-urlencoded")).await?;
        Ok(Self { client, base, token: text(&tokens, "/access_token")? })
    }

    /// The places within two kilometres of the market; waits until there is one with a free EVSE.
    pub(super) async fn look_around(&self) -> Result<Value, Failure> {
        let around = "/locations?latitude=48.8975&longitude=9.1925&radius=2000&free=true&min_power_kw=50";
        let begun = Instant::now();
        loop {
            let found = self.get(around).await?;
            if let Some(place) = found.pointer("/locations/0") {
                return Ok(place.clone());
            }
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new("the app finds no free place"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What so many kWh would cost at an EVSE.
    pub(super) async fn price(&self, evse: &str, kwh: u32) -> Result<String, Failure> {
        let party = seed::operator()?;
        let path = format!("/locations/{party}/{}/evses/{evse}/connectors/1/price?kwh={kwh}", seed::LOCATION);
        let estimate = self.get(&path).await?;
        Ok(format!("{} {}", text(&estimate, "/total/gross")?, text(&estimate, "/currency")?))
    }

    /// Starts a charge and waits until it runs.
    pub(super) async fn start(&self, evse: &str) -> Result<Charge, Failure> {
        let party = seed::operator()?.to_string();
        let wish = json!({ "party": party, "location_id": seed::LOCATION, "evse_uid": evse });
        let order = self.order("/charges", "start", Some(&wish), &["STARTED"]).await?;
        Ok(Charge { party, session: text(&order, "/session_id")? })
    }

    /// Stops it. The session ends when the car has left.
    pub(super) async fn stop(&self, charge: &Charge) -> Result<(), Failure> {
        let path = format!("/sessions/{}/{}/stop", charge.party, charge.session);
        self.order(&path, "stop", None, &["ACCEPTED", "STOPPED"]).await?;
        Ok(())
    }

    /// What the receipt of a charge comes to.
    pub(super) async fn receipt(&self, charge: &Charge) -> Result<String, Failure> {
        let receipt = self.get(&format!("/sessions/{}/{}/receipt", charge.party, charge.session)).await?;
        let kwh = text(&receipt, "/documents/0/kwh")?;
        let bill = "/documents/0/bill";
        let currency = text(&receipt, &format!("{bill}/currency"))?;
        let [net, tax, gross] =
            ["net", "tax", "gross"].map(|part| text(&receipt, &format!("{bill}/total/{part}")));
        Ok(format!("{kwh} kWh, {} {currency} = {} + {} tax", gross?, net?, tax?))
    }

    async fn get(&self, path: &str) -> Result<Value, Failure> {
        answer(self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token)).await
    }

    /// Gives an order and follows it until it has come so far.
    async fn order(
        &self,
        path: &str,
        key: &str,
        body: Option<&Value>,
        states: &[&str],
    ) -> Result<Value, Failure> {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let request = request.header("Idempotency-Key", key);
        let mut order = answer(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await?;
        let follow = format!("/orders/{}?wait=2", text(&order, "/id")?);
        let begun = Instant::now();
        while !order.get("state").and_then(Value::as_str).is_some_and(|now| states.contains(&now)) {
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new(format!("the order should be {states:?} and is {order}")));
            }
            // `wait` waits for an answer, not for what comes after it.
            tokio::time::sleep(Duration::from_millis(200)).await;
            order = self.get(&follow).await?;
        }
        Ok(order)
    }
}

/// What a request is answered with, which must be a success.
async fn answer(request: RequestBuilder) -> Result<Value, Failure> {
    let response = request.timeout(PATIENCE).send().await?;
    let (status, body) = (response.status(), response.text().await?);
    if !status.is_success() {
        return Err(Failure::new(format!("the driver API answered {status}: {body}")));
    }
    Ok(serde_json::from_str(&body)?)
}

fn text(value: &Value, at: &str) -> Result<String, Failure> {
    let found = value.pointer(at).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Failure::new(format!("there is no {at} in the driver API's answer {value}")))
}
