//! Making rows of a site.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(
    clippy::indexing_slicing,
    reason = "indexes are made in this file and stay within the vectors that they were made for"
)]

use super::background::Meters;
use super::facets::{Facet, facets};
use super::{Column, Outlet, Phasor, Quantity, Row, RowName, Rows, Scheduled, phasor};
use crate::load::site::{Connector, PerPhase, Rotation, Site, Station, Wiring};
use chrono_tz::Tz;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Currents that are smaller than this for each ampere at the connector are rounding.
const NOTHING: f64 = 1e-9;

impl Rows {
    /// Makes rows of a site, which holds together ([`Site::findings`]). Of one that does not, what hangs on no node
    /// that reaches the grid connection gets no rows and is never granted anything.
    #[must_use]
    pub fn compile(site: &Site) -> Self {
        let mut making = Making::new(site);
        making.walk();
        for place in making.order.clone() {
            making.rows_of(&place);
        }
        making.outlets();
        making.finish()
    }
}

/// A node on the way down.
#[derive(Clone)]
struct Place {
    node: usize,
    /// The place of the node above, in the same order.
    parent: Option<usize>,
    volts: f64,
    /// The connectors below, in the order of the tree.
    below: Range<usize>,
}

struct Making<'a> {
    site: &'a Site,
    /// The stations at each node, and the nodes below it.
    stations_at: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    root: Option<usize>,
    first_leaf: Vec<usize>,
    order: Vec<Place>,
    at_place: Vec<usize>,
    rows: Vec<Row>,
    below: Vec<Range<usize>>,
    schedule: Vec<Scheduled>,
    /// First of three rows, by node: amperes, unbalance; and the row of watts.
    amps: Vec<Option<usize>>,
    unbalance: Vec<Option<usize>>,
    watts: Vec<Option<usize>>,
    own_rows: Vec<Option<usize>>,
    /// By node: the place in `order` of those that are reached.
    reached: Vec<Option<usize>>,
    outlets: Vec<Outlet>,
    columns: Vec<Column>,
}

const PHASES: [Quantity; 3] = [Quantity::L1, Quantity::L2, Quantity::L3];
const UNBALANCE: [Quantity; 3] = [Quantity::UnbalanceL1, Quantity::UnbalanceL2, Quantity::UnbalanceL3];

impl<'a> Making<'a> {
    fn new(site: &'a Site) -> Self {
        let mut index: HashMap<&str, usize> = HashMap::new();
        for (place, node) in site.nodes.iter().enumerate() {
            index.entry(&node.id).or_insert(place);
        }
        let count = site.nodes.len();
        let (mut children, mut stations_at) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        let mut root = None;
        for (place, node) in site.nodes.iter().enumerate() {
            match &node.parent {
                None => root = root.or(Some(place)),
                Some(parent) => {
                    if let Some(parent) = index.get(parent.as_str()) {
                        children[*parent].push(place);
                    }
                }
            }
        }
        let mut first_leaf = Vec::with_capacity(site.stations.len());
        let mut leaves = 0;
        for (place, station) in site.stations.iter().enumerate() {
            if let Some(parent) = index.get(station.parent.as_str()) {
                stations_at[*parent].push(place);
            }
            first_leaf.push(leaves);
            leaves += station.connectors.len();
        }
        Self {
            site,
            stations_at,
            children,
            root,
            first_leaf,
            order: Vec::new(),
            at_place: Vec::with_capacity(leaves),
            rows: Vec::new(),
            below: Vec::new(),
            schedule: Vec::new(),
            amps: vec![None; count],
            unbalance: vec![None; count],
            watts: vec![None; count],
            own_rows: vec![None; site.stations.len()],
            reached: vec![None; count],
            outlets: Vec::with_capacity(leaves),
            columns: Vec::new(),
        }
    }

    /// Puts the nodes that the root reaches in order, each before those below it, and gives each connector its
    /// place. A node of a cycle is not reached.
    fn walk(&mut self) {
        enum Step {
            Down { node: usize, parent: Option<usize>, volts: f64 },
            Up(usize),
        }
        let mut steps: Vec<Step> = Vec::new();
        steps.extend(self.root.map(|node| Step::Down { node, parent: None, volts: self.site.volts }));
        while let Some(step) = steps.pop() {
            match step {
                Step::Up(place) => self.order[place].below.end = self.at_place.len(),
                Step::Down { node, parent, volts } => {
                    let own = self.site.nodes[node].transformer;
                    let volts = own.map_or(volts, |own| own.secondary_volts / 3.0_f64.sqrt());
                    let (place, begin) = (self.order.len(), self.at_place.len());
                    self.reached[node] = Some(place);
                    self.order.push(Place { node, parent, volts, below: begin..begin });
                    for station in &self.stations_at[node] {
                        let first = self.first_leaf[*station];
                        self.at_place.extend(first..first + self.site.stations[*station].connectors.len());
                    }
                    steps.push(Step::Up(place));
                    let down = self.children[node].iter().rev();
                    steps.extend(down.map(|node| Step::Down { node: *node, parent: Some(place), volts }));
                }
            }
        }
    }

    fn row(&mut self, node: &Arc<str>, of: Quantity, cap: f64, margin: f64, below: Range<usize>) -> usize {
        let name = RowName { node: Arc::clone(node), of };
        // What is no number allows nothing.
        let cap = if cap.is_nan() { 0.0 } else { cap.max(0.0) };
        self.rows.push(Row { name, cap, margin, linear: true });
        self.below.push(below);
        self.rows.len() - 1
    }

    /// The rows of a node and of the stations at it.
    fn rows_of(&mut self, place: &Place) {
        let node = &self.site.nodes[place.node];
        let id: Arc<str> = node.id.as_str().into();
        let root = place.parent.is_none();
        let scheduled = |what: fn(&crate::load::site::Window) -> bool| node.schedule.iter().any(what);
        if root || node.amps.is_some() || scheduled(|window| window.amps.is_some()) {
            let caps = node.amps.map_or([f64::INFINITY; 3], PerPhase::values);
            for (of, cap) in PHASES.into_iter().zip(caps) {
                let row = self.row(&id, of, cap, node.margin_amps, place.below.clone());
                self.amps[place.node].get_or_insert(row);
            }
        }
        if root || node.watts.is_some() || scheduled(|window| window.watts.is_some()) {
            let margin = 3.0 * node.margin_amps * place.volts;
            let cap = node.watts.unwrap_or(f64::INFINITY);
            self.watts[place.node] = Some(self.row(&id, Quantity::Watts, cap, margin, place.below.clone()));
        }
        if let Some(cap) = node.unbalance_amps {
            for of in UNBALANCE {
                let row = self.row(&id, of, cap, 0.0, place.below.clone());
                self.unbalance[place.node].get_or_insert(row);
            }
        }
        for window in &node.schedule {
            let amps = self.amps[place.node].filter(|_| window.amps.is_some());
            let watts = self.watts[place.node].filter(|_| window.watts.is_some());
            let rows = amps.into_iter().flat_map(|first| first..first + 3).chain(watts);
            self.schedule.extend(rows.map(|row| Scheduled { row, window: window.clone() }));
        }
        let mut begin = place.below.start;
        for station in self.stations_at[place.node].clone() {
            let end = begin + self.site.stations[station].connectors.len();
            if let Some(amps) = self.site.stations[station].amps {
                let id: Arc<str> = self.site.stations[station].id.as_str().into();
                for of in PHASES {
                    let row = self.row(&id, of, amps, 0.0, begin..end);
                    self.own_rows[station].get_or_insert(row);
                }
            }
            begin = end;
        }
    }

    fn outlets(&mut self) {
        let site = self.site;
        let mut places = vec![usize::MAX; self.at_place.capacity()];
        for (place, leaf) in self.at_place.iter().enumerate() {
            places[*leaf] = place;
        }
        let mut node_of = vec![None; site.stations.len()];
        for (node, stations) in self.stations_at.iter().enumerate() {
            stations.iter().for_each(|station| node_of[*station] = self.reached[node].map(|_| node));
        }
        let mut known: HashMap<(Option<usize>, Wiring, Rotation, bool), usize> = HashMap::new();
        let mut leaf = 0;
        for (index, station) in site.stations.iter().enumerate() {
            let id: Arc<str> = station.id.as_str().into();
            for connector in &station.connectors {
                let direct = connector.dc_efficiency.is_some();
                let key = (node_of[index], connector.wiring, station.rotation, direct);
                let column = *known.entry(key).or_insert_with(|| {
                    let column = self.column(node_of[index], connector.wiring, station.rotation, direct);
                    self.columns.push(column);
                    self.columns.len() - 1
                });
                let outlet = Outlet {
                    column,
                    own_rows: self.own_rows[index],
                    place: places[leaf],
                    volts: self.columns[column].volts,
                    ..outlet(&id, station, connector, node_of[index].is_some())
                };
                self.outlets.push(outlet);
                leaf += 1;
            }
        }
    }

    /// What a connector at a node means in each row above it.
    fn column(&self, node: Option<usize>, wiring: Wiring, rotation: Rotation, direct: bool) -> Column {
        let bus = rotation.bus();
        let currents = phasor::currents(wiring, direct, bus);
        let phases = phases_of(wiring);
        let separable = !direct && wiring != Wiring::L1ToL2;
        let place = node.and_then(|node| self.reached[node]);
        let volts = place.map_or(self.site.volts, |place| self.order[place].volts);
        let watts = match wiring {
            _ if direct => [3.0 * volts, 0.0, 0.0],
            Wiring::L1ToL2 => [3.0_f64.sqrt() * volts, 0.0, 0.0],
            _ => phases.map(|there| if there { volts } else { 0.0 }),
        };
        let mut column = Column {
            entries: Vec::new(),
            unbalance: Vec::new(),
            phases: if separable { phases } else { [true, false, false] },
            separable,
            currents,
            volts,
        };
        let voltages = phasor::voltages();
        let (mut here, mut at) = (currents, node);
        // The tree is no deeper than it has nodes.
        for _ in 0..self.site.nodes.len() {
            let Some(node) = at else { break };
            if let Some(first) = self.amps[node] {
                for phase in 0..3 {
                    let parts = here.map(|by_phase| by_phase[phase]);
                    if parts.iter().any(|part| part.length() > NOTHING) {
                        column.entries.push((first + phase, parts));
                    }
                }
            }
            if let Some(row) = self.watts[node] {
                column.entries.push((row, watts.map(|watts| Phasor { re: watts, im: 0.0 })));
            }
            if let Some(first) = self.unbalance[node] {
                // Only what is in phase with the voltage is active; the part across it comes from loads between
                // phases and moves no power.
                let active = |phase: usize, current: Phasor| current.along(voltages[phase]).max(0.0);
                let active = here.map(|by_phase| [0, 1, 2].map(|phase| active(phase, by_phase[phase])));
                column.unbalance.push((first, active));
            }
            if let Some(transformer) = self.site.nodes[node].transformer {
                here = here.map(|by_phase| phasor::through(transformer, by_phase));
            }
            let above = self.reached[node].and_then(|place| self.order[place].parent);
            at = above.map(|place| self.order[place].node);
        }
        column
    }

    fn finish(self) -> Rows {
        let order: Vec<(usize, Option<usize>, f64)> =
            self.order.iter().map(|place| (place.node, place.parent, place.volts)).collect();
        let meters = Meters::new(self.site, &order, |node| (self.amps[node], self.watts[node]));
        let (facets, facets_of) = self.facets();
        let mut rows = Rows {
            outlets: self.outlets,
            rows: self.rows,
            columns: self.columns,
            facets,
            facets_of,
            below: self.below,
            at_place: self.at_place,
            schedule: self.schedule,
            zone: self.site.time_zone.parse().unwrap_or(Tz::UTC),
            meters,
        };
        for row in 0..rows.rows.len() {
            rows.rows[row].linear = rows.facets_of[row].len() == 1;
        }
        rows
    }

    fn facets(&self) -> (Vec<Facet>, Vec<Range<usize>>) {
        let mut angles: Vec<Vec<f64>> = vec![Vec::new(); self.rows.len()];
        let mut note = |row: usize, parts: [Phasor; 3]| {
            for part in parts.into_iter().filter(|part| part.length() > NOTHING) {
                let angle = part.angle();
                if !angles[row].iter().any(|known| (known - angle).abs() < NOTHING) {
                    angles[row].push(angle);
                }
            }
        };
        for column in &self.columns {
            column.entries.iter().for_each(|(row, parts)| note(*row, *parts));
        }
        for outlet in self.outlets.iter().filter(|outlet| outlet.own_rows.is_some()) {
            self.columns[outlet.column].own(outlet.own_rows).for_each(|(row, parts)| note(row, parts));
        }
        let mut all = Vec::new();
        let mut of = Vec::with_capacity(self.rows.len());
        for (row, angles) in angles.into_iter().enumerate() {
            let begin = all.len();
            all.extend(facets(row, angles, self.outlets.len()));
            of.push(begin..all.len());
        }
        (all, of)
    }
}

fn phases_of(wiring: Wiring) -> [bool; 3] {
    match wiring {
        Wiring::Three => [true; 3],
        Wiring::L1 => [true, false, false],
        Wiring::Two | Wiring::L1ToL2 => [true, true, false],
    }
}

/// What the site says of a connector, without its place among the rows.
fn outlet(id: &Arc<str>, station: &Station, connector: &Connector, hangs: bool) -> Outlet {
    let positive = |value: f64| if value.is_finite() { value.max(0.0) } else { 0.0 };
    let min = positive(connector.min_amps);
    let max = if hangs { positive(connector.amps) } else { 0.0 };
    let fallback = positive(connector.fallback_amps).min(max);
    Outlet {
        station: Arc::clone(id),
        connector: connector.number,
        min,
        max,
        weight: connector.weight,
        class: connector.class,
        fallback: if fallback < min { 0.0 } else { fallback },
        smart_charging: station.smart_charging,
        phases: phases_of(connector.wiring),
        volts: 0.0,
        dc_efficiency: connector.dc_efficiency,
        column: 0,
        own_rows: None,
        place: usize::MAX,
    }
}
