//! The headers that every functional message carries: ids for debugging and the parties it is from and for
//! (OCPI 2.2.1 transport_and_format, "Unique message IDs" and "Message Routing Headers").

use crate::domain::party::PartyId;

/// Unique per request and hop; the answer repeats it.
pub const REQUEST_ID: &str = "X-Request-ID";
/// The same over all hops; the answer repeats it.
pub const CORRELATION_ID: &str = "X-Correlation-ID";
/// The country of the party that a message is for.
pub const TO_COUNTRY: &str = "OCPI-to-country-code";
/// The party that a message is for.
pub const TO_PARTY: &str = "OCPI-to-party-id";
/// The country of the party that a message is from.
pub const FROM_COUNTRY: &str = "OCPI-from-country-code";
/// The party that a message is from.
pub const FROM_PARTY: &str = "OCPI-from-party-id";

/// The specification advises UUIDs, i.e. 36 characters; longer ones are cut, so that a log line stays one.
const LONGEST_ID: usize = 128;

/// Why routing headers cannot be read; 2001 for the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header {header}: {reason}")]
pub struct HeaderError {
    /// Its name.
    pub header: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// The headers of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageHeaders {
    /// Some platforms leave it out.
    pub request_id: Option<String>,
    /// Some platforms leave it out.
    pub correlation_id: Option<String>,
    /// The party that sends; none on versions and credentials.
    pub from: Option<PartyId>,
    /// The party that receives; none on versions and credentials, and where a hub finds it.
    pub to: Option<PartyId>,
}

impl MessageHeaders {
    /// Reads them; `header` gives the value of a header by its name, in any case.
    ///
    /// # Errors
    /// When of the two headers of a party one is missing, or they are of no party's form.
    pub fn parse<'h>(header: impl Fn(&'static str) -> Option<&'h str>) -> Result<Self, HeaderError> {
        let id = |name| header(name).map(readable).filter(|id| !id.is_empty());
        Ok(Self {
            request_id: id(REQUEST_ID),
            correlation_id: id(CORRELATION_ID),
            from: party(&header, FROM_COUNTRY, FROM_PARTY)?,
            to: party(&header, TO_COUNTRY, TO_PARTY)?,
        })
    }

    /// Those of a new request: a new request id, and the correlation id of what it is a part of.
    #[must_use]
    pub fn request(from: Option<PartyId>, to: Option<PartyId>, correlation_id: Option<String>) -> Self {
        let new = || uuid::Uuid::new_v4().to_string();
        Self { request_id: Some(new()), correlation_id: Some(correlation_id.unwrap_or_else(new)), from, to }
    }

    /// Those of the answer to this message: the same ids, and the parties swapped.
    #[must_use]
    pub fn answer(self) -> Self {
        let Self { request_id, correlation_id, from, to } = self;
        Self { request_id, correlation_id, from: to, to: from }
    }

    /// Names and values to write.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { request_id, correlation_id, from, to } = self;
        let mut pairs = Vec::with_capacity(6);
        let ids = [(REQUEST_ID, request_id), (CORRELATION_ID, correlation_id)];
        pairs.extend(ids.into_iter().filter_map(|(name, id)| Some((name, id.clone()?))));
        for (party, country, id) in [(from, FROM_COUNTRY, FROM_PARTY), (to, TO_COUNTRY, TO_PARTY)] {
            if let Some(party) = party {
                pairs.push((country, party.country_code().to_owned()));
                pairs.push((id, party.party_id().to_owned()));
            }
        }
        pairs
    }
}

/// An id as it may stand in a log: printable, and not endless.
fn readable(id: &str) -> String {
    id.trim().chars().filter(char::is_ascii_graphic).take(LONGEST_ID).collect()
}

fn party<'h>(
    header: &impl Fn(&'static str) -> Option<&'h str>,
    country: &'static str,
    party: &'static str,
) -> Result<Option<PartyId>, HeaderError> {
    let value = |name| header(name).map(str::trim).filter(|value| !value.is_empty());
    match (value(country), value(party)) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(HeaderError { header: party, reason: format!("is missing beside {country}") }),
        (None, Some(_)) => Err(HeaderError { header: country, reason: format!("is missing beside {party}") }),
        (Some(country_code), Some(party_id)) => {
            PartyId::new(country_code, party_id).map(Some).map_err(|error| {
                let reason = error.to_string();
                let header = if reason.starts_with("country_code") { country } else { party };
                HeaderError { header, reason }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&'static str, &'static str)]) -> Result<MessageHeaders, HeaderError> {
        MessageHeaders::parse(|name| {
            pairs.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
        })
    }

    #[test]
    fn an_answer_swaps_the_parties_and_keeps_the_ids() {
        let request = parse(&[
            ("x-request-id", "r1"),
            ("X-CORRELATION-ID", "c1"),
            (FROM_COUNTRY, "de"),
            (FROM_PARTY, "abc"),
            (TO_COUNTRY, "NL"),
            (TO_PARTY, "XYZ"),
        ])
        .unwrap();
        let answer = request.answer();
        assert_eq!(
            answer.pairs(),
            [
                (REQUEST_ID, "r1".to_owned()),
                (CORRELATION_ID, "c1".to_owned()),
                (FROM_COUNTRY, "NL".to_owned()),
                (FROM_PARTY, "XYZ".to_owned()),
                (TO_COUNTRY, "DE".to_owned()),
                (TO_PARTY, "ABC".to_owned()),
            ]
        );
    }

    #[test]
    fn none_of_them_is_no_error() {
        assert_eq!(parse(&[]).unwrap(), MessageHeaders::default());
        assert_eq!(MessageHeaders::default().pairs(), []);
    }

    #[test]
    fn half_a_party_is_an_error_that_names_the_header() {
        let error = parse(&[(TO_COUNTRY, "NL")]).unwrap_err();
        assert_eq!(error.to_string(), "header OCPI-to-party-id: is missing beside OCPI-to-country-code");
        let error = parse(&[(FROM_COUNTRY, "NLD"), (FROM_PARTY, "ABC")]).unwrap_err();
        assert_eq!(error.header, FROM_COUNTRY);
        let error = parse(&[(FROM_COUNTRY, "NL"), (FROM_PARTY, "ABCD")]).unwrap_err();
        assert_eq!(error.header, FROM_PARTY);
    }

    #[test]
    fn a_new_request_has_ids_of_its_own() {
        let one = MessageHeaders::request(None, None, Some("c1".to_owned()));
        let two = MessageHeaders::request(None, None, None);
        assert_eq!(one.correlation_id.as_deref(), Some("c1"));
        assert_ne!(one.request_id, two.request_id);
        assert!(two.correlation_id.is_some());
    }

    #[test]
    fn an_id_cannot_break_a_log_line() {
        let headers = parse(&[(REQUEST_ID, "a\u{1b}[31mb\u{e4}c d")]).unwrap();
        assert_eq!(headers.request_id.as_deref(), Some("a[31mbcd"));
    }
}
