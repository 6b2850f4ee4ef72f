//! Locations between the wire and the domain.

use super::wire;
use crate::domain::location as domain;
use crate::domain::{CiString, Timestamp};
use crate::ocpi::wire::{WireError, party_of, required};

impl wire::Connector {
    /// The domain's connector. `around` is when the object around it was last updated, for a connector that
    /// does not say it of itself.
    ///
    /// # Errors
    /// When something required is missing; with its path.
    pub fn into_domain(self, around: Option<Timestamp>) -> Result<domain::Connector, WireError> {
        let Self {
            id,
            standard,
            format,
            power_type,
            max_voltage,
            max_amperage,
            max_electric_power,
            tariff_ids,
            terms_and_conditions,
            last_updated,
            extra,
        } = self;
        Ok(domain::Connector {
            id,
            standard,
            format,
            power_type: required(power_type, "power_type")?,
            max_voltage: required(max_voltage, "max_voltage")?,
            max_amperage: required(max_amperage, "max_amperage")?,
            max_electric_power,
            tariff_ids,
            terms_and_conditions,
            last_updated: required(last_updated.or(around), "last_updated")?,
            extra,
        })
    }
}

impl From<domain::Connector> for wire::Connector {
    fn from(connector: domain::Connector) -> Self {
        let domain::Connector {
            id,
            standard,
            format,
            power_type,
            max_voltage,
            max_amperage,
            max_electric_power,
            tariff_ids,
            terms_and_conditions,
            last_updated,
            extra,
        } = connector;
        Self {
            id,
            standard,
            format,
            power_type: Some(power_type),
            max_voltage: Some(max_voltage),
            max_amperage: Some(max_amperage),
            max_electric_power,
            tariff_ids,
            terms_and_conditions,
            last_updated: Some(last_updated),
            extra,
        }
    }
}

impl wire::Evse {
    /// The domain's EVSE. `around` is when the object around it was last updated, for an EVSE that does not
    /// say it of itself. An EVSE without connectors stays one.
    ///
    /// # Errors
    /// When something required is missing in a connector; with its path.
    pub fn into_domain(self, around: Option<Timestamp>) -> Result<domain::Evse, WireError> {
        let Self {
            uid,
            evse_id,
            status,
            status_schedule,
            capabilities,
            connectors,
            floor_level,
            coordinates,
            physical_reference,
            directions,
            parking_restrictions,
            images,
            last_updated,
            extra,
        } = self;
        let last_updated = required(last_updated.or(around), "last_updated")?;
        let connectors = connectors
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(index, connector)| {
                let converted = connector.into_domain(Some(last_updated));
                converted.map_err(|error| error.under(&format!(".connectors[{index}]")))
            })
            .collect::<Result<_, _>>()?;
        Ok(domain::Evse {
            uid,
            evse_id,
            status,
            status_schedule,
            capabilities,
            connectors,
            floor_level,
            coordinates,
            physical_reference,
            directions,
            parking_restrictions,
            images,
            last_updated,
            extra,
        })
    }
}

impl From<domain::Evse> for wire::Evse {
    fn from(evse: domain::Evse) -> Self {
        let domain::Evse {
            uid,
            evse_id,
            status,
            status_schedule,
            capabilities,
            connectors,
            floor_level,
            coordinates,
            physical_reference,
            directions,
            parking_restrictions,
            images,
            last_updated,
            extra,
        } = evse;
        Self {
            uid,
            evse_id,
            status,
            status_schedule,
            capabilities,
            connectors: Some(connectors.into_iter().map(Into::into).collect()),
            floor_level,
            coordinates,
            physical_reference,
            directions,
            parking_restrictions,
            images,
            last_updated: Some(last_updated),
            extra,
        }
    }
}

impl TryFrom<wire::Location> for domain::Location {
    type Error = WireError;

    fn try_from(location: wire::Location) -> Result<Self, WireError> {
        let wire::Location {
            country_code,
            party_id,
            id,
            publish,
            publish_allowed_to,
            name,
            address,
            city,
            postal_code,
            state,
            country,
            coordinates,
            related_locations,
            parking_type,
            evses,
            directions,
            operator,
            suboperator,
            owner,
            facilities,
            time_zone,
            opening_times,
            charging_when_closed,
            images,
            energy_mix,
            last_updated,
            extra,
        } = location;
        let convert = |(index, evse): (usize, wire::Evse)| {
            let converted = evse.into_domain(Some(last_updated));
            converted.map_err(|error| error.under(&format!(".evses[{index}]")))
        };
        let evses = match evses {
            None => None,
            Some(evses) => Some(evses.into_iter().enumerate().map(convert).collect::<Result<_, _>>()?),
        };
        Ok(Self {
            party: party_of(&country_code, &party_id)?,
            id,
            publish,
            publish_allowed_to,
            name,
            address,
            city,
            postal_code,
            state,
            country,
            coordinates,
            related_locations,
            parking_type,
            evses,
            directions,
            operator,
            suboperator,
            owner,
            facilities,
            time_zone,
            opening_times,
            charging_when_closed,
            images,
            energy_mix,
            last_updated,
            extra,
        })
    }
}

impl From<domain::Location> for wire::Location {
    fn from(location: domain::Location) -> Self {
        let domain::Location {
            party,
            id,
            publish,
            publish_allowed_to,
            name,
            address,
            city,
            postal_code,
            state,
            country,
            coordinates,
            related_locations,
            parking_type,
            evses,
            directions,
            operator,
            suboperator,
            owner,
            facilities,
            time_zone,
            opening_times,
            charging_when_closed,
            images,
            energy_mix,
            last_updated,
            extra,
        } = location;
        Self {
            country_code: CiString::from(party.country_code()),
            party_id: CiString::from(party.party_id()),
            id,
            publish,
            publish_allowed_to,
            name,
            address,
            city,
            postal_code,
            state,
            country,
            coordinates,
            related_locations,
            parking_type,
            evses: evses.map(|evses| evses.into_iter().map(Into::into).collect()),
            directions,
            operator,
            suboperator,
            owner,
            facilities,
            time_zone,
            opening_times,
            charging_when_closed,
            images,
            energy_mix,
            last_updated,
            extra,
        }
    }
}
