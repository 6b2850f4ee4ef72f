//! `roamwatt payments refund`.

use super::list::as_json;
use super::unknown;
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Output, facts};
use crate::cli::store::Store;
use crate::db::payments;
use crate::domain::Money;
use crate::payments::PaymentError;
use crate::payments::desk::{RefundWish, wish_refund};
use clap::Args;

/// Gives back what was taken, or a part of it
///
/// It is written into the database; a running node asks the payment provider within two seconds.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt payments refund 019ac3f0-7a4e-7b11-8f0e-2a5c1d9e4b60 --note \"The cable was broken\"
  roamwatt payments refund 019ac3f0-7a4e-7b11-8f0e-2a5c1d9e4b60 --amount 5.00 --note \"Goodwill\"")]
pub(super) struct RefundArgs {
    /// The payment's id
    payment: String,
    /// How much, in the payment's currency [default: all that was taken and not given back]
    #[arg(long)]
    amount: Option<Money>,
    /// Why, for people
    #[arg(long)]
    note: String,
}

pub(super) fn run(settings: &Settings, output: Output, args: RefundArgs) -> Outcome {
    let RefundArgs { payment: id, amount, note } = args;
    if note.trim().is_empty() {
        return Err(Failure::wrong_use("--note is empty").with_remedy("say why the money is given back"));
    }
    let store = Store::open(settings)?;
    let (now, wanted) = (store.now(), id.clone());
    let wish = RefundWish { amount, note: note.trim().to_owned(), by: "command line".to_owned() };
    let written = store.write(move |conn| {
        let Some(mut payment) = payments::find(conn, &wanted)? else { return Err(PaymentError::Unknown) };
        let amount = wish_refund(conn, &mut payment, &wish, now)?;
        payment.last_updated = now;
        payments::update(conn, &payment)?;
        Ok((payment, amount))
    });
    let (payment, amount) = match written {
        Ok(written) => written,
        Err(PaymentError::Unknown) => return Err(unknown(&id)),
        Err(error) => return Err(Failure::new(error.to_string())),
    };
    output.show(&as_json(&payment), || {
        facts(&[
            ("payment", payment.id.clone()),
            ("to be refunded", format!("{amount} {}", payment.currency)),
            ("how it came out", format!("roamwatt payments show {}", payment.id)),
        ])
    })
}
