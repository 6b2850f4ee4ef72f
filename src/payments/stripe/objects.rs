//! Stripe's objects, as far as they matter here (docs.stripe.com/api: "PaymentIntent", "Charge", "Refund", "Dispute").
//! Fields that other versions leave out are made up for.

use super::super::provider::{
    AttemptFailure, DisputeStand, HoldState, Minor, ProviderDispute, ProviderError, ProviderHold,
    ProviderRefund,
};
use crate::domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A list of objects.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
}

/// Why a refund failed, where Stripe does not say.
const FAILED: &str = "the bank did not take it";

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    payment: Option<String>,
    #[serde(default)]
    operation: Option<String>,
}

/// A PaymentIntent.
#[derive(Deserialize)]
pub(super) struct Intent {
    id: String,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_capturable: Option<i64>,
    #[serde(default)]
    amount_received: Option<i64>,
    currency: String,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    last_payment_error: Option<Failure>,
    /// An id, or the object where it was asked for.
    #[serde(default)]
    latest_charge: Option<Value>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    code: Option<String>,
}

/// A charge: what a PaymentIntent made of a card.
#[derive(Debug, Default, Deserialize)]
struct Charge {
    #[serde(default)]
    amount: i64,
    #[serde(default)]
    captured: bool,
    #[serde(default)]
    amount_captured: Option<i64>,
    #[serde(default)]
    amount_refunded: i64,
    #[serde(default)]
    payment_method_details: Option<MethodDetails>,
}

#[derive(Debug, Deserialize)]
struct MethodDetails {
    #[serde(default)]
    card: Option<CardDetails>,
}

#[derive(Debug, Deserialize)]
struct CardDetails {
    #[serde(default)]
    capture_before: Option<i64>,
}

impl Charge {
    fn taken(&self) -> i64 {
        if !self.captured {
            return 0;
        }
        // What was not taken counts as refunded.
        self.amount_captured.unwrap_or_else(|| self.amount.saturating_sub(self.amount_refunded))
    }
}

impl Intent {
    /// As the payments see it.
    pub(super) fn hold(self) -> Result<ProviderHold, ProviderError> {
        let state = match self.status.as_str() {
            "requires_payment_method" | "requires_confirmation" | "requires_action" => HoldState::Open,
            "processing" => HoldState::Processing,
            "requires_capture" => HoldState::Held,
            "succeeded" => HoldState::Captured,
            "canceled" => HoldState::Cancelled,
            other => {
                return Err(ProviderError::Unreadable(format!("a PaymentIntent of status {other:?}")));
            }
        };
        let charge: Option<Charge> = self
            .latest_charge
            .filter(Value::is_object)
            .and_then(|charge| serde_json::from_value(charge).ok());
        let taken = || charge.as_ref().map_or(0, Charge::taken);
        let captured =
            if state == HoldState::Captured { self.amount_received.unwrap_or_else(taken) } else { 0 };
        let capturable =
            if state == HoldState::Held { self.amount_capturable.unwrap_or(self.amount) } else { 0 };
        let capture_before = charge
            .as_ref()
            .and_then(|charge| charge.payment_method_details.as_ref()?.card.as_ref()?.capture_before)
            .and_then(|seconds| Timestamp::from_millis(seconds.checked_mul(1_000)?));
        let failure =
            self.last_payment_error.filter(|_| state == HoldState::Open).map(|failure| {
                match failure.code.as_deref() {
                    Some("payment_intent_authentication_failure") => AttemptFailure::Authentication,
                    _ => AttemptFailure::Declined,
                }
            });
        Ok(ProviderHold {
            id: self.id,
            state,
            amount: Minor(self.amount),
            capturable: Minor(capturable),
            captured: Minor(captured),
            currency: self.currency.to_ascii_uppercase(),
            payment_id: self.metadata.payment,
            capture_before,
            failure,
            client_secret: self.client_secret,
        })
    }
}

/// A refund.
#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    id: String,
    amount: i64,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

impl From<Refund> for ProviderRefund {
    fn from(refund: Refund) -> Self {
        let failed = matches!(refund.status.as_deref(), Some("failed" | "canceled"));
        Self {
            id: refund.id,
            amount: Minor(refund.amount),
            key: refund.metadata.operation,
            reason: refund.reason,
            failure: failed.then(|| refund.failure_reason.unwrap_or_else(|| FAILED.to_owned())),
        }
    }
}

/// The refunds of a hold, the oldest first. Stripe lists the newest first, and lists what was held and not taken as a
/// refund, too, made with the capture (docs.stripe.com/changelog, 2025-03-31.basil: only from then on it does not).
/// That is the oldest one that is not ours and is exactly that much.
pub(super) fn refunds_of(hold: &ProviderHold, list: List<Refund>) -> Vec<ProviderRefund> {
    let mut refunds: Vec<ProviderRefund> = list.data.into_iter().rev().map(ProviderRefund::from).collect();
    let never_taken = Minor(hold.amount.0.saturating_sub(hold.captured.0));
    let rest = refunds.iter().position(|refund| {
        refund.key.is_none()
            && refund.reason.is_none()
            && refund.failure.is_none()
            && refund.amount == never_taken
    });
    if let Some(rest) = rest {
        refunds.remove(rest);
    }
    refunds
}

/// A dispute.
#[derive(Debug, Deserialize)]
pub(super) struct Dispute {
    id: String,
    amount: i64,
    status: String,
    #[serde(default)]
    payment_intent: Option<String>,
}

impl From<Dispute> for ProviderDispute {
    fn from(dispute: Dispute) -> Self {
        let state = match dispute.status.as_str() {
            "won" => DisputeStand::Won,
            "lost" => DisputeStand::Lost,
            word if word.starts_with("warning_") => DisputeStand::Inquiry,
            _ => DisputeStand::Open,
        };
        Self { id: dispute.id, hold_id: dispute.payment_intent, amount: Minor(dispute.amount), state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(json: &str) -> ProviderHold {
        serde_json::from_str::<Intent>(json).unwrap().hold().unwrap()
    }

    #[test]
    fn a_held_intent_says_how_much_and_until_when() {
        let hold = hold(
            r#"{"id": "pi_1", "object": "payment_intent", "status": "requires_capture", "amount": 6000,
                "amount_capturable": 6000, "amount_received": 0, "currency": "eur",
                "client_secret": "pi_1_secret_x", "metadata": {"payment": "p1"},
                "latest_charge": {"id": "ch_1", "amount": 6000, "captured": false, "amount_captured": 0,
                    "amount_refunded": 0,
                    "payment_method_details": {"type": "card", "card": {"capture_before": 1767225600}}}}"#,
        );
        assert_eq!((hold.state, hold.capturable, hold.captured), (HoldState::Held, Minor(6000), Minor(0)));
        assert_eq!(hold.capture_before.unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!((hold.currency.as_str(), hold.payment_id.as_deref()), ("EUR", Some("p1")));
    }

    #[test]
    fn what_was_taken_is_known_with_and_without_the_newer_fields() {
        for charge in [
            r#""amount_received": 1234, "latest_charge": "ch_1""#,
            r#""latest_charge": {"amount": 6000, "captured": true, "amount_captured": 1234, "amount_refunded": 0}"#,
            r#""latest_charge": {"amount": 6000, "captured": true, "amount_refunded": 4766}"#,
        ] {
            let json = format!(
                r#"{{"id": "pi_1", "status": "succeeded", "amount": 6000, "currency": "eur", {charge}}}"#
            );
            assert_eq!(hold(&json).captured, Minor(1234), "{charge}");
        }
    }

    #[test]
    fn what_was_never_taken_is_no_refund() {
        let hold = hold(
            r#"{"id": "pi_1", "status": "succeeded", "amount": 6000, "amount_received": 524, "currency": "eur"}"#,
        );
        let of = |refunds: &str| {
            let list =
                serde_json::from_str(&format!(r#"{{"object": "list", "data": [{refunds}]}}"#)).unwrap();
            refunds_of(&hold, list).into_iter().map(|refund| (refund.id, refund.failure)).collect::<Vec<_>>()
        };
        let rest = r#"{"id": "re_0", "amount": 5476, "status": "succeeded", "reason": null, "metadata": {}}"#;
        let ours =
            r#"{"id": "re_1", "amount": 100, "status": "pending", "metadata": {"operation": "p:refund:1"}}"#;
        let theirs = r#"{"id": "re_2", "amount": 24, "status": "failed", "reason": "requested_by_customer",
            "failure_reason": "expired_or_canceled_card", "metadata": {}}"#;
        let [one, two] = [("re_1", None), ("re_2", Some("expired_or_canceled_card"))]
            .map(|(id, why)| (id.to_owned(), why.map(str::to_owned)));
        assert_eq!(of(&format!("{theirs}, {ours}, {rest}")), [one.clone(), two.clone()]);
        // Newer versions do not list it.
        assert_eq!(of(&format!("{theirs}, {ours}")), [one, two]);
        assert_eq!(of(""), []);
    }

    #[test]
    fn failures_of_the_driver_are_told_apart() {
        let failed = |code: &str| {
            hold(&format!(
                r#"{{"id": "pi_1", "status": "requires_payment_method", "amount": 6000, "currency": "eur",
                    "last_payment_error": {{"code": "{code}", "decline_code": "generic_decline"}}}}"#
            ))
            .failure
        };
        assert_eq!(failed("card_declined"), Some(AttemptFailure::Declined));
        assert_eq!(failed("payment_intent_authentication_failure"), Some(AttemptFailure::Authentication));
        let odd = r#"{"id": "pi_1", "status": "requires_source", "amount": 1, "currency": "eur"}"#;
        assert!(serde_json::from_str::<Intent>(odd).unwrap().hold().is_err());
    }
}
