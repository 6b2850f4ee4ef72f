//! `roamwatt payments list`.

use crate::cli::failure::Outcome;
use crate::cli::output::{Column, Output, table};
use crate::cli::store::Store;
use crate::cli::{Settings, note_of_rest};
use crate::db::page::Page;
use crate::db::payment_lists::{self, PaymentFilter};
use crate::db::payments::Payment;
use crate::domain::party::PartyId;
use crate::domain::payment::PaymentState;
use clap::Args;
use serde_json::{Value, json};

/// Lists ad hoc payments in the order in which they were made
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt payments list
  roamwatt payments list --state captured --party DE*ABC
  roamwatt payments list --state capturing   what is to be taken and was not yet")]
pub(super) struct ListArgs {
    /// Only of this party, like DE*ABC
    #[arg(long)]
    party: Option<PartyId>,
    /// Only in this state, like captured
    #[arg(long, value_parser = parse_state)]
    state: Option<PaymentState>,
    /// Only at this station
    #[arg(long)]
    station: Option<String>,
    /// Pass over this many
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    offset: i64,
    /// Show at most this many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

fn parse_state(text: &str) -> Result<PaymentState, String> {
    PaymentState::from_word(text).ok_or_else(|| {
        let words: Vec<&str> = PaymentState::ALL.iter().map(|state| state.as_str()).collect();
        format!("is none of {}", words.join(", "))
    })
}

pub(super) fn run(settings: &Settings, output: Output, args: &ListArgs) -> Outcome {
    let store = Store::open(settings)?;
    let filter = PaymentFilter {
        party: args.party.clone(),
        state: args.state,
        station_id: args.station.clone(),
        ..PaymentFilter::default()
    };
    let page = Page { offset: args.offset, ..Page::first(args.limit) };
    let slice = store.read(move |conn| payment_lists::list(conn, &filter, page))?;
    output.show(&slice.items.iter().map(as_json).collect::<Vec<_>>(), || {
        let columns = [
            Column::Text("PAYMENT"),
            Column::Text("MADE"),
            Column::Text("STATE"),
            Column::Text("REASON"),
            Column::Text("STATION"),
            Column::Number("HELD"),
            Column::Number("CAPTURED"),
            Column::Number("REFUNDED"),
            Column::Text("CURRENCY"),
        ];
        let rows = slice.items.iter().map(|payment| {
            vec![
                payment.id.clone(),
                payment.created.to_string(),
                payment.state.to_string(),
                payment.reason.map(|reason| reason.to_string()).unwrap_or_default(),
                format!("{}/{}", payment.station_id, payment.connector),
                payment.held.to_string(),
                payment.captured.to_string(),
                payment.refunded.to_string(),
                payment.currency.clone(),
            ]
        });
        table(&columns, rows, "no payments; docs/payments.md tells how drivers come to pay")
    })?;
    note_of_rest(output, slice.items.len(), slice.total, args.offset);
    Ok(())
}

/// A payment for programs; money as text.
pub(super) fn as_json(payment: &Payment) -> Value {
    json!({
        "id": payment.id,
        "state": payment.state,
        "reason": payment.reason,
        "party": format!("{}*{}", payment.country_code, payment.party_id),
        "location_id": payment.location_id,
        "evse_uid": payment.evse_uid,
        "connector_id": payment.connector_id,
        "station": payment.station_id,
        "connector": payment.connector,
        "provider": payment.provider,
        "account": payment.account,
        "provider_id": payment.intent_id,
        "currency": payment.currency,
        "hold": payment.hold.to_string(),
        "held": payment.held.to_string(),
        "due": payment.details.0.due.map(|due| due.to_string()),
        "captured": payment.captured.to_string(),
        "released": payment.released.to_string(),
        "refunded": payment.refunded.to_string(),
        "disputed": payment.disputed.to_string(),
        "written_off": payment.written_off.to_string(),
        "session_id": payment.session_id,
        "trouble": payment.details.0.trouble,
        "created": payment.created,
        "last_updated": payment.last_updated,
    })
}
