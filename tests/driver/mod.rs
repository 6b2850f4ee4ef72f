//! What apps of drivers reach over HTTP.
#![allow(clippy::float_arithmetic)]

mod access;
mod bad_input;
mod charging;
mod cors;
mod documented;
mod erase;
mod follow;
mod limits;
mod oidc;
mod openapi;
mod orders_kept;
mod partners;
mod phone;
mod places;
mod prices;
mod receipts;
mod revoked;
mod search;
mod station;
