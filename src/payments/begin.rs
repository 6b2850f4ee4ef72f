//! How a payment begins: it is written, then the provider is asked to make ready to hold the amount, and the page gets
//! what it needs to let the driver pay.

use super::minor::{from_minor, to_minor};
use super::offer::{Availability, Looked, NotOffered, Offer, OfferedConnector, find};
use super::provider::{HoldRequest, PaymentProvider, ProviderHold};
use super::view::{PaymentView, view_of};
use super::{PaymentError, change, delta, of_id, of_key};
use crate::app::App;
use crate::db::payment_operations::{self as operations, Intended};
use crate::db::payments::{self, Payment, PaymentDetails};
use crate::db::types::Json;
use crate::domain::payment::{OperationKind, OperationState, PaymentReason, PaymentState};
use crate::domain::{CiString, Money, Timestamp};
use crate::security::new_secret;
use std::sync::Arc;

/// Fewest characters of a nonce: 128 random bits in letters that fit into a URL.
const NONCE_LENGTH: usize = 22;

/// What a driver wants to pay for.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The EVSE, by its `evse_id` or `uid`.
    pub evse: String,
    /// The connector; may be missing where there is only one.
    pub connector: Option<CiString>,
    /// The language of the driver's pages, ISO 639-1.
    pub language: String,
    /// Where the receipt is to be sent.
    pub email: Option<String>,
    /// Made at random by the page that was shown ([`new_nonce`]): the same again is the same payment.
    pub nonce: String,
}

/// A payment that began.
#[derive(Clone)]
pub struct Begun {
    /// By which the driver comes back; it cannot be guessed, and is not kept here.
    pub key: String,
    /// What the page needs to let the driver pay; none when that is over already.
    pub page: Option<PageNeeds>,
    /// How it stands.
    pub view: PaymentView,
}

/// What a page needs to let a driver pay. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct PageNeeds {
    /// The provider's name, e.g. `stripe`.
    pub provider: &'static str,
    /// The provider's script.
    pub script_url: String,
    /// By what the page is known to the provider; no secret.
    pub publishable_key: String,
    /// From where the script loads more, and whom it asks: what the page must allow (Content Security Policy).
    pub origins: Vec<String>,
    /// The account that sells, if not that of the key.
    pub account: Option<String>,
    /// The secret of this payment, for its driver alone.
    pub client_secret: String,
}

impl std::fmt::Debug for PageNeeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageNeeds").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").field("payment", &self.view.id).finish_non_exhaustive()
    }
}

/// A nonce for a page that is about to be shown.
#[must_use]
pub fn new_nonce() -> String {
    new_secret()
}

/// Begins a payment. Nothing is held before the driver has paid on the page. The same nonce again is the same payment,
/// with the same key: a page that is sent twice pays once.
///
/// # Errors
/// When nothing is offered there, the charging point cannot be used, the amount held would not do, or the provider has
/// no good answer. Then it can be tried again with the same nonce.
pub async fn begin(app: &Arc<App>, wanted: Begin) -> Result<Begun, PaymentError> {
    let provider = app.payments.provider().ok_or(NotOffered::NoProvider)?;
    if wanted.nonce.len() < NONCE_LENGTH {
        return Err(PaymentError::Input {
            field: "nonce",
            wanted: "the nonce of the page is missing; load it again",
        });
    }
    let email = wanted.email.as_deref().map(checked_email).transpose()?.flatten();
    // From the nonce and a secret of ours: it need not be kept to be told again.
    let key = app.keys.hash(&format!("payment of nonce {}", wanted.nonce));
    let hash = app.keys.hash(&key);
    let known = {
        let hash = hash.clone();
        app.db.read(move |conn| payments::by_key(conn, &hash)).await?
    };
    let id = match known {
        Some(payment) => payment.id,
        None => create(app, provider.name(), &wanted, email, hash).await?,
    };
    let lock = app.payments.lock(&id);
    let _alone = lock.lock().await;
    let payment = of_id(app, &id).await?;
    if payment.state == PaymentState::Created && payment.intent_id.is_none() {
        authorise(app, provider.as_ref(), &payment).await?;
    }
    let payment = of_id(app, &id).await?;
    Ok(Begun { key, page: needs(app, &payment)?, view: view_of(app, payment).await? })
}

/// What the page of a payment needs to let its driver pay; none once that is over.
///
/// # Errors
/// When there is no such payment, or the database fails.
pub async fn page_needs(app: &App, key: &str) -> Result<Option<PageNeeds>, PaymentError> {
    let payment = of_key(app, key).await?;
    needs(app, &payment)
}

fn needs(app: &App, payment: &Payment) -> Result<Option<PageNeeds>, PaymentError> {
    let Some(provider) = app.payments.provider() else { return Ok(None) };
    let sealed = payment.details.0.client_secret_sealed.as_ref();
    let (PaymentState::Created, Some(sealed)) = (payment.state, sealed) else { return Ok(None) };
    let setup = provider.page();
    Ok(Some(PageNeeds {
        provider: provider.name(),
        script_url: setup.script_url,
        publishable_key: setup.publishable_key,
        origins: setup.origins,
        account: payment.account.clone(),
        client_secret: app.keys.open(sealed)?,
    }))
}

/// An address for mail, trimmed; none where it is empty. It is only looked at roughly: whether it is right shows when
/// mail is sent.
///
/// # Errors
/// When it is clearly none.
pub(super) fn checked_email(text: &str) -> Result<Option<String>, PaymentError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let good = text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"()".contains(c))
        && text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !host.contains('@')
        });
    if good {
        Ok(Some(text.to_owned()))
    } else {
        Err(PaymentError::Input { field: "email", wanted: "an address like name@example.com is wanted" })
    }
}

/// What is written of a new payment beside what was looked up.
pub(super) struct NewPayment {
    pub(super) key_hash: String,
    pub(super) provider: &'static str,
    pub(super) language: String,
    pub(super) email: Option<String>,
    pub(super) pay_by: Timestamp,
    /// Made outside of the write, which may run twice.
    pub(super) random: String,
}

impl NewPayment {
    pub(super) fn row(&self, offer: &Offer, offered: &OfferedConnector, now: Timestamp) -> Payment {
        let language: String = self.language.chars().filter(char::is_ascii_alphabetic).take(2).collect();
        Payment {
            id: id_at(now),
            key_hash: self.key_hash.clone(),
            country_code: offer.location.party.country_code().to_owned(),
            party_id: offer.location.party.party_id().to_owned(),
            location_id: offer.location.id.to_string(),
            evse_uid: offer.evse.uid.key(),
            connector_id: offered.connector.id.to_string(),
            station_id: offered.station_id.to_string(),
            connector: offered.number,
            provider: self.provider.to_owned(),
            account: offer.merchant.account.clone(),
            intent_id: None,
            state: PaymentState::Created,
            reason: None,
            currency: offered.currency.clone(),
            hold: offered.hold,
            held: Money::ZERO,
            captured: Money::ZERO,
            released: Money::ZERO,
            refunded: Money::ZERO,
            disputed: Money::ZERO,
            written_off: Money::ZERO,
            id_tag: self.random.clone(),
            command_id: None,
            session_id: None,
            cdr_seq: None,
            created: now,
            last_updated: now,
            next_at: Some(self.pay_by),
            details: Json(PaymentDetails {
                language: if language.len() == 2 { language.to_ascii_lowercase() } else { "en".to_owned() },
                email: self.email.clone(),
                tariff: offered.tariff.clone(),
                client_secret_sealed: None,
                pay_by: self.pay_by,
                connect_by: None,
                capture_before: None,
                exit: None,
                due: None,
                due_before_cdr: false,
                receipt: None,
                stop: None,
                failures: 0,
                trouble: None,
                looked_at: None,
                authorised_at: None,
                captured_at: None,
                refunds_told: false,
                terminal: None,
            }),
        }
    }
}

/// An idTag that no other payment has: 72 random bits in 20 characters, as many as OCPP 1.6 allows.
pub(super) fn new_id_tag() -> String {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    let random: String =
        bytes.iter().filter(|byte| **byte != 0).take(9).map(|byte| format!("{byte:02x}")).collect();
    format!("ah{random}")
}

/// An id that rises with time (UUID version 7).
fn id_at(now: Timestamp) -> String {
    let at = now.utc();
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    let stamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, at.timestamp_subsec_nanos());
    uuid::Uuid::new_v7(stamp).to_string()
}

/// The connector that is meant, if it can be used now.
pub(super) fn usable<'o>(
    offer: &'o Offer,
    connector: Option<&CiString>,
) -> Result<&'o OfferedConnector, PaymentError> {
    let offered = offer.connector(connector).ok_or(PaymentError::Input {
        field: "connector",
        wanted: "one of the connectors of the charging point is wanted",
    })?;
    if offered.availability != Availability::Free {
        return Err(PaymentError::Unavailable(offered.availability));
    }
    Ok(offered)
}

/// Writes the payment; its id.
async fn create(
    app: &App,
    provider: &'static str,
    wanted: &Begin,
    email: Option<String>,
    key_hash: String,
) -> Result<String, PaymentError> {
    let offer = super::offer(app, &wanted.evse).await?;
    let offered = usable(&offer, wanted.connector.as_ref())?;
    if !offered.hold_is_enough() {
        return Err(PaymentError::HoldTooSmall);
    }
    let new = NewPayment {
        key_hash,
        provider,
        language: wanted.language.clone(),
        email,
        pay_by: app.now().plus(delta(app.config.payments.pay_within)),
        random: new_id_tag(),
    };
    let (looked, code, connector) =
        (Looked::at(app), CiString::from(wanted.evse.as_str()), wanted.connector.clone());
    let clock = app.clock.clone();
    app.db
        .write(move |conn| {
            // Looked at again: what was shown may have changed, and somebody may have been faster.
            if let Some(known) = payments::by_key(conn, &new.key_hash)? {
                return Ok(known.id);
            }
            let offer = find(conn, &code, &looked)?;
            let offered = usable(&offer, connector.as_ref())?;
            let payment = new.row(&offer, offered, clock.now());
            payments::insert(conn, &payment)?;
            Ok::<_, PaymentError>(payment.id)
        })
        .await
}

/// Asks the provider to make ready to hold the amount.
async fn authorise(app: &App, provider: &dyn PaymentProvider, payment: &Payment) -> Result<(), PaymentError> {
    let (_, operation) = change(app, &payment.id, |conn, payment, now| {
        let intended = Intended {
            payment_id: &payment.id,
            kind: OperationKind::Authorise,
            amount: Some(payment.hold),
            note: None,
            asked_by: None,
        };
        Ok(operations::intend(conn, &intended, now)?)
    })
    .await?;
    let request = HoldRequest {
        payment_id: payment.id.clone(),
        amount: to_minor(payment.hold, &payment.currency)?,
        currency: payment.currency.clone(),
    };
    let answer = provider.authorise(payment.account.as_deref(), &request, &operation.idempotency_key).await;
    match answer {
        Ok(hold) => keep_intent(app, &payment.id, operation.seq, &hold).await,
        Err(error) => {
            tracing::warn!(payment = %payment.id, %error, "the provider did not make ready to hold an amount");
            let refused = error.is_refusal();
            let told = error.to_string();
            change(app, &payment.id, move |conn, payment, now| {
                if refused {
                    let state = OperationState::Refused;
                    operations::finish(conn, operation.seq, state, None, Some(&told), now)?;
                }
                let reason =
                    if refused { PaymentReason::ProviderRefused } else { PaymentReason::ProviderDown };
                payment.reason = Some(reason);
                payment.details.0.trouble = Some(told.clone());
                Ok(())
            })
            .await?;
            Err(error.into())
        }
    }
}

async fn keep_intent(app: &App, id: &str, operation: i64, hold: &ProviderHold) -> Result<(), PaymentError> {
    let sealed = hold.client_secret.as_deref().map(|secret| app.keys.seal(secret)).transpose()?;
    let (intent, amount) = (hold.id.clone(), hold.amount);
    let poll = delta(app.config.payments.poll_interval);
    change(app, id, move |conn, payment, now| {
        operations::finish(conn, operation, OperationState::Done, Some(&intent), None, now)?;
        if payment.intent_id.is_none() {
            payment.intent_id = Some(intent.clone());
            payment.details.0.client_secret_sealed.clone_from(&sealed);
            payment.reason = None;
            payment.details.0.trouble = None;
            payment.next_at = Some(now.plus(poll).min(payment.details.0.pay_by));
        }
        debug_assert_eq!(from_minor(amount, &payment.currency).ok(), Some(payment.hold));
        Ok(())
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_tags_fit_into_ocpp_and_ids_rise() {
        for _ in 0..200 {
            let tag = new_id_tag();
            assert_eq!(tag.len(), 20, "{tag}");
            assert_eq!(tag, tag.to_ascii_lowercase());
        }
        let at = |text: &str| id_at(Timestamp::parse(text).unwrap());
        assert!(at("2026-01-01T00:00:00Z") < at("2026-01-01T00:00:00.001Z"));
    }

    #[test]
    fn addresses_for_mail_are_looked_at_roughly() {
        assert_eq!(checked_email(" a@b.de ").unwrap().as_deref(), Some("a@b.de"));
        assert_eq!(checked_email(" ").unwrap(), None);
        for text in
            ["a", "a@b", "@b.de", "a@.de", "a b@c.de", "a@b.de,c@d.de", "a@b.de\r\nBcc: x@y.z", "a@b@c.de"]
        {
            assert!(checked_email(text).is_err(), "{text}");
        }
    }
}
