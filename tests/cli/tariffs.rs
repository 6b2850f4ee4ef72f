//! Tariffs from the command line, without any database.

use super::{Ran, command};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

/// Runs `roamwatt tariff` with a text on its stdin, where there is no database.
fn tariff(arguments: &[&str], stdin: &str) -> Ran {
    let url = "sqlite:///nowhere/at/all.db";
    let mut child = command(url, &[&["tariff"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that is wrong ends before it reads.
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
    Ran::of(child.wait_with_output().unwrap())
}

/// With a comment, as people write into files.
const SIMPLE: &str = r#"{
    "currency": "EUR", // net
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.38, "vat": 19, "step_size": 1}]}]
}"#;

#[test]
fn a_tariff_is_explained_in_both_languages() {
    let english = tariff(&["explain", "-"], SIMPLE);
    assert_eq!(
        (english.code, english.out.as_str(), english.err.as_str()),
        (
            0,
            "You pay €0.4522 per kWh.\n\nPrice per kWh\n\
             - Energy: €0.4522 per kWh incl. 19% VAT (€0.38 per kWh without VAT), billed by the Wh.\n",
            ""
        )
    );
    let german = tariff(&["explain", "-", "--language", "de"], SIMPLE);
    assert!(german.out.starts_with("Sie zahlen 0,4522 € je kWh.\n"), "{german:?}");
    let json = tariff(&["explain", "-", "--json"], SIMPLE).json();
    assert_eq!((&json["language"], &json["lines"][0]["gross"]), (&json!("en"), &json!("0.4522")));
    // 2.1.1 has no VAT: what was read otherwise than written is said beside the result.
    let old = tariff(&["explain", "-", "--ocpi-version", "2.1.1"], SIMPLE);
    assert!(old.code == 0 && old.out.starts_with("You pay €0.38 per kWh."), "{old:?}");
    assert_eq!(
        old.err,
        "$.elements[0].price_components[0].vat: is no field of OCPI 2.1.1: prices are without VAT, and none is \
         computed\n"
    );
}

#[test]
fn lint_fails_on_errors_only() {
    let clean = tariff(&["lint", "-"], SIMPLE);
    assert_eq!((clean.code, clean.out.as_str()), (0, "nothing to say against it\n"));
    let step = tariff(&["lint", "-"], &SIMPLE.replace("\"step_size\": 1", "\"step_size\": 500"));
    assert_eq!(
        (step.code, step.out.as_str()),
        (
            0,
            "warning  $.elements[0].price_components[0].step_size: what is used is rounded up to a multiple of 500 \
             Wh: up to 0.19 EUR more than what was used [step-size-above-one]\n         bill what is used: write 1\n\n\
             0 errors, 1 warning, 0 hints\n"
        )
    );
    let plain =
        tariff(&["lint", "-", "--json"], &SIMPLE.replace("\"currency\"", "\"max_price\": 75, \"currency\""));
    assert_eq!(plain.code, 1, "{plain:?}");
    let report: Value = serde_json::from_str(&plain.out).unwrap();
    assert_eq!(report["advice"][0]["rule"], "limit-not-a-price");
    assert_eq!(report["advice"][0]["severity"], "error");
    assert_eq!(report["warnings"][0]["path"], "$.max_price");
    assert_eq!(plain.err, "");
}

#[test]
fn bad_input_is_told_with_every_place() {
    for command in ["lint", "explain"] {
        let bad = tariff(&[command, "-"], "{\"currency\": \"EURO\", \"elements\": [{}]}");
        assert_eq!(
            (bad.code, bad.out.as_str(), bad.err.as_str()),
            (
                1,
                "",
                "error: stdin is no OCPI 2.2.1 tariff that can be priced\n  \
                 $.currency: 'EURO' is no currency: an ISO 4217 code like EUR is wanted\n  \
                 $.elements[0].price_components: is missing\n"
            )
        );
        let json = tariff(&[command, "-", "--json"], "{\"currency\": \"EUR\"}");
        let error: Value = serde_json::from_str(&json.err).unwrap();
        assert_eq!(error["problems"][0]["place"], "$.elements");
        let broken = tariff(&[command, "-"], "{\n// one\n]");
        assert_eq!(
            (broken.code, broken.err.as_str()),
            (1, "error: stdin: line 3, column 1: not JSON: key must be a string\n")
        );
        let missing = tariff(&[command, "nowhere.json"], "");
        assert_eq!(missing.code, 1);
        assert_eq!(missing.err, "error: cannot read nowhere.json: No such file or directory (os error 2)\n");
        let version = tariff(&[command, "-", "--ocpi-version", "2.2"], "");
        assert_eq!(version.code, 2);
        assert!(version.err.contains("'2.2' is no OCPI version that can be read"), "{version:?}");
    }
    let language = tariff(&["explain", "-", "--language", "fr"], "");
    assert!(language.code == 2 && language.err.contains("en and de are"), "{language:?}");
}
