//! What comes with a request, read strictly: a parameter or a field that is not known is an error, so that a
//! typing mistake never silently means "everything".

use crate::domain::party::PartyId;
use crate::web::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use std::future::{Ready, ready};

/// The parameters of a query, as a struct that knows its names.
pub trait Parameters: DeserializeOwned {
    /// Every name that may stand in the query.
    const NAMES: &'static [&'static str];
}

/// Declares the parameters of a list: its own, and which part of the list is wanted.
macro_rules! list_query {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Deserialize, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            $($(#[$fmeta])* pub $field: Option<$type>,)*
            /// How many to pass over.
            #[param(value_type = Option<i64>, minimum = 0, default = 0)]
            #[serde(default)]
            pub offset: $crate::web::api::input::Offset,
            /// How many at most.
            #[param(value_type = Option<i64>, minimum = 1, maximum = 1000, default = 100)]
            #[serde(default)]
            pub limit: $crate::web::api::input::Limit,
        }

        impl $crate::web::api::input::Parameters for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($field),)* "offset", "limit"];
        }

        impl $name {
            /// The part of the list that is wanted.
            #[must_use]
            pub fn page(&self) -> $crate::db::page::Page {
                $crate::db::page::Page {
                    offset: self.offset.0,
                    ..$crate::db::page::Page::first(self.limit.0)
                }
            }
        }
    };
}
pub(crate) use list_query;

/// The parameters of a query; anything wrong with one is told by its name.
#[derive(Debug, Clone)]
pub struct Strict<T>(pub T);

impl<T: Parameters> FromRequest for Strict<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(read_query(request.query_string()).map(Self))
    }
}

fn read_query<T: Parameters>(text: &str) -> Result<T, Problem> {
    let mut seen: Vec<String> = Vec::new();
    for (name, _) in url::form_urlencoded::parse(text.as_bytes()) {
        if !T::NAMES.contains(&name.as_ref()) {
            let known = T::NAMES.join(", ");
            return Err(Problem::bad(
                "query",
                name,
                format!("there is no such parameter; there are {known}"),
            ));
        }
        if seen.iter().any(|other| *other == name) {
            return Err(Problem::bad("query", name, "it is there twice"));
        }
        seen.push(name.into_owned());
    }
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
        .map_err(|error| Problem::bad("query", error.path().to_string(), error.inner().to_string()))
}

/// For routes without parameters.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Nothing {}

impl Parameters for Nothing {
    const NAMES: &'static [&'static str] = &[];
}

/// How many objects to pass over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offset(pub i64);

/// How many objects at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub i64);

impl Limit {
    /// The most that can be asked for.
    pub const MOST: i64 = 1000;
}

impl Default for Limit {
    fn default() -> Self {
        Self(100)
    }
}

/// A whole number of a range.
pub(super) fn whole<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: std::ops::RangeInclusive<i64>,
) -> Result<i64, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let (least, most) = (range.start(), range.end());
        let wanted =
            if *most == i64::MAX { format!("{least} or more") } else { format!("{least} to {most}") };
        D::Error::custom(format!("{shown:?} is no whole number of {wanted}"))
    })
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(deserializer, 0..=i64::MAX).map(Self)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(deserializer, 1..=Self::MOST).map(Self)
    }
}

/// A party as people write it: `DE*ABC`, also `DE-ABC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyName(pub PartyId);

impl<'de> Deserialize<'de> for PartyName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A part of the path that has to be of a form, e.g. a party.
///
/// # Errors
/// 400 with its name.
pub fn from_path<T>(name: &'static str, text: &str) -> Result<T, Problem>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Problem::bad("path", name, error.to_string()))
}

/// A JSON body; anything wrong with it is told by its place.
#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|text| text.split(';').next()).unwrap_or_default().trim().to_owned();
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            if !kind.eq_ignore_ascii_case("application/json") {
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "send the body as JSON, with `Content-Type: application/json`",
                ));
            }
            let bytes = bytes.await.map_err(|error| {
                let status = error.as_response_error().status_code();
                if status == StatusCode::PAYLOAD_TOO_LARGE {
                    Problem::new(status, "the body is larger than the server takes (server.max_body)")
                } else {
                    Problem::bad("body", "$", "it did not arrive whole")
                }
            })?;
            read_body(&bytes).map(Self)
        })
    }
}

fn read_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        // `?` stands for what could not be read so far as to have a name.
        let path = path.trim_end_matches('?').trim_matches('.');
        let place = if path.is_empty() { "$".to_owned() } else { format!("$.{path}") };
        Problem::bad("body", place, error.inner().to_string())
    })?;
    json.end().map_err(|error| Problem::bad("body", "$", error.to_string()))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::api::stations::StationQuery;

    #[test]
    fn a_query_is_read_strictly() {
        let good: StationQuery = read_query("party=de-abc&limit=7").unwrap();
        assert_eq!((good.party.unwrap().0.to_string(), good.offset.0, good.limit.0), ("DE*ABC".into(), 0, 7));
        for (text, detail) in [
            ("limit=-1", "query limit: \"-1\" is no whole number of 1 to 1000"),
            ("limit=abc", "query limit: \"abc\" is no whole number of 1 to 1000"),
            ("limit=1001", "query limit: \"1001\" is no whole number of 1 to 1000"),
            ("offset=-1", "query offset: \"-1\" is no whole number of 0 or more"),
            ("limit=1&limit=2", "query limit: it is there twice"),
            (
                "limt=1",
                "query limt: there is no such parameter; there are party, location_id, online, offset, limit",
            ),
            ("party=x", "query party: party \"x\" is malformed: a party like DE*ABC"),
        ] {
            let error = read_query::<StationQuery>(text).unwrap_err().to_string();
            assert!(error.contains(detail.split(": ").next().unwrap()), "{error}");
            if !text.starts_with("party") {
                assert_eq!(error, format!("Bad Request: {detail}"));
            }
        }
    }

    #[test]
    fn a_body_tells_the_place() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Inner {
            #[expect(dead_code, reason = "only its reading is of interest")]
            number: i32,
        }
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Outer {
            #[expect(dead_code, reason = "only its reading is of interest")]
            inner: Inner,
        }
        for (text, place) in [
            ("{\"inner\": {\"number\": \"x\"}}", "body $.inner.number: invalid type"),
            ("{\"inner\": {\"number\": 1, \"y\": 2}}", "body $.inner.y: unknown field"),
            ("{", "body $: EOF"),
            ("{\"inner\": {\"number\": 1}} x", "body $: trailing characters"),
        ] {
            let error = read_body::<Outer>(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
