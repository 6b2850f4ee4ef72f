//! Charging profiles: limits over time that a station keeps and obeys by itself, whatever version of OCPP it
//! speaks (OCPP 1.6, 3.13 and 7.8 to 7.14; OCPP 2.0.1 part 2, K and 2.13).

use super::values::Timestamp;
use rust_decimal::Decimal;

/// What a profile limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProfilePurpose {
    /// The whole station, all its connectors together (`ChargePointMaxProfile`).
    StationMax,
    /// Every transaction that has no limits of its own (`TxDefaultProfile`).
    TxDefault,
    /// One transaction, and gone with it (`TxProfile`).
    Tx,
}

/// What the times of a schedule count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfileKind {
    /// From [`ChargingProfile::start`].
    Absolute,
    /// From [`ChargingProfile::start`], and again and again at the same time.
    Recurring(Recurrence),
    /// From the start of the charge.
    Relative,
}

/// How often a schedule begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recurrence {
    /// Every 24 hours.
    Daily,
    /// Every 7 days.
    Weekly,
}

impl Recurrence {
    /// The time from one beginning to the next, in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        match self {
            Self::Daily => 86_400,
            Self::Weekly => 604_800,
        }
    }
}

/// What limits are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateUnit {
    /// Amperes on each phase.
    Amperes,
    /// Watts over all phases.
    Watts,
}

/// A limit from a moment of the schedule to the next period, or to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchedulePeriod {
    /// Seconds from the start of the schedule.
    pub start_s: u32,
    /// The most that may be taken, with at most one decimal.
    pub limit: Decimal,
    /// Phases that may be used; none means three.
    pub phases: Option<u8>,
}

/// A charging profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargingProfile {
    /// Its id; a profile with the same one replaces it.
    pub id: i32,
    /// Higher ones win over lower ones of the same purpose.
    pub stack_level: u32,
    /// What it limits.
    pub purpose: ProfilePurpose,
    /// The transaction that a profile of the purpose [`ProfilePurpose::Tx`] is for, by the id that the backend
    /// gave it; none where the connector alone says which.
    pub transaction_id: Option<i32>,
    /// What its times count from.
    pub kind: ProfileKind,
    /// When the schedule starts; a relative one has none.
    pub start: Option<Timestamp>,
    /// In force from.
    pub valid_from: Option<Timestamp>,
    /// In force until, exclusive.
    pub valid_to: Option<Timestamp>,
    /// What the limits are counted in.
    pub unit: RateUnit,
    /// The limits in the order of time, the first from second 0.
    pub periods: Vec<SchedulePeriod>,
    /// Seconds after which the schedule ends; without it the last limit stays.
    pub duration_s: Option<u32>,
}

/// Why a profile says nothing that a station could obey.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It has no periods.
    #[error("the schedule has no periods")]
    NoPeriods,
    /// Its first period begins later than the schedule.
    #[error("the first period starts at second {0} and must start at 0")]
    FirstStart(u32),
    /// Its periods are not in the order of time.
    #[error("the period of second {0} does not follow the one before")]
    Order(u32),
    /// A limit is negative or finer than a tenth.
    #[error("the limit {0} must not be negative and has at most one decimal")]
    Limit(Decimal),
    /// A number of phases that does not exist.
    #[error("{0} phases are none of 1, 2 and 3")]
    Phases(u8),
    /// It recurs from no moment.
    #[error("a recurring schedule needs its start")]
    NoStart,
    /// It ends before it begins.
    #[error("it is in force until {to} and only from {from}")]
    Validity {
        /// From.
        from: Timestamp,
        /// Until.
        to: Timestamp,
    },
    /// A transaction is named though the purpose is not one.
    #[error("only a profile for one transaction may name it")]
    Transaction,
}

impl ChargingProfile {
    /// Checks what both versions of OCPP demand of a profile.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), ProfileError> {
        let Some(first) = self.periods.first() else { return Err(ProfileError::NoPeriods) };
        if first.start_s != 0 {
            return Err(ProfileError::FirstStart(first.start_s));
        }
        let mut before = None;
        for period in &self.periods {
            if before.is_some_and(|before| period.start_s <= before) {
                return Err(ProfileError::Order(period.start_s));
            }
            before = Some(period.start_s);
            if period.limit < Decimal::ZERO || period.limit.normalize().scale() > 1 {
                return Err(ProfileError::Limit(period.limit));
            }
            if let Some(phases) = period.phases.filter(|phases| !(1..=3).contains(phases)) {
                return Err(ProfileError::Phases(phases));
            }
        }
        if matches!(self.kind, ProfileKind::Recurring(_)) && self.start.is_none() {
            return Err(ProfileError::NoStart);
        }
        if let (Some(from), Some(to)) = (self.valid_from, self.valid_to)
            && to <= from
        {
            return Err(ProfileError::Validity { from, to });
        }
        if self.transaction_id.is_some() && self.purpose != ProfilePurpose::Tx {
            return Err(ProfileError::Transaction);
        }
        Ok(())
    }
}

/// What a station says that it will keep to from now on: the lowest of all its profiles
/// (OCPP 1.6, 5.7; OCPP 2.0.1, K08).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeSchedule {
    /// The connector that it is for; 0 is the station.
    pub connector: i32,
    /// When it starts, by the station's clock.
    pub start: Option<Timestamp>,
    /// Seconds for which it is told.
    pub duration_s: Option<u32>,
    /// What the limits are counted in.
    pub unit: RateUnit,
    /// The limits in the order of time.
    pub periods: Vec<SchedulePeriod>,
}

impl CompositeSchedule {
    /// The period in force so many seconds after the start.
    #[must_use]
    pub fn at(&self, second: u32) -> Option<&SchedulePeriod> {
        if self.duration_s.is_some_and(|duration| second >= duration) {
            return None;
        }
        self.periods.iter().rev().find(|period| period.start_s <= second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> ChargingProfile {
        let period =
            |start_s, tenths| SchedulePeriod { start_s, limit: Decimal::new(tenths, 1), phases: None };
        ChargingProfile {
            id: 1,
            stack_level: 0,
            purpose: ProfilePurpose::TxDefault,
            transaction_id: None,
            kind: ProfileKind::Relative,
            start: None,
            valid_from: None,
            valid_to: None,
            unit: RateUnit::Amperes,
            periods: vec![period(0, 160), period(900, 61)],
            duration_s: None,
        }
    }

    #[test]
    fn what_nobody_could_obey_is_found() {
        assert_eq!(profile().check(), Ok(()));
        let wrong = |change: fn(&mut ChargingProfile)| {
            let mut profile = profile();
            change(&mut profile);
            profile.check().unwrap_err()
        };
        let at = |text| Some(Timestamp::parse(text).unwrap());
        assert_eq!(wrong(|p| p.periods.clear()), ProfileError::NoPeriods);
        assert_eq!(wrong(|p| p.periods[0].start_s = 5), ProfileError::FirstStart(5));
        assert_eq!(wrong(|p| p.periods[1].start_s = 0), ProfileError::Order(0));
        let fine = Decimal::new(605, 2);
        assert_eq!(wrong(|p| p.periods[1].limit = Decimal::new(605, 2)), ProfileError::Limit(fine));
        assert_eq!(wrong(|p| p.periods[1].limit = -Decimal::ONE), ProfileError::Limit(-Decimal::ONE));
        assert_eq!(wrong(|p| p.periods[0].phases = Some(0)), ProfileError::Phases(0));
        assert_eq!(wrong(|p| p.kind = ProfileKind::Recurring(Recurrence::Daily)), ProfileError::NoStart);
        assert_eq!(wrong(|p| p.transaction_id = Some(7)), ProfileError::Transaction);
        let mut late = profile();
        late.valid_from = at("2026-01-02T00:00:00Z");
        late.valid_to = at("2026-01-01T00:00:00Z");
        assert!(matches!(late.check(), Err(ProfileError::Validity { .. })));
    }

    #[test]
    fn a_composite_schedule_says_what_is_in_force() {
        let ChargingProfile { unit, periods, .. } = profile();
        let composite =
            CompositeSchedule { connector: 1, start: None, duration_s: Some(1000), unit, periods };
        let limit = |second| composite.at(second).map(|period| period.limit.to_string());
        assert_eq!(limit(899).as_deref(), Some("16.0"));
        assert_eq!(limit(900).as_deref(), Some("6.1"));
        assert_eq!(limit(1000), None);
    }
}
