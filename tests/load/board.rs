//! A board of twenty stations on 63 A, three phases, through an hour of arrivals: simulated stations over real
//! sockets, a node that manages them, and the time turned for both. One station accepts limits and ignores them, one
//! loses its connection. What they draw is asked of the stations themselves, which know what really flows.

use crate::charging::site::{Site as Place, at, token};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::clock::Clock;
use roamwatt::db::{DbError, tokens};
use roamwatt::energy::sites::put_site;
use roamwatt::load::control::{GridLimit, SiteView};
use roamwatt::load::ledger::Trust;
use roamwatt::load::site::Site;
use roamwatt::simulate::{CarConfig, Misbehaviour, PowerCurve, ProfileManners, StationConfig, StationSim};
use std::time::Duration;

/// Milliamperes that a phase may carry.
const CAP: u64 = 63_000;
const STATIONS: usize = 20;
/// Accepts limits and draws all it can.
const IGNORES: usize = 3;
/// Loses its connection in the middle of a charge.
const GOES_AWAY: usize = 7;
/// A step of the turned clock.
const STEP: Duration = Duration::from_secs(10);

/// A place with stations, a board that feeds them all, and an eMSP's token for each.
struct Board {
    place: Place,
    stations: Vec<StationSim>,
}

fn board(more: &str, count: usize) -> Site {
    let mut text = format!(
        "id = 'board'\ntime_zone = 'Europe/Berlin'\n{more}\n[[node]]\nid = 'feed'\namps = 63\nmargin_amps = 1\n"
    );
    for number in 0..count {
        text += &format!(
            "[[station]]\nid = 'CS{number}'\nparent = 'feed'\n[[station.connector]]\nnumber = 1\namps = 32\n"
        );
    }
    Site::from_toml(&text).unwrap()
}

/// Gives sockets and tasks time for what the turned clock set off.
async fn breathe() {
    tokio::time::sleep(Duration::from_millis(40)).await;
}

impl Board {
    async fn start(db: &TestDb, count: usize, more: &str, manners: impl Fn(usize) -> ProfileManners) -> Self {
        let place = Place::bare(db.url(), count, Clock::manual(at(0)), |config| {
            config.ocpp.allow_no_auth = true;
            // The clock leaps; what is not about the charge goes by real time and must not come in between.
            config.charging.stale_session_timeout = Duration::from_secs(86_400);
        })
        .await;
        let site = board(more, count);
        let app = place.node.app();
        app.db
            .write(move |conn| {
                for number in 0..count {
                    tokens::upsert(conn, &token(&format!("T{number}"), true), None)?;
                }
                put_site(conn, &site, at(0)).unwrap();
                Ok::<_, DbError>(())
            })
            .await
            .unwrap();
        app.energy.sites_changed();
        while app.energy.view("board").await.is_none() {
            breathe().await;
        }
        let spawn = |number: usize| {
            let mut config = StationConfig::new(place.node.ws_url("/ocpp"), format!("CS{number}"));
            config.clock = Some(place.clock.clone());
            config.curve = PowerCurve::Ac { watts: 22_080, phases: 3 };
            config.seed = number as u64;
            config.misbehaviour = Misbehaviour { profiles: manners(number), ..Misbehaviour::default() };
            StationSim::spawn(config).unwrap()
        };
        let board = Self { stations: (0..count).map(spawn).collect(), place };
        for station in &board.stations {
            let limited = |now: &roamwatt::simulate::Snapshot| now.connectors[0].limits.default == Some(0);
            board.until(|| async { limited(&station.measure().await.unwrap()) }).await;
        }
        board
    }

    /// Lets real time pass until something is so.
    async fn until<F: Future<Output = bool>>(&self, mut is_so: impl FnMut() -> F) {
        for _ in 0..1_000 {
            if is_so().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it did not come: {:#?}", self.view().await.connectors);
    }

    async fn view(&self) -> SiteView {
        self.place.node.app().energy.view("board").await.unwrap()
    }

    /// Turns the clock by a step; milliamperes on each phase after it.
    async fn step(&self) -> [u64; 3] {
        self.place.clock.advance(STEP);
        breathe().await;
        let mut sums = [0; 3];
        for station in &self.stations {
            let now = station.measure().await.unwrap();
            for (sum, part) in sums.iter_mut().zip(now.milliamperes) {
                *sum += part;
            }
        }
        sums
    }

    /// A driver plugs in and presents a card, and goes away where it is not let in. It may have to wait for room, so
    /// this is not waited for.
    fn arrives(&self, number: usize) {
        let station = self.stations[number].clone();
        tokio::spawn(async move {
            let car = CarConfig::new(60_000, 200);
            if station.plug_in_like(1, car).await.is_ok()
                && station.present_token(1, &format!("T{number}")).await.is_err()
            {
                drop(station.unplug(1).await);
            }
        });
    }

    async fn is_charging(&self, number: usize) -> bool {
        self.stations[number].measure().await.unwrap().connectors[0].charging
    }
}

on_each_engine! {
    async fn the_board_stays_below_its_fuse_for_an_hour(db: TestDb) {
        let manners = |number| if number == IGNORES { ProfileManners::Ignores } else { ProfileManners::Obeys };
        let board = Board::start(&db, STATIONS, "", manners).await;
        // Before a site is handed over, a car charges for a moment at each station, so that each shows that it obeys.
        for number in (0..STATIONS).filter(|number| *number != IGNORES) {
            board.arrives(number);
            for _ in 0..30 {
                board.step().await;
                if board.view().await.connectors[number].trust == Trust::Proven {
                    break;
                }
            }
            board.stations[number].unplug(1).await.unwrap();
        }
        let mut most = 0;
        let mut charged = std::collections::BTreeSet::new();
        for step in 0..360 {
            // One comes every two and a half minutes, and tries again every minute where there was no room.
            if step % 6 == 0 {
                for number in (0..STATIONS).filter(|number| number * 15 <= step) {
                    if board.is_charging(number).await {
                        charged.insert(number);
                    } else {
                        board.arrives(number);
                    }
                }
            }
            if step == 150 {
                board.stations[GOES_AWAY].go_offline().await.unwrap();
            }
            if step == 280 {
                board.stations[GOES_AWAY].go_online().await.unwrap();
            }
            let sums = board.step().await;
            assert!(
                sums.iter().all(|sum| *sum <= CAP),
                "{sums:?} mA flow at step {step}: {:#?}",
                board.view().await.connectors
            );
            most = most.max(sums.into_iter().max().unwrap());
        }
        assert!(most > 45_000, "the board was used: at most {most} mA");
        assert_eq!(charged.len(), STATIONS, "cars charged at {charged:?}");
        let view = board.view().await;
        assert_eq!(view.connectors[IGNORES].trust, Trust::Ignores, "{:#?}", view.connectors[IGNORES]);
        assert_eq!(view.connectors.iter().filter(|connector| connector.trust == Trust::Proven).count(), STATIONS - 1);
        let events = board.place.node.app().db.read(|conn| {
            roamwatt::db::load::events(conn, "board", at(0), at(7_200), 0, 1_000)
        }).await.unwrap();
        assert!(events.iter().any(|event| event.kind == "ignores" && event.about == format!("CS{IGNORES}")));
    }

    async fn a_grid_limit_is_kept_at_once_and_survives_a_restart(db: TestDb) {
        let agreed = "[grid_control]\nfailsafe_watts = 4200\nheartbeat_seconds = 100000\n";
        let board = Board::start(&db, 2, agreed, |_| ProfileManners::Obeys).await;
        let app = board.place.node.app();
        app.energy.limit("board", GridLimit { watts: None, until: None }).await;
        board.arrives(0);
        for _ in 0..60 {
            board.step().await;
        }
        let [before, ..] = board.step().await;
        assert!(before > 25_000, "{before} mA: {:#?}", board.view().await.connectors);
        app.energy.limit("board", GridLimit { watts: Some(4_200.0), until: None }).await;
        let told = || async { board.view().await.connectors[0].granted.is_some_and(|granted| granted <= 60) };
        board.until(told).await;
        board.step().await;
        let [after, ..] = board.step().await;
        // 4.2 kW on three phases of 230 V are 6.08 A.
        assert!((5_500..=6_090).contains(&after), "{after} mA");
        // What happens is written down beside it.
        let recorded = || async {
            let read = |conn: &mut _| roamwatt::db::load::events(conn, "board", at(0), at(7_200), 0, 1_000);
            let events = app.db.read(read).await.unwrap();
            ["grid_limit", "grid_limit_kept"].iter().all(|kind| events.iter().any(|event| event.kind == *kind))
        };
        board.until(recorded).await;
        let row = app.db.read(|conn| roamwatt::db::load::find(conn, "board")).await.unwrap().unwrap();
        assert_eq!(row.grid_limit, Some(GridLimit { watts: Some(4_200.0), until: None }));
    }
}
