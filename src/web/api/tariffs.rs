//! Tariffs, ours and our partners'. Ours are written here ([`super::tariff_input`]) or with `roamwatt import tariffs`.

use super::auth::Read;
use super::input::{Nothing, Strict, from_path, list_query};
use super::output;
use super::owner::{Whose, owner};
use super::pricing::{DescriptionView, LanguageQuery, described};
use super::view::{PriceView, text};
use crate::app::App;
use crate::db::page::Page;
use crate::db::tariffs;
use crate::domain::party::PartyId;
use crate::domain::tariff::{PriceComponent, Tariff, TariffElement, TariffRestrictions};
use crate::domain::{CiString, Timestamp};
use crate::pricing::{Finding, pricing_warnings};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A tariff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TariffView {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Unique within the CPO.
    id: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// For which charges; missing means all.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(example = "REGULAR")]
    tariff_type: Option<String>,
    /// Its elements: of each dimension, the first that applies counts.
    elements: Vec<ElementView>,
    /// A charge costs at least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_price: Option<PriceView>,
    /// A charge costs at most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_price: Option<PriceView>,
    /// Valid from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// Valid before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_to: Option<Timestamp>,
    /// What in it does not price.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningView>,
    /// When it was last changed, by its owner's clock.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

/// Something in a tariff that has no effect on the price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WarningView {
    /// JSON path in the tariff as OCPI writes it.
    #[schema(example = "$.max_price")]
    path: String,
    /// What is the matter, and what would be right.
    reason: String,
}

/// Prices and when they apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ElementView {
    /// What costs how much.
    components: Vec<ComponentView>,
    /// When it applies: all must match; missing means always.
    #[serde(skip_serializing_if = "Option::is_none")]
    restrictions: Option<RestrictionsView>,
}

/// What one unit of a dimension costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComponentView {
    /// `ENERGY` per kWh, `TIME` or `PARKING_TIME` per hour, `FLAT` once.
    #[serde(rename = "type")]
    #[schema(example = "ENERGY")]
    dimension: String,
    /// Without VAT.
    #[schema(example = "0.49", format = "decimal")]
    price: String,
    /// Percent; missing where no VAT applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "19", format = "decimal")]
    vat: Option<String>,
    /// What is billed is rounded up to a multiple of this many Wh or seconds.
    step_size: u32,
}

/// When an element applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RestrictionsView {
    /// Local time, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "08:00")]
    start_time: Option<String>,
    /// Local time, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "20:00")]
    end_time: Option<String>,
    /// Local date, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    /// Local date, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    /// From this energy on, kWh.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_kwh: Option<String>,
    /// Below this energy, kWh.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_kwh: Option<String>,
    /// From this current on, A.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_current: Option<String>,
    /// Below this current, A.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_current: Option<String>,
    /// From this power on, kW.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_power: Option<String>,
    /// Below this power, kW.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_power: Option<String>,
    /// From this many seconds on.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_duration: Option<u64>,
    /// Before this many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duration: Option<u64>,
    /// On these days; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    days: Vec<String>,
    /// Prices a reservation: `RESERVATION` or `RESERVATION_EXPIRES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<String>,
}

impl From<TariffRestrictions> for RestrictionsView {
    fn from(restrictions: TariffRestrictions) -> Self {
        let TariffRestrictions {
            start_time,
            end_time,
            start_date,
            end_date,
            min_kwh,
            max_kwh,
            min_current,
            max_current,
            min_power,
            max_power,
            min_duration,
            max_duration,
            day_of_week,
            reservation,
            extra: _,
        } = restrictions;
        Self {
            start_time,
            end_time,
            start_date,
            end_date,
            min_kwh: min_kwh.map(|number| number.to_string()),
            max_kwh: max_kwh.map(|number| number.to_string()),
            min_current: min_current.map(|number| number.to_string()),
            max_current: max_current.map(|number| number.to_string()),
            min_power: min_power.map(|number| number.to_string()),
            max_power: max_power.map(|number| number.to_string()),
            min_duration,
            max_duration,
            days: day_of_week.into_iter().flatten().map(|day| day.to_string()).collect(),
            reservation: reservation.map(|word| word.to_string()),
        }
    }
}

impl From<TariffElement> for ElementView {
    fn from(element: TariffElement) -> Self {
        let TariffElement { price_components, restrictions, extra: _ } = element;
        let component = |PriceComponent { dimension, price, vat, step_size, extra: _ }| ComponentView {
            dimension: dimension.to_string(),
            price: price.to_string(),
            vat: vat.map(|percent| percent.to_string()),
            step_size,
        };
        Self {
            components: price_components.into_iter().map(component).collect(),
            restrictions: restrictions.map(RestrictionsView::from),
        }
    }
}

impl From<Tariff> for TariffView {
    fn from(tariff: Tariff) -> Self {
        let warning = |Finding { path, reason }| WarningView { path, reason };
        let warnings = pricing_warnings(&tariff).into_iter().map(warning).collect();
        let Tariff {
            party,
            id,
            currency,
            tariff_type,
            tariff_alt_text: _,
            tariff_alt_url: _,
            tax_included: _,
            min_price,
            max_price,
            elements,
            start_date_time,
            end_date_time,
            energy_mix: _,
            last_updated,
            extra: _,
        } = tariff;
        Self {
            party: party.to_string(),
            id: text(id),
            currency,
            tariff_type: tariff_type.map(|word| word.to_string()),
            elements: elements.into_iter().map(ElementView::from).collect(),
            min_price: min_price.map(PriceView::from),
            max_price: max_price.map(PriceView::from),
            valid_from: start_date_time,
            valid_to: end_date_time,
            warnings,
            last_updated,
        }
    }
}

list_query! {
    /// Which tariffs.
    pub struct TariffQuery {
        /// `ours` of our own CPOs, or `all`, as when missing.
        #[param(inline)]
        whose: Whose,
        /// Only those that this partner told us of, by its number.
        partner: i64,
        /// Only those changed at or after.
        #[param(value_type = Option<String>, format = DateTime)]
        changed_from: Timestamp,
        /// Only those changed before.
        #[param(value_type = Option<String>, format = DateTime)]
        changed_to: Timestamp,
    }
}

/// Lists tariffs in the order in which they became known
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/tariffs", tag = "tariffs", params(TariffQuery),
    responses((status = 200, description = "A page of tariffs", body = [TariffView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<TariffQuery>,
) -> Result<HttpResponse, Problem> {
    let page = Page { from: query.changed_from, to: query.changed_to, ..query.page() };
    let owner = owner(query.whose, query.partner)?;
    let slice = app.db.read(move |conn| tariffs::list(conn, &owner, page)).await?;
    Ok(output::list(&app, &request, page, slice, TariffView::from))
}

/// Shows a tariff
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/tariffs/{party}/{id}", tag = "tariffs",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The tariff"),
    ),
    responses((status = 200, description = "The tariff", body = TariffView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TariffView>, Problem> {
    let (party, id) = path.into_inner();
    let (party, id): (PartyId, CiString) = (from_path("party", &party)?, id.into());
    let missing = format!("there is no tariff {id} of {party}");
    let found = app.db.read(move |conn| tariffs::find(conn, &party, &id)).await?;
    Ok(web::Json(found.ok_or_else(|| Problem::not_found(missing))?.into()))
}

/// Puts a tariff into words
///
/// One sentence that a driver understands, and every price in the order in which the law of the European Union wants
/// them shown: per kWh, per minute, per session, other.
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/tariffs/{party}/{id}/explanation", tag = "tariffs",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The tariff"),
        LanguageQuery,
    ),
    responses((status = 200, description = "The tariff in words", body = DescriptionView))
)]
pub async fn explanation(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Strict(query): Strict<LanguageQuery>,
) -> Result<web::Json<DescriptionView>, Problem> {
    let (party, id) = path.into_inner();
    let (party, id): (PartyId, CiString) = (from_path("party", &party)?, id.into());
    let missing = format!("there is no tariff {id} of {party}");
    let found = app.db.read(move |conn| tariffs::find(conn, &party, &id)).await?;
    let tariff = found.ok_or_else(|| Problem::not_found(missing))?;
    Ok(web::Json(described(tariff, query.language()).await?))
}
