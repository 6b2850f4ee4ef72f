//! Charging profiles of the domain in the words of OCPP 1.6 (7.8 to 7.14), and back.

use super::{
    Acceptance, ChargingProfile, ChargingProfileKind, ChargingProfilePurpose, ChargingRateUnit,
    ChargingSchedule, ChargingSchedulePeriod, GetCompositeScheduleResponse, RecurrencyKind, Tenths,
};
use crate::charging::StationAnswer;
use crate::domain::charging_profile as domain;
use crate::ocpp::wire::{Fault, Message, Place};
use serde_json::value::RawValue;

impl From<domain::ProfilePurpose> for ChargingProfilePurpose {
    fn from(purpose: domain::ProfilePurpose) -> Self {
        match purpose {
            domain::ProfilePurpose::StationMax => Self::ChargePointMaxProfile,
            domain::ProfilePurpose::TxDefault => Self::TxDefaultProfile,
            domain::ProfilePurpose::Tx => Self::TxProfile,
        }
    }
}

impl ChargingProfilePurpose {
    /// As the domain has it.
    ///
    /// # Errors
    /// When the word is none of OCPP 1.6.
    pub fn to_domain(&self) -> Result<domain::ProfilePurpose, String> {
        match self {
            Self::ChargePointMaxProfile => Ok(domain::ProfilePurpose::StationMax),
            Self::TxDefaultProfile => Ok(domain::ProfilePurpose::TxDefault),
            Self::TxProfile => Ok(domain::ProfilePurpose::Tx),
            Self::Other(word) => Err(format!("'{word}' is no purpose of a profile")),
        }
    }
}

impl From<domain::RateUnit> for ChargingRateUnit {
    fn from(unit: domain::RateUnit) -> Self {
        match unit {
            domain::RateUnit::Amperes => Self::Amperes,
            domain::RateUnit::Watts => Self::Watts,
        }
    }
}

impl ChargingRateUnit {
    /// As the domain has it.
    ///
    /// # Errors
    /// When the word is none of OCPP 1.6.
    pub fn to_domain(&self) -> Result<domain::RateUnit, String> {
        match self {
            Self::Amperes => Ok(domain::RateUnit::Amperes),
            Self::Watts => Ok(domain::RateUnit::Watts),
            Self::Other(word) => Err(format!("'{word}' is neither A nor W")),
        }
    }
}

impl ChargingProfile {
    /// A profile of the domain.
    ///
    /// # Errors
    /// What no station could obey, or what OCPP 1.6 cannot say.
    pub fn of(profile: &domain::ChargingProfile) -> Result<Self, String> {
        profile.check().map_err(|error| error.to_string())?;
        let (kind, recurrency_kind) = match profile.kind {
            domain::ProfileKind::Absolute => (ChargingProfileKind::Absolute, None),
            domain::ProfileKind::Relative => (ChargingProfileKind::Relative, None),
            domain::ProfileKind::Recurring(domain::Recurrence::Daily) => {
                (ChargingProfileKind::Recurring, Some(RecurrencyKind::Daily))
            }
            domain::ProfileKind::Recurring(domain::Recurrence::Weekly) => {
                (ChargingProfileKind::Recurring, Some(RecurrencyKind::Weekly))
            }
        };
        Ok(Self {
            charging_profile_id: profile.id,
            transaction_id: profile.transaction_id.map(i64::from),
            stack_level: whole(profile.stack_level)?,
            charging_profile_purpose: profile.purpose.into(),
            charging_profile_kind: kind,
            recurrency_kind,
            valid_from: profile.valid_from,
            valid_to: profile.valid_to,
            charging_schedule: ChargingSchedule {
                duration: profile.duration_s.map(whole).transpose()?,
                start_schedule: profile.start,
                charging_rate_unit: profile.unit.into(),
                charging_schedule_period: periods_of(&profile.periods)?,
                min_charging_rate: None,
            },
        })
    }

    /// As the domain has it; whether a station could obey it is another question
    /// ([`domain::ChargingProfile::check`]).
    ///
    /// # Errors
    /// A word that is none of OCPP 1.6, or a number out of range.
    pub fn to_domain(&self) -> Result<domain::ChargingProfile, String> {
        let schedule = &self.charging_schedule;
        let kind = match (&self.charging_profile_kind, &self.recurrency_kind) {
            (ChargingProfileKind::Absolute, _) => domain::ProfileKind::Absolute,
            (ChargingProfileKind::Relative, _) => domain::ProfileKind::Relative,
            (ChargingProfileKind::Recurring, Some(RecurrencyKind::Daily)) => {
                domain::ProfileKind::Recurring(domain::Recurrence::Daily)
            }
            (ChargingProfileKind::Recurring, Some(RecurrencyKind::Weekly)) => {
                domain::ProfileKind::Recurring(domain::Recurrence::Weekly)
            }
            (ChargingProfileKind::Recurring, None) => {
                return Err("a recurring profile needs recurrencyKind".to_owned());
            }
            (ChargingProfileKind::Recurring, Some(RecurrencyKind::Other(word))) => {
                return Err(format!("'{word}' is neither Daily nor Weekly"));
            }
            (ChargingProfileKind::Other(word), _) => {
                return Err(format!("'{word}' is no kind of a profile"));
            }
        };
        Ok(domain::ChargingProfile {
            id: self.charging_profile_id,
            stack_level: positive(self.stack_level)?,
            purpose: self.charging_profile_purpose.to_domain()?,
            transaction_id: self
                .transaction_id
                .map(|id| i32::try_from(id).map_err(|_| format!("{id} is beyond a 32-bit whole number")))
                .transpose()?,
            kind,
            start: schedule.start_schedule,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            unit: schedule.charging_rate_unit.to_domain()?,
            periods: periods_from(&schedule.charging_schedule_period)?,
            duration_s: schedule.duration.map(positive).transpose()?,
        })
    }
}

impl GetCompositeScheduleResponse {
    /// The answer with a schedule.
    ///
    /// # Errors
    /// What OCPP 1.6 cannot say.
    pub fn of(schedule: &domain::CompositeSchedule) -> Result<Self, String> {
        Ok(Self {
            status: Acceptance::Accepted,
            connector_id: Some(schedule.connector),
            schedule_start: schedule.start,
            charging_schedule: Some(ChargingSchedule {
                duration: schedule.duration_s.map(whole).transpose()?,
                start_schedule: None,
                charging_rate_unit: schedule.unit.into(),
                charging_schedule_period: periods_of(&schedule.periods)?,
                min_charging_rate: None,
            }),
        })
    }
}

/// What a station answered to GetCompositeSchedule for a connector. A start inside the schedule, where it does
/// not belong (errata 3.57), is taken when there is no other.
pub(super) fn composite(asked: i32, payload: &RawValue) -> Result<StationAnswer, Fault> {
    let answer: GetCompositeScheduleResponse = Message::read(payload)?.message;
    let connector = answer.connector_id.unwrap_or(asked);
    let schedule = answer
        .charging_schedule
        .map(|schedule| {
            Ok(domain::CompositeSchedule {
                connector,
                start: answer.schedule_start.or(schedule.start_schedule),
                duration_s: schedule.duration.map(positive).transpose()?,
                unit: schedule.charging_rate_unit.to_domain()?,
                periods: periods_from(&schedule.charging_schedule_period)?,
            })
        })
        .transpose()
        .map_err(|reason: String| Fault::property(&Place::ROOT.name("chargingSchedule"), reason))?;
    Ok(StationAnswer::Composite { status: answer.status.as_str().to_owned(), schedule })
}

fn periods_of(periods: &[domain::SchedulePeriod]) -> Result<Vec<ChargingSchedulePeriod>, String> {
    let period = |period: &domain::SchedulePeriod| {
        Ok(ChargingSchedulePeriod {
            start_period: whole(period.start_s)?,
            limit: Tenths(period.limit),
            number_phases: period.phases.map(i32::from),
        })
    };
    periods.iter().map(period).collect()
}

fn periods_from(periods: &[ChargingSchedulePeriod]) -> Result<Vec<domain::SchedulePeriod>, String> {
    let period = |period: &ChargingSchedulePeriod| {
        Ok(domain::SchedulePeriod {
            start_s: positive(period.start_period)?,
            limit: period.limit.0,
            phases: period
                .number_phases
                .map(|phases| u8::try_from(phases).map_err(|_| format!("{phases} phases do not exist")))
                .transpose()?,
        })
    };
    periods.iter().map(period).collect()
}

fn whole(number: u32) -> Result<i32, String> {
    i32::try_from(number).map_err(|_| format!("{number} is beyond a 32-bit whole number"))
}

fn positive(number: i32) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| format!("{number} is negative"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use rust_decimal::Decimal;

    pub(in crate::ocpp::v1_6) fn profile() -> domain::ChargingProfile {
        let at = |text| Some(Timestamp::parse(text).unwrap());
        domain::ChargingProfile {
            id: 100,
            stack_level: 3,
            purpose: domain::ProfilePurpose::Tx,
            transaction_id: Some(7),
            kind: domain::ProfileKind::Recurring(domain::Recurrence::Weekly),
            start: at("2013-01-01T00:00:00Z"),
            valid_from: at("2013-01-01T00:00:00Z"),
            valid_to: at("2033-01-01T00:00:00Z"),
            unit: domain::RateUnit::Watts,
            periods: vec![
                domain::SchedulePeriod { start_s: 0, limit: Decimal::new(110_005, 1), phases: Some(3) },
                domain::SchedulePeriod { start_s: 28_800, limit: Decimal::from(6000), phases: None },
            ],
            duration_s: Some(86_400),
        }
    }

    #[test]
    fn a_profile_is_the_same_when_it_comes_back() {
        let mut all = vec![profile()];
        for purpose in [domain::ProfilePurpose::StationMax, domain::ProfilePurpose::TxDefault] {
            all.push(domain::ChargingProfile { purpose, transaction_id: None, ..profile() });
        }
        for kind in [
            domain::ProfileKind::Absolute,
            domain::ProfileKind::Relative,
            domain::ProfileKind::Recurring(domain::Recurrence::Daily),
        ] {
            all.push(domain::ChargingProfile { kind, ..profile() });
        }
        let unit = domain::RateUnit::Amperes;
        all.push(domain::ChargingProfile {
            unit,
            duration_s: None,
            start: None,
            kind: domain::ProfileKind::Relative,
            ..profile()
        });
        for profile in all {
            let sent = serde_json::to_string(&ChargingProfile::of(&profile).unwrap()).unwrap();
            let raw = RawValue::from_string(sent).unwrap();
            let read = ChargingProfile::read(&raw).unwrap();
            assert_eq!(read.violations, []);
            assert_eq!(read.message.to_domain(), Ok(profile));
        }
    }

    #[test]
    fn words_that_are_none_are_not_guessed() {
        let read = |change: fn(&mut ChargingProfile)| {
            let mut wire = ChargingProfile::of(&profile()).unwrap();
            change(&mut wire);
            wire.to_domain().unwrap_err()
        };
        assert!(read(|p| p.charging_profile_purpose = "Max".into()).contains("purpose"));
        assert!(read(|p| p.charging_profile_kind = "Once".into()).contains("kind"));
        assert!(read(|p| p.recurrency_kind = Some("Yearly".into())).contains("Daily"));
        assert!(read(|p| p.recurrency_kind = None).contains("recurrencyKind"));
        assert!(read(|p| p.charging_schedule.charging_rate_unit = "kW".into()).contains("kW"));
        assert!(read(|p| p.charging_schedule.duration = Some(-1)).contains("negative"));
    }

    #[test]
    fn a_composite_schedule_is_understood_wherever_its_start_stands() {
        let told = |text: &str| composite(2, &RawValue::from_string(text.to_owned()).unwrap());
        let schedule = r#"{"chargingRateUnit":"A","startSchedule":"2026-01-01T00:00:00Z","duration":60,
            "chargingSchedulePeriod":[{"startPeriod":0,"limit":15.95}]}"#;
        let answer = told(&format!(r#"{{"status":"Accepted","chargingSchedule":{schedule}}}"#)).unwrap();
        assert!(answer.is_accepted());
        let StationAnswer::Composite { schedule: Some(schedule), .. } = answer else { panic!("{answer:?}") };
        assert_eq!((schedule.connector, schedule.duration_s), (2, Some(60)));
        assert_eq!(schedule.start, Some(Timestamp::parse("2026-01-01T00:00:00Z").unwrap()));
        // More decimals than a station should tell are no reason not to understand it.
        assert_eq!(schedule.periods[0].limit, Decimal::new(1595, 2));
        let refused = told(r#"{"status":"Rejected"}"#).unwrap();
        assert!(!refused.is_accepted() && matches!(refused, StationAnswer::Composite { schedule: None, .. }));
        let wrong = r#"{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"hp","chargingSchedulePeriod":[]}}"#;
        assert_eq!(told(wrong).unwrap_err().path, "$.chargingSchedule");
    }
}
