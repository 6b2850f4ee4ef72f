//! Card terminals that hold and take money for charges, and what they say of the money that they took (OCPI 2.3.0
//! mod_payments).

use super::location::GeoLocation;
use super::open_enum::open_enum;
use super::party::PartyId;
use super::tariff::Price;
use super::values::{CiString, Extra, Timestamp};
use serde::{Deserialize, Serialize};

open_enum! {
    /// Who makes the driver's invoice (OCPI 2.3.0 mod_payments, "InvoiceCreator").
    pub enum InvoiceCreator {
        /// The one who sells.
        Cpo = "CPO",
        /// The one who operates the terminal.
        Ptp = "PTP",
    }
}

open_enum! {
    /// How taking the money came out (OCPI 2.3.0 mod_payments, "CaptureStatusCode").
    pub enum CaptureStatus {
        /// All of it was taken.
        Success = "SUCCESS",
        /// Only a part was.
        PartialSuccess = "PARTIAL_SUCCESS",
        /// Nothing was.
        Failed = "FAILED",
    }
}

/// A terminal (OCPI 2.3.0 mod_payments, "Terminal Object").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Terminal {
    /// At most 36 characters.
    pub terminal_id: CiString,
    /// Who sells at it.
    pub party: PartyId,
    /// By what the one who operates it knows us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<CiString>,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// ISO 3166-1 alpha-3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Where on earth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<GeoLocation>,
    /// Where invoices can be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_base_url: Option<String>,
    /// Who makes the driver's invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_creator: Option<InvoiceCreator>,
    /// By what the one who operates it knows it, e.g. a serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<CiString>,
    /// It sells at all EVSEs of these locations.
    #[serde(default)]
    pub location_ids: Vec<CiString>,
    /// And at these EVSEs.
    #[serde(default)]
    pub evse_uids: Vec<CiString>,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Terminal {
    /// Whether it sells at an EVSE: both lists count together.
    #[must_use]
    pub fn sells_at(&self, party: &PartyId, location_id: &CiString, evse_uid: &CiString) -> bool {
        self.party == *party && (self.location_ids.contains(location_id) || self.evse_uids.contains(evse_uid))
    }
}

/// What a terminal says of the money that it took (OCPI 2.3.0 mod_payments, "Financial Advice Confirmation Object").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinancialAdviceConfirmation {
    /// At most 36 characters.
    pub id: CiString,
    /// By what the terminal knows the payment.
    pub authorization_reference: CiString,
    /// What was taken.
    pub total_costs: Price,
    /// ISO 4217.
    pub currency: String,
    /// What the receipt must show of the card. The specification wants at least one; its own example of a failure has
    /// none.
    #[serde(default)]
    pub eft_data: Vec<String>,
    /// How it came out.
    pub capture_status_code: CaptureStatus,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_status_message: Option<String>,
    /// When it was made.
    pub last_updated: Timestamp,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}
