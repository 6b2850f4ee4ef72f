//! Orders as charging profiles, and what stations' answers say of them.
//!
//! Standing profiles are of stack level 0 and have no end: one ChargePointMaxProfile at connector 0, one
//! TxDefaultProfile at each connector (never at connector 0 as well: OCPP 2.0.1 refuses the same stack level on
//! both, K01.FR.52). A grant is one TxProfile: its limit until the lease ends, then the standing one. Each has an id
//! of its own that does not change, so that the next one replaces it (OCPP 1.6, 3.13.2).

use crate::charging::{StationAnswer, StationCall, StationCallError};
use crate::domain::Timestamp;
use crate::domain::charging_profile::{
    ChargingProfile, CompositeSchedule, ProfileKind, ProfilePurpose, RateUnit, SchedulePeriod,
};
use crate::load::control::Ask;
use crate::load::ledger::{Millis, Outcome, Tenths};
use crate::load::rows::Outlet;
use rust_decimal::Decimal;

/// By how many seconds a schedule starts in the past, so that it holds at once whatever the clocks say.
const BEFORE: i64 = 60;

/// Seconds of a composite schedule that are asked for; only its beginning is looked at.
const GLANCE: u32 = 60;

const MOST_ID: i32 = 1;
const DEFAULT_IDS: i32 = 1_000;
const GRANT_IDS: i32 = 2_000;

/// The call that an order becomes. `outlet` is the connector's, or any of the station's where it is about that.
pub(super) fn call(ask: &Ask, outlet: &Outlet, now: Timestamp) -> StationCall {
    let connector = outlet.connector;
    match ask {
        Ask::StationMost { limit } => {
            let profile = standing(MOST_ID, ProfilePurpose::StationMax, *limit, outlet, now);
            StationCall::SetChargingProfile { connector: 0, profile }
        }
        Ask::Default { limit, .. } => {
            let id = DEFAULT_IDS.saturating_add(connector);
            let profile = standing(id, ProfilePurpose::TxDefault, *limit, outlet, now);
            StationCall::SetChargingProfile { connector, profile }
        }
        Ask::Grant { transaction, limit, until, then, .. } => {
            let id = GRANT_IDS.saturating_add(connector);
            let mut profile = standing(id, ProfilePurpose::Tx, *limit, outlet, now);
            profile.transaction_id = Some(*transaction);
            if *until != Millis::MAX {
                let lease = until.saturating_sub(now.millis()) / 1_000;
                let start_s = u32::try_from(lease.saturating_add(BEFORE)).unwrap_or(1).max(1);
                profile.periods.push(period(start_s, *then, outlet));
            }
            StationCall::SetChargingProfile { connector, profile }
        }
        Ask::Composite { .. } => {
            StationCall::GetCompositeSchedule { connector, duration_s: GLANCE, unit: Some(unit(outlet)) }
        }
        Ask::Meter { .. } => {
            StationCall::TriggerMessage { message: "MeterValues".to_owned(), connector: Some(connector) }
        }
    }
}

fn standing(
    id: i32,
    purpose: ProfilePurpose,
    limit: Tenths,
    outlet: &Outlet,
    now: Timestamp,
) -> ChargingProfile {
    ChargingProfile {
        id,
        stack_level: 0,
        purpose,
        transaction_id: None,
        kind: ProfileKind::Absolute,
        start: Some(now.minus(chrono::TimeDelta::seconds(BEFORE))),
        valid_from: None,
        valid_to: None,
        unit: unit(outlet),
        periods: vec![period(0, limit, outlet)],
        duration_s: None,
    }
}

/// Direct current is limited in watts: amperes would be the car's, at a voltage that nobody knows.
fn unit(outlet: &Outlet) -> RateUnit {
    if outlet.dc_efficiency.is_some() { RateUnit::Watts } else { RateUnit::Amperes }
}

fn period(start_s: u32, limit: Tenths, outlet: &Outlet) -> SchedulePeriod {
    let (limit, phases) = match watts_per_tenth(outlet) {
        // Whole watts, rounded down.
        Some(watts) => (Decimal::from(limit).checked_mul(watts).unwrap_or_default().floor(), None),
        None => {
            let phases = outlet.phases.iter().filter(|used| **used).count();
            (Decimal::new(i64::from(limit), 1), u8::try_from(phases).ok())
        }
    };
    SchedulePeriod { start_s, limit, phases }
}

/// What a tenth of an ampere on each of three phases gives a car on direct current, watts; none for alternating
/// current.
fn watts_per_tenth(outlet: &Outlet) -> Option<Decimal> {
    let efficiency = Decimal::try_from(outlet.dc_efficiency?).ok()?;
    let volts = Decimal::try_from(outlet.volts).ok()?;
    Decimal::new(3, 1).checked_mul(volts)?.checked_mul(efficiency).filter(|watts| *watts > Decimal::ZERO)
}

/// What became of a call.
pub(super) fn outcome(answer: &Result<StationAnswer, StationCallError>) -> Outcome {
    match answer {
        Ok(StationAnswer::Status(word)) if word == "NotSupported" || word == "NotImplemented" => {
            Outcome::Unable
        }
        Ok(answer) if answer.is_accepted() => Outcome::Accepted,
        Ok(_) => Outcome::Rejected,
        Err(StationCallError::Refused { code, .. }) if code == "NotSupported" || code == "NotImplemented" => {
            Outcome::Unable
        }
        Err(StationCallError::Refused { .. }) => Outcome::Rejected,
        Err(StationCallError::QueueFull | StationCallError::Unsendable(_) | StationCallError::NoRoom) => {
            Outcome::Unsent
        }
        // It may have been heard, and may be worked on.
        Err(StationCallError::Offline | StationCallError::Timeout | StationCallError::Unreadable(_)) => {
            Outcome::Lost
        }
    }
}

/// The limit that a composite schedule says, tenths of an ampere; none where it says that there is none. Nothing
/// where it does not say.
pub(super) fn limit_now(schedule: &CompositeSchedule, outlet: &Outlet) -> Option<Option<Tenths>> {
    let Some(period) = schedule.at(0) else { return Some(None) };
    let per_tenth = match (schedule.unit, watts_per_tenth(outlet)) {
        (RateUnit::Watts, Some(watts)) => watts,
        (RateUnit::Amperes, None) => Decimal::new(1, 1),
        (RateUnit::Watts, None) => {
            let phases = period.phases.unwrap_or(3).clamp(1, 3);
            Decimal::try_from(outlet.volts).ok()?.checked_mul(Decimal::new(i64::from(phases), 1))?
        }
        // Amperes of direct current say nothing about the grid.
        (RateUnit::Amperes, Some(_)) => return None,
    };
    let tenths = period.limit.checked_div(per_tenth)?.floor();
    u32::try_from(tenths).ok().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::rows::Rows;
    use crate::load::site::Site;

    fn outlet(more: &str) -> Outlet {
        let text = format!(
            "id = 's'\n[[node]]\nid = 'grid'\namps = 63\n[[station]]\nid = 'A'\nparent = 'grid'\n\
             [[station.connector]]\nnumber = 2\namps = 32\n{more}"
        );
        Rows::compile(&Site::from_toml(&text).unwrap()).outlets.remove(0)
    }

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-28T12:00:00Z").unwrap()
    }

    fn profile_of(ask: &Ask, outlet: &Outlet) -> (i32, ChargingProfile) {
        match call(ask, outlet, now()) {
            StationCall::SetChargingProfile { connector, profile } => (connector, profile),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_grant_is_a_limit_until_its_lease_ends_and_the_standing_one_after_that() {
        let until = now().millis() + 900_000;
        let ask = Ask::Grant { leaf: 0, transaction: 7, limit: 164, until, then: 60 };
        let (connector, profile) = profile_of(&ask, &outlet(""));
        profile.check().unwrap();
        assert_eq!((connector, profile.transaction_id), (2, Some(7)));
        assert_eq!(profile.start.unwrap().to_string(), "2026-11-28T11:59:00Z");
        let limits: Vec<_> = profile
            .periods
            .iter()
            .map(|period| (period.start_s, period.limit.to_string(), period.phases))
            .collect();
        assert_eq!(limits, [(0, "16.4".to_owned(), Some(3)), (960, "6.0".to_owned(), Some(3))]);
    }

    #[test]
    fn a_direct_current_connector_is_limited_in_watts_that_arrive_at_the_car() {
        let outlet = outlet("dc_efficiency = 0.9\n");
        let (connector, profile) = profile_of(&Ask::StationMost { limit: 320 }, &outlet);
        // 32 A on three phases of 230 V are 22,080 W, of which nine tenths arrive.
        assert_eq!(
            (connector, profile.unit, profile.periods[0].limit.to_string()),
            (0, RateUnit::Watts, "19872".into())
        );
        let schedule = CompositeSchedule {
            connector: 2,
            start: None,
            duration_s: Some(60),
            unit: RateUnit::Watts,
            periods: profile.periods,
        };
        assert_eq!(limit_now(&schedule, &outlet), Some(Some(320)));
    }

    #[test]
    fn an_answer_is_no_word_on_what_nobody_heard() {
        let status = |word: &str| Ok(StationAnswer::Status(word.to_owned()));
        assert_eq!(outcome(&status("Accepted")), Outcome::Accepted);
        assert_eq!(outcome(&status("Rejected")), Outcome::Rejected);
        assert_eq!(outcome(&status("NotSupported")), Outcome::Unable);
        assert_eq!(outcome(&Err(StationCallError::Timeout)), Outcome::Lost);
        assert_eq!(outcome(&Err(StationCallError::Offline)), Outcome::Lost);
        assert_eq!(outcome(&Err(StationCallError::QueueFull)), Outcome::Unsent);
    }
}
