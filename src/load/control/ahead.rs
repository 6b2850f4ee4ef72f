//! Looking ahead: where a car said when it leaves or how much it wants, a plan over the next day guides the solver.
//!
//! A plan is made at most once in half a minute, and at least every five; in between its weights and floors hold, and
//! the solver shares by them what the rows have at each moment. When there is no plan in time, the solver shares
//! alone, in the same tick.
//!
//! Where an outlook says what energy will cost, or what the sun will give, the plan holds cars back that can wait:
//! those that said how much they want and when they leave, as long as they have time to spare by the power that they
//! were seen to take. Whatever the plan says, the others wait for no price.

use super::super::ledger::Millis;
use super::super::outlook::{Expected, SiteOutlook};
use super::super::plan::{Aims, Guided, NoPlan, Outlook, Present, Stays, Tick, guide};
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

/// A car that waits for a price has at least so much time to spare, hours.
const SPARE: f64 = 0.5;

/// By how much longer a charge takes than its power says: cars take less towards the end.
const SLOWER: f64 = 1.1;

/// What is known of the time ahead.
#[derive(Debug, Clone, Default)]
pub(super) struct Ahead {
    stays: Stays,
    made: Option<Millis>,
    /// For which cars, and with which caps.
    of: (Vec<(Leaf, Option<i32>)>, Vec<f64>),
    guided: BTreeMap<Leaf, Guided>,
    without: Option<NoPlan>,
    /// When what is expected changes next.
    changes: Option<Millis>,
    /// Cars that the plan holds back now, and when it has something for each.
    held: BTreeMap<Leaf, Option<Millis>>,
}

impl Ahead {
    /// A car left that came then.
    pub(super) fn left(&mut self, began: Millis, now: Millis) {
        self.stays.left(hour(began), seconds(now.saturating_sub(began)) / 3_600.0);
    }

    /// Something else is wished or expected: the plan is made again at once.
    pub(super) fn remake(&mut self) {
        self.made = None;
    }

    /// Whether the plan holds a car back because of what energy costs, and until when.
    pub(super) fn held(&self, leaf: Leaf) -> Option<Option<Millis>> {
        self.held.get(&leaf).copied()
    }

    /// In words: whether a plan guides and what it follows, and why not.
    pub(super) fn words(&self, outlook: &SiteOutlook, now: Millis) -> String {
        let Some(made) = self.made else {
            return "none: no car said when it leaves or what it wants".to_owned();
        };
        let ago = now.saturating_sub(made) / 1_000;
        match self.without {
            Some(why) => format!("none, {why}: shared without looking ahead"),
            None => format!("made {ago} s ago for {} cars{}", self.guided.len(), follows(outlook, now)),
        }
    }
}

/// What of an outlook a plan follows, and until when it reaches.
fn follows(outlook: &SiteOutlook, now: Millis) -> String {
    let of = |(of, _, until): (Expected, Millis, Millis)| {
        (now < until).then(|| format!("{} until {}", of.words(), clock(until)))
    };
    let all: Vec<String> = outlook.told().filter_map(of).collect();
    if all.is_empty() { String::new() } else { format!("; follows {}", all.join(", ")) }
}

/// A moment, for people.
pub(super) fn clock(at: Millis) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.format("%Y-%m-%d %H:%M UTC").to_string()
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
            self.ahead.held.clear();
            return;
        }
        let cars: Vec<(Leaf, Option<i32>)> = demands
            .iter()
            .map(|demand| (demand.leaf, self.ledger.entry(demand.leaf).and_then(|entry| entry.transaction)))
            .collect();
        let same_cars = self.ahead.of.0 == cars;
        let same_caps = self.ahead.of.1 == caps;
        let age = self.ahead.made.map(|made| now.saturating_sub(made));
        let changes = self.ahead.changes.is_some_and(|at| now >= at);
        let due =
            age.is_none_or(|age| age >= LATEST || (age >= SOONEST && (changes || !(same_cars && same_caps))));
        if due {
            let made = self.make_plan(caps, reserved, demands, now);
            self.ahead.made = Some(now);
            self.ahead.of = (cars, caps.to_vec());
            self.ahead.guided.clear();
            self.ahead.without = made.as_ref().err().copied();
            self.ahead.guided =
                made.into_iter().flatten().map(|guided| (guided.demand.leaf, guided)).collect();
            self.ahead.changes = self.outlook.next_change(now);
        }
        self.ahead.held.clear();
        // Floors are what fitted when the plan was made.
        let floors = due || same_caps;
        for demand in demands {
            let Some(Guided { demand: guided, held, begins_in, .. }) =
                self.ahead.guided.get(&demand.leaf).copied()
            else {
                continue;
            };
            demand.weight = guided.weight;
            if held && !self.can_wait(demand.leaf, now) {
                // Its turn is now, whatever energy costs; what it must have is what presses.
                demand.weight = guided.weight.max(demand.max);
                demand.class = guided.class | 1;
                continue;
            }
            if held {
                let begins = begins_in.and_then(|hours| self.begins(hours));
                self.ahead.held.insert(demand.leaf, begins.filter(|at| *at > now));
            }
            // Whoever is on stays on for a while, also where the plan was made before it was.
            let on =
                held && demand.on_for.is_some_and(|for_seconds| for_seconds < seconds(self.settings.min_on));
            let least = if on { demand.min } else { 0.0 };
            demand.class = if on { guided.class | 1 } else { guided.class };
            demand.max = demand.max.min(guided.max.max(least));
            demand.floor = if floors { guided.floor.min(demand.max) } else { 0.0 };
        }
    }

    /// When a slot that is so many hours away in the plan begins; where what is expected changes within the slot before,
    /// then: the plan is made again at that moment.
    fn begins(&self, hours: f64) -> Option<Millis> {
        let slot = self.ahead.made?.saturating_add(millis(hours));
        let change = self.outlook.next_change(slot.saturating_sub(SLOT));
        Some(change.filter(|change| *change <= slot).unwrap_or(slot))
    }

    /// Whether a car has time to spare, by the most power that it was seen to take. One that has none any more is not
    /// held back again; nor is one that was not seen to charge, since nobody knows how long it will take.
    fn can_wait(&mut self, leaf: Leaf, now: Millis) -> bool {
        let Some(car) = self.leaves.get_mut(leaf).and_then(|state| state.car.as_mut()) else { return false };
        let (Some(wanted), Some(departure)) = (car.wish.energy_kwh, car.wish.departure) else { return false };
        if car.best_kw <= 0.0 || car.hurries {
            return false;
        }
        let takes = (wanted - car.got_kwh).max(0.0) / car.best_kw * SLOWER;
        let spares = seconds(departure.saturating_sub(now)) / 3_600.0 - takes >= SPARE;
        car.hurries = !spares;
        spares
    }

    fn make_plan(
        &self,
        caps: &[f64],
        reserved: &[f64],
        demands: &[Demand],
        now: Millis,
    ) -> Result<Vec<Guided>, NoPlan> {
        let aims = Aims { time_limit: TIME_LIMIT, ..Aims::default() };
        let outlook = Outlook {
            caps: self.caps_ahead(caps, aims.slots, now),
            prices: self.outlook.prices_ahead(now, aims.slots, SLOT),
            sun_kw: self.outlook.sun_ahead(now, aims.slots, SLOT),
        };
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

/// Hours in milliseconds.
fn millis(hours: f64) -> Millis {
    Millis::from(super::super::round::whole(hours * 3_600.0)).saturating_mul(1_000)
}

/// The hour of the day, UTC: only how far two are apart counts.
fn hour(at: Millis) -> f64 {
    seconds(at.rem_euclid(86_400_000)) / 3_600.0
}
