//! Compares our prices with those of another engine, which runs as a process: README.md beside this file.
//!
//! Each case is a tariff and a session from seeded chance. Both engines price it, every total is compared, and
//! each difference is sorted into the classes that explain it. A difference that no class explains ends the run
//! with exit code 1.

mod amounts;
mod case;
mod classes;
mod dice;
mod model;
mod oracle;
mod ours;
mod periods;
mod session;
mod tally;
mod tariffs;
mod versions;
mod wire;

use case::Case;
use clap::Parser;
use classes::Said;
use indicatif::{ProgressBar, ProgressStyle};
use oracle::{Oracle, OracleError};
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tally::Tally;
use versions::Version;

/// Compares our prices with those of another engine.
#[derive(Parser)]
#[command(name = "differential")]
struct Args {
    /// The other engine's program.
    #[arg(long)]
    oracle: Option<PathBuf>,
    /// How many cases.
    #[arg(long, default_value_t = 1000)]
    cases: u64,
    /// Another seed gives other cases.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The version of OCPI in which tariffs and CDRs are written.
    #[arg(long, value_enum, default_value = "2.2.1")]
    version: Version,
    /// Prices this case alone and shows it.
    #[arg(long)]
    only: Option<u64>,
    /// Where an example of each class is written.
    #[arg(long, default_value = "target/differential")]
    examples: PathBuf,
    /// Processes at the same time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Leaves out asking the other engine what it finds wrong with the tariffs.
    #[arg(long)]
    no_lint: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            // Where nobody reads stderr, the exit code still tells.
            drop(writeln!(std::io::stderr(), "error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let mut out = std::io::stdout().lock();
    let Some(path) = args.oracle.clone() else {
        // A plain `cargo bench` has nothing to compare with.
        writeln!(out, "differential: not run, --oracle names no program")?;
        return Ok(ExitCode::SUCCESS);
    };
    let oracle = Oracle { path };
    if let Some(number) = args.only {
        let case = Case::throw(args.seed, number, args.version);
        let (ours, theirs) = price(&oracle, &case)?;
        writeln!(out, "{}", tally::document(&case, &ours, &theirs))?;
        writeln!(out, "{:?}", classes::sort(&case, &ours, &theirs))?;
        return Ok(ExitCode::SUCCESS);
    }
    let tally = run_all(args, &oracle)?;
    tally.write_examples(&args.examples)?;
    writeln!(out, "{}", tally.table())?;
    Ok(if tally.unknown() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_all(args: &Args, oracle: &Oracle) -> Result<Tally, Box<dyn Error + Send + Sync>> {
    let progress = ProgressBar::new(args.cases);
    progress.set_style(ProgressStyle::with_template("{pos}/{len} cases {wide_bar} {per_sec} {eta}")?);
    let (tally, next) = (Mutex::new(Tally::default()), AtomicU64::new(0));
    let work = || -> Result<(), OracleError> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= args.cases {
                return Ok(());
            }
            let case = Case::throw(args.seed, number, args.version);
            let (ours, theirs) = price(oracle, &case)?;
            let verdict = classes::sort(&case, &ours, &theirs);
            let findings = if args.no_lint { Vec::new() } else { oracle.lint(&case)? };
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.add(&case, &verdict, &ours, &theirs);
            tally.add_findings(findings);
            progress.inc(1);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..args.jobs).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().map_err(|_| "a worker panicked")??;
        }
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })?;
    progress.finish_and_clear();
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What both say. A program that cannot be run or hangs ends the run: it is none of the case's differences.
fn price(oracle: &Oracle, case: &Case) -> Result<(Said, Said), OracleError> {
    let theirs = match oracle.price(case) {
        Ok(totals) => Ok(totals),
        Err(OracleError::Refused(why)) => Err(why),
        Err(error) => return Err(error),
    };
    Ok((ours::price(case), theirs))
}
