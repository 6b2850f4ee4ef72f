//! What drivers ask of a place: a plug, power, a free EVSE, a price, a way to pay. All of it must be true of one
//! EVSE, and what is about a connector of one connector of it. [`columns`](super::columns) answers it.

use crate::domain::Timestamp;
use crate::domain::party::PartyId;
use rust_decimal::Decimal;
use std::fmt;
use std::str::FromStr;

/// A way to pay at an EVSE, by its capabilities (OCPI 2.2.1 mod_locations, "Capability").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// With a bank card at a reader.
    Card,
    /// With an app: the EVSE can be started from afar.
    App,
    /// With a charging card.
    Rfid,
}

impl Payment {
    /// The capabilities of which one is enough.
    pub(super) fn capabilities(self) -> &'static [&'static str] {
        match self {
            Self::Card => &[
                "CREDIT_CARD_PAYABLE",
                "DEBIT_CARD_PAYABLE",
                "CHIP_CARD_SUPPORT",
                "CONTACTLESS_CARD_SUPPORT",
                "PED_TERMINAL",
            ],
            Self::App => &["REMOTE_START_STOP_CAPABLE"],
            Self::Rfid => &["RFID_READER"],
        }
    }
}

/// A word that names no way to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPayment(String);

impl fmt::Display for UnknownPayment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is no way to pay: card, app and rfid are", self.0)
    }
}

impl FromStr for Payment {
    type Err = UnknownPayment;

    fn from_str(text: &str) -> Result<Self, UnknownPayment> {
        match text {
            "card" => Ok(Self::Card),
            "app" => Ok(Self::App),
            "rfid" => Ok(Self::Rfid),
            _ => Err(UnknownPayment(text.chars().take(40).collect())),
        }
    }
}

/// The most that a kWh may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceLimit {
    /// ISO 4217; a price in another currency does not fit.
    pub currency: String,
    /// With VAT.
    pub most: Decimal,
}

/// What is asked; what is empty or missing is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these connectors, in OCPI's words.
    pub standards: Vec<String>,
    /// At least so many watts.
    pub min_watts: Option<i64>,
    /// Free now.
    pub free: bool,
    /// A kWh costs no more than this at any time.
    pub price: Option<PriceLimit>,
    /// One of these ways to pay.
    pub payments: Vec<Payment>,
    /// All of these capabilities, in OCPI's words.
    pub capabilities: Vec<String>,
    /// One of these CPOs.
    pub parties: Vec<PartyId>,
    /// Open at this time; places that do not say when they are open stay.
    pub open_at: Option<Timestamp>,
}
