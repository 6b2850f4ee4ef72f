//! Many CDRs priced again at once. One thread reads them in the order of their creation, the others price; only what
//! came out otherwise than before is written, many at a time. Never more than a few batches are in memory.

use super::check::{Checking, recheck};
use crate::clock::Clock;
use crate::db::cdrs::{self, CdrFilter, RawCdr};
use crate::db::locations::PlacedZone;
use crate::db::{Db, DbConn, DbError, DbResult, cdr_checks, locations};
use crate::pricing::stored::{ReadyTariffs, StoredCdr};
use crate::pricing::{Check, CheckState, Finding, PricingRecord};
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// Places in the order of creation that are read at once.
const BATCH: i64 = 1000;
/// Batches that wait to be priced, and that wait to be counted.
const WAITING: usize = 4;
/// Checks that are written at once.
const WRITTEN_AT_ONCE: usize = 500;

/// A CDR that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its owner, like `DE*ABC`.
    pub party: String,
    /// Its id.
    pub id: String,
    /// The partner that sent it, if it is not ours.
    pub partner_id: Option<i64>,
    /// What came out.
    pub check: Check,
}

/// How many there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// CDRs.
    pub cdrs: u64,
    /// Of these, as they should be.
    pub ok: u64,
    /// Of these, with differences.
    pub differ: u64,
    /// Of these, that cannot be priced.
    pub unpriceable: u64,
}

impl Verified {
    fn count(&mut self, state: CheckState) {
        self.cdrs += 1;
        match state {
            CheckState::Ok => self.ok += 1,
            CheckState::Differs => self.differ += 1,
            CheckState::Unpriceable => self.unpriceable += 1,
        }
    }
}

/// What is told on the way.
#[derive(Debug)]
pub enum Step {
    /// So many places in the order of creation lie before the work.
    Total(u64),
    /// So many more are done.
    Done(u64),
    /// A CDR that is not as it should be.
    Found(Box<Found>),
}

/// CDRs as they were read.
struct Batch {
    places: u64,
    rows: Vec<RawCdr>,
    /// Those of which a check is kept.
    known: HashSet<i64>,
}

/// A CDR whose kept check has to be looked at.
#[derive(Debug, Clone)]
struct Outcome {
    seq: i64,
    /// What came out; a credit CDR is checked by whoever writes, for it has to be compared with its original.
    check: Option<Check>,
    party: String,
    id: String,
    partner_id: Option<i64>,
}

/// What became of a batch.
struct Priced {
    places: u64,
    /// CDRs that are as they should be, and of which nothing is kept.
    fine: u64,
    outcomes: Vec<Outcome>,
}

type Zones = HashMap<String, Tz>;

/// Prices all CDRs of a filter again. `threads` price; one more reads.
///
/// # Errors
/// When the database fails; what was written until then stays.
pub async fn verify_all(
    db: &Db,
    clock: &Clock,
    checking: Checking,
    filter: CdrFilter,
    threads: usize,
    mut told: impl FnMut(Step),
) -> DbResult<Verified> {
    let Some((first, last)) = db.read(cdrs::places).await? else { return Ok(Verified::default()) };
    told(Step::Total(u64::try_from(last - first + 1).unwrap_or_default()));
    let zones = Arc::new(db.read(zones).await?);
    let (batches, waiting) = sync_channel(WAITING);
    let reading = db.clone();
    let reader =
        tokio::spawn(
            async move { reading.read(move |conn| read(conn, &filter, (first, last), &batches)).await },
        );
    let waiting = Arc::new(Mutex::new(waiting));
    let (results, mut priced) = mpsc::channel(WAITING);
    let start = |_| {
        let (waiting, zones, results) = (Arc::clone(&waiting), Arc::clone(&zones), results.clone());
        // It ends when the reader has ended, or when nobody takes its results any more.
        tokio::task::spawn_blocking(move || price(&waiting, &zones, checking, &results))
    };
    let pricing: Vec<_> = (0..threads.max(1)).map(start).collect();
    drop((results, waiting));
    let mut verified = Verified::default();
    let mut unwritten: Vec<Outcome> = Vec::new();
    while let Some(Priced { places, fine, outcomes }) = priced.recv().await {
        verified.cdrs += fine;
        verified.ok += fine;
        unwritten.extend(outcomes);
        if unwritten.len() >= WRITTEN_AT_ONCE {
            write(db, clock, checking, &mut unwritten, &mut verified, &mut told).await?;
        }
        told(Step::Done(places));
    }
    write(db, clock, checking, &mut unwritten, &mut verified, &mut told).await?;
    reader.await.unwrap_or(Err(DbError::Panicked))?;
    for thread in pricing {
        // What it had in hands is not counted.
        thread.await.map_err(|_| DbError::Panicked)?;
    }
    Ok(verified)
}

/// The zones of all locations, by owner and folded id.
fn zones(conn: &mut DbConn) -> DbResult<Zones> {
    let all = locations::zones(conn)?.into_iter();
    let parsed = all.filter_map(|placed| {
        let PlacedZone { country_code, party_id, id, zone } = placed;
        Some((place_key(&country_code, &party_id, &id), zone.parse().ok()?))
    });
    Ok(parsed.collect())
}

fn place_key(country: &str, party: &str, location: &str) -> String {
    let mut key = format!("{country}*{party}*{location}");
    key.make_ascii_lowercase();
    key
}

/// Reads batch after batch until all are read, or nobody takes them any more.
fn read(
    conn: &mut DbConn,
    filter: &CdrFilter,
    (first, last): (i64, i64),
    batches: &SyncSender<Batch>,
) -> DbResult<()> {
    let mut behind = first - 1;
    while behind < last {
        let up_to = behind.saturating_add(BATCH).min(last);
        let rows = cdrs::raw_between(conn, filter, behind, up_to)?;
        let known = cdr_checks::known_between(conn, behind, up_to)?.into_iter().collect();
        let places = u64::try_from(up_to - behind).unwrap_or_default();
        if batches.send(Batch { places, rows, known }).is_err() {
            return Ok(());
        }
        behind = up_to;
    }
    Ok(())
}

fn price(
    waiting: &Mutex<Receiver<Batch>>,
    zones: &Zones,
    checking: Checking,
    results: &mpsc::Sender<Priced>,
) {
    let mut ready = ReadyTariffs::default();
    loop {
        // A thread that panicked with the lock leaves the queue as it was.
        let next = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(Batch { places, rows, known }) = next else { return };
        let mut priced = Priced { places, fine: 0, outcomes: Vec::new() };
        for row in &rows {
            let (id, check) = check_row(row, zones, checking, &mut ready);
            if check.state == CheckState::Ok && !row.credit && !known.contains(&row.seq) {
                priced.fine += 1;
                continue;
            }
            priced.outcomes.push(Outcome {
                seq: row.seq,
                check: (!row.credit).then_some(check),
                party: format!("{}*{}", row.country_code, row.party_id),
                id,
                partner_id: row.partner_id,
            });
        }
        if results.blocking_send(priced).is_err() {
            return;
        }
    }
}

fn check_row(row: &RawCdr, zones: &Zones, checking: Checking, ready: &mut ReadyTariffs) -> (String, Check) {
    let stored = match StoredCdr::read(&row.body) {
        Ok(stored) => stored,
        Err(error) => return (String::new(), Check::unpriceable(vec![Finding::new("$", error.to_string())])),
    };
    let record: Option<PricingRecord> =
        row.policy.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let recorded = record.as_ref().and_then(|record| record.zone.parse().ok());
    let zone = recorded.or_else(|| {
        let key = place_key(&row.country_code, &row.party_id, stored.location());
        zones.get(&key).copied().or_else(|| stored.own_zone())
    });
    let policy = record.map_or(checking.policy, |record| record.policy);
    let check = stored.check(zone, policy, ready, &checking.tolerance);
    (stored.id().to_owned(), check)
}

/// Writes what came out, and tells and counts it.
async fn write(
    db: &Db,
    clock: &Clock,
    checking: Checking,
    outcomes: &mut Vec<Outcome>,
    verified: &mut Verified,
    told: &mut impl FnMut(Step),
) -> DbResult<()> {
    let all = std::mem::take(outcomes);
    for some in all.chunks(WRITTEN_AT_ONCE) {
        let (some, clock) = (some.to_vec(), clock.clone());
        let found = db.write(move |conn| keep(conn, &some, checking, &clock)).await?;
        for one in found {
            verified.count(one.check.state);
            if one.check.state != CheckState::Ok {
                told(Step::Found(Box::new(one)));
            }
        }
    }
    Ok(())
}

fn keep(conn: &mut DbConn, outcomes: &[Outcome], checking: Checking, clock: &Clock) -> DbResult<Vec<Found>> {
    let mut found = Vec::with_capacity(outcomes.len());
    for Outcome { seq, check, party, id, partner_id } in outcomes {
        let check = match check {
            Some(check) => {
                cdr_checks::keep(conn, *seq, check, clock.now())?;
                check.clone()
            }
            None => match recheck(conn, *seq, &checking, clock.now())? {
                Some(check) => check,
                None => continue,
            },
        };
        found.push(Found { party: party.clone(), id: id.clone(), partner_id: *partner_id, check });
    }
    Ok(found)
}
