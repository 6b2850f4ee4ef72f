//! How much one side may ask: of each token, and of each address before it has proved who it is. Section
//! `[limits]` of the configuration says how much.

use super::problem::Problem;
use super::requests::edge_of;
use crate::app::App;
use crate::config::LimitsConfig;
use crate::http::ClientAddress;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError, web};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde_json::json;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Fewest entries at which the map of refused addresses is looked through for those whose time is over.
const MANY: usize = 1024;

/// The counters of one node.
#[derive(Debug)]
pub struct Limits {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    tokens: DefaultKeyedRateLimiter<u64>,
    failures: DefaultKeyedRateLimiter<IpAddr>,
    /// Addresses that failed too often, and until when they are refused.
    refused: Mutex<HashMap<IpAddr, Instant>>,
    /// Tokens are told apart by a hash that nobody outside can predict.
    hasher: RandomState,
    clock: DefaultClock,
}

/// Why a request is refused, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// In words.
    pub reason: &'static str,
    /// Until then.
    pub wait: Duration,
}

impl Limits {
    /// Counters at rest.
    #[must_use]
    pub fn new(config: &LimitsConfig) -> Self {
        let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let per_second = |rate, burst| Quota::per_second(number(rate)).allow_burst(number(burst));
        let failures =
            Quota::per_minute(number(config.failures_per_minute)).allow_burst(number(config.failures_burst));
        Self {
            addresses: RateLimiter::keyed(per_second(config.address_per_second, config.address_burst)),
            tokens: RateLimiter::keyed(per_second(config.token_per_second, config.token_burst)),
            failures: RateLimiter::keyed(failures),
            refused: Mutex::default(),
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request, before anything else is done with it. `credentials` is its Authorization header.
    ///
    /// # Errors
    /// When it is one too many.
    pub fn count(&self, address: IpAddr, credentials: Option<&[u8]>) -> Result<(), Refusal> {
        let address = network_of(address);
        if let Some(wait) = self.refused_for(address) {
            return Err(Refusal { reason: "too many failed authentications from this address", wait });
        }
        let wait = |not_until: &governor::NotUntil<_>| not_until.wait_time_from(self.clock.now());
        self.addresses
            .check_key(&address)
            .map_err(|until| Refusal { reason: "too many requests from this address", wait: wait(&until) })?;
        if let Some(credentials) = credentials {
            self.tokens.check_key(&self.hasher.hash_one(credentials)).map_err(|until| Refusal {
                reason: "too many requests with this token",
                wait: wait(&until),
            })?;
        }
        Ok(())
    }

    /// Counts a failed authentication.
    pub fn count_failure(&self, address: IpAddr) {
        let address = network_of(address);
        if let Err(until) = self.failures.check_key(&address)
            && let Some(until) = Instant::now().checked_add(until.wait_time_from(self.clock.now()))
        {
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(address, until);
        }
    }

    fn refused_for(&self, address: IpAddr) -> Option<Duration> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if refused.len() > MANY {
            refused.retain(|_, until| *until > now);
        }
        let wait = refused.get(&address)?.saturating_duration_since(now);
        if wait.is_zero() {
            refused.remove(&address);
            return None;
        }
        Some(wait)
    }

    /// Forgets every minute whoever has been quiet, so that memory does not grow with all who ever came.
    pub async fn forget_quiet(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(60)) => (),
            }
            self.addresses.retain_recent();
            self.tokens.retain_recent();
            self.failures.retain_recent();
        }
    }
}

/// By what addresses are told apart: one customer of an IPv6 provider has a whole /64.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// Lets a request through if its address and its token have not asked too much.
///
/// # Errors
/// Those of what it wraps.
pub async fn limit<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let limits = request.app_data::<web::Data<Limits>>().cloned();
    // Whoever watches over the process must not be told that it is dead because others ask too much.
    let Some(limits) = limits.filter(|_| !matches!(request.path(), "/livez" | "/readyz")) else {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    };
    let address = ClientAddress::of(request.request()).0;
    let credentials = request.headers().get(AUTHORIZATION).map(|header| header.as_bytes());
    if let Err(refusal) = limits.count(address, credentials) {
        let response = refuse(&request, refusal);
        return Ok(request.into_response(response).map_into_right_body());
    }
    let proved = credentials.is_some();
    let response = next.call(request).await?;
    // Who sends no credentials at all guesses none.
    if proved && response.status() == StatusCode::UNAUTHORIZED {
        limits.count_failure(address);
    }
    Ok(response.map_into_left_body())
}

fn refuse(request: &ServiceRequest, refusal: Refusal) -> HttpResponse {
    let Refusal { reason, wait } = refusal;
    let seconds = wait.as_secs().saturating_add(1);
    let edge = edge_of(request.path());
    let app = request.app_data::<web::Data<App>>();
    if let Some(app) = app {
        app.metrics.refused.with_label_values(&[edge, "rate_limit"]).inc();
    }
    tracing::debug!(reason, "refused");
    match (edge, app) {
        // A partner's client reads the envelope (OCPI 2.2.1 transport_and_format, 4.1.7).
        ("ocpi", Some(app)) => HttpResponse::TooManyRequests()
            .insert_header((RETRY_AFTER, seconds))
            .json(json!({ "status_code": 2000, "status_message": reason, "timestamp": app.now() })),
        _ => Problem::too_many(reason, seconds).error_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(&LimitsConfig {
            token_per_second: 1,
            token_burst: 2,
            address_per_second: 1,
            address_burst: 5,
            failures_per_minute: 1,
            failures_burst: 2,
        })
    }

    #[test]
    fn each_token_and_each_address_has_its_share() {
        let limits = limits();
        let [one, two]: [IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
        assert!(limits.count(one, Some(b"a")).is_ok() && limits.count(one, Some(b"a")).is_ok());
        assert_eq!(limits.count(one, Some(b"a")).unwrap_err().reason, "too many requests with this token");
        assert!(limits.count(one, Some(b"b")).is_ok() && limits.count(one, None).is_ok());
        let refusal = limits.count(one, None).unwrap_err();
        assert_eq!(refusal.reason, "too many requests from this address");
        assert!(refusal.wait <= Duration::from_secs(1));
        assert!(limits.count(two, Some(b"c")).is_ok());
    }

    #[test]
    fn who_fails_too_often_is_refused_for_a_while() {
        let limits = limits();
        // Two addresses of one /64 are one customer.
        let [one, same]: [IpAddr; 2] = ["2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()];
        limits.count_failure(one);
        limits.count_failure(same);
        assert!(limits.count(one, None).is_ok());
        limits.count_failure(one);
        assert!(limits.count(same, None).unwrap_err().reason.contains("failed authentications"));
        assert!(limits.count("2001:db8:0:1::1".parse().unwrap(), None).is_ok());
    }
}
