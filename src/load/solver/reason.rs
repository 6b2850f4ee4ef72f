//! Why a connector gets no more, in words.

use crate::load::rows::Rows;
use std::fmt;

/// Why a connector gets no more than it does. Rows are indexes into [`Rows::rows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has all that it asks for.
    OwnMaximum,
    /// This row is full, and nobody in it is better off without being owed it.
    Row(usize),
    /// One phase may not carry so much more than another.
    Unbalance(usize),
    /// It has more than its share, because it must be ready in time; this row is full.
    Deadline(usize),
    /// It has more than its share, because its fallback is kept free for it in any case; this row is full.
    Reserved(usize),
    /// This row has no room for the least that is of use to it: it waits for its turn.
    Waiting(usize),
    /// What is reserved in this row exceeds it: nobody below gets more than is reserved for it.
    Exceeded(usize),
    /// The most that it may have is less than the least that is of use: it pauses.
    BelowMinimum,
    /// It is not in the site, or demanded twice.
    Unknown,
}

impl Reason {
    /// The row that it names.
    #[must_use]
    pub fn row(self) -> Option<usize> {
        match self {
            Self::Row(row)
            | Self::Unbalance(row)
            | Self::Deadline(row)
            | Self::Reserved(row)
            | Self::Waiting(row)
            | Self::Exceeded(row) => Some(row),
            Self::OwnMaximum | Self::BelowMinimum | Self::Unknown => None,
        }
    }

    /// In one word, for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::OwnMaximum => "own_maximum",
            Self::Row(_) => "row",
            Self::Unbalance(_) => "unbalance",
            Self::Deadline(_) => "deadline",
            Self::Reserved(_) => "reserved",
            Self::Waiting(_) => "waiting",
            Self::Exceeded(_) => "exceeded",
            Self::BelowMinimum => "below_minimum",
            Self::Unknown => "unknown",
        }
    }

    /// For people, with the names of the rows.
    #[must_use]
    pub fn told(self, rows: &Rows) -> Told<'_> {
        Told { reason: self, rows }
    }
}

/// A reason that can be shown.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    reason: Reason,
    rows: &'a Rows,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.reason.row().and_then(|row| self.rows.rows.get(row)).map(|row| &row.name);
        let name: &dyn fmt::Display = match &name {
            Some(name) => name,
            None => &"a limit",
        };
        match self.reason {
            Reason::OwnMaximum => f.write_str("all that it asks for"),
            Reason::Row(_) => write!(f, "its share: {name} is used up"),
            Reason::Unbalance(_) => write!(f, "its share: {name} is at its limit"),
            Reason::Deadline(_) => {
                write!(f, "more than its share, to be ready in time: {name} is used up")
            }
            Reason::Reserved(_) => {
                write!(f, "what is kept free for it in any case: {name} is used up")
            }
            Reason::Waiting(_) => write!(f, "waits for its turn: {name} has no room for its minimum"),
            Reason::Exceeded(_) => {
                write!(f, "no more than is reserved for it: {name} is exceeded by what is reserved")
            }
            Reason::BelowMinimum => f.write_str("paused: what it may have is below its minimum"),
            Reason::Unknown => f.write_str("nothing: no such connector, or demanded twice"),
        }
    }
}
