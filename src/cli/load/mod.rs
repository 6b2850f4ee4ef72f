//! `roamwatt load`: sites under load management: checked, written, shown, and what happened at them.

mod chart;
mod check;
mod events;
mod list;
mod outlook;
mod put;
mod remove;
mod replay;
mod schedule;
mod show;

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::Output;
use crate::load::site::{Site, SiteError};
use clap::{Args, Subcommand};
use std::io::Read;
use std::path::Path;

/// Shares a grid connection between cars: checks, writes and shows sites
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(subcommand)]
    command: LoadCommand,
}

#[derive(Debug, Subcommand)]
enum LoadCommand {
    Check(check::CheckArgs),
    Put(put::PutArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Events(events::EventsArgs),
    Chart(chart::ChartArgs),
    Outlook(outlook::OutlookArgs),
    Remove(remove::RemoveArgs),
    Replay(replay::ReplayArgs),
    Schedule(schedule::ScheduleArgs),
}

/// Runs the command.
///
/// # Errors
/// When a site does not hold together, what is named is not there, or the database refuses.
pub fn run(settings: &Settings, output: Output, args: LoadArgs) -> Outcome {
    match args.command {
        LoadCommand::Check(args) => check::run(output, &args),
        LoadCommand::Put(args) => put::run(settings, output, &args),
        LoadCommand::List(_) => list::run(settings, output),
        LoadCommand::Show(args) => show::run(settings, output, &args),
        LoadCommand::Events(args) => events::run(settings, output, &args),
        LoadCommand::Chart(args) => chart::run(settings, output, &args),
        LoadCommand::Outlook(args) => outlook::run(settings, output, &args),
        LoadCommand::Remove(args) => remove::run(settings, output, &args),
        LoadCommand::Replay(args) => replay::run(output, &args),
        LoadCommand::Schedule(args) => schedule::run(&args),
    }
}

/// What a file is called, and its text; `-` is stdin.
fn text_in(path: &Path) -> Result<(String, String), Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { path.display().to_string() };
    let text = if stdin {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    match text {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(Failure::from(error).while_doing(format!("cannot read {name}"))),
    }
}

/// The site in a file: TOML, or JSON where the text begins so.
fn site_in(path: &Path) -> Result<Site, Failure> {
    let (name, text) = text_in(path)?;
    let json = text.trim_start().starts_with('{');
    let site = if json { Site::from_json(&text) } else { Site::from_toml(&text) };
    site.map_err(|error| match error {
        SiteError::Wrong(findings) => Failure::new(format!("{name} does not hold together")).with_problems(
            findings
                .into_iter()
                .map(|finding| (finding.path, format!("found {}; {}", finding.found, finding.right))),
        ),
        error @ SiteError::Unreadable { .. } => {
            Failure::new(format!("{name}: {error}")).with_remedy("docs/load.md describes the format")
        }
    })
}

/// There is no such site.
fn no_site(id: &str) -> Failure {
    Failure::new(format!("there is no site {}", super::output::printable(id)))
        .with_remedy("`roamwatt load list` shows what there is; `roamwatt load put FILE` writes one")
}
