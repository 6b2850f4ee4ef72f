//! Tariffs between the wire and the domain.

use super::wire;
use crate::domain::party::PartyId;
use crate::domain::tariff as domain;
use crate::domain::{CiString, Extra, Timestamp};
use crate::ocpi::wire::{WireError, party_of, required};

impl wire::Tariff {
    /// Fills in what the tariff does not say of itself: its owner, and when it was last updated.
    #[must_use]
    pub fn or_else(mut self, owner: &PartyId, last_updated: Timestamp) -> Self {
        if self.country_code.is_none() && self.party_id.is_none() {
            self.country_code = Some(CiString::from(owner.country_code()));
            self.party_id = Some(CiString::from(owner.party_id()));
        }
        self.last_updated.get_or_insert(last_updated);
        self
    }
}

/// The price that a limit is; what is none is kept among what is not known, and so comes back as it came.
fn price_of(limit: Option<wire::Limit>, name: &str, extra: &mut Extra) -> Option<domain::Price> {
    match limit? {
        wire::Limit::Price(price) => Some(price),
        wire::Limit::Kept(value) => {
            extra.insert(name.to_owned(), value);
            None
        }
    }
}

impl TryFrom<wire::Tariff> for domain::Tariff {
    type Error = WireError;

    fn try_from(tariff: wire::Tariff) -> Result<Self, WireError> {
        let wire::Tariff {
            country_code,
            party_id,
            id,
            currency,
            tariff_type,
            tariff_alt_text,
            tariff_alt_url,
            min_price,
            max_price,
            elements,
            start_date_time,
            end_date_time,
            energy_mix,
            last_updated,
            mut extra,
        } = tariff;
        let min_price = price_of(min_price, "min_price", &mut extra);
        let max_price = price_of(max_price, "max_price", &mut extra);
        let country_code = required(country_code, "country_code")?;
        let party_id = required(party_id, "party_id")?;
        Ok(Self {
            party: party_of(&country_code, &party_id)?,
            id,
            currency,
            tariff_type,
            tariff_alt_text,
            tariff_alt_url,
            // All prices of this version are net.
            tax_included: None,
            min_price,
            max_price,
            elements,
            start_date_time,
            end_date_time,
            energy_mix,
            last_updated: required(last_updated, "last_updated")?,
            extra,
        })
    }
}

impl From<domain::Tariff> for wire::Tariff {
    fn from(tariff: domain::Tariff) -> Self {
        let domain::Tariff {
            party,
            id,
            currency,
            tariff_type,
            tariff_alt_text,
            tariff_alt_url,
            // Only tariffs of later versions have gross prices, and those are not told to partners of this one.
            tax_included: _,
            min_price,
            max_price,
            elements,
            start_date_time,
            end_date_time,
            energy_mix,
            last_updated,
            extra,
        } = tariff;
        Self {
            country_code: Some(CiString::from(party.country_code())),
            party_id: Some(CiString::from(party.party_id())),
            id,
            currency,
            tariff_type,
            tariff_alt_text,
            tariff_alt_url,
            min_price: min_price.map(wire::Limit::Price),
            max_price: max_price.map(wire::Limit::Price),
            elements,
            start_date_time,
            end_date_time,
            energy_mix,
            last_updated: Some(last_updated),
            extra,
        }
    }
}
