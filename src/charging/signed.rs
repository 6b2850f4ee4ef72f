//! The signed meter values of a charge, in its CDR (OCPI 2.2.1 mod_cdrs, "SignedData" and "SignedValue").
//!
//! A station gives a signed value as a text: the document itself, such as `OCMF|{…}|{…}`, or a
//! SignedMeterValueType of OCPP 2.0.1 (2.46) as JSON, with the document in base64. In the CDR, `signed_data` is the
//! document in base64, exactly the bytes that the meter signed, and `plain_data` the same as text. What OCPI has no
//! room for is left out and told in the log: a CDR never fails for it.

use crate::db::meter_samples::Sample;
use crate::domain::cdr::{SignedData, SignedValue};
use crate::domain::{CiString, Extra};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;

/// Characters of `signed_data` and `plain_data` (mod_cdrs, "SignedValue").
const LONGEST_VALUE: usize = 5000;
/// Characters of `encoding_method` (mod_cdrs, "SignedData").
const LONGEST_METHOD: usize = 36;
/// Characters of `public_key` (mod_cdrs, "SignedData").
const LONGEST_KEY: usize = 512;
/// Characters of all values together, beyond which only those of start and end are kept: partners bound what they
/// read of one message.
const LONGEST_IN_ALL: usize = 250_000;

/// How an Open Charge Metering Format document begins.
const OCMF: &str = "OCMF|";
/// For what is required and not known (OCPI 2.2.1 transport_and_format).
const NOT_AVAILABLE: &str = "#NA";

const START: &str = "Start";
const END: &str = "End";
const INTERMEDIATE: &str = "Intermediate";

/// SignedMeterValueType, as far as a CDR needs it. Stations leave out what the specification requires.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedMeterValue {
    signed_meter_data: String,
    #[serde(default)]
    encoding_method: Option<String>,
    #[serde(default)]
    public_key: Option<String>,
}

/// A signed value that has its place in a CDR.
#[derive(Debug, PartialEq)]
struct Signed {
    method: CiString,
    public_key: Option<String>,
    value: SignedValue,
}

/// What the meter signed during a charge, from its samples in the order of time; nothing where it signed nothing,
/// or nothing that can be passed on.
pub(super) fn signed_data(session_id: &str, samples: &[Sample]) -> Option<SignedData> {
    let left_out =
        |why: &str| tracing::warn!(session = %session_id, why, "a signed meter value is not in the CDR");
    let mut found: Vec<Signed> = Vec::new();
    for sample in samples {
        for text in &sample.signed {
            match read(nature_of(&sample.context), text) {
                // A station may send a value by itself and again with the stop.
                Ok(signed) if found.iter().any(|known| known.value == signed.value) => {}
                Ok(signed) => found.push(signed),
                Err(why) => left_out(why),
            }
        }
    }
    let length =
        |signed: &Signed| signed.value.signed_data.len().saturating_add(signed.value.plain_data.len());
    if found.iter().map(length).fold(0, usize::saturating_add) > LONGEST_IN_ALL {
        left_out("there are too many; only those of start and end are kept");
        found.retain(|signed| signed.value.nature != CiString::from(INTERMEDIATE));
    }
    // A CDR has one encoding and one key for all values.
    let encoding_method = found.first()?.method.clone();
    let public_key = found.iter().find_map(|signed| signed.public_key.clone());
    found.retain(|signed| {
        let same_key = signed.public_key.is_none() || signed.public_key == public_key;
        let fits = signed.method == encoding_method && same_key;
        if !fits {
            left_out("it is of another encoding or key than the first");
        }
        fits
    });
    if public_key.as_ref().is_some_and(|key| key.chars().count() > LONGEST_KEY) {
        tracing::warn!(session = %session_id, "the public key of the meter is too long for a CDR");
    }
    Some(SignedData {
        encoding_method,
        encoding_method_version: None,
        public_key: public_key.filter(|key| key.chars().count() <= LONGEST_KEY),
        signed_values: found.into_iter().map(|signed| signed.value).collect(),
        url: None,
        extra: Extra::new(),
    })
}

/// The nature of a value, by why it was taken (OCPP 1.6, 7.35 ReadingContext).
fn nature_of(context: &str) -> &'static str {
    match context {
        "Transaction.Begin" => START,
        "Transaction.End" => END,
        _ => INTERMEDIATE,
    }
}

/// Reads one value, or tells why it cannot be passed on.
fn read(nature: &str, text: &str) -> Result<Signed, &'static str> {
    let text = text.trim();
    let given = if text.starts_with('{') {
        serde_json::from_str(text).map_err(|_| "it is JSON and no SignedMeterValue")?
    } else {
        SignedMeterValue { signed_meter_data: text.to_owned(), encoding_method: None, public_key: None }
    };
    let (plain_data, signed_data) = both_forms(given.signed_meter_data.trim())?;
    let said = given.encoding_method.as_deref().map(str::trim).filter(|method| !method.is_empty());
    let method = match said {
        Some(method) => method,
        None if plain_data.starts_with(OCMF) => OCMF.trim_end_matches('|'),
        None => NOT_AVAILABLE,
    };
    if method.chars().count() > LONGEST_METHOD {
        return Err("the name of its encoding is too long");
    }
    if plain_data.chars().count() > LONGEST_VALUE || signed_data.chars().count() > LONGEST_VALUE {
        return Err("it is too long");
    }
    Ok(Signed {
        method: method.into(),
        public_key: given.public_key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()),
        value: SignedValue { nature: nature.into(), plain_data, signed_data, extra: Extra::new() },
    })
}

/// A document as text and in base64, whichever of them it is given as. A binary one has no text and is shown as
/// hexadecimal digits.
fn both_forms(given: &str) -> Result<(String, String), &'static str> {
    if given.is_empty() {
        return Err("it is empty");
    }
    // The usual one tells itself; any other text that is base64 is taken as that.
    let decoded = if given.starts_with(OCMF) { None } else { decode(given) };
    let Some(bytes) = decoded else { return Ok((given.to_owned(), STANDARD.encode(given))) };
    let plain = match String::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => text,
        Ok(text) => hexadecimal(text.as_bytes()),
        Err(binary) => hexadecimal(binary.as_bytes()),
    };
    Ok((plain, given.to_owned()))
}

fn decode(given: &str) -> Option<Vec<u8>> {
    // Hexadecimal digits alone are base64, too, and no station means that.
    if given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    STANDARD.decode(given).or_else(|_| STANDARD_NO_PAD.decode(given)).ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    const BEGIN: &str = r#"OCMF|{"FV":"1.0","RD":[{"TX":"B","RV":1.5}]}|{"SD":"3045"}"#;

    fn sample(context: &str, signed: &[&str]) -> Sample {
        Sample {
            at: Timestamp::parse("2026-01-01T00:00:00Z").unwrap(),
            context: context.to_owned(),
            register: None,
            power: None,
            current: None,
            activity: None,
            digest: String::new(),
            raw: String::new(),
            signed: signed.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn object(data: &str, method: &str, key: &str) -> String {
        serde_json::json!({
            "signedMeterData": data, "signingMethod": "ECDSA", "encodingMethod": method, "publicKey": key
        })
        .to_string()
    }

    #[test]
    fn a_document_is_the_same_however_it_is_given() {
        let encoded = STANDARD.encode(BEGIN);
        for given in
            [BEGIN.to_owned(), encoded.clone(), object(&encoded, "OCMF", "MFk="), object(BEGIN, "", "")]
        {
            let data = signed_data("s", &[sample("Transaction.Begin", &[&given])]).unwrap();
            assert_eq!(data.encoding_method.as_str(), "OCMF", "{given}");
            assert_eq!(data.public_key.is_some(), given.contains("MFk="), "{given}");
            let value = &data.signed_values[0];
            assert_eq!((value.nature.as_str(), value.plain_data.as_str()), ("Start", BEGIN));
            assert_eq!(value.signed_data, encoded);
        }
    }

    #[test]
    fn what_is_no_text_is_shown_in_hexadecimal() {
        let given = object("AAH/", "EDL40 Mennekes", "");
        let data = signed_data("s", &[sample("Transaction.End", &[&given])]).unwrap();
        let value = &data.signed_values[0];
        assert_eq!((value.plain_data.as_str(), value.signed_data.as_str()), ("0001ff", "AAH/"));
        let data = signed_data("s", &[sample("Trigger", &["1b1b1b1b"])]).unwrap();
        assert_eq!(data.encoding_method.as_str(), "#NA");
        let value = &data.signed_values[0];
        assert_eq!((value.nature.as_str(), value.plain_data.as_str()), ("Intermediate", "1b1b1b1b"));
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let long = format!("OCMF|{}|", "x".repeat(LONGEST_VALUE));
        let other = object("AAH/", "Another", "");
        let foreign = object(&STANDARD.encode("OCMF|2|"), "OCMF", "another key");
        let own = object(&STANDARD.encode("OCMF|1|"), "ocmf", "key");
        let odd = [long.as_str(), "", "{", r#"{"a":1}"#, BEGIN, &other, &own, &foreign, BEGIN];
        let data = signed_data("s", &[sample("Transaction.Begin", &odd)]).unwrap();
        let plain: Vec<&str> = data.signed_values.iter().map(|value| value.plain_data.as_str()).collect();
        assert_eq!(plain, [BEGIN, "OCMF|1|"]);
        assert_eq!(data.public_key.as_deref(), Some("key"));
        for none in [vec![], vec![long.as_str()], vec!["{}"]] {
            assert_eq!(signed_data("s", &[sample("Transaction.End", &none)]), None);
        }
        let key = object(&STANDARD.encode("OCMF|1|"), "OCMF", &"k".repeat(LONGEST_KEY + 1));
        assert_eq!(signed_data("s", &[sample("Transaction.End", &[&key])]).unwrap().public_key, None);
    }

    #[test]
    fn of_very_many_only_start_and_end_are_kept() {
        let many: Vec<String> = (1000..1100).map(|n| format!("OCMF|{n}{}|", "x".repeat(2000))).collect();
        let mut samples = vec![sample("Transaction.Begin", &[BEGIN])];
        samples.extend(many.iter().map(|text| sample("Sample.Periodic", &[text])));
        samples.push(sample("Transaction.End", &["OCMF|end|"]));
        let data = signed_data("s", &samples).unwrap();
        let natures: Vec<&str> = data.signed_values.iter().map(|value| value.nature.as_str()).collect();
        assert_eq!(natures, ["Start", "End"]);
        assert_eq!(signed_data("s", &samples[..30]).unwrap().signed_values.len(), 30);
    }
}
