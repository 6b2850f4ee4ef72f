//! Sessions between the wire and the domain.

use super::wire;
use crate::domain::CiString;
use crate::domain::session as domain;
use crate::ocpi::v2_2_1::rounding::{kwh_at_most_4, period_at_most_4, price_at_most_4};
use crate::ocpi::wire::{WireError, party_of};

impl TryFrom<wire::Session> for domain::Session {
    type Error = WireError;

    fn try_from(session: wire::Session) -> Result<Self, WireError> {
        let wire::Session {
            country_code,
            party_id,
            id,
            start_date_time,
            end_date_time,
            kwh,
            cdr_token,
            auth_method,
            authorization_reference,
            location_id,
            evse_uid,
            connector_id,
            meter_id,
            currency,
            charging_periods,
            total_cost,
            status,
            last_updated,
            extra,
        } = session;
        Ok(Self {
            party: party_of(&country_code, &party_id)?,
            id,
            start_date_time,
            end_date_time,
            kwh,
            cdr_token: cdr_token.try_into().map_err(|error: WireError| error.under(".cdr_token"))?,
            auth_method,
            authorization_reference,
            location_id,
            evse_uid,
            connector_id,
            meter_id,
            currency,
            charging_periods: charging_periods.unwrap_or_default(),
            total_cost,
            status,
            last_updated,
            extra,
        })
    }
}

impl From<domain::Session> for wire::Session {
    fn from(session: domain::Session) -> Self {
        let domain::Session {
            party,
            id,
            start_date_time,
            end_date_time,
            kwh,
            cdr_token,
            auth_method,
            authorization_reference,
            location_id,
            evse_uid,
            connector_id,
            meter_id,
            currency,
            charging_periods,
            total_cost,
            status,
            last_updated,
            extra,
        } = session;
        Self {
            country_code: CiString::from(party.country_code()),
            party_id: CiString::from(party.party_id()),
            id,
            start_date_time,
            end_date_time,
            kwh,
            cdr_token: cdr_token.into(),
            auth_method,
            authorization_reference,
            location_id,
            evse_uid,
            connector_id,
            meter_id,
            currency,
            charging_periods: (!charging_periods.is_empty()).then_some(charging_periods),
            total_cost,
            status,
            last_updated,
            extra,
        }
    }
}

impl wire::Session {
    /// As this node writes its own sessions: numbers with at most 4 decimals (types, "number"). A partner's
    /// session keeps its digits and must not go through here.
    #[must_use]
    pub fn with_at_most_4_decimals(mut self) -> Self {
        kwh_at_most_4(&mut self.kwh);
        self.total_cost.iter_mut().for_each(price_at_most_4);
        self.charging_periods.iter_mut().flatten().for_each(period_at_most_4);
        self
    }
}
