//! What a driver gets for the money: who sold what, when and where, at what price and with which taxes, and what was
//! paid. It is made from the CDR that counts now, line by line ([`crate::pricing::Explanation`]). In Germany it is an
//! invoice for small amounts up to 250 EUR (§ 33 UStDV): issuer with full address, date, quantity and kind, gross amount
//! and tax rate.

use super::settle::due_of;
use super::taxes::taxes;
use super::view::receipt_number;
use super::{PaymentError, of_id, of_key};
use crate::app::{App, policy_of};
use crate::db::cdrs::{self, KeptCdr};
use crate::db::payments::Payment;
use crate::db::{DbConn, payment_merchants, payment_terminals};
use crate::domain::cdr::{CdrLocation, SignedData};
use crate::domain::party::PartyId;
use crate::domain::payment::Merchant;
use crate::domain::{Kwh, Money, Timestamp};
use crate::pricing::{
    Billed, CdrToPrice, CostLine, LineKind, LinePrice, PricingError, PricingPolicy, StatedCharge, Tariffs,
};
use rust_decimal::Decimal;

/// A line of a receipt: all that was billed by one price.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptLine {
    /// What for.
    pub kind: LineKind,
    /// How much.
    pub quantity: Billed,
    /// By which price; none for what follows from the total (a least or a highest price, rounding).
    pub price: Option<LinePrice>,
    /// Before tax, exact.
    pub net: Decimal,
    /// With tax, exact.
    pub gross: Decimal,
}

/// What is taxed at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct TaxRow {
    /// Percent; none where no tax applies.
    pub rate: Option<Decimal>,
    /// Before tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// With tax.
    pub gross: Money,
}

/// What was sold.
#[derive(Debug, Clone, PartialEq)]
pub struct Sold {
    /// The CDR's id.
    pub cdr_id: String,
    /// When the charge began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Energy.
    pub kwh: Kwh,
    /// Where.
    pub place: CdrLocation,
    /// The zone of its local time (IANA).
    pub zone: String,
    /// Its lines.
    pub lines: Vec<ReceiptLine>,
    /// The taxes by rate; together they are the total.
    pub taxes: Vec<TaxRow>,
    /// The total before tax.
    pub net: Money,
    /// The total with tax.
    pub gross: Money,
    /// What the meter signed.
    pub signed_data: Option<SignedData>,
}

/// A receipt.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// Its number: rising within the one who sells, without gaps.
    pub number: String,
    /// When the money was taken.
    pub issued_at: Timestamp,
    /// Who sells.
    pub party: PartyId,
    /// What must be said of who sells; none where the party is no merchant any more.
    pub merchant: Option<Merchant>,
    /// Our id of the payment.
    pub payment_id: String,
    /// What was sold; none where the money had to be taken before there was a CDR, or the CDR was taken back.
    pub sold: Option<Sold>,
    /// ISO 4217.
    pub currency: String,
    /// What was held.
    pub held: Money,
    /// What was taken.
    pub captured: Money,
    /// What was given back of what was held.
    pub released: Money,
    /// What was given back of what was taken.
    pub refunded: Money,
    /// What the driver has paid in the end.
    pub paid: Money,
    /// What was due and is not asked for.
    pub written_off: Money,
    /// Where it is to be sent.
    pub email: Option<String>,
    /// The language, ISO 639-1.
    pub language: String,
    /// What a terminal says of the card, a line each; the law wants it on the receipt.
    pub eft_data: Vec<String>,
}

/// The receipt of a payment; none as long as nothing was taken.
///
/// # Errors
/// When there is no such payment, the CDR cannot be explained, or the database fails.
pub async fn receipt(app: &App, key: &str) -> Result<Option<Receipt>, PaymentError> {
    let payment = of_key(app, key).await?;
    let policy = policy_of(&app.config.pricing);
    app.db.read(move |conn| make(conn, payment, &policy)).await
}

/// The receipt of a payment by our id of it; none as long as nothing was taken.
///
/// # Errors
/// As [`receipt`].
pub async fn of_payment(app: &App, id: &str) -> Result<Option<Receipt>, PaymentError> {
    let payment = of_id(app, id).await?;
    let policy = policy_of(&app.config.pricing);
    app.db.read(move |conn| make(conn, payment, &policy)).await
}

/// Makes the receipt of a payment; none as long as nothing was taken.
///
/// # Errors
/// When the CDR cannot be explained, or the database fails.
pub fn make(
    conn: &mut DbConn,
    payment: Payment,
    policy: &PricingPolicy,
) -> Result<Option<Receipt>, PaymentError> {
    let (Some(number), Some(given)) = (receipt_number(&payment), payment.details.0.receipt.clone()) else {
        return Ok(None);
    };
    let party = payment.party()?;
    let kept = match payment.cdr_seq {
        Some(seq) => {
            let (seq, _) = due_of(conn, seq)?;
            cdrs::at(conn, seq)?.filter(|kept| kept.cdr.credit != Some(true))
        }
        None => None,
    };
    let sold = match kept {
        Some(kept) => {
            let zone = cdrs::zone_of(conn, &kept.cdr)?;
            Some(sold(kept, zone, policy)?)
        }
        None => None,
    };
    let merchant = payment_merchants::find(conn, &party)?;
    let confirmed = payment_terminals::confirmations_of(conn, &payment.id)?;
    let eft_data = confirmed.into_iter().flat_map(|confirmation| confirmation.eft_data).collect();
    Ok(Some(Receipt {
        number,
        issued_at: given.at,
        party,
        merchant,
        payment_id: payment.id,
        sold,
        currency: payment.currency,
        held: payment.held,
        captured: payment.captured,
        released: payment.released,
        refunded: payment.refunded,
        paid: payment.captured.minus(payment.refunded)?,
        written_off: payment.written_off,
        email: payment.details.0.email,
        language: payment.details.0.language,
        eft_data,
    }))
}

fn sold(kept: KeptCdr, zone: Option<chrono_tz::Tz>, policy: &PricingPolicy) -> Result<Sold, PaymentError> {
    let cdr = kept.cdr;
    let recorded = kept.record.as_ref().and_then(|record| record.zone.parse().ok());
    let zone = recorded.or(zone).unwrap_or(chrono_tz::UTC);
    let policy = kept.record.as_ref().map_or(*policy, |record| record.policy);
    let tariffs = Tariffs::new(&cdr.tariffs, policy)?;
    let charge = StatedCharge::new(&CdrToPrice {
        start: cdr.start_date_time,
        end: cdr.end_date_time,
        zone,
        tariffs: &cdr.tariffs,
        periods: &cdr.charging_periods,
    })?;
    let lines = gathered(charge.explain(&tariffs)?.lines)?;
    let (net, gross) = (cdr.total_cost.excl_vat, super::offer::gross(&cdr.total_cost));
    Ok(Sold {
        cdr_id: cdr.id.to_string(),
        started_at: cdr.start_date_time,
        ended_at: cdr.end_date_time,
        kwh: cdr.total_energy,
        place: cdr.cdr_location,
        zone: zone.name().to_owned(),
        taxes: taxes(&lines, net, gross, policy, &cdr.currency)?,
        lines: lines.iter().map(ReceiptLine::of).collect::<Result<_, _>>()?,
        net,
        gross,
        signed_data: cdr.signed_data,
    })
}

/// The lines of all periods, those of the same price together.
fn gathered(all: Vec<CostLine>) -> Result<Vec<CostLine>, PricingError> {
    let mut lines: Vec<CostLine> = Vec::new();
    for line in all {
        let same = lines.iter_mut().find(|known| known.kind == line.kind && known.price == line.price);
        let Some(known) = same else {
            lines.push(line);
            continue;
        };
        known.excl_vat = known.excl_vat.plus(line.excl_vat)?;
        known.incl_vat = known.incl_vat.plus(line.incl_vat)?;
        known.quantity = match (known.quantity, line.quantity) {
            (Billed::Kwh(a), Billed::Kwh(b)) => Billed::Kwh(a.saturating_add(b)),
            (Billed::Seconds(a), Billed::Seconds(b)) => Billed::Seconds(a.saturating_add(b)),
            (known, _) => known,
        };
    }
    Ok(lines)
}

impl ReceiptLine {
    fn of(line: &CostLine) -> Result<Self, PricingError> {
        Ok(Self {
            kind: line.kind,
            quantity: line.quantity,
            price: line.price.clone(),
            net: line.excl_vat.to_decimal()?,
            gross: line.incl_vat.to_decimal()?,
        })
    }
}
