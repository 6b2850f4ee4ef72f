//! The task that runs all sites. Once a site runs it waits for nothing but news: what takes time is done beside it and
//! comes back as news. Only when a site starts, its ledger is read first.

use super::feed::{Known, Notice, Notices, answer};
use super::record::{self, Records};
use super::runner::Runner;
use crate::app::App;
use crate::db::load::{self as stored, SiteRow};
use crate::db::{DbError, charges};
use crate::domain::Timestamp;
use crate::domain::station::StationId;
use crate::load::ledger::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often every site is looked at without news.
const TICK: Duration = Duration::from_secs(2);

/// How many notices are taken before it decides: many come at once.
const BATCH: usize = 4_096;

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, mut notices: Notices, stop: CancellationToken) {
    let records = Records::start(app.db.clone());
    let mut manager =
        Manager { app: Arc::clone(&app), records, runners: BTreeMap::new(), site_of: HashMap::new() };
    manager.look_for_sites();
    let mut looked = app.now();
    let mut forgot = looked;
    loop {
        let next = manager.runners.values().filter_map(Runner::next_change).min();
        let due = async {
            match next.and_then(Timestamp::from_millis) {
                Some(at) => app.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let mut changed = BTreeSet::new();
        tokio::select! {
            () = stop.cancelled() => return,
            first = notices.0.recv() => {
                let Some(first) = first else { return };
                manager.take(first, &mut changed).await;
                for _ in 0..BATCH {
                    let Ok(more) = notices.0.try_recv() else { break };
                    manager.take(more, &mut changed).await;
                }
            }
            () = due => changed.extend(manager.runners.keys().cloned()),
            // Both the machine's time and the app's, which tests turn.
            () = app.clock.sleep(TICK) => changed.extend(manager.runners.keys().cloned()),
            () = tokio::time::sleep(TICK) => {
                changed.extend(manager.runners.keys().cloned());
            }
        }
        for site in changed {
            if let Some(runner) = manager.runners.get_mut(&site) {
                runner.tick();
            }
        }
        if app.now().millis_since(forgot) > 3_600_000 {
            forgot = app.now();
            record::forget(&manager.records, &app.config.load, forgot);
        }
        // Another process may have written sites.
        if app.now().millis_since(looked) > 5_000 {
            looked = app.now();
            manager.look_for_sites();
        }
    }
}

struct Manager {
    app: Arc<App>,
    records: Records,
    runners: BTreeMap<String, Runner>,
    site_of: HashMap<StationId, String>,
}

impl Manager {
    /// Reads the sites beside this task; they come back as news.
    fn look_for_sites(&self) {
        let app = Arc::clone(&self.app);
        let known: BTreeMap<String, i64> = self
            .runners
            .iter()
            .filter_map(|(site, runner)| Some((site.clone(), runner.outlook_revision?)))
            .collect();
        tokio::spawn(async move {
            let read = move |conn: &mut _| {
                Ok::<_, DbError>((stored::all(conn)?, stored::changed_outlooks(conn, &known)?))
            };
            match app.db.read(read).await {
                Ok((sites, outlooks)) => app.energy.tell(Notice::Loaded(sites, outlooks)),
                Err(error) => {
                    tracing::error!(%error, "the sites under load management cannot be read");
                }
            }
        });
    }

    async fn take(&mut self, notice: Notice, changed: &mut BTreeSet<String>) {
        let station = match &notice {
            Notice::Online(station) | Notice::Offline(station) | Notice::Booted(station) => Some(station),
            Notice::Began { station, .. }
            | Notice::Ended { station, .. }
            | Notice::Status { station, .. }
            | Notice::Metered { station, .. }
            | Notice::Admit { station, .. }
            | Notice::Wish { station, .. }
            | Notice::Forgive { station, .. } => Some(station),
            _ => None,
        };
        if let Some(station) = station.cloned() {
            let site = self.site_of.get(&station).cloned();
            let runner = site.as_ref().and_then(|site| self.runners.get_mut(site));
            match (runner, notice) {
                (Some(runner), notice) => runner.at_station(&station, notice),
                (None, Notice::Admit { reply, .. }) => answer(reply, true),
                (None, Notice::Wish { reply, .. } | Notice::Forgive { reply, .. }) => {
                    answer(reply, Known::No);
                }
                (None, _) => {}
            }
            changed.extend(site);
            return;
        }
        match notice {
            Notice::SiteMeter { site, meter, amps, at, reply } => {
                let known = self.at(&site, changed, |runner| runner.site_meter(&meter, amps, at));
                if let Some(reply) = reply {
                    answer(reply, known);
                } else if known != Known::Yes {
                    tracing::warn!(site, meter, "a reading of a meter that no site has");
                }
            }
            Notice::Heartbeat { site, reply } => {
                answer(reply, self.at(&site, changed, Runner::heartbeat));
            }
            Notice::Limit { site, limit, reply } => {
                answer(reply, self.at(&site, changed, |runner| runner.limit(limit)));
            }
            Notice::View { site, reply } => answer(reply, self.runners.get(&site).map(Runner::view)),
            Notice::Changed => self.look_for_sites(),
            Notice::Loaded(sites, outlooks) => {
                self.load(sites, changed).await;
                for (site, revision, outlook) in outlooks {
                    if let Some(runner) = self.runners.get_mut(&site)
                        && runner.outlook_revision.is_none_or(|known| known < revision)
                    {
                        tracing::info!(site, revision, "the outlook of a site changed");
                        runner.outlook(revision, outlook);
                        changed.insert(site);
                    }
                }
            }
            Notice::Persisted { site, orders, replies, durable } => {
                if let Some(runner) = self.runners.get_mut(&site) {
                    runner.persisted(orders, replies, durable);
                }
                changed.insert(site);
            }
            Notice::Done { site, order, outcome, composite } => {
                if let Some(runner) = self.runners.get_mut(&site) {
                    runner.done(&order, outcome, composite);
                }
                changed.insert(site);
            }
            _ => {}
        }
    }

    fn at(
        &mut self,
        site: &str,
        changed: &mut BTreeSet<String>,
        act: impl FnOnce(&mut Runner) -> Known,
    ) -> Known {
        changed.insert(site.to_owned());
        self.runners.get_mut(site).map_or(Known::No, act)
    }

    /// Starts sites that are new or have changed, with the newest pages of their ledgers, and stops those that are
    /// gone.
    async fn load(&mut self, sites: Vec<SiteRow>, changed: &mut BTreeSet<String>) {
        let same = |row: &SiteRow| {
            self.runners.get(&row.site.id).is_some_and(|runner| runner.revision == row.revision)
        };
        let stay: BTreeSet<String> = sites.iter().map(|row| row.site.id.clone()).collect();
        let new: Vec<SiteRow> = sites.into_iter().filter(|row| !same(row)).collect();
        let gone = self.runners.keys().filter(|id| !stay.contains(*id)).cloned().collect::<Vec<_>>();
        if new.is_empty() && gone.is_empty() {
            return;
        }
        // What runs knows more than the database.
        let mut pages: HashMap<(String, i32), Entry> = HashMap::new();
        for runner in self.runners.values() {
            pages.extend(runner.pages().map(|(station, connector, page)| ((station, connector), page)));
        }
        for id in gone {
            tracing::info!(site = id, "load management of a site ended");
            self.runners.remove(&id);
        }
        for row in new {
            match self.start(&row, &pages).await {
                Ok(mut runner) => {
                    // One with a lower revision is another site of the same name.
                    let before =
                        self.runners.get(&row.site.id).filter(|before| before.revision < row.revision);
                    if let Some((revision, outlook)) = before.and_then(Runner::followed) {
                        runner.outlook(revision, Some(outlook));
                    }
                    tracing::info!(
                        site = row.site.id,
                        revision = row.revision,
                        "load management of a site runs"
                    );
                    changed.insert(row.site.id.clone());
                    self.runners.insert(row.site.id, runner);
                }
                Err(error) => {
                    tracing::error!(site = row.site.id, %error, "load management of a site cannot start; trying again");
                }
            }
        }
        self.site_of = self
            .runners
            .iter()
            .flat_map(|(site, runner)| runner.station_ids().map(|station| (station.clone(), site.clone())))
            .collect();
        self.app.energy.set_stations(self.site_of.keys().cloned().collect());
    }

    /// With the pages of its connectors, and the charges that go on at them.
    async fn start(&self, row: &SiteRow, known: &HashMap<(String, i32), Entry>) -> Result<Runner, DbError> {
        let site = row.site.clone();
        let places: Vec<(String, i32)> = site
            .stations
            .iter()
            .flat_map(|station| {
                station.connectors.iter().map(|connector| (station.id.clone(), connector.number))
            })
            .collect();
        let known: Vec<Option<Entry>> = places.iter().map(|place| known.get(place).cloned()).collect();
        let pages = self
            .app
            .db
            .read(move |conn| {
                let mut pages = Vec::new();
                for ((station, connector), known) in places.iter().zip(known) {
                    let mut page = match known {
                        Some(page) => Some(page),
                        None => stored::page(conn, station, *connector)?,
                    };
                    let active = charges::active_at(conn, station, Some(*connector))?;
                    let transaction = active.first().map(|charge| charge.transaction_id);
                    if let Some(page) = page.as_mut() {
                        match transaction {
                            Some(transaction) => page.begin(transaction),
                            None => page.end(),
                        }
                    }
                    pages.push((page, transaction));
                }
                Ok::<_, DbError>(pages)
            })
            .await?;
        let (pages, transactions): (Vec<_>, Vec<_>) = pages.into_iter().unzip();
        let mut runner = Runner::new(
            Arc::clone(&self.app),
            self.records.clone(),
            row.site.clone(),
            row.revision,
            pages,
            row.grid_limit,
        );
        runner.goes_on(&transactions);
        Ok(runner)
    }
}
