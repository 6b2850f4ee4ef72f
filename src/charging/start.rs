//! How a charge begins.

use super::account::{Basis, open, tariffs_of, zone_of};
use super::authorize::{Authorization, IdTagDecision, IdTagStatus, decide};
use super::tariff_choice::{buyer_of, choose_tariff};
use super::{ChargingError, record};
use crate::app::{App, Event};
use crate::db::charges::{Charge, ChargeState, Reference};
use crate::db::late_messages::LateMessage;
use crate::db::types::Json;
use crate::db::{DbConn, charges, commands, locations, payments, sessions, stations};
use crate::domain::location::Location;
use crate::domain::party::PartyId;
use crate::domain::payment::PaymentState;
use crate::domain::session::{CdrToken, Session, SessionStatus};
use crate::domain::station::{Station, StationConnector, StationId};
use crate::domain::tariff::Tariff;
use crate::domain::token::{Token, TokenType};
use crate::domain::{CiString, Extra, Kwh, Timestamp};
use crate::pricing::PricingPolicy;
use crate::security::{digest, new_transaction_id};
use rust_decimal::Decimal;

/// A station says that a charge began (OCPP 1.6, 4.8 StartTransaction).
#[derive(Debug, Clone)]
pub struct StartTransaction {
    /// OCPP's connector number.
    pub connector: i32,
    /// By what it was started.
    pub id_tag: String,
    /// When, by the station's clock; long ago where the station was offline.
    pub at: Timestamp,
    /// The import register then, Wh.
    pub meter_start_wh: Decimal,
    /// The reservation that it uses up.
    pub reservation_id: Option<i32>,
    /// As it came.
    pub raw: String,
}

/// What the station is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The id by which it names the charge from now on.
    pub transaction_id: i32,
    /// Whether the driver may charge.
    pub decision: IdTagDecision,
}

/// Begins a charge. The same content again, whatever its message id, is the same start: same answer, no second
/// charge. A charge is always opened, since energy may flow whatever the answer says; one that nobody may be
/// billed for is INVALID.
///
/// # Errors
/// When the station is not known, or the database fails.
pub async fn start_transaction(
    app: &App,
    station: &StationId,
    start: StartTransaction,
) -> Result<Started, ChargingError> {
    let start_key = digest(&[
        station.as_str(),
        &start.connector.to_string(),
        &start.id_tag.to_ascii_lowercase(),
        &start.at.to_string(),
        &start.meter_start_wh.normalize().to_string(),
    ]);
    let key = start_key.clone();
    let known: Option<Charge> = app.db.read(move |conn| charges::by_start(conn, &key)).await?;
    if let Some(charge) = known {
        return Ok(answer_of(&charge));
    }
    let (connector, at) = (start.connector, start.at);
    let authorization = decide(app, station, Some(start.connector), &start.id_tag, start.at).await?;
    let mut opening = Opening {
        station: station.clone(),
        meter_start: Kwh::from_wh(start.meter_start_wh)?,
        start,
        start_key,
        authorization,
        session_id: CiString::from(uuid::Uuid::new_v4().to_string()),
        transaction_id: new_transaction_id(),
        now: app.now(),
        policy: record::policy_of(&app.config.pricing),
        currency: app.config.pricing.currency.clone(),
        settle_delay: record::delta(app.config.charging.cdr_delay),
    };
    let session_id = opening.session_id.to_string();
    let clock = app.clock.clone();
    let write = move |conn: &mut DbConn| {
        opening.now = clock.now();
        opening.write_or_keep(conn)
    };
    let started = app.db.write(write).await?;
    app.energy.began(station, connector, started.transaction_id, at);
    tracing::info!(station = %station, session = %session_id, status = started.decision.status.as_str(), "charge begun");
    app.wakes.delivery.notify_waiters();
    app.wakes.payments.notify_waiters();
    app.wakes.tell(Event::SessionChanged(session_id));
    Ok(started)
}

fn answer_of(charge: &Charge) -> Started {
    let reference = &charge.reference.0;
    Started {
        transaction_id: charge.transaction_id,
        decision: IdTagDecision {
            status: IdTagStatus::from_word(&reference.id_tag_status),
            parent_id_tag: reference.parent_id_tag.clone(),
        },
    }
}

/// A start with everything that was decided before the write.
struct Opening {
    station: StationId,
    start: StartTransaction,
    start_key: String,
    meter_start: Kwh,
    authorization: Authorization,
    session_id: CiString,
    transaction_id: i32,
    now: Timestamp,
    policy: PricingPolicy,
    currency: String,
    settle_delay: chrono::TimeDelta,
}

/// The transaction id of a start that opened no charge: ours begin at 1.
const NO_CHARGE: i32 = 0;

impl Opening {
    /// Opens the charge. A start that cannot be placed is kept and answered all the same: an error would make
    /// the station send it again, and in the end throw it away.
    fn write_or_keep(&self, conn: &mut DbConn) -> Result<Started, ChargingError> {
        match self.write(conn) {
            Err(error @ (ChargingError::UnknownConnector { .. } | ChargingError::UnknownLocation(_))) => {
                let message = LateMessage {
                    seq: 0,
                    station_id: self.station.to_string(),
                    received_at: self.now,
                    action: "StartTransaction".to_owned(),
                    reason: error.to_string(),
                    session_id: None,
                    payload: self.start.raw.clone(),
                };
                record::keep_late(conn, &message)?;
                let decision = IdTagDecision { status: IdTagStatus::Invalid, parent_id_tag: None };
                Ok(Started { transaction_id: NO_CHARGE, decision })
            }
            written => written,
        }
    }

    fn write(&self, conn: &mut DbConn) -> Result<Started, ChargingError> {
        if let Some(charge) = charges::by_start(conn, &self.start_key)? {
            return Ok(answer_of(&charge));
        }
        let station = stations::find(conn, &self.station)?
            .ok_or_else(|| ChargingError::UnknownStation(self.station.to_string()))?;
        let connector = self.connector_of(&station)?;
        let location = locations::find(conn, &station.party, &station.location_id)?
            .ok_or_else(|| ChargingError::UnknownLocation(station.location_id.to_string()))?;
        let grant = self.authorization.grant.as_ref().map(|grant| commands::find(conn, grant)).transpose()?;
        let mut grant = grant.flatten();
        let buyer = match &self.authorization.token {
            Some(token) => {
                let asked_by = grant.as_ref().and_then(|command| command.partner_id);
                Some(buyer_of(conn, token, asked_by)?)
            }
            None => None,
        };
        let payment = payments::by_id_tag(conn, &self.start.id_tag.to_ascii_lowercase())?;
        let tariff = match &payment {
            // What was shown to who pays, whatever became of it since.
            Some(payment) => Some(payment.details.0.tariff.clone()),
            None => choose_tariff(conn, &location, connector, buyer.as_ref(), None, self.start.at)?,
        };

        record::close_superseded(
            conn,
            &self.station,
            self.start.connector,
            self.start.at,
            self.settle_delay,
        )?;
        let mut decision = self.authorization.decision.clone();
        let elsewhere = charges::active_with_id_tag(conn, &self.start.id_tag.to_ascii_lowercase())?;
        if decision.status == IdTagStatus::Accepted && elsewhere.is_some() {
            decision.status = IdTagStatus::ConcurrentTx;
        }
        // Looked at again within the write: the hold may have been given back since.
        let paid = payment.as_ref().is_none_or(|payment| {
            payment.state == PaymentState::StartSent && payment.station_id == self.station.as_str()
        });
        if !paid {
            decision.status = IdTagStatus::Invalid;
        }
        let transaction_id = self.free_transaction_id(conn)?;
        let zone = zone_of(&location.time_zone);
        let tariffs = tariffs_of(tariff.as_ref(), &self.policy)?;
        let running = open(&Basis {
            tariffs: &tariffs,
            zone,
            started_at: self.start.at,
            meter_start: self.meter_start,
            stopped_at: None,
            meter_stop: None,
            unplugged_at: None,
        })?;
        let session = self.session(&station, connector, tariff.as_ref(), &decision);
        let charge = Charge {
            session_id: session.id.key(),
            country_code: station.party.country_code().to_owned(),
            party_id: station.party.party_id().to_owned(),
            station_id: self.station.to_string(),
            connector: self.start.connector,
            transaction_id,
            id_tag: self.start.id_tag.to_ascii_lowercase(),
            start_key: self.start_key.clone(),
            started_at: self.start.at,
            meter_start: self.meter_start,
            stopped_at: None,
            meter_stop: None,
            stop_reason: None,
            stop_key: None,
            state: "ACTIVE".to_owned(),
            settle_at: None,
            zone: zone.name().to_owned(),
            tariff: tariff.clone().map(Json),
            running: Json(running.clone()),
            reference: Json(Reference {
                location: only(location, connector),
                command_id: self.authorization.grant.clone(),
                id_tag_status: decision.status.as_str().to_owned(),
                parent_id_tag: decision.parent_id_tag.clone(),
            }),
            last_at: self.start.at,
        };
        debug_assert_eq!(charge.state(), ChargeState::Active);
        charges::insert(conn, &charge)?;
        record::write_session(conn, session, &running, &tariffs, self.now)?;
        if let Some(command) = &mut grant {
            command.session_id = Some(charge.session_id.clone());
            commands::update(conn, command)?;
        }
        if let Some(payment) = payment {
            let waited_for = decision.status == IdTagStatus::Accepted;
            payments::link_charge(conn, payment, &charge.session_id, waited_for, self.now)?;
        }
        Ok(Started { transaction_id, decision })
    }

    fn connector_of<'a>(&self, station: &'a Station) -> Result<&'a StationConnector, ChargingError> {
        station.connectors.iter().find(|connector| connector.number == self.start.connector).ok_or_else(
            || ChargingError::UnknownConnector {
                station: self.station.to_string(),
                connector: self.start.connector,
            },
        )
    }

    fn free_transaction_id(&self, conn: &mut DbConn) -> Result<i32, ChargingError> {
        let mut id = self.transaction_id;
        while charges::is_taken(conn, id)? {
            id = new_transaction_id();
        }
        Ok(id)
    }

    fn session(
        &self,
        station: &Station,
        connector: &StationConnector,
        tariff: Option<&Tariff>,
        decision: &IdTagDecision,
    ) -> Session {
        let billable = matches!(decision.status, IdTagStatus::Accepted | IdTagStatus::ConcurrentTx);
        Session {
            party: station.party.clone(),
            id: self.session_id.clone(),
            start_date_time: self.start.at,
            end_date_time: None,
            kwh: Kwh::ZERO,
            cdr_token: cdr_token(self.authorization.token.as_ref(), &self.start.id_tag),
            auth_method: self.authorization.method.clone(),
            authorization_reference: self.authorization.reference.clone(),
            location_id: station.location_id.clone(),
            evse_uid: connector.evse_uid.clone(),
            connector_id: connector.connector_id.clone(),
            meter_id: None,
            currency: tariff.map_or_else(|| self.currency.clone(), |tariff| tariff.currency.clone()),
            charging_periods: Vec::new(),
            total_cost: None,
            status: if billable { SessionStatus::Active } else { SessionStatus::Invalid },
            last_updated: self.now,
            extra: Extra::new(),
        }
    }
}

fn cdr_token(token: Option<&Token>, id_tag: &str) -> CdrToken {
    match token {
        Some(token) => CdrToken {
            party: Some(token.party.clone()),
            uid: token.uid.clone(),
            token_type: token.token_type.clone(),
            contract_id: token.contract_id.clone(),
            extra: Extra::new(),
        },
        // Nobody's: the session is INVALID and stays with us.
        None => CdrToken {
            party: None,
            uid: id_tag.into(),
            token_type: TokenType::OtherType,
            contract_id: "#NA".into(),
            extra: Extra::new(),
        },
    }
}

/// The location with the one EVSE and connector (OCPI 2.2.1 mod_cdrs, "CdrLocation").
fn only(mut location: Location, connector: &StationConnector) -> Location {
    if let Some(evses) = &mut location.evses {
        evses.retain(|evse| evse.uid == connector.evse_uid);
        for evse in evses {
            evse.connectors.retain(|found| found.id == connector.connector_id);
        }
    }
    location
}

/// The session of a charge of ours.
pub(super) fn session_of(
    conn: &mut DbConn,
    country_code: &str,
    party_id: &str,
    session_id: &str,
) -> Result<Session, ChargingError> {
    let party = PartyId::new(country_code, party_id)?;
    let found = sessions::find(conn, &party, &session_id.into())?;
    let missing = || crate::db::DbError::corrupt("charge", format!("its session {session_id} is missing"));
    Ok(found.map(|(session, _)| session).ok_or_else(missing)?)
}
