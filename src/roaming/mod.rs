//! Use cases on partners: who is told what, what they tell us, and what is asked of them. Knows no protocol: the
//! way to a partner is the trait [`PartnerLink`].

pub mod accept;
pub mod assign;
pub mod catalogue;
pub mod check;
pub mod commands;
pub mod delivery;
pub mod desk;
pub mod due;
pub mod goods;
pub mod grant;
pub mod held;
pub mod link;
pub mod origin;
pub mod receive;
pub mod reconcile;
pub mod registration;
pub mod serve;
pub mod spread;
pub mod sync;
pub mod verify;

pub use link::{PartnerCallError, PartnerLink};
