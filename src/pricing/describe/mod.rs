//! A tariff in words: one sentence that a driver understands, and a line for each price in the order in which
//! Regulation (EU) 2023/1804 (AFIR), Article 5(4), wants prices shown: per kWh, per minute, per session, any other.
//!
//! The meaning is that of OCPI 2.2.1 mod_tariffs: per dimension the first element that matches applies, so a line
//! behind another one that can match at the same time begins with "otherwise". Amounts are exact unless they say
//! "about". [`conditions`] is what restrictions say without a language, [`amounts`] what a price is before and after
//! VAT; [`words`] is what a language must know, [`en`] and [`de`] know it.

mod amounts;
mod conditions;
mod de;
mod en;
mod lines;
mod per_kwh;
mod summary;
#[cfg(test)]
mod tests;
mod words;

pub use per_kwh::{EnergyPrice, energy_price};

use super::rates::{Rate, Use, rates};
use crate::domain::tariff::Tariff;
use rust_decimal::Decimal;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use words::Words;

/// The languages in which a tariff can be described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// ISO 639-1.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// A number as the language writes it.
    #[must_use]
    pub fn number(self, number: Decimal) -> String {
        self.words().number(number)
    }

    /// An amount with its currency's sign, and at least the decimals that the currency has.
    #[must_use]
    pub fn amount(self, currency: &str, amount: Decimal) -> String {
        self.words().amount(currency, amount)
    }

    fn words(self) -> &'static dyn Words {
        match self {
            Self::En => &en::English,
            Self::De => &de::German,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no language in which a tariff can be described.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no language in which a tariff can be explained: en and de are")]
pub struct UnknownLanguage(String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        let named = Self::ALL.into_iter().find(|language| language.as_str() == text);
        named.ok_or_else(|| UnknownLanguage(text.chars().take(40).collect()))
    }
}

/// The four kinds of prices, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Energy.
    PerKwh,
    /// Charging and parking time.
    PerMinute,
    /// Once per charge.
    PerSession,
    /// Reservations, limits, validity, and what there is to say besides.
    Other,
}

impl Part {
    /// Every kind in its order.
    pub const ALL: [Self; 4] = [Self::PerKwh, Self::PerMinute, Self::PerSession, Self::Other];

    /// Its name in a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PerKwh => "per_kwh",
            Self::PerMinute => "per_minute",
            Self::PerSession => "per_session",
            Self::Other => "other",
        }
    }

    /// Its heading.
    #[must_use]
    pub fn heading(self, language: Language) -> &'static str {
        language.words().heading(self)
    }
}

/// One price, or one thing to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Of which kind.
    pub part: Part,
    /// The whole line in words.
    pub text: String,
    /// JSON path of the price component, where the line is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Per kWh, per hour or once, before VAT, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net: Option<String>,
    /// The same after VAT, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross: Option<String>,
    /// VAT in percent, where there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat: Option<String>,
    /// When the price applies, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// In which steps it is billed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

impl Line {
    /// A line that is about no price component.
    fn plain(part: Part, text: String) -> Self {
        Self { part, text, path: None, net: None, gross: None, vat: None, conditions: Vec::new(), step: None }
    }
}

/// A tariff in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// In which language.
    pub language: Language,
    /// ISO 4217.
    pub currency: String,
    /// What a driver pays, in one sentence.
    pub summary: String,
    /// Every price, in the order in which they are shown.
    pub lines: Vec<Line>,
}

impl Description {
    /// The whole description as text: the sentence, then the lines under their headings.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.summary.clone();
        for part in Part::ALL {
            let mut lines = self.lines.iter().filter(|line| line.part == part).peekable();
            if lines.peek().is_some() {
                text.push_str(&format!("\n\n{}", part.heading(self.language)));
                lines.for_each(|line| text.push_str(&format!("\n- {}", line.text)));
            }
        }
        text
    }
}

/// Puts a tariff into words.
#[must_use]
pub fn describe(tariff: &Tariff, language: Language) -> Description {
    let sheet = Sheet {
        tariff,
        words: language.words(),
        rates: Use::ALL.into_iter().map(|of| (of, rates(tariff, of))).collect(),
        language,
    };
    Description {
        language,
        currency: tariff.currency.clone(),
        summary: summary::summary(&sheet),
        lines: lines::lines(&sheet),
    }
}

/// A tariff, what it prices, and the words for it.
struct Sheet<'a> {
    tariff: &'a Tariff,
    words: &'static dyn Words,
    rates: Vec<(Use, Vec<Rate<'a>>)>,
    language: Language,
}

impl<'a> Sheet<'a> {
    fn of_use(&self, of: Use) -> &[Rate<'a>] {
        self.rates.iter().find(|(one, _)| *one == of).map_or(&[], |(_, rates)| rates)
    }
}
