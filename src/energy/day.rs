//! A site's day, from the minutes that were kept of it.

use crate::domain::Timestamp;
use crate::load::chart::{ChartError, Minute, draw};
use crate::load::control::RowView;
use crate::load::site::Site;
use chrono::{NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

/// A day in a site's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: NaiveDate,
    /// When it begins.
    pub from: Timestamp,
    /// When the next one begins.
    pub to: Timestamp,
}

/// Why a day has no chart.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// The site has no such node.
    #[error("the site {site} has no node or station {node}")]
    NoNode {
        /// The site.
        site: String,
        /// What was named.
        node: String,
    },
    /// It cannot be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

impl Day {
    /// A day of a site; today where none is named.
    #[must_use]
    pub fn of(site: &Site, date: Option<NaiveDate>, now: Timestamp) -> Self {
        // A site that was read has a zone that exists.
        let zone: Tz = site.time_zone.parse().unwrap_or(Tz::UTC);
        let date = date.unwrap_or_else(|| now.utc().with_timezone(&zone).date_naive());
        let begin = |date: NaiveDate| {
            let midnight = date.and_time(NaiveTime::MIN);
            // Where midnight is skipped, the day begins when the clock goes on.
            let local = zone.from_local_datetime(&midnight).earliest();
            Timestamp::new(local.map_or_else(|| midnight.and_utc(), |local| local.to_utc()))
        };
        Self { date, from: begin(date), to: begin(date.succ_opt().unwrap_or(date)) }
    }
}

/// The chart of a day as SVG: of a node's fullest phase, or of its power where no amperes are limited; of the grid
/// connection where no node is named.
///
/// # Errors
/// When there is no such node.
pub fn chart_of(
    site: &Site,
    node: Option<&str>,
    day: &Day,
    minutes: &[(Timestamp, String)],
) -> Result<String, DayError> {
    let root = site.nodes.iter().find(|node| node.parent.is_none()).map(|node| node.id.as_str());
    let node = node.or(root).unwrap_or_default();
    let is_there = site.nodes.iter().any(|known| known.id == node)
        || site.stations.iter().any(|station| station.id == node);
    if !is_there {
        return Err(DayError::NoNode { site: site.id.clone(), node: node.to_owned() });
    }
    let read = |(at, rows): &(Timestamp, String)| {
        let rows: Vec<RowView> = serde_json::from_str(rows).ok()?;
        let ours: Vec<RowView> = rows.into_iter().filter(|row| row.node == node).collect();
        Some((*at, ours))
    };
    let lines: Vec<(Timestamp, Vec<RowView>)> = minutes.iter().filter_map(read).collect();
    let fullest = fullest(&lines);
    let shown = lines.iter().filter_map(|(at, rows)| {
        let row = rows.iter().find(|row| Some(row.of) == fullest)?;
        Some(Minute {
            hour: hours(at.millis_since(day.from)),
            cap: row.cap,
            load: row.load,
            granted: row.granted,
            reserved: row.reserved,
        })
    });
    let shown: Vec<Minute> = shown.collect();
    let what = fullest.map_or_else(String::new, |of| format!(", {of}"));
    let title = format!("{} {node}{what}, {}", site.id, day.date);
    let unit = fullest.map_or("A", crate::load::rows::Quantity::unit);
    Ok(draw(&title, unit, hours(day.to.millis_since(day.from)), &shown)?)
}

/// Of the node's limits the one that most of was granted of at any time; one in amperes where there is any.
fn fullest(lines: &[(Timestamp, Vec<RowView>)]) -> Option<crate::load::rows::Quantity> {
    let all = lines.iter().flat_map(|(_, rows)| rows).filter(|row| row.cap.is_finite());
    let rank = |row: &&RowView| (row.of.phase().is_some(), row.granted.max(row.load));
    all.max_by(|a, b| {
        let ((a_amps, a), (b_amps, b)) = (rank(a), rank(b));
        a_amps.cmp(&b_amps).then(a.total_cmp(&b))
    })
    .map(|row| row.of)
}

#[expect(clippy::float_arithmetic, clippy::as_conversions, reason = "a place in a picture")]
fn hours(millis: i64) -> f64 {
    millis as f64 / 3_600_000.0
}
