//! What a simulated station does with the calls that limit it: charging profiles (OCPP 1.6, 5.5, 5.7, 5.16) and
//! availability (5.2).

use super::actor::Actor;
use super::misbehaviour::ProfileManners;
use super::power::charge_of;
use super::smart::{Charge, Criteria, Outlet};
use crate::domain::charging_profile::{self as domain, RateUnit};
use crate::ocpp::frame::ErrorCode;
use crate::ocpp::v1_6::{
    Acceptance, AvailabilityStatus, AvailabilityType, ChangeAvailability, ChargingProfile,
    ChargingProfilePurpose, ChargingProfileStatus, ClearChargingProfile, ClearChargingProfileResponse,
    ClearChargingProfileStatus, GetCompositeSchedule, GetCompositeScheduleResponse, IdTag,
    SetChargingProfile, SetChargingProfileResponse,
};

/// An answer, or the error that stands in its place.
type Answer<R> = Result<R, (ErrorCode, String)>;

fn not_allowed(reason: String) -> (ErrorCode, String) {
    (ErrorCode::PropertyConstraintViolation, reason)
}

impl Actor {
    /// Whether the station has smart charging (errata 3.39).
    fn has_smart_charging(&self) -> Answer<()> {
        if self.config.misbehaviour.profiles == ProfileManners::Lacks {
            return Err((ErrorCode::NotSupported, "there is no smart charging here".to_owned()));
        }
        Ok(())
    }

    fn charge_at(&self, number: i32) -> Option<Charge> {
        let connector = self.connectors.iter().find(|connector| connector.number == number)?;
        charge_of(connector, &self.transaction_ids)
    }

    pub(super) fn set_profile(&mut self, call: &SetChargingProfile) -> Answer<SetChargingProfileResponse> {
        self.has_smart_charging()?;
        let number = call.connector_id;
        if !(0..=self.config.connectors.max(1)).contains(&number) {
            return Err(not_allowed(format!("there is no connector {number}")));
        }
        let profile = call.cs_charging_profiles.to_domain().map_err(not_allowed)?;
        let status = match self.config.misbehaviour.profiles {
            ProfileManners::Rejects => ChargingProfileStatus::Rejected,
            ProfileManners::NotSupported | ProfileManners::Lacks => ChargingProfileStatus::NotSupported,
            ProfileManners::Obeys | ProfileManners::Ignores => {
                let now = self.clock.now();
                self.advance(now);
                let charge = self.charge_at(number);
                match self.profiles.install(number, profile, charge.as_ref(), now) {
                    Ok(()) => {
                        self.allocate(now);
                        ChargingProfileStatus::Accepted
                    }
                    Err(refusal) => {
                        self.stats.problem(format!("{}: a profile is rejected: {refusal}", self.config.id));
                        ChargingProfileStatus::Rejected
                    }
                }
            }
        };
        Ok(SetChargingProfileResponse { status })
    }

    pub(super) fn clear_profiles(
        &mut self,
        call: &ClearChargingProfile,
    ) -> Answer<ClearChargingProfileResponse> {
        self.has_smart_charging()?;
        let purpose = call.charging_profile_purpose.as_ref().map(ChargingProfilePurpose::to_domain);
        let criteria = Criteria {
            id: call.id,
            connector: call.connector_id,
            purpose: purpose.transpose().map_err(not_allowed)?,
            stack_level: call.stack_level.map(|level| u32::try_from(level).unwrap_or(u32::MAX)),
        };
        let now = self.clock.now();
        self.advance(now);
        let cleared = self.profiles.clear(&criteria);
        if cleared > 0 {
            self.allocate(now);
        }
        let status = match cleared {
            0 => ClearChargingProfileStatus::Unknown,
            _ => ClearChargingProfileStatus::Accepted,
        };
        Ok(ClearChargingProfileResponse { status })
    }

    pub(super) fn tell_composite(
        &mut self,
        call: &GetCompositeSchedule,
    ) -> Answer<GetCompositeScheduleResponse> {
        self.has_smart_charging()?;
        let unit = call.charging_rate_unit.as_ref().map(|unit| unit.to_domain());
        let unit = unit.transpose().map_err(not_allowed)?.unwrap_or(RateUnit::Amperes);
        let outlets = self
            .connectors
            .iter()
            .filter(|connector| call.connector_id == 0 || call.connector_id == connector.number);
        let outlets: Vec<Outlet> = outlets
            .map(|connector| Outlet {
                connector: connector.number,
                rating: connector.rating(),
                charge: charge_of(connector, &self.transaction_ids),
            })
            .collect();
        let allowed = match unit {
            RateUnit::Amperes => self.profiles.bounds().amperes,
            RateUnit::Watts => self.profiles.bounds().watts,
        };
        if outlets.is_empty() || !allowed {
            return Ok(rejected());
        }
        let duration_s = u32::try_from(call.duration).unwrap_or(0);
        let now = self.clock.now();
        let schedule = self.profiles.composite(call.connector_id, &outlets, now, duration_s, unit);
        Ok(GetCompositeScheduleResponse::of(&schedule).unwrap_or_else(|_| rejected()))
    }

    /// Whether a profile may come with a remote start: one for the transaction that begins, without an id
    /// (5.16.2 and errata 3.41).
    pub(super) fn check_ordered(
        &self,
        number: i32,
        profile: &ChargingProfile,
    ) -> Option<domain::ChargingProfile> {
        let profile = profile.to_domain().ok()?;
        let is_of_transaction =
            profile.purpose == domain::ProfilePurpose::Tx && profile.transaction_id.is_none();
        let began = self.clock.now();
        let next = Charge { local: u64::MAX, id: None, began };
        let fits = self.profiles.clone().install(number, profile.clone(), Some(&next), began).is_ok();
        let obeys =
            matches!(self.config.misbehaviour.profiles, ProfileManners::Obeys | ProfileManners::Ignores);
        (is_of_transaction && fits && obeys).then_some(profile)
    }

    /// Installs the profile that came with the remote start of a charge that has begun.
    pub(super) fn take_ordered(&mut self, number: i32, tag: &IdTag) {
        let now = self.clock.now();
        let charge = self.charge_at(number);
        let ordered = self.connector_mut(number).and_then(|connector| connector.ordered.take());
        if let Some((_, profile)) = ordered.filter(|(for_whom, _)| for_whom == tag)
            && let Err(refusal) = self.profiles.install(number, profile, charge.as_ref(), now)
        {
            self.stats.problem(format!("{}: a profile is not taken: {refusal}", self.config.id));
        }
    }

    pub(super) fn change_availability(&mut self, call: &ChangeAvailability) -> AvailabilityStatus {
        let operative = match call.kind {
            AvailabilityType::Operative => true,
            AvailabilityType::Inoperative => false,
            AvailabilityType::Other(_) => return AvailabilityStatus::Rejected,
        };
        let numbers: Vec<i32> = match call.connector_id {
            0 => self.connectors.iter().map(|connector| connector.number).collect(),
            number => vec![number],
        };
        let mut status = AvailabilityStatus::Rejected;
        for number in numbers {
            let Some(connector) = self.connector_mut(number) else { return AvailabilityStatus::Rejected };
            connector.operative = operative;
            let charges = connector.transaction.is_some();
            if charges && !operative {
                status = AvailabilityStatus::Scheduled;
            } else if status == AvailabilityStatus::Rejected {
                status = AvailabilityStatus::Accepted;
            }
            // While it charges it goes on, and is out of service afterwards.
            self.update_status(number);
        }
        status
    }
}

fn rejected() -> GetCompositeScheduleResponse {
    GetCompositeScheduleResponse {
        status: Acceptance::Rejected,
        connector_id: None,
        schedule_start: None,
        charging_schedule: None,
    }
}
