//! `roamwatt payments show`.

use super::list::as_json;
use super::unknown;
use crate::cli::Settings;
use crate::cli::failure::Outcome;
use crate::cli::output::{Column, Output, facts, printable, table};
use crate::cli::store::Store;
use crate::payments::desk::{self, Shown};
use crate::payments::view::receipt_number;
use clap::Args;
use serde_json::{Value, json};

/// Shows a payment with all that happened to it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt payments show 019ac3f0-7a4e-7b11-8f0e-2a5c1d9e4b60")]
pub(super) struct ShowArgs {
    /// The payment's id
    payment: String,
}

pub(super) fn run(settings: &Settings, output: Output, args: &ShowArgs) -> Outcome {
    let store = Store::open(settings)?;
    let id = args.payment.clone();
    let shown = store.read(move |conn| desk::show(conn, &id))?.ok_or_else(|| unknown(&args.payment))?;
    output.show(&whole_as_json(&shown), || for_people(&shown))
}

fn for_people(shown: &Shown) -> String {
    let payment = &shown.payment;
    let amount = |amount: crate::domain::Money| format!("{amount} {}", payment.currency);
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let first = facts(&[
        ("payment", payment.id.clone()),
        ("state", payment.state.to_string()),
        ("reason", or_none(payment.reason.map(|reason| reason.to_string()))),
        ("party", format!("{}*{}", payment.country_code, payment.party_id)),
        ("station", format!("{}, connector {}", payment.station_id, payment.connector)),
        ("session", or_none(payment.session_id.clone())),
        ("provider", format!("{} {}", payment.provider, payment.intent_id.clone().unwrap_or_default())),
        ("held", amount(payment.held)),
        ("due", or_none(payment.details.0.due.map(amount))),
        ("captured", amount(payment.captured)),
        ("released", amount(payment.released)),
        ("refunded", amount(payment.refunded)),
        ("disputed", amount(payment.disputed)),
        ("written off", amount(payment.written_off)),
        ("receipt", or_none(receipt_number(payment))),
        ("trouble", or_none(payment.details.0.trouble.as_deref().map(printable))),
    ]);
    let columns = [Column::Text("WHEN"), Column::Text("WHAT"), Column::Text("AMOUNT"), Column::Text("NOTE")];
    let mut rows = Vec::new();
    for operation in &shown.operations {
        let note = [operation.asked_by.as_deref(), operation.note.as_deref()];
        rows.push((
            operation.created,
            format!("asked: {} ({})", operation.idempotency_key, operation.state),
            operation.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            note.into_iter().flatten().map(printable).collect::<Vec<_>>().join(": "),
        ));
    }
    for event in &shown.events {
        let note = if event.handled { "" } else { "not handled yet" };
        rows.push((
            event.received_at,
            format!("told: {}", printable(&event.kind)),
            String::new(),
            note.to_owned(),
        ));
    }
    for line in &shown.ledger {
        let note = line.note.as_deref().map(printable).unwrap_or_default();
        rows.push((line.at, format!("ledger: {}", line.kind), line.amount.to_string(), note));
    }
    rows.sort_by_key(|(at, _, _, _)| *at);
    let rows = rows.into_iter().map(|(at, what, amount, note)| vec![at.to_string(), what, amount, note]);
    format!("{first}\n\n{}", table(&columns, rows, "nothing happened to it yet"))
}

fn whole_as_json(shown: &Shown) -> Value {
    let mut value = as_json(&shown.payment);
    if let Value::Object(fields) = &mut value {
        let operations = shown.operations.iter().map(|operation| {
            json!({
                "kind": operation.kind,
                "idempotency_key": operation.idempotency_key,
                "amount": operation.amount.map(|amount| amount.to_string()),
                "state": operation.state,
                "provider_ref": operation.provider_ref,
                "note": operation.note,
                "asked_by": operation.asked_by,
                "created": operation.created,
                "done_at": operation.done_at,
            })
        });
        let events = shown.events.iter().map(|event| {
            json!({
                "id": event.id,
                "kind": event.kind,
                "handled": event.handled,
                "made_at": event.made_at,
                "received_at": event.received_at,
            })
        });
        let ledger = shown.ledger.iter().map(|line| {
            json!({ "kind": line.kind, "amount": line.amount.to_string(), "at": line.at, "note": line.note })
        });
        fields.insert("operations".to_owned(), operations.collect());
        fields.insert("events".to_owned(), events.collect());
        fields.insert("ledger".to_owned(), ledger.collect());
    }
    value
}
