//! What a use case needs from the edge that talks to partners.

use crate::config::Secret;
use crate::domain::cdr::Cdr;
use crate::domain::command::{
    CancelReservation, CommandResponse, CommandResult, CommandType, ReserveNow, StartSession, StopSession,
};
use crate::domain::location::Location;
use crate::domain::partner::{Endpoint, ModuleId, Partner, PartnerRole, TokenEncoding};
use crate::domain::party::PartyId;
use crate::domain::session::Session;
use crate::domain::tariff::Tariff;
use crate::domain::token::{AuthorizationInfo, LocationReferences, Token, TokenKey};
use crate::domain::{CiString, Timestamp};
use async_trait::async_trait;
use std::collections::HashSet;

/// Why a partner did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartnerCallError {
    /// It cannot be reached, did not answer in time, does not take our token, or has too much to do: worth
    /// another try later.
    #[error("the partner cannot be reached: {0}")]
    Unreachable(String),
    /// It answered with an OCPI error.
    #[error("the partner answered {code} (HTTP {http}): {message}")]
    Refused {
        /// OCPI status code, e.g. 2001.
        code: u16,
        /// HTTP status.
        http: u16,
        /// Its text.
        message: String,
    },
    /// It answered something that cannot be understood.
    #[error("the partner's answer cannot be understood: {0}")]
    Unreadable(String),
    /// It does not offer what is needed, or its URL is not allowed.
    #[error("{0}")]
    Impossible(String),
}

/// Where a platform can be asked with which token, registered or not.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where its versions are.
    pub versions_url: String,
    /// What it knows us by.
    pub token: Secret,
    /// How it wants the token.
    pub encoding: TokenEncoding,
    /// Where its URLs may lead.
    pub allowed_origins: Vec<String>,
}

/// What a platform offers in the version that both speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The version.
    pub version: String,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// Why a platform's offer could not be learned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] PartnerCallError),
    /// It speaks none of our versions.
    #[error("the partner speaks none of our versions; it offers: {0}")]
    NoCommonVersion(String),
}

/// What two platforms exchange when they register (OCPI 2.2.1 credentials, "Credentials object").
#[derive(Debug, Clone)]
pub struct CredentialsOffer {
    /// What the one who offers wants to be called with.
    pub token: Secret,
    /// Where the versions of the one who offers are.
    pub versions_url: String,
    /// The parties that it speaks for.
    pub roles: Vec<PartnerRole>,
}

/// Whether credentials are given for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// POST.
    Register,
    /// PUT.
    Update,
}

/// An object that platforms tell each other of.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A location.
    Location(Box<Location>),
    /// A tariff.
    Tariff(Box<Tariff>),
    /// A token.
    Token(Box<Token>),
    /// A session.
    Session(Box<Session>),
    /// A CDR.
    Cdr(Box<Cdr>),
}

/// An object that is not there any more, or that a partner may not see any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// A location: OCPI cannot remove one; it is not to be shown any more.
    Location(PartyId, CiString),
    /// A tariff.
    Tariff(PartyId, CiString),
    /// A token: OCPI cannot remove one; it is not valid any more.
    Token(TokenKey),
}

/// What a partner is told.
#[derive(Debug, Clone, Copy)]
pub enum News<'a> {
    /// The state of an object.
    State {
        /// The object.
        object: &'a Object,
        /// What the partner holds for certain, because it acknowledged it.
        held: Option<&'a Object>,
        /// The only EVSE of the location that changed, and only in its status.
        evse: Option<&'a CiString>,
    },
    /// An object is gone.
    Gone(&'a Gone, Timestamp),
}

/// From whom and for whom a message is, and what it is a part of.
#[derive(Debug, Clone, Default)]
pub struct Routing {
    /// Our party.
    pub from: Option<PartyId>,
    /// The partner's party.
    pub to: Option<PartyId>,
    /// The id of what caused it.
    pub correlation_id: Option<String>,
}

/// Where a pull goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullCursor {
    /// The next page.
    pub url: String,
    /// The pages that were read, so that a list that leads back to itself ends.
    pub seen: HashSet<String>,
}

/// Which list is pulled.
#[derive(Debug, Clone)]
pub enum Pull {
    /// Its first page, of what changed since a time if one is given.
    First(Option<Timestamp>),
    /// A further page.
    Next(PullCursor),
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct PulledPage {
    /// The objects that could be read.
    pub objects: Vec<Object>,
    /// Why others could not.
    pub unreadable: Vec<String>,
    /// How many the whole list has, if the partner said so.
    pub total: Option<u64>,
    /// Where the list goes on.
    pub next: Option<PullCursor>,
}

/// A command to a CPO.
#[derive(Debug, Clone, PartialEq)]
pub enum PartnerCommand {
    /// START_SESSION.
    Start(Box<StartSession>),
    /// STOP_SESSION.
    Stop(StopSession),
    /// RESERVE_NOW.
    Reserve(Box<ReserveNow>),
    /// CANCEL_RESERVATION.
    CancelReservation(CancelReservation),
}

impl PartnerCommand {
    /// Which one it is.
    #[must_use]
    pub fn kind(&self) -> CommandType {
        match self {
            Self::Start(_) => CommandType::StartSession,
            Self::Stop(_) => CommandType::StopSession,
            Self::Reserve(_) => CommandType::ReserveNow,
            Self::CancelReservation(_) => CommandType::CancelReservation,
        }
    }
}

/// What a CPO says at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandAnswer {
    /// Whether it passed the command on.
    pub response: CommandResponse,
    /// Seconds within which the result comes.
    pub timeout: i64,
    /// For people.
    pub message: Option<String>,
}

/// What became of a command, for the one who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutcome {
    /// The result.
    pub result: CommandResult,
    /// For people.
    pub message: Option<String>,
}

/// The way to partners.
#[async_trait]
pub trait PartnerLink: Send + Sync {
    /// Asks the eMSP whether a driver may charge (OCPI 2.2.1 mod_tokens, real-time authorization).
    async fn authorize(
        &self,
        partner: &Partner,
        token: &TokenKey,
        location: Option<&LocationReferences>,
        correlation_id: Option<&str>,
    ) -> Result<AuthorizationInfo, PartnerCallError>;

    /// Asks a platform which versions it speaks, and where its modules of the best common one are.
    async fn discover(&self, peer: &Peer) -> Result<Discovery, DiscoveryError>;

    /// Gives a platform our credentials, and returns those that it gives for them.
    async fn exchange_credentials(
        &self,
        peer: &Peer,
        discovery: &Discovery,
        handshake: Handshake,
        ours: &CredentialsOffer,
    ) -> Result<CredentialsOffer, PartnerCallError>;

    /// Tells a partner that the registration ends.
    async fn withdraw_credentials(&self, partner: &Partner) -> Result<(), PartnerCallError>;

    /// Whether a node answers at a public URL of ours.
    async fn answers_at(&self, public_url: &str) -> Result<(), PartnerCallError>;

    /// Tells a partner of an object. Succeeds without sending where the partner holds that state already.
    async fn tell(
        &self,
        partner: &Partner,
        routing: &Routing,
        news: News<'_>,
    ) -> Result<(), PartnerCallError>;

    /// Reads a page of a list of a partner.
    async fn pull(
        &self,
        partner: &Partner,
        routing: &Routing,
        module: &ModuleId,
        pull: Pull,
    ) -> Result<PulledPage, PartnerCallError>;

    /// Sends a command; the result is to come to `response_url`.
    async fn send_command(
        &self,
        partner: &Partner,
        routing: &Routing,
        command: PartnerCommand,
        response_url: &str,
    ) -> Result<CommandAnswer, PartnerCallError>;

    /// Posts the result of a partner's command to where it asked for it.
    async fn send_result(
        &self,
        partner: &Partner,
        routing: &Routing,
        response_url: &str,
        outcome: &CommandOutcome,
    ) -> Result<(), PartnerCallError>;
}
