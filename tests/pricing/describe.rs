//! What is said of the tariffs of a real market: every price, time and step of each, in both languages.

use crate::support::shared::shared;
use roamwatt::domain::tariff::{Tariff, TariffDimension};
use roamwatt::pricing::describe::{Language, describe};
use roamwatt::pricing::read::{self, OcpiVersion};
use rust_decimal::Decimal;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_reader(json_comments::StripComments::new(text.as_bytes())).unwrap()
}

/// A number as the language writes it, with at least so many decimals. None here has four digits before the point,
/// but for one power.
fn number(number: Decimal, least: usize, language: Language) -> String {
    let mut text = number.normalize().to_string();
    if least > 0 && !text.contains('.') {
        text.push('.');
    }
    while text.split_once('.').is_some_and(|(_, fraction)| fraction.len() < least) {
        text.push('0');
    }
    let text = if text == "9999" { "9,999".to_owned() } else { text };
    match language {
        Language::En => text,
        Language::De => text.replace(',', ";").replace('.', ",").replace(';', "."),
    }
}

fn amount(price: Decimal, currency: &str, language: Language) -> String {
    let number = number(price, 2, language);
    match (language, currency) {
        (Language::En, "EUR") => format!("€{number}"),
        (Language::En, "GBP") => format!("£{number}"),
        (Language::En, code) => format!("{code} {number}"),
        (Language::De, "EUR") => format!("{number} €"),
        (Language::De, "GBP") => format!("{number} £"),
        (Language::De, code) => format!("{number} {code}"),
    }
}

fn duration(seconds: u64, language: Language) -> String {
    let names = match language {
        Language::En => ["hour", "minute", "second"],
        Language::De => ["Stunde", "Minute", "Sekunde"],
    };
    let plural = if language == Language::En { "s" } else { "n" };
    let parts: Vec<String> = [seconds / 3600, seconds / 60 % 60, seconds % 60]
        .iter()
        .zip(names)
        .filter(|(number, _)| **number > 0)
        .map(|(number, name)| format!("{number} {name}{}", if *number == 1 { "" } else { plural }))
        .collect();
    if parts.is_empty() { format!("0 {}{plural}", names[2]) } else { parts.join(" ") }
}

fn date(text: &str, language: Language) -> String {
    let date: chrono::NaiveDate = text.parse().unwrap();
    let english = date.format("%-d %B %Y").to_string();
    if language == Language::En {
        return english;
    }
    let mut parts = english.split(' ');
    let (day, month, year) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let month = match month {
        "January" => "Januar",
        "February" => "Februar",
        "March" => "März",
        "May" => "Mai",
        "June" => "Juni",
        "July" => "Juli",
        "October" => "Oktober",
        "December" => "Dezember",
        same => same,
    };
    format!("{day}. {month} {year}")
}

/// Everything that must be said of a tariff.
fn wanted(tariff: &Tariff, language: Language) -> Vec<String> {
    let mut wanted = Vec::new();
    for element in &tariff.elements {
        for component in &element.price_components {
            let price = component.price.decimal();
            if price.is_zero() && component.dimension.is_known() {
                wanted.push(if language == Language::En { "free" } else { "kostenlos" }.to_owned());
            } else {
                wanted.push(amount(price, &tariff.currency, language));
            }
            let step = component.step_size;
            match &component.dimension {
                TariffDimension::Energy if step >= 1000 => {
                    wanted.push(format!("{} kWh", number(Decimal::new(step.into(), 3), 0, language)));
                }
                TariffDimension::Energy if step > 1 => wanted.push(format!("{step} Wh")),
                TariffDimension::Energy => wanted.push(" Wh".to_owned()),
                TariffDimension::Time | TariffDimension::ParkingTime if step > 1 => {
                    wanted.push(duration(step.into(), language));
                }
                TariffDimension::Other(word) => wanted.push(word.clone()),
                _ => {}
            }
        }
        let Some(given) = &element.restrictions else { continue };
        wanted.extend(given.start_time.clone());
        wanted.extend(given.end_time.clone());
        wanted.extend([&given.start_date, &given.end_date].into_iter().flatten().map(|d| date(d, language)));
        let energies = [given.min_kwh, given.max_kwh].into_iter().flatten();
        wanted.extend(energies.map(|kwh| format!("{} kWh", number(kwh.decimal(), 0, language))));
        let powers = [given.min_power, given.max_power].into_iter().flatten();
        wanted.extend(powers.map(|power| format!("{} kW", number(power, 0, language))));
        let durations = [given.min_duration, given.max_duration].into_iter().flatten();
        wanted.extend(durations.map(|seconds| duration(seconds, language)));
    }
    if let Some(limit) = tariff.extra.get("max_price") {
        wanted.push(amount(limit.to_string().parse().unwrap(), &tariff.currency, language));
    }
    if tariff.start_date_time.is_some() {
        wanted.push("2025, 10:18:29 UTC".to_owned());
    }
    wanted
}

#[test]
fn everything_in_the_tariffs_of_a_real_market_is_said() {
    let Some(folder) = shared("data/tariffs/popular") else { return };
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert_eq!(folders.len(), 40);
    let mut missing = Vec::new();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let tariff = read::tariff(&read(&folder.join("tariff.json")), OcpiVersion::V2_2_1).unwrap().value;
        for language in Language::ALL {
            let text = describe(&tariff, language).to_text();
            if std::env::var_os("ROAMWATT_SHOW_DESCRIPTIONS").is_some() {
                println!("== {name} {language}\n{text}\n");
            }
            for wanted in wanted(&tariff, language).into_iter().filter(|wanted| !text.contains(wanted)) {
                missing.push(format!("{name} {language}: '{wanted}' is not said in\n{text}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n\n"));
}
