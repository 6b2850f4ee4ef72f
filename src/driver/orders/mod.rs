//! What drivers ask for: starts, stops and reservations, at our stations and at partners'. An order is a row before
//! anybody is asked. It has the id of the command that is made of it, which is also the reference by which the session
//! is found later; how it stands is read off the command and the session whenever somebody asks.

mod ask;
mod asking;
mod retention;
mod standing;
mod target;

pub use ask::{cancel, reserve, start, stop};
pub use asking::{Asking, OrderError, ReserveWish, StartWish, TokenWish};
pub use retention::forget_old;
pub use standing::{OrderState, Standing, standing};
