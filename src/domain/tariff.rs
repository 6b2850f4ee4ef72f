//! Tariffs (OCPI 2.2.1 mod_tariffs), as the superset of the versions.

use super::location::{DisplayText, EnergyMix};
use super::open_enum::open_enum;
use super::party::PartyId;
use super::values::{CiString, Extra, Kwh, Money, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

open_enum! {
    /// OCPI 2.2.1 mod_tariffs, "TariffType".
    pub enum TariffType {
        /// For ad hoc payment.
        AdHocPayment = "AD_HOC_PAYMENT",
        /// For the charging preference CHEAP.
        ProfileCheap = "PROFILE_CHEAP",
        /// For the charging preference FAST.
        ProfileFast = "PROFILE_FAST",
        /// For the charging preference GREEN.
        ProfileGreen = "PROFILE_GREEN",
        /// Everything else.
        Regular = "REGULAR",
    }
}

open_enum! {
    /// OCPI 2.2.1 mod_tariffs, "TariffDimensionType".
    pub enum TariffDimension {
        /// Per kWh; step in Wh.
        Energy = "ENERGY",
        /// Once.
        Flat = "FLAT",
        /// Per hour not charging; step in seconds.
        ParkingTime = "PARKING_TIME",
        /// Per hour charging; step in seconds.
        Time = "TIME",
    }
}

open_enum! {
    /// OCPI 2.2.1 mod_tariffs, "DayOfWeek".
    pub enum DayOfWeek {
        /// Monday.
        Monday = "MONDAY",
        /// Tuesday.
        Tuesday = "TUESDAY",
        /// Wednesday.
        Wednesday = "WEDNESDAY",
        /// Thursday.
        Thursday = "THURSDAY",
        /// Friday.
        Friday = "FRIDAY",
        /// Saturday.
        Saturday = "SATURDAY",
        /// Sunday.
        Sunday = "SUNDAY",
    }
}

open_enum! {
    /// OCPI 2.2.1 mod_tariffs, "ReservationRestrictionType".
    pub enum ReservationRestriction {
        /// Prices a reservation.
        Reservation = "RESERVATION",
        /// Prices a reservation that expired.
        ReservationExpires = "RESERVATION_EXPIRES",
    }
}

open_enum! {
    /// OCPI 2.3.0 mod_tariffs, "TaxIncluded": what the amounts of a tariff are.
    pub enum TaxIncluded {
        /// Gross.
        Yes = "YES",
        /// Net: taxes come on top.
        No = "NO",
        /// No taxes apply.
        NotApplicable = "N/A",
    }
}

/// An amount without and with VAT (OCPI 2.2.1 types, "Price").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Without VAT.
    pub excl_vat: Money,
    /// With VAT; missing means that no VAT applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incl_vat: Option<Money>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What one unit of a dimension costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceComponent {
    /// The dimension.
    #[serde(rename = "type")]
    pub dimension: TariffDimension,
    /// Per kWh, per hour, or once; without VAT, unless the tariff says that taxes are included.
    pub price: Money,
    /// Percent; missing means that no VAT applies, which is not 0 %.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::arbitrary_precision_option"
    )]
    pub vat: Option<Decimal>,
    /// The amount billed is rounded up to a multiple of this many Wh or seconds; 1 bills whole ones.
    pub step_size: u32,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// When an element applies: all that are given must match.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TariffRestrictions {
    /// Local time `HH:MM`, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Local time `HH:MM`, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// Local date `YYYY-MM-DD`, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// Local date `YYYY-MM-DD`, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// From this energy of the session on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_kwh: Option<Kwh>,
    /// Below this energy of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_kwh: Option<Kwh>,
    /// From this current on, A summed over the phases.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::arbitrary_precision_option"
    )]
    pub min_current: Option<Decimal>,
    /// Below this current, A summed over the phases.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::arbitrary_precision_option"
    )]
    pub max_current: Option<Decimal>,
    /// From this power on, kW.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::arbitrary_precision_option"
    )]
    pub min_power: Option<Decimal>,
    /// Below this power, kW.
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::arbitrary_precision_option"
    )]
    pub max_power: Option<Decimal>,
    /// From this many seconds after the session's start on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_duration: Option<u64>,
    /// Before this many seconds after the session's start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<u64>,
    /// Days on which it applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_of_week: Option<Vec<DayOfWeek>>,
    /// Applies to reservations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation: Option<ReservationRestriction>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Prices and when they apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TariffElement {
    /// At least one.
    pub price_components: Vec<PriceComponent>,
    /// Missing means always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restrictions: Option<TariffRestrictions>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A tariff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tariff {
    /// The CPO that owns it.
    pub party: PartyId,
    /// At most 36 characters.
    pub id: CiString,
    /// ISO 4217.
    pub currency: String,
    /// Missing means for every session.
    pub tariff_type: Option<TariffType>,
    /// Texts for drivers; missing and empty are told apart.
    pub tariff_alt_text: Option<Vec<DisplayText>>,
    /// A page for drivers.
    pub tariff_alt_url: Option<String>,
    /// Whether the prices are gross; missing means net, as they always are before OCPI 2.3.0.
    #[serde(default)]
    pub tax_included: Option<TaxIncluded>,
    /// A session costs at least this.
    pub min_price: Option<Price>,
    /// A session costs at most this.
    pub max_price: Option<Price>,
    /// Prices, the first that matches per dimension wins.
    pub elements: Vec<TariffElement>,
    /// Valid from, inclusive.
    pub start_date_time: Option<Timestamp>,
    /// Valid to, exclusive.
    pub end_date_time: Option<Timestamp>,
    /// Sources of the energy.
    pub energy_mix: Option<EnergyMix>,
    /// When it was last changed, by its owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    pub extra: Extra,
}
