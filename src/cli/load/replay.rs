//! `roamwatt load replay`: sessions once more, under another connection or policy.

use super::site_in;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, table};
use crate::load::replay::run::{Departures, Setting, under};
use crate::load::replay::sessions::{AcnTime, read, read_prices};
use crate::load::replay::{Policy, Score, SessionsError, replay};
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Plays sessions at a site again, and says what was delivered, how fairly, and how much each limit carried
///
/// Without --policy, all of them are compared. Formats of sessions and prices: docs/load-replay.md.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt load replay site.toml sessions.csv
  roamwatt load replay site.toml sessions.json --policy planner --limit-kw 30 --json
  roamwatt load replay site.toml queue.json.gz --scale 0.5 --departures unknown")]
pub(super) struct ReplayArgs {
    /// TOML or JSON file with the site
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// File with sessions: JSON, CSV, or an event queue of ACN-Sim; may be gzipped
    #[arg(value_name = "SESSIONS")]
    sessions: PathBuf,
    /// How it is shared; may be given several times [default: all, one after the other]
    #[arg(long, value_enum)]
    policy: Vec<How>,
    /// The limits of the grid connection, times this
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    scale: f64,
    /// No more than this through the grid connection
    #[arg(long, value_name = "KW", value_parser = factor)]
    limit_kw: Option<f64>,
    /// What is known of departures beforehand
    #[arg(long, value_enum, default_value_t = Beforehand::Said)]
    departures: Beforehand,
    /// Minutes between decisions; arrivals and departures are decided on at once
    #[arg(long, value_name = "MINUTES", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    step_minutes: u32,
    /// CSV file with what a kWh costs: time,price
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Minutes of a period in an event queue of ACN-Sim
    #[arg(long, value_name = "MINUTES", default_value_t = 5.0, value_parser = factor)]
    acn_period: f64,
    /// When period 0 of it began (RFC 3339)
    #[arg(long, value_name = "TIME", default_value = "1970-01-01T00:00:00Z")]
    acn_start: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    /// Looks ahead, and has the solver carry it out
    Planner,
    /// Shares fairly what there is now
    Solver,
    /// Who came first gets all that it takes
    FirstCome,
    /// What a limit has, divided by the cars below it
    EqualSplit,
    /// Everyone takes what it can
    Uncontrolled,
}

impl How {
    fn policy(self) -> Policy {
        match self {
            Self::Planner => Policy::Planner,
            Self::Solver => Policy::Solver,
            Self::FirstCome => Policy::FirstCome,
            Self::EqualSplit => Policy::EqualSplit,
            Self::Uncontrolled => Policy::Uncontrolled,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Beforehand {
    /// What drivers said
    Said,
    /// When they really left
    Known,
    /// Nothing
    Unknown,
}

fn factor(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("must be more than 0".to_owned()) }
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, or makes no sense.
pub(super) fn run(output: Output, args: &ReplayArgs) -> Outcome {
    let site = under(&site_in(&args.site)?, args.scale, args.limit_kw);
    let time = AcnTime { minutes: args.acn_period, start: args.acn_start };
    let sessions = read(&bytes(&args.sessions)?, time).map_err(|error| refused(&args.sessions, error))?;
    let prices = match &args.prices {
        Some(path) => read_prices(&bytes(path)?).map_err(|error| refused(path, error))?,
        None => Vec::new(),
    };
    let departures = match args.departures {
        Beforehand::Said => Departures::Said,
        Beforehand::Known => Departures::Known,
        Beforehand::Unknown => Departures::Unknown,
    };
    let step = TimeDelta::minutes(i64::from(args.step_minutes));
    let policies: Vec<Policy> = if args.policy.is_empty() {
        Policy::ALL.to_vec()
    } else {
        args.policy.iter().map(|how| how.policy()).collect()
    };
    let mut scores = Vec::new();
    for policy in policies {
        let setting = Setting { policy, step, departures, prices: prices.clone(), ..Setting::default() };
        scores.push(replay(&site, &sessions, &setting).map_err(|error| refused(&args.sessions, error))?);
    }
    output.show(&scores, || text(&scores))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::from(error).while_doing(format!("cannot read {}", path.display())))
}

fn refused(path: &Path, error: SessionsError) -> Failure {
    Failure::new(format!("{} makes no sense", path.display()))
        .with_problems([(error.path, error.reason)])
        .with_remedy("docs/load-replay.md describes the formats")
}

/// The policies side by side, then how much each limit carried.
fn text(scores: &[Score]) -> String {
    let cost = scores.iter().any(|score| score.cost.is_some());
    let mut columns = vec![
        Column::Text("POLICY"),
        Column::Number("KWH"),
        Column::Number("OF WANTED"),
        Column::Number("FAIRNESS"),
        Column::Number("VIOLATIONS"),
    ];
    if cost {
        columns.push(Column::Number("COST"));
    }
    let rows = scores.iter().map(|score| {
        let mut row = vec![
            score.policy.to_string(),
            format!("{:.1}", score.delivered_kwh),
            format!("{:.1} %", score.percent),
            format!("{:.3}", score.fairness),
            score.violations.to_string(),
        ];
        row.extend(score.cost.map(|cost| format!("{cost:.2}")));
        row
    });
    let side_by_side = table(&columns, rows, "no sessions");
    let columns = [
        Column::Text("POLICY"),
        Column::Text("LIMIT"),
        Column::Text("OF"),
        Column::Number("CAP"),
        Column::Number("PEAK"),
        Column::Text("AT"),
    ];
    let peaks = scores.iter().flat_map(|score| {
        score.rows.iter().filter(|row| row.at.is_some()).map(|row| {
            vec![
                score.policy.to_string(),
                row.node.clone(),
                row.of.clone(),
                format!("{:.1} {}", row.cap, row.unit),
                format!("{:.1} {}", row.peak, row.unit),
                row.at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).unwrap_or_default(),
            ]
        })
    });
    let mut text = format!("{side_by_side}\n\n{}", table(&columns, peaks, "no limit carried anything"));
    for score in scores.iter().filter(|score| score.without_plan > 0) {
        let Score { without_plan, decisions, .. } = score;
        text.push_str(&format!("\n\nwithout a plan in {without_plan} of {decisions} decisions"));
    }
    text
}
