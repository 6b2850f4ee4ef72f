//! How we call partners: one HTTP client per node, which follows no redirect, uses no proxy of the environment,
//! connects only where the URL guard lets it, and bounds the time and the size of every answer.

use super::envelope::{Answer, AnswerError};
use super::headers::MessageHeaders;
use super::paging;
use super::token_header;
use super::url_guard::{Allowances, GuardedResolver, approve};
use crate::config::{RoamingConfig, Secret};
use crate::domain::partner::{ModuleId, TokenEncoding};
use crate::metrics::Metrics;
use crate::roaming::PartnerCallError;
use futures_util::StreamExt;
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode as Http};
use std::time::Duration;

/// A request to a partner.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// GET, PUT, …
    pub method: Method,
    /// Where to.
    pub url: &'a str,
    /// Where it may lead.
    pub allowed_origins: &'a [String],
    /// What the partner knows us by.
    pub token: &'a Secret,
    /// How it wants the token.
    pub encoding: &'a TokenEncoding,
    /// Ids, and for functional modules the parties.
    pub headers: MessageHeaders,
    /// A JSON body.
    pub body: Option<Vec<u8>>,
    /// How long the answer may take, if not as long as configured.
    pub timeout: Option<Duration>,
    /// For counting.
    pub module: &'a ModuleId,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status, always 2xx.
    pub http: u16,
    /// The next page of a list.
    pub next: Option<String>,
    /// How many objects the list has.
    pub total: Option<u64>,
    /// The envelope; none where the body was empty, as some answer a PUT.
    pub answer: Option<Answer>,
}

/// The client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    allowances: Allowances,
    request_timeout: Duration,
    max_body: usize,
    max_pages: usize,
    metrics: Metrics,
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for partners cannot be set up")]
pub struct ClientError(#[from] reqwest::Error);

impl Client {
    /// Makes the client of a node.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: &RoamingConfig, metrics: Metrics) -> Result<Self, ClientError> {
        let allowances = Allowances::from(config);
        let builder = || {
            reqwest::Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .user_agent(concat!("roamwatt/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(GuardedResolver { allowances })
                .connect_timeout(config.request_timeout)
                .timeout(config.request_timeout)
                .pool_max_idle_per_host(4)
        };
        // A machine without any root certificates can still talk plain http, as a trial on one machine does.
        let http = builder().build().or_else(|error| {
            tracing::warn!(%error, "no root certificates: partners cannot be reached by https");
            builder().tls_certs_only([]).build()
        })?;
        Ok(Self {
            http,
            allowances,
            request_timeout: config.request_timeout,
            max_body: config.max_page_bytes,
            max_pages: config.max_pages,
            metrics,
        })
    }

    /// Most pages of one list.
    #[must_use]
    pub fn max_pages(&self) -> usize {
        self.max_pages
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// When the URL is not allowed, the partner cannot be reached, says no, or answers what is no envelope.
    pub async fn call(&self, call: Call<'_>) -> Result<Reply, PartnerCallError> {
        let module = call.module.clone();
        let (method, url) = (call.method.clone(), call.url.to_owned());
        let result = self.send(call).await;
        let word = match &result {
            Ok(_) => "2xx",
            Err(PartnerCallError::Unreachable(_)) => "unreachable",
            Err(PartnerCallError::Refused { .. }) => "refused",
            Err(PartnerCallError::Unreadable(_)) => "unreadable",
            Err(PartnerCallError::Impossible(_)) => "impossible",
        };
        let module = if module.is_known() { module.as_str() } else { "versions" };
        self.metrics.ocpi_requests.with_label_values(&["out", module, word]).inc();
        if let Err(error) = &result {
            // A path can hold the uid of a token, which is personal.
            let origin = url::Url::parse(&url).map(|url| url.origin().ascii_serialization());
            tracing::debug!(%method, origin = origin.unwrap_or_default(), module, %error, "a call to a partner failed");
        }
        result
    }

    async fn send(&self, call: Call<'_>) -> Result<Reply, PartnerCallError> {
        let Call { method, url, allowed_origins, token, encoding, headers, body, timeout, module: _ } = call;
        let url = approve(url, allowed_origins, self.allowances)
            .map_err(|error| PartnerCallError::Impossible(error.to_string()))?;
        let mut request = self
            .http
            .request(method, url)
            .timeout(timeout.unwrap_or(self.request_timeout))
            .header("Authorization", sensitive(&token_header::encode(token.reveal(), encoding))?)
            .header("Accept", "application/json");
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| unreachable_by(&error))?;
        let status = response.status();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let next = header(paging::LINK).and_then(paging::next_of_link).map(str::to_owned);
        let total = header(paging::TOTAL_COUNT).and_then(|total| total.trim().parse().ok());
        let body = self.body(response).await?;
        let answer = judge(status, &body)?;
        Ok(Reply { http: status.as_u16(), next, total, answer })
    }

    /// Reads what is at a URL, without any token.
    ///
    /// # Errors
    /// When the URL is not of one of these origins, nothing can be reached there, or it answers anything but success.
    pub async fn read(&self, url: &str, origins: &[String]) -> Result<Vec<u8>, PartnerCallError> {
        let url = approve(url, origins, self.allowances)
            .map_err(|error| PartnerCallError::Impossible(error.to_string()))?;
        let request = self.http.get(url).header("Accept", "application/json");
        let response = request.send().await.map_err(|error| unreachable_by(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(PartnerCallError::Unreadable(format!("HTTP {}", status.as_u16())));
        }
        self.body(response).await
    }

    /// Whether anything answers there with success, without a token: for a URL of our own.
    ///
    /// # Errors
    /// When nothing does, with why.
    pub async fn probe(&self, url: &str) -> Result<(), PartnerCallError> {
        // Our own address may be a private one, or a name of one; no secret is sent and nothing is read.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(self.request_timeout)
            .build()
            .unwrap_or_else(|_| self.http.clone());
        let response = client.get(url).send().await.map_err(|error| unreachable_by(&error))?;
        let status = response.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(PartnerCallError::Unreachable(format!("HTTP {status}")))
        }
    }

    async fn body(&self, response: reqwest::Response) -> Result<Vec<u8>, PartnerCallError> {
        let too_large = || PartnerCallError::Unreadable(format!("it has more than {} bytes", self.max_body));
        let most = u64::try_from(self.max_body).unwrap_or(u64::MAX);
        if response.content_length().is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let mut stream = response.bytes_stream();
        let mut body = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| unreachable_by(&error))?;
            if body.len() + chunk.len() > self.max_body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// A header that the libraries never log.
fn sensitive(value: &str) -> Result<reqwest::header::HeaderValue, PartnerCallError> {
    let mut header = reqwest::header::HeaderValue::from_str(value).map_err(|_| {
        PartnerCallError::Impossible("the partner's token cannot stand in a header".to_owned())
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// Why nothing came back, without the URL, which may hold the uid of a token.
fn unreachable_by(error: &reqwest::Error) -> PartnerCallError {
    if error.is_timeout() {
        return PartnerCallError::Unreachable("it did not answer in time".to_owned());
    }
    let mut last = None;
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        last = Some(cause.to_string());
        next = cause.source();
    }
    PartnerCallError::Unreachable(last.unwrap_or_else(|| "the connection failed".to_owned()))
}

/// What HTTP status and body say together. The OCPI status counts where there is one, but a partner that has no
/// time for us, or does not know our token, refuses us and not the object.
fn judge(status: Http, body: &[u8]) -> Result<Option<Answer>, PartnerCallError> {
    let http = status.as_u16();
    if status.is_redirection() {
        return Err(PartnerCallError::Unreadable(format!(
            "it redirects (HTTP {http}), which is not followed"
        )));
    }
    let answer = Answer::parse(body);
    let said = answer.as_ref().ok().map(|answer| {
        let message =
            answer.status_message.clone().unwrap_or_else(|| answer.status_code.meaning().to_owned());
        (answer.status_code.code(), message.chars().take(200).collect::<String>())
    });
    if status.is_success() {
        if body.is_empty() {
            return Ok(None);
        }
        return match answer.and_then(Answer::successful) {
            Ok(answer) => Ok(Some(answer)),
            Err(AnswerError::Refused { code, message }) => {
                let message = message.unwrap_or_else(|| code.meaning().to_owned());
                Err(PartnerCallError::Refused { code: code.code(), http, message })
            }
            Err(AnswerError::Unreadable(error)) => Err(PartnerCallError::Unreadable(error.to_string())),
        };
    }
    let text = said.as_ref().map_or_else(String::new, |(code, message)| format!(": {code}, {message}"));
    match http {
        401 => Err(PartnerCallError::Unreachable(format!("it does not take our token (HTTP 401{text})"))),
        403 | 408 | 429 | 502..=504 => Err(PartnerCallError::Unreachable(format!("HTTP {http}{text}"))),
        500.. => {
            let (code, message) = said.filter(|(code, _)| *code >= 3000).unwrap_or((3000, String::new()));
            Err(PartnerCallError::Refused { code, http, message })
        }
        _ => {
            let (code, message) = said.filter(|(code, _)| *code >= 2000).unwrap_or((2000, String::new()));
            Err(PartnerCallError::Refused { code, http, message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(http: u16, body: &str) -> Result<Option<Answer>, PartnerCallError> {
        judge(Http::from_u16(http).unwrap(), body.as_bytes())
    }

    #[test]
    fn what_is_the_objects_fault_and_what_the_partners() {
        use PartnerCallError::{Refused, Unreachable, Unreadable};
        assert!(matches!(judged(200, r#"{"status_code":1000}"#), Ok(Some(_))));
        assert!(matches!(judged(204, ""), Ok(None)));
        assert!(matches!(judged(200, "<html>"), Err(Unreadable(_))));
        assert!(matches!(judged(302, ""), Err(Unreadable(_))));
        for http in [401, 403, 408, 429, 502, 503, 504] {
            assert!(matches!(judged(http, r#"{"status_code":2001}"#), Err(Unreachable(_))), "{http}");
        }
        for (http, body, wanted) in [
            (200, r#"{"status_code":2003,"status_message":"where?"}"#, 2003),
            (404, r#"{"status_code":2004}"#, 2004),
            (404, "not here", 2000),
            (405, "", 2000),
            (500, "", 3000),
            (500, r#"{"status_code":3001}"#, 3001),
        ] {
            match judged(http, body) {
                Err(Refused { code, http: seen, .. }) => assert_eq!((code, seen), (wanted, http), "{body}"),
                other => panic!("{http} {body}: {other:?}"),
            }
        }
    }
}
