//! What a driver sees before paying: where, at what price, how much is held, and whether the charging point is free.

use super::PaymentError;
use super::minor::payable;
use crate::app::App;
use crate::charging::account::{tariffs_of, zone_of};
use crate::charging::tariff_choice::choose_tariff;
use crate::config::PaymentsConfig;
use crate::db::{
    DbConn, DbError, charges, locations, own_evses, payment_claims, payment_merchants, stations,
};
use crate::domain::assignment::Buyer;
use crate::domain::location::{Connector, Evse, Location};
use crate::domain::party::PartyId;
use crate::domain::payment::Merchant;
use crate::domain::station::{ConnectorStatus, StationConnector, StationId};
use crate::domain::tariff::{Price, Tariff};
use crate::domain::token::TokenType;
use crate::domain::{CiString, Kwh, Money, Timestamp};
use crate::pricing::{Activity, PricingPolicy, Progress, RunningCost};
use rust_decimal::Decimal;

/// Whether a charging point can be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Nobody uses it; a car may be plugged in.
    Free,
    /// Somebody charges there, or has paid to.
    Occupied,
    /// Its station is not connected.
    Offline,
    /// It is broken or out of service.
    OutOfOrder,
}

impl Availability {
    /// The word by which programs know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Occupied => "occupied",
            Self::Offline => "offline",
            Self::OutOfOrder => "out_of_order",
        }
    }
}

/// Why ad hoc payment is not offered at a charging point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOffered {
    /// This installation has no payment provider.
    #[error("ad hoc payment is not offered here: no payment provider is set up (payments.provider)")]
    NoProvider,
    /// The party does not sell ad hoc.
    #[error("ad hoc payment is not offered here: {0} is no merchant (roamwatt payments merchant)")]
    NoMerchant(PartyId),
    /// No station of ours serves it.
    #[error("ad hoc payment is not offered here: no station serves the charging point")]
    NoStation,
    /// There is no tariff for it.
    #[error("ad hoc payment is not offered here: no tariff prices it")]
    NoPrice,
    /// It is not known how much to hold in the tariff's currency.
    #[error("ad hoc payment is not offered here: no amount to hold is set for {0} (payments.holds)")]
    NoHold(String),
}

/// A connector with what it costs.
#[derive(Debug, Clone)]
pub struct OfferedConnector {
    /// OCPP's number at its station.
    pub number: i32,
    /// Which station serves it.
    pub station_id: StationId,
    /// The connector.
    pub connector: Connector,
    /// What prices a charge that begins now.
    pub tariff: Tariff,
    /// ISO 4217.
    pub currency: String,
    /// How much is held.
    pub hold: Money,
    /// Whether it can be used now.
    pub availability: Availability,
    /// A car is plugged in already.
    pub plugged_in: bool,
    /// The most that a charge can cost before we can have stopped it: a hold below that would not do.
    pub first_cost: Money,
}

/// What a driver sees before paying.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Where.
    pub location: Location,
    /// Which charging point.
    pub evse: Evse,
    /// Its connectors, at least one.
    pub connectors: Vec<OfferedConnector>,
    /// Who sells.
    pub merchant: Merchant,
}

impl OfferedConnector {
    /// Whether what is held is enough for a short charge.
    #[must_use]
    pub fn hold_is_enough(&self) -> bool {
        self.first_cost <= self.hold
    }
}

impl Offer {
    /// The connector of that id, or the only one.
    #[must_use]
    pub fn connector(&self, id: Option<&CiString>) -> Option<&OfferedConnector> {
        match (id, self.connectors.as_slice()) {
            (Some(id), all) => all.iter().find(|offered| offered.connector.id == *id),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

/// What is offered at an EVSE of ours, by its `evse_id` as printed on it, or its `uid`.
///
/// # Errors
/// When there is no such EVSE, or ad hoc payment is not offered there, with why; or the database fails.
pub async fn offer(app: &App, evse: &str) -> Result<Offer, PaymentError> {
    if app.payments.provider().is_none() {
        return Err(NotOffered::NoProvider.into());
    }
    let looked = Looked::at(app);
    let code = CiString::from(evse);
    let offer = app.db.read(move |conn| find(conn, &code, &looked)).await?;
    Ok(as_connected(app, offer))
}

/// With what only this process knows: whether its stations are connected.
pub(super) fn as_connected(app: &App, mut offer: Offer) -> Offer {
    for offered in &mut offer.connectors {
        if !app.stations.is_connected(&offered.station_id) && offered.availability == Availability::Free {
            offered.availability = Availability::Offline;
        }
    }
    offer
}

/// When and how somebody looks.
#[derive(Debug, Clone)]
pub(super) struct Looked {
    now: Timestamp,
    policy: PricingPolicy,
    config: PaymentsConfig,
}

impl Looked {
    pub(super) fn at(app: &App) -> Self {
        Self {
            now: app.now(),
            policy: crate::app::policy_of(&app.config.pricing),
            config: app.config.payments.clone(),
        }
    }
}

/// What is offered at an EVSE, but for whether its station is connected.
pub(super) fn find(conn: &mut DbConn, code: &CiString, looked: &Looked) -> Result<Offer, PaymentError> {
    let unknown = || PaymentError::UnknownEvse(code.to_string());
    let places = own_evses::find(conn, code)?;
    let [place] = places.as_slice() else { return Err(unknown()) };
    let location = locations::find(conn, &place.party, &place.location_id)?.ok_or_else(unknown)?;
    let evse = location.evse(&place.evse_uid).ok_or_else(unknown)?.clone();
    let Some(merchant) = payment_merchants::find(conn, &place.party)? else {
        return Err(NotOffered::NoMerchant(place.party.clone()).into());
    };
    let serving = stations::serving(conn, &place.party, &place.location_id)?;
    let mut connectors = Vec::new();
    let mut why = NotOffered::NoStation;
    for (station_id, served) in serving.iter().filter(|(_, served)| served.evse_uid == evse.uid) {
        let Some(connector) = evse.connector(&served.connector_id) else { continue };
        let buyer = ad_hoc_buyer(&place.party);
        let tariff = choose_tariff(conn, &location, served, Some(&buyer), None, looked.now)?;
        let Some(tariff) = tariff else {
            why = NotOffered::NoPrice;
            continue;
        };
        let Some(hold) = looked.config.hold_in(&tariff.currency) else {
            why = NotOffered::NoHold(tariff.currency);
            continue;
        };
        let hold = payable(Money::parse(hold)?, &tariff.currency)?;
        let first = first_cost(&location, connector, &tariff, looked)?;
        connectors.push(OfferedConnector {
            number: served.number,
            station_id: station_id.clone(),
            connector: connector.clone(),
            currency: tariff.currency.clone(),
            hold,
            availability: availability(conn, &location, station_id, served)?,
            plugged_in: is_plugged_in(served),
            first_cost: first,
            tariff,
        });
    }
    if connectors.is_empty() {
        return Err(why.into());
    }
    Ok(Offer { location, evse, connectors, merchant })
}

/// A driver without contract, as tariffs are chosen for.
fn ad_hoc_buyer(party: &PartyId) -> Buyer {
    Buyer {
        partner_id: None,
        emsp: party.clone(),
        uid: CiString::default(),
        token_type: TokenType::AdHocUser,
        contract_id: CiString::default(),
    }
}

/// The most that a charge can cost before we can have stopped it.
fn first_cost(
    location: &Location,
    connector: &Connector,
    tariff: &Tariff,
    looked: &Looked,
) -> Result<Money, PaymentError> {
    let tariffs = tariffs_of(Some(tariff), &looked.policy)?;
    let start = Progress::measured(looked.now, Kwh::ZERO, Activity::Charging);
    let running = RunningCost::start(&tariffs, zone_of(&location.time_zone), start)?;
    let ahead = looked.config.check_interval.saturating_add(looked.config.stop_margin);
    let until = looked.now.plus(super::delta(ahead));
    Ok(gross(&running.highest_cost(&tariffs, until, max_power(connector))?))
}

/// What a driver pays of a price.
#[must_use]
pub fn gross(price: &Price) -> Money {
    price.incl_vat.unwrap_or(price.excl_vat)
}

/// The most that a connector gives, kW.
#[must_use]
pub fn max_power(connector: &Connector) -> Decimal {
    Decimal::new(connector.most_watts(), 3)
}

fn availability(
    conn: &mut DbConn,
    location: &Location,
    station_id: &StationId,
    served: &StationConnector,
) -> Result<Availability, DbError> {
    let taken =
        payment_claims::claimed_by(conn, &location.party, location.id.as_str(), served.evse_uid.as_str())?;
    let busy =
        taken.is_some() || !charges::active_at(conn, station_id.as_str(), Some(served.number))?.is_empty();
    Ok(match &served.status {
        _ if busy => Availability::Occupied,
        Some(ConnectorStatus::Unavailable | ConnectorStatus::Faulted) => Availability::OutOfOrder,
        Some(
            ConnectorStatus::Charging
            | ConnectorStatus::SuspendedEv
            | ConnectorStatus::SuspendedEvse
            | ConnectorStatus::Reserved,
        ) => Availability::Occupied,
        Some(
            ConnectorStatus::Available
            | ConnectorStatus::Preparing
            | ConnectorStatus::Finishing
            | ConnectorStatus::Other(_),
        )
        | None => Availability::Free,
    })
}

fn is_plugged_in(served: &StationConnector) -> bool {
    matches!(served.status, Some(ConnectorStatus::Preparing | ConnectorStatus::Finishing))
}
