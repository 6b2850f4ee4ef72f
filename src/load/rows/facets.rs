//! The directions in which a row is kept.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(
    clippy::indexing_slicing,
    reason = "the compiled rows' indexes stay within what they were compiled for"
)]

use super::{Leaf, Phases, Phasor, Rows};
use std::f64::consts::{PI, TAU};

/// What a phasor row may lose by having finitely many directions. Small sites can afford more of them.
const LOSS: f64 = 0.004;
const LOSS_OF_SMALL: f64 = 0.001;
const SMALL: usize = 300;

/// Angles that differ by less are the same.
const SAME: f64 = 1e-9;

/// Less than this for each ampere at a connector is rounding.
const NOTHING: f64 = 1e-9;

/// One direction of a row: what the connectors' currents push that way stays below the row's cap times `share`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facet {
    /// The row.
    pub row: usize,
    /// The direction, of length 1.
    pub direction: Phasor,
    /// What of the row's cap is allowed, so that directions between this and its neighbours are kept as well.
    pub share: f64,
}

/// The directions of a row whose terms have these angles, in radians; one when all are the same, and the row is
/// linear.
///
/// Between the outermost of the angles the directions lie evenly. Beyond them none is needed: turning away from
/// all terms makes every one of them push less.
pub(super) fn facets(row: usize, mut angles: Vec<f64>, outlets: usize) -> Vec<Facet> {
    angles.sort_by(f64::total_cmp);
    angles.dedup_by(|b, a| (*b - *a).abs() < SAME);
    let Some((first, last)) = angles.first().copied().zip(angles.last().copied()) else {
        return vec![Facet { row, direction: Phasor { re: 1.0, im: 0.0 }, share: 1.0 }];
    };
    // The arc that holds all angles is what is left of the circle without the widest gap.
    let around = first + TAU - last;
    let mut gap = (around, first);
    for (a, b) in angles.iter().zip(angles.iter().skip(1)) {
        if b - a > gap.0 {
            gap = (b - a, *b);
        }
    }
    let (span, begin) = if TAU - gap.0 < PI { (TAU - gap.0, gap.1) } else { (TAU, 0.0) };
    if span < SAME {
        return vec![Facet { row, direction: turned(begin), share: 1.0 }];
    }
    let loss = if outlets <= SMALL { LOSS_OF_SMALL } else { LOSS };
    let widest = (1.0 - loss).acos();
    let mut count = 1_u32;
    while span / f64::from(count) > 2.0 * widest {
        count += 1;
    }
    let half = span / f64::from(count) / 2.0;
    let direction = |place: u32| turned(begin + half * f64::from(2 * place + 1));
    (0..count).map(|place| Facet { row, direction: direction(place), share: half.cos() }).collect()
}

fn turned(angle: f64) -> Phasor {
    let (im, re) = angle.sin_cos();
    Phasor { re, im }
}

impl Rows {
    /// What one ampere at a connector means in each direction of each row above it, rows of unbalance included: the
    /// index of the direction and an amount above 0.
    ///
    /// Of a car whose phases are not known each phase counts where it pushes: the worst of all that it could use.
    pub(in crate::load) fn each_side(&self, leaf: Leaf, phases: Phases, mut tell: impl FnMut(usize, f64)) {
        let outlet = &self.outlets[leaf];
        let column = &self.columns[outlet.column];
        let (mask, unsure) = (column.mask(phases), column.unsure(phases));
        let own = column.own(outlet.own_rows);
        for (row, parts) in column.entries.iter().copied().chain(own) {
            for side in self.facets_of[row].clone() {
                let direction = self.facets[side].direction;
                let mut amount = 0.0_f64;
                for (part, used) in parts.iter().zip(mask) {
                    if used {
                        let along = part.along(direction);
                        amount += if unsure { along.max(0.0) } else { along };
                    }
                }
                if amount > NOTHING {
                    tell(side, amount);
                }
            }
        }
        if !column.unbalance.is_empty() {
            for (first, most, _) in column.unbalance(phases) {
                for (phase, amount) in most.into_iter().enumerate().filter(|(_, amount)| *amount > NOTHING) {
                    tell(self.facets_of[first + phase].start, amount);
                }
            }
        }
    }
}
