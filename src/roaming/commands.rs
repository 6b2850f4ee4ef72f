//! Commands between platforms: those that we send to CPOs as eMSP, and the results that we owe eMSPs as CPO.
//!
//! A command is a row before it is sent, so that a result which comes before the answer finds it, and one that
//! never comes is told as a timeout. A result that a partner does not take at once is offered again for a while.

use super::PartnerCallError;
use super::link::{CommandAnswer, CommandOutcome, PartnerCommand, Routing};
use crate::app::App;
use crate::db::commands::CommandRow;
use crate::db::types::Json;
use crate::db::{DbError, commands, partners};
use crate::domain::command::{CommandResponse, CommandResult, StartSession, StopSession};
use crate::domain::partner::Partner;
use crate::domain::party::PartyId;
use chrono::TimeDelta;

/// How many results are taken up at once.
const BATCH: i64 = 100;
/// How long a result is offered to a partner that does not take it. The eMSP gave up on it long before.
const OFFERED_FOR: TimeDelta = TimeDelta::minutes(10);

/// Why a command could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The partner did not take it.
    #[error(transparent)]
    Partner(#[from] PartnerCallError),
}

/// A command that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Our id for it; the result is found under it.
    pub id: String,
    /// What the CPO said at once.
    pub answer: CommandAnswer,
}

/// Asks a CPO to start a charge (OCPI 2.2.1 mod_commands, START_SESSION).
///
/// # Errors
/// When the partner cannot be reached or refuses the request, or the database fails.
pub async fn send_start(
    app: &App,
    partner: &Partner,
    from: PartyId,
    to: PartyId,
    start: StartSession,
) -> Result<Sent, CommandError> {
    send_command(app, new_id(), partner, from, to, PartnerCommand::Start(Box::new(start))).await
}

/// Asks a CPO to stop a charge (OCPI 2.2.1 mod_commands, STOP_SESSION).
///
/// # Errors
/// When the partner cannot be reached or refuses the request, or the database fails.
pub async fn send_stop(
    app: &App,
    partner: &Partner,
    from: PartyId,
    to: PartyId,
    stop: StopSession,
) -> Result<Sent, CommandError> {
    send_command(app, new_id(), partner, from, to, PartnerCommand::Stop(stop)).await
}

/// Sends a command to a CPO under an id that the caller chose.
///
/// # Errors
/// When the partner cannot be reached or refuses the request, or the database fails.
pub async fn send_command(
    app: &App,
    id: String,
    partner: &Partner,
    from: PartyId,
    to: PartyId,
    command: PartnerCommand,
) -> Result<Sent, CommandError> {
    let mut row = new_row(app, id, command.kind().as_str(), partner, &from, &to);
    match &command {
        PartnerCommand::Start(start) => {
            row.authorization_reference = start.authorization_reference.as_ref().map(ToString::to_string);
            row.token = Some(Json(start.token.clone()));
        }
        PartnerCommand::Stop(stop) => row.session_id = Some(stop.session_id.key()),
        PartnerCommand::Reserve(reserve) => {
            row.authorization_reference = reserve.authorization_reference.as_ref().map(ToString::to_string);
            row.token = Some(Json(reserve.token.clone()));
        }
        PartnerCommand::CancelReservation(_) => {}
    }
    let routing = Routing { from: Some(from), to: Some(to), correlation_id: None };
    send(app, partner, row, command, routing).await
}

async fn send(
    app: &App,
    partner: &Partner,
    row: CommandRow,
    command: PartnerCommand,
    mut routing: Routing,
) -> Result<Sent, CommandError> {
    let (id, response_url) = (row.id.clone(), row.response_url.clone().unwrap_or_default());
    routing.correlation_id.clone_from(&row.correlation_id);
    app.db.write(move |conn| commands::insert(conn, &row)).await?;
    let answer = app.partners.send_command(partner, &routing, command, &response_url).await;
    // What was not passed on has its result already.
    let ended = match &answer {
        Ok(answer) if answer.response == CommandResponse::Accepted => None,
        Ok(answer) => Some((refusal(&answer.response), answer.message.clone())),
        Err(error) => Some((CommandResult::Failed, Some(error.to_string()))),
    };
    if let Some((result, message)) = ended {
        finish(app, id.clone(), result, message).await?;
    }
    Ok(Sent { id, answer: answer? })
}

/// What a command became that the CPO did not pass on.
fn refusal(response: &CommandResponse) -> CommandResult {
    match response {
        CommandResponse::NotSupported => CommandResult::NotSupported,
        _ => CommandResult::Rejected,
    }
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn new_row(app: &App, id: String, kind: &str, partner: &Partner, from: &PartyId, to: &PartyId) -> CommandRow {
    let now = app.now();
    let timeout = TimeDelta::from_std(app.config.roaming.command_timeout).unwrap_or(TimeDelta::MAX);
    CommandRow {
        kind: kind.to_owned(),
        direction: "out".to_owned(),
        partner_id: Some(partner.id),
        from_party: Some(from.to_string()),
        to_party: Some(to.to_string()),
        station_id: None,
        connector: None,
        id_tag: None,
        session_id: None,
        authorization_reference: None,
        token: None,
        response_url: Some(format!("{}/ocpi/2.2.1/emsp/commands/{kind}/{id}", app.public_url)),
        correlation_id: Some(uuid::Uuid::new_v4().to_string()),
        state: "SENT".to_owned(),
        result: None,
        message: None,
        created: now,
        expires_at: now.plus(timeout),
        delivered: true,
        id,
    }
}

/// Keeps what became of a command, if nothing did yet; whether it was kept.
///
/// # Errors
/// When the database fails.
pub async fn finish(
    app: &App,
    id: String,
    result: CommandResult,
    message: Option<String>,
) -> Result<bool, DbError> {
    let kept = app
        .db
        .write(move |conn| {
            let Some(mut row) = commands::find(conn, &id)?.filter(|row| row.state == "SENT") else {
                return Ok(false);
            };
            row.state = "DONE".to_owned();
            row.result = Some(result.as_str().to_owned());
            row.message.clone_from(&message);
            commands::update(conn, &row)?;
            Ok::<_, DbError>(true)
        })
        .await?;
    app.wakes.commands.notify_waiters();
    Ok(kept)
}

/// Takes the result of a command that we sent to that partner; whether we did. What was ended before stays as it
/// was ended.
///
/// # Errors
/// When the database fails.
pub async fn take_result(
    app: &App,
    partner: &Partner,
    kind: &str,
    id: &str,
    CommandOutcome { result, message }: CommandOutcome,
) -> Result<bool, DbError> {
    let key = id.to_owned();
    let row = app.db.read(move |conn| commands::find(conn, &key)).await?;
    let sent = row
        .is_some_and(|row| row.direction == "out" && row.partner_id == Some(partner.id) && row.kind == kind);
    if sent && !finish(app, id.to_owned(), result, message).await? {
        tracing::info!(command = id, "the result of a command came when it was ended already");
    }
    Ok(sent)
}

/// Ends the commands whose time is over, and posts the results that partners are owed. How many results could
/// not be posted and will be offered again.
///
/// # Errors
/// When the database fails.
pub async fn settle_commands(app: &App) -> Result<usize, DbError> {
    let now = app.now();
    for row in app.db.read(move |conn| commands::expired(conn, now, BATCH)).await? {
        tracing::info!(command = %row.id, kind = %row.kind, "a command timed out");
        finish(app, row.id, CommandResult::Timeout, Some("no answer in time".to_owned())).await?;
    }
    let mut open = 0;
    for row in app.db.read(|conn| commands::undelivered(conn, BATCH)).await? {
        if !post_result(app, row).await? {
            open += 1;
        }
    }
    Ok(open)
}

/// Posts one result; whether it needs no further try.
async fn post_result(app: &App, mut row: CommandRow) -> Result<bool, DbError> {
    let partner = match row.partner_id {
        Some(id) => app.db.read(move |conn| partners::find(conn, id)).await?,
        None => None,
    };
    let sent = match (&partner, &row.response_url) {
        (Some(partner), Some(url)) => {
            let routing = Routing {
                from: party_of(row.to_party.as_deref()),
                to: party_of(row.from_party.as_deref()),
                correlation_id: row.correlation_id.clone(),
            };
            let word = row.result.as_deref().unwrap_or("FAILED");
            let outcome = CommandOutcome { result: CommandResult::from(word), message: row.message.clone() };
            app.partners.send_result(partner, &routing, url, &outcome).await
        }
        _ => Err(PartnerCallError::Impossible("the partner is gone".to_owned())),
    };
    let given_up = match sent {
        Ok(()) => true,
        Err(PartnerCallError::Unreachable(why)) if app.now() < row.expires_at.plus(OFFERED_FOR) => {
            tracing::debug!(command = %row.id, why, "the result of a command will be offered again");
            false
        }
        Err(error) => {
            tracing::warn!(command = %row.id, %error, "the result of a command was not taken");
            true
        }
    };
    if given_up {
        row.delivered = true;
        app.db.write(move |conn| commands::update(conn, &row)).await?;
    }
    Ok(given_up)
}

fn party_of(text: Option<&str>) -> Option<PartyId> {
    text.and_then(|text| text.parse().ok())
}
