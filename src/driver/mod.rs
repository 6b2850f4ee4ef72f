//! Use cases of drivers: where they can charge and what it costs, whose drivers they are, their charges at our
//! stations and at partners', and their receipts. Apps speak for them; a driver has no password here.

pub mod access;
pub mod apps;
pub mod bill;
pub mod erase;
pub mod gate;
pub mod oidc;
pub mod orders;
pub mod places;
pub mod prices;
pub mod receipts;
