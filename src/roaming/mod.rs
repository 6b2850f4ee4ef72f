//! Use cases on partners: who is told what, what they tell us, and what is asked of them. Knows no protocol: the
//! way to a partner is the trait [`PartnerLink`].

pub mod catalogue;
pub mod commands;
pub mod link;
pub mod origin;
pub mod reconcile;

pub use link::{PartnerCallError, PartnerLink};
