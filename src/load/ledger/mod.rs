//! The ledger: what every connector may lawfully draw, whatever was lost on the way to it and back.
//!
//! For every row, always: the sum of what all connectors may draw, of what else flows, and of the margin stays
//! within the cap. What a connector may draw is the most of every limit that may be in force at it now or later
//! without our doing ([`Entry::exposure`]): granted, sent but not answered, lowered but not yet seen on the
//! meter, and what it falls back to when its lease ends or its transaction does. Only the ledger lets a limit
//! rise, and only when the rows have room for it; a limit may fall at any time.
//!
//! It is durable: what a grant raises is written down before it is sent. What is lost with a crash is only that
//! something was confirmed, and then the ledger believes that more may be drawn than is.

#![expect(clippy::float_arithmetic, reason = "load management computes with amperes and watts")]

mod book;
mod entry;
mod nameplate;
mod outcome;
mod wish;

pub use book::Book;
pub use entry::{Entry, Exposure, Held, REACTION, Settling, Trust, tolerance};
pub use outcome::{Outcome, Seen};
pub use wish::{KeptWish, Wish};

use super::rows::{Leaf, Rows};

/// Milliseconds since 1970, by the node's clock.
pub type Millis = i64;

/// Tenths of an ampere, on each phase that is used.
pub type Tenths = u32;

/// A limit cannot rise yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoRoom {
    /// The first row that has no room, by its place.
    pub row: usize,
    /// By how much it would be exceeded, amperes or watts.
    pub over: f64,
}

/// The ledger of a site.
#[derive(Debug, Clone)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// For how long a station's clock may make a lease last longer than ours.
    skew: Millis,
    last_seq: u64,
    changed: Vec<bool>,
}

impl Ledger {
    /// From the entries of all connectors, in their order. After a restart these are the durable ones.
    #[must_use]
    pub fn new(entries: Vec<Entry>, skew: Millis) -> Self {
        let newest = |entry: &Entry| {
            let held = entry.held.iter().map(|held| held.seq);
            held.chain(entry.default_sent.iter().map(|(seq, _)| *seq)).chain([entry.acknowledged]).max()
        };
        let last_seq = entries.iter().filter_map(newest).max().unwrap_or(0);
        let changed = vec![false; entries.len()];
        Self { entries, skew, last_seq, changed }
    }

    /// A connector's page.
    #[must_use]
    pub fn entry(&self, leaf: Leaf) -> Option<&Entry> {
        self.entries.get(leaf)
    }

    /// All pages, in the order of the connectors.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A connector's page, to be changed; it counts as changed.
    pub fn entry_mut(&mut self, leaf: Leaf) -> Option<&mut Entry> {
        if let Some(changed) = self.changed.get_mut(leaf) {
            *changed = true;
        }
        self.entries.get_mut(leaf)
    }

    /// Notes whether a connector's station is connected. That is not durable, and no change of the page.
    pub fn set_online(&mut self, leaf: Leaf, online: bool) {
        if let Some(entry) = self.entries.get_mut(leaf) {
            entry.online = online;
        }
    }

    /// Keeps room for all that a connector can draw, since a driver was let in at a station that has not shown yet
    /// that it obeys; or no longer. That is not durable: a transaction that begins is.
    pub fn expect(&mut self, leaf: Leaf, expected: bool) {
        if let Some(entry) = self.entries.get_mut(leaf) {
            entry.expected = expected;
        }
    }

    /// Which connectors' pages have to be written down again.
    pub fn take_changed(&mut self) -> Vec<Leaf> {
        let changed = self.changed.iter_mut().enumerate();
        changed.filter_map(|(leaf, changed)| std::mem::take(changed).then_some(leaf)).collect()
    }

    /// A number for the next order; larger than any before it, over restarts as well as orders are durable.
    pub fn next_seq(&mut self) -> u64 {
        self.last_seq = self.last_seq.saturating_add(1);
        self.last_seq
    }

    /// What a connector may draw.
    #[must_use]
    pub fn exposure(&self, leaf: Leaf, now: Millis) -> Exposure {
        let none = Exposure { base: 0, granted: 0, phases: None };
        self.entries.get(leaf).map_or(none, |entry| entry.exposure(now, self.skew))
    }

    /// The use of every row by what all connectors may draw.
    #[must_use]
    pub fn book(&self, rows: &Rows, now: Millis) -> Book {
        let mut book = Book::new(rows);
        for (leaf, entry) in self.entries.iter().enumerate() {
            book.add(rows, leaf, entry.exposure(now, self.skew), 1.0);
        }
        book
    }

    /// Writes down that a TxProfile is about to be sent: always, if it allows no more than the connector may draw
    /// already; else if the rows have room for it. `caps` are the rows' limits without what is not charging.
    ///
    /// # Errors
    /// With the row that has no room. Nothing changed then.
    pub fn grant(
        &mut self,
        book: &mut Book,
        rows: &Rows,
        caps: &[f64],
        leaf: Leaf,
        held: Held,
        now: Millis,
    ) -> Result<(), NoRoom> {
        let Some(entry) = self.entries.get(leaf) else { return Ok(()) };
        let before = entry.exposure(now, self.skew);
        // A connector that counts with all that it can draw grows by nothing on paper, and yet it may draw more.
        let rises = held.limit.max(held.then) > entry.allowed(now);
        let mut granted = entry.clone();
        granted.sent(held);
        let after = granted.exposure(now, self.skew);
        if rises || after.granted > before.granted || after.base > before.base {
            book.add(rows, leaf, before, -1.0);
            book.add(rows, leaf, after, 1.0);
            for (row, _) in rows.parts(leaf) {
                let over = book.used(rows, row) - caps.get(row).copied().unwrap_or(0.0);
                // A sum of floating-point numbers is off by far less than this; what is no number has no room.
                let fits = over <= 1e-6;
                if !fits {
                    book.add(rows, leaf, after, -1.0);
                    book.add(rows, leaf, before, 1.0);
                    return Err(NoRoom { row, over });
                }
            }
        }
        if let Some(entry) = self.entry_mut(leaf) {
            *entry = granted;
        }
        Ok(())
    }
}
