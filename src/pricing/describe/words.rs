//! What a language must know to describe a tariff, and the number formats.

use super::Part;
use super::amounts::{About, Taxed};
use super::conditions::{Condition, Factor};
use crate::domain::Timestamp;
use crate::domain::tariff::TariffType;
use crate::pricing::policy::minor_units;
use crate::pricing::rates::Use;
use chrono::{Datelike, NaiveDate, Timelike};
use rust_decimal::Decimal;

/// How much one pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Kwh,
    Hour,
    Once,
}

impl Unit {
    pub(super) fn of(of: Use) -> Self {
        match of {
            Use::Energy => Self::Kwh,
            Use::Time | Use::Parking | Use::ReservationTime | Use::ExpiredTime => Self::Hour,
            Use::Flat | Use::ReservationFlat | Use::ExpiredFlat => Self::Once,
        }
    }
}

/// What is said of taxes behind a price.
pub(super) enum TaxWords<'a> {
    /// They come on top.
    Plus,
    /// They are in it.
    Included,
    /// So many percent are in it; without them it is this.
    Vat(&'a str, &'a str),
}

/// The words of a language. What is put together alike in every language stands here.
pub(super) trait Words: Sync {
    /// The sign between whole and part, and the one between thousands.
    fn marks(&self) -> (char, char);
    /// An amount's number and its currency's sign, which is a `word` where it is more than one character.
    fn money(&self, number: &str, sign: &str, word: bool) -> String;
    fn heading(&self, part: Part) -> &'static str;
    /// What a use is called at the beginning of a line.
    fn subject(&self, of: Use) -> &'static str;
    /// `per kWh`.
    fn per(&self, unit: Unit) -> &'static str;
    fn per_minute(&self) -> &'static str;
    fn free(&self) -> &'static str;
    fn about(&self, text: &str) -> String;
    /// A percentage's number.
    fn percent(&self, number: &str) -> String;
    fn taxes(&self, taxes: &TaxWords<'_>) -> String;
    fn condition(&self, condition: &Condition) -> String;
    fn factor(&self, factor: Factor) -> &'static str;
    /// `1 hour 30 minutes`: the number and whether it is hours (0), minutes (1) or seconds (2).
    fn time_unit(&self, number: u64, unit: usize) -> String;
    /// Billed in steps of so much; or, where the step is the smallest one, by what.
    fn steps(&self, step: &str) -> String;
    fn smallest_step(&self, unit: Unit) -> &'static str;
    fn month(&self, month: u32) -> &'static str;
    fn date(&self, date: NaiveDate) -> String;
    fn weekday(&self, day: usize) -> &'static str;
    fn and(&self) -> &'static str;
    /// A price from a lower amount to an upper one.
    fn range(&self, least: &str, most: &str) -> String;
    fn depending_on(&self, factors: &str) -> String;
    /// What is paid for while something goes on, in the summary.
    fn while_of(&self, of: Use) -> &'static str;
    fn charging_is_free(&self) -> &'static str;
    fn you_pay(&self, prices: &str, limits: &str) -> String;
    fn reservation_costs(&self) -> &'static str;
    fn at_least(&self, amount: &str) -> String;
    fn at_most(&self, amount: &str) -> String;
    fn limit_line(&self, is_min: bool, amount: &str) -> String;
    fn limit_taxes(&self, net: &str, gross: &str) -> String;
    fn no_limit(&self, name: &str, found: &str) -> String;
    fn valid_from(&self, at: &str) -> String;
    fn valid_to(&self, at: &str) -> String;
    fn taxes_of_tariff(&self, included: Option<bool>) -> &'static str;
    fn tariff_type(&self, kind: &TariffType) -> String;
    fn operator_adds(&self, text: &str) -> String;
    fn more_at(&self, url: &str) -> String;
    fn never_applies(&self, line: &str) -> String;
    fn not_priced(&self, dimension: &str, price: &str, step: u32, conditions: &str) -> String;

    fn number(&self, number: Decimal) -> String {
        format_number(number.normalize(), 0, self.marks())
    }

    fn amount(&self, currency: &str, amount: Decimal) -> String {
        let least = usize::try_from(minor_units(currency)).unwrap_or(2);
        let number = format_number(amount.abs().normalize(), least, self.marks());
        let sign = sign(currency);
        let word = sign.chars().count() > 1 && !sign.ends_with('$');
        let text = self.money(&number, sign, word);
        if amount.is_sign_negative() && !amount.is_zero() { format!("-{text}") } else { text }
    }

    /// `a, b and c`.
    fn list(&self, items: &[String]) -> String {
        match items.split_last() {
            None => String::new(),
            Some((only, [])) => only.clone(),
            Some((last, before)) => format!("{} {} {last}", before.join(", "), self.and()),
        }
    }

    fn duration(&self, seconds: u64) -> String {
        let parts = [seconds / 3_600, seconds % 3_600 / 60, seconds % 60];
        let said: Vec<String> = parts
            .into_iter()
            .enumerate()
            .filter(|(_, number)| *number > 0)
            .map(|(unit, number)| self.time_unit(number, unit))
            .collect();
        if said.is_empty() { self.time_unit(0, 2) } else { said.join(" ") }
    }

    /// In which steps a price is billed.
    fn step(&self, unit: Unit, step: u32) -> Option<String> {
        match (unit, step) {
            (Unit::Once, _) => None,
            (_, 0 | 1) => Some(self.smallest_step(unit).to_owned()),
            (Unit::Kwh, step) if step >= 1_000 => {
                let kwh = Decimal::new(step.into(), 3);
                Some(self.steps(&format!("{} kWh", self.number(kwh))))
            }
            (Unit::Kwh, step) => Some(self.steps(&format!("{step} Wh"))),
            (Unit::Hour, step) => Some(self.steps(&self.duration(step.into()))),
        }
    }

    /// An amount with what it is paid for; a price per hour also per minute.
    fn priced(&self, currency: &str, amount: About, unit: Unit) -> String {
        let said = |amount: About, per: &str| {
            let text = self.amount(currency, amount.amount);
            let text = if per.is_empty() { text } else { format!("{text} {per}") };
            if amount.exact { text } else { self.about(&text) }
        };
        match unit {
            Unit::Hour => {
                let minute = said(amount.per_minute(), self.per_minute());
                format!("{minute} ({})", said(amount, self.per(unit)))
            }
            Unit::Kwh | Unit::Once => said(amount, self.per(unit)),
        }
    }

    /// A price with all that is known of its taxes.
    fn taxed(&self, currency: &str, price: Taxed, unit: Unit) -> String {
        let shown = self.priced(currency, price.shown(), unit);
        let taxes = match price {
            Taxed::Plain(_) => return shown,
            Taxed::PlusTaxes(_) => self.taxes(&TaxWords::Plus),
            Taxed::WithTaxes(_) => self.taxes(&TaxWords::Included),
            Taxed::Both { net, vat, .. } => {
                let text = format!("{} {}", self.amount(currency, net.amount), self.per(unit));
                let text = text.trim_end();
                let text = if net.exact { text.to_owned() } else { self.about(text) };
                self.taxes(&TaxWords::Vat(&self.percent(&self.number(vat)), &text))
            }
        };
        format!("{shown} {taxes}")
    }

    /// `Mon–Fri`, `Sat, Sun`.
    fn days(&self, days: &[usize]) -> String {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for day in days {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *day => *last = *day,
                _ => runs.push((*day, *day)),
            }
        }
        let run = |(first, last): &(usize, usize)| match last - first {
            0 => self.weekday(*first).to_owned(),
            1 => format!("{}, {}", self.weekday(*first), self.weekday(*last)),
            _ => format!("{}–{}", self.weekday(*first), self.weekday(*last)),
        };
        runs.iter().map(run).collect::<Vec<_>>().join(", ")
    }

    /// A moment in UTC; seconds only where there are any.
    fn moment(&self, at: Timestamp) -> String {
        let at = at.utc();
        let format = if at.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        format!("{}, {} UTC", self.date(at.date_naive()), at.format(format))
    }
}

/// `1 July 2025` in the order day, month, year, with `dot` behind the day.
pub(super) fn day_month_year(date: NaiveDate, dot: &str, month: &str) -> String {
    format!("{}{dot} {month} {}", date.day(), date.year())
}

/// A number with at least so many digits behind the point.
fn format_number(number: Decimal, least: usize, (point, group): (char, char)) -> String {
    let text = number.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(group);
        }
        grouped.push(digit);
    }
    let mut fraction = fraction.to_owned();
    while fraction.len() < least {
        fraction.push('0');
    }
    let minus = if number.is_sign_negative() && !number.is_zero() { "-" } else { "" };
    if fraction.is_empty() {
        format!("{minus}{grouped}")
    } else {
        format!("{minus}{grouped}{point}{fraction}")
    }
}

/// The sign of a currency; its code where the sign is that of several currencies (`kr`) or there is none.
fn sign(currency: &str) -> &str {
    match currency {
        "EUR" => "€",
        "GBP" => "£",
        "USD" => "$",
        "CAD" => "CA$",
        "AUD" => "A$",
        "NZD" => "NZ$",
        "JPY" => "¥",
        "INR" => "₹",
        "KRW" => "₩",
        "ILS" => "₪",
        "TRY" => "₺",
        "UAH" => "₴",
        "VND" => "₫",
        "PLN" => "zł",
        "CZK" => "Kč",
        "HUF" => "Ft",
        code => code,
    }
}
