//! `roamwatt tariff`: what a tariff says, without any database.

mod explain;
mod lint;
mod price;

use super::{Outcome, Output};
use clap::{Args, Subcommand};

/// Reads a tariff: looks for mistakes in it, puts it into words, prices a charge with it
#[derive(Debug, Args)]
pub struct TariffArgs {
    #[command(subcommand)]
    command: TariffCommand,
}

#[derive(Debug, Subcommand)]
enum TariffCommand {
    Lint(lint::LintArgs),
    Explain(explain::ExplainArgs),
    Price(price::PriceArgs),
}

/// Runs the command.
///
/// # Errors
/// When the file holds no tariff, or `lint` finds an error in it.
pub fn run(output: Output, args: TariffArgs) -> Outcome {
    match args.command {
        TariffCommand::Lint(args) => lint::run(output, &args),
        TariffCommand::Explain(args) => explain::run(output, &args),
        TariffCommand::Price(args) => price::run(output, &args),
    }
}
