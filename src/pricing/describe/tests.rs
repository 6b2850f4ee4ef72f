//! What is said of tariffs, word by word.

use super::*;
use crate::pricing::read::{self, OcpiVersion};
use serde_json::Value;

fn tariff_of(text: &str, version: OcpiVersion) -> Tariff {
    let json: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    read::tariff(&json, version).unwrap_or_else(|errors| panic!("{errors:?}")).value
}

fn tariff(elements: &str, more: &str) -> Tariff {
    tariff_of(&format!(r#"{{"currency": "EUR", "elements": [{elements}]{more}}}"#), OcpiVersion::V2_2_1)
}

fn element(kind: &str, price: &str, step: u32, restrictions: &str) -> String {
    let restrictions = if restrictions.is_empty() {
        String::new()
    } else {
        format!(r#", "restrictions": {{{restrictions}}}"#)
    };
    format!(
        r#"{{"price_components": [{{"type": "{kind}", "price": {price}, "step_size": {step}}}]{restrictions}}}"#
    )
}

fn both(tariff: &Tariff) -> [String; 2] {
    Language::ALL.map(|language| describe(tariff, language).to_text())
}

#[test]
fn a_simple_tariff_is_a_sentence_and_a_line() {
    let [en, de] = both(&tariff(&element("ENERGY", "0.38", 1, ""), ""));
    assert_eq!(en, "You pay €0.38 per kWh.\n\nPrice per kWh\n- Energy: €0.38 per kWh, billed by the Wh.");
    assert_eq!(de, "Sie zahlen 0,38 € je kWh.\n\nPreis je kWh\n- Energie: 0,38 € je kWh, abgerechnet je Wh.");
}

#[test]
fn prices_come_in_the_order_of_the_regulation() {
    let elements = [
        element("FLAT", "1.5", 1, ""),
        element("PARKING_TIME", "12", 900, r#""min_duration": 1800"#),
        element(
            "ENERGY",
            "0.41",
            100,
            r#""start_time": "06:00", "end_time": "22:00", "day_of_week": ["FRIDAY", "MONDAY", "TUESDAY", "SUNDAY"]"#,
        ),
        element("ENERGY", "0.35", 1000, ""),
        element("FLAT", "2", 1, r#""reservation": "RESERVATION""#),
        element("TIME", "5", 60, r#""reservation": "RESERVATION_EXPIRES""#),
    ];
    let more = r#", "min_price": {"excl_vat": 1, "incl_vat": 1.19}, "max_price": {"excl_vat": 1000},
        "start_date_time": "2025-10-20T10:18:29Z", "type": "AD_HOC_PAYMENT",
        "tariff_alt_text": [{"language": "de", "text": "Kartenzahlung"}, {"language": "en", "text": "Cards only"}]"#;
    let [en, de] = both(&tariff(&elements.join(","), more));
    assert_eq!(
        en,
        "You pay €0.35 to €0.41 per kWh (depending on the time of day and the day of the week), €0.20 per minute \
         while parked without charging (after the first 30 minutes) and €1.50 once per charge; at least €1.19 incl. \
         VAT (€1.00 without VAT) and at most €1,000.00. A reservation costs extra.\n\n\
         Price per kWh\n\
         - Energy, between 06:00 and 22:00, Mon, Tue, Fri, Sun: €0.41 per kWh, billed in steps of 100 Wh (rounded up).\n\
         - Energy, otherwise: €0.35 per kWh, billed in steps of 1 kWh (rounded up).\n\n\
         Price per minute\n\
         - Parking time (connected, but the vehicle takes no power), after the first 30 minutes: €0.20 per minute \
         (€12.00 per hour), billed in steps of 15 minutes (rounded up).\n\
         - Parking time (connected, but the vehicle takes no power), otherwise: free.\n\n\
         Price per session\n\
         - Once per charge: €1.50.\n\n\
         Other\n\
         - Reservation, once: €2.00.\n\
         - Reservation that expires unused, by its time: about €0.0833 per minute (€5.00 per hour), billed in steps \
         of 1 minute (rounded up).\n\
         - A charge costs at least €1.19 incl. VAT (€1.00 without VAT).\n\
         - A charge costs at most €1,000.00.\n\
         - Valid from 20 October 2025, 10:18:29 UTC.\n\
         - For paying on the spot, without a contract.\n\
         - The operator adds: Cards only"
    );
    assert_eq!(
        de,
        "Sie zahlen 0,35 € bis 0,41 € je kWh (je nach Uhrzeit und Wochentag), 0,20 € je Minute während des Stehens \
         ohne Laden (nach den ersten 30 Minuten) und 1,50 € einmalig je Ladevorgang; mindestens 1,19 € inkl. MwSt. \
         (1,00 € ohne MwSt.) und höchstens 1.000,00 €. Eine Reservierung kostet extra.\n\n\
         Preis je kWh\n\
         - Energie, zwischen 06:00 und 22:00 Uhr, Mo, Di, Fr, So: 0,41 € je kWh, abgerechnet in Schritten von 100 Wh \
         (aufgerundet).\n\
         - Energie, sonst: 0,35 € je kWh, abgerechnet in Schritten von 1 kWh (aufgerundet).\n\n\
         Preis je Minute\n\
         - Standzeit (angeschlossen, aber das Fahrzeug bezieht keinen Strom), nach den ersten 30 Minuten: 0,20 € je \
         Minute (12,00 € je Stunde), abgerechnet in Schritten von 15 Minuten (aufgerundet).\n\
         - Standzeit (angeschlossen, aber das Fahrzeug bezieht keinen Strom), sonst: kostenlos.\n\n\
         Preis je Ladevorgang\n\
         - Einmalig je Ladevorgang: 1,50 €.\n\n\
         Sonstiges\n\
         - Reservierung, einmalig: 2,00 €.\n\
         - Ungenutzt abgelaufene Reservierung, nach Zeit: etwa 0,0833 € je Minute (5,00 € je Stunde), abgerechnet in \
         Schritten von 1 Minute (aufgerundet).\n\
         - Ein Ladevorgang kostet mindestens 1,19 € inkl. MwSt. (1,00 € ohne MwSt.).\n\
         - Ein Ladevorgang kostet höchstens 1.000,00 €.\n\
         - Gültig ab 20. Oktober 2025, 10:18:29 UTC.\n\
         - Für das Bezahlen vor Ort, ohne Vertrag.\n\
         - Der Betreiber ergänzt: Kartenzahlung"
    );
}

/// The first line of a tariff of one component.
fn first_line(component: &str, more: &str, version: OcpiVersion) -> Line {
    let text = format!(r#"{{"currency": "EUR", "elements": [{{"price_components": [{component}]}}]{more}}}"#);
    describe(&tariff_of(&text, version), Language::En).lines.remove(0)
}

#[test]
fn prices_are_said_before_and_after_vat() {
    let energy = r#"{"type": "ENERGY", "price": 0.38, "vat": 19, "step_size": 1}"#;
    let net = first_line(energy, "", OcpiVersion::V2_2_1);
    assert_eq!(
        net.text,
        "Energy: €0.4522 per kWh incl. 19% VAT (€0.38 per kWh without VAT), billed by the Wh."
    );
    assert_eq!(
        (net.net.as_deref(), net.gross.as_deref(), net.vat.as_deref()),
        (Some("0.38"), Some("0.4522"), Some("19"))
    );
    let gross = first_line(energy, r#", "tax_included": "YES""#, OcpiVersion::V2_3_0);
    assert_eq!(
        gross.text,
        "Energy: €0.38 per kWh incl. 19% VAT (about €0.3193 per kWh without VAT), billed by the Wh."
    );
    let time = r#"{"type": "TIME", "price": 12, "vat": 20, "step_size": 1}"#;
    assert_eq!(
        first_line(time, "", OcpiVersion::V2_2_1).text,
        "Charging time: €0.24 per minute (€14.40 per hour) incl. 20% VAT (€12.00 per hour without VAT), billed by \
         the second."
    );
    let hour = r#"{"type": "TIME", "price": 2.1, "step_size": 60}"#;
    let said = |included: &str| {
        let more = format!(r#", "tax_included": "{included}""#);
        first_line(hour, &more, OcpiVersion::V2_3_0).text
    };
    let steps = "billed in steps of 1 minute (rounded up).";
    assert_eq!(
        said("YES"),
        format!("Charging time: €0.035 per minute (€2.10 per hour) incl. taxes, {steps}")
    );
    assert_eq!(said("NO"), format!("Charging time: €0.035 per minute (€2.10 per hour) plus taxes, {steps}"));
    assert_eq!(said("N/A"), format!("Charging time: €0.035 per minute (€2.10 per hour), {steps}"));
}

#[test]
fn every_restriction_is_said() {
    let said = |restrictions: &str| {
        let tariff = tariff(&element("ENERGY", "1", 1, restrictions), "");
        Language::ALL.map(|language| describe(&tariff, language).lines.remove(0).conditions.join("; "))
    };
    let cases = [
        (
            r#""start_time": "20:00", "end_time": "08:00""#,
            "between 20:00 and 08:00 of the next day",
            "zwischen 20:00 Uhr und 08:00 Uhr des Folgetags",
        ),
        (
            r#""start_time": "20:00", "end_time": "00:00""#,
            "between 20:00 and midnight (00:00)",
            "zwischen 20:00 Uhr und Mitternacht (00:00 Uhr)",
        ),
        (r#""start_time": "20:00""#, "between 20:00 and midnight", "zwischen 20:00 Uhr und Mitternacht"),
        (r#""end_time": "08:00""#, "between midnight and 08:00", "zwischen Mitternacht und 08:00 Uhr"),
        (r#""start_time": "00:00", "end_time": "00:00""#, "", ""),
        (r#""day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]"#, "Mon–Fri", "Mo–Fr"),
        (r#""day_of_week": ["SUNDAY", "SATURDAY"]"#, "Sat, Sun", "Sa, So"),
        (r#""start_date": "2025-07-01""#, "from 1 July 2025 on", "ab dem 1. Juli 2025"),
        (r#""end_date": "2025-03-09""#, "before 9 March 2025", "vor dem 9. März 2025"),
        (
            r#""start_date": "2025-07-01", "end_date": "2026-01-01""#,
            "from 1 July 2025 and before 1 January 2026",
            "ab dem 1. Juli 2025 und vor dem 1. Januar 2026",
        ),
        (r#""min_kwh": 0.1"#, "after the first 0.1 kWh", "nach den ersten 0,1 kWh"),
        (r#""max_kwh": 1500"#, "for the first 1,500 kWh", "für die ersten 1.500 kWh"),
        (
            r#""min_kwh": 1, "max_kwh": 2.5"#,
            "after the first 1 kWh and up to 2.5 kWh",
            "ab 1 kWh und bis 2,5 kWh geladener Energie",
        ),
        (r#""min_duration": 5400"#, "after 1 hour 30 minutes", "nach 1 Stunde 30 Minuten"),
        (r#""max_duration": 3600"#, "until 1 hour after the start", "bis 1 Stunde nach Beginn"),
        (
            r#""max_duration": 1805"#,
            "for the first 30 minutes 5 seconds",
            "in den ersten 30 Minuten 5 Sekunden",
        ),
        (
            r#""min_duration": 6000, "max_duration": 13500"#,
            "from 1 hour 40 minutes to 3 hours 45 minutes after the start",
            "von 1 Stunde 40 Minuten bis 3 Stunden 45 Minuten nach Beginn",
        ),
        (r#""min_power": 22"#, "at 22 kW or more", "bei mindestens 22 kW"),
        (r#""max_power": 16.5"#, "at less than 16.5 kW", "bei weniger als 16,5 kW"),
        (
            r#""min_power": 16, "max_power": 32"#,
            "at 16 kW or more but less than 32 kW",
            "bei mindestens 16 kW und weniger als 32 kW",
        ),
        (
            r#""min_current": 32"#,
            "at 32 A or more (all phases together)",
            "bei mindestens 32 A (alle Phasen zusammen)",
        ),
        (
            r#""weather": "rain""#,
            "and a condition that is not known (weather)",
            "und unter einer unbekannten Bedingung (weather)",
        ),
    ];
    for (restrictions, en, de) in cases {
        assert_eq!(said(restrictions), [en, de], "{restrictions}");
    }
}

#[test]
fn amounts_have_the_sign_of_their_currency() {
    let amount = |currency: &str, amount: &str| {
        let amount = amount.parse().unwrap();
        Language::ALL.map(|language| language.words().amount(currency, amount))
    };
    assert_eq!(amount("EUR", "1234567.5"), ["€1,234,567.50", "1.234.567,50 €"]);
    assert_eq!(amount("EUR", "0.45830"), ["€0.4583", "0,4583 €"]);
    assert_eq!(amount("EUR", "-1"), ["-€1.00", "-1,00 €"]);
    assert_eq!(amount("GBP", "0.8"), ["£0.80", "0,80 £"]);
    assert_eq!(amount("NOK", "4.2116"), ["NOK 4.2116", "4,2116 NOK"]);
    assert_eq!(amount("CZK", "9"), ["9.00 Kč", "9,00 Kč"]);
    assert_eq!(amount("CAD", "2"), ["CA$2.00", "2,00 CA$"]);
    assert_eq!(amount("JPY", "60"), ["¥60", "60 ¥"]);
}

#[test]
fn what_is_never_charged_is_said_as_such() {
    let elements = [
        element("ENERGY", "0.3", 1, ""),
        element("ENERGY", "0.9", 1, r#""min_kwh": 3"#),
        element("SESSION_TIME", "6", 60, r#""min_duration": 7200"#),
    ];
    let described = describe(&tariff(&elements.join(","), r#", "max_price": 75"#), Language::En);
    assert_eq!(described.summary, "You pay €0.30 per kWh.");
    let other: Vec<&str> = described
        .lines
        .iter()
        .filter(|line| line.part == Part::Other)
        .map(|line| line.text.as_str())
        .collect();
    assert_eq!(
        other,
        [
            "The tariff names €75.00 as an upper limit, but not in the form of a price: it does not apply.",
            "Never applies, because its conditions are never met or another price comes first: Energy, after the \
             first 3 kWh: €0.90 per kWh, billed by the Wh.",
            "Not charged, because nobody can tell what it is for: SESSION_TIME at €6.00, in steps of 60, after the \
             first 2 hours.",
        ]
    );
}

#[test]
fn summaries_say_what_prices_depend_on() {
    let summary = |elements: &[String]| describe(&tariff(&elements.join(","), ""), Language::En).summary;
    assert_eq!(summary(&[element("FLAT", "0", 1, "")]), "Charging is free.");
    assert_eq!(
        summary(&[
            element("ENERGY", "0.458", 1, ""),
            element("TIME", "0", 1, r#""max_duration": 36000"#),
            element("TIME", "5", 60, ""),
        ]),
        "You pay €0.458 per kWh and about €0.0833 per minute while charging (depending on the duration)."
    );
    // The same price on either side of a border depends on nothing.
    assert_eq!(
        summary(&[
            element("ENERGY", "0.5", 1, r#""max_duration": 1800"#),
            element("ENERGY", "0.5", 1, r#""min_duration": 1800"#),
        ]),
        "You pay €0.50 per kWh."
    );
    assert_eq!(
        summary(&[element("ENERGY", "0.5", 1, r#""start_date": "2025-07-01""#)]),
        "You pay €0.50 per kWh (from 1 July 2025 on)."
    );
}

#[test]
fn languages_are_named_by_their_codes() {
    assert_eq!("de".parse(), Ok(Language::De));
    assert_eq!(
        "fr".parse::<Language>().unwrap_err().to_string(),
        "'fr' is no language in which a tariff can be explained: en and de are"
    );
}
