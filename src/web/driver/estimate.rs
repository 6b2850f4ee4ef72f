//! What a given charge would cost at a connector.

use super::auth::Caller;
use super::filter::number;
use super::locations::look_at;
use super::output::tagged;
use super::path::OfCpo;
use super::tariff_view::TariffView;
use super::view::{BillView, language_of, minutes};
use crate::app::App;
use crate::db::{DbConn, DbError};
use crate::domain::{CiString, Kwh, Timestamp};
use crate::driver::prices::{Shelf, estimate};
use crate::pricing::{SimulatedCharge, SimulationError};
use crate::search::place::kilowatts;
use crate::web::api::input::{Parameters, Strict};
use crate::web::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The longest charge, minutes: a month.
const LONGEST: i64 = 31 * 24 * 60;
/// The most energy, kWh.
const MOST_ENERGY: i64 = 10_000;

/// The charge.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EstimateQuery {
    /// Energy, kWh; where it is missing, as much as the time allows.
    #[param(example = "40")]
    kwh: Option<String>,
    /// How long the car stays plugged in, minutes; where it is missing, until it has the energy.
    #[param(example = "60")]
    minutes: Option<String>,
    /// When it is plugged in; now where it is missing.
    #[param(value_type = Option<String>, format = DateTime)]
    start: Option<Timestamp>,
    /// The power that the car takes, kW; what the connector gives where it is missing, and never more than that.
    #[param(example = "11")]
    power_kw: Option<String>,
    /// `en` or `de`; where it is missing, `Accept-Language` counts.
    #[param(example = "de")]
    lang: Option<String>,
}

impl Parameters for EstimateQuery {
    const NAMES: &'static [&'static str] = &["kwh", "minutes", "start", "power_kw", "lang"];
}

/// What a charge would cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EstimateView {
    /// When the car is plugged in.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// How long it stays, minutes.
    minutes: i64,
    /// The power that it takes, kW.
    #[schema(example = "11", format = "decimal")]
    power_kw: String,
    /// The energy that it gets in that time, kWh.
    #[schema(example = "40", format = "decimal")]
    kwh: String,
    /// Whether that is all that it wanted.
    complete: bool,
    /// The tariff; missing where charging is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    tariff: Option<TariffView>,
    /// What it costs.
    #[serde(flatten)]
    bill: BillView,
}

/// A charge that is asked for, as far as the query says.
struct Asked {
    start: Timestamp,
    kwh: Option<Decimal>,
    minutes: Option<i64>,
    power: Option<Decimal>,
}

impl Asked {
    fn of(query: &EstimateQuery, now: Timestamp) -> Result<Self, Problem> {
        let above_zero = |name: &'static str, text: &str, most: i64| {
            let found: Decimal = number(name, text)?;
            if found > Decimal::ZERO && found <= Decimal::from(most) {
                return Ok(found);
            }
            Err(Problem::bad("query", name, format!("it has to be above 0, and {most} at most")))
        };
        let read = |name: &'static str, text: &Option<String>, most: i64| {
            text.as_deref().map(|text| above_zero(name, text, most)).transpose()
        };
        let kwh = read("kwh", &query.kwh, MOST_ENERGY)?;
        let stay = read("minutes", &query.minutes, LONGEST)?.and_then(|minutes| minutes.ceil().to_i64());
        if kwh.is_none() && stay.is_none() {
            return Err(Problem::bad("query", "kwh", "send kwh, minutes, or both"));
        }
        let power = read("power_kw", &query.power_kw, 100_000)?;
        Ok(Self { start: query.start.unwrap_or(now), kwh, minutes: stay, power })
    }

    /// The charge at a connector of that power.
    fn charge(&self, gives: Decimal) -> Result<SimulatedCharge, Problem> {
        let power = match self.power {
            Some(takes) if gives.is_zero() => takes,
            Some(takes) => takes.min(gives),
            None => gives,
        };
        if power.is_zero() {
            return Err(Problem::bad(
                "query",
                "power_kw",
                "the connector does not say what it gives: send it",
            ));
        }
        let too_large = || Problem::bad("query", "kwh", "it is out of range");
        let sixty = Decimal::from(60);
        let stay = match (self.minutes, self.kwh) {
            (Some(minutes), _) => minutes,
            (None, kwh) => {
                let hours = kwh.unwrap_or_default().checked_div(power).ok_or_else(too_large)?;
                let whole = hours.checked_mul(sixty).and_then(|minutes| minutes.ceil().to_i64());
                whole.map(|minutes| minutes.clamp(1, LONGEST)).ok_or_else(too_large)?
            }
        };
        let energy = match self.kwh {
            Some(kwh) => kwh,
            None => {
                let hours = Decimal::from(stay).checked_div(sixty).ok_or_else(too_large)?;
                power.checked_mul(hours).ok_or_else(too_large)?.round_dp(4)
            }
        };
        let energy = Kwh::parse(energy).map_err(|error| Problem::bad("query", "kwh", error.to_string()))?;
        let to = self.start.plus(TimeDelta::minutes(stay));
        Ok(SimulatedCharge { from: self.start, to, energy, power_kw: power, current_a: None })
    }
}

/// The rest of the path.
#[derive(Debug, Deserialize)]
pub struct Socket {
    evse: String,
    connector: String,
}

/// Prices a charge that never was
///
/// The car charges at full power until it has its energy, and stays plugged in until the end. It is priced as a charge
/// of this driver that began then would be.
///
/// # Errors
/// 404 where there is no such connector, 409 where a partner's tariff is not known, 400 for a charge that cannot be.
#[utoipa::path(
    get, path = "/driver/v1/locations/{party}/{id}/evses/{evse}/connectors/{connector}/price", tag = "locations",
    params(
        OfCpo,
        ("evse" = String, Path, description = "The EVSE's uid", example = "E1"),
        ("connector" = String, Path, description = "The connector", example = "1"),
        EstimateQuery,
    ),
    responses((status = 200, description = "What it would cost", body = EstimateView))
)]
pub async fn get(
    Caller(holder): Caller,
    app: web::Data<App>,
    request: HttpRequest,
    named: OfCpo,
    path: web::Path<Socket>,
    Strict(query): Strict<EstimateQuery>,
) -> Result<HttpResponse, Problem> {
    let language = language_of(&request, query.lang.as_deref())?;
    let asked = Asked::of(&query, app.now())?;
    let Socket { evse, connector } = path.into_inner();
    let missing = format!("there is no connector {connector} at EVSE {evse} of location {named}");
    let (evse, connector, start) = (CiString::from(evse), CiString::from(connector), asked.start);
    let read = move |conn: &mut DbConn| {
        let Some(seen) = look_at(conn, &holder, &named)? else { return Ok(None) };
        let shelf = Shelf::at(conn, &seen.location, seen.partner_id, seen.token.as_ref())?;
        let found = seen.location.evse(&evse).and_then(|evse| Some((evse, evse.connector(&connector)?)));
        let Some((evse, connector)) = found else { return Ok(None) };
        let tariff = shelf.tariff(evse, connector, start).cloned();
        let zone = seen.location.time_zone.parse().unwrap_or(Tz::UTC);
        let gives = kilowatts(connector.most_watts());
        Ok::<_, DbError>(Some((tariff, seen.partner_id, zone, gives)))
    };
    let (tariff, partner, zone, gives) =
        app.db.read(read).await?.ok_or_else(|| Problem::not_found(missing))?;
    if tariff.is_none() && partner.is_some() {
        return Err(Problem::conflict(
            "what a charge costs there is not known: its operator names no tariff",
        ));
    }
    let charge = asked.charge(gives)?;
    let pricing = app.config.pricing.clone();
    // A tariff with very many elements takes its time.
    let (priced, tariff) = web::block(move || (estimate(tariff.as_ref(), &charge, zone, &pricing), tariff))
        .await
        .map_err(|error| Problem::internal(&error))?;
    let (bill, got) = priced.map_err(|error: SimulationError| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the charge cannot be priced: {error}"))
    })?;
    let view = EstimateView {
        start: charge.from,
        minutes: minutes(charge.from, charge.to),
        power_kw: charge.power_kw.normalize().to_string(),
        kwh: got.energy_kwh,
        complete: got.is_full,
        tariff: tariff.map(|tariff| TariffView::of(&tariff, language)),
        bill: bill.into(),
    };
    tagged(&request, &view)
}
