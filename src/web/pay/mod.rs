//! The pages of a driver without contract: the code at a charging point leads to the price, from there to the payment,
//! the charge as it goes on, and the receipt.
//!
//! Pages are made here and need no script, but for the payment provider's own form: every step is a link or a form,
//! and what changes by itself is loaded again. With the script, figures are live. [`layout`] is what all pages have in
//! common, [`texts`] what they say, [`words`] how they say what a payment's state means.

mod assets;
mod charge;
mod events;
mod failure;
mod layout;
mod offer;
mod receipt;
mod texts;
mod words;

use actix_web::middleware::Compress;
use actix_web::web::{FormConfig, QueryConfig, ServiceConfig, get, post, scope};
use failure::Failed;

/// The routes of the pages.
pub(super) fn configure(service: &mut ServiceConfig) {
    service.service(
        scope("/pay")
            .wrap(Compress::default())
            .app_data(QueryConfig::default().error_handler(|_, request| Failed::unreadable(request).into()))
            .app_data(FormConfig::default().error_handler(|_, request| Failed::unreadable(request).into()))
            .route("/assets/{name}", get().to(assets::asset))
            .route("/charge/{key}", get().to(charge::show))
            .route("/charge/{key}/back", get().to(charge::back))
            .route("/charge/{key}/stop", post().to(charge::stop))
            .route("/charge/{key}/email", post().to(charge::email))
            .route("/charge/{key}/events", get().to(events::events))
            .route("/charge/{key}/receipt", get().to(receipt::page))
            .route("/charge/{key}/receipt.pdf", get().to(receipt::pdf))
            .route("/{evse}", get().to(offer::show))
            .route("/{evse}", post().to(offer::begin)),
    );
}
