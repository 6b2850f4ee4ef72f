//! Payments at card terminals: the terminal holds and takes the money, and tells us of both.

use super::flow::Step;
use super::{PaymentError, change};
use crate::app::App;
use crate::db::payments::Payment;

/// What the terminal is to do it learns when it asks, and tells when it is done: there is nothing to do until then.
pub(super) async fn awaits_terminal(app: &App, payment: Payment) -> Result<Step, PaymentError> {
    if payment.next_at.is_some() {
        change(app, &payment.id, |_, payment, _| {
            payment.next_at = None;
            Ok(())
        })
        .await?;
    }
    Ok(Step::Wait)
}
