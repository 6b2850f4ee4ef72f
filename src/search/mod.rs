//! Where one can charge, in memory: every location that may be shown to drivers, ours and our partners', found by
//! place and filter without asking the database.
//!
//! Pure: no I/O and no clock. A [`Snapshot`] is never changed. Whoever keeps it up to date (`jobs::search`) makes a
//! new one, which shares with the old one all that stayed, and puts it in its place; a reader goes on with the one
//! that it took and waits for nobody.
//!
//! Degrees and metres are floating-point numbers here ([`geo`], [`cluster`]): nothing in them is money or energy.

pub mod cluster;
mod columns;
pub mod filter;
pub mod find;
pub mod geo;
pub mod opening;
pub mod place;
mod snapshot;

pub use cluster::{Cluster, Clustered};
pub use filter::{Filter, Payment};
pub use find::{Area, Cursor, Found, Hit, Query};
pub use geo::{GeoBox, Point};
pub use opening::{Moment, Opening};
pub use place::{Outlet, Place, Spot};
pub use snapshot::Snapshot;

use std::sync::Arc;
use tokio::sync::watch;

/// The index of a node. Cheap to clone; clones show the same.
#[derive(Debug, Clone)]
pub struct Search {
    current: Arc<watch::Sender<Arc<Snapshot>>>,
}

impl Default for Search {
    fn default() -> Self {
        Self { current: Arc::new(watch::Sender::new(Arc::default())) }
    }
}

impl Search {
    /// What there is now.
    #[must_use]
    pub fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.borrow())
    }

    /// Puts another snapshot in the place of the one that is there.
    pub fn show(&self, snapshot: Arc<Snapshot>) {
        self.current.send_replace(snapshot);
    }
}
