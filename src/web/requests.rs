//! What is found out of every request before an edge sees it: its ids and its client's address; and what is
//! logged and counted of it.

use crate::app::App;
use crate::http::{ClientAddress, RequestIds};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;
use tracing::Instrument;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The longest id that is taken from a request; longer ones would only fill logs.
const LONGEST_ID: usize = 128;

/// The name of the edge that serves a path, for labels.
#[must_use]
pub fn edge_of(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("ocpi") => "ocpi",
        Some("ocpp") => "ocpp",
        Some("api") => "api",
        Some("pay") => "pay",
        Some("driver") => "driver",
        _ => "other",
    }
}

/// Finds out who asks, and follows the request in logs and counters.
///
/// # Errors
/// Those of what it wraps.
pub async fn follow<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let begun = Instant::now();
    let app = request.app_data::<web::Data<App>>().cloned();
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let trusted = app.as_ref().map_or(&[][..], |app| app.config.server.trusted_proxies.as_slice());
    let client = client_of(peer, trusted, request.headers());
    let ids = ids_of(request.headers());
    let edge = edge_of(request.path());
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        // Without the query, which can hold what is nobody's business.
        path = %shown(request.path()),
        %client,
        request_id = ids.request_id,
        correlation_id = ids.correlation_id,
    );
    request.extensions_mut().insert(ClientAddress(client));
    request.extensions_mut().insert(ids.clone());

    let mut response = next.call(request).instrument(span.clone()).await?;
    let status = response.status();
    let seconds = begun.elapsed().as_secs_f64();
    span.in_scope(|| tracing::debug!(status = status.as_u16(), seconds, "answered"));
    if let Some(app) = app {
        let class = match status.as_u16() / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        app.metrics.http_requests.with_label_values(&[edge, class]).inc();
        app.metrics.http_seconds.with_label_values(&[edge]).observe(seconds);
        if matches!(edge, "api" | "driver") && status.is_client_error() {
            app.metrics.refused.with_label_values(&[edge, status.as_str()]).inc();
        }
    }
    let headers = response.headers_mut();
    if !headers.contains_key(X_REQUEST_ID)
        && let Ok(id) = HeaderValue::try_from(ids.request_id)
    {
        headers.insert(X_REQUEST_ID, id);
    }
    Ok(response)
}

/// A path as logs show it: the address of a payment is its driver's key.
fn shown(path: &str) -> Cow<'_, str> {
    let Some(rest) = path.strip_prefix("/pay/charge/") else { return Cow::Borrowed(path) };
    match rest.split_once('/') {
        Some((_, rest)) => Cow::Owned(format!("/pay/charge/***/{rest}")),
        None => Cow::Borrowed("/pay/charge/***"),
    }
}

/// The ids that a request brings, or new ones.
fn ids_of(headers: &HeaderMap) -> RequestIds {
    let given = |name: HeaderName| {
        let text = headers.get(name)?.to_str().ok()?;
        let good = (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        good.then(|| text.to_owned())
    };
    let request_id = given(X_REQUEST_ID).unwrap_or_else(|| RequestIds::fresh().request_id);
    let correlation_id = given(X_CORRELATION_ID).unwrap_or_else(|| request_id.clone());
    RequestIds { request_id, correlation_id }
}

/// The client's address: the socket's, or where that is a proxy of ours, the last one in `X-Forwarded-For` that
/// is none. Each proxy appends whom it heard, so what stands before the first stranger is his own word.
fn client_of(peer: IpAddr, trusted: &[IpNet], headers: &HeaderMap) -> IpAddr {
    let is_ours = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = peer.to_canonical();
    if !is_ours(client) {
        return client;
    }
    let lines: Vec<&str> = headers.get_all(X_FORWARDED_FOR).filter_map(|line| line.to_str().ok()).collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = address_in(entry.trim()) else { break };
        client = address;
        if !is_ours(client) {
            break;
        }
    }
    client
}

/// An address as proxies write it, also with a port.
fn address_in(text: &str) -> Option<IpAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']');
    let found = plain.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        client_of(peer.parse().unwrap(), &trusted, &headers).to_string()
    }

    #[test]
    fn only_proxies_of_ours_are_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
        // What stands before the first stranger is his own word.
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.7", "10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("::1", &["[2001:db8::1]:99"]), "2001:db8::1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn ids_are_taken_unless_they_are_rubbish() {
        let mut headers = HeaderMap::new();
        headers.insert(X_CORRELATION_ID, HeaderValue::from_static("c-1"));
        let ids = ids_of(&headers);
        assert_eq!(ids.correlation_id, "c-1");
        assert_eq!(ids.request_id.len(), 36);
        headers.insert(X_REQUEST_ID, HeaderValue::from_str(&"x".repeat(129)).unwrap());
        assert_eq!(ids_of(&headers).request_id.len(), 36);
    }

    #[test]
    fn edges() {
        assert_eq!([edge_of("/ocpi/versions"), edge_of("/api"), edge_of("/apix")], ["ocpi", "api", "other"]);
    }

    #[test]
    fn the_key_of_a_payment_is_in_no_log() {
        assert_eq!(shown("/pay/charge/k3y"), "/pay/charge/***");
        assert_eq!(shown("/pay/charge/k3y/events"), "/pay/charge/***/events");
        assert_eq!(shown("/pay/DE*ABC*E1"), "/pay/DE*ABC*E1");
    }
}
