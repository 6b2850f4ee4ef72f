//! CDRs: ours as CPO, and those that CPOs sent us.

use super::auth::Read;
use super::cdr_checks::{CheckOutcome, DisputeView};
use super::corrections;
use super::corrections::CorrectionView;
use super::input::{Nothing, PartyName, Strict, from_path, list_query};
use super::output;
use super::owner::{Whose, owner};
use super::view::{ChargeTokenView, PeriodView, PriceView, SignedDataView, text};
use crate::app::App;
use crate::db::cdr_checks::DisputeState;
use crate::db::cdrs::{self, CdrFilter};
use crate::domain::cdr::{Cdr, CdrLocation};
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use crate::pricing::CheckState;
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A CDR; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CdrView {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Unique within the CPO.
    id: String,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// When the charge began.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Who charged.
    token: ChargeTokenView,
    /// How the driver was authorized: `AUTH_REQUEST`, `COMMAND` or `WHITELIST`.
    auth_method: String,
    /// The eMSP's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_reference: Option<String>,
    /// Where, as it was at the start.
    location: CdrLocationView,
    /// Energy, kWh.
    #[schema(example = "12.345", format = "decimal")]
    total_kwh: String,
    /// Hours in all.
    #[schema(example = "1.5", format = "decimal")]
    total_hours: String,
    /// Hours not charging.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.25", format = "decimal")]
    total_parking_hours: Option<String>,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What it costs.
    total_cost: PriceView,
    /// The parts of the cost.
    costs: CostsView,
    /// Ids of the tariffs, as they were at the start.
    tariff_ids: Vec<String>,
    /// What was used.
    periods: Vec<PeriodView>,
    /// What the meter signed; missing where it signed nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_data: Option<SignedDataView>,
    /// Whether it takes back another CDR.
    credit: bool,
    /// The CDR that is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_reference_id: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

/// The parts of a cost; those that the tariff has none of are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CostsView {
    /// Fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<PriceView>,
    /// For energy.
    #[serde(skip_serializing_if = "Option::is_none")]
    energy: Option<PriceView>,
    /// For time charging.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<PriceView>,
    /// For time not charging.
    #[serde(skip_serializing_if = "Option::is_none")]
    parking: Option<PriceView>,
    /// For a reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<PriceView>,
}

/// Where a charge took place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CdrLocationView {
    /// The location.
    id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Street and number.
    address: String,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    /// Town.
    city: String,
    /// ISO 3166-1 alpha-3.
    #[schema(example = "DEU")]
    country: String,
    /// `uid` of the EVSE.
    evse_uid: String,
    /// Id printed on the EVSE.
    evse_id: String,
    /// `id` of the connector.
    connector_id: String,
    /// e.g. `IEC_62196_T2`.
    connector_standard: String,
    /// e.g. `AC_3_PHASE`.
    connector_power_type: String,
}

impl From<CdrLocation> for CdrLocationView {
    fn from(location: CdrLocation) -> Self {
        let CdrLocation {
            id,
            name,
            address,
            city,
            postal_code,
            state: _,
            country,
            coordinates: _,
            evse_uid,
            evse_id,
            connector_id,
            connector_standard,
            connector_format: _,
            connector_power_type,
            extra: _,
        } = location;
        Self {
            id: text(id),
            name,
            address,
            postal_code,
            city,
            country,
            evse_uid: text(evse_uid),
            evse_id: text(evse_id),
            connector_id: text(connector_id),
            connector_standard,
            connector_power_type,
        }
    }
}

impl From<Cdr> for CdrView {
    fn from(cdr: Cdr) -> Self {
        let Cdr {
            party,
            id,
            start_date_time,
            end_date_time,
            session_id,
            cdr_token,
            auth_method,
            authorization_reference,
            cdr_location,
            meter_id: _,
            currency,
            tariffs,
            charging_periods,
            signed_data,
            total_cost,
            total_fixed_cost,
            total_energy,
            total_energy_cost,
            total_time,
            total_time_cost,
            total_parking_time,
            total_parking_cost,
            total_reservation_cost,
            remark,
            invoice_reference_id: _,
            credit,
            credit_reference_id,
            home_charging_compensation: _,
            last_updated,
            extra: _,
        } = cdr;
        Self {
            party: party.to_string(),
            id: text(id),
            session_id: session_id.map(text),
            start: start_date_time,
            end: end_date_time,
            token: cdr_token.into(),
            auth_method: auth_method.to_string(),
            authorization_reference: authorization_reference.map(text),
            location: cdr_location.into(),
            total_kwh: total_energy.to_string(),
            total_hours: total_time.to_string(),
            total_parking_hours: total_parking_time.map(|hours| hours.to_string()),
            currency,
            total_cost: total_cost.into(),
            costs: CostsView {
                fixed: total_fixed_cost.map(PriceView::from),
                energy: total_energy_cost.map(PriceView::from),
                time: total_time_cost.map(PriceView::from),
                parking: total_parking_cost.map(PriceView::from),
                reservation: total_reservation_cost.map(PriceView::from),
            },
            tariff_ids: tariffs.into_iter().map(|tariff| text(tariff.id)).collect(),
            periods: charging_periods.into_iter().map(PeriodView::from).collect(),
            signed_data: signed_data.map(SignedDataView::from),
            credit: credit.unwrap_or(false),
            credit_reference_id: credit_reference_id.map(text),
            remark,
            last_updated,
        }
    }
}

list_query! {
    /// Which CDRs.
    pub struct CdrQuery {
        /// `ours` of our own stations, or `all`, as when missing.
        #[param(inline)]
        whose: Whose,
        /// Only those that this partner sent us, by its number.
        partner: i64,
        /// Only of this eMSP's drivers.
        #[param(value_type = Option<String>, example = "DE*ABC")]
        emsp: PartyName,
        /// Only of this session.
        session_id: String,
        /// Only of charges that ended at or after.
        #[param(value_type = Option<String>, format = DateTime)]
        ended_from: Timestamp,
        /// Only of charges that ended before.
        #[param(value_type = Option<String>, format = DateTime)]
        ended_to: Timestamp,
        /// Only those whose check came out so: `differs` or `unpriceable`.
        #[param(inline)]
        check: CheckOutcome,
        /// Only those about which was decided so: `open`, `disputed` or `accepted`; only CDRs with a kept check count.
        #[param(inline)]
        dispute: DisputeView,
    }
}

/// Lists CDRs in the order in which they were written
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/cdrs", tag = "cdrs", params(CdrQuery),
    responses((status = 200, description = "A page of CDRs", body = [CdrView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<CdrQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let filter = CdrFilter {
        owner: owner(query.whose, query.partner)?,
        emsps: query.emsp.map(|emsp| vec![emsp.0]),
        session: query.session_id.map(|id| CiString::from(id).key()),
        ended_from: query.ended_from,
        ended_to: query.ended_to,
        only_received: false,
        check: query.check.map(CheckState::from),
        dispute: query.dispute.map(DisputeState::from),
    };
    let slice = app.db.read(move |conn| cdrs::list(conn, &filter, page)).await?;
    Ok(output::list(&app, &request, page, slice, CdrView::from))
}

/// Shows a CDR
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/cdrs/{party}/{id}", tag = "cdrs",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The CDR"),
    ),
    responses((status = 200, description = "The CDR", body = CdrDetailView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<CdrDetailView>, Problem> {
    let (party, id) = path.into_inner();
    let (party, id): (PartyId, CiString) = (from_path("party", &party)?, id.into());
    let missing = format!("there is no CDR {id} of {party}");
    let found = app.db.read(move |conn| corrections::with_correction(conn, &party, &id)).await?;
    let (cdr, correction) = found.ok_or_else(|| Problem::not_found(missing))?;
    let correction = correction.map(CorrectionView::from);
    Ok(web::Json(CdrDetailView { cdr: cdr.into(), correction }))
}

/// A CDR and the correction that it is part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CdrDetailView {
    /// The CDR.
    #[serde(flatten)]
    cdr: CdrView,
    /// What took it back, or what it takes back or the place of; missing where it was never corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    correction: Option<CorrectionView>,
}
