//! Registering where we begin: inviting a partner, registering with one, giving new tokens, ending it
//! (OCPI 2.2.1 credentials, "Registration", "Updating", "Unregistering").

use super::desk::{Desk, RegistrationError, end, settle, without_repetitions};
use super::link::{CredentialsOffer, Handshake, PartnerCallError, Peer};
use super::sync;
use crate::config::Secret;
use crate::db::{DbError, partners};
use crate::domain::partner::{DeliveryPolicy, Partner, PartnerStatus, TokenEncoding};
use crate::roaming::origin::Origin;
use crate::security::new_secret;

/// Whom to invite.
#[derive(Debug, Clone)]
pub struct Invite {
    /// What we call the partner.
    pub name: String,
    /// Where its URLs may lead.
    pub allowed_origins: Vec<String>,
    /// How changes reach it.
    pub delivery: DeliveryPolicy,
    /// How it wants its token.
    pub encoding: TokenEncoding,
}

/// What the partner needs to register.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The partner.
    pub partner: Partner,
    /// Where it begins.
    pub versions_url: String,
    /// Token A. Shown once: only its hash is kept.
    pub token: Secret,
}

/// With whom to register.
#[derive(Debug, Clone)]
pub struct Register {
    /// What we call the partner.
    pub name: String,
    /// Where its versions are; its origin is approved by being named.
    pub versions_url: String,
    /// The token A that the partner gave us.
    pub token: Secret,
    /// Where else its URLs may lead.
    pub allowed_origins: Vec<String>,
    /// How changes reach it.
    pub delivery: DeliveryPolicy,
    /// How it wants its token.
    pub encoding: TokenEncoding,
}

fn origins(list: &[String]) -> Result<Vec<String>, RegistrationError> {
    let mut origins = Vec::new();
    for text in list {
        let origin = Origin::parse(text)?.to_string();
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

fn wrong_state(partner: &Partner, remedy: &'static str) -> RegistrationError {
    let status = partner.status.as_str().to_lowercase();
    RegistrationError::WrongState { name: partner.name.clone(), status, remedy }
}

const USE_UPDATE: &str = "remove it first, or choose another name";

impl Desk<'_> {
    /// A partner as it is before anything was exchanged.
    fn fresh(
        &self,
        name: &str,
        origins: Vec<String>,
        delivery: DeliveryPolicy,
        encoding: TokenEncoding,
    ) -> Partner {
        let now = self.clock.now();
        Partner {
            id: 0,
            name: name.to_owned(),
            status: PartnerStatus::Invited,
            versions_url: None,
            version: None,
            endpoints: Vec::new(),
            roles: Vec::new(),
            allowed_origins: origins,
            delivery,
            token_encoding: encoding,
            created: now,
            last_updated: now,
        }
    }

    /// Invites a partner: makes a token A for it. A partner that was invited before, or whose registration has
    /// ended, gets a new one.
    ///
    /// # Errors
    /// When an origin is none, we have no party yet, or the name belongs to a partner that is registered.
    pub async fn invite(&self, invite: Invite) -> Result<Invitation, RegistrationError> {
        self.our_roles().await?;
        let Invite { name, allowed_origins, delivery, encoding } = invite;
        let new = self.fresh(&name, origins(&allowed_origins)?, delivery, encoding);
        let token = new_secret();
        let hash = self.keys.hash(&token);
        let partner = self
            .db
            .write(move |conn| {
                let partner = take_name(conn, &new)?;
                partners::set_tokens_in(conn, partner.id, Some(&hash), None)?;
                Ok::<_, RegistrationError>(partner)
            })
            .await?;
        tracing::info!(partner = partner.id, name, "invited a partner");
        Ok(Invitation { partner, versions_url: self.versions_url(), token: Secret::new(token) })
    }

    /// Registers with a partner that gave us a token A: learns what it offers, gives it a token B, and keeps the
    /// token C that it answers with. The partner calls our versions with token B meanwhile.
    ///
    /// # Errors
    /// When no node answers at our public URL (nothing is sent then), or the partner refuses or cannot be used;
    /// nothing is kept then.
    pub async fn register(&self, register: Register) -> Result<Partner, RegistrationError> {
        let Register { name, versions_url, token, allowed_origins, delivery, encoding } = register;
        let roles = self.our_roles().await?;
        let mut approved = vec![Origin::of_url(&versions_url)?.to_string()];
        approved.extend(origins(&allowed_origins)?);
        self.demand_node().await?;

        let new = self.fresh(&name, approved, delivery, encoding);
        let checked = new.clone();
        let before = self
            .db
            .read::<_, RegistrationError, _>(move |conn| {
                let before = partners::by_name(conn, &checked.name)?;
                may_begin(before.as_ref())?;
                Ok(before)
            })
            .await?;
        let peer = Peer {
            versions_url: versions_url.clone(),
            token,
            encoding: new.token_encoding.clone(),
            allowed_origins: new.allowed_origins.clone(),
        };
        let discovery = self.link.discover(&peer).await?;

        // From here on the partner may call back with token B.
        let ours =
            CredentialsOffer { token: Secret::new(new_secret()), versions_url: self.versions_url(), roles };
        let hash = self.keys.hash(ours.token.reveal());
        let (beginning, endpoints) = (new.clone(), discovery.endpoints.clone());
        let partner = self
            .db
            .write(move |conn| {
                let mut partner = take_name(conn, &beginning)?;
                partner.status = PartnerStatus::Registering;
                partner.versions_url = Some(versions_url.clone());
                partner.endpoints.clone_from(&endpoints);
                partners::update(conn, &partner)?;
                partners::set_tokens_in(conn, partner.id, Some(&hash), None)?;
                Ok::<_, RegistrationError>(partner)
            })
            .await?;
        let exchanged = self.link.exchange_credentials(&peer, &discovery, Handshake::Register, &ours).await;
        let settled = match exchanged {
            Ok(theirs) => self.conclude(&partner, &discovery, theirs).await,
            Err(error) => Err(error.into()),
        };
        match settled {
            Ok(partner) => {
                tracing::info!(partner = partner.id, name, "registered with a partner");
                Ok(partner)
            }
            Err(error) => {
                self.undo(partner, before).await?;
                Err(error)
            }
        }
    }

    /// A registration that the partner accepted, but that we cannot use, is ended there too.
    async fn conclude(
        &self,
        partner: &Partner,
        discovery: &super::link::Discovery,
        mut theirs: CredentialsOffer,
    ) -> Result<Partner, RegistrationError> {
        theirs.roles = without_repetitions(theirs.roles);
        let sealed = self.keys.seal(theirs.token.reveal())?;
        let (now, pending, seen, offer) =
            (self.clock.now(), partner.clone(), discovery.clone(), theirs.clone());
        let settled = self
            .db
            .write(move |conn| {
                let Some(current) = partners::find(conn, pending.id)? else {
                    return Err(RegistrationError::Overtaken);
                };
                if current.status != PartnerStatus::Registering {
                    return Err(RegistrationError::Overtaken);
                }
                settle(conn, current, &seen, &offer, &sealed, now)
            })
            .await;
        match settled {
            Ok(partner) => {
                self.after_registration(&partner).await?;
                Ok(partner)
            }
            Err(error) => {
                // The partner has to be called with its new token, which is kept for that moment only.
                let (id, sealed) = (partner.id, self.keys.seal(theirs.token.reveal())?);
                self.db
                    .write::<_, DbError, _>(move |conn| partners::set_token_out(conn, id, Some(&sealed)))
                    .await?;
                if let Err(error) = self.link.withdraw_credentials(partner).await {
                    tracing::warn!(partner = partner.id, %error, "the partner holds a registration that we do not");
                }
                Err(error)
            }
        }
    }

    /// Puts back what was there before a registration that failed.
    async fn undo(&self, partner: Partner, before: Option<Partner>) -> Result<(), RegistrationError> {
        let now = self.clock.now();
        self.db
            .write(move |conn| {
                let partner = end(conn, partner.clone(), PartnerStatus::Unregistered, now)?;
                match &before {
                    Some(before) => partners::update(
                        conn,
                        &Partner { status: PartnerStatus::Unregistered, ..before.clone() },
                    ),
                    None => partners::delete(conn, partner.id),
                }
            })
            .await
            .map_err(|error: DbError| error.into())
    }

    /// Says no before anything is sent when the partner could not call back.
    async fn demand_node(&self) -> Result<(), RegistrationError> {
        self.link.answers_at(self.public_url).await.map_err(|error| {
            let reason = match error {
                PartnerCallError::Unreachable(reason) => reason,
                other => other.to_string(),
            };
            RegistrationError::NotReachable { url: self.public_url.to_owned(), reason }
        })
    }

    /// Gives a partner a new token and our present roles, and takes its new token (PUT).
    ///
    /// # Errors
    /// When the partner is not registered, refuses, or cannot be reached. The token before stays good until the
    /// partner uses the new one, so neither side is locked out.
    pub async fn update_credentials(&self, name: &str) -> Result<Partner, RegistrationError> {
        let roles = self.our_roles().await?;
        let partner = self.named(name).await?;
        if partner.status != PartnerStatus::Registered {
            return Err(wrong_state(&partner, "only a registration can be renewed"));
        }
        self.demand_node().await?;
        let peer = self.peer_of(&partner).await?;
        let discovery = self.link.discover(&peer).await?;
        let ours =
            CredentialsOffer { token: Secret::new(new_secret()), versions_url: self.versions_url(), roles };
        let (id, hash) = (partner.id, self.keys.hash(ours.token.reveal()));
        let old = self
            .db
            .write(move |conn| {
                let (current, _) = partners::tokens_in(conn, id)?;
                partners::set_tokens_in(conn, id, Some(&hash), current.as_deref())?;
                Ok::<_, DbError>(current)
            })
            .await?;
        match self.link.exchange_credentials(&peer, &discovery, Handshake::Update, &ours).await {
            Ok(mut theirs) => {
                theirs.roles = without_repetitions(theirs.roles);
                let sealed = self.keys.seal(theirs.token.reveal())?;
                let now = self.clock.now();
                let partner = self
                    .db
                    .write(move |conn| {
                        let current = partners::find(conn, id)?.ok_or(RegistrationError::Overtaken)?;
                        settle(conn, current, &discovery, &theirs, &sealed, now)
                    })
                    .await?;
                self.after_registration(&partner).await?;
                Ok(partner)
            }
            Err(error) => {
                // It said no, so it will not use the new token. Where nothing was heard, it may: both stay good.
                if matches!(error, PartnerCallError::Refused { .. } | PartnerCallError::Impossible(_)) {
                    self.db
                        .write::<_, DbError, _>(move |conn| {
                            partners::set_tokens_in(conn, id, old.as_deref(), None)
                        })
                        .await?;
                }
                Err(error.into())
            }
        }
    }

    /// Ends the registration with a partner, and tells it (DELETE).
    ///
    /// # Errors
    /// When it is not registered, or cannot be told: the registration stays then.
    pub async fn unregister(&self, name: &str) -> Result<Partner, RegistrationError> {
        let partner = self.named(name).await?;
        if partner.status != PartnerStatus::Registered {
            return Err(wrong_state(&partner, "only a registration can be ended"));
        }
        self.link.withdraw_credentials(&partner).await?;
        self.ended(partner, PartnerStatus::Unregistered).await
    }

    /// Stops all traffic with a partner until [`Desk::resume`].
    ///
    /// # Errors
    /// When it is not registered.
    pub async fn suspend(&self, name: &str) -> Result<Partner, RegistrationError> {
        self.switch(name, PartnerStatus::Registered, PartnerStatus::Suspended).await
    }

    /// Takes up the traffic with a partner that was suspended, and tells it everything that it missed: what
    /// changed meanwhile was marked for it.
    ///
    /// # Errors
    /// When it is not suspended.
    pub async fn resume(&self, name: &str) -> Result<Partner, RegistrationError> {
        let partner = self.switch(name, PartnerStatus::Suspended, PartnerStatus::Registered).await?;
        self.after_registration(&partner).await?;
        Ok(partner)
    }

    async fn switch(
        &self,
        name: &str,
        from: PartnerStatus,
        to: PartnerStatus,
    ) -> Result<Partner, RegistrationError> {
        let (name, now) = (name.to_owned(), self.clock.now());
        self.db
            .write(move |conn| {
                let mut partner = partners::by_name(conn, &name)?
                    .ok_or_else(|| RegistrationError::Unknown(name.clone()))?;
                if partner.status != from {
                    return Err(wrong_state(&partner, "`roamwatt partner list` shows what can be done"));
                }
                partner.status = to.clone();
                partner.last_updated = now;
                partners::update(conn, &partner)?;
                Ok(partner)
            })
            .await
    }

    /// Removes a partner, and tells it if it is registered and can be reached. Its sessions and CDRs stay. The
    /// second value is why it could not be told.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn remove(&self, name: &str) -> Result<(Partner, Option<PartnerCallError>), RegistrationError> {
        let partner = self.named(name).await?;
        let told = match partner.status {
            PartnerStatus::Registered => self.link.withdraw_credentials(&partner).await.err(),
            _ => None,
        };
        let mut removed = partner;
        // The name is free again.
        removed.name = format!("{} (removed, {})", removed.name, removed.id);
        let removed = self.ended(removed, PartnerStatus::Removed).await?;
        Ok((removed, told))
    }

    pub(super) async fn ended(
        &self,
        partner: Partner,
        status: PartnerStatus,
    ) -> Result<Partner, RegistrationError> {
        let now = self.clock.now();
        let ended = self.db.write(move |conn| end(conn, partner.clone(), status.clone(), now)).await?;
        tracing::info!(partner = ended.id, status = %ended.status, "a registration ended");
        Ok(ended)
    }

    async fn named(&self, name: &str) -> Result<Partner, RegistrationError> {
        let name = name.to_owned();
        self.db
            .read(move |conn| partners::by_name(conn, &name)?.ok_or(RegistrationError::Unknown(name)))
            .await
    }

    /// Where and with which token a registered partner is asked.
    async fn peer_of(&self, partner: &Partner) -> Result<Peer, RegistrationError> {
        let id = partner.id;
        let sealed = self.db.read::<_, DbError, _>(move |conn| partners::token_out(conn, id)).await?;
        let (Some(sealed), Some(versions_url)) = (sealed, partner.versions_url.clone()) else {
            return Err(wrong_state(partner, "its token is missing; register again"));
        };
        Ok(Peer {
            versions_url,
            token: Secret::new(self.keys.open(&sealed)?),
            encoding: partner.token_encoding.clone(),
            allowed_origins: partner.allowed_origins.clone(),
        })
    }

    /// Asks for a complete pull of what the partner offers, as everything of ours was marked to be told to it. A
    /// running node does the rest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after_registration(&self, partner: &Partner) -> Result<(), RegistrationError> {
        sync::ask_for_complete(self.db, partner.id).await?;
        Ok(())
    }
}

/// Whether a handshake may begin under a name that may be taken.
fn may_begin(before: Option<&Partner>) -> Result<(), RegistrationError> {
    match before {
        None => Ok(()),
        Some(partner) => match partner.status {
            PartnerStatus::Invited | PartnerStatus::Registering | PartnerStatus::Unregistered => Ok(()),
            _ => Err(wrong_state(partner, USE_UPDATE)),
        },
    }
}

/// Adds a partner, or takes up the one of that name that is not registered.
fn take_name(conn: &mut crate::db::DbConn, new: &Partner) -> Result<Partner, RegistrationError> {
    let before = partners::by_name(conn, &new.name)?;
    may_begin(before.as_ref())?;
    let mut partner = new.clone();
    match before {
        None => partner.id = partners::insert(conn, new)?,
        Some(before) => {
            partner.id = before.id;
            partner.created = before.created;
            partners::update(conn, &partner)?;
        }
    }
    Ok(partner)
}
