//! What a use case needs from the edge that talks to stations.

use crate::domain::charging_profile::{ChargingProfile, CompositeSchedule, ProfilePurpose, RateUnit};
use crate::domain::station::StationId;
use async_trait::async_trait;

/// What is asked of a station, whatever version it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StationCall {
    /// Start a charge.
    RemoteStart {
        /// At which connector; none leaves the choice to the station.
        connector: Option<i32>,
        /// For whom.
        id_tag: String,
    },
    /// Stop a charge.
    RemoteStop {
        /// Which.
        transaction_id: i32,
    },
    /// Restart.
    Reset {
        /// Without ending charges in order.
        hard: bool,
    },
    /// Set a configuration key.
    ChangeConfiguration {
        /// Which.
        key: String,
        /// To what.
        value: String,
    },
    /// Read configuration keys.
    GetConfiguration {
        /// Which; none means all.
        keys: Vec<String>,
    },
    /// Send a message now.
    TriggerMessage {
        /// Which, e.g. `StatusNotification`.
        message: String,
        /// For which connector.
        connector: Option<i32>,
    },
    /// Vendor data.
    DataTransfer {
        /// Whose.
        vendor_id: String,
        /// Which.
        message_id: Option<String>,
        /// What.
        data: Option<String>,
    },
    /// Put a connector out of service, or into it.
    ChangeAvailability {
        /// Which; 0 is the station with all its connectors.
        connector: i32,
        /// Into service.
        operative: bool,
    },
    /// Give it limits to keep to.
    SetChargingProfile {
        /// At which connector; 0 is the station, or every connector for a default.
        connector: i32,
        /// The limits.
        profile: ChargingProfile,
    },
    /// Take limits from it: every profile that fits all that is given.
    ClearChargingProfile {
        /// Which.
        id: Option<i32>,
        /// Those of which connector; 0 is the station.
        connector: Option<i32>,
        /// Those of which purpose.
        purpose: Option<ProfilePurpose>,
        /// Those of which level.
        stack_level: Option<u32>,
    },
    /// Ask which limits it will keep to.
    GetCompositeSchedule {
        /// At which connector; 0 is the station as the grid sees it.
        connector: i32,
        /// For how many seconds from now.
        duration_s: u32,
        /// In what to answer; none leaves it to the station.
        unit: Option<RateUnit>,
    },
}

/// What a station answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StationAnswer {
    /// Its status word, e.g. `Accepted`, `Rejected`, `RebootRequired`.
    Status(String),
    /// Its configuration.
    Configuration {
        /// Key, value and whether it is read-only.
        keys: Vec<(String, Option<String>, bool)>,
        /// Keys that it does not know.
        unknown: Vec<String>,
    },
    /// Its answer to vendor data.
    Data {
        /// Its status word.
        status: String,
        /// What it sent back.
        data: Option<String>,
    },
    /// The limits that it will keep to.
    Composite {
        /// Its status word; `Rejected` when it cannot say.
        status: String,
        /// The limits, if it named any.
        schedule: Option<CompositeSchedule>,
    },
}

impl StationAnswer {
    /// Whether it said `Accepted`.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        match self {
            Self::Status(word) | Self::Data { status: word, .. } | Self::Composite { status: word, .. } => {
                word == "Accepted"
            }
            Self::Configuration { .. } => true,
        }
    }
}

/// Why there is no answer of a station.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StationCallError {
    /// No node holds its socket.
    #[error("the station is not connected")]
    Offline,
    /// It was not called: the grid connection has no room for what it may draw.
    #[error("the grid connection has no room for what the station may draw; try again in a minute")]
    NoRoom,
    /// Too many calls wait for it already.
    #[error("too many calls wait for the station already")]
    QueueFull,
    /// It did not answer in time.
    #[error("the station did not answer in time")]
    Timeout,
    /// It answered with an error of its protocol.
    #[error("the station answered {code}: {description}")]
    Refused {
        /// The protocol's error code, e.g. `NotSupported`.
        code: String,
        /// Its text.
        description: String,
    },
    /// It answered something that cannot be understood.
    #[error("the station's answer cannot be understood: {0}")]
    Unreadable(String),
    /// The call cannot be put into the words of the station's protocol.
    #[error("{0}")]
    Unsendable(String),
}

/// The way to stations.
#[async_trait]
pub trait StationLink: Send + Sync {
    /// Sends a call and waits for the answer. `correlation_id` is that of the request that caused it, for logs.
    async fn call(
        &self,
        station: &StationId,
        call: StationCall,
        correlation_id: Option<&str>,
    ) -> Result<StationAnswer, StationCallError>;

    /// Whether its socket is open here.
    fn is_connected(&self, station: &StationId) -> bool;

    /// Closes its socket, e.g. because it was removed or its password changed.
    async fn disconnect(&self, station: &StationId, reason: &str);
}
