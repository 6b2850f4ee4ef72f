//! A site under load management as it is now, for programs.

use crate::domain::Timestamp;
use crate::load::control::{ConnectorView, GridState, RowView, SiteView, Wish};
use crate::load::ledger::Trust;
use crate::load::outlook::ExpectedView;
use serde::Serialize;
use utoipa::ToSchema;

/// A site as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NowView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Option<String>,
    /// Every limit.
    limits: Vec<LimitView>,
    /// Every connector.
    connectors: Vec<ConnectorNow>,
    /// The grid operator's side, where it is agreed.
    grid: Option<GridView>,
    /// The site's meters.
    meters: Vec<MeterView>,
    /// Whether a plan guides who gets what, in words.
    #[schema(example = "made 12 s ago for 5 cars")]
    plan: String,
    /// What is expected of the time ahead.
    outlook: Vec<ExpectedNow>,
    /// Stations whose clocks are off by more than a minute.
    clocks: Vec<ClockView>,
    /// When something changes next without news.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_change: Option<String>,
}

/// A series of the outlook.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExpectedNow {
    /// `prices`, `co2` or `sun_kw`.
    #[schema(example = "prices")]
    of: &'static str,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    from: Option<String>,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    until: Option<String>,
    /// Its value now; null where nothing is known of now.
    now: Option<f64>,
    /// Whether it says something of the time ahead; one that has ended is ignored.
    used: bool,
}

impl From<ExpectedView> for ExpectedNow {
    fn from(view: ExpectedView) -> Self {
        let ExpectedView { of, from, until, now, used } = view;
        Self { of: of.as_str(), from: time(from), until: time(until), now, used }
    }
}

/// A station whose clock is off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClockView {
    /// The station.
    station: String,
    /// By how many seconds it is ahead; below zero where it is behind.
    seconds: i64,
}

/// A limit: of a node or station, on a phase or in watts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LimitView {
    /// The node or station.
    #[schema(example = "grid")]
    node: String,
    /// `L1`, `L2`, `L3` or `power`.
    #[schema(example = "L1")]
    of: String,
    /// `A` or `W`.
    #[schema(example = "A")]
    unit: &'static str,
    /// The limit by the site and its schedule; null where there is none.
    limit: Option<f64>,
    /// What of it is left to charging now, after margin, other load and the grid operator's limit.
    for_cars: Option<f64>,
    /// What cars draw by their meters.
    flows: f64,
    /// What cars are granted.
    granted: f64,
    /// What may be drawn at the most, whatever fails.
    kept_free: f64,
}

/// A connector.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConnectorNow {
    /// Its station.
    station: String,
    /// OCPP's number.
    connector: i32,
    /// Whether its station is connected.
    online: bool,
    /// The transaction that goes on.
    transaction_id: Option<i32>,
    /// `unproven`, `proven`, `ignores` or `unable`: what was seen of its station's obedience.
    #[schema(example = "proven")]
    trust: &'static str,
    /// The limit that it was told last, amperes on each phase.
    granted_amps: Option<f64>,
    /// The limit that it is to have.
    target_amps: f64,
    /// What it may draw at the most, whatever fails.
    kept_free_amps: f64,
    /// What its meter said last, amperes on L1, L2, L3 of the station.
    flows_amps: Option<[f64; 3]>,
    /// On which of the station's phases the car charges, where that is known.
    phases: Option<[bool; 3]>,
    /// Why it has what it has.
    #[schema(example = "its share: L1 of grid is used up")]
    why: String,
    /// What is wished for the car, where something is.
    wish: Option<WishNow>,
    /// Profiles written to its station for it today.
    writes_today: u32,
    /// When its grant ends or is renewed.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<String>,
}

/// What is wished for a car.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WishNow {
    /// No more than this, amperes on each phase.
    most_amps: Option<f64>,
    /// Energy that is still wanted, kWh.
    energy_kwh: Option<f64>,
    /// When the car leaves.
    #[schema(value_type = Option<String>, format = DateTime)]
    departure: Option<String>,
    /// Its class.
    class: Option<i32>,
}

impl From<Wish> for WishNow {
    fn from(wish: Wish) -> Self {
        let Wish { most_amps, energy_kwh, departure, class } = wish;
        Self { most_amps, energy_kwh, departure: departure.and_then(time), class }
    }
}

/// The grid operator's side (EEBUS LPC).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GridView {
    /// `init`, `free`, `limited`, `failsafe` or `alone`.
    #[schema(example = "limited")]
    state: &'static str,
    /// Watts that charging may draw; null where nothing limits it.
    watts: Option<f64>,
}

/// A meter of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MeterView {
    /// Its id.
    id: String,
    /// Whether it can be relied on; otherwise its worst case counts.
    good: bool,
    /// When it was heard last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last: Option<String>,
}

fn time(millis: i64) -> Option<String> {
    Timestamp::from_millis(millis).map(|at| at.to_string())
}

impl From<SiteView> for NowView {
    fn from(view: SiteView) -> Self {
        let SiteView { at, rows, connectors, grid, meters, plan, outlook, clocks, next_change } = view;
        let limited = rows.into_iter().filter(|row| row.limit.is_finite() || row.cap.is_finite());
        Self {
            at: time(at),
            limits: limited.map(LimitView::from).collect(),
            connectors: connectors.into_iter().map(ConnectorNow::from).collect(),
            grid: grid.map(|(state, watts)| GridView { state: state_word(state), watts }),
            meters: meters
                .into_iter()
                .map(|(id, good, last)| MeterView { id, good, last: last.and_then(time) })
                .collect(),
            plan,
            outlook: outlook.into_iter().map(ExpectedNow::from).collect(),
            clocks: clocks.into_iter().map(|(station, seconds)| ClockView { station, seconds }).collect(),
            next_change: next_change.and_then(time),
        }
    }
}

impl From<RowView> for LimitView {
    fn from(row: RowView) -> Self {
        let RowView { node, of, limit, cap, load, granted, reserved } = row;
        let finite = |value: f64| value.is_finite().then_some(value);
        Self {
            node,
            of: of.to_string(),
            unit: of.unit(),
            limit: finite(limit),
            for_cars: finite(cap),
            flows: load,
            granted,
            kept_free: reserved,
        }
    }
}

impl From<ConnectorView> for ConnectorNow {
    fn from(view: ConnectorView) -> Self {
        let ConnectorView {
            leaf: _,
            station,
            connector,
            online,
            transaction,
            trust,
            granted,
            target,
            reserved,
            load,
            phases,
            why,
            wish,
            writes_today,
            until,
        } = view;
        let trust = match trust {
            Trust::Unproven => "unproven",
            Trust::Proven => "proven",
            Trust::Ignores => "ignores",
            Trust::Unable => "unable",
        };
        Self {
            station,
            connector,
            online,
            transaction_id: transaction,
            trust,
            granted_amps: granted.map(amps),
            target_amps: amps(target),
            kept_free_amps: amps(reserved),
            flows_amps: load.map(|(amps, _)| amps),
            phases,
            why,
            wish: wish.map(WishNow::from),
            writes_today,
            until: until.and_then(time),
        }
    }
}

#[expect(clippy::float_arithmetic, reason = "tenths of an ampere, to be read")]
fn amps(tenths: u32) -> f64 {
    f64::from(tenths) / 10.0
}

fn state_word(state: GridState) -> &'static str {
    match state {
        GridState::Init => "init",
        GridState::Free => "free",
        GridState::Limited => "limited",
        GridState::Failsafe => "failsafe",
        GridState::Alone => "alone",
    }
}
