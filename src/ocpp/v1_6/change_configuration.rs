//! ChangeConfiguration: set one of a station's keys (OCPP 1.6, 5.3, 6.9, 6.10).

use crate::ocpp::wire::{Request, Text, message, words};

message! {
    /// 6.9 ChangeConfiguration.req. The value may be a secret (`AuthorizationKey`): not for logs.
    pub struct ChangeConfiguration {
        /// Name of the key, without regard to case.
        key: Text<50> = "key",
        /// Its new value.
        value: Text<500> = "value",
    }
}

words! {
    /// 7.22 ConfigurationStatus
    pub enum ConfigurationStatus {
        /// Set, and in force.
        Accepted = "Accepted",
        /// Known, and not set.
        Rejected = "Rejected",
        /// Set, in force after a reboot.
        RebootRequired = "RebootRequired",
        /// The key is not known.
        NotSupported = "NotSupported",
    }
}

message! {
    /// 6.10 ChangeConfiguration.conf
    pub struct ChangeConfigurationResponse {
        /// What became of it.
        status: ConfigurationStatus = "status",
    }
}

impl Request for ChangeConfiguration {
    const ACTION: &'static str = "ChangeConfiguration";
    type Response = ChangeConfigurationResponse;
}
