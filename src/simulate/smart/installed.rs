//! The profiles that a station keeps, and which of them is in force.

use super::level::Level;
use super::schedule::{Said, said, sooner};
use crate::domain::Timestamp;
use crate::domain::charging_profile::{ChargingProfile, ProfileError, ProfilePurpose, RateUnit};

/// What a station can keep (OCPP 1.6, 9.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// `ChargeProfileMaxStackLevel`
    pub stack_level: u32,
    /// `ChargingScheduleMaxPeriods`
    pub periods: usize,
    /// `MaxChargingProfilesInstalled`
    pub installed: usize,
    /// `ChargingScheduleAllowedChargingRateUnit` has `Current`.
    pub amperes: bool,
    /// `ChargingScheduleAllowedChargingRateUnit` has `Power`.
    pub watts: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { stack_level: 8, periods: 24, installed: 24, amperes: true, watts: true }
    }
}

/// A charge at a connector, as far as profiles are about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The station's own number for it.
    pub local: u64,
    /// The id that the server gave it.
    pub id: Option<i64>,
    /// When it began.
    pub began: Timestamp,
}

/// Why a profile is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It says nothing that could be obeyed.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Its level is above `ChargeProfileMaxStackLevel`.
    #[error("the stack level {0} is too high")]
    StackLevel(u32),
    /// It has more periods than `ChargingScheduleMaxPeriods`.
    #[error("{0} periods are too many")]
    Periods(usize),
    /// Its unit is not in `ChargingScheduleAllowedChargingRateUnit`.
    #[error("limits in this unit are not obeyed here")]
    Unit,
    /// As many as `MaxChargingProfilesInstalled` are there.
    #[error("there are {0} profiles already")]
    Full(usize),
    /// A limit of the station is for connector 0, one of a transaction for another (3.13.1).
    #[error("a profile of this purpose is not for connector {0}")]
    Connector(i32),
    /// Nothing charges at the connector (3.13.1).
    #[error("there is no transaction")]
    NoTransaction,
    /// Another transaction charges at the connector.
    #[error("the transaction is another one")]
    OtherTransaction,
}

/// What is to be cleared: every profile that fits all that is given (errata 3.25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Criteria {
    /// Which.
    pub id: Option<i32>,
    /// Those of which connector.
    pub connector: Option<i32>,
    /// Those of which purpose.
    pub purpose: Option<ProfilePurpose>,
    /// Those of which level.
    pub stack_level: Option<u32>,
}

/// A profile that the station keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Installed {
    connector: i32,
    /// The charge that it is for, by the station's own number.
    charge: Option<u64>,
    since: Timestamp,
    profile: ChargingProfile,
}

impl Installed {
    /// What its times count from where it names no start: the charge, and for the station its coming.
    fn began(&self, charge: Option<&Charge>, at: Timestamp) -> Timestamp {
        match (self.profile.purpose, charge) {
            (ProfilePurpose::StationMax, _) => self.since,
            (_, Some(charge)) => charge.began,
            // A charge that would begin now.
            (_, None) => at,
        }
    }
}

/// The limits at a connector at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InForce {
    /// Of the whole station, to be shared.
    pub station: Option<Level>,
    /// By the profile of the transaction.
    pub transaction: Option<Level>,
    /// By the default; it counts where the transaction has none.
    pub default: Option<Level>,
    /// From when any may be another.
    pub until: Option<Timestamp>,
}

impl InForce {
    /// The limit of the connector itself: the default is overruled by the transaction's (3.13.1).
    #[must_use]
    pub fn own(&self) -> Option<Level> {
        self.transaction.or(self.default)
    }

    /// The lowest of all that the profiles say (3.13.3).
    #[must_use]
    pub fn lowest(&self) -> Option<Level> {
        match (self.station, self.own()) {
            (Some(station), Some(own)) => Some(station.and(own)),
            (station, own) => station.or(own),
        }
    }
}

/// All profiles of a station.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profiles {
    bounds: Bounds,
    installed: Vec<Installed>,
}

impl Profiles {
    /// None yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, installed: Vec::new() }
    }

    /// What can be kept.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.installed.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.installed.is_empty()
    }

    /// Takes a profile for a connector where `charge` is on (5.16). One with the same id goes for it, and so does
    /// one with the same purpose and level at the same connector (3.13.2).
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn install(
        &mut self,
        connector: i32,
        profile: ChargingProfile,
        charge: Option<&Charge>,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        profile.check()?;
        if profile.stack_level > self.bounds.stack_level {
            return Err(Refusal::StackLevel(profile.stack_level));
        }
        if profile.periods.len() > self.bounds.periods {
            return Err(Refusal::Periods(profile.periods.len()));
        }
        let allowed = match profile.unit {
            RateUnit::Amperes => self.bounds.amperes,
            RateUnit::Watts => self.bounds.watts,
        };
        if !allowed {
            return Err(Refusal::Unit);
        }
        let charge = match (profile.purpose, connector) {
            (ProfilePurpose::StationMax, 0) | (ProfilePurpose::TxDefault, _) => None,
            (ProfilePurpose::Tx, 1..) => {
                let charge = charge.ok_or(Refusal::NoTransaction)?;
                if profile.transaction_id.is_some_and(|wanted| charge.id != Some(i64::from(wanted))) {
                    return Err(Refusal::OtherTransaction);
                }
                Some(charge.local)
            }
            (_, connector) => return Err(Refusal::Connector(connector)),
        };
        let goes = |old: &Installed| {
            old.profile.id == profile.id
                || (old.connector == connector
                    && old.profile.purpose == profile.purpose
                    && old.profile.stack_level == profile.stack_level)
        };
        let stay = self.installed.iter().filter(|old| !goes(old)).count();
        if stay >= self.bounds.installed {
            return Err(Refusal::Full(stay));
        }
        self.installed.retain(|old| !goes(old));
        self.installed.push(Installed { connector, charge, since: at, profile });
        Ok(())
    }

    /// Clears profiles; returns how many (5.5).
    pub fn clear(&mut self, criteria: &Criteria) -> usize {
        let before = self.installed.len();
        self.installed.retain(|old| {
            let fits = criteria.id.is_none_or(|id| id == old.profile.id)
                && criteria.connector.is_none_or(|connector| connector == old.connector)
                && criteria.purpose.is_none_or(|purpose| purpose == old.profile.purpose)
                && criteria.stack_level.is_none_or(|level| level == old.profile.stack_level);
            !fits
        });
        before - self.installed.len()
    }

    /// The charge is over, and its profiles with it (3.13.1).
    pub fn end_charge(&mut self, local: u64) {
        self.installed.retain(|old| old.charge != Some(local));
    }

    /// The limits at a connector where `charge` is on.
    #[must_use]
    pub fn in_force(&self, connector: i32, charge: Option<&Charge>, at: Timestamp) -> InForce {
        let station = self.prevails(charge, at, |old| old.profile.purpose == ProfilePurpose::StationMax);
        let transaction =
            self.prevails(charge, at, |old| charge.is_some_and(|charge| old.charge == Some(charge.local)));
        let default = self.prevails(charge, at, |old| self.is_default_at(old, connector));
        InForce {
            station: station.level,
            transaction: transaction.level,
            default: default.level,
            until: sooner(sooner(station.until, transaction.until), default.until),
        }
    }

    /// Whether it is a default of the connector: one for all connectors is replaced by one for this connector
    /// of the same level (3.13.1).
    fn is_default_at(&self, old: &Installed, connector: i32) -> bool {
        let is_default = |old: &Installed| old.profile.purpose == ProfilePurpose::TxDefault;
        let replaced = || {
            let mut own = self.installed.iter().filter(|own| is_default(own) && own.connector == connector);
            own.any(|own| own.profile.stack_level == old.profile.stack_level)
        };
        is_default(old) && (old.connector == connector || (old.connector == 0 && !replaced()))
    }

    /// What the highest level says of those that say anything now (3.13.2).
    fn prevails(&self, charge: Option<&Charge>, at: Timestamp, of: impl Fn(&Installed) -> bool) -> Said {
        let mut best: Option<(u32, Level)> = None;
        let mut until = None;
        for old in self.installed.iter().filter(|old| of(old)) {
            let said = said(&old.profile, old.began(charge, at), at);
            until = sooner(until, said.until);
            if let Some(level) = said.level
                && best.is_none_or(|(highest, _)| old.profile.stack_level > highest)
            {
                best = Some((old.profile.stack_level, level));
            }
        }
        Said { level: best.map(|(_, level)| level), until }
    }
}
