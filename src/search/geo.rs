//! Places on earth: points, boxes that may cross the antimeridian, and distances on the ellipsoid (WGS 84).
#![expect(clippy::float_arithmetic, reason = "degrees and metres, of which nothing is billed")]

use crate::domain::location::GeoLocation;
use geographiclib_rs::{Geodesic, InverseGeodesic};
use rstar::AABB;
use std::sync::LazyLock;

static EARTH: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// Metres of a degree of latitude, where they are fewest (at the equator).
const DEGREE: f64 = 110_574.0;
/// Metres of a degree of longitude at the equator.
const DEGREE_OF_LONGITUDE: f64 = 111_319.0;
/// A little more, so that an envelope never is too small for rounding.
const MARGIN: f64 = 1.01;

/// A point, in degrees: latitude -90 to 90, longitude -180 to 180.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    latitude: f64,
    longitude: f64,
}

impl Point {
    /// A point; nothing where there is none of these degrees.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let there = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        there.then_some(Self { latitude, longitude })
    }

    /// Where a location is, if its coordinates are any (OCPI 2.2.1 mod_locations, "GeoLocation").
    #[must_use]
    pub fn of(place: &GeoLocation) -> Option<Self> {
        Self::new(place.latitude.trim().parse().ok()?, place.longitude.trim().parse().ok()?)
    }

    /// Degrees north.
    #[must_use]
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub fn longitude(self) -> f64 {
        self.longitude
    }

    /// As the tree of the index holds it.
    pub(super) fn coordinates(self) -> [f64; 2] {
        [self.longitude, self.latitude]
    }

    /// Metres to another point, along the geodesic.
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        EARTH.inverse(self.latitude, self.longitude, other.latitude, other.longitude)
    }

    /// Boxes that together hold everything within so many metres.
    #[must_use]
    pub fn around(self, metres: f64) -> GeoBox {
        let high = metres * MARGIN / DEGREE;
        let (south, north) = (self.latitude - high, self.latitude + high);
        // A circle around a pole has all longitudes.
        if south <= -90.0 || north >= 90.0 {
            return GeoBox { west: -180.0, south: south.max(-90.0), east: 180.0, north: north.min(90.0) };
        }
        let narrowest = south.abs().max(north.abs()).to_radians().cos();
        let wide = metres * MARGIN / (DEGREE_OF_LONGITUDE * narrowest);
        if wide >= 180.0 {
            return GeoBox { west: -180.0, south, east: 180.0, north };
        }
        GeoBox { west: wrapped(self.longitude - wide), south, east: wrapped(self.longitude + wide), north }
    }
}

/// The whole part of a number; 0 below zero.
#[expect(clippy::as_conversions, reason = "it saturates, and no type converts a float otherwise")]
pub(super) fn whole(number: f64) -> u64 {
    number.floor() as u64
}

/// How far a place on the map (from 0 to 1 both ways) is along Morton's curve, which goes through each quarter of the map
/// before it comes to the next, and so on within it.
pub(super) fn along_curve((across, down): (f64, f64)) -> u64 {
    let bits = |share: f64| whole((share * f64::from(u16::MAX)).clamp(0.0, f64::from(u16::MAX)));
    let (across, down) = (bits(across), bits(down));
    (0..16).fold(0, |along, bit| {
        along | ((across >> bit) & 1) << (2 * bit) | ((down >> bit) & 1) << (2 * bit + 1)
    })
}

/// A longitude between -180 and 180.
fn wrapped(longitude: f64) -> f64 {
    if longitude < -180.0 {
        longitude + 360.0
    } else if longitude > 180.0 {
        longitude - 360.0
    } else {
        longitude
    }
}

/// A box between two meridians and two parallels, its edges included. Where its west is greater than its east, it
/// crosses the antimeridian (RFC 7946, 5.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoBox {
    /// Western edge, degrees.
    pub west: f64,
    /// Southern edge, degrees.
    pub south: f64,
    /// Eastern edge, degrees.
    pub east: f64,
    /// Northern edge, degrees.
    pub north: f64,
}

impl GeoBox {
    /// A box; nothing where the edges are no degrees, or its south is north of its north.
    #[must_use]
    pub fn new(west: f64, south: f64, east: f64, north: f64) -> Option<Self> {
        let good = Point::new(south, west).is_some() && Point::new(north, east).is_some() && south <= north;
        good.then_some(Self { west, south, east, north })
    }

    /// Whether it crosses the antimeridian.
    #[must_use]
    pub fn crosses(self) -> bool {
        self.west > self.east
    }

    /// Its parts that cross nothing.
    pub(super) fn envelopes(self) -> impl Iterator<Item = AABB<[f64; 2]>> {
        let part = |west: f64, east: f64| AABB::from_corners([west, self.south], [east, self.north]);
        let (first, second) = if self.crosses() {
            (part(self.west, 180.0), Some(part(-180.0, self.east)))
        } else {
            (part(self.west, self.east), None)
        };
        std::iter::once(first).chain(second)
    }

    /// How many degrees wide it is.
    #[must_use]
    pub fn width(self) -> f64 {
        if self.crosses() { self.east - self.west + 360.0 } else { self.east - self.west }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(latitude: f64, longitude: f64) -> Point {
        Point::new(latitude, longitude).unwrap()
    }

    #[test]
    fn distances_are_those_of_the_ellipsoid() {
        // Published geodesics of WGS 84: a degree along the equator and along a meridian, and JFK to LHR.
        let close = |metres: f64, wanted: f64| assert!((metres - wanted).abs() < 0.5, "{metres}");
        close(point(0.0, 0.0).distance(point(0.0, 1.0)), 111_319.49);
        close(point(0.0, 0.0).distance(point(1.0, 0.0)), 110_574.39);
        close(point(40.6, -73.8).distance(point(51.6, -0.5)), 5_551_759.4);
        close(point(0.0, 179.5).distance(point(0.0, -179.5)), 111_319.49);
    }

    #[test]
    fn what_is_around_a_point_is_in_its_box() {
        let inside = |around: GeoBox, found: Point| {
            around.envelopes().any(|part| {
                let [longitude, latitude] = found.coordinates();
                let (low, high) = (part.lower(), part.upper());
                (low[0]..=high[0]).contains(&longitude) && (low[1]..=high[1]).contains(&latitude)
            })
        };
        let mut seen = 0;
        for center in
            [point(48.9, 9.2), point(0.0, 179.9), point(89.9, 10.0), point(-89.99, 0.0), point(70.0, -179.99)]
        {
            for metres in [100.0, 50_000.0, 900_000.0] {
                let around = center.around(metres);
                for step in 0..72 {
                    let angle = f64::from(step * 5).to_radians();
                    let found = Point::new(
                        (center.latitude + angle.sin() * metres / DEGREE).clamp(-90.0, 90.0),
                        wrapped(center.longitude + angle.cos() * metres / DEGREE),
                    );
                    let Some(found) = found.filter(|found| center.distance(*found) <= metres) else {
                        continue;
                    };
                    assert!(inside(around, found), "{center:?} {metres} {found:?} {around:?}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 300, "{seen}");
    }

    #[test]
    fn boxes_may_cross_the_antimeridian_and_nothing_else() {
        let fiji = GeoBox::new(177.0, -20.0, -178.0, -15.0).unwrap();
        assert!(fiji.crosses() && (fiji.width() - 5.0).abs() < 1e-9 && fiji.envelopes().count() == 2);
        assert!(GeoBox::new(0.0, 10.0, 1.0, 5.0).is_none());
        assert!(GeoBox::new(0.0, 0.0, 181.0, 5.0).is_none() && Point::new(f64::NAN, 0.0).is_none());
    }
}
