//! English.

use super::Part;
use super::conditions::{Condition, Factor};
use super::words::{TaxWords, Unit, Words, day_month_year};
use crate::domain::tariff::TariffType;
use crate::pricing::rates::Use;
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

pub(super) struct English;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl English {
    fn window(start: Option<&str>, end: Option<&str>) -> String {
        match (start, end) {
            (Some(start), Some("00:00")) => format!("between {start} and midnight (00:00)"),
            (Some(start), Some(end)) if end < start => {
                format!("between {start} and {end} of the next day")
            }
            (Some(start), Some(end)) => format!("between {start} and {end}"),
            (Some(start), None) => format!("between {start} and midnight"),
            (None, Some(end)) => format!("between midnight and {end}"),
            (None, None) => "at any time".to_owned(),
        }
    }

    /// "16 kW or more", "less than 16 kW", "16 kW or more but less than 32 kW".
    fn level(&self, least: Option<Decimal>, most: Option<Decimal>, unit: &str) -> String {
        let number = |number: Decimal| format!("{} {unit}", self.number(number));
        match (least.map(number), most.map(number)) {
            (Some(least), Some(most)) => format!("at {least} or more but less than {most}"),
            (Some(least), None) => format!("at {least} or more"),
            (None, Some(most)) => format!("at less than {most}"),
            (None, None) => String::new(),
        }
    }
}

impl Words for English {
    fn marks(&self) -> (char, char) {
        ('.', ',')
    }

    fn money(&self, number: &str, sign: &str, word: bool) -> String {
        match sign {
            "zł" | "Kč" | "Ft" => format!("{number} {sign}"),
            _ if word => format!("{sign} {number}"),
            _ => format!("{sign}{number}"),
        }
    }

    fn heading(&self, part: Part) -> &'static str {
        match part {
            Part::PerKwh => "Price per kWh",
            Part::PerMinute => "Price per minute",
            Part::PerSession => "Price per session",
            Part::Other => "Other",
        }
    }

    fn subject(&self, of: Use) -> &'static str {
        match of {
            Use::Energy => "Energy",
            Use::Time => "Charging time",
            Use::Parking => "Parking time (connected, but the vehicle takes no power)",
            Use::Flat => "Once per charge",
            Use::ReservationTime => "Reservation, by its time",
            Use::ReservationFlat => "Reservation, once",
            Use::ExpiredTime => "Reservation that expires unused, by its time",
            Use::ExpiredFlat => "Reservation that expires unused, once",
        }
    }

    fn per(&self, unit: Unit) -> &'static str {
        match unit {
            Unit::Kwh => "per kWh",
            Unit::Hour => "per hour",
            Unit::Once => "",
        }
    }

    fn per_minute(&self) -> &'static str {
        "per minute"
    }

    fn free(&self) -> &'static str {
        "free"
    }

    fn about(&self, text: &str) -> String {
        format!("about {text}")
    }

    fn percent(&self, number: &str) -> String {
        format!("{number}%")
    }

    fn taxes(&self, taxes: &TaxWords<'_>) -> String {
        match taxes {
            TaxWords::Plus => "plus taxes".to_owned(),
            TaxWords::Included => "incl. taxes".to_owned(),
            TaxWords::Vat(percent, net) => format!("incl. {percent} VAT ({net} without VAT)"),
        }
    }

    fn condition(&self, condition: &Condition) -> String {
        match condition {
            Condition::Otherwise => "otherwise".to_owned(),
            Condition::Window(start, end) => Self::window(start.as_deref(), end.as_deref()),
            Condition::Days(days) => self.days(days),
            Condition::Dates(Some(from), Some(to)) => {
                format!("from {} and before {}", self.date(*from), self.date(*to))
            }
            Condition::Dates(Some(from), None) => format!("from {} on", self.date(*from)),
            Condition::Dates(None, Some(to)) => format!("before {}", self.date(*to)),
            Condition::Dates(None, None) => "on any date".to_owned(),
            Condition::Energy(least, most) => {
                let kwh = |number: &Decimal| format!("{} kWh", self.number(*number));
                match (least.as_ref().map(kwh), most.as_ref().map(kwh)) {
                    (Some(least), Some(most)) => format!("after the first {least} and up to {most}"),
                    (Some(least), None) if least.starts_with("1 ") => format!("after {least}"),
                    (Some(least), None) => format!("after the first {least}"),
                    (None, Some(most)) if most.starts_with("1 ") => format!("up to {most}"),
                    (None, Some(most)) => format!("for the first {most}"),
                    (None, None) => String::new(),
                }
            }
            Condition::Duration(least, most) => {
                let time = |seconds: &u64| self.duration(*seconds);
                match (least.as_ref().map(time), most.as_ref().map(time)) {
                    (Some(least), Some(most)) => format!("from {least} to {most} after the start"),
                    (Some(least), None) if least.starts_with("1 ") => format!("after {least}"),
                    (Some(least), None) => format!("after the first {least}"),
                    (None, Some(most)) if most.starts_with("1 ") => format!("until {most} after the start"),
                    (None, Some(most)) => format!("for the first {most}"),
                    (None, None) => String::new(),
                }
            }
            Condition::Power(least, most) => self.level(*least, *most, "kW"),
            Condition::Current(least, most) => {
                format!("{} (all phases together)", self.level(*least, *most, "A"))
            }
            Condition::Unknown(word) => format!("and a condition that is not known ({word})"),
        }
    }

    fn factor(&self, factor: Factor) -> &'static str {
        match factor {
            Factor::TimeOfDay => "the time of day",
            Factor::Day => "the day of the week",
            Factor::Date => "the date",
            Factor::Energy => "the energy charged",
            Factor::Duration => "the duration",
            Factor::Power => "the power",
            Factor::Current => "the current",
            Factor::Other => "a condition that is not known",
        }
    }

    fn time_unit(&self, number: u64, unit: usize) -> String {
        let name = ["hour", "minute", "second"].get(unit).unwrap_or(&"second");
        if number == 1 { format!("1 {name}") } else { format!("{number} {name}s") }
    }

    fn steps(&self, step: &str) -> String {
        format!("billed in steps of {step} (rounded up)")
    }

    fn smallest_step(&self, unit: Unit) -> &'static str {
        match unit {
            Unit::Kwh => "billed by the Wh",
            Unit::Hour => "billed by the second",
            Unit::Once => "",
        }
    }

    fn month(&self, month: u32) -> &'static str {
        let at = usize::try_from(month.saturating_sub(1)).unwrap_or(0);
        MONTHS.get(at).copied().unwrap_or("")
    }

    fn date(&self, date: NaiveDate) -> String {
        day_month_year(date, "", self.month(date.month()))
    }

    fn weekday(&self, day: usize) -> &'static str {
        DAYS.get(day).copied().unwrap_or("")
    }

    fn and(&self) -> &'static str {
        "and"
    }

    fn range(&self, least: &str, most: &str) -> String {
        format!("{least} to {most}")
    }

    fn depending_on(&self, factors: &str) -> String {
        format!("depending on {factors}")
    }

    fn while_of(&self, of: Use) -> &'static str {
        match of {
            Use::Time => "while charging",
            Use::Parking => "while parked without charging",
            Use::Flat => "once per charge",
            _ => "",
        }
    }

    fn charging_is_free(&self) -> &'static str {
        "Charging is free."
    }

    fn you_pay(&self, prices: &str, limits: &str) -> String {
        match (prices.is_empty(), limits.is_empty()) {
            (_, true) => format!("You pay {prices}."),
            (true, false) => format!("You pay {limits}."),
            (false, false) => format!("You pay {prices}; {limits}."),
        }
    }

    fn reservation_costs(&self) -> &'static str {
        "A reservation costs extra."
    }

    fn at_least(&self, amount: &str) -> String {
        format!("at least {amount}")
    }

    fn at_most(&self, amount: &str) -> String {
        format!("at most {amount}")
    }

    fn limit_line(&self, is_min: bool, amount: &str) -> String {
        if is_min {
            format!("A charge costs at least {amount}.")
        } else {
            format!("A charge costs at most {amount}.")
        }
    }

    fn limit_taxes(&self, net: &str, gross: &str) -> String {
        format!("{gross} incl. VAT ({net} without VAT)")
    }

    fn no_limit(&self, name: &str, found: &str) -> String {
        let which = if name == "min_price" { "lower" } else { "upper" };
        format!(
            "The tariff names {found} as a {which} limit, but not in the form of a price: it does not apply."
        )
        .replace("a upper", "an upper")
    }

    fn valid_from(&self, at: &str) -> String {
        format!("Valid from {at}.")
    }

    fn valid_to(&self, at: &str) -> String {
        format!("Valid until {at}.")
    }

    fn taxes_of_tariff(&self, included: Option<bool>) -> &'static str {
        match included {
            Some(true) => "The prices include taxes.",
            Some(false) => "Taxes are added to the prices.",
            None => "No taxes apply.",
        }
    }

    fn tariff_type(&self, kind: &TariffType) -> String {
        match kind {
            TariffType::AdHocPayment => "For paying on the spot, without a contract.".to_owned(),
            TariffType::ProfileCheap => "For charging as cheaply as possible.".to_owned(),
            TariffType::ProfileFast => "For charging as fast as possible.".to_owned(),
            TariffType::ProfileGreen => "For charging as green as possible.".to_owned(),
            TariffType::Regular => "For charging with a contract, without a preference.".to_owned(),
            TariffType::Other(word) => format!("For a kind of charging that is not known ({word})."),
        }
    }

    fn operator_adds(&self, text: &str) -> String {
        format!("The operator adds: {text}")
    }

    fn more_at(&self, url: &str) -> String {
        format!("More at {url}")
    }

    fn never_applies(&self, line: &str) -> String {
        format!("Never applies, because its conditions are never met or another price comes first: {line}.")
    }

    fn not_priced(&self, dimension: &str, price: &str, step: u32, conditions: &str) -> String {
        let conditions = if conditions.is_empty() { String::new() } else { format!(", {conditions}") };
        format!(
            "Not charged, because nobody can tell what it is for: {dimension} at {price}, in steps of {step}{conditions}."
        )
    }
}
