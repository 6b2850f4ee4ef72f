//! Writing and removing tariffs of ours.

use super::auth::Operate;
use super::input::{Body, Nothing, Strict, from_path};
use super::tariff_assignments::{problem_of, wake};
use super::tariffs::TariffView;
use crate::app::App;
use crate::db::{DbResult, parties, tariffs};
use crate::domain::location::EnergyMix;
use crate::domain::party::{PartyId, Role};
use crate::domain::tariff::{
    DayOfWeek, Price, PriceComponent, ReservationRestriction, Tariff, TariffDimension, TariffElement,
    TariffRestrictions, TariffType,
};
use crate::domain::{CiString, Extra, Kwh, Money, Timestamp};
use crate::pricing::goods::too_fine;
use crate::roaming::assign::withdraw;
use crate::roaming::catalogue::put_tariff;
use crate::web::problem::{Place, Problem};
use actix_web::{HttpResponse, web};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::str::FromStr;
use utoipa::ToSchema;

/// A decimal number in a text, so that no digit is lost on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Exact<T>(T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Exact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let wrong = |error: T::Err| serde::de::Error::custom(format!("{error}; like \"0.49\""));
        text.parse().map(Self).map_err(wrong)
    }
}

/// A tariff of ours, whole: what is left out is not in it. Texts for drivers and the energy mix, of which this
/// document does not speak, stay.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TariffInput {
    /// ISO 4217.
    #[schema(example = "EUR", min_length = 3, max_length = 3)]
    currency: String,
    /// `REGULAR`, `AD_HOC_PAYMENT`, `PROFILE_CHEAP`, `PROFILE_FAST` or `PROFILE_GREEN`; missing means for all.
    #[serde(rename = "type")]
    #[schema(example = "REGULAR")]
    tariff_type: Option<String>,
    /// At least one: of each dimension, the first that applies counts.
    elements: Vec<ElementInput>,
    /// A charge costs at least this.
    min_price: Option<PriceInput>,
    /// A charge costs at most this.
    max_price: Option<PriceInput>,
    /// Valid from.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// Valid before.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_to: Option<Timestamp>,
}

/// An amount of money without and with VAT.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceInput {
    /// Without VAT.
    #[schema(value_type = String, example = "7.50", format = "decimal")]
    excl_vat: Exact<Money>,
    /// With VAT; missing where none applies.
    #[schema(value_type = Option<String>, example = "8.93", format = "decimal")]
    incl_vat: Option<Exact<Money>>,
}

/// Prices and when they apply.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ElementInput {
    /// At least one: what costs how much.
    components: Vec<ComponentInput>,
    /// When it applies: all must match; missing means always.
    restrictions: Option<RestrictionsInput>,
}

/// What one unit of a dimension costs.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentInput {
    /// `ENERGY` per kWh, `TIME` or `PARKING_TIME` per hour, `FLAT` once.
    #[serde(rename = "type")]
    #[schema(example = "ENERGY")]
    dimension: String,
    /// Without VAT, at most four decimals.
    #[schema(value_type = String, example = "0.49", format = "decimal")]
    price: Exact<Money>,
    /// Percent; missing where no VAT applies.
    #[schema(value_type = Option<String>, example = "19", format = "decimal")]
    vat: Option<Exact<Decimal>>,
    /// What is billed is rounded up to a multiple of this many Wh or seconds.
    #[serde(default = "one")]
    #[schema(default = 1)]
    step_size: u32,
}

fn one() -> u32 {
    1
}

/// When an element applies.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestrictionsInput {
    /// Local time, inclusive.
    #[schema(example = "08:00")]
    start_time: Option<String>,
    /// Local time, exclusive.
    #[schema(example = "20:00")]
    end_time: Option<String>,
    /// Local date, inclusive.
    start_date: Option<String>,
    /// Local date, exclusive.
    end_date: Option<String>,
    /// From this energy on, kWh.
    #[schema(value_type = Option<String>)]
    min_kwh: Option<Exact<Kwh>>,
    /// Below this energy, kWh.
    #[schema(value_type = Option<String>)]
    max_kwh: Option<Exact<Kwh>>,
    /// From this current on, A.
    #[schema(value_type = Option<String>)]
    min_current: Option<Exact<Decimal>>,
    /// Below this current, A.
    #[schema(value_type = Option<String>)]
    max_current: Option<Exact<Decimal>>,
    /// From this power on, kW.
    #[schema(value_type = Option<String>)]
    min_power: Option<Exact<Decimal>>,
    /// Below this power, kW.
    #[schema(value_type = Option<String>)]
    max_power: Option<Exact<Decimal>>,
    /// From this many seconds on.
    min_duration: Option<u64>,
    /// Before this many seconds.
    max_duration: Option<u64>,
    /// On these days; empty means all.
    #[serde(default)]
    days: Vec<String>,
    /// Prices a reservation: `RESERVATION` or `RESERVATION_EXPIRES`.
    reservation: Option<String>,
}

/// A word of an enumeration of ours; a word that nobody knows would be stored and never price.
fn known<T>(at: String, text: &str, is_known: impl Fn(&T) -> bool, words: &[&str]) -> Result<T, Problem>
where
    T: for<'a> From<&'a str>,
{
    let word = T::from(text);
    if is_known(&word) {
        return Ok(word);
    }
    Err(Problem::bad("body", at, format!("{text:?} is none of {}", words.join(", "))))
}

fn price_of(input: PriceInput) -> Price {
    Price { excl_vat: input.excl_vat.0, incl_vat: input.incl_vat.map(|amount| amount.0), extra: Extra::new() }
}

fn element_of(index: usize, input: ElementInput) -> Result<TariffElement, Problem> {
    let at = format!("$.elements[{index}]");
    if input.components.is_empty() {
        return Err(Problem::bad("body", format!("{at}.components"), "it is empty; name at least one price"));
    }
    let component = |(index, input): (usize, ComponentInput)| {
        let place = format!("{at}.components[{index}].type");
        let words = TariffDimension::WORDS;
        Ok::<_, Problem>(PriceComponent {
            dimension: known(place, &input.dimension, TariffDimension::is_known, words)?,
            price: input.price.0,
            vat: input.vat.map(|percent| percent.0),
            step_size: input.step_size,
            extra: Extra::new(),
        })
    };
    let price_components =
        input.components.into_iter().enumerate().map(component).collect::<Result<_, _>>()?;
    let restrictions = input.restrictions.map(|input| restrictions_of(&at, input)).transpose()?;
    Ok(TariffElement { price_components, restrictions, extra: Extra::new() })
}

fn restrictions_of(element: &str, input: RestrictionsInput) -> Result<TariffRestrictions, Problem> {
    let at = |field: &str| format!("{element}.restrictions.{field}");
    let day = |word: &String| known(at("days"), word, DayOfWeek::is_known, DayOfWeek::WORDS);
    let days = input.days.iter().map(day).collect::<Result<Vec<_>, _>>()?;
    let reservation = |word: String| {
        let words = ReservationRestriction::WORDS;
        known(at("reservation"), &word, ReservationRestriction::is_known, words)
    };
    for (field, time) in [("start_time", &input.start_time), ("end_time", &input.end_time)] {
        let is_time =
            |text: &String| text == "24:00" || chrono::NaiveTime::parse_from_str(text, "%H:%M").is_ok();
        if time.as_ref().is_some_and(|text| text.len() != 5 || !is_time(text)) {
            return Err(Problem::bad("body", at(field), "it is no time of day like 08:30"));
        }
    }
    for (field, date) in [("start_date", &input.start_date), ("end_date", &input.end_date)] {
        let is_date = |text: &String| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
        if date.as_ref().is_some_and(|text| text.len() != 10 || !is_date(text)) {
            return Err(Problem::bad("body", at(field), "it is no date like 2026-01-31"));
        }
    }
    Ok(TariffRestrictions {
        start_time: input.start_time,
        end_time: input.end_time,
        start_date: input.start_date,
        end_date: input.end_date,
        min_kwh: input.min_kwh.map(|number| number.0),
        max_kwh: input.max_kwh.map(|number| number.0),
        min_current: input.min_current.map(|number| number.0),
        max_current: input.max_current.map(|number| number.0),
        min_power: input.min_power.map(|number| number.0),
        max_power: input.max_power.map(|number| number.0),
        min_duration: input.min_duration,
        max_duration: input.max_duration,
        day_of_week: (!days.is_empty()).then_some(days),
        reservation: input.reservation.map(reservation).transpose()?,
        extra: Extra::new(),
    })
}

fn tariff_from(party: PartyId, id: CiString, input: TariffInput, now: Timestamp) -> Result<Tariff, Problem> {
    let is_currency = input.currency.len() == 3 && input.currency.bytes().all(|b| b.is_ascii_uppercase());
    if !is_currency {
        return Err(Problem::bad("body", "$.currency", "it is no ISO 4217 code like EUR"));
    }
    if input.elements.is_empty() {
        return Err(Problem::bad("body", "$.elements", "it is empty; free of charge is a FLAT price of 0"));
    }
    if let (Some(from), Some(to)) = (input.valid_from, input.valid_to)
        && to <= from
    {
        return Err(Problem::bad("body", "$.valid_to", "it is not after valid_from"));
    }
    let tariff_type =
        |word: String| known("$.type".to_owned(), &word, TariffType::is_known, TariffType::WORDS);
    let elements = input.elements.into_iter().enumerate();
    let tariff = Tariff {
        party,
        id,
        currency: input.currency,
        tariff_type: input.tariff_type.map(tariff_type).transpose()?,
        tariff_alt_text: None,
        tariff_alt_url: None,
        tax_included: None,
        min_price: input.min_price.map(price_of),
        max_price: input.max_price.map(price_of),
        elements: elements.map(|(index, element)| element_of(index, element)).collect::<Result<_, _>>()?,
        start_date_time: input.valid_from,
        end_date_time: input.valid_to,
        energy_mix: None,
        last_updated: now,
        extra: Extra::new(),
    };
    let fine: Vec<Place> = too_fine(&tariff)
        .into_iter()
        .map(|finding| {
            Place::of("body", finding.path.replace("price_components", "components"), finding.reason)
        })
        .collect();
    if fine.is_empty() {
        return Ok(tariff);
    }
    let detail = "a price has more than four decimals";
    Err(Problem::new(actix_web::http::StatusCode::BAD_REQUEST, detail).with_errors(fine))
}

/// What of a tariff this document does not speak of.
type Unspoken = (Option<Vec<crate::domain::location::DisplayText>>, Option<String>, Option<EnergyMix>);

/// What a write found.
enum Put {
    Written { tariff: Box<Tariff>, new: bool },
    NotOurs,
    NoCpo,
}

/// Writes a tariff of ours, new or in place of the one that is there
///
/// Partners that are told of it are told again; charges that began with it keep it as it was. It prices nothing
/// before it is assigned, or named by a connector.
///
/// # Errors
/// 400 for what is no tariff or has more than four decimals in a price, 409 for a partner's tariff.
#[utoipa::path(
    put, path = "/api/v1/tariffs/{party}/{id}", tag = "tariffs", request_body = TariffInput,
    params(
        ("party" = String, Path, description = "Our CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The tariff"),
    ),
    responses(
        (status = 200, description = "The tariff in place of the one that was there", body = TariffView),
        (status = 201, description = "The new tariff", body = TariffView),
    )
)]
pub async fn put(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
    Body(input): Body<TariffInput>,
) -> Result<HttpResponse, Problem> {
    let (party, id) = path.into_inner();
    let party: PartyId = from_path("party", &party)?;
    let id = CiString::parse("id", &id, 36).map_err(|e| Problem::bad("path", "id", e.to_string()))?;
    let now = app.now();
    let wanted = tariff_from(party.clone(), id.clone(), input, now)?;
    let put = app
        .db
        .write(move |conn| -> DbResult<Put> {
            let ours = parties::find(conn, &wanted.party)?;
            if !ours.is_some_and(|party| party.has_role(&Role::Cpo)) {
                return Ok(Put::NoCpo);
            }
            let before = match tariffs::find_with_owner(conn, &wanted.party, &wanted.id)? {
                Some((_, Some(_))) => return Ok(Put::NotOurs),
                Some((before, None)) => Some(before),
                None => None,
            };
            let new = before.is_none();
            let mut tariff = wanted.clone();
            if let Some(before) = before {
                // Partners know it under the id as it was written first.
                tariff.id = before.id;
                let unspoken: Unspoken = (before.tariff_alt_text, before.tariff_alt_url, before.energy_mix);
                (tariff.tariff_alt_text, tariff.tariff_alt_url, tariff.energy_mix) = unspoken;
            }
            put_tariff(conn, &tariff, now)?;
            Ok(Put::Written { tariff: Box::new(tariff), new })
        })
        .await?;
    match put {
        Put::Written { tariff, new } => {
            wake(&app);
            tracing::info!(api_key = caller.0.api_key, %party, tariff = %id, "an operator wrote a tariff");
            let mut response = if new { HttpResponse::Created() } else { HttpResponse::Ok() };
            Ok(response.json(TariffView::from(*tariff)))
        }
        Put::NotOurs => Err(Problem::conflict(format!(
            "the tariff {id} belongs to the partner that speaks for {party}; only it can change it"
        ))),
        Put::NoCpo => Err(Problem::not_found(format!("we speak for no CPO {party}"))),
    }
}

/// Removes a tariff of ours that is neither assigned nor named by a connector; partners are told
///
/// Charges that began with it are priced by the copy that they keep.
///
/// # Errors
/// 404 where there is none, 409 for a partner's and where something refers to it.
#[utoipa::path(
    delete, path = "/api/v1/tariffs/{party}/{id}", tag = "tariffs",
    params(
        ("party" = String, Path, description = "Our CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The tariff"),
    ),
    responses((status = 204, description = "It is gone"))
)]
pub async fn delete(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (party, id) = path.into_inner();
    let (party, id): (PartyId, CiString) = (from_path("party", &party)?, id.into());
    let (owner, wanted, now) = (party.clone(), id.clone(), app.now());
    let found = app.db.write(move |conn| withdraw(conn, &owner, &wanted, now)).await.map_err(problem_of)?;
    if !found {
        return Err(Problem::not_found(format!("there is no tariff {id} of {party}")));
    }
    wake(&app);
    tracing::info!(api_key = caller.0.api_key, %party, tariff = %id, "an operator removed a tariff");
    Ok(HttpResponse::NoContent().finish())
}
