//! CDRs between the wire and the domain.

use super::wire;
use crate::domain::CiString;
use crate::domain::cdr as domain;
use crate::domain::session;
use crate::ocpi::v2_2_1::rounding::{at_most_4, kwh_at_most_4, period_at_most_4, price_at_most_4};
use crate::ocpi::v2_2_1::tariffs;
use crate::ocpi::wire::{WireError, party_of};

impl TryFrom<wire::CdrToken> for session::CdrToken {
    type Error = WireError;

    fn try_from(token: wire::CdrToken) -> Result<Self, WireError> {
        let wire::CdrToken { country_code, party_id, uid, token_type, contract_id, extra } = token;
        let party = match (country_code, party_id) {
            (Some(country_code), Some(party_id)) => Some(party_of(&country_code, &party_id)?),
            (None, None) => None,
            (Some(_), None) => return Err(WireError::at("$.party_id", "is missing beside country_code")),
            (None, Some(_)) => return Err(WireError::at("$.country_code", "is missing beside party_id")),
        };
        Ok(Self { party, uid, token_type, contract_id, extra })
    }
}

impl From<session::CdrToken> for wire::CdrToken {
    fn from(token: session::CdrToken) -> Self {
        let session::CdrToken { party, uid, token_type, contract_id, extra } = token;
        Self {
            country_code: party.as_ref().map(|party| CiString::from(party.country_code())),
            party_id: party.as_ref().map(|party| CiString::from(party.party_id())),
            uid,
            token_type,
            contract_id,
            extra,
        }
    }
}

impl TryFrom<wire::Cdr> for domain::Cdr {
    type Error = WireError;

    fn try_from(cdr: wire::Cdr) -> Result<Self, WireError> {
        let wire::Cdr {
            country_code,
            party_id,
            id,
            start_date_time,
            end_date_time,
            session_id,
            cdr_token,
            auth_method,
            authorization_reference,
            cdr_location,
            meter_id,
            currency,
            tariffs,
            charging_periods,
            signed_data,
            total_cost,
            total_fixed_cost,
            total_energy,
            total_energy_cost,
            total_time,
            total_time_cost,
            total_parking_time,
            total_parking_cost,
            total_reservation_cost,
            remark,
            invoice_reference_id,
            credit,
            credit_reference_id,
            home_charging_compensation,
            last_updated,
            extra,
        } = cdr;
        let party = party_of(&country_code, &party_id)?;
        let convert = |(index, tariff): (usize, tariffs::wire::Tariff)| {
            let converted = tariff.or_else(&party, last_updated).try_into();
            converted.map_err(|error: WireError| error.under(&format!(".tariffs[{index}]")))
        };
        let tariffs =
            tariffs.unwrap_or_default().into_iter().enumerate().map(convert).collect::<Result<_, _>>()?;
        let cdr_token = cdr_token.try_into().map_err(|error: WireError| error.under(".cdr_token"))?;
        Ok(Self {
            party,
            id,
            start_date_time,
            end_date_time,
            session_id,
            cdr_token,
            auth_method,
            authorization_reference,
            cdr_location,
            meter_id,
            currency,
            tariffs,
            charging_periods: charging_periods.unwrap_or_default(),
            signed_data,
            total_cost,
            total_fixed_cost,
            total_energy,
            total_energy_cost,
            total_time,
            total_time_cost,
            total_parking_time,
            total_parking_cost,
            total_reservation_cost,
            remark,
            invoice_reference_id,
            credit,
            credit_reference_id,
            home_charging_compensation,
            last_updated,
            extra,
        })
    }
}

impl From<domain::Cdr> for wire::Cdr {
    fn from(cdr: domain::Cdr) -> Self {
        let domain::Cdr {
            party,
            id,
            start_date_time,
            end_date_time,
            session_id,
            cdr_token,
            auth_method,
            authorization_reference,
            cdr_location,
            meter_id,
            currency,
            tariffs,
            charging_periods,
            signed_data,
            total_cost,
            total_fixed_cost,
            total_energy,
            total_energy_cost,
            total_time,
            total_time_cost,
            total_parking_time,
            total_parking_cost,
            total_reservation_cost,
            remark,
            invoice_reference_id,
            credit,
            credit_reference_id,
            home_charging_compensation,
            last_updated,
            extra,
        } = cdr;
        let tariffs: Vec<tariffs::wire::Tariff> = tariffs.into_iter().map(Into::into).collect();
        Self {
            country_code: CiString::from(party.country_code()),
            party_id: CiString::from(party.party_id()),
            id,
            start_date_time,
            end_date_time,
            session_id,
            cdr_token: cdr_token.into(),
            auth_method,
            authorization_reference,
            cdr_location,
            meter_id,
            currency,
            tariffs: (!tariffs.is_empty()).then_some(tariffs),
            charging_periods: Some(charging_periods),
            signed_data,
            total_cost,
            total_fixed_cost,
            total_energy,
            total_energy_cost,
            total_time,
            total_time_cost,
            total_parking_time,
            total_parking_cost,
            total_reservation_cost,
            remark,
            invoice_reference_id,
            credit,
            credit_reference_id,
            home_charging_compensation,
            last_updated,
            extra,
        }
    }
}

impl wire::Cdr {
    /// As this node writes its own CDRs: numbers with at most 4 decimals (types, "number"). A partner's CDR
    /// keeps its digits and must not go through here.
    #[must_use]
    pub fn with_at_most_4_decimals(mut self) -> Self {
        price_at_most_4(&mut self.total_cost);
        let costs = [
            &mut self.total_fixed_cost,
            &mut self.total_energy_cost,
            &mut self.total_time_cost,
            &mut self.total_parking_cost,
            &mut self.total_reservation_cost,
        ];
        costs.into_iter().flatten().for_each(price_at_most_4);
        kwh_at_most_4(&mut self.total_energy);
        at_most_4(&mut self.total_time);
        self.total_parking_time.iter_mut().for_each(at_most_4);
        self.charging_periods.iter_mut().flatten().for_each(period_at_most_4);
        self
    }
}
