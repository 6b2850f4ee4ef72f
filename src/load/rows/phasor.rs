//! Currents with their phase angles, as far as the rows need them.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(clippy::arithmetic_side_effects, reason = "sums and products of floating-point numbers have none")]

use crate::load::site::{Transformer, Windings, Wiring};
use std::ops::{Add, Mul, Neg, Sub};

/// A complex number: a current with its angle, where 0 is the angle of the voltage from L1 to neutral.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Phasor {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

impl Phasor {
    /// Nothing.
    pub const ZERO: Self = Self { re: 0.0, im: 0.0 };

    /// Length 1 at an angle in degrees.
    #[must_use]
    pub fn degrees(angle: f64) -> Self {
        let (im, re) = angle.to_radians().sin_cos();
        Self { re, im }
    }

    /// Its length.
    #[must_use]
    pub fn length(self) -> f64 {
        self.re.hypot(self.im)
    }

    /// Its angle in radians, -π to π.
    #[must_use]
    pub fn angle(self) -> f64 {
        self.im.atan2(self.re)
    }

    /// How far it reaches in the direction of another of length 1.
    #[must_use]
    pub fn along(self, direction: Self) -> f64 {
        self.re * direction.re + self.im * direction.im
    }

    /// The sum of those that are named.
    #[must_use]
    pub fn sum(parts: [Self; 3], which: [bool; 3]) -> Self {
        parts.into_iter().zip(which).filter(|(_, named)| *named).fold(Self::ZERO, |sum, (part, _)| sum + part)
    }

    /// Turned back by the angle of another of length 1.
    #[must_use]
    pub fn turned_back(self, by: Self) -> Self {
        Self { re: self.along(by), im: self.im * by.re - self.re * by.im }
    }
}

impl Add for Phasor {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Sub for Phasor {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl Neg for Phasor {
    type Output = Self;
    fn neg(self) -> Self {
        Self { re: -self.re, im: -self.im }
    }
}

impl Mul for Phasor {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

impl Mul<f64> for Phasor {
    type Output = Self;
    fn mul(self, by: f64) -> Self {
        Self { re: self.re * by, im: self.im * by }
    }
}

/// The direction of the voltage of each phase to neutral.
pub(super) fn voltages() -> [Phasor; 3] {
    [Phasor { re: 1.0, im: 0.0 }, Phasor::degrees(-120.0), Phasor::degrees(120.0)]
}

/// What one ampere at a connector is on each phase of its node (inner), by each of the station's phases (outer), at
/// a power factor of 1. `bus` says to which phase of the node each of the station's is wired.
///
/// What cannot come apart, because it flows between two phases or through one rectifier, stands whole in the first
/// place.
pub(super) fn currents(wiring: Wiring, direct: bool, bus: [usize; 3]) -> [[Phasor; 3]; 3] {
    let voltages = voltages();
    let on = |phase: usize, current: Phasor| {
        [0, 1, 2].map(|each| if each == phase { current } else { Phasor::ZERO })
    };
    let nothing = [Phasor::ZERO; 3];
    let (first, second, third) = (pick(bus, 0), pick(bus, 1), pick(bus, 2));
    match wiring {
        _ if direct => [voltages, nothing, nothing],
        Wiring::Three => [first, second, third].map(|phase| on(phase, pick(voltages, phase))),
        Wiring::L1 => [on(first, pick(voltages, first)), nothing, nothing],
        Wiring::Two => [on(first, pick(voltages, first)), on(second, pick(voltages, second)), nothing],
        Wiring::L1ToL2 => {
            let between = pick(voltages, first) - pick(voltages, second);
            let direction = between * (1.0 / 3.0_f64.sqrt());
            let whole = [0, 1, 2].map(|phase| {
                if phase == first {
                    direction
                } else if phase == second {
                    -direction
                } else {
                    Phasor::ZERO
                }
            });
            [whole, nothing, nothing]
        }
    }
}

fn pick<T: Copy>(of: [T; 3], place: usize) -> T {
    let [a, b, c] = of;
    match place {
        0 => a,
        1 => b,
        _ => c,
    }
}

/// The currents on the primary side of a transformer for those on the secondary side.
pub(super) fn through(transformer: Transformer, secondary: [Phasor; 3]) -> [Phasor; 3] {
    let [a, b, c] = secondary;
    let ratio = transformer.secondary_volts / transformer.primary_volts;
    match transformer.windings {
        Windings::WyeWye => secondary.map(|current| current * ratio),
        Windings::DeltaWye => {
            // Each winding has the voltage between two phases on the primary side and to neutral on the secondary
            // side. The secondary side leads by 30°: its angles are turned to those of the primary side.
            let turns = Phasor::degrees(30.0) * (ratio / 3.0_f64.sqrt());
            [a - c, b - a, c - b].map(|current| current * turns)
        }
    }
}

/// The most that amperes of unknown angle on each phase of the secondary side can be on the primary side.
pub(super) fn at_worst_through(transformer: Transformer, secondary: [f64; 3]) -> [f64; 3] {
    let [a, b, c] = secondary;
    let ratio = transformer.secondary_volts / transformer.primary_volts;
    match transformer.windings {
        Windings::WyeWye => secondary.map(|current| current * ratio),
        Windings::DeltaWye => [a + c, b + a, c + b].map(|current| current * ratio / 3.0_f64.sqrt()),
    }
}
