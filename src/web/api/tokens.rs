//! Tokens: what drivers identify with, ours and our partners'. Only ours can be changed; partners are told.

use super::auth::{Caller, Operate, Read};
use super::input::{Body, Nothing, Strict, from_path, list_query};
use super::output;
use super::owner::{Whose, owner};
use super::view::text;
use crate::app::App;
use crate::db::{DbConn, DbError, DbResult, parties, tokens};
use crate::domain::party::{PartyId, Role};
use crate::domain::token::{Token, TokenKey, TokenType, Whitelist};
use crate::domain::{CiString, Timestamp, ValueError};
use crate::roaming::catalogue::{self, TokenRemoval};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenView {
    /// The eMSP that owns it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// What the reader reads.
    #[schema(example = "04A2B3C4")]
    uid: String,
    /// `RFID`, `APP_USER`, `AD_HOC_USER`, `EMAID` or `OTHER`.
    #[serde(rename = "type")]
    #[schema(example = "RFID")]
    token_type: String,
    /// The contract (eMAID).
    #[schema(example = "DE-ABC-C12345678-X")]
    contract_id: String,
    /// As printed on the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    visual_number: Option<String>,
    /// Issuing company.
    issuer: String,
    /// Tokens of one group can stop each other's charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    /// Whether it is valid; a blocked one is not.
    valid: bool,
    /// Whether its eMSP is asked before each charge: `ALWAYS` (the list is enough), `ALLOWED`,
    /// `ALLOWED_OFFLINE`, `NEVER` (always asked).
    #[schema(example = "ALLOWED")]
    whitelist: String,
    /// ISO 639-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// When it was last changed, by its owner's clock.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        let Token {
            party,
            uid,
            token_type,
            contract_id,
            visual_number,
            issuer,
            group_id,
            valid,
            whitelist,
            language,
            default_profile_type: _,
            energy_contract: _,
            last_updated,
            extra: _,
        } = token;
        Self {
            party: party.to_string(),
            uid: text(uid),
            token_type: token_type.to_string(),
            contract_id: text(contract_id),
            visual_number,
            issuer,
            group_id: group_id.map(text),
            valid,
            whitelist: whitelist.to_string(),
            language,
            last_updated,
        }
    }
}

/// What a token of ours is to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenInput {
    /// The contract (eMAID), at most 36 characters.
    #[schema(example = "DE-ABC-C12345678-X", max_length = 36)]
    contract_id: String,
    /// As printed on the card.
    visual_number: Option<String>,
    /// Issuing company; missing is the party's name.
    issuer: Option<String>,
    /// Tokens of one group can stop each other's charges.
    #[schema(max_length = 36)]
    group_id: Option<String>,
    /// Whether it is valid.
    #[serde(default = "yes")]
    #[schema(default = true)]
    valid: bool,
    /// `ALWAYS`, `ALLOWED` (as when missing), `ALLOWED_OFFLINE` or `NEVER`.
    #[schema(example = "ALLOWED")]
    whitelist: Option<String>,
    /// ISO 639-1.
    #[schema(example = "de")]
    language: Option<String>,
}

/// What became of a token that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RemovalView {
    /// `removed`, or `blocked` where partners may hold it, since OCPI cannot take a token back.
    #[schema(example = "removed")]
    result: &'static str,
}

fn yes() -> bool {
    true
}

list_query! {
    /// Which tokens.
    pub struct TokenQuery {
        /// `ours` of our own eMSPs, or `all`, as when missing.
        #[param(inline)]
        whose: Whose,
        /// Only those that this partner told us of, by its number.
        partner: i64,
    }
}

/// What the path of a token names.
fn key_in(path: web::Path<(String, String, String)>) -> Result<TokenKey, Problem> {
    let (party, token_type, uid) = path.into_inner();
    let token_type = TokenType::from(token_type.as_str());
    if !token_type.is_known() {
        let known = TokenType::WORDS.join(", ");
        return Err(Problem::bad("path", "type", format!("{token_type} is none of {known}")));
    }
    let uid = CiString::parse("uid", &uid, 36).map_err(|e| Problem::bad("path", "uid", e.to_string()))?;
    Ok(TokenKey { party: from_path("party", &party)?, uid, token_type })
}

fn missing(key: &TokenKey) -> Problem {
    Problem::not_found(format!("there is no {} token {} of {}", key.token_type, key.uid, key.party))
}

fn not_ours(key: &TokenKey) -> Problem {
    let (uid, party) = (&key.uid, &key.party);
    Problem::conflict(format!(
        "the token {uid} belongs to the partner that speaks for {party}; only it can change it"
    ))
}

/// Lists tokens in the order in which they became known
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "tokens", params(TokenQuery),
    responses((status = 200, description = "A page of tokens", body = [TokenView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<TokenQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let owner = owner(query.whose, query.partner)?;
    let slice = app.db.read(move |conn| tokens::list(conn, &owner, page)).await?;
    Ok(output::list(&app, &request, page, slice, TokenView::from))
}

/// Shows a token
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/tokens/{party}/{type}/{uid}", tag = "tokens",
    params(
        ("party" = String, Path, description = "The eMSP", example = "DE*ABC"),
        ("type" = String, Path, description = "Its type", example = "RFID"),
        ("uid" = String, Path, description = "What the reader reads", example = "04A2B3C4"),
    ),
    responses((status = 200, description = "The token", body = TokenView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TokenView>, Problem> {
    let key = key_in(path)?;
    let wanted = key.clone();
    let found = app.db.read(move |conn| tokens::find(conn, &wanted)).await?;
    let (token, _) = found.ok_or_else(|| missing(&key))?;
    Ok(web::Json(token.into()))
}

/// What a write found.
enum Put {
    Written { token: Box<Token>, new: bool },
    NotOurs,
    NoEmsp,
}

/// Writes a token of ours, new or in place of the one that is there
///
/// Partners that operate stations are told of it.
///
/// # Errors
/// 400 for what is no token, 409 for a partner's token.
#[utoipa::path(
    put, path = "/api/v1/tokens/{party}/{type}/{uid}", tag = "tokens", request_body = TokenInput,
    params(
        ("party" = String, Path, description = "Our eMSP", example = "DE*ABC"),
        ("type" = String, Path, description = "Its type", example = "RFID"),
        ("uid" = String, Path, description = "What the reader reads", example = "04A2B3C4"),
    ),
    responses(
        (status = 200, description = "The token in place of the one that was there", body = TokenView),
        (status = 201, description = "The new token", body = TokenView),
    )
)]
pub async fn put(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String, String)>,
    _query: Strict<Nothing>,
    Body(input): Body<TokenInput>,
) -> Result<HttpResponse, Problem> {
    let key = key_in(path)?;
    let wanted = token_from(&key, input, app.now())?;
    let clock = app.clock.clone();
    let put = app
        .db
        .write(move |conn| -> DbResult<Put> {
            let now = clock.now();
            let party = parties::find(conn, &wanted.party)?.filter(|party| party.has_role(&Role::Emsp));
            let Some(party) = party else { return Ok(Put::NoEmsp) };
            let mut token = Token { last_updated: now, ..wanted.clone() };
            if token.issuer.is_empty() {
                token.issuer = party.name;
            }
            let before = tokens::find(conn, &token.key())?;
            let new = before.is_none();
            if let Some((before, partner)) = before {
                if partner.is_some() {
                    return Ok(Put::NotOurs);
                }
                // What this document does not speak of stays.
                token.default_profile_type = before.default_profile_type;
                token.energy_contract = before.energy_contract;
                token.extra = before.extra;
            }
            catalogue::put_token(conn, &token, now)?;
            Ok(Put::Written { token: Box::new(token), new })
        })
        .await?;
    match put {
        Put::Written { token, new } => {
            app.wakes.delivery.notify_waiters();
            audit(&caller.0, &key, "written");
            let mut response = if new { HttpResponse::Created() } else { HttpResponse::Ok() };
            Ok(response.json(TokenView::from(*token)))
        }
        Put::NotOurs => Err(not_ours(&key)),
        Put::NoEmsp => Err(Problem::not_found(format!("we speak for no eMSP {}", key.party))),
    }
}

fn token_from(key: &TokenKey, input: TokenInput, now: Timestamp) -> Result<Token, Problem> {
    let TokenInput { contract_id, visual_number, issuer, group_id, valid, whitelist, language } = input;
    let at = |place: &'static str| move |error: ValueError| Problem::bad("body", place, error.to_string());
    let whitelist = whitelist.as_deref().map_or(Whitelist::Allowed, Whitelist::from);
    if !whitelist.is_known() {
        let known = Whitelist::WORDS.join(", ");
        return Err(Problem::bad("body", "$.whitelist", format!("{whitelist} is none of {known}")));
    }
    if language.as_ref().is_some_and(|code| code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()))
    {
        return Err(Problem::bad("body", "$.language", "it is no code of two letters like de"));
    }
    // The lengths of OCPI 2.2.1 mod_tokens, "Token object".
    for (place, value) in [("$.visual_number", &visual_number), ("$.issuer", &issuer)] {
        if value.as_ref().is_some_and(|text| text.chars().count() > 64) {
            return Err(Problem::bad("body", place, "it has more than 64 characters"));
        }
    }
    Ok(Token {
        party: key.party.clone(),
        uid: key.uid.clone(),
        token_type: key.token_type.clone(),
        contract_id: CiString::parse("contract_id", &contract_id, 36).map_err(at("$.contract_id"))?,
        visual_number,
        issuer: issuer.unwrap_or_default(),
        group_id: group_id
            .map(|group| CiString::parse("group_id", &group, 36))
            .transpose()
            .map_err(at("$.group_id"))?,
        valid,
        whitelist,
        language,
        default_profile_type: None,
        energy_contract: None,
        last_updated: now,
        extra: Default::default(),
    })
}

/// Removes a token of ours; where partners may hold it, it is blocked instead
///
/// # Errors
/// 404 where there is none, 409 for a partner's.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{party}/{type}/{uid}", tag = "tokens",
    params(
        ("party" = String, Path, description = "Our eMSP", example = "DE*ABC"),
        ("type" = String, Path, description = "Its type", example = "RFID"),
        ("uid" = String, Path, description = "What the reader reads", example = "04A2B3C4"),
    ),
    responses((status = 200, description = "What became of it", body = RemovalView))
)]
pub async fn delete(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<RemovalView>, Problem> {
    let key = key_in(path)?;
    let (wanted, clock) = (key.clone(), app.clock.clone());
    let removal = app.db.write(move |conn| catalogue::remove_token(conn, &wanted, clock.now())).await?;
    let result = match removal {
        TokenRemoval::Removed => "removed",
        TokenRemoval::Blocked => "blocked",
        TokenRemoval::Unknown => return Err(why_not(&app, key).await?),
    };
    app.wakes.delivery.notify_waiters();
    audit(&caller.0, &key, result);
    Ok(web::Json(RemovalView { result }))
}

/// Blocks a token of ours: it starts no charge any more, here and at partners
///
/// # Errors
/// 404 where there is none, 409 for a partner's.
#[utoipa::path(
    post, path = "/api/v1/tokens/{party}/{type}/{uid}/block", tag = "tokens",
    params(
        ("party" = String, Path, description = "Our eMSP", example = "DE*ABC"),
        ("type" = String, Path, description = "Its type", example = "RFID"),
        ("uid" = String, Path, description = "What the reader reads", example = "04A2B3C4"),
    ),
    responses((status = 200, description = "The token, blocked", body = TokenView))
)]
pub async fn block(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TokenView>, Problem> {
    set_valid(&app, &caller.0, key_in(path)?, false).await
}

/// Takes the block from a token of ours
///
/// # Errors
/// 404 where there is none, 409 for a partner's.
#[utoipa::path(
    post, path = "/api/v1/tokens/{party}/{type}/{uid}/unblock", tag = "tokens",
    params(
        ("party" = String, Path, description = "Our eMSP", example = "DE*ABC"),
        ("type" = String, Path, description = "Its type", example = "RFID"),
        ("uid" = String, Path, description = "What the reader reads", example = "04A2B3C4"),
    ),
    responses((status = 200, description = "The token, valid", body = TokenView))
)]
pub async fn unblock(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TokenView>, Problem> {
    set_valid(&app, &caller.0, key_in(path)?, true).await
}

async fn set_valid(
    app: &App,
    caller: &Caller,
    key: TokenKey,
    valid: bool,
) -> Result<web::Json<TokenView>, Problem> {
    let (wanted, clock) = (key.clone(), app.clock.clone());
    let set = move |conn: &mut DbConn| catalogue::set_token_valid(conn, &wanted, valid, clock.now());
    let token = app.db.write(set).await?;
    let Some(token) = token else { return Err(why_not(app, key).await?) };
    app.wakes.delivery.notify_waiters();
    audit(caller, &key, if valid { "unblocked" } else { "blocked" });
    Ok(web::Json(token.into()))
}

/// Why a token of ours could not be changed: it is a partner's, or there is none.
async fn why_not(app: &App, key: TokenKey) -> Result<Problem, DbError> {
    let wanted = key.clone();
    let found = app.db.read(move |conn| tokens::find(conn, &wanted)).await?;
    Ok(if found.is_some() { not_ours(&key) } else { missing(&key) })
}

/// Who changed what; the uid is a person's and stays out of the log.
fn audit(caller: &Caller, key: &TokenKey, what: &str) {
    let party: &PartyId = &key.party;
    tracing::info!(%party, api_key = caller.api_key, what, "an operator changed a token");
}
