//! What registering with partners needs, in a node and on the command line alike, and the rules that hold
//! whoever begins: which parties we name, who may claim which party, what a partner's state becomes.

use super::delivery;
use super::link::{CredentialsOffer, Discovery, DiscoveryError, PartnerCallError, PartnerLink};
use crate::app::App;
use crate::clock::Clock;
use crate::db::partners::Health;
use crate::db::{Db, DbConn, DbError, parties, partners};
use crate::domain::Timestamp;
use crate::domain::partner::{Partner, PartnerRole, PartnerStatus};
use crate::domain::party::{Party, PartyId, Role};
use crate::roaming::origin::OriginError;
use crate::security::{Keys, SealBroken};

/// The handles of a registration.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The database.
    pub db: &'a Db,
    /// The time.
    pub clock: &'a Clock,
    /// Secrets.
    pub keys: &'a Keys,
    /// The way to partners.
    pub link: &'a dyn PartnerLink,
    /// Under which partners reach us, without a slash at its end.
    pub public_url: &'a str,
}

impl std::fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl<'a> Desk<'a> {
    /// That of a node.
    #[must_use]
    pub fn of(app: &'a App) -> Self {
        Self {
            db: &app.db,
            clock: &app.clock,
            keys: &app.keys,
            link: app.partners.as_ref(),
            public_url: &app.public_url,
        }
    }

    /// Where our versions are.
    #[must_use]
    pub fn versions_url(&self) -> String {
        format!("{}/ocpi/versions", self.public_url)
    }

    pub(super) async fn our_roles(&self) -> Result<Vec<PartnerRole>, RegistrationError> {
        let ours = self.db.read::<_, DbError, _>(parties::all).await?;
        let roles = roles_of(&ours);
        if roles.is_empty() { Err(RegistrationError::NoParty) } else { Ok(roles) }
    }
}

/// The roles that our parties play, as partners are told of them.
#[must_use]
pub fn roles_of(parties: &[Party]) -> Vec<PartnerRole> {
    let of = |party: &Party| {
        let party = party.clone();
        party.roles.clone().into_iter().map(move |role| PartnerRole {
            role,
            party: party.id.clone(),
            name: party.name.clone(),
            website: party.website.clone(),
            logo: None,
        })
    };
    parties.iter().flat_map(of).collect()
}

/// Why a registration is not possible.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A stored token cannot be read.
    #[error(transparent)]
    Seal(#[from] SealBroken),
    /// We speak for nobody yet.
    #[error("there is no party yet that a partner could deal with")]
    NoParty,
    /// An origin is none.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// No node answers where the partner would call back.
    #[error("no node answers at {url}, where the partner calls back during the registration: {reason}")]
    NotReachable {
        /// The public URL.
        url: String,
        /// What happened.
        reason: String,
    },
    /// There is no partner of that name.
    #[error("there is no partner named '{0}'")]
    Unknown(String),
    /// It is in a state in which this cannot be done.
    #[error("the partner '{name}' is {status}: {remedy}")]
    WrongState {
        /// Its name.
        name: String,
        /// Its state, in lower case.
        status: String,
        /// What can be done.
        remedy: &'static str,
    },
    /// Its offer could not be learned.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// It did not take our credentials, or what it answered is of no use.
    #[error(transparent)]
    Call(#[from] PartnerCallError),
    /// It named no party.
    #[error("the partner's credentials name no party")]
    NoRoles,
    /// It offers nothing that we could use, and uses nothing that we offer.
    #[error("no module is offered by one side and used by the other")]
    NoMatchingEndpoints,
    /// It claims a party of ours.
    #[error("{0} is our own party")]
    OurParty(PartyId),
    /// It claims a party of another partner.
    #[error("{party} as {role} belongs to another partner")]
    Taken {
        /// The party.
        party: PartyId,
        /// In which role.
        role: Role,
    },
    /// Its state changed while it was dealt with.
    #[error("the partner changed meanwhile; try again")]
    Overtaken,
}

/// Refuses roles that name a party of ours or, in the same role, one of another partner. Within the write that
/// gives them to the partner, so that two claims at once cannot both pass.
pub(super) fn check_claims(
    conn: &mut DbConn,
    partner_id: Option<i64>,
    roles: &[PartnerRole],
) -> Result<(), RegistrationError> {
    if roles.is_empty() {
        return Err(RegistrationError::NoRoles);
    }
    for PartnerRole { party, role, .. } in roles {
        if parties::find(conn, party)?.is_some() {
            return Err(RegistrationError::OurParty(party.clone()));
        }
        let holder = partners::of_party(conn, party, role)?;
        if holder.is_some() && holder != partner_id {
            return Err(RegistrationError::Taken { party: party.clone(), role: role.clone() });
        }
    }
    Ok(())
}

/// Each role once: some platforms repeat them.
pub(super) fn without_repetitions(roles: Vec<PartnerRole>) -> Vec<PartnerRole> {
    let mut once: Vec<PartnerRole> = Vec::new();
    for role in roles {
        if !once.iter().any(|known| known.party == role.party && known.role == role.role) {
            once.push(role);
        }
    }
    once
}

/// Writes down that a partner is registered, with what was exchanged, and that it has to be told everything. An
/// update that only gives new tokens changes nothing in what it was told.
pub(super) fn settle(
    conn: &mut DbConn,
    mut partner: Partner,
    discovery: &Discovery,
    theirs: &CredentialsOffer,
    sealed: &str,
    now: Timestamp,
) -> Result<Partner, RegistrationError> {
    check_claims(conn, Some(partner.id), &theirs.roles)?;
    let knows_all = partner.status == PartnerStatus::Registered
        && partner.endpoints == discovery.endpoints
        && partner.roles == theirs.roles;
    partner.status = PartnerStatus::Registered;
    partner.versions_url = Some(theirs.versions_url.clone());
    partner.version = Some(discovery.version.clone());
    partner.endpoints.clone_from(&discovery.endpoints);
    partner.roles.clone_from(&theirs.roles);
    partner.last_updated = now;
    partners::update(conn, &partner)?;
    partners::set_token_out(conn, partner.id, Some(sealed))?;
    partners::set_health(conn, partner.id, &Health { last_contact: Some(now), ..Health::default() })?;
    if !knows_all {
        delivery::mark_everything(conn, &partner, now)?;
    }
    Ok(partner)
}

/// Writes down that a registration has ended: no token is valid, nothing waits, its parties are free.
pub(super) fn end(
    conn: &mut DbConn,
    mut partner: Partner,
    status: PartnerStatus,
    now: Timestamp,
) -> Result<Partner, DbError> {
    partner.status = status;
    partner.endpoints = Vec::new();
    partner.roles = Vec::new();
    partner.last_updated = now;
    partners::update(conn, &partner)?;
    partners::set_tokens_in(conn, partner.id, None, None)?;
    partners::set_token_out(conn, partner.id, None)?;
    partners::forget_changes(conn, partner.id)?;
    // What it told us is its own; sessions and CDRs stay, since money hangs on them.
    partners::forget_objects(conn, partner.id)?;
    Ok(partner)
}
