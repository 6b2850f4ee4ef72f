//! Charging stations as the operator knows them, whatever version of OCPP they speak.

use super::location::EvseStatus;
use super::open_enum::open_enum;
use super::party::PartyId;
use super::values::{CiString, Timestamp, ValueError};
use std::fmt;

/// What a station calls itself in its URL: 1 to 48 visible characters (OCPP 2.0.1 part 4, 3.1; 1.6 gives no
/// bound).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StationId(String);

impl StationId {
    /// Takes 1 to 48 printable characters without blanks.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let good = (1..=48).contains(&text.chars().count())
            && !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '/');
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ValueError::Malformed {
                what: "station id",
                found: text.chars().take(60).collect(),
                wanted: "1 to 48 printable characters without blanks or '/'",
            })
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a station proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StationAuth {
    /// Not at all: only on networks that are trusted.
    None,
    /// HTTP Basic (security profile 1, or 2 behind TLS).
    Basic,
}

/// A station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Its id.
    pub id: StationId,
    /// The CPO that operates it.
    pub party: PartyId,
    /// Where it stands: a location of that CPO.
    pub location_id: CiString,
    /// How it proves who it is.
    pub auth: StationAuth,
    /// From its BootNotification.
    pub boot: Option<BootInfo>,
    /// When it last booted.
    pub booted_at: Option<Timestamp>,
    /// When it was last heard, as far as the database knows.
    pub last_seen: Option<Timestamp>,
    /// Whether a node holds its socket now.
    pub online: bool,
    /// Its connectors, by their OCPP number from 1.
    pub connectors: Vec<StationConnector>,
}

impl Station {
    /// One that was never heard.
    #[must_use]
    pub fn new(
        id: StationId,
        party: PartyId,
        location_id: CiString,
        auth: StationAuth,
        connectors: Vec<StationConnector>,
    ) -> Self {
        Self {
            id,
            party,
            location_id,
            auth,
            boot: None,
            booted_at: None,
            last_seen: None,
            online: false,
            connectors,
        }
    }
}

/// What a station says of itself when it boots (OCPP 1.6, 6.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootInfo {
    /// Vendor.
    pub vendor: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial_number: Option<String>,
    /// Firmware.
    pub firmware_version: Option<String>,
}

/// A connector of a station: OCPP's number and OCPI's names for the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StationConnector {
    /// OCPP's number, from 1.
    pub number: i32,
    /// `EVSE.uid`.
    pub evse_uid: CiString,
    /// `Connector.id`.
    pub connector_id: CiString,
    /// What the station says of it.
    pub status: Option<ConnectorStatus>,
    /// Error code, `NoError` where there is none.
    pub error_code: Option<String>,
    /// When it said so, by its clock.
    pub status_at: Option<Timestamp>,
}

impl StationConnector {
    /// One of which nothing was said.
    #[must_use]
    pub fn new(number: i32, evse_uid: CiString, connector_id: CiString) -> Self {
        Self { number, evse_uid, connector_id, status: None, error_code: None, status_at: None }
    }
}

open_enum! {
    /// What a station says of a connector (OCPP 1.6, 7.7 ChargePointStatus).
    pub enum ConnectorStatus {
        /// Ready for the next car.
        Available = "Available",
        /// A car or token is there, no transaction yet.
        Preparing = "Preparing",
        /// Energy flows.
        Charging = "Charging",
        /// The station does not offer energy.
        SuspendedEvse = "SuspendedEVSE",
        /// The car does not take energy.
        SuspendedEv = "SuspendedEV",
        /// The transaction is over, the car still there.
        Finishing = "Finishing",
        /// Kept for a driver.
        Reserved = "Reserved",
        /// Out of service.
        Unavailable = "Unavailable",
        /// Broken.
        Faulted = "Faulted",
    }
}

impl ConnectorStatus {
    /// As partners see it: what is not clearly free is never AVAILABLE.
    #[must_use]
    pub fn to_evse_status(&self) -> EvseStatus {
        match self {
            Self::Available => EvseStatus::Available,
            Self::Preparing | Self::Finishing => EvseStatus::Blocked,
            Self::Charging | Self::SuspendedEv | Self::SuspendedEvse => EvseStatus::Charging,
            Self::Reserved => EvseStatus::Reserved,
            Self::Unavailable => EvseStatus::Inoperative,
            Self::Faulted => EvseStatus::OutOfOrder,
            Self::Other(_) => EvseStatus::Unknown,
        }
    }
}

/// Watt-hours and what else a station measured at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterSample {
    /// By the station's clock.
    pub at: Timestamp,
    /// The import register, if it was among the values.
    pub register: Option<super::values::Kwh>,
    /// Power taken, kW, if it was among the values.
    pub power_kw: Option<rust_decimal::Decimal>,
    /// Current taken, A over all phases, if it was among the values.
    pub current_a: Option<rust_decimal::Decimal>,
    /// Current taken on each phase of the station, A, as far as it was among the values. Load management learns
    /// phases from it; it is not stored.
    pub currents: [Option<rust_decimal::Decimal>; 3],
    /// Current that the station offers the car on each phase, A, if it was among the values. Not stored.
    pub offered_a: Option<rust_decimal::Decimal>,
    /// Why it was taken, e.g. `Sample.Periodic`, `Transaction.Begin`.
    pub context: String,
    /// The values as the station sent them, byte for byte.
    pub raw: String,
    /// The values among them that the meter signed: each a text such as `OCMF|…|…`, or a SignedMeterValueType of
    /// OCPP 2.0.1 (2.46) as JSON.
    pub signed: Vec<String>,
}
