//! Use cases on partners: who is told what, what they tell us, and what is asked of them. Knows no protocol: the
//! way to a partner is the trait [`PartnerLink`].

pub mod catalogue;
pub mod commands;
pub mod grant;
pub mod link;
pub mod origin;
pub mod reconcile;
pub mod receive;
pub mod serve;

pub use link::{PartnerCallError, PartnerLink};
