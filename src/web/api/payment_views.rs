//! An ad hoc payment as operators see it.

use crate::db::payment_ledger::LedgerLine;
use crate::db::payment_operations::{EventRow, Operation};
use crate::db::payments::Payment;
use crate::domain::Timestamp;
use crate::payments::desk::Shown;
use crate::payments::view::receipt_number;
use serde::Serialize;
use utoipa::ToSchema;

/// An ad hoc payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentRowView {
    /// Its id; it rises with time.
    id: String,
    /// Where it stands: `created`, `authorised`, `start_sent`, `charging`, `priced`, `capturing`, `captured`,
    /// `releasing`, `cancelled`, `expired`, `refunded`, `failed` or `disputed`.
    #[schema(example = "captured")]
    state: String,
    /// Why it stands there, where that needs to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who sells.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Where.
    location_id: String,
    /// At which EVSE.
    evse_uid: String,
    /// At which connector.
    connector_id: String,
    /// Which station serves it.
    station: String,
    /// Who holds the money.
    #[schema(example = "stripe")]
    provider: String,
    /// The account at the provider that sells, if not that of the configured key.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_id: Option<String>,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What is to be held.
    #[schema(example = "60.00", format = "decimal")]
    hold: String,
    /// What was held.
    #[schema(format = "decimal")]
    held: String,
    /// What is due, tax included, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    due: Option<String>,
    /// What was taken.
    #[schema(format = "decimal")]
    captured: String,
    /// What was given back of what was held.
    #[schema(format = "decimal")]
    released: String,
    /// What was given back of what was taken.
    #[schema(format = "decimal")]
    refunded: String,
    /// What the driver's bank claims back.
    #[schema(format = "decimal")]
    disputed: String,
    /// What was due and not taken.
    #[schema(format = "decimal")]
    written_off: String,
    /// Its charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// The number of its receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// What the provider last said against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// When the hold lapses, where the provider says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    capture_before: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

impl From<Payment> for PaymentRowView {
    fn from(payment: Payment) -> Self {
        let receipt = receipt_number(&payment);
        let details = payment.details.0;
        Self {
            id: payment.id,
            state: payment.state.to_string(),
            reason: payment.reason.map(|reason| reason.to_string()),
            party: format!("{}*{}", payment.country_code, payment.party_id),
            location_id: payment.location_id,
            evse_uid: payment.evse_uid,
            connector_id: payment.connector_id,
            station: payment.station_id,
            provider: payment.provider,
            account: payment.account,
            provider_id: payment.intent_id,
            currency: payment.currency,
            hold: payment.hold.to_string(),
            held: payment.held.to_string(),
            due: details.due.map(|due| due.to_string()),
            captured: payment.captured.to_string(),
            released: payment.released.to_string(),
            refunded: payment.refunded.to_string(),
            disputed: payment.disputed.to_string(),
            written_off: payment.written_off.to_string(),
            session_id: payment.session_id,
            receipt,
            trouble: details.trouble,
            capture_before: details.capture_before,
            created: payment.created,
            last_updated: payment.last_updated,
        }
    }
}

/// Something that was asked of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OperationView {
    /// `authorise`, `capture`, `release` or `refund`.
    kind: String,
    /// `payment:operation:attempt`; the same key is the same operation, however often it is sent. What somebody had done
    /// at the provider has the provider's id in place of the attempt.
    idempotency_key: String,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    amount: Option<String>,
    /// `intended` as long as its outcome is not known, then `done` or `refused`; `failed` where it came to nothing after
    /// all, e.g. a refund that the driver's bank sent back.
    state: String,
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_ref: Option<String>,
    /// Why it was asked for, or what the provider said against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Who asked for it, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When its outcome became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
}

impl From<Operation> for OperationView {
    fn from(operation: Operation) -> Self {
        Self {
            kind: operation.kind.to_string(),
            idempotency_key: operation.idempotency_key,
            amount: operation.amount.map(|amount| amount.to_string()),
            state: operation.state.to_string(),
            provider_ref: operation.provider_ref,
            note: operation.note,
            asked_by: operation.asked_by,
            created: operation.created,
            done_at: operation.done_at,
        }
    }
}

/// Something that the provider told by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventView {
    /// The provider's id of it.
    id: String,
    /// What happened, in the provider's words.
    #[schema(example = "payment_intent.amount_capturable_updated")]
    kind: String,
    /// Whether what it is about was read again.
    handled: bool,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
}

impl From<EventRow> for EventView {
    fn from(event: EventRow) -> Self {
        let EventRow { id, kind, handled, made_at, received_at, .. } = event;
        Self { id, kind, handled, made_at, received_at }
    }
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LedgerLineView {
    /// `held`, `captured`, `released`, `release_undone`, `refunded`, `refund_failed`, `disputed`, `dispute_won`,
    /// `written_off` or `write_off_undone`.
    kind: String,
    /// How much; never negative.
    #[schema(format = "decimal")]
    amount: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why, where that needs to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<LedgerLine> for LedgerLineView {
    fn from(line: LedgerLine) -> Self {
        let LedgerLine { kind, amount, at, note, .. } = line;
        Self { kind: kind.to_string(), amount: amount.to_string(), at, note }
    }
}

/// An ad hoc payment with all that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownView {
    #[serde(flatten)]
    payment: PaymentRowView,
    /// What was asked of the provider, in its order.
    operations: Vec<OperationView>,
    /// What the provider told by itself, in the order in which it came.
    events: Vec<EventView>,
    /// Where the money is.
    ledger: Vec<LedgerLineView>,
}

impl From<Shown> for ShownView {
    fn from(Shown { payment, operations, events, ledger }: Shown) -> Self {
        Self {
            payment: payment.into(),
            operations: operations.into_iter().map(OperationView::from).collect(),
            events: events.into_iter().map(EventView::from).collect(),
            ledger: ledger.into_iter().map(LedgerLineView::from).collect(),
        }
    }
}
