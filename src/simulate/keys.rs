//! The configuration keys of a simulated station (OCPP 1.6, 9): the ones that it obeys, and the few more that a
//! real one has.

use super::config::StationConfig;
use super::misbehaviour::ProfileManners;
use super::smart::Bounds;
use crate::ocpp::v1_6::{ConfigurationStatus, KeyValue};
use crate::ocpp::wire::Text;
use std::time::Duration;

/// How a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Number,
    Flag,
    Words,
}

/// The keys and their values. The password is not among them: it is set through `AuthorizationKey` and never
/// told.
#[derive(Debug, Clone)]
pub(super) struct Keys(Vec<(&'static str, Access, String)>);

impl Keys {
    /// Those of a station with so many connectors and such a meter interval in seconds.
    #[must_use]
    pub(super) fn new(connectors: i32, meter_interval: Duration) -> Self {
        use Access::{Flag, Number, Read, Words};
        let measured =
            "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Voltage,SoC";
        let keys = [
            ("AuthorizeRemoteTxRequests", Flag, "false"),
            ("ChargeProfileMaxStackLevel", Read, ""),
            ("ChargingScheduleAllowedChargingRateUnit", Read, ""),
            ("ChargingScheduleMaxPeriods", Read, ""),
            ("ClockAlignedDataInterval", Number, "0"),
            ("ConnectionTimeOut", Number, "60"),
            ("ConnectorPhaseRotation", Read, "NotApplicable"),
            ("ConnectorSwitch3to1PhaseSupported", Read, "true"),
            ("GetConfigurationMaxKeys", Read, "50"),
            ("HeartbeatInterval", Number, "300"),
            ("LocalAuthorizeOffline", Flag, "true"),
            ("LocalPreAuthorize", Flag, "false"),
            ("MaxChargingProfilesInstalled", Read, ""),
            ("MeterValueSampleInterval", Number, ""),
            ("MeterValuesAlignedData", Words, ""),
            ("MeterValuesSampledData", Words, measured),
            ("NumberOfConnectors", Read, ""),
            ("ResetRetries", Number, "1"),
            ("StopTransactionOnEVSideDisconnect", Flag, "true"),
            ("StopTransactionOnInvalidId", Flag, "true"),
            ("StopTxnAlignedData", Words, ""),
            ("StopTxnSampledData", Words, "Energy.Active.Import.Register"),
            ("SupportedFeatureProfiles", Read, "Core,RemoteTrigger"),
            ("TransactionMessageAttempts", Number, "3"),
            ("TransactionMessageRetryInterval", Number, "5"),
            ("UnlockConnectorOnEVSideDisconnect", Flag, "true"),
            ("WebSocketPingInterval", Number, "60"),
        ];
        let mut keys =
            Self(keys.into_iter().map(|(name, access, value)| (name, access, value.to_owned())).collect());
        keys.put("NumberOfConnectors", connectors.to_string());
        keys.put("MeterValueSampleInterval", meter_interval.as_secs().to_string());
        keys
    }

    /// Tells what the station can do with charging profiles (OCPP 1.6, 9.4), and how it is wired (9.1.7). One
    /// without smart charging has none of those keys.
    pub(super) fn put_smart_charging(&mut self, config: &StationConfig) {
        let Bounds { stack_level, periods, installed, amperes, watts } = config.bounds;
        let units = [(amperes, "Current"), (watts, "Power")];
        let units: Vec<&str> =
            units.into_iter().filter(|(allowed, _)| *allowed).map(|(_, word)| word).collect();
        let all = [
            ("ChargeProfileMaxStackLevel", stack_level.to_string()),
            ("ChargingScheduleAllowedChargingRateUnit", units.join(",")),
            ("ChargingScheduleMaxPeriods", periods.to_string()),
            ("ConnectorSwitch3to1PhaseSupported", "true".to_owned()),
            ("MaxChargingProfilesInstalled", installed.to_string()),
        ];
        if config.misbehaviour.profiles == ProfileManners::Lacks {
            self.0.retain(|(name, ..)| all.iter().all(|(smart, _)| smart != name));
        } else {
            all.into_iter().for_each(|(name, value)| self.put(name, value));
            self.put("SupportedFeatureProfiles", "Core,RemoteTrigger,SmartCharging".to_owned());
        }
        if !config.curve.is_dc() {
            let wired = (1..=config.connectors.max(1)).map(|number| format!("{number}.{}", config.rotation));
            self.put("ConnectorPhaseRotation", wired.collect::<Vec<_>>().join(","));
        }
    }

    /// Sets a value from within the station.
    pub(super) fn put(&mut self, name: &str, value: String) {
        if let Some((_, _, old)) = self.0.iter_mut().find(|(known, ..)| *known == name) {
            *old = value;
        }
    }

    /// Sets a value from outside (OCPP 1.6, 5.3).
    pub(super) fn change(&mut self, name: &str, value: &str) -> ConfigurationStatus {
        let Some((_, access, old)) = self.0.iter_mut().find(|(known, ..)| known.eq_ignore_ascii_case(name))
        else {
            return ConfigurationStatus::NotSupported;
        };
        let good = match access {
            Access::Read => false,
            Access::Number => value.parse::<u32>().is_ok(),
            Access::Flag => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
            Access::Words => true,
        };
        if !good {
            return ConfigurationStatus::Rejected;
        }
        value.clone_into(old);
        ConfigurationStatus::Accepted
    }

    /// What is known of the names asked for, and the names that are not; no names ask for all.
    #[must_use]
    pub(super) fn tell(&self, names: &[Text<50>]) -> (Vec<KeyValue>, Vec<Text<50>>) {
        let told = |(name, access, value): &(&'static str, Access, String)| KeyValue {
            key: Text::cut(name),
            readonly: *access == Access::Read,
            value: Some(Text::cut(value)),
        };
        if names.is_empty() {
            return (self.0.iter().map(told).collect(), Vec::new());
        }
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for name in names {
            match self.0.iter().find(|(own, ..)| own.eq_ignore_ascii_case(name.as_str())) {
                Some(key) => known.push(told(key)),
                None => unknown.push(Text::cut(name.as_str())),
            }
        }
        (known, unknown)
    }

    /// A number of seconds; zero where a key says none.
    #[must_use]
    pub(super) fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(u64::from(self.number(name)))
    }

    /// A number.
    #[must_use]
    pub(super) fn number(&self, name: &str) -> u32 {
        self.text(name).parse().unwrap_or(0)
    }

    /// Yes or no.
    #[must_use]
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).eq_ignore_ascii_case("true")
    }

    /// Whether a list of words has this one.
    #[must_use]
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        self.text(name).split(',').any(|listed| listed.trim() == word)
    }

    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, ..)| *known == name).map_or("", |(_, _, value)| value)
    }
}

/// A password from the value of `AuthorizationKey`: 16 to 20 bytes, in hexadecimal (security white paper, A01.FR.02)
/// or, as older servers send it, as they are.
#[must_use]
pub(super) fn password_from_key(value: &str) -> Option<Vec<u8>> {
    let is_hex = (32..=40).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && value.len().is_multiple_of(2) {
        let pairs = value.as_bytes().chunks(2);
        return pairs
            .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect();
    }
    (16..=20).contains(&value.len()).then(|| value.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_changed_and_guarded() {
        let mut keys = Keys::new(2, Duration::from_secs(10));
        assert_eq!(keys.change("heartbeatinterval", "60"), ConfigurationStatus::Accepted);
        assert_eq!(keys.seconds("HeartbeatInterval"), Duration::from_secs(60));
        assert_eq!(keys.change("HeartbeatInterval", "soon"), ConfigurationStatus::Rejected);
        assert_eq!(keys.change("NumberOfConnectors", "9"), ConfigurationStatus::Rejected);
        assert_eq!(keys.change("Colour", "red"), ConfigurationStatus::NotSupported);
        let names = ["NumberOfConnectors", "AuthorizationKey"].map(|name| Text::parse(name).unwrap());
        let (known, unknown) = keys.tell(&names);
        assert_eq!(known[0].value.as_ref().unwrap().as_str(), "2");
        assert!(known[0].readonly);
        assert_eq!(unknown[0].as_str(), "AuthorizationKey", "a password is never told");
        assert!(keys.tell(&[]).0.len() > 15);
    }

    #[test]
    fn passwords_come_as_hex_or_as_they_are() {
        assert_eq!(
            password_from_key("3031323334353637383961626364656630313233").unwrap(),
            b"0123456789abcdef0123"
        );
        assert_eq!(password_from_key("a-password-of-18-ch").unwrap(), b"a-password-of-18-ch");
        assert_eq!(password_from_key("short"), None);
    }
}
