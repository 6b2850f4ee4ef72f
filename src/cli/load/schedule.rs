//! `roamwatt load schedule`: our decisions, for whoever simulates cars and stations.

use super::site_in;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::broken_pipe_is_silent;
use crate::load::plan::Aims;
use crate::load::replay::live::{Live, rows_told};
use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::json;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Answers states of a site, one JSON object a line on stdin, with the limits of its connectors
///
/// It decides as a node does, so a simulator can drive it. What a state holds, and the answer, is described in
/// docs/load-replay.md. A line that cannot be answered is answered with its error, and the next is read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt load schedule site.toml < states.jsonl
  roamwatt load schedule site.toml --policy solver --step-minutes 1 < states.jsonl")]
pub(super) struct ScheduleArgs {
    /// TOML or JSON file with the site
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whether to look ahead
    #[arg(long, value_enum, default_value_t = How::Planner)]
    policy: How,
    /// Minutes from one state to the next
    #[arg(long, value_name = "MINUTES", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    step_minutes: u32,
    /// How long a plan may take; without one in time, the solver decides alone
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    time_limit_ms: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    /// Looks ahead, and has the solver carry it out
    Planner,
    /// Shares fairly what there is now
    Solver,
}

/// A question that is no state.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    ask: Asked,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    Rows,
}

/// Runs the command.
///
/// # Errors
/// When the site does not hold together, or stdin cannot be read.
pub(super) fn run(args: &ScheduleArgs) -> Outcome {
    let site = site_in(&args.file)?;
    let aims = (args.policy == How::Planner).then(|| Aims {
        time_limit: Duration::from_millis(u64::from(args.time_limit_ms)),
        ..Aims::default()
    });
    let mut live = Live::new(&site, aims, TimeDelta::minutes(i64::from(args.step_minutes)));
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Failure::from(error).while_doing("cannot read stdin"))?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = match serde_json::from_str::<Question>(&line) {
            Ok(Question { ask: Asked::Rows }) => json!({ "rows": rows_told(live.rows()) }).to_string(),
            Err(_) => match live.read(&line) {
                Ok(answer) => serde_json::to_string(&answer)?,
                Err(error) => json!({ "error": error.reason, "path": error.path }).to_string(),
            },
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(broken_pipe_is_silent)?;
    }
    Ok(())
}
