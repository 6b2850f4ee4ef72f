//! What we ask of partners that speak OCPI 2.2.1.

use super::commands::{self, Addressed};
use super::versions::handlers::VERSION;
use super::{cdrs, credentials, locations, sessions, tariffs, tokens, versions};
use crate::domain::partner::{Endpoint, InterfaceRole, ModuleId, Partner};
use crate::domain::token::{AuthorizationInfo, LocationReferences, TokenKey};
use crate::domain::{Extra, Timestamp};
use crate::ocpi::client::Reply;
use crate::ocpi::envelope::{Answer, AnswerError, StatusCode};
use crate::ocpi::link::{OcpiLink, Outgoing, below, endpoint};
use crate::ocpi::wire::{Parsed, Wire, WireError, parse_list};
use crate::roaming::PartnerCallError;
use crate::roaming::link::{
    CommandAnswer, CommandOutcome, CredentialsOffer, Discovery, DiscoveryError, Handshake, Object,
    PartnerCommand, Peer, Pull, PullCursor, PulledPage, Routing,
};
use crate::roaming::origin::Origin;
use reqwest::Method;
use std::collections::HashSet;
use std::time::Duration;
use url::Url;

fn unreadable(error: impl std::fmt::Display) -> PartnerCallError {
    PartnerCallError::Unreadable(error.to_string())
}

/// The object in an answer.
fn object<T: Wire>(reply: Reply) -> Result<T, PartnerCallError> {
    let answer = reply.answer.ok_or_else(|| unreadable("the body is empty"))?;
    match answer.into_object() {
        Ok(Parsed { object, .. }) => Ok(object),
        Err(AnswerError::Unreadable(error)) => Err(unreadable(error)),
        Err(AnswerError::Refused { code, message }) => Err(PartnerCallError::Refused {
            code: code.code(),
            http: reply.http,
            message: message.unwrap_or_default(),
        }),
    }
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, PartnerCallError> {
    serde_json::to_vec(value).map_err(|error| PartnerCallError::Impossible(error.to_string()))
}

/// Versions and details (version_information_endpoint).
pub(in crate::ocpi) async fn discover(link: &OcpiLink, peer: &Peer) -> Result<Discovery, DiscoveryError> {
    let other = ModuleId::Other("versions".to_owned());
    let reply = link.call_peer(peer, &other, Method::GET, &peer.versions_url, None).await?;
    let answer = reply.answer.ok_or_else(|| unreadable("the body is empty"))?;
    let offered: Vec<versions::wire::Version> = answer
        .into_list::<versions::wire::Version>()
        .map_err(unreadable)?
        .into_iter()
        .filter_map(|version| version.ok().map(|parsed| parsed.object))
        .collect();
    let Some(common) = offered.iter().find(|version| version.version == VERSION) else {
        let offered: Vec<&str> = offered.iter().map(|version| version.version.as_str()).collect();
        return Err(DiscoveryError::NoCommonVersion(offered.join(", ").chars().take(200).collect()));
    };
    let reply = link.call_peer(peer, &other, Method::GET, &common.url, None).await?;
    let details: versions::wire::VersionDetails = object(reply)?;
    let endpoints = details.into_endpoints().map_err(unreadable)?;
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.module.is_known()) {
        approved(endpoint, &peer.allowed_origins)?;
    }
    Ok(Discovery { version: VERSION.to_owned(), endpoints })
}

/// Tells at once that an endpoint could never be called, rather than when it first is.
fn approved(endpoint: &Endpoint, allowed: &[String]) -> Result<(), PartnerCallError> {
    let origin =
        Origin::of_url(&endpoint.url).map_err(|error| PartnerCallError::Impossible(error.to_string()))?;
    if allowed.iter().any(|known| known == origin.as_str()) {
        return Ok(());
    }
    Err(PartnerCallError::Impossible(format!(
        "the endpoint of {} is at {origin}, which is not approved for this partner",
        endpoint.module
    )))
}

/// POST or PUT credentials.
pub(in crate::ocpi) async fn exchange_credentials(
    link: &OcpiLink,
    peer: &Peer,
    discovery: &Discovery,
    handshake: Handshake,
    ours: &CredentialsOffer,
) -> Result<CredentialsOffer, PartnerCallError> {
    let endpoint = discovery.endpoints.iter().find(|endpoint| endpoint.module == ModuleId::Credentials);
    let url = endpoint.map(|endpoint| endpoint.url.clone()).ok_or_else(|| {
        PartnerCallError::Impossible("the partner does not offer the module credentials".to_owned())
    })?;
    let method = match handshake {
        Handshake::Register => Method::POST,
        Handshake::Update => Method::PUT,
    };
    let body = json(&offer_to_wire(ours))?;
    let reply = link.call_peer(peer, &ModuleId::Credentials, method, &url, Some(body)).await?;
    let theirs: credentials::wire::Credentials = object(reply)?;
    offer_from_wire(theirs).map_err(unreadable)
}

/// Credentials as they stand on the wire.
#[must_use]
pub fn offer_to_wire(offer: &CredentialsOffer) -> credentials::wire::Credentials {
    credentials::wire::Credentials {
        token: offer.token.reveal().to_owned(),
        url: offer.versions_url.clone(),
        roles: offer.roles.iter().cloned().map(Into::into).collect(),
        extra: Extra::new(),
    }
}

/// What credentials on the wire say.
///
/// # Errors
/// When a role names a party that is none, or the token cannot be sent back in a header.
pub fn offer_from_wire(wire: credentials::wire::Credentials) -> Result<CredentialsOffer, WireError> {
    let roles = wire.partner_roles()?;
    if wire.token.is_empty() || !wire.token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(WireError::at("$.token", "printable ASCII without spaces is wanted"));
    }
    Ok(CredentialsOffer { token: crate::config::Secret::new(wire.token), versions_url: wire.url, roles })
}

/// POST authorize (mod_tokens, "Real-time authorization").
pub(in crate::ocpi) async fn authorize(
    link: &OcpiLink,
    partner: &Partner,
    routing: &Routing,
    token: &TokenKey,
    location: Option<&LocationReferences>,
    timeout: Duration,
) -> Result<AuthorizationInfo, PartnerCallError> {
    let base = endpoint(partner, &ModuleId::Tokens, &InterfaceRole::Sender)?;
    let path = [token.uid.as_str().to_owned(), "authorize".to_owned()];
    let url = below(base, &path, Some(&("type", token.token_type.to_string())))?;
    let body = location.map(json).transpose()?;
    let request = Outgoing { method: Method::POST, url: &url, body, timeout: Some(timeout) };
    let reply = link.call(partner, &ModuleId::Tokens, routing, request).await?;
    let info: tokens::wire::AuthorizationInfo = object(reply)?;
    info.try_into().map_err(unreadable)
}

/// GET a page of a list.
pub(in crate::ocpi) async fn pull(
    link: &OcpiLink,
    partner: &Partner,
    routing: &Routing,
    module: &ModuleId,
    pull: Pull,
    now: Timestamp,
) -> Result<PulledPage, PartnerCallError> {
    let (url, mut seen) = match pull {
        Pull::First(since) => {
            let base = endpoint(partner, module, &InterfaceRole::Sender)?;
            let since = since.map(|since| ("date_from", since.to_string()));
            (below(base, &[], since.as_ref())?, HashSet::new())
        }
        Pull::Next(PullCursor { url, seen }) => (url, seen),
    };
    if !seen.insert(url.clone()) {
        return Err(unreadable("its pages lead back to one that was read before"));
    }
    if seen.len() > link.max_pages() {
        return Err(unreadable(format!("its list has more than {} pages", link.max_pages())));
    }
    let reply = link.call(partner, module, routing, Outgoing::get(&url)).await?;
    let next = reply.next.map(|next| resolve(&url, &next)).transpose()?;
    let mut page = PulledPage {
        objects: Vec::new(),
        unreadable: Vec::new(),
        total: reply.total,
        next: next.map(|url| PullCursor { url, seen }),
    };
    if let Some(answer) = reply.answer {
        read_list(&mut page, partner, module, answer, now)?;
    }
    Ok(page)
}

/// A `Link` may be relative (RFC 8288, 3.1).
fn resolve(page: &str, link: &str) -> Result<String, PartnerCallError> {
    let url = Url::parse(page).and_then(|page| page.join(link));
    url.map(String::from).map_err(|_| unreadable(format!("its Link '{link}' is no URL")))
}

fn read_list(
    page: &mut PulledPage,
    partner: &Partner,
    module: &ModuleId,
    answer: Answer,
    now: Timestamp,
) -> Result<(), PartnerCallError> {
    let Some(data) = answer.data else { return Ok(()) };
    match module {
        ModuleId::Locations => {
            page.add(parse_list::<locations::wire::Location>(&data).map_err(unreadable)?, |wire| {
                wire.try_into().map(|location| Object::Location(Box::new(location)))
            });
        }
        ModuleId::Tariffs => {
            let owner = partner.roles.first().map(|role| role.party.clone());
            page.add(parse_list::<tariffs::wire::Tariff>(&data).map_err(unreadable)?, |wire| {
                let wire = match &owner {
                    Some(owner) => wire.or_else(owner, now),
                    None => wire,
                };
                wire.try_into().map(|tariff| Object::Tariff(Box::new(tariff)))
            });
        }
        ModuleId::Tokens => {
            page.add(parse_list::<tokens::wire::Token>(&data).map_err(unreadable)?, |wire| {
                wire.try_into().map(|token| Object::Token(Box::new(token)))
            });
        }
        ModuleId::Sessions => {
            page.add(parse_list::<sessions::wire::Session>(&data).map_err(unreadable)?, |wire| {
                wire.try_into().map(|session| Object::Session(Box::new(session)))
            });
        }
        ModuleId::Cdrs => {
            page.add(parse_list::<cdrs::wire::Cdr>(&data).map_err(unreadable)?, |wire| {
                wire.try_into().map(|cdr| Object::Cdr(Box::new(cdr)))
            });
        }
        other => return Err(PartnerCallError::Impossible(format!("the module {other} has no list"))),
    }
    Ok(())
}

impl PulledPage {
    fn add<T>(
        &mut self,
        list: Vec<Result<Parsed<T>, WireError>>,
        convert: impl Fn(T) -> Result<Object, WireError>,
    ) {
        for (index, item) in list.into_iter().enumerate() {
            let converted = item.and_then(|parsed| {
                convert(parsed.object).map_err(|error| error.under(&format!("[{index}]")))
            });
            match converted {
                Ok(object) => self.objects.push(object),
                Err(error) => self.unreadable.push(error.to_string()),
            }
        }
    }
}

/// POST a command (mod_commands, "Receiver Interface").
pub(in crate::ocpi) async fn send_command(
    link: &OcpiLink,
    partner: &Partner,
    routing: &Routing,
    command: PartnerCommand,
    response_url: &str,
) -> Result<CommandAnswer, PartnerCallError> {
    let base = endpoint(partner, &ModuleId::Commands, &InterfaceRole::Receiver)?;
    let response_url = response_url.to_owned();
    let kind = command.kind();
    let body = match command {
        PartnerCommand::Start(command) => {
            json(&commands::wire::StartSession::from(Addressed { command: *command, response_url }))?
        }
        PartnerCommand::Stop(command) => {
            json(&commands::wire::StopSession::from(Addressed { command, response_url }))?
        }
        PartnerCommand::Reserve(command) => {
            json(&commands::wire::ReserveNow::from(Addressed { command: *command, response_url }))?
        }
        PartnerCommand::CancelReservation(command) => {
            json(&commands::wire::CancelReservation::from(Addressed { command, response_url }))?
        }
    };
    let url = below(base, &[kind.to_string()], None)?;
    let reply = link.call(partner, &ModuleId::Commands, routing, Outgoing::post(&url, body)).await;
    let reply = match reply {
        // The specification's answer to an unknown location: the status says 2003, the object REJECTED.
        Err(PartnerCallError::Refused { code, message, .. })
            if code == StatusCode::UNKNOWN_LOCATION.code() =>
        {
            return Ok(CommandAnswer {
                response: crate::domain::command::CommandResponse::Rejected,
                timeout: 0,
                message: Some(message),
            });
        }
        reply => reply?,
    };
    let answer: commands::wire::CommandResponse = object(reply)?;
    let message = answer.message.and_then(|texts| texts.into_iter().next()).map(|text| text.text);
    Ok(CommandAnswer { response: answer.result, timeout: answer.timeout, message })
}

/// POST the result of a command, as it is (mod_commands, "Sender Interface").
pub(in crate::ocpi) async fn send_result(
    link: &OcpiLink,
    partner: &Partner,
    routing: &Routing,
    response_url: &str,
    outcome: &CommandOutcome,
) -> Result<(), PartnerCallError> {
    let CommandOutcome { result, message } = outcome.clone();
    let body = json(&commands::wire::CommandResult::new(result, message.as_deref()))?;
    link.call(partner, &ModuleId::Commands, routing, Outgoing::post(response_url, body)).await?;
    Ok(())
}
