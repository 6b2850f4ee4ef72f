//! `roamwatt payments report`.

use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, table};
use crate::cli::store::Store;
use crate::domain::Timestamp;
use crate::payments::report::{CountAndSum, report};
use clap::Args;

/// Reports what became of the money, and whether it ties to the CDRs
///
/// Holds that are open now; what was held, taken, given back, claimed back and written off in the time, by party and
/// currency; and the payments that do not tie to their CDR.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt payments report
  roamwatt payments report --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z")]
pub(super) struct ReportArgs {
    /// From when, inclusive, like 2026-11-01T00:00:00Z
    #[arg(long)]
    from: Option<Timestamp>,
    /// Until when, exclusive
    #[arg(long)]
    to: Option<Timestamp>,
}

pub(super) fn run(settings: &Settings, output: Output, args: &ReportArgs) -> Outcome {
    let store = Store::open(settings)?;
    let (from, to) = (args.from, args.to);
    let made =
        store.read(move |conn| report(conn, from, to)).map_err(|error| Failure::new(error.to_string()))?;
    output.show(&made, || {
        let columns = [
            Column::Text("PARTY"),
            Column::Text("CURRENCY"),
            Column::Text("WHAT"),
            Column::Number("PAYMENTS"),
            Column::Number("SUM"),
        ];
        let mut rows = Vec::new();
        for row in &made.rows {
            let kinds: [(&str, &CountAndSum); 11] = [
                ("open now", &row.open),
                ("held", &row.held),
                ("captured", &row.captured),
                ("released", &row.released),
                ("release undone", &row.release_undone),
                ("refunded", &row.refunded),
                ("refund failed", &row.refund_failed),
                ("disputed", &row.disputed),
                ("dispute won", &row.dispute_won),
                ("written off", &row.written_off),
                ("write-off undone", &row.write_off_undone),
            ];
            for (what, CountAndSum { payments, sum, .. }) in kinds {
                let (party, currency) = (row.party.clone(), row.currency.clone());
                rows.push(vec![party, currency, what.to_owned(), payments.to_string(), sum.clone()]);
            }
        }
        let money = table(&columns, rows, "no money moved in that time");
        let columns = [
            Column::Text("PAYMENT"),
            Column::Text("CDR"),
            Column::Number("DUE"),
            Column::Number("CAPTURED"),
            Column::Number("DIFFERENCE"),
            Column::Text("WHY"),
        ];
        let rows = made.differences.iter().map(|difference| {
            vec![
                difference.payment.clone(),
                difference.cdr.clone().unwrap_or_default(),
                difference.due.clone(),
                difference.captured.clone(),
                difference.difference.clone(),
                difference.why.clone(),
            ]
        });
        let ties = table(&columns, rows, &format!("all {} payments tie to their CDRs", made.tied));
        format!("{money}\n\n{ties}")
    })
}
