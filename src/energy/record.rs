//! What is read of a station's samples, and what is written down about a site, beside its task.

use crate::app::App;
use crate::db::load as stored;
use crate::db::{DbConn, DbResult};
use crate::domain::Timestamp;
use crate::domain::station::MeterSample;
use crate::load::control::{Finding, GridLimit, Report, SiteView};
use crate::load::rows::Outlet;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;
use std::sync::Arc;

/// A sample as load management takes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Read {
    /// Amperes on the station's phases.
    pub(super) amps: [Option<f64>; 3],
    /// The register, kWh.
    pub(super) register: Option<f64>,
    /// When it was so; for a mean, when the time of it began.
    pub(super) taken: Timestamp,
}

/// The longest and shortest time over which a mean says something, milliseconds.
const MEAN: std::ops::RangeInclusive<i64> = 5_000..=1_200_000;

impl Read {
    /// The current as the station says it; or else by its power, or by the energy since the sample before, over the
    /// phases that the connector has.
    pub(super) fn new(sample: &MeterSample, outlet: &Outlet, before: Option<(f64, Timestamp)>) -> Self {
        let register = sample.register.and_then(|kwh| kwh.decimal().to_f64());
        let number = |value: Option<Decimal>| value.and_then(|value| value.to_f64());
        let direct = outlet.dc_efficiency.is_some();
        let mut read = Self { amps: sample.currents.map(number), register, taken: sample.at };
        if !direct && read.amps.iter().any(Option::is_some) {
            return read;
        }
        let mean =
            register.zip(before).and_then(|(register, (kwh, at))| mean_kw(register, kwh, sample.at, at));
        let kw = number(sample.power_kw).map(|kw| (kw, sample.at)).or(mean);
        read.amps = [None; 3];
        if let Some((kw, taken)) = kw {
            let amps = outlet.amps_of_kw(kw);
            read.taken = taken;
            read.amps = outlet.phases.map(|used| used.then_some(amps));
        }
        read
    }
}

/// The mean power between two registers, kW, and when its time began.
#[expect(clippy::float_arithmetic, reason = "for load management, where nothing is sold")]
fn mean_kw(register: f64, before: f64, at: Timestamp, since: Timestamp) -> Option<(f64, Timestamp)> {
    let millis = at.millis_since(since);
    let hours = f64::from(i32::try_from(millis).ok()?) / 3_600_000.0;
    (MEAN.contains(&millis) && register >= before).then(|| ((register - before) / hours, since))
}

/// Writes beside the task; what fails is logged.
fn write(app: &Arc<App>, what: impl Fn(&mut DbConn) -> DbResult<()> + Send + 'static) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = app.db.write(what).await {
            tracing::error!(%error, "what happened at a site cannot be written down");
        }
    });
}

/// A limit of the grid operator came: it is kept over restarts, and for the record.
pub(super) fn limit(app: &Arc<App>, site: &str, limit: GridLimit, at: Timestamp) {
    let site = site.to_owned();
    tracing::info!(site, watts = ?limit.watts, until = ?limit.until, "a limit of the grid operator");
    let until = limit.until.and_then(Timestamp::from_millis).map(|until| until.to_string());
    let detail = json!({ "watts": limit.watts, "until": until }).to_string();
    write(app, move |conn| {
        stored::keep_grid_limit(conn, &site, limit)?;
        stored::note(conn, &site, at, "grid_limit", &site, &detail)
    });
}

/// A limit of the grid operator is kept.
pub(super) fn followed(app: &Arc<App>, site: &str, watts: f64, since: Timestamp, at: Timestamp) {
    let site = site.to_owned();
    let after = at.millis_since(since);
    tracing::info!(site, watts, after_ms = after, "the limit of the grid operator is kept");
    let detail = json!({ "watts": watts, "limit_at": since.to_string(), "after_ms": after }).to_string();
    write(app, move |conn| stored::note(conn, &site, at, "grid_limit_kept", &site, &detail));
}

/// Something that the operator should know.
pub(super) fn report(app: &Arc<App>, site: &str, report: &Report) {
    let (kind, text) = words(report.what);
    tracing::warn!(site, about = report.about, kind, "{text}");
    let (site, about) = (site.to_owned(), report.about.clone());
    let at = Timestamp::from_millis(report.at).unwrap_or_else(|| app.now());
    let detail = json!({ "text": text }).to_string();
    write(app, move |conn| stored::note(conn, &site, at, kind, &about, &detail));
}

/// A finding's word for machines, and for people.
fn words(finding: Finding) -> (&'static str, &'static str) {
    match finding {
        Finding::Ignores => {
            ("ignores", "the station accepts limits and draws more: it counts with all that it can draw")
        }
        Finding::Unable => {
            ("unable", "the station takes no charging profiles: it counts with all that it can draw")
        }
        Finding::Refuses => {
            ("refuses", "the station refuses limits for transactions: its cars stay at the standing limit")
        }
        Finding::Contradicts => (
            "contradicts",
            "the station says that another limit is in force than it accepted: it counts with all that it can draw",
        ),
        Finding::Overdraws => {
            ("overdraws", "the connector draws more than the site says it can: correct the site")
        }
        Finding::MeterLost => {
            ("meter_lost", "the meter is silent or says what cannot be: its worst case counts")
        }
        Finding::MeterBack => ("meter_back", "the meter is back"),
        Finding::Over => ("over", "more may flow here than is allowed, and nothing can be lowered any more"),
        Finding::HeartbeatLost => {
            ("heartbeat_lost", "the grid operator is not heard: the failsafe limit holds")
        }
    }
}

/// Keeps the picture of a site, and once a minute the line of its chart.
pub(super) fn view(app: &Arc<App>, site: &str, view: &SiteView, at: Timestamp, minute: bool) {
    let picture = serde_json::to_string(view);
    let rows = serde_json::to_string(&view.rows);
    let (Ok(picture), Ok(rows)) = (picture, rows) else {
        tracing::error!(site, "the picture of a site cannot be written as JSON");
        return;
    };
    let site = site.to_owned();
    write(app, move |conn| {
        stored::keep_view(conn, &site, &picture, at)?;
        if minute {
            let begin = Timestamp::from_millis(at.millis().div_euclid(60_000).saturating_mul(60_000));
            stored::keep_minute(conn, &site, begin.unwrap_or(at), &rows)?;
        }
        Ok(())
    });
}

/// Removes what was kept for its time.
pub(super) fn forget(app: &Arc<App>, now: Timestamp) {
    let before = |kept| now.minus(chrono::TimeDelta::from_std(kept).unwrap_or(chrono::TimeDelta::MAX));
    let (events, minutes) = (before(app.config.load.events_kept), before(app.config.load.history_kept));
    write(app, move |conn| stored::forget(conn, events, minutes).map(|_| ()));
}
