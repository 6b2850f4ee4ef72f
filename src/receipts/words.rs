//! The words of a receipt in each language.

use crate::pricing::LineKind;
use crate::pricing::describe::Language;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The words of one language.
pub(super) struct Words {
    pub(super) language: Language,
    pub(super) receipt: &'static str,
    pub(super) number: &'static str,
    pub(super) issued: &'static str,
    pub(super) place: &'static str,
    pub(super) charging_point: &'static str,
    pub(super) begun: &'static str,
    pub(super) ended: &'static str,
    pub(super) delivered: &'static str,
    pub(super) charge_id: &'static str,
    pub(super) tax_id: &'static str,
    pub(super) line_heads: [&'static str; 4],
    pub(super) tax_heads: [&'static str; 4],
    pub(super) no_tax: &'static str,
    pub(super) net: &'static str,
    pub(super) total: &'static str,
    pub(super) held: &'static str,
    pub(super) captured: &'static str,
    pub(super) released: &'static str,
    pub(super) refunded: &'static str,
    pub(super) waived: &'static str,
    pub(super) paid: &'static str,
    pub(super) no_cdr: &'static str,
    pub(super) above_small_invoice: &'static str,
    pub(super) signed: &'static str,
    /// As chrono writes a moment.
    pub(super) moment_format: &'static str,
    /// Of a mail: `{number}` and `{operator}` are its gaps.
    pub(super) mail_subject: &'static str,
}

const ENGLISH: Words = Words {
    language: Language::En,
    receipt: "Receipt",
    number: "Number",
    issued: "Date",
    place: "Place",
    charging_point: "Charging point",
    begun: "Begun",
    ended: "Ended",
    delivered: "Energy delivered",
    charge_id: "Charge",
    tax_id: "VAT or tax number",
    line_heads: ["What", "Quantity", "Price", "Amount"],
    tax_heads: ["VAT", "Net", "Tax", "Gross"],
    no_tax: "none",
    net: "net",
    total: "Total",
    held: "Held on the card",
    captured: "Taken from the card",
    released: "Released",
    refunded: "Refunded",
    waived: "Not charged",
    paid: "Paid in the end",
    no_cdr: "The detailed account of this charge is not available yet.",
    above_small_invoice: "Above 250 EUR this receipt is no invoice for tax purposes in Germany; ask the issuer for one.",
    signed: "The meter signed its values. They can be had from the issuer and checked with transparency software.",
    moment_format: "%Y-%m-%d %H:%M:%S %Z",
    mail_subject: "Your receipt {number} from {operator}",
};

const GERMAN: Words = Words {
    language: Language::De,
    receipt: "Beleg",
    number: "Nummer",
    issued: "Datum",
    place: "Ort",
    charging_point: "Ladepunkt",
    begun: "Beginn",
    ended: "Ende",
    delivered: "Gelieferte Energie",
    charge_id: "Ladevorgang",
    tax_id: "USt-IdNr. oder Steuernummer",
    line_heads: ["Leistung", "Menge", "Preis", "Betrag"],
    tax_heads: ["USt.", "Netto", "Steuer", "Brutto"],
    no_tax: "keine",
    net: "netto",
    total: "Summe",
    held: "Auf der Karte reserviert",
    captured: "Von der Karte eingezogen",
    released: "Freigegeben",
    refunded: "Erstattet",
    waived: "Nicht berechnet",
    paid: "Am Ende bezahlt",
    no_cdr: "Die genaue Abrechnung dieses Ladevorgangs liegt noch nicht vor.",
    above_small_invoice: "Über 250 EUR ist dieser Beleg keine Rechnung im Sinne des Umsatzsteuerrechts; bitte fordern Sie \
                          beim Aussteller eine an.",
    signed: "Der Zähler hat seine Werte signiert. Sie sind beim Aussteller erhältlich und können mit einer \
             Transparenzsoftware geprüft werden.",
    moment_format: "%d.%m.%Y %H:%M:%S %Z",
    mail_subject: "Ihr Beleg {number} von {operator}",
};

impl Words {
    /// The words of a language.
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::De => &GERMAN,
        }
    }

    /// What a line is for.
    pub(super) fn kind(&self, kind: LineKind) -> &'static str {
        let (english, german) = match kind {
            LineKind::Flat => ("Start fee", "Startgebühr"),
            LineKind::Energy => ("Energy", "Energie"),
            LineKind::Time => ("Charging time", "Ladezeit"),
            LineKind::Parking => ("Parking time", "Standzeit"),
            LineKind::Reservation => ("Reservation", "Reservierung"),
            LineKind::ReservationFlat => ("Reservation fee", "Reservierungsgebühr"),
            LineKind::EnergyStep => {
                ("Energy, rounded up to the step", "Energie, auf die Schrittweite aufgerundet")
            }
            LineKind::TimeStep => ("Time, rounded up to the step", "Zeit, auf die Schrittweite aufgerundet"),
            LineKind::ParkingStep => {
                ("Parking, rounded up to the step", "Standzeit, auf die Schrittweite aufgerundet")
            }
            LineKind::ReservationStep => {
                ("Reservation, rounded up to the step", "Reservierung, auf die Schrittweite aufgerundet")
            }
            LineKind::MinPrice => ("Up to the least price", "Bis zum Mindestpreis"),
            LineKind::MaxPrice => ("Above the highest price", "Über dem Höchstpreis"),
            LineKind::Rounding => ("Rounding", "Rundung"),
        };
        match self.language {
            Language::En => english,
            Language::De => german,
        }
    }

    /// A tax rate in percent.
    pub(super) fn percent(&self, rate: Decimal) -> String {
        let number = self.language.number(rate);
        match self.language {
            Language::En => format!("{number}%"),
            Language::De => format!("{number} %"),
        }
    }

    /// A time as hours, minutes and seconds; what is less than a second is left to the exact amount.
    pub(super) fn time(&self, seconds: Decimal) -> String {
        let seconds = seconds.trunc().to_u64().unwrap_or_default();
        format!("{}:{:02}:{:02} h", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}
