//! Receipts as drivers get them: what [`crate::payments::receipt()`] found, put into words and figures of a language
//! ([`Document`]). The page shows it, [`pdf`](fn@pdf::pdf) prints it, [`mail`] sends it; all three say the same.
//!
//! In Germany a receipt up to 250 EUR is an invoice when it names the issuer with full address, the date, quantity and
//! kind of what was delivered, the gross amount and the tax rate (§ 33 UStDV).

pub mod labels;
pub mod mail;
pub mod pdf;
mod words;

use crate::domain::{Money, Timestamp};
use crate::payments::receipt::{Receipt, ReceiptLine, Sold, TaxRow};
use crate::pricing::describe::Language;
use crate::pricing::{Billed, LineKind};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use words::Words;

/// Above this gross amount a German receipt is no invoice any more (§ 33 UStDV), EUR.
const SMALL_INVOICE_EUR: Decimal = Decimal::from_parts(250, 0, 0, false, 0);

/// A receipt in a language, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The language.
    pub language: Language,
    /// "Receipt", and its number.
    pub title: String,
    /// Who sells, a line each.
    pub issuer: Vec<String>,
    /// What it is about: names and values.
    pub facts: Vec<(&'static str, String)>,
    /// The heads of the columns of `lines`.
    pub line_heads: [&'static str; 4],
    /// What was sold: what, how much, at which price, for how much with tax.
    pub lines: Vec<[String; 4]>,
    /// The heads of the columns of `taxes`.
    pub tax_heads: [&'static str; 4],
    /// The taxes by rate: rate, net, tax, gross.
    pub taxes: Vec<[String; 4]>,
    /// The total and what became of the money held: names and amounts. The first is the total.
    pub sums: Vec<(&'static str, String)>,
    /// What there is to say besides.
    pub notes: Vec<String>,
}

impl Document {
    /// Puts a receipt into words.
    #[must_use]
    pub fn new(receipt: &Receipt, language: Language) -> Self {
        let words = Words::of(language);
        let zone = receipt.sold.as_ref().and_then(|sold| sold.zone.parse().ok()).unwrap_or(Tz::UTC);
        let amount = |amount: Money| language.amount(&receipt.currency, amount.decimal());
        let mut document = Self {
            language,
            title: format!("{} {}", words.receipt, receipt.number),
            issuer: issuer(receipt, words),
            facts: facts(receipt, words, zone),
            line_heads: words.line_heads,
            lines: Vec::new(),
            tax_heads: words.tax_heads,
            taxes: Vec::new(),
            sums: Vec::new(),
            notes: Vec::new(),
        };
        match &receipt.sold {
            Some(sold) => document.take(sold, receipt, words),
            None => document.notes.push(words.no_cdr.to_owned()),
        }
        document.sums.push((words.held, amount(receipt.held)));
        document.sums.push((words.captured, amount(receipt.captured)));
        let rest = [
            (words.released, receipt.released),
            (words.refunded, receipt.refunded),
            (words.waived, receipt.written_off),
        ];
        document.sums.extend(
            rest.into_iter().filter(|(_, sum)| *sum != Money::ZERO).map(|(name, sum)| (name, amount(sum))),
        );
        if receipt.refunded != Money::ZERO {
            document.sums.push((words.paid, amount(receipt.paid)));
        }
        document
    }

    fn take(&mut self, sold: &Sold, receipt: &Receipt, words: &Words) {
        let (language, currency) = (self.language, receipt.currency.as_str());
        self.lines = sold.lines.iter().map(|line| row(line, language, currency, words)).collect();
        self.taxes = sold.taxes.iter().map(|tax| tax_row(tax, language, currency, words)).collect();
        self.sums.push((words.total, language.amount(currency, sold.gross.decimal())));
        if currency == "EUR" && sold.gross.decimal() > SMALL_INVOICE_EUR {
            self.notes.push(words.above_small_invoice.to_owned());
        }
        if sold.signed_data.is_some() {
            self.notes.push(words.signed.to_owned());
        }
    }

    /// The whole receipt as plain text, for mail.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n\n{}\n", self.title, self.issuer.join("\n"));
        let mut pair = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\n"));
        pair("", "");
        for (name, value) in &self.facts {
            pair(name, value);
        }
        pair("", "");
        for [what, quantity, price, gross] in &self.lines {
            let how =
                [quantity, price].into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>();
            pair(&format!("{what} ({})", how.join(" × ")).replace(" ()", ""), gross);
        }
        let [rate_head, net_head, tax_head, _] = self.tax_heads;
        for [rate, net, tax, gross] in &self.taxes {
            pair(&format!("{rate_head} {rate}"), &format!("{net_head} {net}, {tax_head} {tax}, {gross}"));
        }
        pair("", "");
        for (name, value) in &self.sums {
            pair(name, value);
        }
        for note in &self.notes {
            text.push_str(&format!("\n{note}\n"));
        }
        text.replace("\n: \n", "\n\n")
    }
}

fn issuer(receipt: &Receipt, words: &Words) -> Vec<String> {
    let Some(merchant) = &receipt.merchant else { return vec![receipt.party.to_string()] };
    let mut lines = vec![merchant.name.clone()];
    lines.extend(merchant.address.iter().cloned());
    lines.extend(merchant.tax_id.iter().map(|id| format!("{} {id}", words.tax_id)));
    lines
}

fn facts(receipt: &Receipt, words: &Words, zone: Tz) -> Vec<(&'static str, String)> {
    let mut facts =
        vec![(words.number, receipt.number.clone()), (words.issued, words.moment(receipt.issued_at, zone))];
    let Some(sold) = &receipt.sold else { return facts };
    let place = &sold.place;
    let mut address = vec![place.address.clone()];
    address.push(match &place.postal_code {
        Some(code) => format!("{code} {}", place.city),
        None => place.city.clone(),
    });
    if let Some(name) = &place.name {
        address.insert(0, name.clone());
    }
    facts.push((words.place, address.join(", ")));
    facts.push((words.charging_point, place.evse_id.to_string()));
    facts.push((words.begun, words.moment(sold.started_at, zone)));
    facts.push((words.ended, words.moment(sold.ended_at, zone)));
    facts.push((words.delivered, format!("{} kWh", words.language.number(sold.kwh.decimal().normalize()))));
    facts.push((words.charge_id, sold.cdr_id.clone()));
    facts
}

fn row(line: &ReceiptLine, language: Language, currency: &str, words: &Words) -> [String; 4] {
    let quantity = match line.quantity {
        Billed::Once => String::new(),
        Billed::Kwh(kwh) => format!("{} kWh", language.number(kwh.normalize())),
        Billed::Seconds(seconds) => words.time(seconds),
    };
    let price = line.price.as_ref().map_or(String::new(), |price| {
        let amount = language.amount(currency, price.price.decimal());
        let unit = match line.kind {
            LineKind::Energy | LineKind::EnergyStep => "/kWh",
            LineKind::Time
            | LineKind::Parking
            | LineKind::Reservation
            | LineKind::TimeStep
            | LineKind::ParkingStep
            | LineKind::ReservationStep => "/h",
            _ => "",
        };
        let net = if price.gross || price.vat.is_none() { String::new() } else { format!(" {}", words.net) };
        format!("{amount}{unit}{net}")
    });
    let gross = language.amount(currency, line.gross.round_dp(4));
    [words.kind(line.kind).to_owned(), quantity, price, gross]
}

fn tax_row(tax: &TaxRow, language: Language, currency: &str, words: &Words) -> [String; 4] {
    let amount = |amount: Money| language.amount(currency, amount.decimal());
    let rate = tax.rate.map_or_else(|| words.no_tax.to_owned(), |rate| words.percent(rate));
    [rate, amount(tax.net), amount(tax.tax), amount(tax.gross)]
}

impl Words {
    /// A moment at the charging point.
    fn moment(&self, at: Timestamp, zone: Tz) -> String {
        at.utc().with_timezone(&zone).format(self.moment_format).to_string()
    }
}
