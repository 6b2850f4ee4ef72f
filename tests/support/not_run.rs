//! A test that cannot run here says so where it is seen, since cargo counts it as passed.

use std::io::Write;

/// Tells that `what` was not run for lack of `lacking`: on the terminal, past cargo's capturing, and in the file
/// that `tests/run` prints at its end.
pub(crate) fn not_run(what: &str, lacking: &str) {
    let line = format!("not run without {lacking}: {what}\n");
    // A failure to tell is no failure of the test.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
    if let Some(list) = std::env::var_os("ROAMWATT_NOT_RUN_LIST")
        && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(list)
    {
        // One write, so that lines of tests that run at the same time stay whole.
        let _ = file.write_all(line.as_bytes());
    }
}
