//! Ad hoc payments.

use super::schema::payments;
use super::types::Json;
use super::{Backend, DbConn, DbError, DbResult};
use crate::domain::party::PartyId;
use crate::domain::payment::{IllegalMove, PaymentReason, PaymentState, ReceiptNumber, StopCause, StopWish};
use crate::domain::station::StationId;
use crate::domain::tariff::Tariff;
use crate::domain::token::{Token, TokenType, Whitelist};
use crate::domain::{CiString, Extra, Money, Timestamp};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// What no query looks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentDetails {
    /// The language of the driver's pages, ISO 639-1.
    pub language: String,
    /// Where the receipt is to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The tariff that was shown; it prices the charge.
    pub tariff: Tariff,
    /// What the page tells the provider, sealed; missing before the provider was asked, and where a terminal pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_sealed: Option<String>,
    /// Until when the driver must have paid.
    pub pay_by: Timestamp,
    /// Until when the car must be plugged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_by: Option<Timestamp>,
    /// When the hold lapses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_before: Option<Timestamp>,
    /// Where `releasing` leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<PaymentState>,
    /// What is due, tax included, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Money>,
    /// That what is due was reckoned before there was a CDR, since the hold lapsed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub due_before_cdr: bool,
    /// The receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptNumber>,
    /// That the charge is to be stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopWish>,
    /// How often what is to be done failed, since it last worked.
    #[serde(default)]
    pub failures: u32,
    /// What the provider last said against it, for operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// When the provider was last asked whether the hold is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// When the hold was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorised_at: Option<Timestamp>,
    /// When the money was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_at: Option<Timestamp>,
    /// The provider told of refunds, and they were not looked at yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refunds_told: bool,
    /// The terminal at which it is paid, and its reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<TerminalHold>,
}

/// A hold that a terminal made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalHold {
    /// The terminal.
    pub terminal_id: CiString,
    /// By what it knows the payment; the session and the CDR repeat it.
    pub reference: CiString,
    /// Since when it is to say what it did with the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
}

/// A payment.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payments, check_for_backend(Backend), treat_none_as_null = true)]
pub struct Payment {
    /// Its id; it rises with time. No secret, and no help to find the payment from outside.
    pub id: String,
    /// The hash of the key by which the driver comes back.
    pub key_hash: String,
    /// Who sells.
    pub country_code: String,
    /// Who sells.
    pub party_id: String,
    /// Where.
    pub location_id: String,
    /// At which EVSE, folded.
    pub evse_uid: String,
    /// At which connector.
    pub connector_id: String,
    /// Which station serves it.
    pub station_id: String,
    /// OCPP's number there.
    pub connector: i32,
    /// Who holds the money: `stripe`, or `terminal`.
    pub provider: String,
    /// The account at the provider that sells; missing means that of the configured key.
    pub account: Option<String>,
    /// The provider's id of the payment.
    pub intent_id: Option<String>,
    /// Where it stands.
    pub state: PaymentState,
    /// Why it stands there, where that needs to be said.
    pub reason: Option<PaymentReason>,
    /// ISO 4217.
    pub currency: String,
    /// What is to be held.
    pub hold: Money,
    /// What was held.
    pub held: Money,
    /// What was taken.
    pub captured: Money,
    /// What was given back of what was held.
    pub released: Money,
    /// What was given back of what was taken.
    pub refunded: Money,
    /// What the driver's bank claims back.
    pub disputed: Money,
    /// What was due and not taken.
    pub written_off: Money,
    /// The idTag that the station is given, folded.
    pub id_tag: String,
    /// The command that starts the charge.
    pub command_id: Option<String>,
    /// Key of the charge's session.
    pub session_id: Option<String>,
    /// The CDR that is accounted for.
    pub cdr_seq: Option<i64>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// When it is to be looked at without being told.
    pub next_at: Option<Timestamp>,
    /// Everything else.
    pub details: Json<PaymentDetails>,
}

impl Payment {
    /// Who sells.
    ///
    /// # Errors
    /// When the row holds something else.
    pub fn party(&self) -> DbResult<PartyId> {
        PartyId::new(&self.country_code, &self.party_id).map_err(|why| DbError::corrupt("payment", why))
    }

    /// Which station serves it.
    ///
    /// # Errors
    /// When the row holds something else.
    pub fn station(&self) -> DbResult<StationId> {
        StationId::parse(&self.station_id).map_err(|why| DbError::corrupt("payment", why))
    }

    /// What the station and the CDR name the driver by: a token of one use, of the one who sells (OCPI 2.2.1
    /// mod_tokens, `AD_HOC_USER`).
    ///
    /// # Errors
    /// When the row holds something else.
    pub fn token(&self) -> DbResult<Token> {
        Ok(Token {
            party: self.party()?,
            uid: self.id_tag.as_str().into(),
            token_type: TokenType::AdHocUser,
            contract_id: self.id_tag.as_str().into(),
            visual_number: None,
            issuer: "ad hoc".to_owned(),
            group_id: None,
            valid: true,
            whitelist: Whitelist::Never,
            language: Some(self.details.0.language.clone()),
            default_profile_type: None,
            energy_contract: None,
            last_updated: self.created,
            extra: Extra::new(),
        })
    }

    /// By what whoever took the money knows it, where that is a terminal: the session and the CDR repeat it (OCPI 2.3.0
    /// mod_payments, `authorization_reference`).
    #[must_use]
    pub fn authorization_reference(&self) -> Option<CiString> {
        self.details.0.terminal.as_ref().map(|terminal| terminal.reference.clone())
    }

    /// Moves it on, with the reason in place of the one before.
    ///
    /// # Errors
    /// When that is no move from where it stands.
    pub fn move_to(&mut self, next: PaymentState, reason: Option<PaymentReason>) -> Result<(), IllegalMove> {
        self.state.move_to(next)?;
        self.reason = reason;
        self.details.0.failures = 0;
        Ok(())
    }

    /// Begins to give the hold back, on the way to an exit.
    ///
    /// # Errors
    /// When that is no move from where it stands.
    pub fn release(
        &mut self,
        exit: PaymentState,
        reason: PaymentReason,
        now: Timestamp,
    ) -> Result<(), IllegalMove> {
        self.move_to(PaymentState::Releasing, Some(reason))?;
        self.details.0.exit = Some(exit);
        self.next_at = Some(now);
        Ok(())
    }

    /// Wishes the charge stopped; the first wish counts.
    pub fn wish_stop(&mut self, cause: StopCause, now: Timestamp) {
        if self.details.0.stop.is_none() {
            self.details.0.stop = Some(StopWish { cause, at: now, tries: 0 });
        }
        self.next_at = Some(now);
    }
}

/// Links a charge that a station began with the idTag of a payment: one that was waited for goes on, any other is to be
/// stopped and is never charged for.
///
/// # Errors
/// When the database fails.
pub fn link_charge(
    conn: &mut DbConn,
    mut payment: Payment,
    session_id: &str,
    waited_for: bool,
    now: Timestamp,
) -> DbResult<()> {
    if waited_for {
        payment.move_to(PaymentState::Charging, None).map_err(|error| DbError::corrupt("payment", error))?;
        payment.session_id = Some(session_id.to_owned());
        payment.next_at = Some(now);
    } else {
        if payment.session_id.is_some() {
            return Ok(());
        }
        payment.session_id = Some(session_id.to_owned());
        payment.wish_stop(StopCause::NotPaidFor, now);
    }
    payment.last_updated = now;
    update(conn, &payment)
}

/// Adds a payment.
///
/// # Errors
/// A unique violation when its key is there already.
pub fn insert(conn: &mut DbConn, payment: &Payment) -> DbResult<()> {
    diesel::insert_into(payments::table).values(payment).execute(conn)?;
    Ok(())
}

/// Writes a payment in place of the one that is there.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut DbConn, payment: &Payment) -> DbResult<()> {
    diesel::update(payments::table.find(&payment.id)).set(payment).execute(conn)?;
    Ok(())
}

/// One payment.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &str) -> DbResult<Option<Payment>> {
    Ok(payments::table.find(id).select(Payment::as_select()).first(conn).optional()?)
}

/// The payment of a driver's key, by its hash.
///
/// # Errors
/// When the database fails.
pub fn by_key(conn: &mut DbConn, key_hash: &str) -> DbResult<Option<Payment>> {
    Ok(payments::table
        .filter(payments::key_hash.eq(key_hash))
        .select(Payment::as_select())
        .first(conn)
        .optional()?)
}

/// The payment that a station knows by that idTag, folded.
///
/// # Errors
/// When the database fails.
pub fn by_id_tag(conn: &mut DbConn, id_tag: &str) -> DbResult<Option<Payment>> {
    Ok(payments::table
        .filter(payments::id_tag.eq(id_tag))
        .select(Payment::as_select())
        .first(conn)
        .optional()?)
}

/// The payment that a provider knows by that id.
///
/// # Errors
/// When the database fails.
pub fn by_intent(conn: &mut DbConn, provider: &str, intent_id: &str) -> DbResult<Option<Payment>> {
    Ok(payments::table
        .filter(payments::provider.eq(provider))
        .filter(payments::intent_id.eq(intent_id))
        .select(Payment::as_select())
        .first(conn)
        .optional()?)
}
