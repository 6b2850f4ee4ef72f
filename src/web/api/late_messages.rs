//! Messages of stations that had no effect: they could not be placed, or came after their charge had settled.

use super::auth::Read;
use super::input::{Strict, list_query};
use super::output;
use crate::app::App;
use crate::db::late_messages::{self, LateMessage};
use crate::domain::Timestamp;
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A message without effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LateMessageView {
    /// Rises with each message.
    number: i64,
    /// Who sent it.
    station: String,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// OCPP's action.
    #[schema(example = "StopTransaction")]
    action: String,
    /// Why it had no effect.
    reason: String,
    /// The charge that it names, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// As it came.
    payload: String,
}

impl From<LateMessage> for LateMessageView {
    fn from(message: LateMessage) -> Self {
        let LateMessage { seq, station_id, received_at, action, reason, session_id, payload } = message;
        Self { number: seq, station: station_id, received_at, action, reason, session_id, payload }
    }
}

list_query! {
    /// Which messages.
    pub struct LateMessageQuery {}
}

/// Lists messages of stations that had no effect, newest first
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/late-messages", tag = "stations", params(LateMessageQuery),
    responses((status = 200, description = "A page of messages", body = [LateMessageView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<LateMessageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let slice = app.db.read(move |conn| late_messages::list(conn, page)).await?;
    Ok(output::list(&app, &request, page, slice, LateMessageView::from))
}
