//! Open streams of server-sent events (WHATWG HTML, 9.2): pages and apps that follow a charge as it goes on.
//!
//! One task hears all news of the node and wakes only the streams that they concern, so that a thousand open streams
//! cost no more than the changes that they show. A stream looks, sends what is new, and sleeps until it is woken. It
//! looks again only when the piece before was taken, so that a slow reader holds one piece and no backlog. After a
//! silence it looks by itself, since another process may have written.

mod stream;
mod watch;

pub use stream::{Next, Teller, answer, event};
pub use watch::{Live, Place, TooMany, Topic, run};
