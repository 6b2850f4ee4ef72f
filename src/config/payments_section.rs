//! The settings of ad hoc payments. `config/default.toml` says what each is for and when to change it.

use super::reader::Section;
use super::secret::Secret;
use super::sections::{DAY, HOUR, SECOND};
use rust_decimal::Decimal;
use std::time::Duration;
use url::Url;

/// Who holds and takes money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProviderName {
    /// Nobody: ad hoc payment is not offered.
    #[default]
    None,
    /// Stripe.
    Stripe,
}

/// How much is held in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// ISO 4217.
    pub currency: String,
    /// In units of the currency.
    pub amount: Decimal,
}

/// Section `[payments]`.
#[derive(Debug, Clone)]
pub struct PaymentsConfig {
    /// Who holds and takes money.
    pub provider: ProviderName,
    /// How much is held, by currency.
    pub holds: Vec<Hold>,
    /// How long a driver has to pay.
    pub pay_within: Duration,
    /// How long a driver has to plug in.
    pub connect_timeout: Duration,
    /// How often a charge is looked at without being told of a meter value.
    pub check_interval: Duration,
    /// How long a charge may go on after it was last looked at, until its stop has worked.
    pub stop_margin: Duration,
    /// How often the provider is asked about what it should have told us by itself.
    pub poll_interval: Duration,
    /// How long a card terminal has to say what it did with a hold.
    pub terminal_confirm_within: Duration,
    /// How long before a hold lapses what is known is taken.
    pub capture_ahead: Duration,
    /// Wait before the first repetition of what failed.
    pub retry_first: Duration,
    /// Longest wait between repetitions.
    pub retry_max: Duration,
    /// How long the provider may take to answer.
    pub request_timeout: Duration,
    /// Where Stripe's API is.
    pub stripe_url: Option<Url>,
    /// Stripe's script for pages.
    pub stripe_script_url: Option<Url>,
    /// What pages are known to Stripe by; no secret.
    pub stripe_publishable_key: String,
    /// What we are known to Stripe by.
    pub stripe_secret_key: Secret,
    /// What Stripe's messages are signed with.
    pub stripe_webhook_secret: Secret,
    /// How old a message of Stripe may be.
    pub stripe_webhook_tolerance: Duration,
}

impl PaymentsConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let least = Duration::from_millis(10);
        let config = Self {
            provider: section.text("provider", |text| match text {
                "" => Ok(ProviderName::None),
                "stripe" => Ok(ProviderName::Stripe),
                _ => Err("write \"stripe\", or \"\" for none".to_owned()),
            }),
            holds: section.text("holds", holds),
            pay_within: section.duration("pay_within", SECOND..=DAY),
            connect_timeout: section.duration("connect_timeout", SECOND..=HOUR),
            check_interval: section.duration("check_interval", least..=HOUR),
            stop_margin: section.duration("stop_margin", Duration::ZERO..=HOUR),
            poll_interval: section.duration("poll_interval", least..=HOUR),
            terminal_confirm_within: section.duration("terminal_confirm_within", SECOND..=DAY * 31),
            capture_ahead: section.duration("capture_ahead", SECOND..=DAY * 3),
            retry_first: section.duration("retry_first", least..=HOUR),
            retry_max: section.duration("retry_max", least..=DAY),
            request_timeout: section.duration("request_timeout", least..=HOUR),
            stripe_url: section.text("stripe_url", address),
            stripe_script_url: section.text("stripe_script_url", address),
            stripe_publishable_key: section.text("stripe_publishable_key", |text| {
                let good = text.is_empty() || text.starts_with("pk_");
                if good { Ok(text.to_owned()) } else { Err("it begins with pk_".to_owned()) }
            }),
            stripe_secret_key: section.secret("stripe_secret_key"),
            stripe_webhook_secret: section.secret("stripe_webhook_secret"),
            stripe_webhook_tolerance: section.duration("stripe_webhook_tolerance", SECOND..=DAY),
        };
        if config.provider == ProviderName::Stripe {
            let needs = [
                ("stripe_publishable_key", config.stripe_publishable_key.is_empty()),
                ("stripe_secret_key", config.stripe_secret_key.is_empty()),
                ("stripe_webhook_secret", config.stripe_webhook_secret.is_empty()),
            ];
            for (key, missing) in needs {
                if missing {
                    section.wrong(key, "is missing", "payments.provider is \"stripe\", which needs it");
                }
            }
        }
        config
    }

    /// How much is held in a currency; nothing where none is set.
    #[must_use]
    pub fn hold_in(&self, currency: &str) -> Option<Decimal> {
        self.holds.iter().find(|hold| hold.currency == currency).map(|hold| hold.amount)
    }
}

fn holds(text: &str) -> Result<Vec<Hold>, String> {
    const WANTED: &str = "write amounts above 0 in currencies, like \"EUR 60, CHF 60.00\"";
    let one = |text: &str| {
        let (currency, amount) = text.trim().split_once(' ')?;
        let good = currency.len() == 3 && currency.bytes().all(|letter| letter.is_ascii_uppercase());
        let amount: Decimal = amount.trim().parse().ok()?;
        let good = good && amount > Decimal::ZERO && amount <= Decimal::from(1_000_000);
        good.then(|| Hold { currency: currency.to_owned(), amount })
    };
    text.split(',').map(|text| one(text).ok_or_else(|| WANTED.to_owned())).collect()
}

fn address(text: &str) -> Result<Option<Url>, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let good = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    if good { Ok(Some(url)) } else { Err("it is no http:// or https:// address".to_owned()) }
}
