//! The site as inequalities: one row for each node and phase, and for its watts.
//!
//! A row is linear, `Σ a·x ≤ cap` with x the amperes of each connector, wherever all its currents have the same
//! phase angle; behind line-to-line loads and transformers it is a sum of phasors, `|Σ a·e^{jφ}·x| ≤ cap`.

/// A connector's place in the order in which all rooms of load management number them: stations in the order of
/// the site, connectors in the order of the station.
pub type Leaf = usize;

/// Which limit of which node a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowName {
    /// The node's or station's id.
    pub node: String,
    /// What of it.
    pub of: Quantity,
}

/// What a row limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// The current on L1.
    L1,
    /// The current on L2.
    L2,
    /// The current on L3.
    L3,
    /// Power, watts.
    Watts,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is.
    pub name: RowName,
    /// Its limit before anything is taken off, amperes or watts.
    pub cap: f64,
    /// What one ampere at each connector means here.
    pub terms: Vec<Term>,
    /// Whether all terms have the same angle: then only `re` counts, and it is positive.
    pub linear: bool,
}

/// What one ampere at a connector means in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The connector.
    pub leaf: Leaf,
    /// Real part.
    pub re: f64,
    /// Imaginary part; 0 in a linear row.
    pub im: f64,
}
