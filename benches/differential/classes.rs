//! Sorts a difference into the classes that explain it.

use crate::amounts::Totals;
use crate::case::Case;
use crate::model;
use crate::model::rules::{Question, Rules};
use crate::versions::Version;
use std::collections::BTreeSet;

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// All amounts are the same.
    Equal,
    /// The two engines answer these questions differently, and each of them matters for the case.
    Explained(BTreeSet<Question>),
    /// Neither engine prices the case.
    NeitherPrices,
    /// No class explains it.
    Unknown(&'static str),
}

/// What an engine said.
pub(crate) type Said = Result<Totals, String>;

/// Sorts one case.
pub(crate) fn sort(case: &Case, ours: &Said, theirs: &Said) -> Verdict {
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (comparable(case, ours), comparable(case, theirs)),
        (Err(_), Err(_)) => return Verdict::NeitherPrices,
        (Err(_), Ok(_)) => return Verdict::Unknown("only theirs prices"),
        (Ok(_), Err(_)) => return Verdict::Unknown("only ours prices"),
    };
    let same = ours.differences(&theirs).is_empty();
    let agrees =
        |rules, with: &Totals| with.differences(&comparable(case, &model::price(case, rules))).is_empty();
    if !agrees(Rules::OURS, &ours) {
        return Verdict::Unknown("the model does not give ours");
    }
    if same {
        return Verdict::Equal;
    }
    let mut needed = Rules::theirs();
    if !agrees(needed, &theirs) {
        return Verdict::Unknown("the model does not give theirs");
    }
    // A question that can be answered our way without changing the result does not matter for the case.
    for question in Question::ALL {
        let without = needed.but_ours(question);
        if agrees(without, &theirs) {
            needed = without;
        }
    }
    Verdict::Explained(Question::ALL.into_iter().filter(|one| needed.foreign(*one)).collect())
}

fn comparable(case: &Case, totals: &Totals) -> Totals {
    let totals = totals.rounded();
    if case.version == Version::V211 { totals.without_gross() } else { totals }
}
