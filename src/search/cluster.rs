//! Places in a box, gathered for a map that shows much of the earth: one mark for each cell of a grid that only the
//! zoom decides. So the same places make the same marks whatever the box, and a mark does not jump when the map is
//! moved. Cells are those of the Mercator map: a quarter of a tile wide and high, a tile being 256 pixels.
#![expect(clippy::float_arithmetic, reason = "degrees, of which nothing is billed")]

use super::filter::Filter;
use super::find::{Area, Candidate, Hit};
use super::geo::{GeoBox, Point, whole};
use super::place::Place;
use super::snapshot::Snapshot;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::f64::consts::PI;

/// The finest grid.
pub const FINEST: u8 = 20;
/// Most cells that a box is divided into; what would have more gets a coarser grid.
const MOST_CELLS: f64 = 4096.0;
/// Cells of a tile in a row.
const CELLS: f64 = 4.0;
/// Where the Mercator map ends.
const LAST_LATITUDE: f64 = 85.051_128_78;

/// Places that one mark stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// In their middle.
    pub center: Point,
    /// How many places.
    pub places: usize,
    /// How many EVSEs of these fit.
    pub evses: usize,
    /// How many of these are free.
    pub free: usize,
    /// The box around them.
    pub bounds: GeoBox,
}

/// What a map shows.
#[derive(Debug, Clone)]
pub struct Clustered {
    /// The zoom whose grid it is: the one that was asked for, or a smaller one where that would be too many cells.
    pub zoom: u8,
    /// Cells with more than one place, from north to south and west to east.
    pub clusters: Vec<Cluster>,
    /// Places that are alone in their cells, in the order of creation.
    pub single: Vec<Hit>,
    /// How many places fit in all.
    pub total: usize,
}

/// Where a point is on the map, from 0 to 1: from west to east, from north to south.
pub(super) fn on_map(point: Point) -> (f64, f64) {
    let latitude = point.latitude().clamp(-LAST_LATITUDE, LAST_LATITUDE).to_radians();
    let across = (point.longitude() + 180.0) / 360.0;
    let down = (1.0 - (latitude.tan() + 1.0 / latitude.cos()).ln() / PI) / 2.0;
    (across, down.clamp(0.0, 1.0))
}

fn cells_across(zoom: u8) -> f64 {
    f64::from(zoom).exp2() * CELLS
}

/// The row and column of the cell that a place on the map is in. The last ones include their far edge.
fn cell_of((across, down): (f64, f64), zoom: u8) -> (u64, u64) {
    let cells = cells_across(zoom);
    let index = |share: f64| whole((share * cells).min(cells - 1.0));
    (index(down), index(across))
}

/// The finest grid, up to a zoom, that divides a box into no more cells than are shown.
fn zoom_for(area: GeoBox, wanted: u8) -> u8 {
    let corner = |latitude, longitude| Point::new(latitude, longitude).map_or((0.0, 0.0), on_map);
    let high = corner(area.south, area.west).1 - corner(area.north, area.west).1;
    let wide = area.width() / 360.0;
    let fits = |zoom: &u8| {
        let cells = cells_across(*zoom);
        (wide * cells + 1.0) * (high * cells + 1.0) <= MOST_CELLS
    };
    (0..=wanted.min(FINEST)).rev().find(fits).unwrap_or(0)
}

/// Degrees as whole numbers, whose sums do not depend on their order.
const PARTS: f64 = 1e7;

/// Places of a cell.
struct Cell<'a> {
    /// The only one, or one of them.
    first: Candidate<'a>,
    places: usize,
    evses: usize,
    free: usize,
    /// Sums of what the places are east of -180 and north of -90 degrees, in [`PARTS`].
    east: u64,
    north: u64,
    bounds: GeoBox,
}

impl<'a> Cell<'a> {
    fn of(first: Candidate<'a>) -> Self {
        let (latitude, longitude) = (first.brief.point.latitude(), first.brief.point.longitude());
        let bounds = GeoBox { west: longitude, south: latitude, east: longitude, north: latitude };
        let mut cell = Self { first, places: 0, evses: 0, free: 0, east: 0, north: 0, bounds };
        cell.take(&first);
        cell
    }

    fn take(&mut self, one: &Candidate<'_>) {
        let (latitude, longitude) = (one.brief.point.latitude(), one.brief.point.longitude());
        let Self { places, evses, free, east, north, bounds, first: _ } = self;
        *places += 1;
        *evses += one.fitting;
        *free += one.free;
        *east += whole(((longitude + 180.0) * PARTS).round());
        *north += whole(((latitude + 90.0) * PARTS).round());
        *bounds = GeoBox {
            west: bounds.west.min(longitude),
            south: bounds.south.min(latitude),
            east: bounds.east.max(longitude),
            north: bounds.north.max(latitude),
        };
    }

    fn cluster(self) -> Option<Cluster> {
        let Self { places, evses, free, east, north, bounds, first: _ } = self;
        let middle = |sum: u64| float(sum) / float(u64::try_from(places).unwrap_or(u64::MAX)) / PARTS;
        let center = Point::new(middle(north) - 90.0, middle(east) - 180.0)?;
        Some(Cluster { center, places, evses, free, bounds })
    }
}

/// A number as a float, which has 53 bits for it: degrees have far fewer.
#[expect(clippy::as_conversions, reason = "no type converts a u64 to a float otherwise")]
fn float(number: u64) -> f64 {
    number as f64
}

impl Snapshot {
    /// The places of a box that fit, gathered by the grid of a zoom.
    #[must_use]
    pub fn cluster(
        &self,
        area: GeoBox,
        zoom: u8,
        filter: &Filter,
        sees: &dyn Fn(&Place) -> bool,
    ) -> Clustered {
        let zoom = zoom_for(area, zoom);
        let mut cells: HashMap<(u64, u64), Cell<'_>> = HashMap::new();
        let mut total = 0;
        self.each(Area::Box(area), filter, sees, |candidate| {
            total += 1;
            match cells.entry(cell_of(candidate.brief.on_map, zoom)) {
                Entry::Occupied(mut cell) => cell.get_mut().take(&candidate),
                Entry::Vacant(free) => {
                    free.insert(Cell::of(candidate));
                }
            }
        });
        let mut cells: Vec<((u64, u64), Cell<'_>)> = cells.into_iter().collect();
        cells.sort_unstable_by_key(|(index, _)| *index);
        let (mut clusters, mut single) = (Vec::new(), Vec::new());
        for (_, cell) in cells {
            if cell.places == 1 {
                single.extend(self.hit(&cell.first));
            } else {
                clusters.extend(cell.cluster());
            }
        }
        single.sort_unstable_by_key(|hit| hit.place.seq);
        Clustered { zoom, clusters, single, total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_has_its_cell() {
        let cell =
            |latitude, longitude, zoom| cell_of(on_map(Point::new(latitude, longitude).unwrap()), zoom);
        assert_eq!(cell(90.0, -180.0, 0), (0, 0));
        assert_eq!(cell(-90.0, 180.0, 0), (3, 3));
        assert_eq!(cell(0.0, 0.0, 0), (2, 2));
        assert_eq!(cell(-90.0, 180.0, FINEST), (4 * (1 << 20) - 1, 4 * (1 << 20) - 1));
    }

    #[test]
    fn a_box_has_no_more_cells_than_are_shown() {
        let world = GeoBox::new(-180.0, -90.0, 180.0, 90.0).unwrap();
        assert_eq!(zoom_for(world, 20), 3);
        assert_eq!(zoom_for(world, 1), 1);
        let town = GeoBox::new(9.1, 48.8, 9.3, 48.95).unwrap();
        assert_eq!(zoom_for(town, 12), 12);
        let fiji = GeoBox::new(179.9, -18.0, -179.9, -17.9).unwrap();
        assert_eq!(zoom_for(fiji, 12), zoom_for(GeoBox::new(9.0, -18.0, 9.2, -17.9).unwrap(), 12));
    }
}
