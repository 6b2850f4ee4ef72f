//! One number for all phases, or one each.

use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// How `serde_json` hands over a number when it keeps all its digits: as a map with this key. A derived untagged
/// enum does not know that and would refuse each number in JSON.
const JSON_NUMBER: &str = "$serde_json::private::Number";

/// A number for each phase: `63` or `{ l1 = 63, l2 = 63, l3 = 50 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PerPhase {
    /// The same on each.
    Same(f64),
    /// One each.
    Each {
        /// On L1.
        l1: f64,
        /// On L2.
        l2: f64,
        /// On L3.
        l3: f64,
    },
}

impl PerPhase {
    /// L1, L2, L3.
    #[must_use]
    pub fn values(self) -> [f64; 3] {
        match self {
            Self::Same(all) => [all; 3],
            Self::Each { l1, l2, l3 } => [l1, l2, l3],
        }
    }
}

impl<'de> Deserialize<'de> for PerPhase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = PerPhase;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or one for each of l1, l2 and l3")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<PerPhase, E> {
        Ok(PerPhase::Same(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<PerPhase, E> {
        let small = i32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))?;
        Ok(PerPhase::Same(f64::from(small)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<PerPhase, E> {
        let small = u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))?;
        Ok(PerPhase::Same(f64::from(small)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PerPhase, A::Error> {
        let mut found: [Option<f64>; 3] = [None; 3];
        while let Some(key) = map.next_key::<String>()? {
            let [l1, l2, l3] = &mut found;
            let place = match key.as_str() {
                "l1" => l1,
                "l2" => l2,
                "l3" => l3,
                JSON_NUMBER => {
                    let digits: String = map.next_value()?;
                    let wrong = |_| A::Error::invalid_value(Unexpected::Str(&digits), &Reader);
                    return digits.parse().map(PerPhase::Same).map_err(wrong);
                }
                other => {
                    return Err(A::Error::custom(format_args!(
                        "unknown phase {other:?}: the phases are l1, l2 and l3"
                    )));
                }
            };
            if place.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format_args!("{key} stands there twice")));
            }
        }
        match found {
            [Some(l1), Some(l2), Some(l3)] => Ok(PerPhase::Each { l1, l2, l3 }),
            _ => Err(A::Error::custom("one of l1, l2 and l3 is missing; 0 where nothing may flow")),
        }
    }
}
