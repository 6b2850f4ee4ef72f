//! Where a meter is read from an MQTT broker.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A topic, and where in its messages the amperes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttSource {
    /// The topic, without wildcards.
    pub topic: String,
    /// JSON pointer (RFC 6901) of the amperes on L1.
    #[serde(default = "l1")]
    pub l1: String,
    /// JSON pointer of the amperes on L2.
    #[serde(default = "l2")]
    pub l2: String,
    /// JSON pointer of the amperes on L3.
    #[serde(default = "l3")]
    pub l3: String,
}

fn l1() -> String {
    "/l1".to_owned()
}

fn l2() -> String {
    "/l2".to_owned()
}

fn l3() -> String {
    "/l3".to_owned()
}

impl MqttSource {
    /// What is not as MQTT and JSON pointers have it.
    #[must_use]
    pub fn wrong(&self) -> Option<&'static str> {
        if self.topic.is_empty() || self.topic.contains(['#', '+', '\0']) {
            return Some("a topic without the wildcards # and +");
        }
        let pointer = |text: &String| text.is_empty() || text.starts_with('/');
        let good = [&self.l1, &self.l2, &self.l3].into_iter().all(pointer);
        (!good).then_some("JSON pointers such as /l1 or /em/a_current")
    }

    /// The amperes in a message; not a number where it does not say one.
    #[must_use]
    pub fn amps_in(&self, message: &[u8]) -> [f64; 3] {
        let Ok(json) = serde_json::from_slice::<Value>(message) else { return [f64::NAN; 3] };
        [&self.l1, &self.l2, &self.l3].map(|pointer| {
            let value = json.pointer(pointer);
            let number = value.and_then(Value::as_f64);
            // Many meters write numbers as text.
            let text = || value.and_then(Value::as_str).and_then(|text| text.trim().parse().ok());
            number.or_else(text).unwrap_or(f64::NAN)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amperes_are_found_where_the_pointers_say() {
        let source: MqttSource = serde_json::from_str(
            r#"{"topic": "shelly/status/em:0", "l1": "/a_current", "l2": "/b_current", "l3": "/c/current"}"#,
        )
        .unwrap();
        assert_eq!(source.wrong(), None);
        let amps = source.amps_in(br#"{"a_current": 4.5, "b_current": "0.25", "c": {"current": -3}}"#);
        assert_eq!(amps, [4.5, 0.25, -3.0]);
        assert!(source.amps_in(b"offline").iter().all(|amps| amps.is_nan()));
        assert!(source.amps_in(br#"{"a_current": 1}"#)[1].is_nan());
    }

    #[test]
    fn wildcards_and_what_is_no_pointer_are_wrong() {
        let source = |topic: &str, l1: &str| MqttSource {
            topic: topic.into(),
            l1: l1.into(),
            l2: "/b".into(),
            l3: "/c".into(),
        };
        assert!(source("a/#", "/l1").wrong().is_some());
        assert!(source("", "/l1").wrong().is_some());
        assert!(source("a/b", "l1").wrong().is_some());
    }
}
