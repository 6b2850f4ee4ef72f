//! What apps of drivers reach over HTTP.
#![allow(clippy::float_arithmetic)]

mod access;
mod charging;

mod documented;
mod follow;
mod limits;
mod oidc;
mod openapi;
mod partners;
mod phone;
mod places;
mod prices;
mod receipts;
mod search;
mod station;
