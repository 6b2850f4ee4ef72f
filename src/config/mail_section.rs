//! The settings of mail. `config/default.toml` says what each is for and when to change it.

use super::reader::Section;
use super::secret::Secret;
use super::sections::{DAY, HOUR};
use lettre::message::Mailbox;
use std::time::Duration;
use url::Url;

/// Section `[mail]`.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server that takes mail from us; none where none is sent.
    pub url: Option<Url>,
    /// Who we are to it; empty where it does not ask.
    pub user: String,
    /// How we prove it.
    pub password: Secret,
    /// Whose mail it is.
    pub from: Option<Mailbox>,
    /// Wait before the first repetition of a mail that failed.
    pub retry_first: Duration,
    /// For how long a mail is tried.
    pub give_up_after: Duration,
}

impl MailConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let config = Self {
            url: section.text("url", server),
            user: section.text("user", plain),
            password: section.secret("password"),
            from: section.text("from", mailbox),
            retry_first: section.duration("retry_first", Duration::from_millis(10)..=HOUR),
            give_up_after: section.duration("give_up_after", Duration::from_secs(1)..=DAY * 30),
        };
        // Told without the address, which may hold a password.
        if config.url.as_ref().is_some_and(|url| !url.username().is_empty() || url.password().is_some()) {
            section.wrong("url", "holds a user or a password", "they are set by mail.user and mail.password");
        }
        if config.url.is_some() && config.from.is_none() {
            section.wrong("from", "is missing", "mail.url is set, so say whose mail it is");
        }
        config
    }
}

fn plain(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("holds a control character".to_owned());
    }
    Ok(text.to_owned())
}

fn server(text: &str) -> Result<Option<Url>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let good = matches!(url.scheme(), "smtps" | "smtp" | "smtp+plain") && url.host_str().is_some();
    if good {
        return Ok(Some(url));
    }
    Err("it is no smtps://HOST (TLS), smtp://HOST (STARTTLS) or smtp+plain://HOST (no encryption)".to_owned())
}

fn mailbox(text: &str) -> Result<Option<Mailbox>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let wanted =
        || "write an address like receipts@example.org, or \"Name <receipts@example.org>\"".to_owned();
    text.parse().map(Some).map_err(|_| wanted())
}
