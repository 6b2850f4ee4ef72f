//! Reading an outlook: JSON of steps or of slots of equal length, or CSV as `load replay` reads prices.

use super::{Expected, MOST_STEPS, Series, SiteOutlook, Step};
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// No price, gram or kilowatt is larger: whatever is, is a slip.
const LARGEST: f64 = 1e6;

/// For how long the last step holds at the most, and one alone.
const LAST: (TimeDelta, TimeDelta) = (TimeDelta::days(1), TimeDelta::hours(1));

/// Why an outlook cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct OutlookError {
    /// Where: `$.prices[3].from`, or `line 4`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl OutlookError {
    fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

/// A series as it is written.
#[derive(Debug, Default)]
enum Written {
    #[default]
    Nothing,
    Steps(Vec<Step>),
    Slots(Slots),
}

/// Values of equal length.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Slots {
    from: DateTime<Utc>,
    minutes: u32,
    values: Vec<Option<f64>>,
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of {from, value}, or {from, minutes, values}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Written, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Written::Steps)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
        Slots::deserialize(MapAccessDeserializer::new(map)).map(Written::Slots)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    prices: Written,
    #[serde(default)]
    co2: Written,
    #[serde(default)]
    co2_price: Option<f64>,
    #[serde(default)]
    sun_kw: Written,
}

impl Document {
    fn read(self) -> Result<SiteOutlook, OutlookError> {
        let Self { prices, co2, co2_price, sun_kw } = self;
        if co2_price.is_some_and(|price| !(0.0..=LARGEST).contains(&price)) {
            return Err(OutlookError::new("$.co2_price", "must be a number of 0 or more"));
        }
        let outlook = SiteOutlook {
            prices: series(prices, Expected::Prices, "$.prices")?,
            co2: series(co2, Expected::Co2, "$.co2")?,
            co2_price,
            sun_kw: series(sun_kw, Expected::SunKw, "$.sun_kw")?,
        };
        outlook.checked("$")
    }
}

impl<'de> Deserialize<'de> for SiteOutlook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Document::deserialize(deserializer)?.read().map_err(D::Error::custom)
    }
}

/// A line of CSV.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    time: DateTime<Utc>,
    #[serde(default)]
    price: Option<f64>,
    #[serde(default)]
    co2: Option<f64>,
    #[serde(default)]
    sun_kw: Option<f64>,
}

impl SiteOutlook {
    /// Reads JSON.
    ///
    /// # Errors
    /// When it cannot be read or makes no sense: with the place.
    pub fn from_json(text: &str) -> Result<Self, OutlookError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let document: Document = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let place = if path == "." { "$".to_owned() } else { format!("$.{path}") };
            OutlookError::new(place, error.into_inner().to_string())
        })?;
        reader.end().map_err(|error| OutlookError::new("$", error.to_string()))?;
        document.read()
    }

    /// Reads CSV with the column `time` and any of `price`, `co2` and `sun_kw`; an empty field says nothing new.
    ///
    /// # Errors
    /// When a line cannot be read or makes no sense: with its number.
    pub fn from_csv(text: &str) -> Result<Self, OutlookError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let mut of: [Vec<(usize, Step)>; 3] = Default::default();
        for (at, line) in reader.deserialize::<Line>().enumerate() {
            // The heading is line 1.
            let number = at.saturating_add(2);
            let Line { time, price, co2, sun_kw } = line.map_err(|error| {
                let reason = match error.kind() {
                    csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
                    _ => error.to_string(),
                };
                OutlookError::new(format!("line {number}"), reason)
            })?;
            for (steps, value) in of.iter_mut().zip([price, co2, sun_kw]) {
                if value.is_some() {
                    steps.push((number, Step { from: time, value }));
                }
            }
        }
        let [prices, co2, sun_kw] = of;
        let read = |lines: Vec<(usize, Step)>, of: Expected| {
            let (numbers, steps): (Vec<usize>, Vec<Step>) = lines.into_iter().unzip();
            let place = |at: usize, _: &str| format!("line {}", numbers.get(at).copied().unwrap_or_default());
            finished(steps, of, "$", place)
        };
        let outlook = Self {
            prices: read(prices, Expected::Prices)?,
            co2: read(co2, Expected::Co2)?,
            co2_price: None,
            sun_kw: read(sun_kw, Expected::SunKw)?,
        };
        outlook.checked("line 1")
    }

    fn checked(self, root: &str) -> Result<Self, OutlookError> {
        if self.told().next().is_none() {
            return Err(OutlookError::new(root, "says nothing: give prices, co2 or sun_kw"));
        }
        if !self.prices.is_empty() && !self.co2.is_empty() && self.co2_price.is_none() {
            let reason = "is missing: with prices and co2, it says what a kilogram of CO₂ counts in their currency \
                          (JSON; 0 for nothing)";
            return Err(OutlookError::new(format!("{root}.co2_price"), reason));
        }
        Ok(self)
    }
}

fn series(written: Written, of: Expected, path: &str) -> Result<Series, OutlookError> {
    match written {
        Written::Nothing => Ok(Series::default()),
        Written::Steps(steps) => finished(steps, of, path, |at, field| format!("{path}[{at}].{field}")),
        Written::Slots(Slots { from, minutes, values }) => {
            if !(1..=1_440).contains(&minutes) {
                return Err(OutlookError::new(format!("{path}.minutes"), "must be 1 to 1440"));
            }
            let long = TimeDelta::minutes(i64::from(minutes));
            let mut at = Some(from);
            let mut steps = Vec::new();
            for value in values.into_iter().map(Some).chain([None]) {
                let Some(from) = at else {
                    return Err(OutlookError::new(format!("{path}.from"), "is too far in the future"));
                };
                steps.push(Step { from, value: value.flatten() });
                at = from.checked_add_signed(long);
            }
            finished(steps, of, path, |at, field| match field {
                "from" => format!("{path}.from"),
                _ => format!("{path}.values[{at}]"),
            })
        }
    }
}

/// Steps that are in order and make sense, with their end.
fn finished(
    mut steps: Vec<Step>,
    of: Expected,
    path: &str,
    place: impl Fn(usize, &str) -> String,
) -> Result<Series, OutlookError> {
    let values = steps.iter().filter(|step| step.value.is_some()).count();
    if steps.len() > MOST_STEPS.saturating_add(1) || values > MOST_STEPS {
        let reason = format!("has {} steps; {MOST_STEPS} are the most", steps.len());
        return Err(OutlookError::new(path, reason));
    }
    let least = if of == Expected::Prices { -LARGEST } else { 0.0 };
    let mut before: Option<DateTime<Utc>> = None;
    for (at, Step { from, value }) in steps.iter().enumerate() {
        if before.is_some_and(|before| *from <= before) {
            return Err(OutlookError::new(place(at, "from"), "must be later than the one before"));
        }
        before = Some(*from);
        if let Some(value) = value.filter(|value| !(least..=LARGEST).contains(value)) {
            let range = if of == Expected::Prices { "from -1000000 to 1000000" } else { "from 0 to 1000000" };
            return Err(OutlookError::new(place(at, "value"), format!("{value} is not a number {range}")));
        }
    }
    if values == 0 {
        steps.clear();
    }
    if let Some((last, rest)) = steps.split_last().filter(|(last, _)| last.value.is_some()) {
        let (longest, alone) = LAST;
        let holds =
            rest.last().map_or(alone, |before| last.from.signed_duration_since(before.from).min(longest));
        let Some(end) = last.from.checked_add_signed(holds) else {
            let at = rest.len();
            return Err(OutlookError::new(place(at, "from"), "is too far in the future"));
        };
        steps.push(Step { from: end, value: None });
    }
    // What comes after the end of all that is known says nothing more.
    while let [.., one, two] = steps.as_slice()
        && one.value.is_none()
        && two.value.is_none()
    {
        steps.pop();
    }
    Ok(Series { steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (String, String) {
        let read =
            if text.starts_with('{') { SiteOutlook::from_json(text) } else { SiteOutlook::from_csv(text) };
        match read {
            Err(OutlookError { path, reason }) => (path, reason),
            Ok(read) => panic!("{text}: {read:?}"),
        }
    }

    #[test]
    fn what_is_written_comes_back_as_steps_with_an_end() {
        let slots =
            r#"{"prices": {"from": "2026-01-05T09:00:00+01:00", "minutes": 30, "values": [0.2, -0.1]}}"#;
        let read = SiteOutlook::from_json(slots).unwrap_or_default();
        let text = serde_json::to_string(&read).unwrap_or_default();
        assert_eq!(
            text,
            r#"{"prices":[{"from":"2026-01-05T08:00:00Z","value":0.2},{"from":"2026-01-05T08:30:00Z","value":-0.1},{"from":"2026-01-05T09:00:00Z","value":null}]}"#
        );
        assert_eq!(SiteOutlook::from_json(&text), Ok(read));
        let csv = "time,price,sun_kw\n2026-01-05T08:00:00Z,0.2,\n2026-01-05T08:30:00Z,-0.1,3\n";
        let read = SiteOutlook::from_csv(csv).unwrap_or_default();
        assert_eq!((read.prices.steps().len(), read.sun_kw.steps().len(), read.co2.is_empty()), (3, 2, true));
        let one = DateTime::<Utc>::from_timestamp_millis(read.sun_kw.reach().unwrap_or_default().1);
        assert_eq!(one.map(|end| end.to_rfc3339()).as_deref(), Some("2026-01-05T09:30:00+00:00"), "an hour");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        let step = |from: &str, value: &str| format!(r#"{{"from": "{from}", "value": {value}}}"#);
        let (eight, nine) = ("2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z");
        for (text, path, words) in [
            (
                format!(r#"{{"prices": [{}, {}]}}"#, step(nine, "1"), step(eight, "1")),
                "$.prices[1].from",
                "later",
            ),
            (
                format!(r#"{{"prices": [{}, {}]}}"#, step(nine, "1"), step(nine, "2")),
                "$.prices[1].from",
                "later",
            ),
            (format!(r#"{{"sun_kw": [{}]}}"#, step(nine, "-1")), "$.sun_kw[0].value", "-1 is not a number"),
            (format!(r#"{{"co2": [{}]}}"#, step(nine, "-1")), "$.co2[0].value", "from 0"),
            (format!(r#"{{"prices": [{}]}}"#, step(nine, "1e7")), "$.prices[0].value", "from -1000000"),
            (format!(r#"{{"prices": [{}]}}"#, step(nine, "1e999")), "$.prices[0].value", "out of range"),
            (format!(r#"{{"prices": [{}]}}"#, step("noon", "1")), "$.prices[0].from", "invalid"),
            (format!(r#"{{"prices": [{{"from": "{nine}"}}]}}"#), "$.prices[0]", "value"),
            (r#"{"prices": 7}"#.to_owned(), "$.prices", "a list of {from, value}"),
            (r#"{"price": []}"#.to_owned(), "$.price", "unknown field"),
            (r#"{"prices": []}"#.to_owned(), "$", "says nothing"),
            (format!(r#"{{"prices": [{}]}} x"#, step(nine, "1")), "$", "trailing"),
            (
                format!(r#"{{"sun_kw": {{"from": "{nine}", "minutes": 15, "values": [1, -2]}}}}"#),
                "$.sun_kw.values[1]",
                "-2",
            ),
            (
                format!(r#"{{"sun_kw": {{"from": "{nine}", "minutes": 0, "values": [1]}}}}"#),
                "$.sun_kw.minutes",
                "1 to 1440",
            ),
            (
                format!(
                    r#"{{"sun_kw": {{"from": "{nine}", "minutes": 15, "values": [{}1]}}}}"#,
                    "1,".repeat(MOST_STEPS)
                ),
                "$.sun_kw",
                "1500 are the most",
            ),
            (
                format!(r#"{{"prices": [{}], "co2": [{}]}}"#, step(nine, "1"), step(nine, "1")),
                "$.co2_price",
                "what a kilogram",
            ),
            (format!(r#"{{"prices": [{}], "co2_price": -1}}"#, step(nine, "1")), "$.co2_price", "0 or more"),
            (format!("time,price\n{nine},NaN\n"), "line 2", "NaN is not a number"),
            (format!("time,price\n{nine},1\n{eight},1\n"), "line 3", "later"),
            (format!("time,price\n{nine},cheap\n"), "line 2", "invalid float"),
            (format!("time,euro\n{nine},1\n"), "line 2", "euro"),
            ("time,price\n".to_owned(), "line 1", "says nothing"),
        ] {
            let (at, reason) = refused(&text);
            assert!(at == path && reason.contains(words), "{text}: {at}: {reason}");
        }
    }
}
