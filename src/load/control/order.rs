//! What goes in and out of the controller: what happened, and what stations are asked.

use super::super::ledger::{Millis, Outcome, Tenths, Wish};
use super::super::outlook::SiteOutlook;
use super::super::rows::Leaf;
use super::grid::GridLimit;

/// Something that happened. Times are by the node's clock.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A station's socket opened.
    Online {
        /// Its place in the site.
        station: usize,
    },
    /// A station booted: it may have forgotten what it was told.
    Booted {
        /// Its place in the site.
        station: usize,
    },
    /// A station's socket closed, or it does not answer.
    Offline {
        /// Its place in the site.
        station: usize,
    },
    /// A driver was let in at a connector: a car may draw from now on.
    Authorized {
        /// Where.
        leaf: Leaf,
    },
    /// A transaction began.
    Began {
        /// Where.
        leaf: Leaf,
        /// Its id.
        transaction: i32,
        /// When.
        at: Millis,
    },
    /// A transaction ended.
    Ended {
        /// Where.
        leaf: Leaf,
        /// Its id.
        transaction: i32,
    },
    /// Whether the car takes what it is offered (SuspendedEV: it does not).
    Suspended {
        /// Where.
        leaf: Leaf,
        /// Whether the car itself pauses.
        by_car: bool,
    },
    /// What a connector's meter saw.
    Metered {
        /// Where.
        leaf: Leaf,
        /// Amperes on the station's phases; none where the station does not say.
        amps: [Option<f64>; 3],
        /// Its register, kWh.
        kwh: Option<f64>,
        /// When it saw them.
        taken: Millis,
    },
    /// What a site meter saw.
    SiteMeter {
        /// Its place in the site.
        meter: usize,
        /// Amperes on L1, L2, L3.
        amps: [f64; 3],
        /// When.
        taken: Millis,
    },
    /// A sign of life of the grid operator.
    GridHeartbeat,
    /// A limit of the grid operator.
    GridLimit(GridLimit),
    /// What is known of, or wished for, a car.
    Wish {
        /// Where.
        leaf: Leaf,
        /// What.
        wish: Wish,
    },
    /// What became of an order.
    Answered {
        /// Which.
        seq: u64,
        /// What.
        outcome: Outcome,
    },
    /// A station's composite schedule: what it says its limit is now (OCPP 1.6, 5.7).
    Composite {
        /// Where.
        leaf: Leaf,
        /// Tenths of an ampere; none where it says that there is no limit.
        limit: Option<Tenths>,
        /// When it was asked.
        asked: Millis,
    },
    /// What is expected at the site, in place of what was expected before.
    Outlook(SiteOutlook),
    /// What time it is by a station's clock, as one of its messages says.
    Clock {
        /// Its place in the site.
        station: usize,
        /// What it says.
        said: Millis,
    },
    /// The operator says that a station can be relied on again.
    Forgive {
        /// Its place in the site.
        station: usize,
    },
}

/// What a station is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Its number; the answer names it.
    pub seq: u64,
    /// Which station, by its place in the site.
    pub station: usize,
    /// What.
    pub ask: Ask,
    /// Whether it may raise what flows: then the ledger must be durable before it is sent.
    pub raises: bool,
}

/// The questions.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A limit for the station as a whole (ChargePointMaxProfile).
    StationMost {
        /// Tenths of an ampere on each phase.
        limit: Tenths,
    },
    /// A limit for transactions that nobody limits (TxDefaultProfile).
    Default {
        /// Where.
        leaf: Leaf,
        /// Tenths of an ampere on each phase.
        limit: Tenths,
    },
    /// A limit for a transaction (TxProfile): `limit` until `until`, then `then`.
    Grant {
        /// Where.
        leaf: Leaf,
        /// Its id.
        transaction: i32,
        /// Tenths of an ampere on each phase.
        limit: Tenths,
        /// When the lease ends.
        until: Millis,
        /// What holds afterwards.
        then: Tenths,
    },
    /// What does the station say its limit is (GetCompositeSchedule)?
    Composite {
        /// Where.
        leaf: Leaf,
    },
    /// Send meter values now (TriggerMessage).
    Meter {
        /// Where.
        leaf: Leaf,
    },
}

/// Something that the operator should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// When.
    pub at: Millis,
    /// What it is about: the id of a station, node or meter.
    pub about: String,
    /// What.
    pub what: Finding,
    /// How many seconds, where it is about a time.
    pub seconds: Option<i64>,
}

/// What the operator should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finding {
    /// The station accepts limits and draws more.
    Ignores,
    /// The station takes no charging profiles.
    Unable,
    /// The station refuses limits for transactions.
    Refuses,
    /// The station says in its composite schedule that another limit is in force.
    Contradicts,
    /// The station draws more than the site says it can.
    Overdraws,
    /// The meter is silent, or says what cannot be: its worst case counts.
    MeterLost,
    /// The meter is back.
    MeterBack,
    /// A row is over its cap, and nothing can be lowered any more.
    Over,
    /// The grid operator's heartbeat stopped.
    HeartbeatLost,
    /// A series of the outlook has ended: it is not followed any more.
    OutlookEnded,
    /// The station's clock is ahead of ours.
    ClockAhead,
    /// The station's clock is behind ours: its leases count so much longer.
    ClockBehind,
}
