//! `roamwatt import`: locations, tariffs and tokens of our parties, from OCPI 2.2.1 JSON.
//!
//! Every object is read and held against the specification first. What can be understood is put right and told;
//! what cannot is told by index and field. Only then anything is written.

mod file;
mod kinds;
mod report;

use super::failure::{Failure, Outcome};
use super::output::{Output, Progress};
use super::party::party_meant;
use super::store::Store;
use super::{Settings, failure};
use crate::db::parties;
use crate::domain::Timestamp;
use crate::domain::location::Location;
use crate::domain::party::{Party, PartyId};
use crate::domain::tariff::Tariff;
use crate::domain::token::Token;
use crate::ocpi::examine::Remark;
use crate::ocpi::wire::{Parsed, WireError, parse_value};
use crate::pricing::Finding;
use crate::roaming::spread;
use clap::{Args, Subcommand};
use file::Item;
use kinds::Kind;
use report::{Bad, Remarks, Report};
use serde_json::Value;
use std::collections::HashSet;
use std::path::PathBuf;

/// Objects written in one commit: a running node waits no longer than for these.
const BATCH: usize = 100;

/// Imports locations, tariffs or tokens of our own parties
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Locations(LocationsArgs),
    Tariffs(TariffsArgs),
    Tokens(TokensArgs),
}

/// Imports locations with their EVSEs; an EVSE that the file leaves out becomes REMOVED
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt import locations locations.json
  roamwatt import locations page.json --party DE*ABC --keep-going

The file is a list of OCPI 2.2.1 locations, or an object that holds one as `data` (an OCPI answer)
or `items`. Nothing is written when an object is bad, unless --keep-going.")]
pub struct LocationsArgs {
    #[command(flatten)]
    common: Common,
}

/// Imports tariffs
#[derive(Debug, Args)]
#[command(after_help = "Example:
  roamwatt import tariffs tariffs.json --party DE*ABC

The file is a list of OCPI 2.2.1 tariffs, or an object that holds one as `data` or `items`. A
tariff prices where it is assigned (`roamwatt tariff assign`), and at connectors that name it in
their `tariff_ids`. What in it does not price is told, and kept without effect.")]
pub struct TariffsArgs {
    #[command(flatten)]
    common: Common,
}

/// Imports tokens
#[derive(Debug, Args)]
#[command(after_help = "Example:
  roamwatt import tokens tokens.json --keep-going

The file is a list of OCPI 2.2.1 tokens, or an object that holds one as `data` or `items`.")]
pub struct TokensArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// JSON file; - is stdin
    file: PathBuf,
    /// Take the objects as this party's, whatever they say
    #[arg(long, value_name = "DE*ABC")]
    party: Option<PartyId>,
    /// Import the good objects even if others are bad (the exit code is 1 all the same)
    #[arg(long)]
    keep_going: bool,
    /// Show each remark, not each kind of remark
    #[arg(long)]
    all_remarks: bool,
}

/// Runs the command.
///
/// # Errors
/// When the file is no list of such objects, or an object in it is bad.
pub fn run(settings: &Settings, output: Output, args: ImportArgs) -> Outcome {
    match args.what {
        What::Locations(LocationsArgs { common }) => import::<Location>(settings, output, common),
        What::Tariffs(TariffsArgs { common }) => import::<Tariff>(settings, output, common),
        What::Tokens(TokensArgs { common }) => import::<Token>(settings, output, common),
    }
}

fn import<K: Kind>(settings: &Settings, output: Output, args: Common) -> Outcome {
    let Common { file, party, keep_going, all_remarks } = args;
    let items = file::read(&file, K::NOUN)?;
    let store = Store::open_or_create(settings)?;
    let ours = store.read(parties::all)?;
    let owner = match (&party, ours.as_slice()) {
        (Some(_), _) | (None, []) => Some(party_meant(&ours, party.as_ref(), &K::ROLE)?),
        (None, _) => None,
    };
    let mut report = Report { read: items.len(), ..Report::default() };
    let good = read_all::<K>(items, owner.as_ref(), &ours, store.now(), output, &mut report);
    let good = check_all(&store, good, &mut report)?;
    if report.bad.is_empty() || keep_going {
        report.written = true;
        write_all(&store, output, good, &mut report)?;
        // A node that runs would do it too; without one, nothing is left undone.
        store.block_on(spread::work_off(&store.db, store.now()))?;
    }
    report.bad.sort_by_key(|bad| bad.index);
    output.show(&report, || report.to_text(K::NOUN, all_remarks))?;
    if report.bad.is_empty() { Ok(()) } else { Err(Failure::shown(failure::FAILED)) }
}

/// An object that can be imported, and its place in the file.
struct Good<K> {
    index: usize,
    path: String,
    object: K,
}

/// Reads every item; the bad ones go into the report.
fn read_all<K: Kind>(
    items: Vec<Item>,
    owner: Option<&Party>,
    ours: &[Party],
    now: Timestamp,
    output: Output,
    report: &mut Report,
) -> Vec<Good<K>> {
    let mut progress = Progress::new(output, "reading", Some(u64::try_from(items.len()).unwrap_or(u64::MAX)));
    let mut seen = HashSet::new();
    let mut good = Vec::with_capacity(items.len());
    for Item { index, path, value } in items {
        progress.advance(1);
        let id = K::id_of(&value);
        let mut notes = Vec::new();
        let read = read_one::<K>(value, owner, ours, now, &mut notes).and_then(|parsed| {
            let key = parsed.object.key();
            if seen.insert(key.clone()) {
                return Ok(parsed);
            }
            Err(WireError::at("$", format!("{} {key} is in the file a second time", K::NOUN)))
        });
        match read {
            Ok(Parsed { object, notes: put_right, violations }) => {
                report.notes.extend(Remarks::at(index, &path, notes.into_iter().chain(put_right)));
                let warnings = object.warnings().into_iter();
                report.violations.extend(Remarks::at(index, &path, violations));
                let warnings = warnings.map(|Finding { path, reason }| Remark { path, message: reason });
                report.warnings.extend(Remarks::at(index, &path, warnings));
                good.push(Good { index, path, object });
            }
            Err(error) => {
                let error = error.under("");
                let path = format!("{path}{}", error.path.trim_start_matches('$'));
                report.bad.push(Bad { index, id, path, message: error.reason });
            }
        }
    }
    good
}

fn read_one<K: Kind>(
    mut value: Value,
    owner: Option<&Party>,
    ours: &[Party],
    now: Timestamp,
    notes: &mut Vec<crate::ocpi::examine::Note>,
) -> Result<Parsed<K>, WireError> {
    if let Value::Object(fields) = &mut value {
        let mut set = |field: &str, value: String| {
            let new = Value::from(value);
            match fields.insert(field.to_owned(), new.clone()) {
                Some(old) if old != new => {
                    let message = format!("{old}, imported as {new}");
                    notes.push(crate::ocpi::examine::Note { path: format!("$.{field}"), message });
                }
                Some(_) | None => {}
            }
        };
        if let Some(owner) = owner {
            set("country_code", owner.id.country_code().to_owned());
            set("party_id", owner.id.party_id().to_owned());
        } else if let ([only], None, None) = (ours, fields.get("country_code"), fields.get("party_id")) {
            fields.insert("country_code".to_owned(), only.id.country_code().into());
            fields.insert("party_id".to_owned(), only.id.party_id().into());
        }
        // Our own objects change when we import them; a file need not say it.
        fields.entry("last_updated").or_insert_with(|| now.to_string().into());
    }
    let Parsed { object, notes, violations } = parse_value::<K::Wire>(&value)?;
    let object = K::try_from(object)?;
    if !ours.iter().any(|party| party.id == *object.party()) {
        let message = format!(
            "{} is none of our parties; add it, or take the objects as another's with --party",
            object.party()
        );
        return Err(WireError::at("$.party_id", message));
    }
    if let Some(fault) = object.faults().into_iter().next() {
        return Err(WireError::at(fault.path, fault.reason));
    }
    Ok(Parsed { object, notes, violations })
}

/// Holds every object against the database; those that it refuses go into the report.
fn check_all<K: Kind>(
    store: &Store,
    good: Vec<Good<K>>,
    report: &mut Report,
) -> Result<Vec<Good<K>>, Failure> {
    let now = store.now();
    let (kept, refused) = store.read(move |conn| -> Result<_, crate::db::DbError> {
        let (mut kept, mut refused) = (Vec::new(), Vec::new());
        for item in good {
            match item.object.clone().reconcile(conn, now) {
                Ok(_) => kept.push(item),
                Err(refusal) => refused.push(refusal.into_bad(item.index, item.path, item.object.name())?),
            }
        }
        Ok((kept, refused))
    })?;
    report.bad.extend(refused);
    Ok(kept)
}

/// Writes the objects that are new or changed.
fn write_all<K: Kind>(
    store: &Store,
    output: Output,
    good: Vec<Good<K>>,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut progress = Progress::new(output, "writing", Some(u64::try_from(good.len()).unwrap_or(u64::MAX)));
    let mut good = good.into_iter().map(|item| item.object);
    loop {
        let batch: Vec<K> = good.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let (size, clock) = (batch.len(), store.clock.clone());
        let written = store.write(move |conn| -> Result<usize, crate::roaming::reconcile::Refusal> {
            let now = clock.now();
            let mut written = 0;
            for object in &batch {
                if let Some(object) = object.clone().reconcile(conn, now)? {
                    object.put(conn, now)?;
                    written += 1;
                }
            }
            Ok(written)
        })?;
        report.imported += written;
        report.unchanged += size - written;
        progress.advance(u64::try_from(size).unwrap_or(u64::MAX));
    }
}
