//! Tokens over HTTP (OCPI 2.2.1 mod_tokens, "Interfaces and endpoints"). `uid` and `type` together name a token;
//! `?type=` says the type, RFID where it is left out.

use super::wire;
use crate::app::App;
use crate::domain::CiString;
use crate::domain::token::{Token, TokenKey, TokenType};
use crate::ocpi::answer::{
    found, invalid, misread, page, page_query, party_of_path, refuse, refuse_receive, written,
};
use crate::ocpi::auth::{PartnerContext, Refusal};
use crate::ocpi::envelope::StatusCode;
use crate::ocpi::message::Message;
use crate::ocpi::owned::{same_id, same_owner, unchanged};
use crate::ocpi::patch::{parse_patch, patched};
use crate::ocpi::wire::{parse, parse_salvaging};
use crate::roaming::grant::{self, GrantError, GrantRequest};
use crate::roaming::receive::{self, ReceiveError, Written};
use crate::roaming::serve;
use actix_web::http::StatusCode as Http;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

/// `{country_code}/{party_id}/{token_uid}`.
type Path = web::Path<(String, String, CiString)>;

/// The type that the URL names, if it names one.
fn type_of(app: &App, req: &HttpRequest) -> Result<Option<TokenType>, Refusal> {
    let mut pairs = url::form_urlencoded::parse(req.query_string().as_bytes());
    let Some((_, word)) = pairs.find(|(name, value)| name == "type" && !value.is_empty()) else {
        return Ok(None);
    };
    let token_type = TokenType::from(&*word);
    if token_type.is_known() {
        return Ok(Some(token_type));
    }
    let wanted = "RFID, APP_USER, AD_HOC_USER or OTHER";
    let shown: String = word.chars().take(40).collect();
    let message = format!("parameter type: '{shown}' is not {wanted}");
    Err(refuse(app, Http::OK, StatusCode::INVALID_PARAMETERS, message))
}

fn key(app: &App, path: Path, token_type: Option<TokenType>) -> Result<TokenKey, Refusal> {
    let (country_code, party_id, uid) = path.into_inner();
    let party = party_of_path(app, &country_code, &party_id)?;
    Ok(TokenKey { party, uid, token_type: token_type.unwrap_or(TokenType::Rfid) })
}

fn refused(app: &App, error: &ReceiveError) -> Refusal {
    refuse_receive(app, error, StatusCode::UNKNOWN_TOKEN)
}

/// Receiver GET: a token as its owner told us.
///
/// # Errors
/// 404 when it is not there or not the caller's.
pub async fn get_theirs(
    caller: PartnerContext,
    app: web::Data<App>,
    path: Path,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let key = key(&app, path, type_of(&app, &req)?)?;
    let token = receive::find::<Token>(&app, &caller.partner, key).await;
    let token = token.map_err(|error| refused(&app, &error))?;
    Ok(found(&app, wire::Token::from(token)))
}

/// Receiver PUT. Many platforms leave `?type=` out for every type, so the body says the type then.
///
/// # Errors
/// 2001 when the body is not that token, 404 when it is not the caller's.
pub async fn put(
    message: Message,
    app: web::Data<App>,
    path: Path,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let named = type_of(&app, &req)?;
    let parsed = parse_salvaging::<wire::Token>(&message.body).map_err(|error| misread(&app, &error))?;
    let token = Token::try_from(parsed.object).map_err(|error| misread(&app, &error))?;
    let key = key(&app, path, Some(named.unwrap_or_else(|| token.token_type.clone())))?;
    same_owner(&app, &token.party, &key.party)?;
    same_id(&app, "$.uid", &token.uid, &key.uid)?;
    if token.token_type != key.token_type {
        let reason = format!("is '{}', but the URL says '{}'", token.token_type, key.token_type);
        return Err(invalid(&app, "$.type", &reason));
    }
    let outcome = receive::put(&app, &message.sender.partner, token).await;
    let outcome = outcome.map_err(|error| refused(&app, &error))?;
    Ok(written(&app, outcome, &parsed.notes))
}

/// Receiver PATCH: some fields of a token.
///
/// # Errors
/// 2001 without `last_updated` or when the result would be no token, 404 when it is not known or not the
/// caller's.
pub async fn patch(
    message: Message,
    app: web::Data<App>,
    path: Path,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let named = type_of(&app, &req)?;
    let (patch, _) = parse_patch(&message.body).map_err(|error| misread(&app, &error))?;
    let in_body = patch.get("type").and_then(Value::as_str).map(TokenType::from);
    let key = key(&app, path, named.or(in_body))?;
    let change = move |token| patch_token(token, &patch).map(|token| (token, ()));
    let changed = receive::change::<Token, ()>(&app, &message.sender.partner, key, change).await;
    changed.map_err(|error| refused(&app, &error))?;
    Ok(written(&app, Written::Replaced, &[]))
}

fn patch_token(token: Token, patch: &Value) -> Result<Token, ReceiveError> {
    let before = token.key();
    let patched = Token::try_from(patched(&wire::Token::from(token), patch)?.object)?;
    unchanged("$.party_id", &before.party, &patched.party)?;
    unchanged("$.uid", &before.uid, &patched.uid)?;
    unchanged("$.type", &before.token_type, &patched.token_type)?;
    Ok(patched)
}

/// Sender GET: the list of ours, for who operates stations.
///
/// # Errors
/// 403 for others; when the page is wrong, or the database fails.
pub async fn get_ours(
    caller: PartnerContext,
    app: web::Data<App>,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    if !serve::may_know_tokens(&caller.partner) {
        let message = "tokens are for CPOs and hubs; your platform registered as neither";
        return Err(refuse(&app, Http::FORBIDDEN, StatusCode::CLIENT_ERROR, message));
    }
    let (query, part) = page_query(&app, &req)?;
    let slice = serve::tokens(&app, caller.to.as_ref(), part).await;
    let slice = slice.map_err(|error| Refusal::failed(&error, app.now()))?;
    Ok(page(&app, &req, &query, slice.map(wire::Token::from)))
}

/// Sender POST: whether a driver of ours may charge, now and there.
///
/// # Errors
/// 404 with 2004 when the token is not known, 2002 when a place is needed, 2001 when the body is none.
pub async fn post_authorize(
    message: Message,
    app: web::Data<App>,
    uid: web::Path<CiString>,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let asked = GrantRequest {
        to: message.sender.to.clone(),
        uid: uid.into_inner(),
        token_type: type_of(&app, &req)?.unwrap_or(TokenType::Rfid),
        place: place_of(&message.body).map_err(|error| misread(&app, &error))?,
    };
    let answer = grant::authorize(&app, &message.sender.partner, asked).await;
    let info = answer.map_err(|error| match &error {
        GrantError::Db(error) => Refusal::failed(error, app.now()),
        GrantError::NotForThem => refuse(&app, Http::FORBIDDEN, StatusCode::CLIENT_ERROR, error.to_string()),
        GrantError::UnknownToken { .. } => {
            refuse(&app, Http::NOT_FOUND, StatusCode::UNKNOWN_TOKEN, error.to_string())
        }
        GrantError::PlaceNeeded => {
            refuse(&app, Http::OK, StatusCode::NOT_ENOUGH_INFORMATION, error.to_string())
        }
    })?;
    Ok(found(&app, wire::AuthorizationInfo::from(info)))
}

/// The body is optional; some platforms write `null` or `{}` for none.
fn place_of(body: &[u8]) -> Result<Option<wire::LocationReferences>, crate::ocpi::wire::WireError> {
    let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(5).collect();
    if matches!(&*text, b"" | b"null" | b"{}") {
        return Ok(None);
    }
    parse(body).map(Some)
}
