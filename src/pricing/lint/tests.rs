//! Every rule of the documentation fires on its example, and a clean tariff gets no advice.

use super::*;
use crate::pricing::read::{self, OcpiVersion};
use serde_json::{Value, json};

/// The tariff that the documentation's examples begin with.
fn base() -> Value {
    serde_json::from_str(
        r#"{"currency": "EUR", "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 19, "step_size": 1}]}]}"#,
    )
    .unwrap()
}

fn tariff(changes: &str) -> Tariff {
    let mut whole = base();
    let changes: Value = serde_json::from_str(changes).unwrap_or_else(|error| panic!("{changes}: {error}"));
    for (name, value) in changes.as_object().unwrap() {
        let value = value.clone();
        match name.as_str() {
            "restrictions" => whole["elements"][0]["restrictions"] = value,
            "component" => whole["elements"][0]["price_components"].as_array_mut().unwrap().push(value),
            "element" => whole["elements"].as_array_mut().unwrap().push(value),
            _ => whole[name] = value,
        }
    }
    read::tariff(&whole, OcpiVersion::V2_2_1).unwrap_or_else(|errors| panic!("{changes}: {errors:?}")).value
}

fn found(changes: &str) -> Vec<(String, &'static str, Severity)> {
    lint(&tariff(changes)).into_iter().map(|one| (one.path, one.rule, one.severity)).collect()
}

#[test]
fn every_rule_of_the_documentation_fires_on_its_example() {
    let text = include_str!("../../../docs/tariff-lint.md");
    let mut documented = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [rule, severity, _, example, _] = cells[..] else { panic!("{line}") };
        let rule = rule.trim_matches('`');
        documented.push(rule);
        if rule == "too-many-components" {
            continue;
        }
        let advice = lint(&tariff(example.trim_matches('`')));
        let fired = advice.iter().find(|one| one.rule == rule);
        let fired = fired.unwrap_or_else(|| panic!("{rule} does not fire on {example}: {advice:?}"));
        assert!(severity.starts_with(fired.severity.as_str()), "{rule} is no {severity}");
        assert!(!fired.advice.is_empty() && !fired.reason.is_empty());
    }
    let mut rules = RULES.to_vec();
    rules.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, rules, "docs/tariff-lint.md has every rule once");
}

#[test]
fn a_clean_tariff_gets_no_advice() {
    assert_eq!(found("{}"), []);
    let day_and_night = r#"{"restrictions": {"start_time": "08:00", "end_time": "20:00"},
        "element": {"price_components": [{"type": "ENERGY", "price": 0.20, "vat": 19, "step_size": 1}]},
        "min_price": {"excl_vat": 1, "incl_vat": 1.19}, "max_price": {"excl_vat": 50, "incl_vat": 59.50}}"#;
    assert_eq!(found(day_and_night), []);
    let occupancy = r#"{"elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.25, "step_size": 1}]},
        {"price_components": [{"type": "PARKING_TIME", "price": 6, "step_size": 1}], "restrictions": {"min_duration": 3600}},
        {"price_components": [{"type": "PARKING_TIME", "price": 0, "step_size": 1}]}]}"#;
    assert_eq!(found(occupancy), []);
}

#[test]
fn advice_names_what_wins_and_what_it_costs() {
    let shadowed = lint(&tariff(
        r#"{"element": {"price_components": [{"type": "ENERGY", "price": 0.30, "step_size": 1000}]}}"#,
    ));
    let said: Vec<String> =
        shadowed.iter().map(|one| format!("{} {}: {}", one.rule, one.path, one.reason)).collect();
    assert_eq!(
        said,
        ["shadowed-component $.elements[1].price_components[0]: wherever it would apply, \
          $.elements[0].price_components[0] applies first: it never does"]
    );
    let step = lint(&tariff(
        r#"{"elements": [{"price_components": [{"type": "ENERGY", "price": 0.4167, "step_size": 500}]}]}"#,
    ));
    assert_eq!(
        step[0].reason,
        "what is used is rounded up to a multiple of 500 Wh: up to 0.2084 EUR more than what was used"
    );
    let small =
        r#"{"elements": [{"price_components": [{"type": "ENERGY", "price": 0.4, "step_size": 10}]}]}"#;
    assert_eq!(
        found(small),
        [("$.elements[0].price_components[0].step_size".to_owned(), "step-size-above-one", Severity::Hint)]
    );
}

#[test]
fn several_elements_shadow_another_together() {
    let both = r#"{"elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.1, "step_size": 1}], "restrictions": {"max_duration": 60}},
        {"price_components": [{"type": "ENERGY", "price": 0.1, "step_size": 1}], "restrictions": {"min_duration": 60}},
        {"price_components": [{"type": "ENERGY", "price": 0.2, "step_size": 1}]}]}"#;
    assert_eq!(
        found(both),
        [("$.elements[2].price_components[0]".to_owned(), "shadowed-component", Severity::Warning)]
    );
}

#[test]
fn the_regulation_is_about_ad_hoc_prices_in_its_countries() {
    let flat = |more: &str| {
        found(&format!(r#"{{"component": {{"type": "FLAT", "price": 1, "vat": 19, "step_size": 1}}{more}}}"#))
    };
    assert_eq!(flat("").len(), 1);
    assert_eq!(flat(r#", "type": "AD_HOC_PAYMENT""#).len(), 1);
    assert_eq!(flat(r#", "type": "REGULAR""#), []);
    assert_eq!(flat(r#", "currency": "GBP""#), []);
}

#[test]
fn a_tariff_of_too_many_elements_is_judged_in_good_time() {
    let element = |at: usize| {
        json!({
            "price_components": [{"type": "ENERGY", "price": at, "step_size": 1}, {"type": "TIME", "price": at, "step_size": 1}],
            "restrictions": {"min_kwh": at, "max_kwh": at + 7, "min_power": at % 5, "min_duration": at % 11 * 60,
                "start_time": format!("{:02}:00", at % 24), "end_time": format!("{:02}:30", (at + 9) % 24)},
        })
    };
    let elements: Vec<Value> = (0..2_000).map(element).collect();
    let many = tariff(&json!({ "elements": elements }).to_string());
    let begun = std::time::Instant::now();
    let advice = lint(&many);
    assert!(advice.iter().any(|one| one.rule == "too-many-components"));
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn advice_is_in_the_order_of_the_elements() {
    let advice = found(
        r#"{"elements": [
            {"price_components": [{"type": "MOOD", "price": 1, "step_size": 1}, {"type": "ENERGY", "price": 1, "step_size": 0}]},
            {"price_components": []}], "max_price": 3}"#,
    );
    let rules: Vec<&str> = advice.iter().map(|(_, rule, _)| *rule).collect();
    assert_eq!(rules, ["limit-not-a-price", "unknown-dimension", "step-size-zero", "empty-element"]);
}
