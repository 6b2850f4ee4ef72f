//! Every meter value and status of a charge, once.

use super::portable::PortableExt;
use super::schema::meter_samples;
use super::types::{Json, Number};
use super::{DbConn, DbResult};
use crate::domain::{Kwh, Timestamp};
use diesel::prelude::*;
use rust_decimal::Decimal;

/// A meter value or a status of a charge.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// By the station's clock.
    pub at: Timestamp,
    /// e.g. `Sample.Periodic`, or `Status` for a status.
    pub context: String,
    /// The import register, if it was among the values.
    pub register: Option<Kwh>,
    /// kW, if it was among the values.
    pub power: Option<Decimal>,
    /// A over all phases, if it was among the values.
    pub current: Option<Decimal>,
    /// For a status: what the station said of the connector.
    pub activity: Option<String>,
    /// Digest of the content: the same content at the same time is the same sample.
    pub digest: String,
    /// As it came, byte for byte.
    pub raw: String,
    /// The values in it that the meter signed, as the station gave them.
    pub signed: Vec<String>,
}

/// Keeps a sample once, however often it is sent; whether it was new.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, session_id: &str, sample: &Sample) -> DbResult<bool> {
    let signed = (!sample.signed.is_empty()).then(|| Json(sample.signed.clone()));
    let written = diesel::insert_into(meter_samples::table)
        .values((
            meter_samples::session_id.eq(session_id),
            meter_samples::at.eq(sample.at),
            meter_samples::context.eq(&sample.context),
            meter_samples::register.eq(sample.register),
            meter_samples::power.eq(sample.power.map(Number)),
            meter_samples::current.eq(sample.current.map(Number)),
            meter_samples::activity.eq(sample.activity.as_deref()),
            meter_samples::digest.eq(&sample.digest),
            meter_samples::raw.eq(&sample.raw),
            meter_samples::signed_values.eq(signed),
        ))
        .on_conflict((meter_samples::session_id, meter_samples::at, meter_samples::digest))
        .do_nothing()
        .portable()
        .execute(conn)?;
    Ok(written > 0)
}

/// Every sample of a charge in the order of the station's clock; samples of one moment in an order that does
/// not depend on when they came.
///
/// # Errors
/// When the database fails.
pub fn of_charge(conn: &mut DbConn, session_id: &str) -> DbResult<Vec<Sample>> {
    type Signed = Option<Json<Vec<String>>>;
    type Measured = (Option<Kwh>, Option<Number>, Option<Number>);
    type Row = (Timestamp, String, Measured, Option<String>, String, String, Signed);
    let rows: Vec<Row> = meter_samples::table
        .filter(meter_samples::session_id.eq(session_id))
        .order((meter_samples::at, meter_samples::digest))
        .select((
            meter_samples::at,
            meter_samples::context,
            (meter_samples::register, meter_samples::power, meter_samples::current),
            meter_samples::activity,
            meter_samples::digest,
            meter_samples::raw,
            meter_samples::signed_values,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(at, context, (register, power, current), activity, digest, raw, signed)| Sample {
            at,
            context,
            register,
            power: power.map(|power| power.0),
            current: current.map(|current| current.0),
            activity,
            digest,
            raw,
            signed: signed.map_or_else(Vec::new, |signed| signed.0),
        })
        .collect())
}

/// The power of the newest sample of a charge that told it, kW.
///
/// # Errors
/// When the database fails.
pub fn latest_power(conn: &mut DbConn, session_id: &str) -> DbResult<Option<Decimal>> {
    let power: Option<Option<Number>> = meter_samples::table
        .filter(meter_samples::session_id.eq(session_id))
        .filter(meter_samples::power.is_not_null())
        .order(meter_samples::at.desc())
        .select(meter_samples::power)
        .first(conn)
        .optional()?;
    Ok(power.flatten().map(|power| power.0))
}
