//! What is asked of places, as it stands in a query.

use crate::domain::Timestamp;
use crate::domain::party::PartyId;
use crate::search::filter::{Filter, PriceLimit};
use crate::search::geo::{GeoBox, Point};
use crate::web::problem::Problem;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Declares the parameters of a search: its own, and the filter.
macro_rules! filter_query {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            $($(#[$fmeta])* pub $field: Option<$type>,)*
            /// Only with one of these connectors: words of OCPI's `ConnectorType`, separated by commas.
            #[param(example = "IEC_62196_T2_COMBO,CHADEMO")]
            pub standard: Option<String>,
            /// Only with at least so many kW.
            #[param(example = "50")]
            pub min_power_kw: Option<String>,
            /// `true`: only what is free now.
            pub free: Option<bool>,
            /// `true`: only what is open now. Places that do not say when they are open are taken for open.
            pub open: Option<bool>,
            /// Only where a kWh costs everybody no more than this at any time, with VAT where it is known.
            #[param(example = "0.59")]
            pub max_price_kwh: Option<String>,
            /// The currency of that price; `EUR` where it is missing.
            #[param(example = "EUR")]
            pub currency: Option<String>,
            /// Only where one can pay in one of these ways: `card`, `app`, `rfid`, separated by commas.
            #[param(example = "card")]
            pub payment: Option<String>,
            /// Only what has all of these: words of OCPI's `Capability`, separated by commas.
            #[param(example = "RESERVABLE")]
            pub capability: Option<String>,
            /// Only of these CPOs, separated by commas.
            #[param(example = "DE*ABC")]
            pub party: Option<String>,
        }

        impl $crate::web::api::input::Parameters for $name {
            const NAMES: &'static [&'static str] = &[
                $(stringify!($field),)* "standard", "min_power_kw", "free", "open", "max_price_kwh", "currency",
                "payment", "capability", "party",
            ];
        }

        impl $name {
            /// What is asked of places.
            ///
            /// # Errors
            /// 400 for what cannot be understood.
            pub fn filter(&self, now: $crate::domain::Timestamp) -> Result<$crate::search::Filter, $crate::web::problem::Problem> {
                $crate::web::driver::filter::Asked {
                    standard: self.standard.as_deref(),
                    min_power_kw: self.min_power_kw.as_deref(),
                    free: self.free.unwrap_or(false),
                    open: self.open.unwrap_or(false),
                    max_price_kwh: self.max_price_kwh.as_deref(),
                    currency: self.currency.as_deref(),
                    payment: self.payment.as_deref(),
                    capability: self.capability.as_deref(),
                    party: self.party.as_deref(),
                }
                .filter(now)
            }
        }
    };
}
pub(crate) use filter_query;

/// A filter as it came.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Connectors.
    pub standard: Option<&'a str>,
    /// kW.
    pub min_power_kw: Option<&'a str>,
    /// Free now.
    pub free: bool,
    /// Open now.
    pub open: bool,
    /// Price.
    pub max_price_kwh: Option<&'a str>,
    /// Its currency.
    pub currency: Option<&'a str>,
    /// Ways to pay.
    pub payment: Option<&'a str>,
    /// Capabilities.
    pub capability: Option<&'a str>,
    /// CPOs.
    pub party: Option<&'a str>,
}

impl Asked<'_> {
    /// The filter.
    ///
    /// # Errors
    /// 400 for what cannot be understood.
    pub fn filter(self, now: Timestamp) -> Result<Filter, Problem> {
        let watts = |text: &str| {
            let kilowatts: Decimal = number("min_power_kw", text)?;
            let watts = kilowatts.checked_mul(Decimal::ONE_THOUSAND).and_then(|watts| watts.ceil().to_i64());
            watts
                .filter(|watts| *watts >= 0)
                .ok_or_else(|| Problem::bad("query", "min_power_kw", "it has to be 0 or more kW"))
        };
        let price = |text: &str| {
            let currency = self.currency.unwrap_or("EUR").to_ascii_uppercase();
            if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
                return Err(Problem::bad("query", "currency", "it has to be three letters like EUR"));
            }
            let most: Decimal = number("max_price_kwh", text)?;
            if most.is_sign_negative() {
                return Err(Problem::bad("query", "max_price_kwh", "it has to be 0 or more"));
            }
            Ok(PriceLimit { currency, most })
        };
        Ok(Filter {
            standards: words(self.standard),
            min_watts: self.min_power_kw.map(watts).transpose()?,
            free: self.free,
            price: self.max_price_kwh.map(price).transpose()?,
            payments: each("payment", self.payment)?,
            capabilities: words(self.capability),
            parties: each::<PartyId>("party", self.party)?,
            open_at: self.open.then_some(now),
        })
    }
}

fn words(text: Option<&str>) -> Vec<String> {
    let parts = text.into_iter().flat_map(|text| text.split(','));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn each<T: FromStr<Err: std::fmt::Display>>(
    name: &'static str,
    text: Option<&str>,
) -> Result<Vec<T>, Problem> {
    words(text)
        .iter()
        .map(|word| word.parse().map_err(|error: T::Err| Problem::bad("query", name, error.to_string())))
        .collect()
}

/// A number that stands in a query.
///
/// # Errors
/// 400 with its name.
pub fn number<T: FromStr>(name: &'static str, text: &str) -> Result<T, Problem> {
    text.trim().parse().map_err(|_| Problem::bad("query", name, format!("{} is no number", shown(text))))
}

/// A whole number that stands in a query, from one to another.
///
/// # Errors
/// 400 with its name.
pub fn whole<T>(name: &'static str, text: &str, range: RangeInclusive<T>) -> Result<T, Problem>
where
    T: FromStr + PartialOrd + fmt::Display,
{
    text.trim().parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        Problem::bad("query", name, format!("{} is no whole number of {least} to {most}", shown(text)))
    })
}

/// What was sent, as far as an error repeats it.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

/// A box as it stands in a query: west, south, east, north in degrees, separated by commas (RFC 7946, 5).
///
/// # Errors
/// 400 where it is none.
pub fn read_box(text: &str) -> Result<GeoBox, Problem> {
    let wanted = "write west,south,east,north in degrees, like 9.1,48.8,9.3,49.0; where west is greater than east, \
                  the box crosses the antimeridian";
    let bad = || Problem::bad("query", "bbox", wanted);
    let numbers: Vec<f64> =
        text.split(',').map(|part| part.trim().parse().map_err(|_| bad())).collect::<Result<_, _>>()?;
    match numbers.as_slice() {
        [west, south, east, north] => GeoBox::new(*west, *south, *east, *north).ok_or_else(bad),
        _ => Err(bad()),
    }
}

/// A point as it stands in a query.
///
/// # Errors
/// 400 where it is none.
pub fn read_point(latitude: &str, longitude: &str) -> Result<Point, Problem> {
    let degrees = |name: &'static str, text: &str, range: RangeInclusive<f64>| {
        let found: f64 = number(name, text)?;
        // What is no number at all (NaN) is in no range either.
        range.contains(&found).then_some(found).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            let wanted = format!("{} is not between {least} and {most} degrees", shown(text));
            Problem::bad("query", name, wanted)
        })
    };
    let north = degrees("latitude", latitude, -90.0..=90.0)?;
    let east = degrees("longitude", longitude, -180.0..=180.0)?;
    Point::new(north, east).ok_or_else(|| Problem::bad("query", "latitude", "there is no such point"))
}
