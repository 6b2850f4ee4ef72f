//! `roamwatt payments`: drivers without a contract, who pay for one charge: who sells, what became of each payment, and
//! of the money.

mod list;
mod merchant;
mod refund;
mod report;
mod show;

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Output, printable};
use clap::{Args, Subcommand};

/// Shows ad hoc payments, gives money back, and sets who sells
#[derive(Debug, Args)]
pub struct PaymentsArgs {
    #[command(subcommand)]
    command: PaymentsCommand,
}

#[derive(Debug, Subcommand)]
enum PaymentsCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Refund(refund::RefundArgs),
    Report(report::ReportArgs),
    Merchant(merchant::MerchantArgs),
}

/// Runs the command.
///
/// # Errors
/// When the database refuses, or what is named is not there.
pub fn run(settings: &Settings, output: Output, args: PaymentsArgs) -> Outcome {
    match args.command {
        PaymentsCommand::List(args) => list::run(settings, output, &args),
        PaymentsCommand::Show(args) => show::run(settings, output, &args),
        PaymentsCommand::Refund(args) => refund::run(settings, output, args),
        PaymentsCommand::Report(args) => report::run(settings, output, &args),
        PaymentsCommand::Merchant(args) => merchant::run(settings, output, args),
    }
}

fn unknown(id: &str) -> Failure {
    Failure::new(format!("there is no payment {}", printable(id)))
        .with_remedy("`roamwatt payments list` shows them")
}
