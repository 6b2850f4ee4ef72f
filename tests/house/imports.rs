//! Who may import whom (docs/architecture.md): read from the source, so that a shortcut is seen when it is taken.

use super::{code_of, root, sources};

/// What every room above `domain` may use.
const TOOLS: &[&str] = &["clock", "config", "metrics", "paper", "security"];
/// What the use cases may use. They get at each other, and at the edges, through traits handed over in `app`.
const FOR_USE_CASES: &[&str] = &["domain", "pricing", "load", "db", "app"];
/// What the edges may use: use cases, never another edge.
const FOR_EDGES: &[&str] = &[
    "domain", "pricing", "load", "db", "app", "http", "charging", "energy", "roaming", "payments",
    "receipts", "finance", "search", "driver",
];
const EDGES: &[&str] = &["ocpi", "ocpp", "web", "jobs", "cluster"];

/// Whether a module of `src/` may import another one.
fn may_import(from: &str, to: &str) -> bool {
    let tool = TOOLS.contains(&to);
    match from {
        "domain" | "config" | "metrics" | "http" | "paper" => false,
        "clock" => to == "domain",
        "security" => ["domain", "config"].contains(&to),
        "pricing" | "load" => to == "domain",
        // A charge's row keeps its running cost as pricing made it, a site's its ledger as load made it.
        "db" => ["domain", "pricing", "load"].contains(&to),
        // Places of locations, with what a kWh costs there.
        "search" => ["domain", "pricing"].contains(&to),
        // A driver's charges are those of a station or of a partner.
        "driver" => {
            tool || FOR_USE_CASES.contains(&to) || ["charging", "roaming", "finance", "search"].contains(&to)
        }
        // Its orders are calls of a station, in charging's words.
        "energy" => tool || FOR_USE_CASES.contains(&to) || to == "charging",
        // It starts and stops the charges that it is paid for.
        "payments" => tool || FOR_USE_CASES.contains(&to) || to == "charging",
        // Puts into words what payments found.
        "receipts" => tool || FOR_USE_CASES.contains(&to) || ["http", "payments"].contains(&to),
        "charging" | "roaming" | "finance" => tool || FOR_USE_CASES.contains(&to),
        // Holds the traits that the use cases own.
        "app" => tool || FOR_EDGES.contains(&to),
        edge if EDGES.contains(&edge) => tool || FOR_EDGES.contains(&to),
        // A station of its own, which knows the protocol and nothing of the backend.
        "simulate" => tool || ["domain", "ocpp"].contains(&to),
        // Puts the edges together.
        "node" => to != "cli",
        // Its commands are use cases, a node, or a simulation; files to import are written as OCPI writes them.
        "cli" => tool || FOR_EDGES.contains(&to) || ["node", "simulate", "ocpi"].contains(&to),
        "main" | "lib" => true,
        _ => false,
    }
}

/// The names after `before` in a line of code: modules, or the groups in braces.
fn names_after<'a>(code: &'a str, before: &str) -> Vec<&'a str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (start, _) in code.match_indices(before) {
        let rest = &code[start + before.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            // `crate::{db::{Db, DbUrl}, domain}`: only what stands at the first depth is a module.
            let mut depth = 0;
            let mut first = 0;
            for (at, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => first = at + 1,
                    _ => continue,
                }
                if c == ',' && depth == 0 {
                    names.push(&group[first..]);
                }
            }
            names.push(group);
        } else {
            names.push(rest);
        }
    }
    let name = |text: &'a str| {
        let text = text.trim_start();
        text.split(|c: char| !is_name(c)).next().unwrap_or_default()
    };
    names.into_iter().map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn nobody_imports_whom_they_may_not() {
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let code = code_of(&text);
        let first = file.iter().next().unwrap().to_str().unwrap();
        let from = first.trim_end_matches(".rs");
        for to in names_after(&code, "crate::") {
            // A macro or a type of the crate's root is no module.
            let is_module =
                ["", ".rs"].iter().any(|end| root().join("src").join(format!("{to}{end}")).exists());
            if is_module && to != from && !may_import(from, to) {
                broken.push(format!("src/{}: `{from}` may not import `{to}`", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "see \"Who may import whom\" in docs/architecture.md:\n{}", broken.join("\n"));
}

#[test]
fn no_protocol_version_imports_another() {
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let code = code_of(&text);
        let is_version = |name: &str| {
            name.strip_prefix('v')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('_'))
        };
        let mut parts = file.iter().map(|part| part.to_str().unwrap());
        let (Some(edge), Some(own)) = (parts.next(), parts.next()) else { continue };
        if !is_version(own) {
            continue;
        }
        for path in [format!("{edge}::"), "super::".to_owned()] {
            for to in names_after(&code, &path) {
                if is_version(to) && to != own {
                    broken.push(format!("src/{}: {own} may not import {to}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "each version converts to and from the domain:\n{}", broken.join("\n"));
}

#[test]
fn names_are_found_in_every_form_of_import() {
    let code = "use crate::db::{Db, DbUrl};\nuse crate::{app::App, domain::{token, Party},\n    web};\ncrate::http::x()";
    assert_eq!(names_after(code, "crate::"), ["db", "domain", "web", "app", "http"]);
    assert!(!may_import("domain", "db") && !may_import("web", "ocpi") && may_import("web", "charging"));
}
