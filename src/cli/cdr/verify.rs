//! `roamwatt cdr verify`: CDRs priced again from their own tariffs and periods.

use super::owner_of;
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, Progress, facts, table};
use crate::cli::store::Store;
use crate::db::cdrs::CdrFilter;
use crate::db::locations::Owner;
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use crate::finance::cdr_export::parse_border;
use crate::pricing::{Check, Difference};
use crate::roaming::check::{self, Checking};
use crate::roaming::verify::{Found, Step, Verified, verify_all};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;

/// Prices CDRs again from their own tariffs and periods, and tells what differs
///
/// What differs by more than pricing.verify_tolerance is kept, for people to dispute or accept. No CDR is changed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt cdr verify 019c2d6e-7b1f-7c3e-9a55-3d1f0a9b2c44
  roamwatt cdr verify C-1 --party 'DE*ABC' --json
  roamwatt cdr verify --all --from 2026-01-01 --to 2026-02-01 --partner 3

With --all, each CDR that differs or cannot be priced is a line on stdout, and the sums go to stderr.")]
pub(super) struct VerifyArgs {
    /// The CDR
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// The CPO that owns it, like DE*ABC [default: the only one that has a CDR of that id]
    #[arg(long, value_name = "PARTY", conflicts_with = "all")]
    party: Option<PartyId>,
    /// Every CDR, ours and those of partners
    #[arg(long)]
    all: bool,
    /// Only of charges that ended at or after this day or moment
    #[arg(long, value_name = "TIME", value_parser = parse_border, requires = "all")]
    from: Option<Timestamp>,
    /// Only of charges that ended before this day or moment
    #[arg(long, value_name = "TIME", value_parser = parse_border, requires = "all")]
    to: Option<Timestamp>,
    /// Only those that this partner sent, by its number in `roamwatt partner list`
    #[arg(long, value_name = "N", requires = "all")]
    partner: Option<i64>,
}

pub(super) fn run(settings: &Settings, output: Output, args: VerifyArgs) -> Outcome {
    let store = Store::open(settings)?;
    match args.id {
        Some(id) => one(&store, output, &CiString::from(id), args.party),
        None => all(&store, output, args.from, args.to, args.partner),
    }
}

fn one(store: &Store, output: Output, id: &CiString, party: Option<PartyId>) -> Outcome {
    let party = owner_of(store, id, party)?;
    let checking = Checking::of(&store.config.pricing);
    let kept = store.block_on(check::verify(&store.db, &store.clock, checking, party.clone(), id.clone()))?;
    let document = document(&party.to_string(), id.as_str(), &kept.check);
    output.show(&document, || {
        let mut text = facts(&[
            ("cdr", format!("{party} {id}")),
            ("result", kept.check.state.as_str().to_owned()),
            ("decided", kept.dispute.state.as_str().to_owned()),
        ]);
        if !kept.check.differences.is_empty() {
            text.push_str("\n\n");
            text.push_str(&differences(&kept.check.differences));
        }
        for warning in &kept.check.warnings {
            text.push_str(&format!("\n{warning}"));
        }
        text
    })
}

fn differences(list: &[Difference]) -> String {
    let columns = [
        Column::Text("FIELD"),
        Column::Number("STATED"),
        Column::Number("COMPUTED"),
        Column::Number("DIFFERENCE"),
        Column::Text("WHY"),
    ];
    let cell = |text: &Option<String>| text.clone().unwrap_or_default();
    let rows = list.iter().map(|one| {
        let Difference { field, stated, computed, difference, reason } = one;
        vec![field.clone(), cell(stated), cell(computed), cell(difference), cell(reason)]
    });
    table(&columns, rows, "")
}

fn document(party: &str, id: &str, check: &Check) -> Value {
    json!({
        "party": party,
        "id": id,
        "state": check.state.as_str(),
        "differences": check.differences,
        "warnings": check.warnings,
    })
}

fn all(
    store: &Store,
    output: Output,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    partner: Option<i64>,
) -> Outcome {
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Failure::wrong_use("--from is not before --to"));
    }
    let owner = partner.map_or(Owner::Any, Owner::Partner);
    let filter = CdrFilter { ended_from: from, ended_to: to, ..CdrFilter::of(owner) };
    let checking = Checking::of(&store.config.pricing);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut progress = None;
    let mut outcome: Outcome = Ok(());
    let told = |step: Step| match step {
        Step::Total(total) => progress = Some(Progress::new(output, "verifying", Some(total))),
        Step::Done(steps) => {
            if let Some(progress) = &mut progress {
                progress.advance(steps);
            }
        }
        Step::Found(found) if outcome.is_ok() => outcome = show(output, &found),
        Step::Found(_) => (),
    };
    let verified = store.block_on(verify_all(&store.db, &store.clock, checking, filter, threads, told))?;
    drop(progress);
    outcome?;
    tell(output, &verified)
}

fn show(output: Output, found: &Found) -> Outcome {
    let Found { party, id, partner_id, check } = found;
    let mut line = document(party, id, check);
    if let Some(fields) = line.as_object_mut() {
        fields.insert("partner".to_owned(), (*partner_id).into());
    }
    output.stream(&line, || {
        let mut text = format!("{party} {id}  {}", check.state.as_str());
        for one in &check.differences {
            let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            text.push_str(&format!("  {} {}", one.field, shown(&one.stated)));
            match (&one.computed, &one.reason) {
                (Some(computed), _) => text.push_str(&format!(" instead of {computed}")),
                (None, Some(reason)) => text.push_str(&format!(": {reason}")),
                (None, None) => (),
            }
        }
        if check.differences.is_empty()
            && let Some(reason) = check.warnings.first()
        {
            text.push_str(&format!("  {reason}"));
        }
        crate::cli::output::printable(&text)
    })
}

/// The sums go to stderr, since stdout lists what was found.
fn tell(output: Output, verified: &Verified) -> Outcome {
    let text = if output.is_json() {
        serde_json::to_string(verified)?
    } else {
        let Verified { cdrs, ok, differ, unpriceable } = verified;
        let noun = if *cdrs == 1 { "CDR" } else { "CDRs" };
        format!("{cdrs} {noun}: {ok} as they should be, {differ} differ, {unpriceable} cannot be priced")
    };
    // Where nobody reads stderr, nobody misses the sums.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
    Ok(())
}
