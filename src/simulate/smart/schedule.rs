//! One profile at one moment: what it says, and until when (OCPP 1.6, 5.16.4, 7.8, 7.9, 7.13).

use super::level::Level;
use crate::domain::Timestamp;
use crate::domain::charging_profile::{ChargingProfile, ProfileKind};
use chrono::TimeDelta;

/// What is said at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// The limit; none where nothing is said, and somebody else has a say.
    pub level: Option<Level>,
    /// From when it may be another; none when never.
    pub until: Option<Timestamp>,
}

/// The earlier of two moments of which each may never come.
#[must_use]
pub fn sooner(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// What a profile says at a moment; `began` is what its times count from where it names no start of its own.
///
/// - Before `validFrom`, from `validTo` on, before its start and after its duration it says nothing, so that a
///   lower level of the stack is in force (errata 3.43).
/// - A schedule that recurs begins anew 24 hours or 7 days after its start, whatever of it is left (5.16.4).
/// - A schedule without a start counts from `began` even if it is absolute (7.13).
#[must_use]
pub(super) fn said(profile: &ChargingProfile, began: Timestamp, at: Timestamp) -> Said {
    let nothing_until = |until| Said { level: None, until };
    if profile.valid_to.is_some_and(|to| at >= to) {
        return nothing_until(None);
    }
    if let Some(from) = profile.valid_from.filter(|from| at < *from) {
        return nothing_until(Some(from));
    }
    let start = match profile.kind {
        ProfileKind::Relative => began,
        ProfileKind::Absolute | ProfileKind::Recurring(_) => profile.start.unwrap_or(began),
    };
    if at < start {
        return nothing_until(sooner(Some(start), profile.valid_to));
    }
    let (start, again) = match profile.kind {
        ProfileKind::Recurring(recurrence) => {
            let round = i64::from(recurrence.seconds()) * 1000;
            let rounds = at.millis_since(start) / round;
            let start = start.plus(TimeDelta::milliseconds(rounds * round));
            (start, Some(start.plus(TimeDelta::milliseconds(round))))
        }
        ProfileKind::Absolute | ProfileKind::Relative => (start, None),
    };
    let next = sooner(again, profile.valid_to);
    let end = profile.duration_s.map(|duration| after(start, duration));
    if end.is_some_and(|end| at >= end) {
        return nothing_until(next);
    }
    let second = at.millis_since(start) / 1000;
    let is_past = |start_s: u32| i64::from(start_s) <= second;
    let period = profile.periods.iter().rev().find(|period| is_past(period.start_s));
    let following = profile.periods.iter().find(|period| !is_past(period.start_s));
    let following = following.map(|period| after(start, period.start_s));
    Said {
        level: period.map(|period| Level::of(period, profile.unit)),
        until: sooner(sooner(next, end), following),
    }
}

fn after(start: Timestamp, seconds: u32) -> Timestamp {
    start.plus(TimeDelta::seconds(i64::from(seconds)))
}
