//! A simulator that drives our decisions: states of a site come in, one after the other, and limits go out.
//!
//! What a node would remember between two decisions is remembered here: since when each car charges or waits, and
//! how long those stayed that have left.

#![expect(clippy::float_arithmetic, reason = "hours and amperes of a simulation; nothing here is billed")]

use super::run::hours_between;
use super::sessions::SessionsError;
use crate::load::plan::tick::{Present, Tick};
use crate::load::plan::{Aims, Outlook, Planned, Stays, decide};
use crate::load::rows::{Leaf, Quantity, Rows};
use crate::load::site::{PerPhase, Site};
use crate::load::solver::{Demand, Grant};
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a simulator says: a state of the site.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The moment.
    pub time: DateTime<Utc>,
    /// All cars that are plugged in, those that have enough as well.
    #[serde(default)]
    pub cars: Vec<PluggedIn>,
    /// Limits that hold now beside the site's own.
    #[serde(default)]
    pub caps: Vec<Cap>,
    /// What a kWh costs in each of the next quarters of an hour: money or CO₂.
    #[serde(default)]
    pub prices: Vec<f64>,
    /// What the site makes itself in each of the next quarters of an hour, kW. It comes on top of the limits of the
    /// grid connection.
    #[serde(default)]
    pub sun_kw: Vec<f64>,
}

/// A car that is plugged in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluggedIn {
    /// The station's id.
    pub station: String,
    /// The connector's number.
    #[serde(default = "first")]
    pub connector: i32,
    /// What tells this car from the next at the connector.
    #[serde(default)]
    pub id: String,
    /// When it came; none for when it was first named.
    #[serde(default)]
    pub arrival: Option<DateTime<Utc>>,
    /// What it still wants, kWh; none while nobody knows.
    #[serde(default)]
    pub energy_kwh: Option<f64>,
    /// What it has got, kWh.
    #[serde(default)]
    pub delivered_kwh: f64,
    /// When it will leave; none while nobody knows.
    #[serde(default)]
    pub departure: Option<DateTime<Utc>>,
    /// The least it charges with, amperes; none for the connector's.
    #[serde(default)]
    pub min_amps: Option<f64>,
    /// The most it takes, amperes; none for the connector's.
    #[serde(default)]
    pub max_amps: Option<f64>,
    /// On how many of the connector's phases it charges, counted from the first.
    #[serde(default)]
    pub phases: Option<u8>,
}

/// A limit of a node.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// The node's id.
    pub node: String,
    /// Amperes on each phase.
    #[serde(default)]
    pub amps: Option<PerPhase>,
    /// Watts in all.
    #[serde(default)]
    pub watts: Option<f64>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The moment.
    pub time: DateTime<Utc>,
    /// `planner` or `solver`.
    pub by: &'static str,
    /// Why there is no plan, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_plan: Option<String>,
    /// For each car in their order.
    pub limits: Vec<Limit>,
}

/// The limit of a connector.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// The station's id.
    pub station: String,
    /// The connector's number.
    pub connector: i32,
    /// Amperes on each phase.
    pub amps: f64,
    /// Why not more, in a word.
    pub reason: &'static str,
    /// The same for people.
    pub because: String,
}

fn first() -> i32 {
    1
}

/// A site whose states come in.
#[derive(Debug)]
pub struct Live {
    rows: Rows,
    root: String,
    zone: Tz,
    aims: Option<Aims>,
    step: TimeDelta,
    stays: Stays,
    cars: BTreeMap<Leaf, Seen>,
}

#[derive(Debug, Clone)]
struct Seen {
    id: String,
    arrival: DateTime<Utc>,
    on_since: Option<DateTime<Utc>>,
    waits_since: DateTime<Utc>,
}

impl Live {
    /// A site without cars. With `aims` it looks ahead; `step` is the time between two states.
    #[must_use]
    pub fn new(site: &Site, aims: Option<Aims>, step: TimeDelta) -> Self {
        let root = site.nodes.iter().find(|node| node.parent.is_none());
        Self {
            rows: Rows::compile(site),
            root: root.map(|node| node.id.clone()).unwrap_or_default(),
            zone: site.time_zone.parse().unwrap_or(Tz::UTC),
            aims,
            step,
            stays: Stays::new(),
            cars: BTreeMap::new(),
        }
    }

    /// The site as inequalities.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Answers a line of JSON.
    ///
    /// # Errors
    /// When it is no state, or names what the site does not have: with its place. Nothing has changed then.
    pub fn read(&mut self, line: &str) -> Result<Answer, SessionsError> {
        let mut reader = serde_json::Deserializer::from_str(line);
        let state = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." { "$".to_owned() } else { format!("$.{path}") };
            SessionsError::new(place, error.into_inner().to_string())
        })?;
        self.answer(&state)
    }

    /// Answers a state.
    ///
    /// # Errors
    /// When it names what the site does not have: with its place. Nothing has changed then.
    pub fn answer(&mut self, state: &State) -> Result<Answer, SessionsError> {
        let leaves = self.leaves(state)?;
        let caps = self.caps(state)?;
        self.remember(state, &leaves);
        let present: Vec<Present> =
            state.cars.iter().zip(&leaves).map(|(car, leaf)| self.present(car, *leaf, state.time)).collect();
        let outlook = self.outlook(state, &caps);
        let now = outlook.caps.first().map_or(caps.as_slice(), Vec::as_slice);
        let decision = decide(
            &Tick {
                rows: &self.rows,
                caps: now,
                reserved: &[],
                min_on_seconds: 900.0,
                hours: self.step.as_seconds_f64() / 3600.0,
                stays: &self.stays,
                outlook: &outlook,
                aims: self.aims.as_ref(),
            },
            &present,
        );
        let limits =
            state.cars.iter().zip(&decision.shares.grants).map(|(car, grant)| self.limit(car, grant));
        let limits = limits.collect();
        for grant in &decision.shares.grants {
            let Some(seen) = self.cars.get_mut(&grant.leaf) else { continue };
            if grant.amps > 0.0 {
                seen.on_since = seen.on_since.or(Some(state.time));
                seen.waits_since = state.time.checked_add_signed(self.step).unwrap_or(state.time);
            } else {
                seen.on_since = None;
            }
        }
        Ok(Answer {
            time: state.time,
            by: if decision.planned == Planned::Yes { "planner" } else { "solver" },
            without_plan: match decision.planned {
                Planned::Without(why) => Some(why.to_string()),
                Planned::Yes | Planned::NotAsked => None,
            },
            limits,
        })
    }

    fn leaves(&self, state: &State) -> Result<Vec<Leaf>, SessionsError> {
        let mut leaves = Vec::with_capacity(state.cars.len());
        for (at, car) in state.cars.iter().enumerate() {
            let wrong = |field: &str, reason: String| {
                Err(SessionsError::new(format!("$.cars[{at}].{field}"), reason))
            };
            let PluggedIn { station, connector, .. } = car;
            let Some(leaf) = self.rows.leaf(station, *connector) else {
                return wrong("station", format!("the site has no connector {connector} at {station:?}"));
            };
            if leaves.contains(&leaf) {
                return wrong("station", format!("connector {connector} of {station:?} is named twice"));
            }
            let numbers = [
                ("energy_kwh", car.energy_kwh),
                ("delivered_kwh", Some(car.delivered_kwh)),
                ("min_amps", car.min_amps),
                ("max_amps", car.max_amps),
            ];
            for (field, number) in numbers {
                if number.is_some_and(|number| number < 0.0) {
                    return wrong(field, "must not be negative".to_owned());
                }
            }
            leaves.push(leaf);
        }
        Ok(leaves)
    }

    /// The caps of all rows at the moment, with what the state says.
    fn caps(&self, state: &State) -> Result<Vec<f64>, SessionsError> {
        let mut caps: Vec<f64> = self.rows.caps_at(state.time);
        for (at, cap) in state.caps.iter().enumerate() {
            let mut narrow = |of: Quantity, limit: f64| {
                let row = self.rows.row(&cap.node, of).and_then(|row| caps.get_mut(row));
                let Some(row) = row else {
                    let reason = format!("the site has no row {of} of {:?}", cap.node);
                    return Err(SessionsError::new(format!("$.caps[{at}]"), reason));
                };
                *row = row.min(limit.max(0.0));
                Ok(())
            };
            if let Some(amps) = cap.amps {
                for (of, amps) in [Quantity::L1, Quantity::L2, Quantity::L3].into_iter().zip(amps.values()) {
                    narrow(of, amps)?;
                }
            }
            if let Some(watts) = cap.watts {
                narrow(Quantity::Watts, watts)?;
            }
        }
        for (cap, row) in caps.iter_mut().zip(&self.rows.rows) {
            *cap = (*cap - row.margin).max(0.0);
        }
        Ok(caps)
    }

    /// What is known of the slots to come; its first caps are those of now, the sun's power included.
    fn outlook(&self, state: &State, caps: &[f64]) -> Outlook {
        let with_sun = |kw: f64| {
            let volts = self.rows.outlets.first().map_or(230.0, |outlet| outlet.volts);
            let root = self.rows.rows.iter().zip(caps).map(|(row, cap)| match row.name.of {
                _ if *row.name.node != *self.root => *cap,
                Quantity::Watts => cap + kw * 1000.0,
                Quantity::L1 | Quantity::L2 | Quantity::L3 => cap + kw * 1000.0 / 3.0 / volts,
                _ => *cap,
            });
            root.collect::<Vec<f64>>()
        };
        let caps = match state.sun_kw.as_slice() {
            [] => vec![caps.to_vec()],
            sun => sun.iter().map(|kw| with_sun(kw.max(0.0))).collect(),
        };
        Outlook { caps, prices: state.prices.clone(), sun_kw: state.sun_kw.clone() }
    }

    /// Who is new, and who has left.
    fn remember(&mut self, state: &State, leaves: &[Leaf]) {
        let now: BTreeMap<Leaf, &PluggedIn> = leaves.iter().copied().zip(&state.cars).collect();
        let gone: Vec<Leaf> = self
            .cars
            .iter()
            .filter(|(leaf, seen)| now.get(leaf).is_none_or(|car| car.id != seen.id))
            .map(|(leaf, _)| *leaf)
            .collect();
        for leaf in gone {
            if let Some(seen) = self.cars.remove(&leaf) {
                self.stays.left(self.hour(seen.arrival), hours_between(seen.arrival, state.time));
            }
        }
        for (leaf, car) in now {
            let arrival = car.arrival.unwrap_or(state.time).min(state.time);
            self.cars.entry(leaf).or_insert_with(|| Seen {
                id: car.id.clone(),
                arrival,
                on_since: None,
                waits_since: arrival,
            });
        }
    }

    fn present(&self, car: &PluggedIn, leaf: Leaf, now: DateTime<Utc>) -> Present {
        let (outlet, seen) = (self.rows.outlets.get(leaf), self.cars.get(&leaf));
        let arrival = seen.map_or(now, |seen| seen.arrival);
        let most = outlet.map_or(0.0, |outlet| outlet.max);
        Present {
            demand: Demand {
                leaf,
                min: car.min_amps.or(outlet.map(|outlet| outlet.min)).unwrap_or(6.0),
                max: car.max_amps.map_or(most, |max| max.min(most)),
                weight: outlet.map_or(1.0, |outlet| outlet.weight),
                class: outlet.map_or(0, |outlet| outlet.class),
                phases: car.phases.map(|count| [count >= 1, count >= 2, count >= 3]),
                floor: 0.0,
                laxity: None,
                on_for: seen.and_then(|seen| seen.on_since).map(|since| hours_between(since, now) * 3600.0),
                waited: seen.map_or(0.0, |seen| hours_between(seen.waits_since, now).max(0.0) * 3600.0),
            },
            wants_kwh: car.energy_kwh,
            has_kwh: car.delivered_kwh,
            leaves_in: car.departure.map(|departure| hours_between(now, departure)),
            came_at: self.hour(arrival),
            been: hours_between(arrival, now),
        }
    }

    fn limit(&self, car: &PluggedIn, grant: &Grant) -> Limit {
        Limit {
            station: car.station.clone(),
            connector: car.connector,
            amps: grant.amps,
            reason: grant.reason.code(),
            because: grant.reason.told(&self.rows).to_string(),
        }
    }

    /// The hour of the local day, 0 to 24.
    fn hour(&self, at: DateTime<Utc>) -> f64 {
        f64::from(at.with_timezone(&self.zone).num_seconds_from_midnight()) / 3600.0
    }
}

/// A row with the names of its connectors, for whoever checks the limits with a model of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowTold {
    /// The node's or station's id, and what of it.
    pub name: String,
    /// Amperes or watts.
    pub cap: f64,
    /// What one ampere at each connector means.
    pub terms: Vec<TermTold>,
}

/// What one ampere at a connector means in a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermTold {
    /// The station's id.
    pub station: String,
    /// The connector's number.
    pub connector: i32,
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

/// The rows that have a cap.
#[must_use]
pub fn rows_told(rows: &Rows) -> Vec<RowTold> {
    let mut terms: Vec<Vec<TermTold>> = vec![Vec::new(); rows.rows.len()];
    for (leaf, outlet) in rows.outlets.iter().enumerate() {
        for (row, part) in rows.path(leaf, None) {
            if let Some(terms) = terms.get_mut(row) {
                let station = outlet.station.to_string();
                terms.push(TermTold { station, connector: outlet.connector, re: part.re, im: part.im });
            }
        }
    }
    let with_cap = rows.rows.iter().zip(terms).filter(|(row, _)| row.cap.is_finite());
    with_cap.map(|(row, terms)| RowTold { name: row.name.to_string(), cap: row.cap, terms }).collect()
}
