//! `roamwatt simulate`: charging stations that are not there, to try a server and to load it.

use super::Settings;
use super::failure::{Failure, Outcome};
use super::limits::allow_sockets;
use super::output::{Output, count, facts};
use super::simulated_cdrs::{self, SimulatedCdrsArgs};
use crate::config::{parse_duration, show_duration};
use crate::simulate::stats::{Latency, millis_text};
use crate::simulate::{
    FleetError, FleetOptions, FleetReport, LoadReport, Misdeed, PhaseRotation, PowerCurve, Rate, Variety,
    run_fleet,
};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How often the progress line comes.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// Simulates charging stations against this or any other OCPP server
#[derive(Debug, Args)]
pub struct SimulateArgs {
    #[command(subcommand)]
    command: SimulateCommand,
}

#[derive(Debug, Subcommand)]
enum SimulateCommand {
    Stations(Box<StationsArgs>),
    #[command(hide = true)]
    Cdrs(SimulatedCdrsArgs),
}

/// Runs OCPP 1.6 stations whose drivers come, charge and go, until Ctrl-C or --duration
///
/// The stations are CS1, CS2 and so on by --id-prefix. They boot, report their status, authorize, charge along
/// a power curve, send meter values, keep what happens while they are offline, and obey remote commands. With
/// --speed charges go faster than real time; their timestamps then run ahead of the server's clock. With --rate
/// they send meter values at a steady rate in place of drivers' charges, and the latency of the answers is
/// measured from the moment each was due.
///
/// They keep charging profiles and obey them (OCPP 1.6, 3.13), offline and over a reboot as well; with
/// --misbehave some of them do not.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt simulate stations --url ws://127.0.0.1:8080/ocpp --count 100 --password secret
  roamwatt simulate stations --url ws://127.0.0.1:8080/ocpp --speed 60 --charging-share 80 --duration 10m
  roamwatt simulate stations --url ws://127.0.0.1:8080/ocpp --count 20 --phases 1,3 --rotation RST,STR,TRS --misbehave ignore=2,offline=1
  roamwatt simulate stations --url ws://127.0.0.1:8080/ocpp --count 1000 --rate 5000 --duration 60s --id-tag 'SIM{n}' --json
  roamwatt simulate stations --url ws://127.0.0.1:8080/ocpp --count 1000 --rate max --duration 60s --id-tag 'SIM{n}'")]
pub struct StationsArgs {
    /// Base URL of the server; the station's id is put behind it
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:8080/ocpp")]
    pub url: String,
    /// How many stations
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub count: u32,
    /// What the stations' ids begin with; a number from 1 follows
    #[arg(long, value_name = "TEXT", default_value = "CS")]
    pub id_prefix: String,
    /// Password of all stations; without one they connect without
    #[arg(long, value_name = "SECRET", conflicts_with = "password_file")]
    pub password: Option<String>,
    /// File with the password of all stations
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Connectors of each station
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=16))]
    pub connectors: i32,
    /// What the connectors offer
    #[arg(long, value_enum, default_value_t = Power::Ac11)]
    pub power: Power,
    /// Between two meter values of a charge, in simulated time
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    pub meter_interval: Duration,
    /// How many times as fast as real time charges go
    #[arg(long, value_name = "FACTOR", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub speed: u32,
    /// When to end, in real time [default: at Ctrl-C; with --rate 60s]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub duration: Option<Duration>,
    /// Of a hundred connectors, how many charge on average
    #[arg(long, value_name = "PERCENT", default_value_t = 30, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub charging_share: u8,
    /// Token that drivers present; several are used by turns, and {n} becomes a number from 1 for each
    /// connector: servers do not let one token charge twice at the same time
    #[arg(long = "id-tag", value_name = "TOKEN", default_value = "04A2B3C4")]
    pub id_tags: Vec<String>,
    /// Meter values a second from all stations together, or max: as many as are answered
    #[arg(long, value_name = "N|max", value_parser = parse_rate)]
    pub rate: Option<Rate>,
    /// Phases of alternating current that cars use, 1 to 3; of several, one at random for each car
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "3", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub phases: Vec<u8>,
    /// On which phases of the grid the stations are wired: RST, RTS, SRT, STR, TRS or TSR; several by turns
    #[arg(long, value_name = "ROTATION,…", value_delimiter = ',', default_value = "RST")]
    pub rotation: Vec<PhaseRotation>,
    /// Of a hundred cars, how many do not charge again after a pause of ten minutes
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub sleepers: u8,
    /// How many stations misbehave, and how, the first ones in the first way and so on: they ignore (accept
    /// charging profiles and do not obey), reject, unsupported (answer so to profiles), lack (have no smart
    /// charging), late (answer ten seconds late), lossy (lose every fifth call or answer), offline (five
    /// minutes every half hour), reboot (every half hour), forget (reboot and lose their profiles)
    #[arg(long, value_name = "HOW=N,…", value_delimiter = ',', value_parser = parse_misdeed)]
    pub misbehave: Vec<(Misdeed, u32)>,
    /// Seed of all random numbers, to have the same run again
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Power curves by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Power {
    /// 11 kW on three phases
    Ac11,
    /// 22 kW on three phases
    Ac22,
    /// 50 kW direct current
    Dc50,
    /// 150 kW direct current
    Dc150,
}

impl Power {
    fn curve(self) -> PowerCurve {
        match self {
            Self::Ac11 => PowerCurve::AC_11,
            Self::Ac22 => PowerCurve::Ac { watts: 22_080, phases: 3 },
            Self::Dc50 => PowerCurve::Dc { watts: 50_000 },
            Self::Dc150 => PowerCurve::DC_150,
        }
    }
}

pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "is no time like 10s, 5m or 1h 30m".to_owned())
}

fn parse_misdeed(text: &str) -> Result<(Misdeed, u32), String> {
    let (how, count) = text.split_once('=').unwrap_or((text, "1"));
    let count = count.trim().parse().map_err(|_| format!("'{count}' is no number of stations"))?;
    Ok((how.parse()?, count))
}

fn parse_rate(text: &str) -> Result<Rate, String> {
    match text.parse() {
        _ if text == "max" => Ok(Rate::Max),
        Ok(wanted) if (1..=1_000_000).contains(&wanted) => Ok(Rate::PerSecond(wanted)),
        _ => Err("is neither a whole number from 1 nor max".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// When the URL is none or the stations cannot begin; when a load was not answered in full.
pub fn run(settings: &Settings, output: Output, args: SimulateArgs) -> Outcome {
    let args = match args.command {
        SimulateCommand::Stations(args) => *args,
        SimulateCommand::Cdrs(args) => return simulated_cdrs::run(settings, output, &args),
    };
    let options = options(args)?;
    allow_sockets(options.count)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(run_stations(output, options))
}

fn options(args: StationsArgs) -> Result<FleetOptions, Failure> {
    let password = match (args.password, args.password_file) {
        (Some(password), _) => Some(password),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                Failure::from(error).while_doing(format!("cannot read the password file {}", file.display()))
            })?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, None) => None,
    };
    if let Some(long) = args.id_tags.iter().find(|tag| longest(tag) > 20) {
        return Err(Failure::wrong_use(format!(
            "the token '{long}' has more than the 20 characters of OCPP 1.6"
        )));
    }
    let misbehaving: u64 = args.misbehave.iter().map(|(_, count)| u64::from(*count)).sum();
    if misbehaving > u64::from(args.count) {
        return Err(Failure::wrong_use(format!(
            "{misbehaving} stations are to misbehave and there are {}",
            args.count
        )));
    }
    Ok(FleetOptions {
        url: args.url,
        count: usize::try_from(args.count)?,
        id_prefix: args.id_prefix,
        password,
        connectors: args.connectors,
        curve: args.power.curve(),
        meter_interval: args.meter_interval,
        speed: args.speed,
        duration: args.duration,
        charging_share: args.charging_share,
        id_tags: args.id_tags,
        seed: args.seed,
        rate: args.rate,
        variety: Variety {
            car_phases: args.phases,
            rotations: args.rotation,
            sleepers: args.sleepers,
            misdeeds: args.misbehave,
        },
        progress_every: PROGRESS_EVERY,
    })
}

/// Characters of a token with up to six digits for its number.
fn longest(tag: &str) -> usize {
    tag.replace("{n}", "123456").chars().count()
}

async fn run_stations(output: Output, options: FleetOptions) -> Outcome {
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let fleet = run_fleet(options, stop.clone(), |line| output.note(line));
    tokio::pin!(fleet);
    let done = tokio::select! {
        done = &mut fleet => done,
        _ = interrupt.recv() => {
            stopping(output, &stop);
            fleet.await
        }
        _ = terminate.recv() => {
            stopping(output, &stop);
            fleet.await
        }
    };
    let report = done.map_err(explain)?;
    output.show(&report, || report_text(&report))?;
    match &report.load {
        _ if report.connects == 0 => Err(Failure::new(match &report.last_problem {
            Some(problem) => format!("no station could connect: {problem}"),
            None => "no station could connect".to_owned(),
        })),
        Some(load) if load.unanswered > 0 => Err(Failure::new(format!(
            "{} of {} meter values were not answered",
            load.unanswered, load.offered
        ))),
        _ => Ok(()),
    }
}

fn stopping(output: Output, stop: &CancellationToken) {
    output.note("stopping: the charges are ended and their last messages sent");
    stop.cancel();
}

fn explain(error: FleetError) -> Failure {
    let remedy = match &error {
        FleetError::Url(_) => "give --url like ws://127.0.0.1:8080/ocpp",
        FleetError::NotReady { .. } => {
            "the server must know the stations (roamwatt station add) and the password (--password)"
        }
        FleetError::NoCharge { .. } => {
            "the server must know the token (roamwatt token add); --id-tag 'SIM{n}' gives each connector its own"
        }
    };
    Failure::from(error).with_remedy(remedy)
}

fn report_text(report: &FleetReport) -> String {
    let lasted = show_duration(Duration::from_millis(report.millis));
    let mut lines = vec![
        ("stations", format!("{} for {lasted}", report.stations)),
        (
            "connections",
            format!(
                "{} opened, {} lost, {} failed",
                report.connects, report.disconnects, report.connect_failures
            ),
        ),
        (
            "calls",
            format!(
                "{} sent, {} answered, {} refused, {} timed out, {} unreadable",
                report.sent, report.answered, report.refused, report.timed_out, report.unreadable
            ),
        ),
        ("answers", latency_text(&report.latency_micros)),
        ("calls of the server", report.received.to_string()),
        (
            "charges",
            format!(
                "{} begun, {} ended, {}.{:03} kWh",
                report.charges_started,
                report.charges_stopped,
                report.energy_wh / 1000,
                report.energy_wh % 1000
            ),
        ),
    ];
    if let Some(problem) = &report.last_problem {
        lines.push(("last problem", problem.clone()));
    }
    if report.unsent > 0 {
        lines.push(("not delivered", count(report.unsent, "message")));
    }
    if let Some(load) = &report.load {
        lines.extend(load_lines(load));
    }
    facts(&lines)
}

fn load_lines(load: &LoadReport) -> [(&'static str, String); 3] {
    let wanted = match load.wanted_per_second {
        Some(wanted) => format!("{wanted}/s wanted"),
        None => "as fast as answered".to_owned(),
    };
    let lasted = show_duration(Duration::from_millis(load.millis));
    [
        ("load", format!("{wanted} from {} for {lasted}", count(load.stations, "station"))),
        (
            "meter values",
            format!(
                "{} due, {} answered ({}/s), {} unanswered",
                load.offered, load.answered, load.answered_per_second, load.unanswered
            ),
        ),
        ("latency from due", latency_text(&load.latency_micros)),
    ]
}

fn latency_text(latency: &Latency) -> String {
    let Latency { count: _, p50, p90, p99, p999, max } = latency;
    let [p50, p90, p99, p999, max] = [p50, p90, p99, p999, max].map(|micros| millis_text(*micros));
    format!("p50 {p50} ms, p90 {p90} ms, p99 {p99} ms, p99.9 {p999} ms, max {max} ms")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: StationsArgs,
    }

    fn parse(line: &str) -> Result<StationsArgs, clap::Error> {
        Line::try_parse_from(std::iter::once("x").chain(line.split_whitespace())).map(|line| line.args)
    }

    #[test]
    fn flags_become_options() {
        let args = parse(
            "--url ws://h/o --count 1000 --rate 5000 --duration 60s --id-tag A --id-tag B --power dc50",
        );
        let options = options(args.unwrap()).unwrap();
        assert_eq!((options.count, options.rate), (1000, Some(Rate::PerSecond(5000))));
        assert_eq!(options.duration, Some(Duration::from_secs(60)));
        assert_eq!(options.id_tags, ["A", "B"]);
        assert_eq!(options.curve, PowerCurve::Dc { watts: 50_000 });
        assert_eq!(parse("--rate max").unwrap().rate, Some(Rate::Max));
        for wrong in ["--rate 0", "--rate fast", "--count 0", "--duration 60", "--charging-share 101"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            options.variety,
            Variety { car_phases: vec![3], rotations: vec![PhaseRotation::Rst], ..Variety::default() }
        );
        let args = parse("--phases 1,3 --rotation str,TRS --sleepers 20 --misbehave ignore=2,offline");
        let variety = super::options(args.unwrap()).unwrap().variety;
        assert_eq!((variety.car_phases, variety.sleepers), (vec![1, 3], 20));
        assert_eq!(variety.rotations, [PhaseRotation::Str, PhaseRotation::Trs]);
        assert_eq!(variety.misdeeds, [(Misdeed::Ignore, 2), (Misdeed::Offline, 1)]);
        for wrong in ["--phases 4", "--rotation RRR", "--misbehave steal=1", "--misbehave late=x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let many = parse("--count 2 --misbehave late=2,lossy=1").unwrap();
        assert_eq!(super::options(many).unwrap_err().code(), super::super::failure::WRONG_USE);
        let long = parse("--id-tag 123456789012345678901").unwrap();
        assert_eq!(super::options(long).unwrap_err().code(), super::super::failure::WRONG_USE);
    }

    #[test]
    fn the_password_comes_from_a_file_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "secret \r\n").unwrap();
        let args = parse(&format!("--password-file {}", file.display())).unwrap();
        assert_eq!(options(args).unwrap().password.as_deref(), Some("secret "));
        assert!(options(parse("--password-file /nowhere/at/all").unwrap()).is_err());
    }
}
