//! What is read of a station's samples, and what is written down about a site, beside its task.

use crate::config::LoadConfig;
use crate::db::load as stored;
use crate::db::{Db, DbConn, DbResult};
use crate::domain::Timestamp;
use crate::domain::station::MeterSample;
use crate::load::control::{Finding, GridLimit, Report, SiteView};
use crate::load::rows::Outlet;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;
use tokio::sync::mpsc;

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

/// A write, which may be tried more than once.
type Write = Box<dyn Fn(&mut DbConn) -> DbResult<()> + Send>;

/// Writes beside the task that runs the sites, one after the other in the order in which things happened: of two
/// limits of the grid operator the later one has to be what is kept. What fails is logged.
#[derive(Clone)]
pub(super) struct Records(mpsc::UnboundedSender<Write>);

impl Records {
    /// Starts to write; ends when nobody records any more.
    pub(super) fn start(db: Db) -> Self {
        let (sender, mut writes) = mpsc::unbounded_channel::<Write>();
        tokio::spawn(async move {
            while let Some(write) = writes.recv().await {
                if let Err(error) = db.write(move |conn| write(conn)).await {
                    tracing::error!(%error, "what happened at a site cannot be written down");
                }
            }
        });
        Self(sender)
    }

    fn write(&self, what: impl Fn(&mut DbConn) -> DbResult<()> + Send + 'static) {
        // The writer lives as long as anybody who records.
        drop(self.0.send(Box::new(what)));
    }
}

/// A limit of the grid operator came: it is kept over restarts, and for the record.
pub(super) fn limit(records: &Records, site: &str, limit: GridLimit, at: Timestamp) {
    let site = site.to_owned();
    tracing::info!(site, watts = ?limit.watts, until = ?limit.until, "a limit of the grid operator");
    let until = limit.until.and_then(Timestamp::from_millis).map(|until| until.to_string());
    let detail = json!({ "watts": limit.watts, "until": until }).to_string();
    records.write(move |conn| {
        stored::keep_grid_limit(conn, &site, limit)?;
        stored::note(conn, &site, at, "grid_limit", &site, &detail)
    });
}

/// A limit of the grid operator is kept.
pub(super) fn followed(records: &Records, site: &str, watts: f64, since: Timestamp, at: Timestamp) {
    let site = site.to_owned();
    let after = at.millis_since(since);
    tracing::info!(site, watts, after_ms = after, "the limit of the grid operator is kept");
    let detail = json!({ "watts": watts, "limit_at": since.to_string(), "after_ms": after }).to_string();
    records.write(move |conn| stored::note(conn, &site, at, "grid_limit_kept", &site, &detail));
}

/// Something that the operator should know.
pub(super) fn report(records: &Records, site: &str, report: &Report, now: Timestamp) {
    let (kind, text) = words(report.what);
    tracing::warn!(site, about = report.about, kind, "{text}");
    let (site, about) = (site.to_owned(), report.about.clone());
    let at = Timestamp::from_millis(report.at).unwrap_or(now);
    let detail = match report.seconds {
        Some(seconds) => json!({ "text": text, "seconds": seconds }),
        None => json!({ "text": text }),
    };
    let detail = detail.to_string();
    records.write(move |conn| stored::note(conn, &site, at, kind, &about, &detail));
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
        Finding::OutlookEnded => {
            ("outlook_ended", "what was expected has ended: it is not followed any more")
        }
        Finding::ClockAhead => ("clock_ahead", "the station's clock is ahead: its grants end early"),
        Finding::ClockBehind => {
            ("clock_behind", "the station's clock is behind: what it was granted is kept free for longer")
        }
    }
}

/// Keeps the picture of a site, and once a minute the line of its chart.
pub(super) fn view(records: &Records, site: &str, view: &SiteView, at: Timestamp, minute: bool) {
    let picture = serde_json::to_string(view);
    let rows = serde_json::to_string(&view.rows);
    let (Ok(picture), Ok(rows)) = (picture, rows) else {
        tracing::error!(site, "the picture of a site cannot be written as JSON");
        return;
    };
    let site = site.to_owned();
    records.write(move |conn| {
        stored::keep_view(conn, &site, &picture, at)?;
        if minute {
            let begin = Timestamp::from_millis(at.millis().div_euclid(60_000).saturating_mul(60_000));
            stored::keep_minute(conn, &site, begin.unwrap_or(at), &rows)?;
        }
        Ok(())
    });
}

/// Removes what was kept for its time.
pub(super) fn forget(records: &Records, config: &LoadConfig, now: Timestamp) {
    let before = |kept| now.minus(chrono::TimeDelta::from_std(kept).unwrap_or(chrono::TimeDelta::MAX));
    let (events, minutes) = (before(config.events_kept), before(config.history_kept));
    records.write(move |conn| stored::forget(conn, events, minutes).map(|_| ()));
}
