//! A report as text, in English and German.

use super::PriceReport;
use crate::domain::Timestamp;
use crate::pricing::describe::Language;
use crate::pricing::explain::{Billed, CostLine, ExplainedPeriod, LineKind, LinePrice};
use crate::pricing::{Exact, PricingError, minor_units};
use chrono_tz::Tz;
use rust_decimal::Decimal;

/// What a language calls things.
struct Words {
    once: &'static str,
    vat: &'static str,
    with: &'static str,
    total: &'static str,
    interpolated: &'static str,
    free: &'static str,
    warnings: &'static str,
    whole: &'static str,
    decimal_point: char,
}

const ENGLISH: Words = Words {
    once: "once",
    vat: "VAT",
    with: "with",
    total: "Total",
    interpolated: "energy at its start interpolated between two meter values",
    free: "free",
    warnings: "Warnings",
    whole: "The whole charge",
    decimal_point: '.',
};

const GERMAN: Words = Words {
    once: "einmalig",
    vat: "MwSt.",
    with: "mit",
    total: "Summe",
    interpolated: "Energie am Anfang zwischen zwei Messwerten interpoliert",
    free: "kostenlos",
    warnings: "Warnungen",
    whole: "Der ganze Vorgang",
    decimal_point: ',',
};

fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &ENGLISH,
        Language::De => &GERMAN,
    }
}

/// What a line is for.
fn name(kind: LineKind, language: Language) -> &'static str {
    use LineKind as K;
    let (english, german) = match kind {
        K::Flat => ("Flat fee", "Pauschale"),
        K::Energy => ("Energy", "Energie"),
        K::Time => ("Charging time", "Ladezeit"),
        K::Parking => ("Parking time", "Standzeit"),
        K::Reservation => ("Reservation time", "Reservierungszeit"),
        K::ReservationFlat => ("Reservation fee", "Reservierungspauschale"),
        K::EnergyStep => ("Energy, up to a whole step", "Energie, bis zum vollen Schritt"),
        K::TimeStep => ("Charging time, up to a whole step", "Ladezeit, bis zum vollen Schritt"),
        K::ParkingStep => ("Parking time, up to a whole step", "Standzeit, bis zum vollen Schritt"),
        K::ReservationStep => {
            ("Reservation time, up to a whole step", "Reservierungszeit, bis zum vollen Schritt")
        }
        K::MinPrice => ("Up to the minimum price", "Bis zum Mindestpreis"),
        K::MaxPrice => ("Down to the maximum price", "Bis zum Höchstpreis"),
        K::Rounding => ("Rounding", "Rundung"),
    };
    match language {
        Language::En => english,
        Language::De => german,
    }
}

impl PriceReport {
    /// The report for people: each period with its lines, then the whole charge's, then the total.
    ///
    /// # Errors
    /// When an amount leaves the range of its type.
    pub fn text(&self, language: Language) -> Result<String, PricingError> {
        let writer = Writer { report: self, language, words: words(language) };
        let mut text = String::new();
        for (at, period) in self.explanation.periods.iter().enumerate() {
            writer.heading(&mut text, period);
            let lines = self.explanation.lines.iter().filter(|line| line.period == Some(at));
            let before = text.len();
            for line in lines {
                writer.line(&mut text, line)?;
            }
            if text.len() == before {
                text.push_str(&format!("  {}\n", writer.words.free));
            }
        }
        let whole: Vec<&CostLine> =
            self.explanation.lines.iter().filter(|line| line.period.is_none()).collect();
        if !whole.is_empty() {
            text.push_str(&format!("{}\n", writer.words.whole));
        }
        for line in whole {
            writer.line(&mut text, line)?;
        }
        writer.total(&mut text);
        if !self.warnings.is_empty() {
            text.push_str(&format!("{}\n", writer.words.warnings));
        }
        for warning in &self.warnings {
            text.push_str(&format!("  {warning}\n"));
        }
        Ok(text)
    }
}

struct Writer<'a> {
    report: &'a PriceReport,
    language: Language,
    words: &'static Words,
}

impl Writer<'_> {
    fn number(&self, number: Decimal) -> String {
        let text = number.to_string();
        if self.words.decimal_point == '.' { text } else { text.replace('.', ",") }
    }

    fn money(&self, amount: Decimal) -> String {
        format!("{} {}", self.number(amount), self.report.currency)
    }

    /// All digits that tell an accountant something, and at least those of the currency; the document has all.
    fn exact(&self, amount: Exact) -> Result<String, PricingError> {
        let mut amount = amount.to_decimal()?.round_dp(6).normalize();
        let least = minor_units(&self.report.currency);
        if amount.scale() < least {
            amount.rescale(least);
        }
        Ok(self.money(amount))
    }

    fn heading(&self, text: &mut String, period: &ExplainedPeriod) {
        let (start, end) = (local(period.start, self.report.zone), local(period.end, self.report.zone));
        let end = if start.0 == end.0 { end.1 } else { format!("{} {}", end.0, end.1) };
        let tariff = period.tariff.as_ref().map(|id| format!(" [{id}]")).unwrap_or_default();
        let mark =
            if period.interpolated { format!(" ({})", self.words.interpolated) } else { String::new() };
        text.push_str(&format!("{} {} – {end}{tariff}{mark}\n", start.0, start.1));
    }

    fn line(&self, text: &mut String, line: &CostLine) -> Result<(), PricingError> {
        text.push_str(&format!("  {}", name(line.kind, self.language)));
        if let Some(price) = &line.price {
            text.push_str(&format!(
                ": {} × {}",
                self.quantity(line.quantity),
                self.price(price, line.quantity)
            ));
        }
        text.push_str(&format!(" = {}", self.exact(line.excl_vat)?));
        if let Some(vat) = line.price.as_ref().and_then(|price| price.vat) {
            let vat = self.number(vat.normalize());
            text.push_str(&format!(
                ", {} {} {vat} % {}",
                self.exact(line.incl_vat)?,
                self.words.with,
                self.words.vat
            ));
        } else if line.incl_vat != line.excl_vat {
            text.push_str(&format!(
                ", {} {} {}",
                self.exact(line.incl_vat)?,
                self.words.with,
                self.words.vat
            ));
        }
        if let Some(price) = &line.price {
            text.push_str(&format!("  {}", price.component.path()));
        }
        text.push('\n');
        Ok(())
    }

    fn quantity(&self, quantity: Billed) -> String {
        match quantity {
            Billed::Once => self.words.once.to_owned(),
            Billed::Kwh(amount) => format!("{} kWh", self.number(amount)),
            Billed::Seconds(amount) => duration(amount, self.words.decimal_point),
        }
    }

    fn price(&self, price: &LinePrice, quantity: Billed) -> String {
        let amount = self.money(price.price.decimal());
        match quantity {
            Billed::Once => amount,
            Billed::Kwh(_) => format!("{amount}/kWh"),
            Billed::Seconds(_) => format!("{amount}/h"),
        }
    }

    fn total(&self, text: &mut String) {
        let total = self.report.total_cost;
        text.push_str(&format!("{} {}", self.words.total, self.money(total.excl_vat.0)));
        if total.incl_vat != total.excl_vat {
            text.push_str(&format!(
                ", {} {} {}",
                self.money(total.incl_vat.0),
                self.words.with,
                self.words.vat
            ));
        }
        text.push('\n');
    }
}

/// Date and time of day by the clock of the place.
fn local(at: Timestamp, zone: Tz) -> (String, String) {
    let at = at.utc().with_timezone(&zone);
    (at.format("%Y-%m-%d").to_string(), at.format("%H:%M:%S").to_string())
}

/// Seconds as hours, minutes and seconds.
fn duration(seconds: Decimal, decimal_point: char) -> String {
    use rust_decimal::prelude::ToPrimitive;
    let whole = seconds.trunc().to_i64().unwrap_or_default();
    let rest = seconds.fract().normalize();
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    let mut text = format!("{hours}:{minutes:02}:{seconds:02}");
    if !rest.is_zero() {
        let digits = rest.abs().to_string();
        text.push_str(&digits.trim_start_matches('0').replace('.', &decimal_point.to_string()));
    }
    format!("{text} h")
}
