//! Receipts by mail: the text in the mail, the PDF with it. A mail is asked for in a row, sent by [`send_due`], and
//! tried again until the server takes it or too much time has passed.

use super::words::Words;
use super::{Document, pdf};
use crate::app::App;
use crate::config::MailConfig;
use crate::db::receipt_mails::{self, ReceiptMail};
use crate::db::{DbError, DbResult};
use crate::domain::Timestamp;
use crate::paper::PaperError;
use crate::payments::receipt::of_payment;
use crate::payments::{PaymentError, delta};
use crate::pricing::describe::Language;
use lettre::address::AddressError;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;

/// So many are sent in one go.
const BATCH: i64 = 20;
/// How long the server may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A mail waits no longer than that for its next try.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Why a mail cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No server is set.
    #[error("no mail server is set (mail.url)")]
    Off,
    /// There is no receipt.
    #[error("there is no receipt")]
    NoReceipt,
    /// The address is none.
    #[error("the address is wrong")]
    Address(#[from] AddressError),
    /// The mail cannot be put together.
    #[error("the mail cannot be put together")]
    Message(#[from] lettre::error::Error),
    /// The server cannot be reached, or refuses.
    #[error("the mail server does not take it")]
    Server(#[from] lettre::transport::smtp::Error),
    /// The PDF cannot be made.
    #[error(transparent)]
    Paper(#[from] PaperError),
    /// The receipt cannot be made.
    #[error(transparent)]
    Payment(#[from] PaymentError),
}

impl MailError {
    /// Whether trying again is of no use.
    fn is_final(&self) -> bool {
        match self {
            Self::Server(error) => error.is_permanent(),
            Self::Address(_) | Self::Message(_) => true,
            Self::Off | Self::NoReceipt | Self::Paper(_) | Self::Payment(_) => false,
        }
    }
}

/// Sends the mails whose time has come, and returns when the next one is due.
///
/// # Errors
/// When the database fails. That a mail cannot be sent is written beside it.
pub async fn send_due(app: &App) -> DbResult<Option<Timestamp>> {
    if app.config.mail.url.is_none() {
        return Ok(None);
    }
    loop {
        let now = app.now();
        let due = app.db.read(move |conn| receipt_mails::due(conn, now, BATCH)).await?;
        if due.is_empty() {
            return app.db.read(receipt_mails::next_due).await;
        }
        for mail in due {
            let sent = send(app, &mail).await;
            finish(app, mail, sent).await?;
        }
    }
}

async fn send(app: &App, mail: &ReceiptMail) -> Result<(), MailError> {
    let receipt = of_payment(app, &mail.payment_id).await?.ok_or(MailError::NoReceipt)?;
    let language: Language = receipt.language.parse().unwrap_or_default();
    let document = Document::new(&receipt, language);
    let message = message(&app.config.mail, &mail.address, &document)?;
    transport(&app.config.mail)?.send(message).await?;
    Ok(())
}

/// Writes what became of a mail.
async fn finish(app: &App, mut mail: ReceiptMail, sent: Result<(), MailError>) -> Result<(), DbError> {
    let (config, now) = (&app.config.mail, app.now());
    mail.tries = mail.tries.saturating_add(1);
    match sent {
        Ok(()) => {
            tracing::info!(payment = %mail.payment_id, "receipt sent");
            mail.sent_at = Some(now);
            mail.next_at = None;
            mail.note = None;
        }
        Err(error) => {
            let why = crate::http::with_causes(&error);
            let over = error.is_final() || now >= mail.asked_at.plus(delta(config.give_up_after));
            let doubled =
                1_u32.checked_shl(u32::try_from(mail.tries.clamp(1, 20)).unwrap_or(1).saturating_sub(1));
            let wait = config.retry_first.saturating_mul(doubled.unwrap_or(1)).min(LONGEST_WAIT);
            mail.next_at = (!over).then(|| now.plus(delta(wait)));
            tracing::warn!(payment = %mail.payment_id, tries = mail.tries, over, error = why, "a receipt was not sent");
            mail.note = Some(why);
        }
    }
    app.db.write(move |conn| receipt_mails::update(conn, &mail)).await
}

/// The mail of a receipt.
fn message(config: &MailConfig, address: &str, document: &Document) -> Result<Message, MailError> {
    let from = config.from.clone().ok_or(MailError::Off)?;
    let words = Words::of(document.language);
    let operator = document.issuer.first().map_or("", String::as_str);
    let number = document.facts.first().map_or("", |(_, number)| number);
    let subject = words.mail_subject.replace("{number}", number).replace("{operator}", operator);
    let printed = Attachment::new(format!("{}.pdf", document.title.replace(['/', ' '], "-")))
        .body(pdf::pdf(document)?, ContentType::parse("application/pdf").map_err(|_| PaperError)?);
    let body = MultiPart::mixed().singlepart(SinglePart::plain(document.to_text())).singlepart(printed);
    let mail = Message::builder().from(from).to(lettre::message::Mailbox::new(None, address.parse()?));
    Ok(mail.subject(subject).multipart(body)?)
}

/// The way to the server.
fn transport(config: &MailConfig) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let url = config.url.as_ref().ok_or(MailError::Off)?;
    let host = url.host_str().unwrap_or_default();
    let mut builder = match url.scheme() {
        "smtp+plain" => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host),
        "smtp" => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(587)
            .tls(Tls::Required(TlsParameters::new(host.to_owned())?)),
        _ => AsyncSmtpTransport::<Tokio1Executor>::relay(host)?,
    };
    if let Some(port) = url.port() {
        builder = builder.port(port);
    }
    if !config.user.is_empty() {
        builder =
            builder.credentials(Credentials::new(config.user.clone(), config.password.reveal().to_owned()));
    }
    Ok(builder.timeout(Some(TIMEOUT)).build())
}
