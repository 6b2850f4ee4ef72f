//! GetCompositeSchedule: ask a station which limits it will keep to (OCPP 1.6, 5.7, 6.21, 6.22).

use super::{Acceptance, ChargingRateUnit, ChargingSchedule};
use crate::domain::values::Timestamp;
use crate::ocpp::wire::{Request, message};

message! {
    /// 6.21 GetCompositeSchedule.req
    pub struct GetCompositeSchedule {
        /// Where; 0 is the station as the grid sees it.
        connector_id: i32 = "connectorId" in 0..,
        /// For how many seconds from now.
        duration: i32 = "duration" in 0..,
        /// In what to answer; none leaves it to the station.
        charging_rate_unit: Option<ChargingRateUnit> = "chargingRateUnit",
    }
}

message! {
    /// 6.22 GetCompositeSchedule.conf
    pub struct GetCompositeScheduleResponse {
        /// Whether the station can say.
        status: Acceptance = "status",
        /// For which connector.
        connector_id: Option<i32> = "connectorId" in 0..,
        /// What the periods count from; the schedule itself names no start (errata 3.57).
        schedule_start: Option<Timestamp> = "scheduleStart",
        /// The limits.
        charging_schedule: Option<ChargingSchedule> = "chargingSchedule",
    }
}

impl Request for GetCompositeSchedule {
    const ACTION: &'static str = "GetCompositeSchedule";
    type Response = GetCompositeScheduleResponse;
}
