//! GetConfiguration: ask for a station's keys (OCPP 1.6, 5.8, 6.23, 6.24).

use crate::ocpp::wire::{Request, Text, message};

message! {
    /// 6.23 GetConfiguration.req
    pub struct GetConfiguration {
        /// Which keys; none asks for all.
        key: Option<Vec<Text<50>>> = "key",
    }
}

message! {
    /// 6.24 GetConfiguration.conf
    pub struct GetConfigurationResponse {
        /// What is known.
        configuration_key: Option<Vec<KeyValue>> = "configurationKey",
        /// What is not.
        unknown_key: Option<Vec<Text<50>>> = "unknownKey",
    }
}

message! {
    /// 7.29 KeyValue
    pub struct KeyValue {
        /// Its name.
        key: Text<50> = "key",
        /// Whether ChangeConfiguration is refused.
        readonly: bool = "readonly",
        /// Its value, when there is one to be shown.
        value: Option<Text<500>> = "value",
    }
}

impl Request for GetConfiguration {
    const ACTION: &'static str = "GetConfiguration";
    type Response = GetConfigurationResponse;
}
