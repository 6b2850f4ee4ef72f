//! How much of every row is taken, if every connector draws whatever part of its exposure is worst.

use super::entry::Exposure;
use crate::load::rows::{Leaf, Phasor, Rows};

/// The use of all rows, direction by direction. A row of phasors can be longest when some connectors draw nothing,
/// since currents of opposite phase cancel: so each direction adds only what points its way, and no choice of
/// currents exceeds that. A linear row has one direction. Rows of unbalance are not kept here: they protect the
/// grid's quality and no fuse, and are in the targets, not in the ledger.
#[derive(Debug, Clone)]
pub struct Book {
    sums: Vec<f64>,
}

impl Book {
    /// With nothing in it.
    #[must_use]
    pub fn new(rows: &Rows) -> Self {
        Self { sums: vec![0.0; rows.direction_count()] }
    }

    /// Puts a connector in, or with `sign` −1 takes it out.
    pub fn add(&mut self, rows: &Rows, leaf: Leaf, exposure: Exposure, sign: f64) {
        if exposure.most() == 0 {
            return;
        }
        let base = f64::from(exposure.base) / 10.0;
        let granted = f64::from(exposure.granted) / 10.0;
        let every = rows.mask(leaf, None);
        let used = rows.mask(leaf, exposure.phases);
        let apart = rows.is_separable(leaf);
        for (row, parts) in rows.parts(leaf) {
            let (first, directions) = rows.directions(row);
            for (sum, facet) in self.sums.iter_mut().skip(first).zip(directions) {
                let along = |mask: [bool; 3]| along(parts, mask, facet.direction, apart);
                *sum += sign * (along(every) * base).max(along(used) * granted);
            }
        }
    }

    /// The most that a row can be used, in the measure of its cap.
    #[must_use]
    pub fn used(&self, rows: &Rows, row: usize) -> f64 {
        let (first, directions) = rows.directions(row);
        let sums = self.sums.iter().skip(first).zip(directions);
        sums.map(|(sum, facet)| sum / facet.share).fold(0.0, f64::max)
    }
}

/// How far one ampere reaches in a direction: where the car may use any of the phases, each that points away
/// counts as not used.
fn along(parts: [Phasor; 3], mask: [bool; 3], direction: Phasor, apart: bool) -> f64 {
    let used = parts.into_iter().zip(mask).filter(|(_, used)| *used).map(|(part, _)| part.along(direction));
    if apart { used.map(|reach| reach.max(0.0)).sum() } else { used.sum::<f64>().max(0.0) }
}
