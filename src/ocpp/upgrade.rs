//! How a station comes in (OCPP-J 1.6, 3; security white paper, 4.2): everything is checked before a socket is
//! opened, and what is refused is counted and kept in the frame log with its reason.

use super::connection;
use super::credentials::{self, Denied};
use super::registry::{NoSeat, Registry};
use super::v1_6::SUBPROTOCOL;
use crate::app::App;
use crate::db::DbError;
use crate::db::station_access::{self, Admission};
use crate::domain::station::StationId;
use crate::http::ClientAddress;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{CloseCode, CloseReason};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// When a refusal is answered, counted from the request: late enough that what the database had to look up
/// cannot be told from the time.
const REFUSED_AFTER: Duration = Duration::from_millis(40);

/// `GET /ocpp/{station id}`.
pub(super) async fn connect(
    request: HttpRequest,
    body: web::Payload,
    path: web::Path<String>,
    app: web::Data<App>,
    registry: web::Data<Registry>,
) -> HttpResponse {
    let started = Instant::now();
    let named = path.into_inner();
    let address = ClientAddress::of(&request).0;
    let refuse = |label: &str, reason: &str| {
        app.metrics.refused.with_label_values(&["ocpp", label]).inc();
        registry.frames.note_refused(&named, &format!("{reason} (from {address})"));
        tracing::info!(station = %named.escape_debug(), reason, "a station's connection was refused");
    };

    let station = StationId::parse(&named);
    let known = match &station {
        Ok(id) => {
            let id = id.clone();
            app.db.read(move |conn| station_access::admission(conn, &id)).await
        }
        Err(_) => Ok(None),
    };
    let known: Option<Admission> = match known {
        Ok(known) => known,
        Err(error) => return unavailable(&error),
    };
    let authorization = request.headers().get(header::AUTHORIZATION);
    let proof = known.as_ref().map(|known| (known.auth, known.password_hash.as_deref()));
    let checked = credentials::check(&app.keys, &named, proof, app.config.ocpp.allow_no_auth, authorization);
    let (id, known) = match (station, known, checked) {
        (Ok(id), Some(known), Ok(())) => (id, known),
        (station, _, checked) => {
            let denied = match station {
                Err(_) => Denied::MalformedId,
                Ok(_) => checked.err().unwrap_or(Denied::UnknownStation),
            };
            refuse(denied.label(), &denied.to_string());
            sleep_until(started + REFUSED_AFTER).await;
            return HttpResponse::Unauthorized()
                .insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"ocpp\", charset=\"UTF-8\""))
                .finish();
        }
    };

    let handshake = actix_ws::handle_with_protocols(&request, body, &[SUBPROTOCOL]);
    let (response, session, stream) = match handshake {
        Ok(accepted) => accepted,
        Err(error) => {
            refuse("handshake", &format!("not a WebSocket handshake: {error}"));
            return error.as_response_error().error_response();
        }
    };
    if !response.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
        let offered: Vec<_> = offered.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let offered: String = offered.join(", ").chars().take(200).collect();
        refuse(
            "subprotocol",
            &format!("no common subprotocol: {SUBPROTOCOL} is spoken here, offered: {offered:?}"),
        );
        // OCPP-J 1.6, 3.1.2: complete the handshake without a subprotocol, and close.
        let reason = format!("the subprotocol {SUBPROTOCOL} is spoken here");
        let reason = CloseReason { code: CloseCode::Protocol, description: Some(reason) };
        drop(session.close(Some(reason)).await);
        return response;
    }

    // In a task of its own: it goes on when the station gives up waiting, so that its next try finds room.
    let room = actix_web::rt::spawn({
        let (registry, id) = (registry.clone(), id.clone());
        async move { registry.make_room(&id).await }
    });
    let seat = match room.await {
        Ok(Ok(())) => registry.take_seat(&id, known.password_hash),
        Ok(Err(taken)) => Err(taken),
        Err(_) => Err(NoSeat::Stopping),
    };
    match seat {
        Ok(occupant) => {
            let app = app.into_inner();
            let socket = connection::Socket::new(session, stream, app.config.ocpp.max_frame);
            actix_web::rt::spawn(connection::run(app, occupant, socket, known.booted));
            response
        }
        Err(NoSeat::Taken) => {
            refuse("duplicate", &NoSeat::Taken.to_string());
            tracing::warn!(station = %id, "two connections want to be this station; the older one answers and stays");
            HttpResponse::Conflict().insert_header((header::RETRY_AFTER, "30")).finish()
        }
        Err(NoSeat::Stopping) => {
            refuse("stopping", &NoSeat::Stopping.to_string());
            HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "5")).finish()
        }
    }
}

fn unavailable(error: &DbError) -> HttpResponse {
    tracing::error!(%error, "a station cannot be let in: the database does not answer");
    HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "5")).finish()
}
