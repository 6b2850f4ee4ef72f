//! The rules of the house that a compiler does not know (docs/architecture.md), read from the sources and texts,
//! so that a shortcut is seen when it is taken and a text that is no longer true does not stay.

mod imports;
mod rooms;
mod texts;

use std::path::{Path, PathBuf};

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder, by their names, in order.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Each Rust file of `src/`, with its path in it, and its text.
fn sources() -> Vec<(PathBuf, String)> {
    let src = root().join("src");
    let rust = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "rs");
    files_below(&src)
        .into_iter()
        .filter(rust)
        .map(|file| {
            let text = std::fs::read_to_string(&file).unwrap();
            (file.strip_prefix(&src).unwrap().to_owned(), text)
        })
        .collect()
}

/// A source without its comments, whole, so that what spans lines is found.
fn code_of(text: &str) -> String {
    let lines = text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// Fails with the list of what breaks a rule.
#[track_caller]
fn assert_none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}
