//! Playing a site's sessions again: under another connection, another policy.
//!
//! - [`sessions`] reads them, in formats of ours and of ACN-Sim ([`acn`]);
//! - [`policies`] are the ways to share: ours, and what others do;
//! - [`live`] has a simulator drive our decisions;
//! - [`run`] plays, and [`score`] says what came of it.

pub mod acn;
pub mod live;
pub mod policies;
pub mod run;
pub mod score;
pub mod sessions;

pub use policies::Policy;
pub use run::{Setting, replay};
pub use score::Score;
pub use sessions::{Session, SessionsError};
