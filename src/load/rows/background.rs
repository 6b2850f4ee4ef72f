//! What flows beside charging: which rows a meter's amperes count in.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]

use super::{Rows, phasor};
use crate::load::site::{Measures, Site, Transformer};

/// Where the meters are.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Meters {
    /// The nodes, each before those below it.
    nodes: Vec<MeteredNode>,
    count: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct MeteredNode {
    parent: Option<usize>,
    transformer: Option<Transformer>,
    volts: f64,
    /// First of the rows L1, L2, L3.
    amps: Option<usize>,
    watts: Option<usize>,
    /// The meters that measure all that flows here.
    total: Vec<usize>,
    /// The meters of single consumers.
    part: Vec<usize>,
}

impl Meters {
    /// `order`: the nodes' indexes, each before those below it, with the place in this order of the one above, its
    /// volts, and the first of its rows for amperes and that for watts.
    pub(super) fn new(
        site: &Site,
        order: &[(usize, Option<usize>, f64)],
        rows: impl Fn(usize) -> (Option<usize>, Option<usize>),
    ) -> Self {
        let nodes = order.iter().filter_map(|(index, parent, volts)| {
            let node = site.nodes.get(*index)?;
            let meters = |measures: Measures| {
                let ours = move |meter: &crate::load::site::Meter| {
                    meter.node == node.id && meter.measures == measures
                };
                let all = site.meters.iter().enumerate();
                all.filter(|(_, meter)| ours(meter)).map(|(place, _)| place).collect::<Vec<usize>>()
            };
            let (amps, watts) = rows(*index);
            Some(MeteredNode {
                parent: *parent,
                transformer: node.transformer,
                volts: *volts,
                amps,
                watts,
                total: meters(Measures::Total),
                part: meters(Measures::Background),
            })
        });
        Self { nodes: nodes.collect(), count: site.meters.len() }
    }
}

impl Rows {
    /// What flows beside charging in each row, for what each of the site's meters says flows there beside charging,
    /// in the site's order, amperes on each phase. What is no number, or missing, must have been replaced by the
    /// meter's worst case before.
    ///
    /// The meters of single consumers (`background`) add up, at their node and in all above it. One that measures a
    /// node as a whole (`total`) stands for all that is below it. Behind a transformer the angles are not known, and
    /// the worst counts. A row of unbalance has none.
    #[must_use]
    pub fn background(&self, meters: &[[f64; 3]]) -> Vec<f64> {
        let mut background = vec![0.0; self.rows.len()];
        if self.meters.count == 0 {
            return background;
        }
        let nodes = &self.meters.nodes;
        let mut below = vec![[0.0; 3]; nodes.len()];
        for (place, node) in nodes.iter().enumerate().rev() {
            let said = |of: &[usize]| {
                let values = of.iter().map(|meter| meters.get(*meter).copied().unwrap_or([0.0; 3]));
                values.fold([0.0; 3], add)
            };
            let flows = if node.total.is_empty() {
                add(below.get(place).copied().unwrap_or_default(), said(&node.part))
            } else {
                said(&node.total)
            };
            let mut set = |row: Option<usize>, value: f64| {
                if let Some(there) = row.and_then(|row| background.get_mut(row)) {
                    *there = value;
                }
            };
            for (phase, value) in flows.iter().enumerate() {
                set(node.amps.map(|first| first + phase), *value);
            }
            set(node.watts, flows.iter().sum::<f64>() * node.volts);
            if let Some(above) = node.parent.and_then(|parent| below.get_mut(parent)) {
                let outside = match node.transformer {
                    Some(transformer) => phasor::at_worst_through(transformer, flows),
                    None => flows,
                };
                *above = add(*above, outside);
            }
        }
        background
    }
}

fn add(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    let ([a1, a2, a3], [b1, b2, b3]) = (a, b);
    [a1 + b1, a2 + b2, a3 + b3]
}
