//! The command line: one file per command, each an `Args` struct that clap fills and a `run`.
//!
//! Every command works on the database alone; a running node sees the change. To add one: its file with its
//! `Args` (whose doc comment is its help, with examples in `after_help`) and `run`, a variant of [`Command`], an
//! arm in `dispatch`. Results go to stdout through [`output::Output`]; whatever else there is to say, to stderr.
//! Exit codes: 0 done, 1 failed, 2 the command line or the configuration is wrong.

pub mod api_key;
pub mod backup;
pub mod cdr;
pub mod check;
pub mod demo;
mod document;
pub mod driver_app;
pub mod export;
pub mod failure;
pub mod import;
pub mod limits;
pub mod load;
pub mod logging;
pub mod migrate;
pub mod output;
pub mod partner;
pub mod party;
pub mod payments;
mod postgres_tools;
mod pricing;
pub mod restore;
pub mod serve;
pub mod simulate;
pub mod simulated_cdrs;
pub mod station;
pub mod store;
pub mod tariff;
pub mod token;

pub use failure::{Failure, Outcome};
pub use output::Output;

use crate::config::{Config, ConfigErrors, Flag, Sources};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// An open-source EV charging backend and eRoaming hub
///
/// Charging stations connect with OCPP, roaming partners with OCPI, operators with HTTP. Every command works on
/// the database, whether a node runs on it or not; a running node sees a change within two seconds.
#[derive(Debug, Parser)]
#[command(name = "roamwatt", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Settings come from flags, the environment (ROAMWATT_SECTION__KEY), a file and the defaults, \
in this order;
`roamwatt check --defaults` prints every one with its comment. `roamwatt COMMAND --help` teaches a command."
)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    /// Write JSON for programs: one document, or one object a line where results stream
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// Where settings come from, as far as the command line says.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// Configuration file [default: $ROAMWATT_CONFIG, or ./roamwatt.toml if there is one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Database: sqlite://FILE or postgres://USER@HOST/NAME [default: $ROAMWATT_DATABASE_URL, or
    /// sqlite://roamwatt.db]
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub database_url: Option<String>,
    /// Flags of a command that stand for settings.
    #[arg(skip)]
    pub flags: Vec<Flag>,
}

impl Settings {
    /// With a flag of a command that stands for a setting, when it was given.
    pub fn set(&mut self, flag: &'static str, key: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.flags.push(Flag { flag, key, value: value.to_string() });
        }
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn load(&self) -> Result<Config, ConfigErrors> {
        let mut flags = self.flags.clone();
        flags.extend(self.database_url.clone().map(|value| Flag {
            flag: "--database-url",
            key: "database.url",
            value,
        }));
        Config::load(&Sources::of_process(self.config.as_deref(), flags)?)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Migrate(migrate::MigrateArgs),
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Party(party::PartyArgs),
    Station(station::StationArgs),
    Token(token::TokenArgs),
    Tariff(tariff::TariffArgs),
    Partner(partner::PartnerArgs),
    Payments(payments::PaymentsArgs),
    Load(load::LoadArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    Cdr(cdr::CdrArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    ApiKey(api_key::ApiKeyArgs),
    DriverApp(driver_app::DriverAppArgs),
    Simulate(simulate::SimulateArgs),
}

/// The grammar of the command line, for whoever reads it without running anything.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the command that the arguments name, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout, which may be closed; there is nobody to tell then.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::WRONG_USE));
        }
    };
    let json = cli.json;
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(json);
            ExitCode::from(failure.code())
        }
    }
}

fn dispatch(cli: Cli) -> Outcome {
    let Cli { settings, json, command } = cli;
    let output = Output::new(json);
    match command {
        Command::Check(args) => check::run(&settings, output, &args),
        Command::Demo(args) => demo::run(output, args),
        Command::Serve(args) => serve::run(settings, output, args),
        Command::Migrate(args) => migrate::run(&settings, output, &args),
        Command::Party(args) => party::run(&settings, output, args),
        Command::Station(args) => station::run(&settings, output, args),
        Command::Token(args) => token::run(&settings, output, args),
        Command::Tariff(args) => tariff::run(&settings, output, args),
        Command::Partner(args) => partner::run(&settings, output, args),
        Command::Payments(args) => payments::run(&settings, output, args),
        Command::Load(args) => load::run(&settings, output, args),
        Command::Import(args) => import::run(&settings, output, args),
        Command::Export(args) => export::run(&settings, output, args),
        Command::Cdr(args) => cdr::run(&settings, output, args),
        Command::Backup(args) => backup::run(&settings, output, &args),
        Command::Restore(args) => restore::run(&settings, output, &args),
        Command::ApiKey(args) => api_key::run(&settings, output, args),
        Command::DriverApp(args) => driver_app::run(&settings, output, args),
        Command::Simulate(args) => simulate::run(&settings, output, args),
    }
}

/// Says to a person how much of a list is not shown.
fn note_of_rest(output: Output, shown: usize, total: i64, offset: i64) {
    let shown = i64::try_from(shown).unwrap_or(i64::MAX);
    if offset > 0 || shown < total {
        output.note(&format!("\n{shown} of {total} shown; --offset and --limit show others."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches() {
        fn look(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} has no help");
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let id = argument.get_id().as_str();
                assert!(id == "version" || argument.get_help().is_some(), "{path}: {id} has no help");
            }
            let leaves: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
            if leaves.is_empty() {
                let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(after.contains("roamwatt "), "{path} has no example in its help");
            }
            for sub in leaves {
                look(sub, &path);
            }
        }
        look(&Cli::command(), "");
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in ["--json --database-url sqlite://a.db check", "check --json --database-url sqlite://a.db"]
        {
            let cli = Cli::try_parse_from(std::iter::once("roamwatt").chain(line.split(' '))).unwrap();
            assert!(cli.json && cli.settings.database_url.as_deref() == Some("sqlite://a.db"), "{line}");
        }
    }
}
