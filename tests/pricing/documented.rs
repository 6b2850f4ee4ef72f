//! The example that docs/pricing.md works out, figure by figure.

use super::both_ways::*;
use super::*;

#[test]
fn the_example_of_the_documentation() {
    let priced_by = |kind: &str, price: f64, step: u32| json!({"type": kind, "price": price, "vat": 19, "step_size": step});
    let tariff = tariff(&json!({
        "min_price": {"excl_vat": 2, "incl_vat": 2.38},
        "elements": [
            {"price_components": [priced_by("FLAT", 0.5, 1), priced_by("PARKING_TIME", 6.0, 60)]},
            {"price_components": [priced_by("ENERGY", 0.5, 100)],
             "restrictions": {"start_time": "08:00", "end_time": "20:00"}},
            {"price_components": [priced_by("ENERGY", 0.4, 100)]},
        ],
    }));
    let start = local(ZONE, "2026-01-14 19:45");
    let mut progress = plugged_in(start, "11.03", 60, 20);
    progress[2].at = later(progress[2].at, 30_000);
    let priced = both_ways(&[tariff], ZONE, &progress);
    assert_eq!(priced.total(), both("7.32", "8.71"));
    assert_eq!(part(&priced.cost.energy), both("4.72", "5.61"));
    assert_eq!(priced.running.interpolated(), [1]);
    let page = include_str!("../../docs/pricing.md");
    for line in &priced.explained.lines {
        let of = |exact: Exact| exact.to_decimal().unwrap().to_string();
        let row = format!("| {} | {} |", of(line.excl_vat), of(line.incl_vat));
        let shown = row.replace("| 0.5 |", "| 0.50 |");
        assert!(page.contains(&shown), "{row}");
    }
}
