//! Whether a site is safe without its backend: what every connector may draw by itself fits every row.
//!
//! Counted are the fallback of each connector, or all that it can take where its station knows no charging
//! profiles; the worst that the meters reckon with beside charging; the margins; and the lowest limit that a schedule
//! ever sets, since fallbacks stay as they are. Cars may use any phases. Limits of unbalance are not counted: they
//! are about what goes on for long, not about what trips a breaker.
//!
//! Where a failsafe limit is agreed with the grid operator, what connectors may draw by themselves has to fit that as
//! well: it is the limit for when nobody is heard, and then nobody lowers them. Other load does not count in it.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(
    clippy::indexing_slicing,
    reason = "the compiled rows' indexes stay within what they were compiled for"
)]

use super::rows::{Outlet, Quantity, RowName, Rows};
use super::site::Site;
use std::fmt;

/// Whether a site's fallbacks fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fallbacks {
    /// The rows that they do not fit, from the grid connection down.
    pub over: Vec<Over>,
    /// The highest fallback, amperes, that fits if every connector has the same (or all that it gives, where that
    /// is less). 0 means that all must pause; none that not even this fits.
    pub highest: Option<f64>,
}

/// A row that the fallbacks do not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Over {
    /// The row.
    pub name: RowName,
    /// Its lowest limit, amperes or watts.
    pub limit: f64,
    /// What is kept free.
    pub margin: f64,
    /// What flows beside charging at worst.
    pub background: f64,
    /// The fallbacks of the connectors that take profiles.
    pub fallbacks: f64,
    /// What the others can take.
    pub uncontrolled: f64,
    /// Whether the limit is the failsafe limit of the grid operator.
    pub failsafe: bool,
    /// There, what is reserved for whom, watts: the station, the connector's number; most first.
    pub reserved: Vec<(String, i32, f64)>,
}

/// How many connectors are named.
const NAMED: usize = 8;

impl Over {
    /// By how much it does not fit, amperes or watts.
    #[must_use]
    pub fn excess(&self) -> f64 {
        self.margin + self.background + self.fallbacks + self.uncontrolled - self.limit
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.name.of.unit();
        let by = if self.failsafe { " by grid_control.failsafe_watts" } else { "" };
        write!(
            f,
            "{}: {:.1} {unit} allowed{by}, {:.1} {unit} too much:",
            self.name,
            self.limit,
            self.excess()
        )?;
        write!(f, " fallbacks {:.1}", self.fallbacks)?;
        for (what, amount) in [
            ("stations without charging profiles", self.uncontrolled),
            ("beside charging", self.background),
            ("margin", self.margin),
        ] {
            if amount > 0.0 {
                write!(f, ", {what} {amount:.1}")?;
            }
        }
        for (at, (station, connector, watts)) in self.reserved.iter().take(NAMED).enumerate() {
            let before = if at == 0 { "; reserved by" } else { "," };
            write!(f, "{before} {station}/{connector} {watts:.1}")?;
        }
        match self.reserved.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl Fallbacks {
    /// Whether all fit.
    #[must_use]
    pub fn fit(&self) -> bool {
        self.over.is_empty()
    }
}

/// Checks a site, which holds together.
#[must_use]
pub fn check(site: &Site, rows: &Rows) -> Fallbacks {
    let worst: Vec<[f64; 3]> = site.meters.iter().map(|meter| meter.worst_amps.values()).collect();
    let background = rows.background(&worst);
    let limits = rows.lowest_caps();
    let uncontrolled = amounts(rows, |outlet| if outlet.smart_charging { 0.0 } else { outlet.max });
    let root = site.nodes.iter().find(|node| node.parent.is_none());
    let power = root.and_then(|root| rows.row(&root.id, Quantity::Watts));
    let failsafe = power.zip(site.grid_control.map(|agreed| agreed.failsafe_watts));
    let over = |amps: &dyn Fn(&Outlet) -> f64| -> Vec<Over> {
        let fallbacks = amounts(rows, |outlet| if outlet.smart_charging { amps(outlet) } else { 0.0 });
        let each = rows.rows.iter().enumerate().filter(|(_, row)| !row.name.of.is_unbalance());
        let each = each.map(|(index, row)| Over {
            name: row.name.clone(),
            limit: limits[index],
            margin: row.margin,
            background: background[index],
            fallbacks: fallbacks[index],
            uncontrolled: uncontrolled[index],
            failsafe: false,
            reserved: Vec::new(),
        });
        let agreed = failsafe.map(|(row, watts)| Over {
            name: rows.rows[row].name.clone(),
            limit: watts,
            margin: 0.0,
            background: 0.0,
            fallbacks: fallbacks[row],
            uncontrolled: uncontrolled[row],
            failsafe: true,
            reserved: reserved(
                rows,
                row,
                |outlet| if outlet.smart_charging { amps(outlet) } else { outlet.max },
            ),
        });
        // What fits but for rounding fits.
        each.chain(agreed).filter(|over| over.excess() > 1e-6 * over.limit.abs().max(1.0)).collect()
    };
    let uniform = |tenths: u32| {
        let amps = f64::from(tenths) / 10.0;
        over(&|outlet: &Outlet| if amps < outlet.min { 0.0 } else { amps.min(outlet.max) }).is_empty()
    };
    Fallbacks { over: over(&|outlet: &Outlet| outlet.fallback), highest: highest(rows, uniform) }
}

/// The highest number of tenths that fits, as amperes; more draws more, so half of the range goes with each try.
fn highest(rows: &Rows, fits: impl Fn(u32) -> bool) -> Option<f64> {
    if !fits(0) {
        return None;
    }
    let smart = rows.outlets.iter().filter(|outlet| outlet.smart_charging);
    let (least, most) = smart.fold((f64::INFINITY, 0.0_f64), |(least, most), outlet| {
        (least.min(outlet.min), most.max(outlet.max))
    });
    let (mut low, mut high) = (0_u32, 1_u32);
    while f64::from(high) / 10.0 < most && fits(high) {
        (low, high) = (high, high.saturating_mul(2));
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if f64::from(middle) / 10.0 <= most && fits(middle) { low = middle } else { high = middle }
    }
    let amps = f64::from(low) / 10.0;
    // Below the least of use everyone pauses, and any number would do.
    Some(if amps < least { 0.0 } else { amps })
}

/// What each connector adds to a row if it draws so much; most first.
fn reserved(rows: &Rows, row: usize, amps: impl Fn(&Outlet) -> f64) -> Vec<(String, i32, f64)> {
    let mut each = Vec::new();
    for (leaf, outlet) in rows.outlets.iter().enumerate() {
        let (mut most, amps) = (0.0_f64, amps(outlet));
        rows.each_side(leaf, None, |side, amount| {
            let facet = &rows.facets[side];
            if facet.row == row {
                most = most.max(amount * amps / facet.share);
            }
        });
        if most > 0.0 {
            each.push((outlet.station.to_string(), outlet.connector, most));
        }
    }
    each.sort_by(|(_, _, one), (_, _, other)| other.total_cmp(one));
    each
}

/// What flows in each row if every connector draws so much, whatever its car's phases.
fn amounts(rows: &Rows, amps: impl Fn(&Outlet) -> f64) -> Vec<f64> {
    let mut sides = vec![0.0_f64; rows.facets.len()];
    for (leaf, outlet) in rows.outlets.iter().enumerate() {
        let amps = amps(outlet);
        if amps > 0.0 {
            rows.each_side(leaf, None, |side, amount| sides[side] += amount * amps);
        }
    }
    let mut most = vec![0.0_f64; rows.rows.len()];
    for (facet, amount) in rows.facets.iter().zip(sides) {
        most[facet.row] = most[facet.row].max(amount / facet.share);
    }
    most
}
