//! The story, step by step. A step fails with what it waited for.

use super::Teller;
use super::nodes::{PATIENCE, api_key, start, until};
use super::phone::{Charge, Phone};
use super::seed::{self, CARD, LOCATION, STATIONS};
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, table};
use crate::db::cdrs::CdrFilter;
use crate::db::locations::Owner;
use crate::db::page::Page;
use crate::db::sessions::SessionFilter;
use crate::db::{DbConn, DbError, cdrs, locations, partners, sessions, tariffs, tokens};
use crate::domain::CiString;
use crate::domain::cdr::Cdr;
use crate::domain::location::EvseStatus;
use crate::domain::partner::{DeliveryPolicy, PartnerStatus, TokenEncoding};
use crate::domain::session::{Session, SessionStatus};
use crate::domain::token::{TokenKey, TokenType};
use crate::finance::cdr_export::{ExportFormat, export_cdrs};
use crate::node::Node;
use crate::roaming::desk::Desk;
use crate::roaming::registration::{Invite, Register};
use crate::simulate::{PowerCurve, StationConfig, StationSim};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many times as fast as ours the stations' hours pass.
const SPEED: u32 = 60;
/// Between meter values, in the stations' time.
const METER_INTERVAL: Duration = Duration::from_secs(30);

/// What is left when the story has been told.
pub(super) struct Story {
    operator: Node,
    emsp: Node,
    stations: Vec<StationSim>,
    cdrs: Vec<Cdr>,
    export: PathBuf,
    operator_key: String,
    emsp_key: String,
}

/// Plays the story.
pub(super) async fn play(teller: &Teller, dir: &Path, kept: bool) -> Result<Story, Failure> {
    let operator = step("start the operator's node", start(dir, "operator")).await?;
    let passwords = step("fill the operator's node", seed::fill_operator(&operator)).await?;
    let url = operator.app().public_url.clone();
    teller.done("operator's node is up", &format!("DE*ROA, 1 location, 2 tariffs, 2 stations, {url}"))?;
    let emsp = step("start the eMSP's node", start(dir, "emsp")).await?;
    step("fill the eMSP's node", seed::fill_emsp(&emsp)).await?;
    let url = emsp.app().public_url.clone();
    teller.done("eMSP's node is up", &format!("NL*EMP, 1 card, {url}"))?;

    step("peer the two nodes", peer(&operator, &emsp)).await?;
    teller.done("partners", "credentials handshake done: tokens A, B and C, OCPI 2.2.1")?;
    step("exchange what each needs", meet(&operator, &emsp)).await?;
    teller.done("location and tariffs", "the eMSP shows 2 EVSEs with their prices")?;
    teller.done("driver's token", &format!("card {CARD} of NL*EMP reached the operator"))?;

    let stations = step("connect the stations", connect(&operator, passwords)).await?;
    teller.done("stations", "2 connected over OCPP 1.6, booted, available")?;
    let [ac, dc] = stations.as_slice() else { return Err(Failure::new("two stations were to be started")) };

    let session = step("start a charge with the card", charge_by_card(ac, &emsp)).await?;
    let session_id = session.id.clone();
    teller.done(
        "charge 1 begins",
        &format!("card at {}; the eMSP sees session {}", ac.id(), short(session_id.as_str())),
    )?;
    let phone = step("sign in to the eMSP's app", Phone::sign_in(&emsp)).await?;
    let place = step("find a place in the app", phone.look_around()).await?;
    let price = step("ask for the price in the app", phone.price(STATIONS[1].1, 20)).await?;
    let shown = |name: &str| place.get(name).map(ToString::to_string).unwrap_or_default().replace('"', "");
    teller.done(
        "driver's app",
        &format!(
            "{} in {} m, up to {} kW; 20 kWh would cost {price}",
            shown("name"),
            shown("distance_m"),
            shown("max_power_kw")
        ),
    )?;
    let app_charge = step("start a charge from the app", charge_by_app(dc, &phone)).await?;
    teller.done("charge 2 begins", &format!("the app's START_SESSION at {}: ACCEPTED", dc.id()))?;
    for _ in 0..3 {
        let grown = step("see the session grow", grow(&emsp, &session_id)).await?;
        let cost =
            grown.total_cost.as_ref().map_or_else(String::new, |cost| format!(", {} EUR", cost.excl_vat));
        teller.done("meter values", &format!("the eMSP sees {} kWh{cost}", grown.kwh))?;
    }

    step("stop the charge from the app", phone.stop(&app_charge)).await?;
    teller.done("charge 2 stops", "the app's STOP_SESSION: ACCEPTED")?;
    step("stop the charge at the station", async {
        ac.stop(1).await?;
        ac.unplug(1).await?;
        dc.wait_for(PATIENCE, |now| now.connector(1).is_some_and(|connector| !connector.charging)).await?;
        dc.unplug(1).await?;
        Ok(())
    })
    .await?;
    teller.done("charge 1 stops", "at the station; both cars leave")?;

    let mut received = Vec::new();
    for id in [session_id.as_str(), &app_charge.session] {
        let cdr = step("bring the CDR to the eMSP", cdr_of(&operator, &emsp, id)).await?;
        let total = &cdr.total_cost;
        let with_vat = total.incl_vat.map_or_else(String::new, |incl| format!(", {incl} with VAT"));
        teller.done(
            "CDR at the eMSP",
            &format!("{} kWh, {} {}{with_vat}", cdr.total_energy, total.excl_vat, cdr.currency),
        )?;
        received.push(cdr);
    }
    let receipt = step("show the receipt in the app", phone.receipt(&app_charge)).await?;
    teller.done("receipt in the app", &receipt)?;
    let file = dir.join("cdrs.csv");
    let totals = step("write the export", write_export(&operator, &file)).await?;
    let place = if kept { file.display().to_string() } else { "a CSV file; --dir keeps it".to_owned() };
    teller.done("export", &format!("{totals} → {place}"))?;
    let (operator_key, emsp_key) = (api_key(&operator).await?, api_key(&emsp).await?);
    Ok(Story { operator, emsp, stations, cdrs: received, export: file, operator_key, emsp_key })
}

/// Names the step that failed.
async fn step<T>(what: &str, doing: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    doing.await.map_err(|failure| failure.while_doing(format!("the demo could not {what}")))
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// The operator invites the eMSP, which registers: the whole credentials handshake over HTTP.
async fn peer(operator: &Node, emsp: &Node) -> Result<(), Failure> {
    let invitation = Desk::of(operator.app())
        .invite(Invite {
            name: "Emp Drive".to_owned(),
            allowed_origins: vec![emsp.app().public_url.clone()],
            delivery: DeliveryPolicy::Converge,
            encoding: TokenEncoding::Base64,
        })
        .await?;
    Desk::of(emsp.app())
        .register(Register {
            name: "Roam Operator".to_owned(),
            versions_url: invitation.versions_url,
            token: invitation.token,
            allowed_origins: Vec::new(),
            delivery: DeliveryPolicy::Converge,
            encoding: TokenEncoding::Base64,
        })
        .await?;
    let id = invitation.partner.id;
    until(operator, "the operator knows the eMSP as registered", move |conn| {
        Ok(partners::find(conn, id)?.filter(|partner| partner.status == PartnerStatus::Registered))
    })
    .await?;
    Ok(())
}

/// Each side tells the other what it has.
async fn meet(operator: &Node, emsp: &Node) -> Result<(), Failure> {
    let (owner, location) = (seed::operator()?, LOCATION.into());
    until(emsp, "the location at the eMSP", move |conn| {
        let known = tariffs::list(conn, &Owner::Any, Page::first(10))?.items.len();
        Ok(locations::find(conn, &owner, &location)?.filter(|_| known == 2))
    })
    .await?;
    let key = TokenKey { party: seed::emsp()?, uid: CARD.into(), token_type: TokenType::Rfid };
    until(operator, "the driver's token at the operator", move |conn| tokens::find(conn, &key)).await?;
    Ok(())
}

async fn connect(operator: &Node, passwords: Vec<(&str, String)>) -> Result<Vec<StationSim>, Failure> {
    let url = format!("ws://{}/ocpp", operator.addr());
    let mut stations = Vec::new();
    for (seed, (id, password)) in (1..).zip(passwords) {
        let mut config = StationConfig::new(&url, id);
        config.password = Some(password);
        config.curve = if id == STATIONS[0].0 { PowerCurve::AC_11 } else { PowerCurve::DC_150 };
        config.meter_interval = METER_INTERVAL;
        config.speed = SPEED;
        config.seed = seed;
        config.auto_plug = Some(Duration::from_secs(30));
        stations.push(StationSim::spawn(config)?);
    }
    for station in &stations {
        station.wait_for(PATIENCE, |now| now.accepted).await?;
    }
    let (owner, location) = (seed::operator()?, LOCATION.into());
    until(operator, "both EVSEs available", move |conn| {
        let found = locations::find(conn, &owner, &location)?;
        Ok(found.filter(|location| location.evses().all(|evse| evse.status == EvseStatus::Available)))
    })
    .await?;
    Ok(stations)
}

/// The session that the eMSP has of a card.
fn session_with(uid: &'static str) -> impl Fn(&mut DbConn) -> Result<Option<Session>, DbError> + Clone {
    move |conn| {
        let filter = SessionFilter { owner: Owner::Any, emsps: None, status: None };
        let all = sessions::list(conn, &filter, Page::first(10))?.items;
        Ok(all
            .into_iter()
            .find(|session| session.cdr_token.uid.as_str() == uid && session.status == SessionStatus::Active))
    }
}

async fn charge_by_card(station: &StationSim, emsp: &Node) -> Result<Session, Failure> {
    station.plug_in_car(1, 60_000, 200).await?;
    station.present_token(1, CARD).await?;
    until(emsp, "the session at the eMSP", session_with(CARD)).await
}

async fn charge_by_app(station: &StationSim, phone: &Phone) -> Result<Charge, Failure> {
    station.plug_in_car(1, 60_000, 200).await?;
    phone.start(STATIONS[1].1).await
}

/// Waits until the eMSP has seen the session grow once more.
async fn grow(emsp: &Node, id: &CiString) -> Result<Session, Failure> {
    let find = {
        let (owner, id) = (seed::operator()?, id.clone());
        move |conn: &mut DbConn| Ok(sessions::find(conn, &owner, &id)?.map(|(session, _)| session))
    };
    let before = until(emsp, "the session", find.clone()).await?.kwh;
    until(emsp, "more energy in the session", move |conn| {
        Ok(find(conn)?.filter(|session| session.kwh > before))
    })
    .await
}

/// Waits for a CDR at the eMSP and holds it against the operator's: the same to the last digit.
async fn cdr_of(operator: &Node, emsp: &Node, id: &str) -> Result<Cdr, Failure> {
    let find = {
        let (owner, id) = (seed::operator()?, CiString::from(id));
        move |conn: &mut DbConn| Ok(cdrs::find(conn, &owner, &id)?.map(|(cdr, _)| cdr))
    };
    let sent = until(operator, "the CDR at the operator", find.clone()).await?;
    let received = until(emsp, "the CDR at the eMSP", find).await?;
    if received.total_cost != sent.total_cost || received.total_energy != sent.total_energy {
        return Err(Failure::new("the eMSP's CDR differs from the operator's"));
    }
    Ok(received)
}

async fn write_export(operator: &Node, file: &Path) -> Result<String, Failure> {
    let out = std::io::BufWriter::new(std::fs::File::create(file)?);
    let filter = CdrFilter::of(Owner::Ours);
    let totals = export_cdrs(&operator.app().db, filter, ExportFormat::Csv, out, |_| ()).await?;
    let costs: Vec<String> =
        totals.costs.iter().map(|(currency, cost)| format!("{} {currency}", cost.incl_vat)).collect();
    Ok(format!("{} CDRs, {} kWh, {} with VAT", totals.cdrs, totals.energy_kwh, costs.join(", ")))
}

impl Story {
    /// What came out of it.
    pub(super) fn show(&self, teller: &Teller) -> Outcome {
        let columns = [
            Column::Text("CDR"),
            Column::Text("EVSE"),
            Column::Number("KWH"),
            Column::Number("HOURS"),
            Column::Number("NET"),
            Column::Number("GROSS"),
            Column::Text(""),
        ];
        let rows = self.cdrs.iter().map(|cdr| {
            let gross = cdr.total_cost.incl_vat.unwrap_or(cdr.total_cost.excl_vat);
            vec![
                short(cdr.id.as_str()).to_owned(),
                cdr.cdr_location.evse_id.to_string(),
                cdr.total_energy.to_string(),
                cdr.total_time.to_string(),
                cdr.total_cost.excl_vat.to_string(),
                gross.to_string(),
                cdr.currency.clone(),
            ]
        });
        teller.line(&format!("\n{}", table(&columns, rows, "no CDRs")))
    }

    /// Where to look around.
    pub(super) fn show_the_way(&self, output: Output) -> Outcome {
        let way = |name: &str, node: &Node, key: &str| {
            let url = &node.app().public_url;
            format!(
                "{name}\n  API        {url}/api/v1   (described at {url}/api/docs)\n  \
                 key        {key}\n  OCPI       {url}/ocpi/versions\n  health     {url}/readyz, {url}/metrics\n"
            )
        };
        let stations: Vec<&str> = self.stations.iter().map(StationSim::id).collect();
        output.stream(
            &json!({
                "operator": { "url": self.operator.app().public_url, "api_key": self.operator_key },
                "emsp": { "url": self.emsp.app().public_url, "api_key": self.emsp_key },
                "export": self.export,
            }),
            || {
                format!(
                    "\n{}\n{}\nAn access token:\n  curl -X POST -H 'Authorization: Bearer {}' {}/api/v1/token\n\n\
                     The nodes and the stations {} stay up. Ctrl-C ends.",
                    way("Operator DE*ROA", &self.operator, &self.operator_key),
                    way("eMSP NL*EMP", &self.emsp, &self.emsp_key),
                    self.operator_key,
                    self.operator.app().public_url,
                    stations.join(" and "),
                )
            },
        )
    }

    /// Stops everything in order.
    pub(super) async fn end(self) {
        for station in self.stations {
            // One that is gone already needs no goodbye.
            drop(station.shutdown().await);
        }
        tokio::join!(self.operator.stop(), self.emsp.stop());
    }
}
