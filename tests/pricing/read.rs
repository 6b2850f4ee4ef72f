//! The examples of the specifications, and the tariffs of a real market, can be read for pricing.

use crate::support::shared::shared;
use roamwatt::pricing::Finding;
use roamwatt::pricing::read::{self, OcpiVersion};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The JSON files in a folder whose names begin like this.
fn files(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(begin))
        .collect();
    files.sort();
    files
}

fn parse(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_reader(json_comments::StripComments::new(text.as_bytes()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn said(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tariffs_of_the_specifications_are_read_without_a_warning() {
    let mut read = 0;
    for (version, folder) in [(OcpiVersion::V2_2_1, "2.2.1"), (OcpiVersion::V2_3_0, "2.3.0")] {
        let Some(folder) = shared(&format!("spec/ocpi/{folder}/examples")) else { return };
        for file in files(&folder, "tariff_") {
            let tariff = read::tariff(&parse(&file), version)
                .unwrap_or_else(|errors| panic!("{}: {}", file.display(), said(&errors)));
            // The example of a PUT is older than the field.
            let expected = tariff.value.tax_included.is_none() && version == OcpiVersion::V2_3_0;
            assert_eq!(tariff.warnings.len(), usize::from(expected), "{}", said(&tariff.warnings));
            read += 1;
        }
    }
    assert!(read >= 35, "{read}");
}

#[test]
fn the_cdrs_of_the_specifications_are_read() {
    for (version, folder) in [(OcpiVersion::V2_2_1, "2.2.1"), (OcpiVersion::V2_3_0, "2.3.0")] {
        let Some(folder) = shared(&format!("spec/ocpi/{folder}/examples")) else { return };
        for file in files(&folder, "cdr_") {
            let cdr = read::cdr(&parse(&file), version)
                .unwrap_or_else(|errors| panic!("{}: {}", file.display(), said(&errors)));
            let total = cdr.value.total_cost.unwrap();
            let both = (total.excl_vat.to_string(), total.incl_vat.unwrap().to_string());
            assert_eq!(both, ("4.00".to_owned(), "4.40".to_owned()));
        }
    }
}

/// The specification of 2.1.1 has its examples in the text.
#[test]
fn the_examples_of_2_1_1_are_read() {
    let Some(folder) = shared("spec/ocpi/2.1.1") else { return };
    let examples = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let blocks = text.split("```json").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
        blocks.filter_map(|block| serde_json::from_str(&block).ok()).collect()
    };
    let tariffs = examples("mod_tariffs.md");
    assert!(tariffs.len() >= 4, "{}", tariffs.len());
    for json in &tariffs {
        let read = read::tariff(json, OcpiVersion::V2_1_1);
        let tariff = read.unwrap_or_else(|errors| panic!("{json}: {}", said(&errors)));
        assert!(tariff.warnings.is_empty(), "{json}: {}", said(&tariff.warnings));
    }
    let cdrs = examples("mod_cdrs.md");
    assert_eq!(cdrs.len(), 1);
    let read = read::cdr(&cdrs[0], OcpiVersion::V2_1_1).unwrap_or_else(|errors| panic!("{}", said(&errors)));
    // The example writes a price as a text.
    assert_eq!(
        said(&read.warnings),
        "$.tariffs[0].elements[0].price_components[0].price: is the text '2.00': read as a number"
    );
    assert_eq!(read.value.end.to_string(), "2015-06-29T23:37:32Z");
    assert_eq!(read.value.total_cost.unwrap().excl_vat.to_string(), "4.00");
}

#[test]
fn the_tariffs_of_a_real_market_are_read() {
    let Some(folder) = shared("data/tariffs/popular") else { return };
    let mut warned = Vec::new();
    for folder in files(&folder, "") {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let tariff = read::tariff(&parse(&folder.join("tariff.json")), OcpiVersion::V2_2_1)
            .unwrap_or_else(|errors| panic!("{name}: {}", said(&errors)));
        warned.extend((!tariff.warnings.is_empty()).then_some(name));
    }
    assert_eq!(warned, ["AC-0014", "AC-0018", "AC-0019", "DC-0016", "DC-0018"]);
}
