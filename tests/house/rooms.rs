//! What may stand where: SQL, routes, migrations; and that every module says what it owns.

use super::{assert_none, code_of, files_below, root, sources};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_module_says_what_it_owns() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(file, _)| format!("src/{}", file.display()))
        .collect();
    assert_none(&silent, "a module begins with `//!`: what it owns, and which specification it follows");
}

#[test]
fn sql_is_in_the_database_room_only() {
    let marks = ["diesel::", "diesel_migrations::", "diesel!", "sql_query", "libsqlite3_sys::", "pq_sys::"];
    let mut broken = Vec::new();
    for (file, text) in sources().into_iter().filter(|(file, _)| !file.starts_with("db")) {
        for (index, line) in code_of(&text).lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                broken.push(format!("src/{}:{}: {}", file.display(), index + 1, line.trim()));
            }
        }
    }
    assert_none(&broken, "queries stand in src/db");
}

#[test]
fn routes_stand_in_the_files_for_them() {
    let marks =
        [".route(", "::scope(", "::resource(", "#[get(", "#[post(", "#[put(", "#[patch(", "#[delete("];
    let mut broken = Vec::new();
    for (file, text) in sources() {
        if file.ends_with("mod.rs") || file.ends_with("routes.rs") {
            continue;
        }
        // Tests beside the code put small servers together.
        let code = code_of(&text);
        let code = code.split("#[cfg(test)]").next().unwrap();
        for (index, line) in code.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                broken.push(format!("src/{}:{}: {}", file.display(), index + 1, line.trim()));
            }
        }
    }
    assert_none(&broken, "routes stand in a mod.rs or a routes.rs");
}

#[test]
fn both_engines_have_the_same_migrations_each_with_its_way_back() {
    let migrations = root().join("migrations");
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = migrations.join(engine);
        let relative = |file: &Path| file.strip_prefix(&folder).unwrap().display().to_string();
        files_below(&folder).iter().map(|file| relative(file)).collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, postgres, "migrations/sqlite and migrations/postgres hold the same names");
    for up in sqlite.iter().filter(|name| name.ends_with("up.sql")) {
        let down = up.replace("up.sql", "down.sql");
        assert!(sqlite.contains(&down), "migrations/*/{down} is missing");
    }
}
