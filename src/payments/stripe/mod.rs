//! Stripe as a payment provider: PaymentIntents with `capture_method=manual`, so that an amount is held first and taken
//! later (docs.stripe.com, "Place a hold on a payment method"), only by card, which can be held.
//!
//! A party sells on its own connected account with direct charges (`Stripe-Account`): it is the merchant that the
//! driver's statement and receipt name, and refunds, disputes and fees are its own. A party without an account sells on
//! the account of the configured key.
//!
//! Every call that changes something carries an idempotency key; repeated with it, it is done once. A refund also
//! carries it as metadata, by which it is found again.

mod client;
mod objects;
mod webhook;

use super::provider::{
    HoldRef, HoldRequest, Minor, PageSetup, PaymentProvider, ProviderDispute, ProviderError, ProviderEvent,
    ProviderHold, ProviderRefund, WebhookError,
};
use crate::config::{PaymentsConfig, Secret};
use crate::domain::Timestamp;
use async_trait::async_trait;
use client::{Call, Client};
use objects::{Dispute, Intent, List, Refund, refunds_of};
use std::time::Duration;

pub use client::StripeError;

/// The word by which payments name it.
pub const NAME: &str = "stripe";
/// The metadata by which Stripe keeps our id of a payment.
const PAYMENT: &str = "metadata[payment]";
/// The metadata by which a refund is found again.
const OPERATION: &str = "metadata[operation]";

/// Stripe.
pub struct Stripe {
    client: Client,
    page: PageSetup,
    webhook_secret: Secret,
    tolerance: Duration,
}

/// Stripe's script loads frames from hosts of its own beside the script's, and asks its API.
fn origins(config: &PaymentsConfig) -> Vec<String> {
    let urls = [&config.stripe_script_url, &config.stripe_url];
    let mut origins: Vec<String> =
        urls.into_iter().flatten().map(|url| url.origin().ascii_serialization()).collect();
    if config.stripe_script_url.as_ref().and_then(|url| url.host_str()) == Some("js.stripe.com") {
        origins.extend(["https://*.js.stripe.com", "https://hooks.stripe.com"].map(str::to_owned));
    }
    origins.dedup();
    origins
}

impl Stripe {
    /// As it is configured.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: &PaymentsConfig) -> Result<Self, StripeError> {
        Ok(Self {
            client: Client::new(config)?,
            page: PageSetup {
                script_url: config.stripe_script_url.as_ref().map(ToString::to_string).unwrap_or_default(),
                publishable_key: config.stripe_publishable_key.clone(),
                origins: origins(config),
            },
            webhook_secret: config.stripe_webhook_secret.clone(),
            tolerance: config.stripe_webhook_tolerance,
        })
    }
}

#[async_trait]
impl PaymentProvider for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn page(&self) -> PageSetup {
        self.page.clone()
    }

    async fn authorise(
        &self,
        account: Option<&str>,
        request: &HoldRequest,
        key: &str,
    ) -> Result<ProviderHold, ProviderError> {
        let form = [
            ("amount", request.amount.0.to_string()),
            ("currency", request.currency.to_ascii_lowercase()),
            ("capture_method", "manual".to_owned()),
            ("payment_method_types[]", "card".to_owned()),
            (PAYMENT, request.payment_id.clone()),
        ];
        let call = Call::post("/v1/payment_intents", account, key).with(&form);
        self.client.call::<Intent>(call).await?.hold()
    }

    async fn fetch(&self, hold: HoldRef<'_>) -> Result<ProviderHold, ProviderError> {
        let path = format!("/v1/payment_intents/{}", hold.id);
        let call = Call::get(&path, hold.account).with(&[("expand[]", "latest_charge".to_owned())]);
        self.client.call::<Intent>(call).await?.hold()
    }

    async fn capture(
        &self,
        hold: HoldRef<'_>,
        amount: Minor,
        key: &str,
    ) -> Result<ProviderHold, ProviderError> {
        let path = format!("/v1/payment_intents/{}/capture", hold.id);
        let form = [("amount_to_capture", amount.0.to_string())];
        self.client.call::<Intent>(Call::post(&path, hold.account, key).with(&form)).await?.hold()
    }

    async fn release(&self, hold: HoldRef<'_>, key: &str) -> Result<ProviderHold, ProviderError> {
        let path = format!("/v1/payment_intents/{}/cancel", hold.id);
        self.client.call::<Intent>(Call::post(&path, hold.account, key)).await?.hold()
    }

    async fn refund(
        &self,
        hold: HoldRef<'_>,
        amount: Minor,
        key: &str,
    ) -> Result<ProviderRefund, ProviderError> {
        let form = [
            ("payment_intent", hold.id.to_owned()),
            ("amount", amount.0.to_string()),
            (OPERATION, key.to_owned()),
        ];
        // Not repeated here: whoever asks looks first whether it was made.
        let call = Call::post("/v1/refunds", hold.account, key).with(&form).once();
        Ok(self.client.call::<Refund>(call).await?.into())
    }

    async fn refunds(&self, hold: HoldRef<'_>) -> Result<Vec<ProviderRefund>, ProviderError> {
        let held = self.fetch(hold).await?;
        // Stripe gives no more at once; nobody makes a hundred refunds of one payment.
        let query = [("payment_intent", hold.id.to_owned()), ("limit", "100".to_owned())];
        let list =
            self.client.call::<List<Refund>>(Call::get("/v1/refunds", hold.account).with(&query)).await?;
        Ok(refunds_of(&held, list))
    }

    async fn fetch_dispute(&self, account: Option<&str>, id: &str) -> Result<ProviderDispute, ProviderError> {
        let path = format!("/v1/disputes/{id}");
        Ok(self.client.call::<Dispute>(Call::get(&path, account)).await?.into())
    }

    fn verify_webhook(
        &self,
        signature: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<ProviderEvent, WebhookError> {
        webhook::verify(self.webhook_secret.reveal(), signature, body, now, self.tolerance)
    }
}
