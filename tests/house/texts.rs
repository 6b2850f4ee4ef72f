//! The texts for people: their commands can be typed, their links lead somewhere, and what they name exists.

use super::{assert_none, files_below, root, sources};
use clap::error::ErrorKind;
use roamwatt::config::{Config, Sources};
use std::path::{Path, PathBuf};

/// The texts of the repository, with their path in it.
fn texts() -> Vec<(PathBuf, String)> {
    let mut files = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    files.extend(files_below(&root().join("docs")));
    let is_text = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "md");
    let texts: Vec<(PathBuf, String)> = files
        .into_iter()
        .filter(is_text)
        .map(|file| (file.strip_prefix(root()).unwrap().to_owned(), std::fs::read_to_string(&file).unwrap()))
        .collect();
    assert!(texts.len() >= 3, "README, CONTRIBUTING and docs are there");
    texts
}

/// The lines of a text that stand in blocks of a shell, with their numbers; a line that ends with `\` goes on.
fn shell_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let (mut inside, mut shell) = (false, false);
    let mut begun: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            inside = !inside;
            shell = inside && ["sh", "console"].contains(&kind.trim());
            continue;
        }
        if !shell {
            continue;
        }
        let (number, mut whole) = begun.take().unwrap_or((index + 1, String::new()));
        match line.strip_suffix('\\') {
            Some(part) => {
                whole.push_str(part);
                begun = Some((number, whole));
            }
            None => {
                whole.push_str(line);
                lines.push((number, whole));
            }
        }
    }
    lines
}

/// The words of a shell's line as far as the program sees them: quotes off, up to a comment, a pipe or a
/// redirection.
fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, '|' | '>' | '<' | ';' | '&') => break,
            (None, '#') if word.is_none() => break,
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The command of ours that a line types, with `roamwatt` first.
fn command_in(line: &str) -> Option<Vec<String>> {
    let mut words = words_of(line);
    let skipped = |word: &String| {
        ["sudo", "-u", "roamwatt:roamwatt", "time", "exec"].contains(&word.as_str())
            || word
                .split_once('=')
                .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    while words.first().is_some_and(skipped) {
        words.remove(0);
    }
    if words.starts_with(&["cargo".to_owned(), "run".to_owned()]) {
        let split = words.iter().position(|word| word == "--").map_or(words.len(), |at| at + 1);
        words = words.split_off(split);
        words.insert(0, "roamwatt".to_owned());
        return Some(words);
    }
    words.first().filter(|first| Path::new(first).ends_with("roamwatt"))?;
    Some(words)
}

/// What the command line says of words that do not parse.
fn wrong_with(words: &[String]) -> Option<String> {
    let error = roamwatt::cli::command().try_get_matches_from(words).err()?;
    let asked_for = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
    (!asked_for.contains(&error.kind())).then(|| error.to_string().lines().next().unwrap().to_owned())
}

#[test]
fn every_command_in_the_texts_can_be_typed() {
    let (mut broken, mut seen) = (Vec::new(), 0);
    for (file, text) in texts() {
        for (number, line) in shell_lines(&text) {
            let Some(words) = command_in(&line) else { continue };
            seen += 1;
            if let Some(error) = wrong_with(&words) {
                broken.push(format!("{}:{number}: {line}\n    {error}", file.display()));
            }
        }
    }
    assert!(seen > 10, "commands are found in the texts: {seen}");
    assert_none(&broken, "these commands do not parse");
}

#[test]
fn every_example_in_the_help_can_be_typed() {
    fn look(command: &clap::Command, broken: &mut Vec<String>, seen: &mut usize) {
        let help = command.get_after_help().or(command.get_after_long_help());
        let help = help.map(ToString::to_string).unwrap_or_default();
        // Behind two spaces stands what the example does.
        for example in help.lines().filter_map(|line| line.strip_prefix("  ")) {
            let typed = example.split("  ").next().unwrap();
            let Some(words) = command_in(typed) else { continue };
            *seen += 1;
            if let Some(error) = wrong_with(&words) {
                broken.push(format!("{typed}\n    {error}"));
            }
        }
        command.get_subcommands().for_each(|inner| look(inner, broken, seen));
    }
    let (mut broken, mut seen) = (Vec::new(), 0);
    look(&roamwatt::cli::command(), &mut broken, &mut seen);
    assert!(seen > 10, "examples are found in the help: {seen}");
    assert_none(&broken, "these examples do not parse");
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for (file, text) in texts() {
        let folder = root().join(&file);
        let folder = folder.parent().unwrap();
        for (_, rest) in text.match_indices("](").map(|(at, found)| (at, &text[at + found.len()..])) {
            let target = rest.split([')', '#']).next().unwrap();
            let outside = target.contains("://") || target.is_empty();
            if !outside && !folder.join(target).exists() {
                broken.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert_none(&broken, "these links lead nowhere");
}

/// What stands in backticks in a text, outside of blocks.
fn named_in(text: &str) -> Vec<&str> {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn every_setting_that_a_text_names_exists() {
    let defaults: toml::Table = include_str!("../../config/default.toml").parse().unwrap();
    let mut broken = Vec::new();
    for (file, text) in texts() {
        for name in named_in(&text) {
            let (name, _) = name.split_once([' ', '=']).unwrap_or((name, ""));
            let Some((section, key)) = name.split_once('.') else { continue };
            let Some(section) = defaults.get(section).and_then(toml::Value::as_table) else { continue };
            let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            // `clock.rs` and its like are files.
            if is_key && key != "rs" && !section.contains_key(key) {
                broken.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert_none(&broken, "config/default.toml has no such setting");
}

#[test]
fn everything_that_a_text_names_is_in_the_source() {
    let sources = sources();
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let mut broken = Vec::new();
    for (file, text) in texts() {
        for name in named_in(&text) {
            if ["src/", "tests/", "config/", "migrations/", "docs/", ".ci/", "openapi/"]
                .iter()
                .any(|folder| name.starts_with(folder))
            {
                let path = name.split([' ', ':']).next().unwrap();
                if !path.contains(['*', '<', '…']) && !root().join(path).exists() {
                    broken.push(format!("{}: {path} is no file", file.display()));
                }
                continue;
            }
            let parts: Vec<&str> = name.trim_end_matches("()").split("::").collect();
            if parts.len() < 2 || !parts.iter().all(|part| is_name(part)) {
                continue;
            }
            let (room, last) = (parts[0], parts[parts.len() - 1]);
            let room = sources
                .iter()
                .filter(|(file, _)| file.starts_with(room) || file.with_extension("").as_os_str() == room);
            let mut words =
                room.flat_map(|(_, text)| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
            let a_room = root().join("src").join(parts[0]).exists()
                || root().join("src").join(format!("{}.rs", parts[0])).exists();
            if a_room && !words.any(|word| word == last) {
                broken.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert_none(&broken, "these are not in the source any more");
}

#[test]
fn the_export_is_documented_column_by_column() {
    let text = std::fs::read_to_string(root().join("docs/export.md")).unwrap();
    let columns: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once('`').map(|(name, _)| name))
        .collect();
    assert_eq!(columns, roamwatt::finance::cdr_export::COLUMNS);
}

#[test]
fn every_metric_is_documented() {
    let text = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let metrics = std::fs::read_to_string(root().join("src/metrics.rs")).unwrap();
    let names: Vec<&str> =
        metrics.split('"').filter(|part| part.starts_with("roamwatt_") && !part.contains(' ')).collect();
    assert!(names.len() > 5, "names of metrics are found: {names:?}");
    let missing: Vec<String> = names
        .into_iter()
        .filter(|name| !text.contains(&format!("| `{name}` |")))
        .map(str::to_owned)
        .collect();
    assert_none(&missing, "docs/operations.md does not tell of these metrics");
}

#[test]
fn the_example_of_a_configuration_is_right() {
    let text = std::fs::read_to_string(root().join("config/example-production.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secrets = [
        ("database-url", "postgres://roamwatt:secret@db.example/roamwatt?sslmode=verify-full"),
        ("secret-key", "a key that is long enough for this purpose"),
        ("metrics-token", "a token"),
    ];
    for (name, secret) in secrets {
        std::fs::write(folder.path().join(name), secret).unwrap();
        assert!(text.contains(&format!("\"/etc/roamwatt/{name}\"")), "the example names {name}");
    }
    let text = text.replace("/etc/roamwatt", &folder.path().display().to_string());
    let sources = Sources { file: Some(("example-production.toml".into(), text)), ..Sources::default() };
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.security.secret_key.reveal(), secrets[1].1);
    assert_eq!(config.server.public_base(), "https://charging.example");
}

#[test]
fn what_a_shell_makes_of_a_line() {
    let typed = |line: &str| command_in(line).map(|words| words.join("|"));
    assert_eq!(typed("roamwatt party add --name \"A B\"  # adds").unwrap(), "roamwatt|party|add|--name|A B");
    assert_eq!(typed("X_Y=1 target/release/roamwatt serve > log").unwrap(), "target/release/roamwatt|serve");
    assert_eq!(typed("cargo run --release -- demo --once").unwrap(), "roamwatt|demo|--once");
    assert_eq!(typed("cargo test"), None);
    assert!(wrong_with(&["roamwatt".to_owned(), "sevre".to_owned()]).is_some());
    assert_eq!(shell_lines("a\n```sh\nb \\\n c\n```\nd"), [(3, "b  c".to_owned())]);
}
