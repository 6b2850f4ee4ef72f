//! Stripe's messages: signed over the exact bytes with the time (docs.stripe.com/webhooks, "Verify webhook signatures
//! manually"): `t=<seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>">`, with several `v1` while a secret is being changed.

use super::super::provider::{EventSubject, ProviderEvent, WebhookError};
use crate::domain::Timestamp;
use aws_lc_rs::hmac;
use serde::Deserialize;
use std::time::Duration;

/// The message of a charge that is about its refunds; those of a refund itself are `refund.created`, `refund.updated`,
/// `refund.failed` and `charge.refund.updated`.
const CHARGE_REFUNDED: &str = "charge.refunded";

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    account: Option<String>,
    created: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    payment_intent: Option<String>,
}

impl Object {
    fn subject(self, kind: &str) -> EventSubject {
        match (self.object.as_deref(), self.id, self.payment_intent) {
            (Some("payment_intent"), Some(id), _) => EventSubject::Hold(id),
            (Some("dispute"), Some(id), intent) => EventSubject::Dispute(id, intent),
            (Some("refund"), _, Some(intent)) => EventSubject::Refunds(intent),
            (Some("charge"), _, Some(intent)) if kind == CHARGE_REFUNDED => EventSubject::Refunds(intent),
            (Some("charge"), _, Some(intent)) => EventSubject::Hold(intent),
            _ => EventSubject::Other,
        }
    }
}

/// Reads a message whose signature is right and whose time is near.
pub(super) fn verify(
    secret: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<ProviderEvent, WebhookError> {
    let mut time: Option<&str> = None;
    let mut signatures = Vec::new();
    for part in signature.split(',') {
        match part.trim().split_once('=') {
            Some(("t", seconds)) => time = Some(seconds),
            Some(("v1", hex)) => signatures.extend(bytes_of(hex)),
            _ => {}
        }
    }
    let time = time.ok_or(WebhookError::Signature)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = [time.as_bytes(), b".", body].concat();
    if secret.is_empty() || !signatures.iter().any(|tag| hmac::verify(&key, &signed, tag).is_ok()) {
        return Err(WebhookError::Signature);
    }
    let made: i64 = time.parse().map_err(|_| WebhookError::Signature)?;
    let apart = now.millis().saturating_sub(made.saturating_mul(1_000)).unsigned_abs();
    if u128::from(apart) > tolerance.as_millis() {
        return Err(WebhookError::Time);
    }
    let event: Event = serde_json::from_slice(body).map_err(|_| WebhookError::Unreadable)?;
    let made_at = event.created.checked_mul(1_000).and_then(Timestamp::from_millis);
    let subject = event.data.object.subject(&event.kind);
    Ok(ProviderEvent {
        id: event.id,
        kind: event.kind,
        account: event.account,
        made_at: made_at.ok_or(WebhookError::Unreadable)?,
        subject,
    })
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..64)
        .step_by(2)
        .map(|at| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"id": "evt_1", "object": "event", "type": "payment_intent.amount_capturable_updated",
        "account": "acct_1", "created": 1767225600,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "status": "requires_capture"}}}"#;

    fn sign(secret: &str, time: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{time}.{body}").as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn check(signature: &str, body: &str, at: i64) -> Result<ProviderEvent, WebhookError> {
        let now = Timestamp::from_millis(at * 1_000).unwrap();
        verify("whsec_1", signature, body.as_bytes(), now, Duration::from_secs(300))
    }

    #[test]
    fn a_signed_message_is_read_and_any_other_is_not() {
        const T: i64 = 1_767_225_600;
        let good = sign("whsec_1", T, BODY);
        let event = check(&format!("t={T},v1={good}"), BODY, T + 10).unwrap();
        assert_eq!((event.id.as_str(), event.account.as_deref()), ("evt_1", Some("acct_1")));
        assert_eq!(event.subject, EventSubject::Hold("pi_1".to_owned()));
        assert_eq!(event.made_at.to_string(), "2026-01-01T00:00:00Z");
        // While the secret is changed there are two; other schemes do not count.
        let old = sign("whsec_0", T, BODY);
        assert!(check(&format!("t={T},v1={old},v1={good},v0=00"), BODY, T).is_ok());

        let wrong = |signature: &str, body: &str, at: i64| check(signature, body, at).unwrap_err();
        assert_eq!(wrong(&format!("t={T},v1={old}"), BODY, T), WebhookError::Signature);
        assert_eq!(wrong(&format!("t={T},v0={good}"), BODY, T), WebhookError::Signature);
        assert_eq!(wrong(&format!("t={},v1={good}", T + 1), BODY, T), WebhookError::Signature);
        assert_eq!(
            wrong(&format!("t={T},v1={good}"), &BODY.replace("pi_1", "pi_2"), T),
            WebhookError::Signature
        );
        assert_eq!(wrong("", BODY, T), WebhookError::Signature);
        assert_eq!(wrong(&format!("t={T},v1={}", "ä".repeat(32)), BODY, T), WebhookError::Signature);
        assert_eq!(wrong(&format!("t={T},v1={good}"), BODY, T + 301), WebhookError::Time);
        assert_eq!(wrong(&format!("t={T},v1={good}"), BODY, T - 301), WebhookError::Time);
        let odd = sign("whsec_1", T, "{}");
        assert_eq!(wrong(&format!("t={T},v1={odd}"), "{}", T), WebhookError::Unreadable);
    }

    #[test]
    fn messages_say_what_to_look_at() {
        let subject = |kind: &str, json: &str| serde_json::from_str::<Object>(json).unwrap().subject(kind);
        let dispute = r#"{"id": "dp_1", "object": "dispute", "payment_intent": "pi_1", "charge": "ch_1"}"#;
        let found = subject("charge.dispute.created", dispute);
        assert_eq!(found, EventSubject::Dispute("dp_1".to_owned(), Some("pi_1".to_owned())));
        let of = |object: &str, kind: &str| {
            subject(kind, &format!(r#"{{"id": "x_1", "object": "{object}", "payment_intent": "pi_1"}}"#))
        };
        let (hold, refunds) =
            (EventSubject::Hold("pi_1".to_owned()), EventSubject::Refunds("pi_1".to_owned()));
        assert_eq!(of("charge", "charge.captured"), hold);
        assert_eq!(of("charge", "charge.refunded"), refunds);
        for kind in ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"] {
            assert_eq!(of("refund", kind), refunds);
        }
        let customer = r#"{"id": "cus_1", "object": "customer"}"#;
        assert_eq!(subject("customer.created", customer), EventSubject::Other);
    }
}
