//! What the payments need of one who holds and takes money: a method for each flow. Another provider is another
//! folder beside `stripe/`.
//!
//! Amounts are whole numbers of the currency's minor unit. Each call that changes something carries the key of its
//! operation: the same key again is the same operation, whose outcome is told again and which is not done twice.

use crate::domain::Timestamp;
use async_trait::async_trait;

/// An amount as providers take it: a whole number of the currency's minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minor(pub i64);

/// What is to be held.
#[derive(Debug, Clone)]
pub struct HoldRequest {
    /// Our id of the payment, which the provider keeps with it.
    pub payment_id: String,
    /// How much.
    pub amount: Minor,
    /// ISO 4217, in capital letters.
    pub currency: String,
}

/// Which hold at the provider is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldRef<'a> {
    /// The account that sells; none means that of the configured key.
    pub account: Option<&'a str>,
    /// The provider's id.
    pub id: &'a str,
}

/// Where a hold stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// The driver has to do something: name a card, or confirm.
    Open,
    /// The provider is at it.
    Processing,
    /// The amount is held.
    Held,
    /// It was taken, wholly or in part; nothing is held any more.
    Captured,
    /// It was given back, or lapsed, or was never made.
    Cancelled,
}

/// Why a driver's attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptFailure {
    /// The bank declined.
    Declined,
    /// The driver did not confirm with the bank.
    Authentication,
}

/// A hold as the provider shows it now.
#[derive(Debug, Clone)]
pub struct ProviderHold {
    /// The provider's id.
    pub id: String,
    /// Where it stands.
    pub state: HoldState,
    /// What was asked for.
    pub amount: Minor,
    /// What is held now and can be taken.
    pub capturable: Minor,
    /// What was taken.
    pub captured: Minor,
    /// ISO 4217, in capital letters.
    pub currency: String,
    /// Our id, as the provider kept it.
    pub payment_id: Option<String>,
    /// When the hold lapses, if the provider says.
    pub capture_before: Option<Timestamp>,
    /// Why the driver's last attempt failed, if it did.
    pub failure: Option<AttemptFailure>,
    /// What the page needs to go on with it; not told in every answer. Never logged.
    pub client_secret: Option<String>,
}

/// A refund as the provider shows it.
#[derive(Debug, Clone)]
pub struct ProviderRefund {
    /// The provider's id.
    pub id: String,
    /// How much.
    pub amount: Minor,
    /// The key of our operation that made it; none where somebody made it at the provider.
    pub key: Option<String>,
    /// Why it was made, in the provider's words.
    pub reason: Option<String>,
    /// That it failed after all, and why, in the provider's words: the money is still ours.
    pub failure: Option<String>,
}

/// A dispute as the provider shows it.
#[derive(Debug, Clone)]
pub struct ProviderDispute {
    /// The provider's id.
    pub id: String,
    /// The hold that it is about.
    pub hold_id: Option<String>,
    /// How much is claimed back.
    pub amount: Minor,
    /// How it stands.
    pub state: DisputeStand,
}

/// How a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeStand {
    /// The bank asks, and has not taken money back.
    Inquiry,
    /// The money was taken back; it is not decided.
    Open,
    /// The money is ours.
    Won,
    /// The money is the driver's.
    Lost,
}

/// What a message of a provider is about. Only that counts: what it says is read from the provider again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSubject {
    /// A hold, by its id.
    Hold(String),
    /// What was given back of what was taken, by the id of the hold.
    Refunds(String),
    /// A dispute, by its id, and the hold that it is about.
    Dispute(String, Option<String>),
    /// Something that does not concern us.
    Other,
}

/// A message of a provider whose signature was right.
#[derive(Debug, Clone)]
pub struct ProviderEvent {
    /// The provider's id of it: the same message comes more than once.
    pub id: String,
    /// What happened, in the provider's words.
    pub kind: String,
    /// The account it is about, if not that of our key.
    pub account: Option<String>,
    /// When it happened.
    pub made_at: Timestamp,
    /// What it is about.
    pub subject: EventSubject,
}

/// Why a message is not taken. Its sender is not told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// It is not signed, or not by the one who knows the secret.
    #[error("its signature is wrong")]
    Signature,
    /// It is too old, or from the future.
    #[error("its time is too far from ours")]
    Time,
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable,
}

/// Why a call of a provider has no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It could not be reached, or had no time. Whether it did something is not known, if it was to.
    #[error("the payment provider cannot be reached: {0}")]
    Unreachable(String),
    /// It said no, and did nothing.
    #[error("the payment provider refused ({code}): {message}")]
    Refused {
        /// Its word for why.
        code: String,
        /// Its text, for operators.
        message: String,
    },
    /// Its answer cannot be understood. Whether it did something is not known.
    #[error("the answer of the payment provider cannot be understood: {0}")]
    Unreadable(String),
}

impl ProviderError {
    /// Whether it is certain that the provider did nothing.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// What a page needs to let a driver pay, beside the secret of the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetup {
    /// The provider's script.
    pub script_url: String,
    /// By what the page is known to the provider; no secret.
    pub publishable_key: String,
    /// From where the script loads more, and whom it asks: what a page must allow (Content Security Policy).
    pub origins: Vec<String>,
}

/// One who holds and takes money.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// The word by which payments name it.
    fn name(&self) -> &'static str;

    /// What pages need of it.
    fn page(&self) -> PageSetup;

    /// Makes ready to hold an amount on a card that the driver will name.
    async fn authorise(
        &self,
        account: Option<&str>,
        request: &HoldRequest,
        key: &str,
    ) -> Result<ProviderHold, ProviderError>;

    /// Reads a hold.
    async fn fetch(&self, hold: HoldRef<'_>) -> Result<ProviderHold, ProviderError>;

    /// Takes that much of what is held; the rest is given back.
    async fn capture(
        &self,
        hold: HoldRef<'_>,
        amount: Minor,
        key: &str,
    ) -> Result<ProviderHold, ProviderError>;

    /// Gives back all that is held, or ends what was not paid yet.
    async fn release(&self, hold: HoldRef<'_>, key: &str) -> Result<ProviderHold, ProviderError>;

    /// Gives back that much of what was taken. Whoever asks looks first whether it was done under the same key.
    async fn refund(
        &self,
        hold: HoldRef<'_>,
        amount: Minor,
        key: &str,
    ) -> Result<ProviderRefund, ProviderError>;

    /// Every refund of what was taken of a hold, whoever made it, the oldest first. What was never taken is no refund.
    async fn refunds(&self, hold: HoldRef<'_>) -> Result<Vec<ProviderRefund>, ProviderError>;

    /// Reads a dispute.
    async fn fetch_dispute(&self, account: Option<&str>, id: &str) -> Result<ProviderDispute, ProviderError>;

    /// Reads a message whose signature is right, from the exact bytes as they came.
    ///
    /// # Errors
    /// When it is not to be believed.
    fn verify_webhook(
        &self,
        signature: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<ProviderEvent, WebhookError>;
}
