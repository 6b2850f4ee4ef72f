//! What a connector means in the rows, phase by phase: for who reckons with cars that use any of them.

use super::{Facet, Leaf, Outlet, Phases, Phasor, Rows};

impl Rows {
    /// For each row above a connector, what one ampere on each of the station's phases means there.
    pub fn parts(&self, leaf: Leaf) -> impl Iterator<Item = (usize, [Phasor; 3])> + '_ {
        let outlet = self.outlets.get(leaf);
        let column = outlet.and_then(|outlet| self.columns.get(outlet.column));
        let above = column.into_iter().flat_map(|column| column.entries.iter().copied());
        let own = outlet.zip(column).into_iter().flat_map(|(outlet, column)| column.own(outlet.own_rows));
        above.chain(own)
    }

    /// Which of the station's phases count for a car on these; where a car cannot use fewer than the connector
    /// has, all of them together.
    #[must_use]
    pub fn mask(&self, leaf: Leaf, phases: Phases) -> [bool; 3] {
        let column = self.outlets.get(leaf).and_then(|outlet| self.columns.get(outlet.column));
        column.map_or([false; 3], |column| column.mask(phases))
    }

    /// Whether a car at a connector may use only some of its phases, so that each counts for itself.
    #[must_use]
    pub fn is_separable(&self, leaf: Leaf) -> bool {
        let column = self.outlets.get(leaf).and_then(|outlet| self.columns.get(outlet.column));
        column.is_some_and(|column| column.separable)
    }

    /// The directions in which a row is kept, and the place of the first among those of all rows.
    #[must_use]
    pub fn directions(&self, row: usize) -> (usize, &[Facet]) {
        let range = self.facets_of.get(row).cloned().unwrap_or(0..0);
        (range.start, self.facets.get(range).unwrap_or(&[]))
    }

    /// How many directions all rows have together.
    #[must_use]
    pub fn direction_count(&self) -> usize {
        self.facets.len()
    }
}

impl Outlet {
    /// What a power at the car means for each phase that the connector has, amperes.
    #[must_use]
    #[expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
    pub fn amps_of_kw(&self, kw: f64) -> f64 {
        let phases = self.phases.iter().filter(|used| **used).map(|_| 1.0).sum::<f64>();
        let per_amp = self.volts * phases * self.dc_efficiency.unwrap_or(1.0);
        if per_amp > 0.0 { kw * 1_000.0 / per_amp } else { f64::NAN }
    }
}
