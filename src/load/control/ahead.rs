//! Looking ahead: where a car said when it leaves or how much it wants, a plan over the next day guides the solver.
//!
//! A plan is made at most once in half a minute, and at least every five; in between its weights and floors hold, and
//! the solver shares by them what the rows have at each moment. When there is no plan in time, the solver shares
//! alone, in the same tick.

use super::super::ledger::Millis;
use super::super::plan::{Aims, NoPlan, Outlook, Present, Stays, Tick, guide};
use super::super::rows::Leaf;
use super::super::solver::Demand;
use super::Controller;
use super::decide::seconds;
use std::collections::BTreeMap;
use std::time::Duration;

/// A plan is not made again before.
const SOONEST: Millis = 30_000;

/// It is made again at the latest after.
const LATEST: Millis = 300_000;

/// How long a plan may take: decreases wait for it.
const TIME_LIMIT: Duration = Duration::from_millis(200);

const SLOT: Millis = 900_000;

/// What is known of the time ahead.
#[derive(Debug, Clone, Default)]
pub(super) struct Ahead {
    stays: Stays,
    made: Option<Millis>,
    /// For which cars, and with which caps.
    of: (Vec<(Leaf, Option<i32>)>, Vec<f64>),
    guided: BTreeMap<Leaf, Demand>,
    without: Option<NoPlan>,
}

impl Ahead {
    /// A car left that came then.
    pub(super) fn left(&mut self, began: Millis, now: Millis) {
        self.stays.left(hour(began), seconds(now.saturating_sub(began)) / 3_600.0);
    }

    /// In words: whether a plan guides, and why not.
    pub(super) fn words(&self, now: Millis) -> String {
        let Some(made) = self.made else {
            return "none: no car said when it leaves or what it wants".to_owned();
        };
        let ago = now.saturating_sub(made) / 1_000;
        match self.without {
            Some(why) => format!("none, {why}: shared without looking ahead"),
            None => format!("made {ago} s ago for {} cars", self.guided.len()),
        }
    }
}

impl Controller {
    /// Lets the plan guide the demands, and makes it where it is due.
    pub(super) fn look_ahead(&mut self, caps: &[f64], reserved: &[f64], demands: &mut [Demand], now: Millis) {
        let wishes = |demand: &Demand| {
            let car = self.leaves.get(demand.leaf).and_then(|state| state.car.as_ref());
            car.is_some_and(|car| car.wish.departure.is_some() || car.wish.energy_kwh.is_some())
        };
        if !demands.iter().any(wishes) {
            self.ahead.made = None;
            self.ahead.guided.clear();
            return;
        }
        let cars: Vec<(Leaf, Option<i32>)> = demands
            .iter()
            .map(|demand| (demand.leaf, self.ledger.entry(demand.leaf).and_then(|entry| entry.transaction)))
            .collect();
        let same_cars = self.ahead.of.0 == cars;
        let same_caps = self.ahead.of.1 == caps;
        let age = self.ahead.made.map(|made| now.saturating_sub(made));
        let due = age.is_none_or(|age| age >= LATEST || (age >= SOONEST && !(same_cars && same_caps)));
        if due {
            let made = self.make_plan(caps, reserved, demands, now);
            self.ahead.made = Some(now);
            self.ahead.of = (cars, caps.to_vec());
            self.ahead.guided.clear();
            self.ahead.without = made.as_ref().err().copied();
            self.ahead.guided = made.into_iter().flatten().map(|demand| (demand.leaf, demand)).collect();
        }
        // Floors are what fitted when the plan was made.
        let floors = due || same_caps;
        for demand in demands {
            let Some(guided) = self.ahead.guided.get(&demand.leaf) else { continue };
            demand.weight = guided.weight;
            demand.class = guided.class;
            demand.max = demand.max.min(guided.max);
            demand.floor = if floors { guided.floor.min(demand.max) } else { 0.0 };
        }
    }

    fn make_plan(
        &self,
        caps: &[f64],
        reserved: &[f64],
        demands: &[Demand],
        now: Millis,
    ) -> Result<Vec<Demand>, NoPlan> {
        let aims = Aims { time_limit: TIME_LIMIT, ..Aims::default() };
        let outlook = Outlook { caps: self.caps_ahead(caps, aims.slots, now), ..Outlook::default() };
        let tick = Tick {
            rows: &self.rows,
            caps,
            reserved,
            min_on_seconds: seconds(self.settings.min_on),
            hours: seconds(LATEST) / 3_600.0,
            stays: &self.ahead.stays,
            outlook: &outlook,
            aims: Some(&aims),
        };
        let present = |demand: &Demand| {
            let car = self.leaves.get(demand.leaf).and_then(|state| state.car.as_ref());
            let began = car.map_or(now, |car| car.began);
            let got = car.map_or(0.0, |car| car.got_kwh);
            let leaves = car.and_then(|car| car.wish.departure);
            Present {
                demand: *demand,
                wants_kwh: car.and_then(|car| car.wish.energy_kwh).map(|wanted| (wanted - got).max(0.0)),
                has_kwh: got,
                leaves_in: leaves.map(|at| seconds(at.saturating_sub(now)) / 3_600.0),
                came_at: hour(began),
                been: seconds(now.saturating_sub(began)) / 3_600.0,
            }
        };
        let cars: Vec<Present> = demands.iter().map(present).collect();
        guide(&tick, &aims, &cars)
    }

    /// The caps of the slots to come: as now, but for what the site's schedules change.
    fn caps_ahead(&self, caps: &[f64], slots: usize, now: Millis) -> Vec<Vec<f64>> {
        let site =
            |at: Millis| self.rows.caps_at(chrono::DateTime::from_timestamp_millis(at).unwrap_or_default());
        let today = site(now);
        let times = std::iter::successors(Some(now), |at| at.checked_add(SLOT)).take(slots);
        let changed = |((cap, now), then): ((&f64, &f64), f64)| {
            let change = then - now;
            // Of what has no limit, or none then, what is left of it now is as good a guess as any.
            if change.is_finite() { (cap + change).max(0.0) } else { cap.min(then) }
        };
        times.map(|at| caps.iter().zip(&today).zip(site(at)).map(changed).collect()).collect()
    }
}

/// The hour of the day, UTC: only how far two are apart counts.
fn hour(at: Millis) -> f64 {
    seconds(at.rem_euclid(86_400_000)) / 3_600.0
}
