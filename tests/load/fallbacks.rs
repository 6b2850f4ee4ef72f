//! `load check`: whether the fallbacks fit.

use roamwatt::load::check::check;
use roamwatt::load::rows::Rows;
use roamwatt::load::site::Site;

fn site(stations: usize, fallback: f64, more: &str) -> Site {
    let mut text = format!(
        "id = \"x\"\nnode = [{{ id = \"grid\", amps = 63{more} }}, {{ id = \"board\", parent = \"grid\" }}]\n"
    );
    for index in 0..stations {
        text += &format!(
            "[[station]]\nid = \"CP-{index}\"\nparent = \"board\"\nconnector = [{{ number = 1, amps = 32, fallback_amps = {fallback} }}]\n"
        );
    }
    Site::from_toml(&text).unwrap()
}

#[test]
fn fallbacks_that_fit_fit_and_the_highest_is_named() {
    let site = site(10, 6.0, "");
    let found = check(&site, &Rows::compile(&site));
    assert!(found.fit(), "{found:?}");
    assert_eq!(found.highest, Some(6.3));
}

#[test]
fn what_does_not_fit_is_told_with_amounts() {
    let mut site = site(10, 6.0, ", margin_amps = 2");
    site.meters = serde_json::from_str(
        r#"[{"id": "house", "node": "board", "measures": "background", "worst_amps": {"l1": 0, "l2": 1.5, "l3": 0}}]"#,
    )
    .unwrap();
    let found = check(&site, &Rows::compile(&site));
    assert_eq!(found.over.len(), 1, "{found:?}");
    let line = found.over[0].to_string();
    assert_eq!(
        line,
        "L2 of grid: 63.0 A allowed, 0.5 A too much: fallbacks 60.0, beside charging 1.5, margin 2.0"
    );
    // Less than 6 A for each is no use: all pause.
    assert_eq!(found.highest, Some(0.0));
}

#[test]
fn a_station_without_charging_profiles_counts_with_all_it_can_take() {
    let mut site = site(4, 6.0, "");
    site.stations[0].smart_charging = false;
    let found = check(&site, &Rows::compile(&site));
    assert!(found.fit());
    assert_eq!(found.highest, Some(10.3));
    site.stations[1].smart_charging = false;
    let found = check(&site, &Rows::compile(&site));
    assert_eq!(found.over.len(), 3);
    assert_eq!(found.highest, None);
    assert!(
        found.over[0].to_string().contains("stations without charging profiles 64.0"),
        "{}",
        found.over[0]
    );
}

#[test]
fn fallbacks_fit_the_failsafe_limit_as_well_and_who_reserves_it_is_named() {
    let mut site = site(3, 6.0, ", margin_amps = 2");
    site.stations[1].smart_charging = false;
    let agreed = |watts: f64| serde_json::from_value(serde_json::json!({ "failsafe_watts": watts })).unwrap();
    // 6 A on three phases of 230 V are 4,140 W, and 32 A are 22,080 W.
    site.grid_control = agreed(30_360.0);
    let found = check(&site, &Rows::compile(&site));
    assert!(found.fit() && found.highest == Some(6.0), "{found:?}");
    site.grid_control = agreed(30_000.0);
    let found = check(&site, &Rows::compile(&site));
    assert_eq!(found.over.len(), 1, "{found:?}");
    assert_eq!(
        found.over[0].to_string(),
        "power of grid: 30000.0 W allowed by grid_control.failsafe_watts, 360.0 W too much: fallbacks 8280.0, \
         stations without charging profiles 22080.0; reserved by CP-1/1 22080.0, CP-0/1 4140.0, CP-2/1 4140.0"
    );
    assert_eq!(found.highest, Some(0.0), "paused cars fit");
    site.grid_control = agreed(20_000.0);
    assert_eq!(check(&site, &Rows::compile(&site)).highest, None);
}

#[test]
fn a_schedule_counts_with_its_lowest_and_below_the_minimum_is_paused() {
    let window = ", schedule = [{ from = \"17:00\", to = \"20:00\", amps = 30 }]";
    let six = site(10, 6.0, window);
    assert!(!check(&six, &Rows::compile(&six)).fit());
    let four = site(10, 4.0, window);
    let rows = Rows::compile(&four);
    assert!(check(&four, &rows).fit());
    assert_eq!(rows.outlets[0].fallback, 0.0);
}

#[test]
fn all_that_the_connectors_give_is_the_most_that_is_suggested() {
    let site = site(1, 6.0, "");
    assert_eq!(check(&site, &Rows::compile(&site)).highest, Some(32.0));
}
