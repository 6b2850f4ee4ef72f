//! `roamwatt cdr`: what a charge costs and why.

mod price;

use super::{Outcome, Output};
use clap::{Args, Subcommand};

/// Prices and explains CDRs
#[derive(Debug, Args)]
pub(super) struct CdrArgs {
    #[command(subcommand)]
    command: CdrCommand,
}

#[derive(Debug, Subcommand)]
enum CdrCommand {
    Price(price::PriceArgs),
}

/// Runs the command.
///
/// # Errors
/// When the file holds no CDR that can be priced.
pub(super) fn run(output: Output, args: CdrArgs) -> Outcome {
    match args.command {
        CdrCommand::Price(args) => price::run(output, &args),
    }
}
