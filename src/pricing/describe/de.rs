//! German.

use super::Part;
use super::conditions::{Condition, Factor};
use super::words::{TaxWords, Unit, Words, day_month_year};
use crate::domain::tariff::TariffType;
use crate::pricing::rates::Use;
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

pub(super) struct German;

const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const DAYS: [&str; 7] = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"];

impl German {
    fn window(start: Option<&str>, end: Option<&str>) -> String {
        match (start, end) {
            (Some(start), Some("00:00")) => format!("zwischen {start} Uhr und Mitternacht (00:00 Uhr)"),
            (Some(start), Some(end)) if end < start => {
                format!("zwischen {start} Uhr und {end} Uhr des Folgetags")
            }
            (Some(start), Some(end)) => format!("zwischen {start} und {end} Uhr"),
            (Some(start), None) => format!("zwischen {start} Uhr und Mitternacht"),
            (None, Some(end)) => format!("zwischen Mitternacht und {end} Uhr"),
            (None, None) => "zu jeder Zeit".to_owned(),
        }
    }

    fn level(&self, least: Option<Decimal>, most: Option<Decimal>, unit: &str) -> String {
        let number = |number: Decimal| format!("{} {unit}", self.number(number));
        match (least.map(number), most.map(number)) {
            (Some(least), Some(most)) => format!("bei mindestens {least} und weniger als {most}"),
            (Some(least), None) => format!("bei mindestens {least}"),
            (None, Some(most)) => format!("bei weniger als {most}"),
            (None, None) => String::new(),
        }
    }
}

impl Words for German {
    fn marks(&self) -> (char, char) {
        (',', '.')
    }

    fn money(&self, number: &str, sign: &str, _word: bool) -> String {
        format!("{number} {sign}")
    }

    fn heading(&self, part: Part) -> &'static str {
        match part {
            Part::PerKwh => "Preis je kWh",
            Part::PerMinute => "Preis je Minute",
            Part::PerSession => "Preis je Ladevorgang",
            Part::Other => "Sonstiges",
        }
    }

    fn subject(&self, of: Use) -> &'static str {
        match of {
            Use::Energy => "Energie",
            Use::Time => "Ladezeit",
            Use::Parking => "Standzeit (angeschlossen, aber das Fahrzeug bezieht keinen Strom)",
            Use::Flat => "Einmalig je Ladevorgang",
            Use::ReservationTime => "Reservierung, nach Zeit",
            Use::ReservationFlat => "Reservierung, einmalig",
            Use::ExpiredTime => "Ungenutzt abgelaufene Reservierung, nach Zeit",
            Use::ExpiredFlat => "Ungenutzt abgelaufene Reservierung, einmalig",
        }
    }

    fn per(&self, unit: Unit) -> &'static str {
        match unit {
            Unit::Kwh => "je kWh",
            Unit::Hour => "je Stunde",
            Unit::Once => "",
        }
    }

    fn per_minute(&self) -> &'static str {
        "je Minute"
    }

    fn free(&self) -> &'static str {
        "kostenlos"
    }

    fn about(&self, text: &str) -> String {
        format!("etwa {text}")
    }

    fn percent(&self, number: &str) -> String {
        format!("{number} %")
    }

    fn taxes(&self, taxes: &TaxWords<'_>) -> String {
        match taxes {
            TaxWords::Plus => "zzgl. Steuern".to_owned(),
            TaxWords::Included => "inkl. Steuern".to_owned(),
            TaxWords::Vat(percent, net) => format!("inkl. {percent} MwSt. ({net} ohne MwSt.)"),
        }
    }

    fn condition(&self, condition: &Condition) -> String {
        match condition {
            Condition::Otherwise => "sonst".to_owned(),
            Condition::Window(start, end) => Self::window(start.as_deref(), end.as_deref()),
            Condition::Days(days) => self.days(days),
            Condition::Dates(Some(from), Some(to)) => {
                format!("ab dem {} und vor dem {}", self.date(*from), self.date(*to))
            }
            Condition::Dates(Some(from), None) => format!("ab dem {}", self.date(*from)),
            Condition::Dates(None, Some(to)) => format!("vor dem {}", self.date(*to)),
            Condition::Dates(None, None) => "an jedem Datum".to_owned(),
            Condition::Energy(least, most) => {
                let kwh = |number: &Decimal| format!("{} kWh", self.number(*number));
                match (least.as_ref().map(kwh), most.as_ref().map(kwh)) {
                    (Some(least), Some(most)) => format!("ab {least} und bis {most} geladener Energie"),
                    (Some(least), None) if least.starts_with("1 ") => format!("nach {least}"),
                    (Some(least), None) => format!("nach den ersten {least}"),
                    (None, Some(most)) if most.starts_with("1 ") => format!("bis {most}"),
                    (None, Some(most)) => format!("für die ersten {most}"),
                    (None, None) => String::new(),
                }
            }
            Condition::Duration(least, most) => {
                let time = |seconds: &u64| self.duration(*seconds);
                match (least.as_ref().map(time), most.as_ref().map(time)) {
                    (Some(least), Some(most)) => format!("von {least} bis {most} nach Beginn"),
                    (Some(least), None) if least.starts_with("1 ") => format!("nach {least}"),
                    (Some(least), None) => format!("nach den ersten {least}"),
                    (None, Some(most)) if most.starts_with("1 ") => format!("bis {most} nach Beginn"),
                    (None, Some(most)) => format!("in den ersten {most}"),
                    (None, None) => String::new(),
                }
            }
            Condition::Power(least, most) => self.level(*least, *most, "kW"),
            Condition::Current(least, most) => {
                format!("{} (alle Phasen zusammen)", self.level(*least, *most, "A"))
            }
            Condition::Unknown(word) => format!("und unter einer unbekannten Bedingung ({word})"),
        }
    }

    fn factor(&self, factor: Factor) -> &'static str {
        match factor {
            Factor::TimeOfDay => "Uhrzeit",
            Factor::Day => "Wochentag",
            Factor::Date => "Datum",
            Factor::Energy => "geladener Energie",
            Factor::Duration => "Dauer",
            Factor::Power => "Leistung",
            Factor::Current => "Stromstärke",
            Factor::Other => "einer unbekannten Bedingung",
        }
    }

    fn time_unit(&self, number: u64, unit: usize) -> String {
        let name = ["Stunde", "Minute", "Sekunde"].get(unit).unwrap_or(&"Sekunde");
        if number == 1 { format!("1 {name}") } else { format!("{number} {name}n") }
    }

    fn steps(&self, step: &str) -> String {
        format!("abgerechnet in Schritten von {step} (aufgerundet)")
    }

    fn smallest_step(&self, unit: Unit) -> &'static str {
        match unit {
            Unit::Kwh => "abgerechnet je Wh",
            Unit::Hour => "abgerechnet je Sekunde",
            Unit::Once => "",
        }
    }

    fn month(&self, month: u32) -> &'static str {
        let at = usize::try_from(month.saturating_sub(1)).unwrap_or(0);
        MONTHS.get(at).copied().unwrap_or("")
    }

    fn date(&self, date: NaiveDate) -> String {
        day_month_year(date, ".", self.month(date.month()))
    }

    fn weekday(&self, day: usize) -> &'static str {
        DAYS.get(day).copied().unwrap_or("")
    }

    fn and(&self) -> &'static str {
        "und"
    }

    fn range(&self, least: &str, most: &str) -> String {
        format!("{least} bis {most}")
    }

    fn depending_on(&self, factors: &str) -> String {
        format!("je nach {factors}")
    }

    fn while_of(&self, of: Use) -> &'static str {
        match of {
            Use::Time => "während des Ladens",
            Use::Parking => "während des Stehens ohne Laden",
            Use::Flat => "einmalig je Ladevorgang",
            _ => "",
        }
    }

    fn charging_is_free(&self) -> &'static str {
        "Das Laden ist kostenlos."
    }

    fn you_pay(&self, prices: &str, limits: &str) -> String {
        match (prices.is_empty(), limits.is_empty()) {
            (_, true) => format!("Sie zahlen {prices}."),
            (true, false) => format!("Sie zahlen {limits}."),
            (false, false) => format!("Sie zahlen {prices}; {limits}."),
        }
    }

    fn reservation_costs(&self) -> &'static str {
        "Eine Reservierung kostet extra."
    }

    fn at_least(&self, amount: &str) -> String {
        format!("mindestens {amount}")
    }

    fn at_most(&self, amount: &str) -> String {
        format!("höchstens {amount}")
    }

    fn limit_line(&self, is_min: bool, amount: &str) -> String {
        if is_min {
            format!("Ein Ladevorgang kostet mindestens {amount}.")
        } else {
            format!("Ein Ladevorgang kostet höchstens {amount}.")
        }
    }

    fn limit_taxes(&self, net: &str, gross: &str) -> String {
        format!("{gross} inkl. MwSt. ({net} ohne MwSt.)")
    }

    fn no_limit(&self, name: &str, found: &str) -> String {
        let which = if name == "min_price" { "Mindestbetrag" } else { "Höchstbetrag" };
        format!("Der Tarif nennt {found} als {which}, aber nicht in der Form eines Preises: Er gilt nicht.")
    }

    fn valid_from(&self, at: &str) -> String {
        format!("Gültig ab {at}.")
    }

    fn valid_to(&self, at: &str) -> String {
        format!("Gültig bis {at}.")
    }

    fn taxes_of_tariff(&self, included: Option<bool>) -> &'static str {
        match included {
            Some(true) => "Die Preise enthalten die Steuern.",
            Some(false) => "Zu den Preisen kommen Steuern hinzu.",
            None => "Es fallen keine Steuern an.",
        }
    }

    fn tariff_type(&self, kind: &TariffType) -> String {
        match kind {
            TariffType::AdHocPayment => "Für das Bezahlen vor Ort, ohne Vertrag.".to_owned(),
            TariffType::ProfileCheap => "Für möglichst günstiges Laden.".to_owned(),
            TariffType::ProfileFast => "Für möglichst schnelles Laden.".to_owned(),
            TariffType::ProfileGreen => "Für möglichst grünes Laden.".to_owned(),
            TariffType::Regular => "Für das Laden mit Vertrag, ohne Vorliebe.".to_owned(),
            TariffType::Other(word) => format!("Für eine unbekannte Art des Ladens ({word})."),
        }
    }

    fn operator_adds(&self, text: &str) -> String {
        format!("Der Betreiber ergänzt: {text}")
    }

    fn more_at(&self, url: &str) -> String {
        format!("Mehr unter {url}")
    }

    fn never_applies(&self, line: &str) -> String {
        format!("Gilt nie, weil die Bedingungen nie eintreten oder ein anderer Preis vorgeht: {line}.")
    }

    fn not_priced(&self, dimension: &str, price: &str, step: u32, conditions: &str) -> String {
        let conditions = if conditions.is_empty() { String::new() } else { format!(", {conditions}") };
        format!(
            "Wird nicht berechnet, weil niemand weiß, wofür es gilt: {dimension} zu {price}, in Schritten von {step}{conditions}."
        )
    }
}
