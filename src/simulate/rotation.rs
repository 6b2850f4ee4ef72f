//! How a station is wired: which phase of the grid each of its own is on (OCPP 1.6, 9.1.7).

use std::fmt;
use std::str::FromStr;

/// The phases of the grid (R is L1, S is L2, T is L3) that a station's L1, L2 and L3 are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PhaseRotation {
    /// As the grid's.
    #[default]
    Rst,
    /// The last two exchanged.
    Rts,
    /// The first two exchanged.
    Srt,
    /// Turned by one.
    Str,
    /// Turned by two.
    Trs,
    /// The first and the last exchanged.
    Tsr,
}

impl PhaseRotation {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rst, Self::Rts, Self::Srt, Self::Str, Self::Trs, Self::Tsr];

    /// As OCPP writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rst => "RST",
            Self::Rts => "RTS",
            Self::Srt => "SRT",
            Self::Str => "STR",
            Self::Trs => "TRS",
            Self::Tsr => "TSR",
        }
    }

    /// Puts what is on the station's phases where it is on the grid's.
    #[must_use]
    pub fn to_grid<T: Copy>(self, [first, second, third]: [T; 3]) -> [T; 3] {
        match self {
            Self::Rst => [first, second, third],
            Self::Rts => [first, third, second],
            Self::Srt => [second, first, third],
            Self::Str => [third, first, second],
            Self::Trs => [second, third, first],
            Self::Tsr => [third, second, first],
        }
    }
}

impl fmt::Display for PhaseRotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PhaseRotation {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found =
            Self::ALL.into_iter().find(|rotation| rotation.as_str().eq_ignore_ascii_case(text.trim()));
        found.ok_or_else(|| format!("'{text}' is none of RST, RTS, SRT, STR, TRS and TSR"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_of_the_station_is_where_its_letter_says() {
        for rotation in PhaseRotation::ALL {
            let grid = rotation.to_grid([1, 2, 3]);
            for (own, letter) in (1..).zip(rotation.as_str().chars()) {
                let place = "RST".find(letter).unwrap();
                assert_eq!(grid[place], own, "{rotation}");
            }
            assert_eq!(rotation.to_string().parse(), Ok(rotation));
        }
        assert!("RSR".parse::<PhaseRotation>().is_err());
    }
}
