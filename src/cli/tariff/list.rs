//! `roamwatt tariff list`.

use crate::cli::failure::Outcome;
use crate::cli::output::{Column, Output, table};
use crate::cli::store::Store;
use crate::cli::{Settings, note_of_rest};
use crate::db::locations::Owner;
use crate::db::page::Page;
use crate::db::{DbError, assignments, tariffs};
use crate::domain::tariff::Tariff;
use crate::pricing::pricing_warnings;
use crate::roaming::goods::is_named;
use clap::Args;
use serde_json::{Value, json};

/// Lists tariffs, with how often each is assigned
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt tariff list           our own
  roamwatt tariff list --all     also those that partners told us of
  roamwatt --json tariff list --limit 100000")]
pub(super) struct ListArgs {
    /// Also those of partners
    #[arg(long)]
    all: bool,
    /// How many to pass over
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    offset: i64,
    /// How many at most
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

/// A tariff and where it is sold.
struct Listed {
    tariff: Tariff,
    assigned: usize,
    /// A connector names it in its own `tariff_ids`.
    named: bool,
}

/// Runs the command.
///
/// # Errors
/// When the database refuses.
pub(super) fn run(settings: &Settings, output: Output, args: &ListArgs) -> Outcome {
    let store = Store::open(settings)?;
    let owner = if args.all { Owner::Any } else { Owner::Ours };
    let page = Page { offset: args.offset, ..Page::first(args.limit) };
    let (listed, total) = store.read(move |conn| -> Result<_, DbError> {
        let slice = tariffs::list(conn, &owner, page)?;
        let mut listed = Vec::with_capacity(slice.items.len());
        for tariff in slice.items {
            let assigned = assignments::of_tariff(conn, &tariff.party, &tariff.id)?.len();
            let named = is_named(conn, &tariff.party, &tariff.id)?;
            listed.push(Listed { tariff, assigned, named });
        }
        Ok((listed, slice.total))
    })?;
    output.show(&listed.iter().map(as_json).collect::<Vec<_>>(), || {
        let columns = [
            Column::Text("ID"),
            Column::Text("PARTY"),
            Column::Text("TYPE"),
            Column::Text("CURRENCY"),
            Column::Text("FROM"),
            Column::Text("TO"),
            Column::Number("ASSIGNED"),
            Column::Text("NAMED"),
            Column::Number("WARNINGS"),
        ];
        let rows = listed.iter().map(|Listed { tariff, assigned, named }| {
            let time = |at: Option<crate::domain::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
            vec![
                tariff.id.to_string(),
                tariff.party.to_string(),
                tariff.tariff_type.as_ref().map(ToString::to_string).unwrap_or_default(),
                tariff.currency.clone(),
                time(tariff.start_date_time),
                time(tariff.end_date_time),
                assigned.to_string(),
                if *named { "yes" } else { "no" }.to_owned(),
                pricing_warnings(tariff).len().to_string(),
            ]
        });
        table(&columns, rows, "no tariffs yet; `roamwatt import tariffs --help` shows how to bring some")
    })?;
    note_of_rest(output, listed.len(), total, args.offset);
    Ok(())
}

fn as_json(Listed { tariff, assigned, named }: &Listed) -> Value {
    json!({
        "country_code": tariff.party.country_code(),
        "party_id": tariff.party.party_id(),
        "id": tariff.id,
        "type": tariff.tariff_type,
        "currency": tariff.currency,
        "start_date_time": tariff.start_date_time,
        "end_date_time": tariff.end_date_time,
        "assigned": assigned,
        "named": named,
        "warnings": pricing_warnings(tariff),
        "last_updated": tariff.last_updated,
    })
}
