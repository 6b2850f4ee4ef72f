//! One connector in the ledger: which limits may be in force at it, and what it may draw therefore.
//!
//! A limit that was sent and not answered may be in force or not, so both what was and what is to be count. A
//! limit that was lowered counts in full until the meter has shown that the car follows. Nothing here ever
//! takes the word of the backend for what a station does.

use super::{KeptWish, Millis, Outcome, Seen, Tenths};
use serde::{Deserialize, Serialize};

/// How long a car may take to follow a new limit (IEC 61851-1 gives it five seconds), and the station and its
/// meter to show it.
pub const REACTION: Millis = 10_000;

/// By how much a meter may show more than the limit before it counts as too much, in tenths of an ampere: half
/// an ampere, or 3 % of the limit.
#[must_use]
pub fn tolerance(limit: Tenths) -> Tenths {
    (limit.saturating_mul(3) / 100).max(5)
}

/// What was seen of a station's obedience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// It has yet to show that it holds a limit: while it charges, it counts with all it can draw.
    #[default]
    Unproven,
    /// Its meter stayed at a limit that was below what it could draw.
    Proven,
    /// It accepted a limit and drew more.
    Ignores,
    /// It takes no charging profiles.
    Unable,
}

/// A TxProfile that may be in force.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Held {
    /// The order that sent it.
    pub seq: u64,
    /// The transaction that it is for.
    pub transaction: i32,
    /// What it allows.
    pub limit: Tenths,
    /// Until when, by the station's clock as we reckon it.
    pub until: Millis,
    /// What it allows afterwards.
    pub then: Tenths,
}

impl Held {
    /// The most that it allows from `now` on, if the station's clock is wrong by no more than `skew`.
    #[must_use]
    pub fn most(&self, now: Millis, skew: Millis) -> Tenths {
        if now <= self.until.saturating_add(skew) { self.limit.max(self.then) } else { self.then }
    }

    /// What it allows now by a clock that is right.
    #[must_use]
    pub fn now(&self, now: Millis) -> Tenths {
        if now < self.until { self.limit } else { self.then }
    }
}

/// A limit that was lowered, and that the car may not follow yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Settling {
    /// What it may still draw.
    pub limit: Tenths,
    /// Since when the lower limit is in force: when the station accepted it.
    pub since: Millis,
}

/// A connector's page in the ledger. All of it is durable but what [`Entry::restore`] takes away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The most that the connector can draw.
    pub nameplate: Tenths,
    /// What the site said before that it can draw, where that was more: it counts until the station has accepted less.
    #[serde(default)]
    pub outgrown: Option<Tenths>,
    /// The ChargePointMaxProfile that its station acknowledged last.
    #[serde(default)]
    pub most: Option<Tenths>,
    /// The TxDefaultProfile that the station acknowledged; none as long as nobody knows what it does by itself.
    pub default: Option<Tenths>,
    /// TxDefaultProfiles that were sent and may be in force.
    pub default_sent: Vec<(u64, Tenths)>,
    /// TxProfiles that may be in force, in the order in which they were sent.
    pub held: Vec<Held>,
    /// The newest order that the station acknowledged.
    pub acknowledged: u64,
    /// What a lowered limit still leaves to the car.
    pub settling: Option<Settling>,
    /// The transaction that goes on.
    pub transaction: Option<i32>,
    /// What was seen of its obedience.
    pub trust: Trust,
    /// Whether the site says that its station takes no charging profiles.
    #[serde(default)]
    pub declared_unable: bool,
    /// Which of the station's phases the car of this transaction uses; none while that is not known.
    pub phases: Option<[bool; 3]>,
    /// The most that was measured, where that is more than the nameplate says.
    pub overdrawn: Tenths,
    /// How often in a row it was seen to draw too much.
    #[serde(default)]
    pub strikes: u8,
    /// How often in a row it refused a TxProfile.
    #[serde(default)]
    pub refusals: u8,
    /// On which day (since 1970, UTC) writes were counted last.
    #[serde(default)]
    pub day: i64,
    /// How many profiles were written to the station for this connector on that day.
    #[serde(default)]
    pub writes: u32,
    /// By how much the station's clock is behind ours, where that was seen: its leases last so much longer.
    #[serde(default)]
    pub behind: Millis,
    /// What is wished for the car of this transaction.
    #[serde(default)]
    pub wish: Option<KeptWish>,
    /// Whether its station is connected.
    #[serde(skip)]
    pub online: bool,
    /// Whether a driver was let in, and may start to charge at any moment.
    #[serde(skip)]
    pub expected: bool,
}

/// What a connector may draw: the most on all phases by what it may fall back to, and the most on the phases of
/// its car by what it was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exposure {
    /// On every phase that the connector has.
    pub base: Tenths,
    /// On the phases that the car uses.
    pub granted: Tenths,
    /// Which those are; none means every one.
    pub phases: Option<[bool; 3]>,
}

impl Exposure {
    /// The most on any phase.
    #[must_use]
    pub fn most(&self) -> Tenths {
        self.base.max(self.granted)
    }
}

impl Entry {
    /// A connector of which nothing is known yet.
    #[must_use]
    pub fn new(nameplate: Tenths) -> Self {
        Self {
            nameplate,
            outgrown: None,
            most: None,
            default: None,
            default_sent: Vec::new(),
            held: Vec::new(),
            acknowledged: 0,
            settling: None,
            transaction: None,
            trust: Trust::Unproven,
            declared_unable: false,
            phases: None,
            overdrawn: 0,
            strikes: 0,
            refusals: 0,
            day: 0,
            writes: 0,
            behind: 0,
            wish: None,
            online: false,
            expected: false,
        }
    }

    /// What the site says of its station. One that the site takes at its word again has to show that it obeys; one
    /// that was found out stays so.
    pub fn declare(&mut self, smart: bool) {
        if !smart {
            self.trust = Trust::Unable;
        } else if self.declared_unable {
            self.trust = Trust::Unproven;
        }
        self.declared_unable = !smart;
    }

    /// After a restart of the node: whatever was durable counts, and nobody is connected.
    pub fn restore(&mut self) {
        self.online = false;
        self.expected = false;
    }

    /// The most that the connector can draw at all.
    #[must_use]
    pub fn ceiling(&self) -> Tenths {
        self.full().max(self.overdrawn)
    }

    /// What it may fall back to without our doing: the acknowledged default, and any that may have replaced it.
    #[must_use]
    pub fn fallback(&self) -> Tenths {
        let sent = self.default_sent.iter().map(|(_, limit)| *limit).max().unwrap_or(0);
        self.default.unwrap_or(self.full()).max(sent).min(self.full())
    }

    /// Whether it counts with all that it can draw, whatever it was told. A station that takes no profiles always
    /// does, since nothing holds it back when it starts by itself; one that ignores them while a car may draw, or it
    /// is out of reach.
    #[must_use]
    pub fn is_unbound(&self) -> bool {
        let busy = self.transaction.is_some() || self.expected;
        match self.trust {
            Trust::Unable => true,
            Trust::Ignores => busy || !self.online,
            Trust::Unproven => busy,
            Trust::Proven => false,
        }
    }

    /// What it may draw from now on, whatever was lost.
    #[must_use]
    pub fn exposure(&self, now: Millis, skew: Millis) -> Exposure {
        if self.is_unbound() {
            let ceiling = self.ceiling();
            return Exposure { base: ceiling, granted: ceiling, phases: None };
        }
        let skew = skew.max(self.behind);
        let held = self.held.iter().map(|held| held.most(now, skew)).max().unwrap_or(0);
        let settling = self.settling.map_or(0, |settling| settling.limit);
        let granted = held.max(settling).min(self.ceiling());
        Exposure { base: self.fallback(), granted, phases: self.phases }
    }

    /// The most that any limit that may be in force allows at this moment.
    #[must_use]
    pub fn allowed(&self, now: Millis) -> Tenths {
        let held = self.held.iter().map(|held| held.now(now)).max();
        held.unwrap_or_else(|| self.fallback()).min(self.full())
    }

    /// The limit that was sent last, as it is now.
    #[must_use]
    pub fn told(&self, now: Millis) -> Option<Tenths> {
        self.held.last().map(|held| held.now(now))
    }

    /// Whether an order waits for its answer, or never got one.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        self.held.iter().any(|held| held.seq > self.acknowledged)
    }

    /// A transaction began. What an earlier one was told is void (OCPP 1.6, 3.13.1).
    pub fn begin(&mut self, transaction: i32) {
        if self.transaction == Some(transaction) {
            return;
        }
        self.end();
        self.transaction = Some(transaction);
    }

    /// The transaction ended: its profiles are gone from the station, and its contactor is open.
    pub fn end(&mut self) {
        self.transaction = None;
        self.held.clear();
        self.settling = None;
        self.phases = None;
        self.wish = None;
        self.strikes = 0;
        self.refusals = 0;
    }

    /// Counts a write to the station's flash memory.
    pub fn count_write(&mut self, now: Millis) {
        let day = now.div_euclid(86_400_000);
        if day != self.day {
            self.day = day;
            self.writes = 0;
        }
        self.writes = self.writes.saturating_add(1);
    }

    /// A TxProfile is on its way.
    pub fn sent(&mut self, held: Held) {
        self.held.push(held);
    }

    /// A TxDefaultProfile is on its way.
    pub fn default_on_its_way(&mut self, seq: u64, limit: Tenths) {
        self.default_sent.push((seq, limit));
    }

    /// What became of the TxDefaultProfile that this order sent.
    pub fn default_answered(&mut self, seq: u64, outcome: Outcome) {
        let Some(limit) = self.default_sent.iter().find(|(sent, _)| *sent == seq).map(|(_, limit)| *limit)
        else {
            return;
        };
        match outcome {
            Outcome::Accepted => {
                // A station works on calls in their order, so what was sent before it is replaced.
                self.default_sent.retain(|(sent, _)| *sent > seq);
                self.default = Some(limit);
            }
            Outcome::Rejected | Outcome::Unable | Outcome::Unsent => {
                self.default_sent.retain(|(sent, _)| *sent != seq);
            }
            Outcome::Lost => {}
        }
    }

    /// What became of the TxProfile that this order sent.
    pub fn answered(&mut self, seq: u64, outcome: Outcome, now: Millis) {
        let Some(new) = self.held.iter().find(|held| held.seq == seq).cloned() else { return };
        match outcome {
            Outcome::Accepted => {
                let older = self.held.iter().filter(|held| held.seq < seq);
                let before = older.map(|held| held.limit.max(held.then)).max().unwrap_or(0);
                self.held.retain(|held| held.seq >= seq);
                self.acknowledged = self.acknowledged.max(seq);
                self.refusals = 0;
                let before = self.settling.map_or(0, |settling| settling.limit).max(before);
                self.settling = (before > new.limit).then_some(Settling { limit: before, since: now });
            }
            Outcome::Rejected | Outcome::Unable => {
                self.held.retain(|held| held.seq != seq);
                self.refusals = self.refusals.saturating_add(1);
            }
            Outcome::Unsent => self.held.retain(|held| held.seq != seq),
            Outcome::Lost => {}
        }
    }

    /// A meter value: the most amperes on any phase, and when the meter saw them, by our clock.
    pub fn measured(&mut self, amps: Tenths, taken: Millis) -> Seen {
        if amps > self.full().saturating_add(tolerance(self.full())) {
            self.overdrawn = self.overdrawn.max(amps);
        }
        if matches!(self.trust, Trust::Ignores | Trust::Unable) || self.transaction.is_none() {
            return Seen::Nothing;
        }
        // What is uncertain proves nothing, and excuses up to the most that may be in force.
        let allowed = self.allowed(taken);
        let since = self.settling.map(|settling| settling.since);
        // A lease that ends lowers the limit as well, and the car needs its time.
        let just_before = self.allowed(taken.saturating_sub(REACTION)).max(allowed);
        if amps > allowed.saturating_add(tolerance(allowed)) {
            if amps <= just_before.saturating_add(tolerance(just_before)) {
                return Seen::Nothing;
            }
            if since.is_some_and(|since| taken < since.saturating_add(REACTION)) {
                return Seen::Nothing;
            }
            self.strikes = self.strikes.saturating_add(1);
            if self.strikes >= 2 {
                self.trust = Trust::Ignores;
                return Seen::Ignores;
            }
            return Seen::Nothing;
        }
        self.strikes = 0;
        let settled = since.is_some_and(|since| taken >= since);
        if settled {
            self.settling = None;
        }
        let binding = allowed.saturating_mul(10) <= self.full().saturating_mul(8)
            && amps.saturating_mul(10) >= allowed.saturating_mul(6)
            && amps >= 10;
        let certain = self.held.len() == 1 && !self.is_uncertain();
        if self.trust == Trust::Unproven && binding && certain {
            self.trust = Trust::Proven;
            return Seen::Proven;
        }
        if settled { Seen::Settled } else { Seen::Nothing }
    }
}
