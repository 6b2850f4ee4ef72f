//! `roamwatt simulate cdrs`: fills a database with CDRs of a partner, to measure what works on many of them. Hidden,
//! since nobody wants it in a database that is in use.

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Output, Progress};
use super::store::Store;
use crate::db::{DbConn, DbError, DbResult, cdrs, partners};
use crate::domain::cdr::{Cdr, CdrLocation};
use crate::domain::charging_period::{CdrDimension, CdrDimensionType, ChargingPeriod};
use crate::domain::location::GeoLocation;
use crate::domain::partner::{DeliveryPolicy, Partner, PartnerStatus, TokenEncoding};
use crate::domain::party::PartyId;
use crate::domain::session::CdrToken;
use crate::domain::tariff::Tariff;
use crate::domain::{CiString, Extra, Timestamp};
use crate::pricing::{CdrToPrice, PricingPolicy, StatedCharge, Tariffs};
use chrono::TimeDelta;
use clap::Args;
use rust_decimal::Decimal;
use serde_json::json;

/// CDRs in one write.
const AT_ONCE: u64 = 2_000;
/// Different tariffs.
const TARIFFS: u32 = 40;

/// Fills a database with CDRs of a partner, priced rightly but for some
#[derive(Debug, Args)]
#[command(after_help = "Example:
  roamwatt simulate cdrs --count 1000000 --wrong 1000 --database-url sqlite:///tmp/bench.db")]
pub struct SimulatedCdrsArgs {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    count: u64,
    /// Of so many, one states a total that is wrong; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    wrong: u64,
    /// Seed of all random numbers, to have the same CDRs again
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Runs the command.
///
/// # Errors
/// When the database fails.
pub fn run(settings: &Settings, output: Output, args: &SimulatedCdrsArgs) -> Outcome {
    let store = Store::open(settings)?;
    let maker = Maker::new(args)?;
    let now = store.now();
    let partner = store.write(move |conn| join(conn, now))?;
    let mut progress = Progress::new(output, "writing CDRs", Some(args.count));
    let mut random = fastrand::Rng::with_seed(args.seed);
    let mut written = 0;
    while written < args.count {
        let some = AT_ONCE.min(args.count - written);
        let batch = (written + 1..=written + some).map(|number| maker.cdr(number, &mut random));
        let batch: Vec<Cdr> = batch.collect::<Result<_, Failure>>()?;
        store.write(move |conn| {
            for cdr in &batch {
                cdrs::insert(conn, cdr, Some(partner), None)?;
            }
            Ok::<_, DbError>(())
        })?;
        written += some;
        progress.advance(some);
    }
    drop(progress);
    output.show(&json!({ "cdrs": written, "partner": partner }), || {
        format!("{written} CDRs of partner {partner}")
    })
}

/// The partner whose CDRs they are; nothing is ever sent to it.
fn join(conn: &mut DbConn, now: Timestamp) -> DbResult<i64> {
    let partner = Partner {
        id: 0,
        name: format!("Simulated {}", now.millis()),
        status: PartnerStatus::Suspended,
        versions_url: None,
        version: None,
        endpoints: Vec::new(),
        roles: Vec::new(),
        allowed_origins: Vec::new(),
        delivery: DeliveryPolicy::PullOnly,
        token_encoding: TokenEncoding::Base64,
        created: now,
        last_updated: now,
    };
    partners::insert(conn, &partner)
}

/// Makes CDRs.
struct Maker {
    party: PartyId,
    tariffs: Vec<(Tariff, Tariffs)>,
    begin: Timestamp,
    wrong: u64,
}

impl Maker {
    fn new(args: &SimulatedCdrsArgs) -> Result<Self, Failure> {
        let party = PartyId::new("DE", "SIM")?;
        let tariffs = (0..TARIFFS).map(|number| {
            let tariff = tariff(&party, number)?;
            let ready = Tariffs::new([&tariff], PricingPolicy::default())?;
            Ok((tariff, ready))
        });
        let tariffs = tariffs.collect::<Result<_, Failure>>()?;
        Ok(Self { party, tariffs, begin: Timestamp::parse("2026-01-01T00:00:00Z")?, wrong: args.wrong })
    }

    /// A charge of some periods: charging by day and by night, and parking at its end.
    fn cdr(&self, number: u64, random: &mut fastrand::Rng) -> Result<Cdr, Failure> {
        let which = random.usize(..self.tariffs.len());
        let (tariff, ready) = self.tariffs.get(which).ok_or_else(|| Failure::new("there is no tariff"))?;
        let start = self.begin.plus(TimeDelta::seconds(random.i64(0..31_000_000)));
        let (periods, end) = periods(start, &tariff.id, random);
        let mut cdr = self.blank(number, start, end, random);
        cdr.tariffs = vec![tariff.clone()];
        cdr.charging_periods = periods;
        let to_price = CdrToPrice {
            start,
            end,
            zone: chrono_tz::Europe::Berlin,
            tariffs: &cdr.tariffs,
            periods: &cdr.charging_periods,
        };
        let cost = StatedCharge::new(&to_price)?.cost(ready)?;
        cdr.total_cost = cost.total;
        cdr.total_fixed_cost = cost.fixed;
        cdr.total_energy = cost.total_energy;
        cdr.total_energy_cost = cost.energy;
        cdr.total_time = cost.total_time;
        cdr.total_time_cost = cost.time;
        cdr.total_parking_time = Some(cost.total_parking_time);
        cdr.total_parking_cost = cost.parking;
        if self.wrong > 0 && number.is_multiple_of(self.wrong) {
            cdr.total_cost.excl_vat = cdr.total_cost.excl_vat.plus("0.50".parse()?)?;
        }
        Ok(cdr)
    }

    fn blank(&self, number: u64, start: Timestamp, end: Timestamp, random: &mut fastrand::Rng) -> Cdr {
        let place = random.u32(1..=5_000);
        let driver = random.u32(1..=50_000);
        let location = CdrLocation {
            id: format!("LOC-{place}").into(),
            name: Some(format!("Charging park {place}")),
            address: format!("Industriestraße {place}"),
            city: "Ludwigsburg".to_owned(),
            postal_code: Some("71636".to_owned()),
            state: None,
            country: "DEU".to_owned(),
            coordinates: GeoLocation {
                latitude: "48.89233".into(),
                longitude: "9.18329".into(),
                extra: Extra::new(),
            },
            evse_uid: format!("EVSE-{place}-1").into(),
            evse_id: format!("DE*SIM*E{place}*1").into(),
            connector_id: "1".into(),
            connector_standard: "IEC_62196_T2_COMBO".to_owned(),
            connector_format: "CABLE".to_owned(),
            connector_power_type: "DC".to_owned(),
            // So that the zone is known without as many locations.
            extra: Extra::from_iter([("time_zone".to_owned(), "Europe/Berlin".into())]),
        };
        let token = CdrToken {
            party: PartyId::new("DE", "EMP").ok(),
            uid: format!("04{driver:012X}").into(),
            token_type: "RFID".into(),
            contract_id: format!("DE-EMP-C{driver:08}-X").into(),
            extra: Extra::new(),
        };
        Cdr {
            party: self.party.clone(),
            id: format!("SIM-{number:012}").into(),
            start_date_time: start,
            end_date_time: end,
            session_id: Some(CiString::from(format!("SIM-S-{number:012}"))),
            cdr_token: token,
            auth_method: "AUTH_REQUEST".into(),
            authorization_reference: Some(CiString::from(format!("REF-{number}"))),
            cdr_location: location,
            meter_id: Some(format!("METER-{place}")),
            currency: "EUR".to_owned(),
            tariffs: Vec::new(),
            charging_periods: Vec::new(),
            signed_data: None,
            total_cost: crate::domain::tariff::Price {
                excl_vat: crate::domain::Money::ZERO,
                incl_vat: None,
                extra: Extra::new(),
            },
            total_fixed_cost: None,
            total_energy: crate::domain::Kwh::ZERO,
            total_energy_cost: None,
            total_time: Decimal::ZERO,
            total_time_cost: None,
            total_parking_time: None,
            total_parking_cost: None,
            total_reservation_cost: None,
            remark: None,
            invoice_reference_id: None,
            credit: None,
            credit_reference_id: None,
            home_charging_compensation: None,
            last_updated: end,
            extra: Extra::new(),
        }
    }
}

/// Energy by day and by night, a fee, and parking from the third hour on.
fn tariff(party: &PartyId, number: u32) -> Result<Tariff, Failure> {
    let cents = 39 + number % 30;
    let json = json!({
        "party": party, "id": format!("T-{number}"), "currency": "EUR", "tariff_type": null,
        "tariff_alt_text": [{ "language": "de", "text": format!("{cents} Cent je kWh") }],
        "tariff_alt_url": null, "min_price": null, "max_price": { "excl_vat": 150 },
        "elements": [
            { "price_components": [{ "type": "FLAT", "price": Decimal::new(35, 2).to_string().parse::<serde_json::Number>()?, "vat": 19, "step_size": 1 }] },
            {
                "price_components": [{ "type": "ENERGY", "price": Decimal::new(i64::from(cents), 2).to_string().parse::<serde_json::Number>()?, "vat": 19, "step_size": 1 }],
                "restrictions": { "start_time": "07:00", "end_time": "22:00" }
            },
            { "price_components": [{ "type": "ENERGY", "price": Decimal::new(29, 2).to_string().parse::<serde_json::Number>()?, "vat": 19, "step_size": 1 }] },
            {
                "price_components": [{ "type": "PARKING_TIME", "price": 6, "vat": 19, "step_size": 60 }],
                "restrictions": { "min_duration": 7200 }
            }
        ],
        "start_date_time": null, "end_date_time": null, "energy_mix": null,
        "last_updated": "2025-12-01T00:00:00Z", "extra": {}
    });
    Ok(serde_json::from_value(json)?)
}

fn periods(
    start: Timestamp,
    tariff: &CiString,
    random: &mut fastrand::Rng,
) -> (Vec<ChargingPeriod>, Timestamp) {
    let count = random.u32(1..=5);
    let mut periods = Vec::new();
    let mut at = start;
    for number in 1..=count {
        let seconds = random.i64(300..3_600);
        let parks = number == count && count > 1;
        let hours = Decimal::from(seconds).checked_div(Decimal::from(3_600)).unwrap_or_default().round_dp(4);
        let dimension = |dimension, volume: Decimal| CdrDimension { dimension, volume, extra: Extra::new() };
        let mut dimensions = Vec::new();
        if parks {
            dimensions.push(dimension(CdrDimensionType::ParkingTime, hours));
        } else {
            dimensions.push(dimension(CdrDimensionType::Energy, Decimal::new(random.i64(500..40_000), 3)));
            dimensions.push(dimension(CdrDimensionType::Time, hours));
            dimensions
                .push(dimension(CdrDimensionType::MaxPower, Decimal::new(random.i64(3_000..150_000), 3)));
        }
        periods.push(ChargingPeriod {
            start_date_time: at,
            dimensions,
            tariff_id: Some(tariff.clone()),
            extra: Extra::new(),
        });
        at = at.plus(TimeDelta::seconds(seconds));
    }
    (periods, at)
}
