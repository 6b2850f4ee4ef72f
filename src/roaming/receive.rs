//! What partners tell us: each object is kept under the partner that speaks for its owner, and under nobody
//! else (OCPI 2.2.1 transport_and_format, "Client Owned Object Push").

use super::check::{self, Checking};
use crate::app::{App, Event};
use crate::db::{DbConn, DbError, DbResult, cdrs, locations, parties, partners, sessions, tariffs, tokens};
use crate::domain::CiString;
use crate::domain::cdr::Cdr;
use crate::domain::location::Location;
use crate::domain::partner::Partner;
use crate::domain::party::{PartyId, Role};
use crate::domain::session::Session;
use crate::domain::tariff::Tariff;
use crate::domain::token::{Token, TokenKey};
use std::fmt;

/// Why something is not taken from a partner, or not shown to it.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The owner is another's.
    #[error("this connection does not speak for {party} as {role}")]
    NotTheirs {
        /// The owner that was named.
        party: PartyId,
        /// As what it owns.
        role: Role,
    },
    /// There is no such object.
    #[error("no {kind} {name} is known here")]
    Unknown {
        /// What it would be.
        kind: &'static str,
        /// Its owner and id.
        name: String,
    },
    /// The object would not be one any more, or is not the one that was named.
    #[error("{path}: {reason}")]
    Invalid {
        /// JSON path.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// Another CDR has that id.
    #[error("$.id: another CDR {0} was taken before; a CDR never changes (send a credit CDR and a new one)")]
    OtherCdr(String),
}

impl ReceiveError {
    /// Something within the object that was named is not known.
    #[must_use]
    pub fn unknown(kind: &'static str, name: impl fmt::Display) -> Self {
        Self::Unknown { kind, name: name.to_string() }
    }
}

/// What became of an object that was told whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is new here.
    Created,
    /// It took the place of the one that was here.
    Replaced,
}

/// Owner and id: by what a location, tariff, session or CDR is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectId {
    /// Its owner.
    pub party: PartyId,
    /// Unique within the owner.
    pub id: CiString,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.id, self.party)
    }
}

/// A kind of object that partners own and tell us of.
pub trait Told: Sized + Send + Sync + 'static {
    /// By what it is found.
    type Key: Clone + Send + Sync + 'static;
    /// Its name, for people.
    const KIND: &'static str;
    /// As what its owner owns it.
    const OWNER: Role;

    /// By what this one is found.
    fn key(&self) -> Self::Key;
    /// Owner and name of a key.
    fn owner(key: &Self::Key) -> (&PartyId, String);
    /// The object, and the partner that told us of it; none for one of ours.
    ///
    /// # Errors
    /// When the database fails.
    fn find(conn: &mut DbConn, key: &Self::Key) -> DbResult<Option<(Self, Option<i64>)>>;
    /// Keeps it, as a partner told it.
    ///
    /// # Errors
    /// When the database fails.
    fn keep(&self, conn: &mut DbConn, partner_id: i64) -> DbResult<()>;
    /// What those who watch are told.
    fn event(&self) -> Option<Event> {
        None
    }
}

macro_rules! told {
    ($type:ident, $kind:literal, $find:expr, $keep:expr $(, $event:expr)?) => {
        impl Told for $type {
            type Key = ObjectId;
            const KIND: &'static str = $kind;
            const OWNER: Role = Role::Cpo;

            fn key(&self) -> ObjectId {
                ObjectId { party: self.party.clone(), id: self.id.clone() }
            }
            fn owner(key: &ObjectId) -> (&PartyId, String) {
                (&key.party, key.to_string())
            }
            fn find(conn: &mut DbConn, key: &ObjectId) -> DbResult<Option<(Self, Option<i64>)>> {
                $find(conn, &key.party, &key.id)
            }
            fn keep(&self, conn: &mut DbConn, partner_id: i64) -> DbResult<()> {
                $keep(conn, self, Some(partner_id))
            }
            $(fn event(&self) -> Option<Event> {
                Some($event(self))
            })?
        }
    };
}
told!(Location, "location", locations::find_with_owner, locations::upsert, |told: &Location| {
    Event::LocationTold(told.party.clone(), told.id.clone())
});
told!(Tariff, "tariff", tariffs::find_with_owner, tariffs::upsert, |told: &Tariff| {
    Event::TariffTold(told.party.clone(), told.id.clone())
});
told!(Session, "session", sessions::find, sessions::upsert, |told: &Session| {
    Event::SessionChanged(told.id.to_string())
});

impl Told for Token {
    type Key = TokenKey;
    const KIND: &'static str = "token";
    const OWNER: Role = Role::Emsp;

    fn key(&self) -> TokenKey {
        Self::key(self)
    }
    fn owner(key: &TokenKey) -> (&PartyId, String) {
        (&key.party, format!("{} ({}) of {}", key.uid, key.token_type, key.party))
    }
    fn find(conn: &mut DbConn, key: &TokenKey) -> DbResult<Option<(Self, Option<i64>)>> {
        tokens::find(conn, key)
    }
    fn keep(&self, conn: &mut DbConn, partner_id: i64) -> DbResult<()> {
        tokens::upsert(conn, self, Some(partner_id))
    }
}

/// Whether a partner may act for a party in a role: it registered with it, or it is a hub, and the party is
/// neither ours nor that of another connection.
///
/// # Errors
/// When the database fails.
pub fn may_act_for(conn: &mut DbConn, partner: &Partner, party: &PartyId, role: &Role) -> DbResult<bool> {
    if partner.speaks_for(party, role) {
        return Ok(true);
    }
    let is_hub = partner.roles.iter().any(|own| own.role == Role::Hub);
    if !is_hub || parties::find(conn, party)?.is_some() {
        return Ok(false);
    }
    Ok(partners::of_party(conn, party, role)?.is_none_or(|id| id == partner.id))
}

/// Whether a partner may act for a party in a role ([`may_act_for`]).
///
/// # Errors
/// When the database fails.
pub async fn acts_for(app: &App, partner: &Partner, party: &PartyId, role: &Role) -> DbResult<bool> {
    let (partner, party, role) = (partner.clone(), party.clone(), role.clone());
    app.db.read(move |conn| may_act_for(conn, &partner, &party, &role)).await
}

/// The object of that key if the partner may have it, with whether there is one.
fn look_up<T: Told>(conn: &mut DbConn, partner: &Partner, key: &T::Key) -> Result<Option<T>, ReceiveError> {
    let (party, _) = T::owner(key);
    let found = T::find(conn, key)?;
    let ours = matches!(found, Some((_, None)));
    if ours || !may_act_for(conn, partner, party, &T::OWNER)? {
        return Err(ReceiveError::NotTheirs { party: party.clone(), role: T::OWNER });
    }
    Ok(found.map(|(object, _)| object))
}

fn missing<T: Told>(key: &T::Key) -> ReceiveError {
    ReceiveError::unknown(T::KIND, T::owner(key).1)
}

/// An object as a partner told it.
///
/// # Errors
/// When it is not known, is not the partner's, or the database fails.
pub async fn find<T: Told>(app: &App, partner: &Partner, key: T::Key) -> Result<T, ReceiveError> {
    let partner = partner.clone();
    app.db.read(move |conn| look_up::<T>(conn, &partner, &key)?.ok_or_else(|| missing::<T>(&key))).await
}

/// Keeps an object that a partner tells whole (PUT): what it leaves out is cleared.
///
/// # Errors
/// When it is not the partner's, or the database fails.
pub async fn put<T: Told>(app: &App, partner: &Partner, object: T) -> Result<Written, ReceiveError> {
    let (partner, event) = (partner.clone(), object.event());
    let written = app
        .db
        .write(move |conn| {
            let known = look_up::<T>(conn, &partner, &object.key())?;
            object.keep(conn, partner.id)?;
            Ok::<_, ReceiveError>(if known.is_some() { Written::Replaced } else { Written::Created })
        })
        .await?;
    tell(app, event);
    Ok(written)
}

/// Changes an object of a partner in part (PATCH, or PUT of something within it). `change` makes the new one
/// of the one that is here; it may run more than once.
///
/// # Errors
/// When the object is not known or not the partner's, what `change` returns, or the database fails.
pub async fn change<T: Told, R: Send + 'static>(
    app: &App,
    partner: &Partner,
    key: T::Key,
    change: impl Fn(T) -> Result<(T, R), ReceiveError> + Send + 'static,
) -> Result<R, ReceiveError> {
    let partner = partner.clone();
    let (result, event) = app
        .db
        .write(move |conn| {
            let known = look_up::<T>(conn, &partner, &key)?.ok_or_else(|| missing::<T>(&key))?;
            let (object, result) = change(known)?;
            object.keep(conn, partner.id)?;
            Ok::<_, ReceiveError>((result, object.event()))
        })
        .await?;
    tell(app, event);
    Ok(result)
}

fn tell(app: &App, event: Option<Event>) {
    if let Some(event) = event {
        app.wakes.tell(event);
    }
}

/// Forgets a tariff of a partner (DELETE).
///
/// # Errors
/// When it is not known or not the partner's, or the database fails.
pub async fn remove_tariff(app: &App, partner: &Partner, key: ObjectId) -> Result<(), ReceiveError> {
    let partner = partner.clone();
    let event = Event::TariffTold(key.party.clone(), key.id.clone());
    app.db
        .write(move |conn| {
            look_up::<Tariff>(conn, &partner, &key)?.ok_or_else(|| missing::<Tariff>(&key))?;
            tariffs::remove(conn, &key.party, &key.id)?;
            Ok::<_, ReceiveError>(())
        })
        .await?;
    tell(app, Some(event));
    Ok(())
}

/// Takes a CDR of a partner, once: the same CDR again changes nothing and succeeds, since the answer to the
/// first may have been lost. It is priced again ([`check`]); whatever comes out, it is taken.
///
/// # Errors
/// When another CDR of that id was taken, it is not the partner's, or the database fails.
pub async fn take_cdr(app: &App, partner: &Partner, cdr: Cdr) -> Result<(), ReceiveError> {
    let (partner, id, session) = (partner.clone(), cdr.id.to_string(), cdr.session_id.clone());
    let (checking, clock) = (Checking::of(&app.config.pricing), app.clock.clone());
    let is_new = app
        .db
        .write(move |conn| {
            if !may_act_for(conn, &partner, &cdr.party, &Role::Cpo)? {
                return Err(ReceiveError::NotTheirs { party: cdr.party.clone(), role: Role::Cpo });
            }
            match cdrs::find(conn, &cdr.party, &cdr.id)? {
                None => {
                    check::keep_received(conn, &partner, &cdr, &checking, clock.now())?;
                    Ok(true)
                }
                Some((known, Some(_))) if known == cdr => Ok(false),
                Some(_) => Err(ReceiveError::OtherCdr(cdr.id.to_string())),
            }
        })
        .await?;
    if is_new {
        app.wakes.tell(Event::CdrWritten(id));
        if let Some(session) = session {
            app.wakes.tell(Event::SessionChanged(session.to_string()));
        }
    }
    Ok(())
}

/// A CDR as a partner sent it.
///
/// # Errors
/// When it is not known or not the partner's, or the database fails.
pub async fn find_cdr(app: &App, partner: &Partner, key: ObjectId) -> Result<Cdr, ReceiveError> {
    let partner = partner.clone();
    app.db
        .read(move |conn| {
            if !may_act_for(conn, &partner, &key.party, &Role::Cpo)? {
                return Err(ReceiveError::NotTheirs { party: key.party.clone(), role: Role::Cpo });
            }
            match cdrs::find(conn, &key.party, &key.id)? {
                Some((cdr, Some(_))) => Ok(cdr),
                _ => Err(ReceiveError::unknown("CDR", &key)),
            }
        })
        .await
}
