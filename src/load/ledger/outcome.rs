//! What became of an order, and what a meter value changed.

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The station accepted it.
    Accepted,
    /// The station said no: nothing changed at it.
    Rejected,
    /// The station does not know what is wanted.
    Unable,
    /// Nobody knows.
    Lost,
    /// It was never sent: nothing changed, and the station is not to blame.
    Unsent,
}

/// What a meter value changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// The car follows the lowered limit: what it had before is free.
    Settled,
    /// The station has shown that it holds limits.
    Proven,
    /// The station draws more than any limit that may be in force.
    Ignores,
}
