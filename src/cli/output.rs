//! What commands write: tables for people, JSON for programs, progress on stderr.

use super::failure::Failure;
use comfy_table::{Cell, CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Where a command's results go. Data goes to stdout and nothing else does.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// For people, or as JSON for programs.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads.
    #[must_use]
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Writes one document: for programs the value, for people what `people` makes of it.
    ///
    /// # Errors
    /// When stdout cannot be written to; silent when its reader has gone.
    pub fn show(self, value: &impl Serialize, people: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { people() };
        self.write_line(&text)
    }

    /// Writes one of many results as they come: for programs as a line of JSON Lines.
    ///
    /// # Errors
    /// As [`Self::show`].
    pub fn stream(self, value: &impl Serialize, people: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string(value)? } else { people() };
        self.write_line(&text)
    }

    /// Tells a person what happens meanwhile, on stderr. Programs are not told.
    pub fn note(self, text: &str) {
        if !self.json {
            // Where nobody reads stderr, nobody misses a note.
            drop(writeln!(io::stderr().lock(), "{text}"));
        }
    }

    fn write_line(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        write_text(&mut out, text)
    }
}

/// Writes a text and the end of its line, and turns a reader that has gone into a silent end.
fn write_text(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    let done = out.write_all(text.as_bytes()).and_then(|()| {
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    });
    done.map_err(broken_pipe_is_silent)
}

/// The failure for an error of stdout or of a file a command writes: silent success when the reader has gone,
/// as after `| head`.
#[must_use]
pub fn broken_pipe_is_silent(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::shown(0),
        _ => Failure::from(error).while_doing("cannot write the output"),
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    /// Text, aligned left.
    Text(&'static str),
    /// Numbers, aligned right.
    Number(&'static str),
}

/// Rows under headings, aligned, without borders. `empty` is said when there are none.
#[must_use]
pub fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>, empty: &str) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| match column {
        Column::Text(name) => Cell::new(name),
        Column::Number(name) => Cell::new(name).set_alignment(CellAlignment::Right),
    }));
    for row in rows {
        // A control character in a name could rewrite the reader's terminal.
        table.add_row(row.into_iter().map(|cell| printable(&cell)));
    }
    if table.row_count() == 0 {
        return empty.to_owned();
    }
    for (column, kind) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        if matches!(kind, Column::Number(_)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// The names of values and the values, aligned: for one thing.
#[must_use]
pub fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines = facts.iter().map(|(name, value)| format!("{name:width$}  {}", printable(value)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The text with control characters shown as `�`.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A count with its noun: `1 station`, `3 stations`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        return format!("1 {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !noun.ends_with("ey") => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

/// Progress on stderr, for a person at a terminal, of work that takes longer than a second.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    may_show: bool,
}

impl Progress {
    /// How long work may take before its progress is shown.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// Progress of `what`, over `total` steps where their number is known.
    #[must_use]
    pub fn new(output: Output, what: &'static str, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = match total {
            Some(_) => "{msg} {bar:30} {human_pos}/{human_len} {eta}",
            None => "{msg} {spinner} {human_pos} in {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━ "));
        }
        bar.set_message(what);
        Self { bar, begun: Instant::now(), may_show: !output.is_json() && io::stderr().is_terminal() }
    }

    /// So many more steps are done.
    pub fn advance(&mut self, steps: u64) {
        self.bar.inc(steps);
        if self.may_show && self.begun.elapsed() > Self::PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.may_show = false;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_plain() {
        let rows = vec![
            vec!["CS1".to_owned(), "7".to_owned()],
            vec!["Ä-long\u{1b}[2J".to_owned(), "1234".to_owned()],
        ];
        let text = table(&[Column::Text("STATION"), Column::Number("KWH")], rows, "none");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, ["STATION      KWH", "CS1            7", "Ä-long\u{fffd}[2J  1234"]);
        assert_eq!(table(&[Column::Text("A")], Vec::new(), "no stations yet"), "no stations yet");
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(write_text(&mut Gone, "x").unwrap_err().code(), 0);
        let mut out = Vec::new();
        write_text(&mut out, "x").unwrap();
        assert_eq!(out, b"x\n");
    }

    #[test]
    fn counts_and_facts() {
        assert_eq!(
            [count(1, "party"), count(2, "party"), count(0, "key"), count(3, "token")],
            ["1 party", "2 parties", "0 keys", "3 tokens"]
        );
        assert_eq!(facts(&[("id", "CS1".into()), ("password", "x".into())]), "id        CS1\npassword  x");
    }
}
