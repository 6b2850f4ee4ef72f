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

use actix_web::web::{ServiceConfig, get, post};

/// The routes of the pages.
pub(super) fn configure(service: &mut ServiceConfig) {
    service
        .route("/pay/assets/{name}", get().to(assets::asset))
        .route("/pay/charge/{key}", get().to(charge::show))
        .route("/pay/charge/{key}/back", get().to(charge::back))
        .route("/pay/charge/{key}/stop", post().to(charge::stop))
        .route("/pay/charge/{key}/email", post().to(charge::email))
        .route("/pay/charge/{key}/events", get().to(events::events))
        .route("/pay/charge/{key}/receipt", get().to(receipt::page))
        .route("/pay/charge/{key}/receipt.pdf", get().to(receipt::pdf))
        .route("/pay/{evse}", get().to(offer::show))
        .route("/pay/{evse}", post().to(offer::begin));
}
