//! What differs between the stations of a fleet: how they are wired, which cars come, which of them misbehave.

use super::config::StationConfig;
use super::misbehaviour::{Every, Misbehaviour, ProfileManners};
use super::rotation::PhaseRotation;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Misdeed {
    /// Accepts charging profiles and does not obey them.
    Ignore,
    /// Answers `Rejected` to charging profiles.
    Reject,
    /// Answers `NotSupported` to charging profiles.
    Unsupported,
    /// Has no smart charging at all.
    Lack,
    /// Does and answers calls ten seconds late.
    Late,
    /// Loses every fifth call of the server, or its answer.
    Lossy,
    /// Is offline for five minutes every half hour or so, by simulated time.
    Offline,
    /// Reboots every half hour or so, by simulated time.
    Reboot,
    /// Reboots as well, and loses its charging profiles.
    Forget,
}

impl Misdeed {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Ignore,
        Self::Reject,
        Self::Unsupported,
        Self::Lack,
        Self::Late,
        Self::Lossy,
        Self::Offline,
        Self::Reboot,
        Self::Forget,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Reject => "reject",
            Self::Unsupported => "unsupported",
            Self::Lack => "lack",
            Self::Late => "late",
            Self::Lossy => "lossy",
            Self::Offline => "offline",
            Self::Reboot => "reboot",
            Self::Forget => "forget",
        }
    }

    /// A station that does it.
    #[must_use]
    pub fn misbehaviour(self) -> Misbehaviour {
        let good = Misbehaviour::default();
        let now_and_then = |lasting| Some(Every { pause: Duration::from_secs(1800), lasting });
        match self {
            Self::Ignore => Misbehaviour { profiles: ProfileManners::Ignores, ..good },
            Self::Reject => Misbehaviour { profiles: ProfileManners::Rejects, ..good },
            Self::Unsupported => Misbehaviour { profiles: ProfileManners::NotSupported, ..good },
            Self::Lack => Misbehaviour { profiles: ProfileManners::Lacks, ..good },
            Self::Late => Misbehaviour { answers_after: Duration::from_secs(10), ..good },
            Self::Lossy => Misbehaviour { loses: 20, ..good },
            Self::Offline => Misbehaviour { outages: now_and_then(Duration::from_secs(300)), ..good },
            Self::Reboot => Misbehaviour { reboots: now_and_then(Duration::ZERO), ..good },
            Self::Forget => Misbehaviour { reboots: now_and_then(Duration::ZERO), forgets: true, ..good },
        }
    }
}

impl fmt::Display for Misdeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Misdeed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|misdeed| misdeed.as_str() == text.trim()).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str);
            format!("'{text}' is none of {}", all.join(", "))
        })
    }
}

/// What differs between the stations of a fleet; by default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variety {
    /// Phases that cars use, one of these at random; none means three.
    pub car_phases: Vec<u8>,
    /// How the stations are wired, by turns; none means as the grid.
    pub rotations: Vec<PhaseRotation>,
    /// Of a hundred cars, how many do not charge again after a pause of ten minutes.
    pub sleepers: u8,
    /// How many stations misbehave in which way: the first ones in the first, and so on.
    pub misdeeds: Vec<(Misdeed, u32)>,
}

impl Variety {
    /// Makes the station with a number from 1 what it is.
    pub(super) fn apply(&self, number: usize, config: &mut StationConfig) {
        let turn = number.saturating_sub(1);
        config.car_phases.clone_from(&self.car_phases);
        config.sleepers = self.sleepers;
        config.rotation = self
            .rotations
            .iter()
            .cycle()
            .nth(turn % self.rotations.len().max(1))
            .copied()
            .unwrap_or_default();
        if let Some(misdeed) = self.misdeed_of(turn) {
            config.misbehaviour = misdeed.misbehaviour();
        }
    }

    fn misdeed_of(&self, turn: usize) -> Option<Misdeed> {
        let mut before = 0_usize;
        self.misdeeds.iter().find_map(|(misdeed, count)| {
            before = before.saturating_add(usize::try_from(*count).unwrap_or(usize::MAX));
            (turn < before).then_some(*misdeed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_station_gets_its_part() {
        let variety = Variety {
            car_phases: vec![1],
            rotations: vec![PhaseRotation::Rst, PhaseRotation::Str],
            sleepers: 5,
            misdeeds: vec![(Misdeed::Ignore, 1), (Misdeed::Offline, 2)],
        };
        let of = |number, variety: &Variety| {
            let mut config = StationConfig::new("ws://h/ocpp", "CS");
            variety.apply(number, &mut config);
            config
        };
        let rotations: Vec<PhaseRotation> = (1..=3).map(|number| of(number, &variety).rotation).collect();
        assert_eq!(rotations, [PhaseRotation::Rst, PhaseRotation::Str, PhaseRotation::Rst]);
        assert_eq!(of(1, &variety).misbehaviour.profiles, ProfileManners::Ignores);
        assert!(
            of(2, &variety).misbehaviour.outages.is_some() && of(3, &variety).misbehaviour.outages.is_some()
        );
        assert_eq!(of(4, &variety).misbehaviour, Misbehaviour::default());
        assert_eq!((of(4, &variety).sleepers, of(4, &variety).car_phases), (5, vec![1]));
        assert_eq!(of(9, &Variety::default()).rotation, PhaseRotation::Rst);
        for misdeed in Misdeed::ALL {
            assert_eq!(misdeed.to_string().parse(), Ok(misdeed));
            assert_ne!(misdeed.misbehaviour(), Misbehaviour::default());
        }
        assert!("steal".parse::<Misdeed>().unwrap_err().contains("forget"));
    }
}
