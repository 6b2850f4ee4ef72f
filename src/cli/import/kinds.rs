//! What can be imported.

use super::report::Bad;
use crate::db::{DbConn, DbError, DbResult};
use crate::domain::Timestamp;
use crate::domain::location::Location;
use crate::domain::party::{PartyId, Role};
use crate::domain::tariff::Tariff;
use crate::domain::token::Token;
use crate::ocpi::v2_2_1;
use crate::ocpi::wire::{Wire, WireError};
use crate::pricing::Finding;
use crate::pricing::goods::{pricing_warnings, too_fine};
use crate::roaming::catalogue::{put_location, put_tariff, put_token};
use crate::roaming::reconcile::{Refusal, reconcile_location, reconcile_tariff, reconcile_token};
use serde_json::Value;

/// A kind of object that can be imported.
pub(super) trait Kind: TryFrom<Self::Wire, Error = WireError> + Clone + Send + 'static {
    /// How OCPI writes it.
    type Wire: Wire;
    /// What it is called.
    const NOUN: &'static str;
    /// The role in which a party owns it.
    const ROLE: Role;
    /// The field that names it.
    const ID: &'static str = "id";

    /// Its owner.
    fn party(&self) -> &PartyId;
    /// What a person calls it.
    fn name(&self) -> String;
    /// By what it is told apart from all others.
    fn key(&self) -> String;
    /// What is to be written, or nothing when it is there just so.
    fn reconcile(self, conn: &mut DbConn, now: Timestamp) -> Result<Option<Self>, Refusal>;
    /// Writes it and marks it for partners.
    fn put(&self, conn: &mut DbConn, now: Timestamp) -> DbResult<Vec<i64>>;

    /// What may not be in an object of ours, though it could be taken from a partner.
    fn faults(&self) -> Vec<Finding> {
        Vec::new()
    }
    /// What in it has no effect.
    fn warnings(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// What an object that may be bad calls itself.
    fn id_of(value: &Value) -> Option<String> {
        match value.get(Self::ID)? {
            Value::String(id) => Some(id.chars().take(80).collect()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        }
    }
}

impl Kind for Location {
    type Wire = v2_2_1::locations::wire::Location;
    const NOUN: &'static str = "location";
    const ROLE: Role = Role::Cpo;

    fn party(&self) -> &PartyId {
        &self.party
    }
    fn name(&self) -> String {
        self.id.to_string()
    }
    fn key(&self) -> String {
        format!("{} of {}", self.id.key(), self.party)
    }
    fn reconcile(self, conn: &mut DbConn, now: Timestamp) -> Result<Option<Self>, Refusal> {
        reconcile_location(conn, self, now)
    }
    fn put(&self, conn: &mut DbConn, now: Timestamp) -> DbResult<Vec<i64>> {
        put_location(conn, self, now)
    }
}

impl Kind for Tariff {
    type Wire = v2_2_1::tariffs::wire::Tariff;
    const NOUN: &'static str = "tariff";
    const ROLE: Role = Role::Cpo;

    fn party(&self) -> &PartyId {
        &self.party
    }
    fn name(&self) -> String {
        self.id.to_string()
    }
    fn key(&self) -> String {
        format!("{} of {}", self.id.key(), self.party)
    }
    fn reconcile(self, conn: &mut DbConn, now: Timestamp) -> Result<Option<Self>, Refusal> {
        reconcile_tariff(conn, self, now)
    }
    fn put(&self, conn: &mut DbConn, now: Timestamp) -> DbResult<Vec<i64>> {
        put_tariff(conn, self, now)
    }
    fn faults(&self) -> Vec<Finding> {
        too_fine(self)
    }
    fn warnings(&self) -> Vec<Finding> {
        pricing_warnings(self)
    }
}

impl Kind for Token {
    type Wire = v2_2_1::tokens::wire::Token;
    const NOUN: &'static str = "token";
    const ROLE: Role = Role::Emsp;
    const ID: &'static str = "uid";

    fn party(&self) -> &PartyId {
        &self.party
    }
    fn name(&self) -> String {
        self.uid.to_string()
    }
    fn key(&self) -> String {
        format!("{} {} of {}", self.token_type, self.uid.key(), self.party)
    }
    fn reconcile(self, conn: &mut DbConn, now: Timestamp) -> Result<Option<Self>, Refusal> {
        reconcile_token(conn, self, now)
    }
    fn put(&self, conn: &mut DbConn, now: Timestamp) -> DbResult<Vec<i64>> {
        put_token(conn, self, now)
    }
}

impl Refusal {
    /// As a bad object of the report; an error of the database is none.
    pub(super) fn into_bad(self, index: usize, path: String, id: String) -> Result<Bad, DbError> {
        match self {
            Self::Db(error) => Err(error),
            other => Ok(Bad { index, id: Some(id), path, message: other.to_string() }),
        }
    }
}
