//! The way to partners: what use cases ask of [`PartnerLink`], in the words of the partner's version.

use super::client::{Call, Client, ClientError, Reply};
use super::headers::MessageHeaders;
use super::v2_2_1::{calls, telling};
use crate::clock::Clock;
use crate::config::{RoamingConfig, Secret};
use crate::db::{Db, DbError, parties, partners};
use crate::domain::partner::{InterfaceRole, ModuleId, Partner};
use crate::domain::party::{PartyId, Role};
use crate::domain::token::{AuthorizationInfo, LocationReferences, TokenKey};
use crate::metrics::Metrics;
use crate::roaming::PartnerCallError;
use crate::roaming::link::{
    CommandAnswer, CommandOutcome, CredentialsOffer, Discovery, DiscoveryError, Handshake, News,
    PartnerCommand, PartnerLink, Peer, Pull, PulledPage, Routing,
};
use crate::security::Keys;
use async_trait::async_trait;
use reqwest::Method;
use std::time::Duration;
use url::Url;

/// Speaks OCPI to partners.
#[derive(Debug)]
pub struct OcpiLink {
    client: Client,
    db: Db,
    keys: Keys,
    clock: Clock,
    authorize_timeout: Duration,
}

impl OcpiLink {
    /// Makes the link of a node.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(
        db: Db,
        keys: Keys,
        clock: Clock,
        config: &RoamingConfig,
        metrics: Metrics,
    ) -> Result<Self, ClientError> {
        let client = Client::new(config, metrics)?;
        Ok(Self { client, db, keys, clock, authorize_timeout: config.authorize_timeout })
    }

    /// The client.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What a partner knows us by.
    async fn token_for(&self, partner: &Partner) -> Result<Secret, PartnerCallError> {
        let id = partner.id;
        let sealed = self.db.read::<_, DbError, _>(move |conn| partners::token_out(conn, id)).await;
        let sealed = sealed
            .map_err(|error| PartnerCallError::Impossible(error.to_string()))?
            .ok_or_else(|| PartnerCallError::Impossible("the partner gave us no token".to_owned()))?;
        let token = self.keys.open(&sealed);
        token.map(Secret::new).map_err(|error| PartnerCallError::Impossible(error.to_string()))
    }

    /// Calls a module of a partner.
    pub(super) async fn call(
        &self,
        partner: &Partner,
        module: &ModuleId,
        routing: &Routing,
        call: Outgoing<'_>,
    ) -> Result<Reply, PartnerCallError> {
        let token = self.token_for(partner).await?;
        let Routing { from, to, correlation_id } = routing.clone();
        self.client
            .call(Call {
                method: call.method,
                url: call.url,
                allowed_origins: &partner.allowed_origins,
                token: &token,
                encoding: &partner.token_encoding,
                headers: MessageHeaders::request(from, to, correlation_id),
                body: call.body,
                timeout: call.timeout,
                module,
            })
            .await
    }

    /// Calls a platform that need not be registered, on versions or credentials: without routing headers.
    pub(super) async fn call_peer(
        &self,
        peer: &Peer,
        module: &ModuleId,
        method: Method,
        url: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Reply, PartnerCallError> {
        self.client
            .call(Call {
                method,
                url,
                allowed_origins: &peer.allowed_origins,
                token: &peer.token,
                encoding: &peer.encoding,
                headers: MessageHeaders::request(None, None, None),
                body,
                timeout: None,
                module,
            })
            .await
    }

    /// Most pages of one list.
    pub(super) fn max_pages(&self) -> usize {
        self.client.max_pages()
    }

    /// The party of ours that plays a role, for messages that are about no object of ours.
    async fn our_party(&self, role: Role) -> Option<PartyId> {
        let all = self.db.read::<_, DbError, _>(parties::all).await.ok()?;
        all.into_iter().find(|party| party.has_role(&role)).map(|party| party.id)
    }
}

/// A request to a partner's module.
pub(super) struct Outgoing<'a> {
    /// GET, PUT, …
    pub(super) method: Method,
    /// Where to.
    pub(super) url: &'a str,
    /// A JSON body.
    pub(super) body: Option<Vec<u8>>,
    /// If not as long as configured.
    pub(super) timeout: Option<Duration>,
}

impl<'a> Outgoing<'a> {
    pub(super) fn get(url: &'a str) -> Self {
        Self { method: Method::GET, url, body: None, timeout: None }
    }

    pub(super) fn post(url: &'a str, body: Vec<u8>) -> Self {
        Self { method: Method::POST, url, body: Some(body), timeout: None }
    }
}

/// Whether a partner says that it does not know the object (OCPI 2.2.1 status_codes: 2003 is an unknown location,
/// 2004 an unknown token).
fn is_unknown(error: &PartnerCallError) -> bool {
    matches!(
        error,
        PartnerCallError::Refused { http: 404, .. } | PartnerCallError::Refused { code: 2003 | 2004, .. }
    )
}

/// Where a partner serves a side of a module.
pub(super) fn endpoint<'p>(
    partner: &'p Partner,
    module: &ModuleId,
    role: &InterfaceRole,
) -> Result<&'p str, PartnerCallError> {
    partner.endpoint(module, role).ok_or_else(|| {
        PartnerCallError::Impossible(format!("the partner does not offer the module {module} as {role}"))
    })
}

/// A URL below a base, with each segment escaped.
pub(super) fn below(
    base: &str,
    path: &[String],
    query: Option<&(&'static str, String)>,
) -> Result<String, PartnerCallError> {
    let mut url = Url::parse(base)
        .map_err(|_| PartnerCallError::Impossible(format!("the partner's URL {base} cannot be read")))?;
    // In a URL these two mean another place, also percent-encoded (RFC 3986, 5.2.4), so such an id has none.
    if let Some(step) = path.iter().find(|step| [".", ".."].contains(&step.as_str())) {
        return Err(PartnerCallError::Impossible(format!("an object with the id '{step}' has no URL")));
    }
    if let Ok(mut segments) = url.path_segments_mut() {
        // Bases come with and without a slash at the end.
        segments.pop_if_empty().extend(path);
    }
    if let Some((name, value)) = query {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(url.into())
}

#[async_trait]
impl PartnerLink for OcpiLink {
    async fn authorize(
        &self,
        partner: &Partner,
        token: &TokenKey,
        location: Option<&LocationReferences>,
        correlation_id: Option<&str>,
    ) -> Result<AuthorizationInfo, PartnerCallError> {
        let routing = Routing {
            from: self.our_party(Role::Cpo).await,
            to: Some(token.party.clone()),
            correlation_id: correlation_id.map(str::to_owned),
        };
        calls::authorize(self, partner, &routing, token, location, self.authorize_timeout).await
    }

    async fn discover(&self, peer: &Peer) -> Result<Discovery, DiscoveryError> {
        calls::discover(self, peer).await
    }

    async fn exchange_credentials(
        &self,
        peer: &Peer,
        discovery: &Discovery,
        handshake: Handshake,
        ours: &CredentialsOffer,
    ) -> Result<CredentialsOffer, PartnerCallError> {
        calls::exchange_credentials(self, peer, discovery, handshake, ours).await
    }

    async fn withdraw_credentials(&self, partner: &Partner) -> Result<(), PartnerCallError> {
        let credentials = partner.endpoints.iter().find(|endpoint| endpoint.module == ModuleId::Credentials);
        let url = credentials.map(|endpoint| endpoint.url.as_str()).ok_or_else(|| {
            PartnerCallError::Impossible("the partner does not offer the module credentials".to_owned())
        })?;
        let request = Outgoing { method: Method::DELETE, url, body: None, timeout: None };
        self.call(partner, &ModuleId::Credentials, &Routing::default(), request).await?;
        Ok(())
    }

    async fn answers_at(&self, public_url: &str) -> Result<(), PartnerCallError> {
        self.client.probe(&format!("{}/livez", public_url.trim_end_matches('/'))).await
    }

    async fn tell(
        &self,
        partner: &Partner,
        routing: &Routing,
        news: News<'_>,
    ) -> Result<(), PartnerCallError> {
        let module = telling::module_of(news);
        let base = endpoint(partner, &module, &InterfaceRole::Receiver)?;
        let telling = telling::render(news)
            .map_err(|error| PartnerCallError::Impossible(format!("an object cannot be written: {error}")))?;
        let send = async |message: telling::Message| {
            let url = below(base, &message.path, message.query.as_ref())?;
            let request = Outgoing { method: message.method, url: &url, body: message.body, timeout: None };
            self.call(partner, &module, routing, request).await
        };
        match telling {
            telling::Telling::Nothing => Ok(()),
            telling::Telling::Whole(message) => {
                let deletes = message.method == Method::DELETE;
                match send(message).await {
                    // What is to be gone and is not known is gone.
                    Err(error) if deletes && is_unknown(&error) => Ok(()),
                    sent => sent.map(|_| ()),
                }
            }
            telling::Telling::Part { part, whole } => match (send(part).await, whole) {
                // The partner does not know the object, or cannot merge: it gets the whole.
                (Err(PartnerCallError::Refused { .. } | PartnerCallError::Unreadable(_)), Some(whole)) => {
                    send(whole).await.map(|_| ())
                }
                // What it does not know needs not be taken back.
                (Err(error), None) if is_unknown(&error) => Ok(()),
                (sent, _) => sent.map(|_| ()),
            },
        }
    }

    async fn pull(
        &self,
        partner: &Partner,
        routing: &Routing,
        module: &ModuleId,
        pull: Pull,
    ) -> Result<PulledPage, PartnerCallError> {
        calls::pull(self, partner, routing, module, pull, self.clock.now()).await
    }

    async fn send_command(
        &self,
        partner: &Partner,
        routing: &Routing,
        command: PartnerCommand,
        response_url: &str,
    ) -> Result<CommandAnswer, PartnerCallError> {
        calls::send_command(self, partner, routing, command, response_url).await
    }

    async fn send_result(
        &self,
        partner: &Partner,
        routing: &Routing,
        response_url: &str,
        outcome: &CommandOutcome,
    ) -> Result<(), PartnerCallError> {
        calls::send_result(self, partner, routing, response_url, outcome).await
    }
}
