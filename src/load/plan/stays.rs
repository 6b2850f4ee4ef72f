//! How long cars stay whose departure nobody told: learned from those that have left.

#![expect(
    clippy::float_arithmetic,
    reason = "hours and chances; nothing here is money or energy that is sold"
)]

use super::SLOT_HOURS;
use std::collections::VecDeque;

/// How many stays are remembered.
const REMEMBERED: usize = 500;
/// What is assumed before any car has left: hours, each with the weight of half a car.
const ASSUMED: [f64; 8] = [0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 14.0];
const ASSUMED_WEIGHT: f64 = 0.5;
/// Cars that came at about the same hour of the day say more than others.
const NEAR_HOURS: f64 = 1.5;
const FAR_WEIGHT: f64 = 0.15;
/// How long one may be expected to stay on that has stayed longer than any other, hours.
const OUTSTAYED: f64 = 1.0;

/// The stays of cars that have left.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stays {
    seen: VecDeque<Stay>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Stay {
    came_at: f64,
    hours: f64,
}

impl Stays {
    /// None seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A car left: the hour of the day at which it came, 0 to 24, and for how many hours it stayed.
    pub fn left(&mut self, came_at: f64, hours: f64) {
        if !(came_at.is_finite() && hours.is_finite() && hours > 0.0) {
            return;
        }
        if self.seen.len() >= REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(Stay { came_at, hours });
    }

    /// For each of the next slots the chance that a car is still there which came at that hour of the day and has
    /// been there for so many hours. Ends where the chance is below 1 in 100, or after `slots`.
    #[must_use]
    pub fn chances(&self, came_at: f64, been: f64, slots: usize) -> Vec<f64> {
        let assumed = ASSUMED.iter().map(|hours| (ASSUMED_WEIGHT, *hours));
        let seen = self.seen.iter().map(|stay| {
            let apart = (stay.came_at - came_at).rem_euclid(24.0);
            let near = apart.min(24.0 - apart) <= NEAR_HOURS;
            (if near { 1.0 } else { FAR_WEIGHT }, stay.hours)
        });
        let longer: Vec<_> = assumed
            .chain(seen)
            .filter_map(|(weight, hours)| (hours > been).then_some((weight, hours - been)))
            .chain([(ASSUMED_WEIGHT, OUTSTAYED)])
            .collect();
        let all: f64 = longer.iter().map(|(weight, _)| weight).sum();
        let mut chances = Vec::new();
        let mut from = 0.0;
        while chances.len() < slots {
            let part = |left: f64| ((left - from) / SLOT_HOURS).clamp(0.0, 1.0);
            let there: f64 = longer.iter().map(|(weight, left)| weight * part(*left)).sum();
            let chance = there / all;
            if chance < 0.01 {
                break;
            }
            chances.push(chance);
            from += SLOT_HOURS;
        }
        chances
    }
}
