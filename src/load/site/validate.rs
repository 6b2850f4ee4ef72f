//! Whether a site holds together. All that does not is found at once.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]

use super::{Connector, Node, PerPhase, Site, Station, Wiring};
use crate::domain::station::StationId;
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// No site has more amperes, volts or watts than this; a number beyond it is a slip of the keyboard.
const LARGEST: f64 = 1e9;
/// A transformer whose primary side differs more than this from the volts of the node above is not meant so.
const VOLTS_APART: f64 = 1.25;

/// Something in a site that does not hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: `station[3].connector[0].amps`.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What would be right.
    pub right: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}; {}", self.path, self.found, self.right)
    }
}

impl Site {
    /// All that does not hold together; empty for a good site.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut look = Look { site: self, nodes: HashMap::new(), findings: Vec::new() };
        look.head();
        look.ids();
        look.tree();
        self.nodes.iter().enumerate().for_each(|(index, node)| look.node(index, node));
        self.stations.iter().enumerate().for_each(|(index, station)| look.station(index, station));
        look.meters();
        look.grid_control();
        look.findings
    }

    /// Volts from phase to neutral at a node: its own transformer's secondary side, the nearest one above, or the
    /// grid connection's.
    #[must_use]
    pub fn volts_at(&self, node: &str) -> f64 {
        let mut id = Some(node);
        // A tree is no deeper than it has nodes; a cycle ends here.
        for _ in 0..=self.nodes.len() {
            let Some(node) = id.and_then(|id| self.nodes.iter().find(|node| node.id == id)) else { break };
            if let Some(transformer) = node.transformer {
                return transformer.secondary_volts / 3.0_f64.sqrt();
            }
            id = node.parent.as_deref();
        }
        self.volts
    }
}

struct Look<'a> {
    site: &'a Site,
    /// Index of each node by its id; of several with the same id the first.
    nodes: HashMap<&'a str, usize>,
    findings: Vec<Finding>,
}

impl<'a> Look<'a> {
    fn say(&mut self, path: impl Into<String>, found: impl Into<String>, right: impl Into<String>) {
        self.findings.push(Finding { path: path.into(), found: found.into(), right: right.into() });
    }

    /// A number that may be zero.
    fn at_least_zero(&mut self, path: impl Into<String>, value: f64) {
        if !(0.0..=LARGEST).contains(&value) {
            self.say(path, value.to_string(), "a finite number, 0 or more, is right");
        }
    }

    fn above_zero(&mut self, path: impl Into<String>, value: f64) {
        if !(value > 0.0 && value <= LARGEST) {
            self.say(path, value.to_string(), "a finite number above 0 is right");
        }
    }

    fn phases(&mut self, path: &str, value: Option<PerPhase>) {
        match value {
            None => {}
            Some(PerPhase::Same(all)) => self.at_least_zero(path, all),
            Some(each) => {
                for (name, value) in ["l1", "l2", "l3"].iter().zip(each.values()) {
                    self.at_least_zero(format!("{path}.{name}"), value);
                }
            }
        }
    }

    fn head(&mut self) {
        let site = self.site;
        if !(1..=36).contains(&site.id.chars().count()) {
            self.say("id", format!("{:?}", site.id), "1 to 36 characters are right");
        }
        if site.time_zone.parse::<Tz>().is_err() {
            let right = "a name of the IANA time zone database is right, as \"Europe/Berlin\"";
            self.say("time_zone", format!("{:?}", site.time_zone), right);
        }
        self.above_zero("volts", site.volts);
    }

    fn ids(&mut self) {
        let site = self.site;
        let mut seen: HashMap<&str, String> = HashMap::new();
        let nodes = site.nodes.iter().enumerate().map(|(i, node)| (format!("node[{i}].id"), &node.id));
        let stations =
            site.stations.iter().enumerate().map(|(i, station)| (format!("station[{i}].id"), &station.id));
        for (path, id) in nodes.chain(stations) {
            if id.is_empty() {
                self.say(path, "an empty id", "each node and station needs a name of its own");
            } else if let Some(first) = seen.get(id.as_str()) {
                let right = format!("{first} has it already, and ids are unique among nodes and stations");
                self.say(path, format!("{id:?}"), right);
            } else {
                seen.insert(id, path);
            }
        }
        for (index, node) in site.nodes.iter().enumerate() {
            self.nodes.entry(&node.id).or_insert(index);
        }
    }

    fn tree(&mut self) {
        let site = self.site;
        let roots: Vec<usize> =
            site.nodes.iter().enumerate().filter(|(_, node)| node.parent.is_none()).map(|(i, _)| i).collect();
        match roots.as_slice() {
            [_] => {}
            [] => self.say("node", "no node without a parent", "exactly one, the grid connection, has none"),
            [first, more @ ..] => {
                for root in more {
                    let right = format!(
                        "exactly one node has no parent, and node[{first}] is one already: name it here"
                    );
                    self.say(format!("node[{root}].parent"), "nothing", right);
                }
            }
        }
        for (index, node) in site.nodes.iter().enumerate() {
            if let Some(parent) = &node.parent
                && !self.nodes.contains_key(parent.as_str())
            {
                let right = "the id of a node of this site is right";
                self.say(format!("node[{index}].parent"), format!("{parent:?}"), right);
            }
        }
        self.cycles();
    }

    /// Each cycle is told once, at the first of its nodes.
    fn cycles(&mut self) {
        let site = self.site;
        let parent_of = |index: usize| {
            let parent = site.nodes.get(index)?.parent.as_deref()?;
            self.nodes.get(parent).copied()
        };
        let mut done: HashSet<usize> = HashSet::new();
        let mut cycles: Vec<Vec<usize>> = Vec::new();
        for start in 0..site.nodes.len() {
            let mut way: Vec<usize> = Vec::new();
            let mut here = Some(start);
            while let Some(index) = here.filter(|index| !done.contains(index)) {
                if let Some(begin) = way.iter().position(|seen| *seen == index) {
                    cycles.push(way.split_off(begin));
                    break;
                }
                way.push(index);
                here = parent_of(index);
            }
            done.extend(way);
            done.extend(cycles.last().into_iter().flatten());
        }
        for cycle in cycles {
            let Some(first) = cycle.iter().min() else { continue };
            let names: Vec<&str> =
                cycle.iter().filter_map(|index| Some(site.nodes.get(*index)?.id.as_str())).collect();
            let right = "each way up ends at the grid connection";
            self.say(format!("node[{first}].parent"), format!("a cycle: {}", names.join(" → ")), right);
        }
    }

    fn node(&mut self, index: usize, node: &'a Node) {
        let path = format!("node[{index}]");
        self.phases(&format!("{path}.amps"), node.amps);
        for (name, value) in [("watts", node.watts), ("unbalance_amps", node.unbalance_amps)] {
            if let Some(value) = value {
                self.at_least_zero(format!("{path}.{name}"), value);
            }
        }
        self.at_least_zero(format!("{path}.margin_amps"), node.margin_amps);
        for (at, window) in node.schedule.iter().enumerate() {
            let path = format!("{path}.schedule[{at}]");
            self.phases(&format!("{path}.amps"), window.amps);
            if let Some(watts) = window.watts {
                self.at_least_zero(format!("{path}.watts"), watts);
            }
            if window.amps.is_none() && window.watts.is_none() {
                self.say(path, "no limit", "amps, watts or both are right");
            }
        }
        self.transformer(&path, node);
    }

    fn transformer(&mut self, path: &str, node: &'a Node) {
        let Some(transformer) = node.transformer else { return };
        let path = format!("{path}.transformer");
        let (primary, secondary) = (transformer.primary_volts, transformer.secondary_volts);
        let before = self.findings.len();
        self.above_zero(format!("{path}.primary_volts"), primary);
        self.above_zero(format!("{path}.secondary_volts"), secondary);
        if self.findings.len() > before || self.site.volts.is_nan() || self.site.volts <= 0.0 {
            return;
        }
        let above = node.parent.as_deref().map_or(self.site.volts, |parent| self.site.volts_at(parent));
        let between = above * 3.0_f64.sqrt();
        if primary > between * VOLTS_APART || primary * VOLTS_APART < between {
            let right = format!(
                "the node above has {between:.0} V between phases ({above:.0} V to neutral: `volts`, or the \
                 secondary side of the transformer above), and the primary side is connected to it"
            );
            self.say(format!("{path}.primary_volts"), format!("{primary} V"), right);
        }
    }

    fn station(&mut self, index: usize, station: &'a Station) {
        let path = format!("station[{index}]");
        if !self.nodes.contains_key(station.parent.as_str()) {
            let right = "the id of a node of this site is right";
            self.say(format!("{path}.parent"), format!("{:?}", station.parent), right);
        }
        if let Err(error) = StationId::parse(&station.id) {
            self.say(format!("{path}.id"), format!("{:?}", station.id), error.to_string());
        }
        if let Some(amps) = station.amps {
            self.at_least_zero(format!("{path}.amps"), amps);
        }
        if station.connectors.is_empty() {
            self.say(format!("{path}.connector"), "none", "a station has at least one connector");
        }
        let mut numbers = HashSet::new();
        for (at, connector) in station.connectors.iter().enumerate() {
            let path = format!("{path}.connector[{at}]");
            if connector.number < 1 {
                self.say(format!("{path}.number"), connector.number.to_string(), "OCPP numbers them from 1");
            } else if !numbers.insert(connector.number) {
                let right = "each connector of a station has a number of its own";
                self.say(format!("{path}.number"), connector.number.to_string(), right);
            }
            self.connector(&path, connector);
        }
    }

    fn connector(&mut self, path: &str, connector: &'a Connector) {
        self.above_zero(format!("{path}.amps"), connector.amps);
        self.at_least_zero(format!("{path}.min_amps"), connector.min_amps);
        self.above_zero(format!("{path}.weight"), connector.weight);
        self.at_least_zero(format!("{path}.fallback_amps"), connector.fallback_amps);
        if connector.min_amps > connector.amps {
            let right = format!("no more than `amps`, {}, is right", connector.amps);
            self.say(format!("{path}.min_amps"), connector.min_amps.to_string(), right);
        }
        if connector.fallback_amps > connector.amps {
            let right = format!("no more than `amps`, {}, is right", connector.amps);
            self.say(format!("{path}.fallback_amps"), connector.fallback_amps.to_string(), right);
        }
        if let Some(efficiency) = connector.dc_efficiency {
            if !(efficiency > 0.0 && efficiency <= 1.0) {
                let right = "above 0 and no more than 1 is right";
                self.say(format!("{path}.dc_efficiency"), efficiency.to_string(), right);
            }
            if connector.wiring != Wiring::Three {
                let right = "a rectifier takes its power from three phases: \"L1-L2-L3\"";
                self.say(format!("{path}.wiring"), format!("{:?}", connector.wiring), right);
            }
        }
    }

    fn grid_control(&mut self) {
        let Some(agreed) = self.site.grid_control else { return };
        if !(0.0..=LARGEST).contains(&agreed.failsafe_watts) {
            let right = "watts that may be drawn without the grid operator, 0 or more";
            self.say("grid_control.failsafe_watts".to_owned(), agreed.failsafe_watts.to_string(), right);
        }
        if agreed.heartbeat_seconds == 0 {
            let right = "the grid operator may be silent for a second at least";
            self.say("grid_control.heartbeat_seconds".to_owned(), "0", right);
        }
    }

    fn meters(&mut self) {
        let site = self.site;
        let mut ids = HashSet::new();
        for (index, meter) in site.meters.iter().enumerate() {
            let path = format!("meter[{index}]");
            if meter.id.is_empty() || !ids.insert(meter.id.as_str()) {
                let right = "each meter has a name of its own";
                self.say(format!("{path}.id"), format!("{:?}", meter.id), right);
            }
            if !self.nodes.contains_key(meter.node.as_str()) {
                let right = "the id of a node of this site is right";
                self.say(format!("{path}.node"), format!("{:?}", meter.node), right);
            }
            self.phases(&format!("{path}.worst_amps"), Some(meter.worst_amps));
            if let Some((source, right)) =
                meter.mqtt.as_ref().and_then(|source| Some((source, source.wrong()?)))
            {
                let found = format!("{:?} with {}, {}, {}", source.topic, source.l1, source.l2, source.l3);
                self.say(format!("{path}.mqtt"), found, right);
            }
            if meter.stale_seconds == 0 {
                self.say(format!("{path}.stale_seconds"), "0", "a meter may be silent for a second at least");
            }
        }
    }
}
