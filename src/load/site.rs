//! The site: a tree of limits from the grid connection down to the connectors.

mod mqtt;
mod per_phase;
mod read;
mod schedule;
mod validate;

pub use mqtt::MqttSource;
pub use per_phase::PerPhase;
pub use read::SiteError;
pub use schedule::{Day, TimeOfDay, Window};
pub use validate::Finding;

use serde::{Deserialize, Serialize};

/// A site as the operator describes it, in TOML or JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its id: 1 to 36 characters.
    pub id: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// IANA time zone of its schedules and charts.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// Volts from phase to neutral at the grid connection; behind a transformer, its secondary side says them.
    #[serde(default = "volts")]
    pub volts: f64,
    /// Grid connection, boards, stations' feeders: the tree. Exactly one has no parent.
    #[serde(rename = "node")]
    pub nodes: Vec<Node>,
    /// The stations at the tree's ends.
    #[serde(default, rename = "station")]
    pub stations: Vec<Station>,
    /// Meters of what is not a charging station, or of a node as a whole.
    #[serde(default, rename = "meter", skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<Meter>,
    /// What is agreed with the grid operator about limits that it sets from afar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid_control: Option<super::control::GridControl>,
}

/// A place in the tree that limits what flows through it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its id, unique among nodes and stations.
    pub id: String,
    /// The node above; none for the grid connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Amperes on each phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amps: Option<PerPhase>,
    /// Watts in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watts: Option<f64>,
    /// The most by which the current of one phase may exceed that of another, amperes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbalance_amps: Option<f64>,
    /// Kept free on every phase for what meters and cars overshoot, amperes.
    #[serde(default)]
    pub margin_amps: f64,
    /// A transformer between this node (its secondary side) and its parent (primary side). The limits of this
    /// node hold on the secondary side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformer: Option<Transformer>,
    /// Lower limits at certain times of the day. They only narrow what `amps` and `watts` allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<Window>,
}

/// A three-phase transformer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transformer {
    /// How its windings are connected, primary side first.
    pub windings: Windings,
    /// Volts between phases on the primary side.
    pub primary_volts: f64,
    /// Volts between phases on the secondary side.
    pub secondary_volts: f64,
}

/// How the windings of a transformer are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Windings {
    /// Delta on the primary side, wye on the secondary (vector group Dyn11, as ACN-Sim has it): the winding of
    /// secondary phase L1 lies between L1 and L2 of the primary side.
    DeltaWye,
    /// Wye on both sides: phases stay what they are.
    WyeWye,
}

/// A charging station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// What it calls itself in OCPP.
    pub id: String,
    /// The node that feeds it.
    pub parent: String,
    /// The most it takes on each phase, amperes: its fuse. Without it, the sum of its connectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amps: Option<f64>,
    /// Which phases of the node its own L1, L2, L3 are wired to.
    #[serde(default)]
    pub rotation: Rotation,
    /// Whether it takes charging profiles. One that does not counts with what it can take.
    #[serde(default = "yes")]
    pub smart_charging: bool,
    /// Its connectors.
    #[serde(rename = "connector")]
    pub connectors: Vec<Connector>,
}

/// How a station's phases are wired, as OCPP writes it (1.6, 9.1.5 ConnectorPhaseRotation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Rotation {
    /// L1, L2, L3.
    #[default]
    Rst,
    /// L1, L3, L2.
    Rts,
    /// L2, L1, L3.
    Srt,
    /// L2, L3, L1.
    Str,
    /// L3, L1, L2.
    Trs,
    /// L3, L2, L1.
    Tsr,
}

impl Rotation {
    /// To which phase of the node (0 to 2) each of the station's own is wired.
    #[must_use]
    pub fn bus(self) -> [usize; 3] {
        match self {
            Self::Rst => [0, 1, 2],
            Self::Rts => [0, 2, 1],
            Self::Srt => [1, 0, 2],
            Self::Str => [1, 2, 0],
            Self::Trs => [2, 0, 1],
            Self::Tsr => [2, 1, 0],
        }
    }
}

/// A connector: what a car is plugged into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// OCPP's number, from 1.
    pub number: i32,
    /// The most it gives on each phase, amperes (for direct current: what its rectifier takes from each phase).
    pub amps: f64,
    /// What it is connected to.
    #[serde(default)]
    pub wiring: Wiring,
    /// The least a car charges with, amperes (IEC 61851: 6).
    #[serde(default = "six")]
    pub min_amps: f64,
    /// Its share where all cannot have all, beside others with 1.
    #[serde(default = "one")]
    pub weight: f64,
    /// Who is served first: higher before lower.
    #[serde(default)]
    pub class: i32,
    /// What it may draw when it has lost its backend, and before it was told anything, amperes. Below
    /// `min_amps` means paused.
    #[serde(default)]
    pub fallback_amps: f64,
    /// Direct current: what of the power taken arrives at the car, 0 to 1. None for alternating current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dc_efficiency: Option<f64>,
}

/// What a connector draws its current between, in the station's own phases (before rotation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Wiring {
    /// Three phases.
    #[default]
    #[serde(rename = "L1-L2-L3")]
    Three,
    /// L1 and neutral.
    #[serde(rename = "L1")]
    L1,
    /// L1 and L2, each to neutral: a car on two phases.
    #[serde(rename = "L1+L2")]
    Two,
    /// Between L1 and L2, without neutral (208 V in America).
    #[serde(rename = "L1-L2")]
    L1ToL2,
}

/// A meter that is not a station's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// Its id: what the feed names.
    pub id: String,
    /// The node it measures.
    pub node: String,
    /// What it sees.
    pub measures: Measures,
    /// The load besides charging that is reckoned with when it is silent or talks nonsense, amperes a phase.
    pub worst_amps: PerPhase,
    /// After how many seconds of silence.
    #[serde(default = "sixty")]
    pub stale_seconds: u32,
    /// Where it is read from an MQTT broker, if it is; otherwise it is told over the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mqtt: Option<MqttSource>,
}

/// What a meter sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measures {
    /// All that flows through the node, cars included.
    Total,
    /// Only what is not charging.
    Background,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn volts() -> f64 {
    230.0
}

fn yes() -> bool {
    true
}

fn six() -> f64 {
    6.0
}

fn one() -> f64 {
    1.0
}

fn sixty() -> u32 {
    60
}
