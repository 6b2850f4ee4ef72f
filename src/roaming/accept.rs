//! Registering where the partner begins: it gives us credentials with POST or PUT, or takes them back with
//! DELETE (OCPI 2.2.1 credentials).

use super::desk::{Desk, RegistrationError, check_claims, settle, without_repetitions};
use super::link::{CredentialsOffer, Handshake, Peer};
use crate::config::Secret;
use crate::db::partners;
use crate::domain::partner::{Endpoint, InterfaceRole, ModuleId, Partner, PartnerRole, PartnerStatus};
use crate::domain::party::Role;
use crate::security::new_secret;

/// The sides of the modules that somebody with these roles serves.
fn sides_of(roles: &[PartnerRole]) -> Vec<(ModuleId, InterfaceRole)> {
    use InterfaceRole::{Receiver, Sender};
    let plays = |wanted: &[Role]| roles.iter().any(|role| wanted.contains(&role.role));
    let cpo = [ModuleId::Locations, ModuleId::Tariffs, ModuleId::Sessions, ModuleId::Cdrs];
    let emsp = [ModuleId::Tokens, ModuleId::Commands];
    let mut sides = Vec::new();
    if plays(&[Role::Cpo]) {
        sides.extend(cpo.iter().cloned().map(|module| (module, Sender)));
        sides.extend(emsp.iter().cloned().map(|module| (module, Receiver)));
    }
    if plays(&[Role::Emsp, Role::Nsp, Role::Nap]) {
        sides.extend(cpo.into_iter().map(|module| (module, Receiver)));
        sides.extend(emsp.into_iter().map(|module| (module, Sender)));
    }
    sides
}

/// Whether one side serves what the other uses, in at least one module.
fn fit(ours: &[PartnerRole], theirs: &[Endpoint]) -> bool {
    let ours = sides_of(ours);
    theirs.iter().any(|endpoint| {
        ours.iter().any(|(module, side)| *module == endpoint.module && *side != endpoint.role)
    })
}

impl Desk<'_> {
    /// Takes a partner's credentials and gives it ours for them. `used` is the hash of the token that it called
    /// with.
    ///
    /// # Errors
    /// When the partner is not in the state for it, its API cannot be used, or it claims what is not its own.
    /// Nothing changes then.
    pub async fn accept(
        &self,
        partner: &Partner,
        used: &str,
        handshake: Handshake,
        mut theirs: CredentialsOffer,
    ) -> Result<CredentialsOffer, RegistrationError> {
        in_state_for(partner, handshake)?;
        let roles = self.our_roles().await?;
        theirs.roles = without_repetitions(theirs.roles);
        // Told before its API is called: a claim that is refused anyway costs it nothing.
        let (id, claimed) = (partner.id, theirs.roles.clone());
        self.db.read(move |conn| check_claims(conn, Some(id), &claimed)).await?;

        let peer = Peer {
            versions_url: theirs.versions_url.clone(),
            token: theirs.token.clone(),
            encoding: partner.token_encoding.clone(),
            allowed_origins: partner.allowed_origins.clone(),
        };
        let discovery = self.link.discover(&peer).await?;
        if !fit(&roles, &discovery.endpoints) {
            return Err(RegistrationError::NoMatchingEndpoints);
        }

        let token = new_secret();
        let (hash, used) = (self.keys.hash(&token), used.to_owned());
        let sealed = self.keys.seal(theirs.token.reveal())?;
        let now = self.clock.now();
        let partner = self
            .db
            .write(move |conn| {
                let current = partners::find(conn, id)?.ok_or(RegistrationError::Overtaken)?;
                let (valid, previous) = partners::tokens_in(conn, id)?;
                let known = [valid.as_deref(), previous.as_deref()].contains(&Some(used.as_str()));
                if !known {
                    // Two requests came at once, and the other one was first.
                    return Err(RegistrationError::Overtaken);
                }
                in_state_for(&current, handshake)?;
                // A token A is spent; the token before an update is good until the new one has been used, for
                // the answer that carries the new one may be lost.
                let keep = (handshake == Handshake::Update).then_some(used.as_str());
                partners::set_tokens_in(conn, id, Some(&hash), keep)?;
                settle(conn, current, &discovery, &theirs, &sealed, now)
            })
            .await?;
        tracing::info!(partner = partner.id, name = partner.name, ?handshake, "a partner registered");
        self.after_registration(&partner).await?;
        Ok(CredentialsOffer { token: Secret::new(token), versions_url: self.versions_url(), roles })
    }

    /// Our credentials as a partner has them: with the token that it just used.
    ///
    /// # Errors
    /// When we speak for nobody, or the database fails.
    pub async fn credentials_with(&self, token: Secret) -> Result<CredentialsOffer, RegistrationError> {
        Ok(CredentialsOffer { token, versions_url: self.versions_url(), roles: self.our_roles().await? })
    }

    /// Ends the registration of a partner that asks for it.
    ///
    /// # Errors
    /// When it is not registered.
    pub async fn accept_end(&self, partner: Partner) -> Result<(), RegistrationError> {
        in_state_for(&partner, Handshake::Update)?;
        self.ended(partner, PartnerStatus::Unregistered).await?;
        Ok(())
    }
}

/// POST is for those who are not registered, PUT and DELETE for those who are.
fn in_state_for(partner: &Partner, handshake: Handshake) -> Result<(), RegistrationError> {
    let (fits, remedy) = match handshake {
        Handshake::Register => (
            partner.status == PartnerStatus::Invited,
            "credentials are given once with POST; use PUT to change them",
        ),
        Handshake::Update => {
            (partner.status == PartnerStatus::Registered, "give your credentials with POST first")
        }
    };
    if fits {
        return Ok(());
    }
    let status = partner.status.as_str().to_lowercase();
    Err(RegistrationError::WrongState { name: partner.name.clone(), status, remedy })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::party::PartyId;

    fn role(role: Role) -> PartnerRole {
        let party = PartyId::new("DE", "ABC").unwrap();
        PartnerRole { role, party, name: "ABC".to_owned(), website: None, logo: None }
    }

    #[test]
    fn two_of_a_kind_have_nothing_to_tell_each_other() {
        let serves = |role: InterfaceRole| {
            [Endpoint { module: ModuleId::Locations, role, url: "https://a.example".to_owned() }]
        };
        assert!(fit(&[role(Role::Cpo)], &serves(InterfaceRole::Receiver)));
        assert!(!fit(&[role(Role::Cpo)], &serves(InterfaceRole::Sender)));
        assert!(fit(&[role(Role::Emsp)], &serves(InterfaceRole::Sender)));
        assert!(!fit(&[role(Role::Emsp)], &[]));
    }
}
