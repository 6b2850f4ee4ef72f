//! Many stations in one process: drivers who come and go, or a measured load.

use super::car::PowerCurve;
use super::clock::later;
use super::config::StationConfig;
use super::link::LinkError;
use super::load::{LoadCounters, LoadPlan, LoadReport, Rate};
use super::progress::ProgressLine;
use super::station::{Event, SimError, StationSim};
use super::stats::{Latency, Stats, get};
use super::variety::Variety;
use super::visitor::Driver;
use crate::ocpp::v1_6::AuthorizationStatus;
use fastrand::Rng;
use futures_util::stream::{self, StreamExt};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// From the start of one station to the next, so that not all of them knock at once.
const SPAWN_EVERY: Duration = Duration::from_millis(2);

/// How long stations may take to be let in before a load: this, and a little for each.
const READY_WITHIN: Duration = Duration::from_secs(20);
const READY_EACH: Duration = Duration::from_millis(30);

/// How long the answer to a start may take.
const START_WITHIN: Duration = Duration::from_secs(60);

/// How long answers to the last messages of a load are waited for.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a graceful end may take.
const END_WITHIN: Duration = Duration::from_secs(20);

/// Things done to stations at the same time while a load is prepared or ended.
const AT_ONCE: usize = 64;

/// What a fleet is and does.
#[derive(Clone)]
pub struct FleetOptions {
    /// Base URL: `ws://127.0.0.1:8080/ocpp`.
    pub url: String,
    /// How many stations.
    pub count: usize,
    /// Their ids are this and a number from 1.
    pub id_prefix: String,
    /// Of all of them; none connects without.
    pub password: Option<String>,
    /// Connectors at each.
    pub connectors: i32,
    /// What they offer.
    pub curve: PowerCurve,
    /// Between meter values of a charge, in simulated time.
    pub meter_interval: Duration,
    /// How many times as fast as real time charges go.
    pub speed: u32,
    /// When to end by itself, in real time.
    pub duration: Option<Duration>,
    /// Of a hundred connectors, how many charge on average.
    pub charging_share: u8,
    /// Tokens that drivers present, by turns; `{n}` in one becomes a number from 1 for each connector, so that
    /// no two charge with the same.
    pub id_tags: Vec<String>,
    /// Of all random numbers.
    pub seed: u64,
    /// Send meter values at this rate in place of drivers' charges.
    pub rate: Option<Rate>,
    /// What differs between the stations.
    pub variety: Variety,
    /// How often progress is told.
    pub progress_every: Duration,
}

impl std::fmt::Debug for FleetOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FleetOptions")
            .field("url", &self.url)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Why a fleet did not run.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The URL is none.
    #[error(transparent)]
    Url(#[from] LinkError),
    /// Not all stations were let in, so that a load would measure something else.
    #[error("{accepted} of {count} stations were let in within {within:?}; the last problem: {problem}")]
    NotReady {
        /// Let in.
        accepted: u64,
        /// Wanted.
        count: usize,
        /// How long was waited.
        within: Duration,
        /// Of any station.
        problem: String,
    },
    /// A charge could not be begun, and meter values without one measure something else.
    #[error("station {station} could not begin a charge with token '{id_tag}'")]
    NoCharge {
        /// Which.
        station: String,
        /// The token.
        id_tag: String,
        /// Why.
        #[source]
        source: SimError,
    },
}

/// What a fleet has done.
#[derive(Debug, Clone, Serialize)]
pub struct FleetReport {
    /// Stations started.
    pub stations: usize,
    /// How long it ran, in milliseconds.
    pub millis: u64,
    /// Times that a socket was opened.
    pub connects: u64,
    /// Times that opening one failed.
    pub connect_failures: u64,
    /// Times that a socket was lost before the end.
    pub disconnects: u64,
    /// Calls sent.
    pub sent: u64,
    /// Calls answered with a result.
    pub answered: u64,
    /// Calls answered with an error.
    pub refused: u64,
    /// Calls not answered in time.
    pub timed_out: u64,
    /// Answers that could not be read.
    pub unreadable: u64,
    /// Calls of the server.
    pub received: u64,
    /// Charges begun.
    pub charges_started: u64,
    /// Charges ended.
    pub charges_stopped: u64,
    /// Energy of the charges ended, Wh.
    pub energy_wh: u64,
    /// From the sending of a call to its answer, in microseconds.
    pub latency_micros: Latency,
    /// Messages about charges that were not answered when it ended.
    pub unsent: usize,
    /// What went wrong last, at any station.
    pub last_problem: Option<String>,
    /// Of a load.
    pub load: Option<LoadReport>,
}

/// Runs a fleet until its duration is over or it is told to stop; `progress` gets a line every few seconds.
///
/// # Errors
/// When the URL is none, or a load cannot begin.
pub async fn run_fleet(
    options: FleetOptions,
    stop: CancellationToken,
    mut progress: impl FnMut(&str),
) -> Result<FleetReport, FleetError> {
    let begun = Instant::now();
    let stats = Arc::new(Stats::default());
    let fleet = Fleet { stats: Arc::clone(&stats), options, stop: stop.clone() };
    let work = fleet.run();
    tokio::pin!(work);
    let mut line = ProgressLine::new(begun);
    let (stations, load) = loop {
        tokio::select! {
            done = &mut work => break done?,
            () = tokio::time::sleep_until(later(line.at, fleet.options.progress_every)) => {
                progress(&line.next(&stats, fleet.options.count));
            }
        }
    };
    let disconnects = get(&stats.disconnects);
    let unsent = end_all(&stations).await;
    Ok(FleetReport {
        stations: stations.len(),
        millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        connects: get(&stats.connects),
        connect_failures: get(&stats.connect_failures),
        disconnects,
        sent: get(&stats.sent),
        answered: get(&stats.answered),
        refused: get(&stats.refused),
        timed_out: get(&stats.timed_out),
        unreadable: get(&stats.unreadable),
        received: get(&stats.received),
        charges_started: get(&stats.started),
        charges_stopped: get(&stats.stopped),
        energy_wh: get(&stats.energy_wh),
        latency_micros: stats.latency.summary(),
        unsent,
        last_problem: stats.last_problem(),
        load,
    })
}

struct Fleet {
    options: FleetOptions,
    stats: Arc<Stats>,
    stop: CancellationToken,
}

impl Fleet {
    async fn run(&self) -> Result<(Vec<StationSim>, Option<LoadReport>), FleetError> {
        let stations = self.spawn_all().await?;
        let load = match self.options.rate {
            Some(rate) => match self.run_load(&stations, rate).await {
                Ok(load) => load,
                Err(error) => {
                    // Charges that did begin are not left open.
                    end_all(&stations).await;
                    return Err(error);
                }
            },
            None => {
                self.run_drivers(&stations).await;
                None
            }
        };
        Ok((stations, load))
    }

    async fn spawn_all(&self) -> Result<Vec<StationSim>, FleetError> {
        let options = &self.options;
        let mut stations = Vec::with_capacity(options.count);
        let mut seeds = Rng::with_seed(options.seed);
        for number in 1..=options.count {
            let mut config = StationConfig::new(&options.url, format!("{}{number}", options.id_prefix));
            config.password.clone_from(&options.password);
            config.connectors = options.connectors;
            config.curve = options.curve;
            config.meter_interval = options.meter_interval;
            config.speed = options.speed;
            config.seed = seeds.u64(..);
            config.auto_plug = Some(Duration::from_secs(10));
            config.auto_unplug = Some(Duration::from_secs(60));
            options.variety.apply(number, &mut config);
            stations.push(StationSim::spawn_counted(config, Arc::clone(&self.stats))?);
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(SPAWN_EVERY) => {}
            }
        }
        Ok(stations)
    }

    /// A token for each connector.
    fn id_tags(&self) -> impl Iterator<Item = String> {
        let tags = self.options.id_tags.iter().cycle();
        (1_u64..).zip(tags).map(|(number, tag)| tag.replace("{n}", &number.to_string()))
    }

    async fn run_drivers(&self, stations: &[StationSim]) {
        let mut seeds = Rng::with_seed(self.options.seed ^ 0x5eed);
        let mut drivers = JoinSet::new();
        let mut tags = self.id_tags();
        for station in stations {
            for connector in 1..=self.options.connectors {
                let Some(id_tag) = tags.next() else { continue };
                let driver = Driver {
                    station: station.clone(),
                    connector,
                    id_tag,
                    share: u64::from(self.options.charging_share.min(100)),
                    speed: u64::from(self.options.speed.max(1)),
                    rng: Rng::with_seed(seeds.u64(..)),
                };
                drivers.spawn(driver.come_and_go());
            }
        }
        let over = async {
            match self.options.duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = over => {}
        }
        drivers.shutdown().await;
    }

    async fn run_load(&self, stations: &[StationSim], rate: Rate) -> Result<Option<LoadReport>, FleetError> {
        tokio::select! {
            () = self.stop.cancelled() => return Ok(None),
            ready = self.make_ready(stations) => ready?,
        }
        let counters = Arc::new(LoadCounters::default());
        let duration = self.options.duration.unwrap_or(Duration::from_secs(60));
        let begin = later(Instant::now(), Duration::from_millis(200));
        let end = later(begin, duration);
        let count = u32::try_from(stations.len().max(1)).unwrap_or(u32::MAX);
        // Each station's turn comes once in this time, one after the other.
        let every = match rate {
            Rate::PerSecond(wanted) => Some(Duration::from_secs(u64::from(count)) / wanted.max(1)),
            Rate::Max => None,
        };
        for (index, station) in (0_u32..).zip(stations) {
            let offset = every.unwrap_or_default().saturating_mul(index) / count;
            let plan = LoadPlan { first: later(begin, offset), every, end, counters: Arc::clone(&counters) };
            if station.load(plan).await.is_err() {
                break;
            }
        }
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep_until(end) => {}
        }
        let lasted = Instant::now().duration_since(begin);
        let patience = later(Instant::now(), DRAIN);
        while get(&counters.answered) < get(&counters.offered) && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(Some(counters.report(rate, stations.len(), lasted)))
    }

    /// Waits until all stations are let in and each has a charge.
    async fn make_ready(&self, stations: &[StationSim]) -> Result<(), FleetError> {
        let count = u32::try_from(stations.len()).unwrap_or(u32::MAX);
        let within = READY_WITHIN.saturating_add(READY_EACH.saturating_mul(count));
        let until = later(Instant::now(), within);
        while get(&self.stats.booted) < u64::try_from(stations.len()).unwrap_or(u64::MAX) {
            if Instant::now() >= until {
                return Err(FleetError::NotReady {
                    accepted: get(&self.stats.booted),
                    count: stations.len(),
                    within,
                    problem: self.stats.last_problem().unwrap_or_else(|| "none".to_owned()),
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let tags = self.id_tags();
        let begun = stream::iter(stations.iter().zip(tags)).map(|(station, id_tag)| async move {
            begin_charge(station, &id_tag).await.map_err(|source| FleetError::NoCharge {
                station: station.id().to_owned(),
                id_tag,
                source,
            })
        });
        let mut begun = begun.buffer_unordered(AT_ONCE);
        while let Some(done) = begun.next().await {
            done?;
        }
        Ok(())
    }
}

async fn begin_charge(station: &StationSim, id_tag: &str) -> Result<(), SimError> {
    let mut events = station.events();
    station.plug_in(1).await?;
    station.present_token(1, id_tag).await?;
    let answered = async {
        loop {
            match events.recv().await {
                Ok(Event::StartAnswered { status: AuthorizationStatus::Accepted, .. }) => return Ok(()),
                Ok(Event::StartAnswered { status, .. }) => return Err(SimError::Refused(status)),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(SimError::Gone),
            }
        }
    };
    tokio::time::timeout(START_WITHIN, answered).await.unwrap_or(Err(SimError::Timeout(START_WITHIN)))
}

/// Ends all charges, waits for the answers, and closes; returns the messages that stayed unanswered.
async fn end_all(stations: &[StationSim]) -> usize {
    let ended = stream::iter(stations).map(|station| async move {
        let connectors = station.snapshot().connectors;
        for (number, connector) in (1..).zip(connectors) {
            if connector.charging {
                // It may have ended meanwhile.
                drop(station.stop(number).await);
            }
            // So that the server does not keep a connector as taken.
            drop(station.unplug(number).await);
        }
        let unsent = match station.wait_for(END_WITHIN, |now| now.waiting == 0 || !now.online).await {
            Ok(now) => now.unsent,
            Err(_) => station.snapshot().unsent,
        };
        drop(station.shutdown().await);
        unsent
    });
    ended.buffer_unordered(AT_ONCE).fold(0, |sum, unsent| async move { sum + unsent }).await
}
