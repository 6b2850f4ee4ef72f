//! How Stripe is called: form-encoded requests, JSON answers, bounded in time and size. What may be repeated without
//! doing it twice is repeated with pauses where Stripe could not be reached or had no time.

use super::super::provider::ProviderError;
use crate::config::{PaymentsConfig, Secret};
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// The version of the API that the objects are read by.
const VERSION: &str = "2024-06-20";
/// Largest answer, bytes.
const LARGEST: usize = 1 << 20;
/// Waits before the repetitions.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(900)];

/// Why Stripe cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// TLS cannot be set up.
    #[error("the HTTP client for the payment provider cannot be set up")]
    Client(#[from] reqwest::Error),
    /// The key cannot be sent.
    #[error("payments.stripe_secret_key holds a character that cannot be sent")]
    Key,
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    method: Method,
    path: &'a str,
    account: Option<&'a str>,
    key: Option<&'a str>,
    fields: Vec<(&'a str, String)>,
    repeat: bool,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a str, account: Option<&'a str>) -> Self {
        Self { method: Method::GET, path, account, key: None, fields: Vec::new(), repeat: true }
    }

    pub(super) fn post(path: &'a str, account: Option<&'a str>, key: &'a str) -> Self {
        Self { method: Method::POST, path, account, key: Some(key), fields: Vec::new(), repeat: true }
    }

    pub(super) fn with(mut self, fields: &[(&'a str, String)]) -> Self {
        self.fields.extend_from_slice(fields);
        self
    }

    pub(super) fn once(self) -> Self {
        Self { repeat: false, ..self }
    }
}

/// The client.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    authorization: HeaderValue,
}

#[derive(Deserialize)]
struct Refusal {
    error: Problem,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Client {
    pub(super) fn new(config: &PaymentsConfig) -> Result<Self, StripeError> {
        let builder = || {
            reqwest::Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .user_agent(concat!("roamwatt/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(config.request_timeout)
                .timeout(config.request_timeout)
                .pool_max_idle_per_host(8)
        };
        // A machine without any root certificates can still talk plain http, as tests do.
        let http = builder().build().or_else(|error| {
            tracing::warn!(%error, "no root certificates: the payment provider cannot be reached by https");
            builder().tls_certs_only([]).build()
        })?;
        Ok(Self {
            http,
            base: config.stripe_url.clone().ok_or(StripeError::Key)?,
            authorization: bearer(&config.stripe_secret_key)?,
        })
    }

    /// Sends a request and reads the answer.
    pub(super) async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ProviderError> {
        let mut pauses = PAUSES.iter().take(if call.repeat { PAUSES.len() } else { 0 });
        loop {
            let answer = self.send(&call).await;
            match (&answer, pauses.next()) {
                (Err(ProviderError::Unreachable(why)), Some(pause)) => {
                    tracing::debug!(method = %call.method, path = call.path, why, "repeated");
                    tokio::time::sleep(*pause).await;
                }
                _ => {
                    if let Err(error) = &answer {
                        tracing::debug!(method = %call.method, path = call.path, %error, "a call of Stripe failed");
                    }
                    return answer;
                }
            }
        }
    }

    async fn send<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, ProviderError> {
        let unreadable = |error: &dyn std::fmt::Display| ProviderError::Unreadable(error.to_string());
        let mut url = self.base.join(call.path).map_err(|error| unreadable(&error))?;
        let encoded = serde_urlencoded::to_string(&call.fields).map_err(|error| unreadable(&error))?;
        if call.method == Method::GET && !encoded.is_empty() {
            url.set_query(Some(&encoded));
        }
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .header("Authorization", self.authorization.clone())
            .header("Stripe-Version", VERSION)
            .header("Accept", "application/json");
        if let Some(account) = call.account {
            request = request.header("Stripe-Account", account);
        }
        if let Some(key) = call.key {
            request = request.header("Idempotency-Key", key);
        }
        if call.method == Method::POST {
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(encoded);
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = read(response).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| unreadable(&error));
        }
        let problem = serde_json::from_slice::<Refusal>(&body).ok().map(|refusal| refusal.error);
        let busy = [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
        if status.is_server_error() || busy.contains(&status) || !status.is_client_error() {
            return Err(ProviderError::Unreachable(format!("HTTP {status}")));
        }
        let (code, message) = match problem {
            Some(Problem { kind, code, message }) => {
                (code.or(kind).unwrap_or_else(|| status.to_string()), message.unwrap_or_default())
            }
            None => (status.to_string(), String::new()),
        };
        Err(ProviderError::Refused { code, message })
    }
}

/// A header that the libraries never log.
fn bearer(key: &Secret) -> Result<HeaderValue, StripeError> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", key.reveal())).map_err(|_| StripeError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Without the URL, which may hold an id.
fn unreachable(error: reqwest::Error) -> ProviderError {
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    ProviderError::Unreachable(format!("{error}{cause}"))
}

async fn read(mut response: Response) -> Result<Vec<u8>, ProviderError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len().saturating_add(chunk.len()) > LARGEST {
            return Err(ProviderError::Unreadable(format!("it has more than {LARGEST} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
