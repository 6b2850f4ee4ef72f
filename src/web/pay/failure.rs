//! What a driver sees when there is nothing to show.

use super::layout::Page;
use super::texts::Texts;
use super::words;
use crate::domain::payment::PaymentReason;
use crate::http::with_causes;
use crate::payments::PaymentError;
use crate::payments::code::CodeError;
use crate::payments::provider::ProviderError;
use crate::web::live::TooMany;
use crate::web::pages::language_of;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use maud::html;
use std::fmt;

/// A page that says what went wrong and what to do, in the driver's language.
#[derive(Debug)]
pub(super) struct Failed {
    texts: &'static Texts,
    status: StatusCode,
    heading: &'static str,
    hint: &'static str,
}

impl Failed {
    /// For a use case that failed. What is our fault is logged; the driver is told that it is.
    pub(super) fn new(texts: &'static Texts, error: PaymentError) -> Self {
        let (status, heading, hint) = match &error {
            PaymentError::Unknown | PaymentError::UnknownEvse(_) => {
                (StatusCode::NOT_FOUND, texts.not_found, texts.not_found_hint)
            }
            PaymentError::NotOffered(why) => {
                tracing::warn!(%why, "a driver wanted to pay where it is not offered");
                (StatusCode::NOT_FOUND, texts.cannot_start, texts.not_offered)
            }
            PaymentError::HoldTooSmall => (
                StatusCode::CONFLICT,
                texts.cannot_start,
                words::reason(PaymentReason::HoldTooSmall, texts.language),
            ),
            PaymentError::Unavailable(_) | PaymentError::Conflict(_) => {
                (StatusCode::CONFLICT, texts.cannot_start, texts.something_changed)
            }
            PaymentError::Input { .. } => (StatusCode::BAD_REQUEST, texts.something_failed, texts.load_again),
            PaymentError::Provider(ProviderError::Unreachable(_)) => (
                StatusCode::SERVICE_UNAVAILABLE,
                texts.cannot_start,
                words::reason(PaymentReason::ProviderDown, texts.language),
            ),
            PaymentError::Provider(ProviderError::Refused { .. }) => {
                tracing::error!(error = with_causes(&error), "the payment provider refuses payments");
                let said = words::reason(PaymentReason::ProviderRefused, texts.language);
                (StatusCode::BAD_GATEWAY, texts.cannot_start, said)
            }
            other => return Self::ours(texts, other),
        };
        Self { texts, status, heading, hint }
    }

    /// For what is our fault: the log says what it was.
    pub(super) fn ours(texts: &'static Texts, error: &dyn std::error::Error) -> Self {
        tracing::error!(error = with_causes(error), "a pay page could not be shown");
        Self {
            texts,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            heading: texts.something_failed,
            hint: texts.something_failed_hint,
        }
    }

    /// For a request that cannot be read: no page of ours sends one.
    pub(super) fn unreadable(request: &HttpRequest) -> Self {
        let texts = Texts::of(language_of(request, None));
        Self {
            texts,
            status: StatusCode::BAD_REQUEST,
            heading: texts.something_failed,
            hint: texts.load_again,
        }
    }

    /// For a page that has too many streams open.
    pub(super) fn busy(texts: &'static Texts, too_many: TooMany) -> Self {
        tracing::warn!(%too_many, "the stream of a pay page was not opened");
        Self {
            texts,
            status: StatusCode::TOO_MANY_REQUESTS,
            heading: texts.something_failed,
            hint: texts.load_again,
        }
    }

    /// For a code that leads nowhere.
    pub(super) fn code(texts: &'static Texts, error: CodeError) -> Self {
        match error {
            CodeError::NotOurs => Self {
                texts,
                status: StatusCode::NOT_FOUND,
                heading: texts.not_found,
                hint: texts.not_found_hint,
            },
            CodeError::Over => Self {
                texts,
                status: StatusCode::GONE,
                heading: texts.cannot_start,
                hint: texts.code_expired,
            },
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.heading)
    }
}

impl ResponseError for Failed {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let body = html! {
            h1 { (self.heading) }
            p { (self.hint) }
        };
        Page::plain(self.texts, self.heading, body).with_status(self.status).answer()
    }
}
