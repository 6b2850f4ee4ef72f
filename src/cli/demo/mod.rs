//! `roamwatt demo`: one real charge, end to end, told step by step.
//!
//! Everything in it is real: two nodes with a database each, their HTTP between them, the stations' WebSockets.
//! Only the stations' hours pass faster than ours.

mod nodes;
mod phone;
mod seed;
mod story;

use super::failure::{Failure, Outcome};
use super::output::Output;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};

/// Shows one charge end to end: two nodes, two stations, a driver, a priced CDR
///
/// Starts an operator's node and an eMSP's node, each with its own SQLite file, peers them over OCPI, connects
/// simulated stations over OCPP, charges two cars, one with a card and one from a driver's app, and writes an export. Then it stays up, so that you can look
/// around with the API, until Ctrl-C. The stations' clocks run sixty times as fast as yours.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt demo                    the story, then stays up
  roamwatt demo --once             the story; exit code 0 when all of it worked
  roamwatt demo --dir /tmp/demo    keeps the databases and the export there")]
pub struct DemoArgs {
    /// End after the story; non-zero when a step failed
    #[arg(long)]
    pub once: bool,
    /// Where the databases and the export go; without it, a temporary folder that is removed at the end
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Tells the story, a line per step with the time since the beginning.
pub(super) struct Teller {
    output: Output,
    begun: Instant,
}

impl Teller {
    /// One step that is done.
    fn done(&self, step: &str, detail: &str) -> Outcome {
        let seconds = self.begun.elapsed().as_millis();
        let (whole, rest) = (seconds / 1000, seconds % 1000 / 10);
        self.output.stream(&json!({ "ms": seconds, "step": step, "detail": detail }), || {
            format!("{whole:>4}.{rest:02} s  {step:<26}  {detail}")
        })
    }

    fn line(&self, text: &str) -> Outcome {
        if self.output.is_json() { Ok(()) } else { self.output.stream(&text, || text.to_owned()) }
    }
}

/// Runs the command.
///
/// # Errors
/// With the step that failed.
pub fn run(output: Output, args: DemoArgs) -> Outcome {
    super::logging::start_quiet(&crate::config::Config::default().log);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(tell(output, args))
}

async fn tell(output: Output, args: DemoArgs) -> Outcome {
    // Held until the end: dropping it removes the folder.
    let temporary;
    // While the demo stays up, there is time to look into the folder.
    let kept = args.dir.is_some() || !args.once;
    let dir = match args.dir {
        Some(dir) => {
            std::fs::create_dir_all(&dir).map_err(|error| {
                Failure::from(error).while_doing(format!("cannot make {}", dir.display()))
            })?;
            dir
        }
        None => {
            temporary = tempfile::Builder::new().prefix("roamwatt-demo-").tempdir()?;
            temporary.path().to_owned()
        }
    };
    let teller = Teller { output, begun: Instant::now() };
    teller.line("One charge, end to end. Two nodes, two stations, a driver; every message is real.\n")?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let story = tokio::select! {
        story = story::play(&teller, &dir, kept) => story?,
        _ = interrupt.recv() => return Err(Failure::new("stopped before the story ended")),
        _ = terminate.recv() => return Err(Failure::new("stopped before the story ended")),
    };
    story.show(&teller)?;
    if !args.once {
        story.show_the_way(output)?;
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
        output.note("\nstopping");
    }
    story.end().await;
    Ok(())
}
