//! Playing sessions: from moment to moment, deciding at each step and whenever a car comes or leaves.

#![expect(clippy::float_arithmetic, reason = "energy of a simulation; nothing here is billed")]
#![expect(clippy::arithmetic_side_effects, reason = "sums of phasors are sums of floating-point numbers")]

use super::policies::{Asking, Policy, equal_split, first_come, uncontrolled};
use super::score::{Peak, Score, Served, fairness};
use super::sessions::{Session, SessionsError};
use crate::load::plan::tick::{Present, Tick, kw_per_amp};
use crate::load::plan::{Aims, Outlook, Planned, Stays, decide};
use crate::load::rows::{Leaf, Phases, Phasor, Rows};
use crate::load::site::{PerPhase, Site};
use crate::load::solver::Demand;
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// What of departures is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Departures {
    /// What drivers said, where they said something.
    #[default]
    Said,
    /// When they really left.
    Known,
    /// Nothing.
    Unknown,
}

/// How sessions are played.
#[derive(Debug, Clone)]
pub struct Setting {
    /// How it is shared.
    pub policy: Policy,
    /// How often is decided.
    pub step: TimeDelta,
    /// What is known of departures.
    pub departures: Departures,
    /// What a kWh costs from each moment on, in the order of time.
    pub prices: Vec<(DateTime<Utc>, f64)>,
    /// How plans are weighed.
    pub aims: Aims,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            policy: Policy::Planner,
            step: TimeDelta::minutes(5),
            departures: Departures::Said,
            prices: Vec::new(),
            aims: Aims { time_limit: std::time::Duration::from_secs(10), ..Aims::default() },
        }
    }
}

/// A site under another grid connection: its limits times `scale`, and no more than `limit_kw` in all.
#[must_use]
pub fn under(site: &Site, scale: f64, limit_kw: Option<f64>) -> Site {
    let mut site = site.clone();
    for node in site.nodes.iter_mut().filter(|node| node.parent.is_none()) {
        node.amps = node.amps.map(|amps| {
            let [l1, l2, l3] = amps.values().map(|amps| amps * scale);
            PerPhase::Each { l1, l2, l3 }
        });
        node.watts = node.watts.map(|watts| watts * scale);
        if let Some(limit) = limit_kw {
            node.watts = Some(node.watts.map_or(limit * 1000.0, |watts| watts.min(limit * 1000.0)));
        }
    }
    site
}

/// Plays sessions at a site.
///
/// # Errors
/// When a session is at a station or connector that the site does not have, or at one where another car still is.
pub fn replay(site: &Site, sessions: &[Session], setting: &Setting) -> Result<Score, SessionsError> {
    let rows = Rows::compile(site);
    let cars = cars(&rows, sessions)?;
    let zone: Tz = site.time_zone.parse().unwrap_or(Tz::UTC);
    let mut playing = Playing {
        peaks: vec![(0.0, 0.0, None); rows.rows.len()],
        rows: &rows,
        setting,
        zone,
        cars,
        stays: Stays::new(),
        decisions: 0,
        without_plan: 0,
        violations: 0,
        cost: 0.0,
    };
    let moments = moments(&rows, sessions, setting);
    for (from, to) in moments.iter().zip(moments.iter().skip(1)) {
        playing.span(*from, *to);
    }
    Ok(playing.score(sessions))
}

/// When something may change: arrivals, departures, steps while someone is there, schedules and prices.
fn moments(rows: &Rows, sessions: &[Session], setting: &Setting) -> Vec<DateTime<Utc>> {
    let mut moments = BTreeSet::new();
    let step = setting.step.max(TimeDelta::seconds(1));
    let mut reached = DateTime::<Utc>::MIN_UTC;
    for session in sessions {
        moments.extend([session.arrival, session.departure]);
        reached = reached.max(session.arrival);
        while reached < session.departure {
            moments.insert(reached);
            let Some(next) = reached.checked_add_signed(step) else { break };
            reached = next;
        }
    }
    let (Some(first), Some(last)) = (moments.first().copied(), moments.last().copied()) else {
        return Vec::new();
    };
    moments.extend(setting.prices.iter().map(|(at, _)| *at).filter(|at| *at > first && *at < last));
    let mut at = first;
    while let Some(next) = rows.next_change(at).filter(|next| *next > at && *next < last) {
        moments.insert(next);
        at = next;
    }
    moments.into_iter().collect()
}

/// A car of the replay.
struct Playable {
    leaf: Leaf,
    phases: Phases,
    min: f64,
    max: f64,
    weight: f64,
    class: i32,
    kw_per_amp: f64,
    arrival: DateTime<Utc>,
    departure: DateTime<Utc>,
    expected: Option<DateTime<Utc>>,
    wanted: f64,
    has: f64,
    on_since: Option<DateTime<Utc>>,
    waits_since: DateTime<Utc>,
    gone: bool,
}

fn cars(rows: &Rows, sessions: &[Session]) -> Result<Vec<Playable>, SessionsError> {
    let mut busy: HashMap<Leaf, DateTime<Utc>> = HashMap::new();
    let mut cars = Vec::with_capacity(sessions.len());
    for (at, session) in sessions.iter().enumerate() {
        let wrong = |reason: String| SessionsError::new(format!("session {at} ({})", session.id), reason);
        let Some(leaf) = rows.leaf(&session.station, session.connector) else {
            let Session { station, connector, .. } = session;
            return Err(wrong(format!("the site has no connector {connector} at a station {station:?}")));
        };
        if busy.get(&leaf).is_some_and(|until| *until > session.arrival) {
            return Err(wrong(format!("at {} another car is still there", session.station)));
        }
        busy.insert(leaf, session.departure);
        let Some(outlet) = rows.outlets.get(leaf) else {
            return Err(wrong("the site has no such connector".to_owned()));
        };
        let phases = session.phases.map(|count| [count >= 1, count >= 2, count >= 3]);
        let kw_per_amp = kw_per_amp(rows, leaf, phases);
        let by_power = session.max_kw.map_or(f64::INFINITY, |kw| kw / kw_per_amp);
        cars.push(Playable {
            leaf,
            phases,
            min: session.min_amps.unwrap_or(outlet.min),
            max: session.max_amps.unwrap_or(f64::INFINITY).min(by_power).min(outlet.max),
            weight: outlet.weight,
            class: outlet.class,
            kw_per_amp,
            arrival: session.arrival,
            departure: session.departure,
            expected: session.expected_departure,
            wanted: session.energy_kwh,
            has: 0.0,
            on_since: None,
            waits_since: session.arrival,
            gone: false,
        });
    }
    Ok(cars)
}

struct Playing<'a> {
    rows: &'a Rows,
    setting: &'a Setting,
    zone: Tz,
    cars: Vec<Playable>,
    stays: Stays,
    /// For each row the most it carried, its cap then, and when.
    peaks: Vec<(f64, f64, Option<DateTime<Utc>>)>,
    decisions: usize,
    without_plan: usize,
    violations: usize,
    cost: f64,
}

impl Playing<'_> {
    /// Plays from one moment to the next: what is decided at the first holds until the second.
    fn span(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        for car in self.cars.iter_mut().filter(|car| !car.gone && car.departure <= from) {
            car.gone = true;
            self.stays.left(hour_of(car.arrival, self.zone), hours_between(car.arrival, car.departure));
        }
        let there: Vec<usize> = (0..self.cars.len())
            .filter(|at| {
                self.cars.get(*at).is_some_and(|car| {
                    car.arrival <= from && car.departure > from && car.wanted - car.has > 1e-9
                })
            })
            .collect();
        if there.is_empty() {
            return;
        }
        let caps = self.caps(from);
        let amps = self.amps(from, &caps, &there);
        self.decisions = self.decisions.saturating_add(1);
        let price = price_at(&self.setting.prices, from);
        let mut loads = vec![Phasor::ZERO; caps.len()];
        for (at, amps) in there.into_iter().zip(amps) {
            let Some(car) = self.cars.get_mut(at) else { continue };
            for (row, part) in self.rows.path(car.leaf, car.phases) {
                if let Some(load) = loads.get_mut(row) {
                    *load = *load + part * amps;
                }
            }
            let kwh = (amps * car.kw_per_amp * hours_between(from, to)).min(car.wanted - car.has);
            car.has += kwh;
            self.cost += kwh * price.unwrap_or(0.0);
            if amps > 0.0 {
                car.on_since = car.on_since.or(Some(from));
                car.waits_since = to;
            } else {
                car.on_since = None;
            }
        }
        let mut above = false;
        for ((load, cap), peak) in loads.iter().zip(&caps).zip(&mut self.peaks) {
            let load = load.length();
            above |= load > cap * (1.0 + 1e-9) + 1e-9;
            if load > peak.0 {
                *peak = (load, *cap, Some(from));
            }
        }
        self.violations = self.violations.saturating_add(usize::from(above));
    }

    fn caps(&self, at: DateTime<Utc>) -> Vec<f64> {
        let caps = self.rows.caps_at(at);
        caps.into_iter().zip(&self.rows.rows).map(|(cap, row)| (cap - row.margin).max(0.0)).collect()
    }

    fn amps(&mut self, now: DateTime<Utc>, caps: &[f64], there: &[usize]) -> Vec<f64> {
        let cars: Vec<&Playable> = there.iter().filter_map(|at| self.cars.get(*at)).collect();
        let asking =
            |car: &&Playable| Asking { leaf: car.leaf, phases: car.phases, min: car.min, max: car.max };
        let asking: Vec<Asking> = cars.iter().map(asking).collect();
        let aims = match self.setting.policy {
            Policy::Uncontrolled => return uncontrolled(&asking),
            Policy::FirstCome => return first_come(self.rows, caps, &asking),
            Policy::EqualSplit => return equal_split(self.rows, caps, &asking),
            Policy::Solver => None,
            Policy::Planner => Some(&self.setting.aims),
        };
        let present: Vec<Present> = cars.iter().map(|car| self.present(car, now)).collect();
        let outlook = if aims.is_some() { self.outlook(now) } else { Outlook::default() };
        let decision = decide(
            &Tick {
                rows: self.rows,
                caps,
                reserved: &[],
                min_on_seconds: 900.0,
                hours: self.setting.step.as_seconds_f64() / 3600.0,
                stays: &self.stays,
                outlook: &outlook,
                aims,
            },
            &present,
        );
        let missing = matches!(decision.planned, Planned::Without(_));
        self.without_plan = self.without_plan.saturating_add(usize::from(missing));
        decision.shares.grants.iter().map(|grant| grant.amps).collect()
    }

    fn present(&self, car: &Playable, now: DateTime<Utc>) -> Present {
        let leaves = match self.setting.departures {
            Departures::Said => car.expected,
            Departures::Known => Some(car.departure),
            Departures::Unknown => None,
        };
        Present {
            demand: Demand {
                leaf: car.leaf,
                min: car.min,
                max: car.max,
                weight: car.weight,
                class: car.class,
                phases: car.phases,
                floor: 0.0,
                laxity: None,
                on_for: car.on_since.map(|since| hours_between(since, now) * 3600.0),
                waited: hours_between(car.waits_since, now) * 3600.0,
            },
            wants_kwh: Some(car.wanted - car.has),
            has_kwh: car.has,
            leaves_in: leaves.map(|leaves| hours_between(now, leaves)),
            came_at: hour_of(car.arrival, self.zone),
            been: hours_between(car.arrival, now),
        }
    }

    /// The caps of schedules and the prices of the slots to come.
    fn outlook(&self, now: DateTime<Utc>) -> Outlook {
        let mut outlook = Outlook::default();
        let scheduled = self.rows.next_change(now).is_some();
        let mut at = now;
        for _ in 0..self.setting.aims.slots {
            if scheduled {
                outlook.caps.push(self.caps(at));
            }
            if let Some(price) = price_at(&self.setting.prices, at) {
                outlook.prices.push(price);
            }
            at = at.checked_add_signed(TimeDelta::minutes(15)).unwrap_or(at);
        }
        outlook
    }

    fn score(self, sessions: &[Session]) -> Score {
        let served: Vec<Served> = sessions
            .iter()
            .zip(&self.cars)
            .map(|(session, car)| Served {
                id: session.id.clone(),
                wanted_kwh: car.wanted,
                delivered_kwh: car.has,
            })
            .collect();
        let wanted_kwh: f64 = served.iter().map(|one| one.wanted_kwh).sum();
        let delivered_kwh: f64 = served.iter().map(|one| one.delivered_kwh).sum();
        let peaks = self.rows.rows.iter().zip(&self.peaks).filter(|(row, _)| row.cap.is_finite());
        let rows = peaks.map(|(row, (peak, cap, at))| Peak {
            node: row.name.node.to_string(),
            of: row.name.of.to_string(),
            unit: row.name.of.unit(),
            cap: if at.is_some() { *cap } else { row.cap - row.margin },
            peak: *peak,
            at: *at,
        });
        Score {
            policy: self.setting.policy,
            wanted_kwh,
            delivered_kwh,
            percent: if wanted_kwh > 0.0 { 100.0 * delivered_kwh / wanted_kwh } else { 100.0 },
            fairness: fairness(&served),
            cost: (!self.setting.prices.is_empty()).then_some(self.cost),
            decisions: self.decisions,
            without_plan: self.without_plan,
            violations: self.violations,
            rows: rows.collect(),
            sessions: served,
        }
    }
}

fn price_at(prices: &[(DateTime<Utc>, f64)], at: DateTime<Utc>) -> Option<f64> {
    let next = prices.partition_point(|(from, _)| *from <= at);
    prices.get(next.saturating_sub(1)).map(|(_, price)| *price)
}

/// Hours from one moment to another.
pub(super) fn hours_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    to.signed_duration_since(from).as_seconds_f64() / 3600.0
}

/// The hour of the local day, 0 to 24.
fn hour_of(at: DateTime<Utc>, zone: Tz) -> f64 {
    f64::from(at.with_timezone(&zone).num_seconds_from_midnight()) / 3600.0
}
