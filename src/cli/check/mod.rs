//! `roamwatt check`: looks at the configuration and the database and says all that is wrong with them.

mod database;

use super::Settings;
use super::failure::{FAILED, Failure, Outcome, WRONG_USE, problem_as_json};
use super::output::{Output, count, facts};
use crate::config::{Config, DEFAULT_TOML, Problem, key_file};
use clap::Args;
use serde_json::json;
use std::path::Path;

/// Checks the configuration and the database; each problem is shown with its place and its remedy
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt check                              the configuration that `serve` would use here
  roamwatt --config roamwatt.toml check       that file
  roamwatt check --defaults > roamwatt.toml   begin a file with every setting and its comment

Nothing is changed. Ends with 0 when all is well, 1 when something is wrong with the database, 2
when the configuration is wrong.")]
pub struct CheckArgs {
    /// Print every setting with its default and its comment, and check nothing
    #[arg(long)]
    pub defaults: bool,
    /// Read every page and every document of the database, which takes its time
    #[arg(long)]
    pub deep: bool,
}

/// Runs the command.
///
/// # Errors
/// When something is wrong; it has been shown then.
pub fn run(settings: &Settings, output: Output, args: &CheckArgs) -> Outcome {
    if args.defaults {
        return output.show(&json!({ "toml": DEFAULT_TOML }), || DEFAULT_TOML.to_owned());
    }
    let (config, mut problems) = match settings.load() {
        Ok(config) => {
            let problems = beyond_the_text(&config);
            (Some(config), problems)
        }
        Err(errors) => (None, errors.0),
    };
    // A database that a wrong configuration names may be another one.
    let code = if problems.is_empty() { FAILED } else { WRONG_USE };
    let found = match &config {
        Some(config) if problems.is_empty() => Some(database::look(config, args.deep)?),
        _ => None,
    };
    problems.extend(found.iter().flat_map(|found| found.problems.clone()));
    let document = json!({
        "ok": problems.is_empty(),
        "database": config.as_ref().map(|config| config.database.url.to_string()),
        "database_state": found.as_ref().map(|found| &found.state),
        "contents": found.as_ref().and_then(|found| found.contents.as_ref()),
        "public_url": config.as_ref().map(|config| config.server.public_base()),
        "problems": problems.iter().map(problem_as_json).collect::<Vec<_>>(),
    });
    output.show(&document, || match (&config, &found) {
        (Some(config), Some(found)) if problems.is_empty() => summary(config, found),
        _ => listing(&problems),
    })?;
    if problems.is_empty() { Ok(()) } else { Err(Failure::shown(code)) }
}

fn summary(config: &Config, found: &database::Found) -> String {
    let mut lines = vec![
        ("configuration", "good".to_owned()),
        ("listens on", config.server.listen.to_string()),
        ("public URL", config.server.public_base()),
        ("database", format!("{}, {}", config.database.url, found.state)),
    ];
    if let Some(contents) = &found.contents {
        let database::Contents { parties, stations, partners } = contents;
        let parts = [count(*parties, "party"), count(*stations, "station"), count(*partners, "partner")];
        lines.push(("holds", parts.join(", ")));
    }
    facts(&lines)
}

fn listing(problems: &[Problem]) -> String {
    let mut text = format!("{}:\n", count(problems.len(), "problem"));
    for problem in problems {
        text.push_str(&format!("\n{}\n  {}\n", problem.place, problem.message));
        if !problem.remedy.is_empty() {
            text.push_str(&format!("  → {}\n", problem.remedy));
        }
    }
    text
}

/// What only shows when the files that the configuration names are looked at. Nothing is made or changed.
fn beyond_the_text(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |place: &str, message: String, remedy: &str| {
        problems.push(Problem { place: place.to_owned(), message, remedy: remedy.to_owned() });
    };
    if let Some(tls) = &config.server.tls {
        for (place, file) in [("server.tls_certificate", &tls.certificate), ("server.tls_key", &tls.key)] {
            if let Err(error) = std::fs::File::open(file) {
                add(
                    place,
                    format!("cannot read {}: {error}", file.display()),
                    "name a PEM file this user can read",
                );
            }
        }
    }
    match config.database.url.file() {
        None if config.security.secret_key.is_empty() => {
            add("security.secret_key", key_file::KeyError::NotSet.to_string(), "");
        }
        Some(file) => {
            let folder =
                file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if !folder.is_dir() {
                add(
                    "database.url",
                    format!("there is no folder {}", folder.display()),
                    "make it, or name another",
                );
            } else if config.security.secret_key.is_empty() {
                check_key_file(file, &mut add);
            }
        }
        None => {}
    }
    problems
}

fn check_key_file(database: &Path, add: &mut impl FnMut(&str, String, &str)) {
    use std::os::unix::fs::PermissionsExt;
    let file = key_file::key_file_of(database);
    match std::fs::metadata(&file) {
        Ok(data) if data.permissions().mode() & 0o077 != 0 => {
            let message = format!("the key file {} can be read by others", file.display());
            add("security.secret_key", message, &format!("chmod 600 {}", file.display()));
        }
        Err(_) if std::fs::metadata(database).is_ok_and(|data| data.len() > 0) => {
            add("security.secret_key", key_file::KeyError::Missing(file).to_string(), "");
        }
        // Where neither is there yet, the first start makes both.
        Ok(_) | Err(_) => {}
    }
}
