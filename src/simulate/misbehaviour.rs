//! What goes wrong at stations: limits that are ignored or refused, answers that come late or not at all, links
//! and power that fail.

use super::actor::Actor;
use super::clock::{later, plus};
use super::smart::{Profiles, sooner};
use crate::domain::Timestamp;
use crate::ocpp::v1_6::{ResetType, StopReason};
use fastrand::Rng;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// What a station makes of charging profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProfileManners {
    /// It obeys them.
    #[default]
    Obeys,
    /// It accepts them, tells them in its composite schedule, and charges as if there were none.
    Ignores,
    /// It answers `Rejected` to each.
    Rejects,
    /// It answers `NotSupported` to each.
    NotSupported,
    /// It has no smart charging: the call itself is answered with the error `NotSupported` (errata 3.39).
    Lacks,
}

/// Times at which something happens, by simulated time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// From the end of one to the next, on average: at random from half as long to half as long again.
    pub pause: Duration,
    /// How long each lasts.
    pub lasting: Duration,
}

/// How a station misbehaves; by default it does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Misbehaviour {
    /// What it makes of charging profiles.
    pub profiles: ProfileManners,
    /// How late it does and answers what the server calls, in real time.
    pub answers_after: Duration,
    /// Of a hundred calls of the server, how many are lost: half of them on their way to it, and half of them
    /// done and the answer lost.
    pub loses: u8,
    /// When its link is down.
    pub outages: Option<Every>,
    /// When it reboots by itself; what charges ends.
    pub reboots: Option<Every>,
    /// A reboot loses its profiles, which should survive it (errata 3.37).
    pub forgets: bool,
}

/// What a misbehaving station has under way.
#[derive(Debug, Default)]
pub(super) struct Mischief {
    outage_at: Option<Timestamp>,
    back_at: Option<Timestamp>,
    reboot_at: Option<Timestamp>,
    late: VecDeque<(Instant, String, String, Box<RawValue>)>,
}

/// What becomes of a call of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Late,
    AnswerLost,
    Lost,
}

impl Mischief {
    pub(super) fn new(misbehaviour: &Misbehaviour, rng: &mut Rng, now: Timestamp) -> Self {
        let mut first = |every: Option<Every>| every.map(|every| next(now, every, rng));
        Self {
            outage_at: first(misbehaviour.outages),
            reboot_at: first(misbehaviour.reboots),
            ..Self::default()
        }
    }

    /// When something happens next, by simulated time.
    pub(super) fn next(&self) -> Option<Timestamp> {
        sooner(sooner(self.outage_at, self.back_at), self.reboot_at)
    }

    /// When the next late call is done.
    pub(super) fn next_late(&self) -> Option<Instant> {
        self.late.front().map(|(at, ..)| *at)
    }

    pub(super) fn keep(&mut self, until: Instant, id: String, action: String, payload: Box<RawValue>) {
        self.late.push_back((until, id, action, payload));
    }

    /// The link is gone, and with it whoever waits for an answer.
    pub(super) fn forget_late(&mut self) {
        self.late.clear();
    }
}

fn next(now: Timestamp, every: Every, rng: &mut Rng) -> Timestamp {
    let pause = u64::try_from(every.pause.as_millis()).unwrap_or(u64::MAX / 4).max(2);
    plus(now, Duration::from_millis(rng.u64(pause / 2..=pause / 2 * 3)))
}

impl Actor {
    /// What becomes of a call of the server.
    pub(super) fn fate(&mut self) -> Fate {
        let Misbehaviour { loses, answers_after, .. } = self.config.misbehaviour;
        let lost = loses > 0 && self.rng.u8(0..100) < loses;
        match (lost, answers_after.is_zero()) {
            (true, _) if self.rng.bool() => Fate::Lost,
            (true, _) => Fate::AnswerLost,
            (false, true) => Fate::Answered,
            (false, false) => Fate::Late,
        }
    }

    /// Keeps a call that is done late.
    pub(super) fn put_off(&mut self, id: String, action: String, payload: Box<RawValue>) {
        let until = later(Instant::now(), self.config.misbehaviour.answers_after);
        self.mischief.keep(until, id, action, payload);
    }

    /// Does and answers what is late and due.
    pub(super) async fn answer_late(&mut self, now: Instant) {
        while self.mischief.next_late().is_some_and(|at| at <= now) {
            let Some((_, id, action, payload)) = self.mischief.late.pop_front() else { return };
            let answer = self.answer(&id, &action, &payload);
            self.send(answer).await;
        }
    }

    /// Lets links and power fail, and come back.
    pub(super) fn misbehave(&mut self, now: Timestamp) {
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| now >= at);
        if is_due(self.mischief.back_at) {
            self.mischief.back_at = None;
            self.mischief.outage_at =
                self.config.misbehaviour.outages.map(|every| next(now, every, &mut self.rng));
            self.want_online(true);
        }
        if is_due(self.mischief.outage_at) {
            self.mischief.outage_at = None;
            self.mischief.back_at = self.config.misbehaviour.outages.map(|every| plus(now, every.lasting));
            self.want_online(false);
        }
        if is_due(self.mischief.reboot_at) {
            self.mischief.reboot_at = self
                .config
                .misbehaviour
                .reboots
                .map(|every| next(plus(now, every.lasting), every, &mut self.rng));
            self.power_fails();
        }
    }

    /// Reboots as when the power was gone: what charges ends, and the link with it.
    pub(super) fn power_fails(&mut self) {
        self.end_all_charges(&StopReason::PowerLoss);
        self.begin_reset(ResetType::Hard);
    }

    /// What a reboot leaves of the profiles: all, unless the station forgets them.
    pub(super) fn profiles_after_reboot(&mut self) {
        if self.config.misbehaviour.forgets {
            self.profiles = Profiles::new(*self.profiles.bounds());
            let now = self.clock.now();
            self.allocate(now);
        }
    }
}
