//! Reading sites: in both notations, and with everything that is wrong in one at once.

use roamwatt::load::site::{Finding, PerPhase, Rotation, Site, SiteError, Wiring};

const GOOD: &str = r#"
id = "depot"
name = "The depot"
time_zone = "Europe/Berlin"

[[node]]
id = "grid"
amps = { l1 = 63, l2 = 63.5, l3 = 50 }
watts = 40000
unbalance_amps = 20

[[node]]
id = "hall"
parent = "grid"
amps = 32
margin_amps = 1
schedule = [{ from = "17:00", to = "20:00", days = ["mon", "fri"], amps = 16, watts = 9000.5 }]

[[station]]
id = "CP-1"
parent = "hall"
rotation = "STR"
amps = 32
[[station.connector]]
number = 1
amps = 32
fallback_amps = 4
[[station.connector]]
number = 2
amps = 16
wiring = "L1"
weight = 2.5

[[meter]]
id = "house"
node = "grid"
measures = "background"
worst_amps = 10
"#;

#[test]
fn a_site_is_read_from_toml_and_from_json() {
    let site = Site::from_toml(GOOD).unwrap();
    assert_eq!(site.nodes[0].amps.unwrap().values(), [63.0, 63.5, 50.0]);
    assert_eq!(site.nodes[1].amps, Some(PerPhase::Same(32.0)));
    assert_eq!(site.stations[0].rotation, Rotation::Str);
    assert_eq!(site.stations[0].connectors[1].wiring, Wiring::L1);
    assert_eq!(site.stations[0].connectors[0].min_amps, 6.0);
    assert_eq!(site.nodes[1].schedule[0].to.to_string(), "20:00");
    let json = serde_json::to_string(&site).unwrap();
    assert_eq!(Site::from_json(&json).unwrap(), site, "{json}");
}

fn unreadable(text: &str) -> (String, String) {
    match Site::from_toml(text) {
        Err(SiteError::Unreadable { path, message }) => (path, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_read_says_where() {
    let (path, message) = unreadable(&GOOD.replace("amps = 16\nwiring", "amps = \"16\"\nwiring"));
    assert_eq!(path, "station[0].connector[1].amps");
    assert!(message.contains("invalid type"), "{message}");
    let (path, message) = unreadable(&GOOD.replace("\"L1\"", "\"L4\""));
    assert_eq!(path, "station[0].connector[1].wiring");
    assert!(message.contains("L4") && message.contains("L1-L2-L3"), "{message}");
    let (path, message) = unreadable(&GOOD.replace("\"STR\"", "\"RRS\""));
    assert_eq!(path, "station[0].rotation");
    assert!(message.contains("RST"), "{message}");
    let (_, message) = unreadable(&GOOD.replace("l3 = 50", "l4 = 50"));
    assert!(message.contains("l4"), "{message}");
    let (_, message) = unreadable(&GOOD.replace("l3 = 50", "l2 = 50"));
    assert!(message.contains("l2") || message.contains("duplicate"), "{message}");
    let (_, message) = unreadable(&GOOD.replace(", l3 = 50", ""));
    assert!(message.contains("missing"), "{message}");
    let (path, message) = unreadable(&GOOD.replace("\"20:00\"", "\"25:00\""));
    assert!(path.starts_with("node[1].schedule[0]"), "{path}");
    assert!(message.contains("25:00"), "{message}");
    let (_, message) = unreadable(&GOOD.replace("watts = 40000", "wats = 40000"));
    assert!(message.contains("wats"), "{message}");
    assert!(matches!(Site::from_toml("id = "), Err(SiteError::Unreadable { .. })));
    assert!(matches!(Site::from_json("{} x"), Err(SiteError::Unreadable { .. })));
}

fn findings(text: &str) -> Vec<Finding> {
    match Site::from_toml(text) {
        Err(SiteError::Wrong(findings)) => findings,
        other => panic!("{other:?}"),
    }
}

/// The only finding of the good site with something replaced.
fn one(from: &str, to: &str) -> Finding {
    assert!(GOOD.contains(from), "{from}");
    let found = findings(&GOOD.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn what_does_not_hold_together_says_where_and_what_would_be_right() {
    for (from, to, path, words) in [
        ("id = \"depot\"", "id = \"\"", "id", "1 to 36"),
        ("Europe/Berlin", "Europe/Berlim", "time_zone", "IANA"),
        ("parent = \"grid\"", "parent = \"gird\"", "node[1].parent", "a node of this site"),
        (
            "id = \"hall\"\nparent = \"grid\"",
            "id = \"hall\"\nparent = \"hall\"",
            "node[1].parent",
            "cycle: hall",
        ),
        ("parent = \"hall\"", "parent = \"CP-1\"", "station[0].parent", "a node of this site"),
        ("id = \"hall\"\nparent = \"grid\"", "id = \"hall\"", "node[1].parent", "node[0] is one already"),
        ("id = \"CP-1\"", "id = \"hall\"", "station[0].id", "node[1].id has it already"),
        ("l2 = 63.5", "l2 = -1", "node[0].amps.l2", "0 or more"),
        ("l2 = 63.5", "l2 = nan", "node[0].amps.l2", "NaN"),
        ("l2 = 63.5", "l2 = inf", "node[0].amps.l2", "finite"),
        ("watts = 40000", "watts = -5", "node[0].watts", "0 or more"),
        ("unbalance_amps = 20", "unbalance_amps = nan", "node[0].unbalance_amps", "finite"),
        ("margin_amps = 1", "margin_amps = -1", "node[1].margin_amps", "0 or more"),
        ("watts = 9000.5", "watts = -9000.5", "node[1].schedule[0].watts", "0 or more"),
        (", amps = 16, watts = 9000.5", "", "node[1].schedule[0]", "amps, watts or both"),
        ("number = 2", "number = 1", "station[0].connector[1].number", "its own"),
        ("number = 2", "number = 0", "station[0].connector[1].number", "from 1"),
        ("weight = 2.5", "weight = 0", "station[0].connector[1].weight", "above 0"),
        ("weight = 2.5", "weight = -1", "station[0].connector[1].weight", "above 0"),
        ("weight = 2.5", "min_amps = 17", "station[0].connector[1].min_amps", "no more than `amps`, 16"),
        ("weight = 2.5", "fallback_amps = 17", "station[0].connector[1].fallback_amps", "no more than"),
        ("weight = 2.5", "dc_efficiency = 0.9", "station[0].connector[1].wiring", "three phases"),
        ("amps = 16\nwiring", "amps = 0\nmin_amps = 0\nwiring", "station[0].connector[1].amps", "above 0"),
        ("node = \"grid\"", "node = \"grit\"", "meter[0].node", "a node of this site"),
        ("worst_amps = 10", "worst_amps = -10", "meter[0].worst_amps", "0 or more"),
        ("worst_amps = 10", "worst_amps = 10\nstale_seconds = 0", "meter[0].stale_seconds", "a second"),
        (
            "[[station]]",
            "[[node]]\nid = \"t\"\nparent = \"grid\"\n[node.transformer]\nwindings = \"delta-wye\"\n\
          primary_volts = 480\nsecondary_volts = 0\n[[station]]",
            "node[2].transformer.secondary_volts",
            "above 0",
        ),
        (
            "[[station]]",
            "[[node]]\nid = \"t\"\nparent = \"grid\"\n[node.transformer]\nwindings = \"delta-wye\"\n\
          primary_volts = 4800\nsecondary_volts = 208\n[[station]]",
            "node[2].transformer.primary_volts",
            "398 V",
        ),
    ] {
        let finding = one(from, to);
        assert_eq!(finding.path, path, "{finding}");
        assert!(finding.to_string().contains(words), "{finding}");
    }
}

#[test]
fn all_findings_come_at_once() {
    let text = GOOD
        .replace("Europe/Berlin", "Mars/Olympus")
        .replace("l1 = 63,", "l1 = -63,")
        .replace("weight = 2.5", "weight = nan\nmin_amps = 40\nfallback_amps = inf")
        .replace("node = \"grid\"", "node = \"\"");
    let found = findings(&text);
    let paths: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
    let all = [
        "time_zone",
        "node[0].amps.l1",
        "station[0].connector[1].weight",
        "station[0].connector[1].fallback_amps",
        "station[0].connector[1].min_amps",
        "station[0].connector[1].fallback_amps",
        "meter[0].node",
    ];
    assert_eq!(paths, all);
    let error = SiteError::Wrong(found).to_string();
    assert_eq!(error.lines().count(), 8, "{error}");
}

#[test]
fn a_longer_cycle_is_told_once_and_nothing_needs_a_root() {
    let text = r#"
        id = "x"
        node = [{ id = "a", parent = "b" }, { id = "b", parent = "c" }, { id = "c", parent = "a" },
                { id = "d", parent = "a" }]
    "#;
    let found = findings(text);
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{told:?}");
    assert!(told[0].contains("no node without a parent"), "{told:?}");
    assert!(told[1].starts_with("node[0].parent: found a cycle: a → b → c"), "{told:?}");
}
