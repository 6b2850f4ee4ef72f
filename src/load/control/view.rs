//! What a person sees of a site: the tree with limits and loads, each connector's grant and why, what comes next.

use super::super::ledger::{Millis, NoRoom, Tenths, Trust, Wish};
use super::super::outlook::{Expected, ExpectedView};
use super::super::rows::{Leaf, Quantity};
use super::super::solver::Reason;
use super::ahead::clock;
use super::{Controller, GridState};
use serde::{Deserialize, Serialize};

/// Why a connector has the limit that it has.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// No car is there.
    NoCar,
    /// Its station is not connected.
    Offline,
    /// Its station takes no charging profiles.
    Unable,
    /// Its station accepts limits and draws more.
    Ignores,
    /// A wish leaves less than a car can charge with.
    Wish,
    /// By sharing: a row that binds, or a rule.
    Shared(Reason),
    /// It waits, or takes less, because energy costs less later.
    Thrift {
        /// When it is to begin, where it has nothing now.
        until: Option<Millis>,
    },
    /// It gets more as soon as others were seen to draw less.
    WaitsForRoom(NoRoom),
    /// It gets more when its station's memory has rested.
    Rests {
        /// When.
        until: Millis,
    },
}

/// A row as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowView {
    /// The node or station.
    pub node: String,
    /// What of it.
    pub of: Quantity,
    /// Its limit by the site and its schedule, amperes or watts.
    #[serde(with = "endless")]
    pub limit: f64,
    /// What of it is left to charging now.
    #[serde(with = "endless")]
    pub cap: f64,
    /// What the cars' meters said last.
    pub load: f64,
    /// What is granted to cars.
    pub granted: f64,
    /// What may be drawn at the most, whatever fails.
    pub reserved: f64,
}

impl RowView {
    /// Whether more may flow than is left to charging.
    #[must_use]
    pub fn is_over(&self) -> bool {
        // A sum of floating-point numbers is off by far less than this.
        self.reserved > self.cap + 1e-6
    }
}

/// JSON knows no infinity: a limit that there is not is null.
mod endless {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Some(*value).filter(|value| value.is_finite()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}

/// A connector as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectorView {
    /// Its place.
    pub leaf: Leaf,
    /// Its station.
    pub station: String,
    /// OCPP's number.
    pub connector: i32,
    /// Whether its station is connected.
    pub online: bool,
    /// The transaction that goes on.
    pub transaction: Option<i32>,
    /// What was seen of its station's obedience.
    pub trust: Trust,
    /// The limit that it was told last, tenths of an ampere.
    pub granted: Option<Tenths>,
    /// The limit that it is to have.
    pub target: Tenths,
    /// What it may draw at the most, whatever fails.
    pub reserved: Tenths,
    /// What its meter said last, amperes by phase, and when.
    pub load: Option<([f64; 3], Millis)>,
    /// On which of the station's phases the car charges, where that is known.
    pub phases: Option<[bool; 3]>,
    /// Why, in words.
    pub why: String,
    /// What is wished for the car; the energy is what is still wanted.
    #[serde(default)]
    pub wish: Option<Wish>,
    /// Profiles written to its station for it today.
    pub writes_today: u32,
    /// When its lease ends or is renewed.
    pub until: Option<Millis>,
}

/// A site as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteView {
    /// When.
    pub at: Millis,
    /// Its rows.
    pub rows: Vec<RowView>,
    /// Its connectors.
    pub connectors: Vec<ConnectorView>,
    /// The grid operator's side, where it is agreed: the state, and watts where they are limited.
    pub grid: Option<(GridState, Option<f64>)>,
    /// The site's meters: id, whether it is good, when it was heard last.
    pub meters: Vec<(String, bool, Option<Millis>)>,
    /// Whether a plan guides who gets what, in words.
    #[serde(default)]
    pub plan: String,
    /// What is expected of the time ahead.
    #[serde(default)]
    pub outlook: Vec<ExpectedView>,
    /// Stations whose clocks are off by more than a minute: by how many seconds they are ahead, or below zero behind.
    #[serde(default)]
    pub clocks: Vec<(String, i64)>,
    /// When something changes next without news.
    pub next_change: Option<Millis>,
}

impl Controller {
    /// The site as it is now.
    #[must_use]
    pub fn view(&self, now: Millis) -> SiteView {
        let at = chrono::DateTime::from_timestamp_millis(now).unwrap_or_default();
        let limits = self.rows.caps_at(at);
        let caps = self.caps(now);
        let book = self.ledger.book(&self.rows, now);
        let (load, granted) = self.flows(now);
        let number = |of: &[f64], row: usize| of.get(row).copied().unwrap_or(0.0);
        let kept = |row: usize| self.rows.rows.get(row).filter(|row| !row.name.of.is_unbalance());
        let rows = (0..self.rows.rows.len()).filter_map(|row| {
            let name = &kept(row)?.name;
            Some(RowView {
                node: name.node.to_string(),
                of: name.of,
                limit: number(&limits, row),
                cap: number(&caps, row),
                load: number(&load, row),
                granted: number(&granted, row),
                reserved: book.used(&self.rows, row),
            })
        });
        let connectors = (0..self.leaves.len()).filter_map(|leaf| self.connector_view(leaf, now));
        let meters = self.site.meters.iter().zip(&self.meters);
        SiteView {
            at: now,
            rows: rows.collect(),
            connectors: connectors.collect(),
            grid: self.grid.as_ref().map(|grid| (grid.state(now), grid.watts(now))),
            meters: meters
                .map(|(meter, state)| (meter.id.clone(), state.is_good(now), state.last()))
                .collect(),
            plan: self.ahead.words(&self.outlook, now),
            outlook: self.outlook.seen(now),
            clocks: self.clocks(),
            next_change: self.next_change(now),
        }
    }

    /// Because of what a car waits: what the outlook says something of.
    fn because(&self, now: Millis) -> &'static str {
        let reaches = |of: Expected| self.outlook.series(of).reaches(now);
        match (reaches(Expected::Prices), reaches(Expected::Co2), reaches(Expected::SunKw)) {
            (true, _, true) => "the price and the sun",
            (true, _, false) => "the price",
            (false, true, true) => "CO₂ and the sun",
            (false, true, false) => "CO₂",
            (false, false, _) => "the sun",
        }
    }

    /// What flows in each row by the cars' meters, and what is granted.
    fn flows(&self, now: Millis) -> (Vec<f64>, Vec<f64>) {
        let mut load = vec![0.0; self.rows.rows.len()];
        let mut granted = load.clone();
        for (leaf, entry) in self.ledger.entries().iter().enumerate() {
            let metered =
                self.leaves.get(leaf).and_then(|state| state.car.as_ref()).and_then(|car| car.metered);
            let amps = metered.map_or([0.0; 3], |(amps, _)| amps);
            let told = f64::from(entry.told(now).unwrap_or(0)) / 10.0;
            let used = self.rows.mask(leaf, entry.phases);
            for (row, parts) in self.rows.parts(leaf) {
                let flows: f64 = parts.iter().zip(amps).map(|(part, amps)| part.length() * amps).sum();
                if let Some(sum) = load.get_mut(row) {
                    *sum += flows;
                }
                let means: f64 =
                    parts.iter().zip(used).filter(|(_, used)| *used).map(|(part, _)| part.length()).sum();
                if let Some(sum) = granted.get_mut(row) {
                    *sum += means * told;
                }
            }
        }
        (load, granted)
    }

    fn connector_view(&self, leaf: Leaf, now: Millis) -> Option<ConnectorView> {
        let (entry, state) = (self.ledger.entry(leaf)?, self.leaves.get(leaf)?);
        let outlet = self.rows.outlets.get(leaf)?;
        Some(ConnectorView {
            leaf,
            station: outlet.station.to_string(),
            connector: outlet.connector,
            online: entry.online,
            transaction: entry.transaction,
            trust: entry.trust,
            granted: entry.told(now),
            target: state.target,
            reserved: self.ledger.exposure(leaf, now).most(),
            load: state.car.as_ref().and_then(|car| car.metered),
            phases: entry.phases,
            why: self.words(&state.why, entry.default.is_some(), now),
            wish: entry.wish.map(|kept| {
                let got = state.car.as_ref().map_or(0.0, |car| car.got_kwh);
                let energy_kwh = kept.wish.energy_kwh.map(|wanted| (wanted - got).max(0.0));
                Wish { energy_kwh, ..kept.wish }
            }),
            writes_today: if entry.day == now.div_euclid(86_400_000) { entry.writes } else { 0 },
            until: entry.held.last().map(|held| held.until).filter(|until| *until != Millis::MAX),
        })
    }

    fn words(&self, why: &Why, prepared: bool, now: Millis) -> String {
        match why {
            Why::NoCar if prepared => "no car".to_owned(),
            Why::NoCar => "no car; the station has not confirmed its standing limits yet".to_owned(),
            Why::Offline if prepared => "not connected: its last limits are kept free for it".to_owned(),
            Why::Offline => {
                "not connected, and it never confirmed a limit: all that it can draw is kept free".to_owned()
            }
            Why::Unable => "takes no charging profiles: all that it can draw is kept free".to_owned(),
            Why::Ignores => {
                "drew more than it was allowed: it charges where all that it can draw is free".to_owned()
            }
            Why::Wish => "the wish for this session leaves less than a car can charge with".to_owned(),
            Why::Shared(reason) => reason.told(&self.rows).to_string(),
            Why::Thrift { until: Some(until) } => {
                format!("waits because of {}, until about {}", self.because(now), clock(*until))
            }
            Why::Thrift { until: None } => format!("no more now, because of {}", self.because(now)),
            Why::WaitsForRoom(NoRoom { row, over }) => {
                let name = self.rows.rows.get(*row).map(|row| (row.name.to_string(), row.name.of.unit()));
                let (name, unit) = name.unwrap_or_default();
                format!("gets more when others are seen to draw less: {name} lacks {over:.1} {unit}")
            }
            Why::Rests { until } => {
                let left = until.saturating_sub(now).max(0) / 1_000;
                format!("gets more in {left} s: a limit rises once in five minutes, for the station's memory")
            }
        }
    }
}
