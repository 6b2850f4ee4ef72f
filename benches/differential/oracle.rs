//! The other engine, as a process: a CDR in, a table out.

use crate::amounts::{Amount, Totals, Volumes};
use crate::case::Case;
use crate::versions::Version;
use crate::wire;
use rust_decimal::Decimal;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where it is.
pub(crate) struct Oracle {
    pub(crate) path: PathBuf,
}

/// Why it gave no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OracleError {
    #[error("cannot run the other engine")]
    Io(#[from] io::Error),
    #[error("the other engine did not end within {} s", LONGEST.as_secs())]
    Timeout,
    #[error("the other engine refused: {0}")]
    Refused(String),
    #[error("the other engine did not tell {0}")]
    Missing(&'static str),
}

const LONGEST: Duration = Duration::from_secs(20);

impl Oracle {
    /// What it says the case costs.
    pub(crate) fn price(&self, case: &Case) -> Result<Totals, OracleError> {
        let zone = case.session.zone.name();
        let input = wire::cdr(case).to_string();
        let said = self.run(&["price", "-o", word(case.version), "-z", zone], &input)?;
        read_totals(&said.stdout)
    }

    /// What it finds wrong with the case's tariffs, a line each.
    pub(crate) fn lint(&self, case: &Case) -> Result<Vec<String>, OracleError> {
        let mut found = Vec::new();
        for tariff in &case.tariffs {
            let input = wire::tariff(tariff, case.version).to_string();
            let said = self.run(&["lint", "-o", word(case.version)], &input)?;
            let lines = said.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("* "));
            found.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
        }
        Ok(found)
    }

    /// Runs it to its end. Files without a name take in and out, so that neither side waits for the other and
    /// nothing is left behind.
    fn run(&self, args: &[&str], input: &str) -> Result<Output, OracleError> {
        let mut stdin = tempfile::tempfile()?;
        stdin.write_all(input.as_bytes())?;
        stdin.rewind()?;
        let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let mut child = Command::new(&self.path)
            .args(args)
            .stdin(Stdio::from(stdin))
            .stdout(Stdio::from(stdout.try_clone()?))
            .stderr(Stdio::from(stderr.try_clone()?))
            .spawn()?;
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if begun.elapsed() > LONGEST {
                child.kill()?;
                child.wait()?;
                return Err(OracleError::Timeout);
            }
            std::thread::sleep(Duration::from_micros(300));
        };
        let said = Output { stdout: read(&mut stdout)?, stderr: read(&mut stderr)? };
        if status.success() { Ok(said) } else { Err(OracleError::Refused(last_line(&said.stderr))) }
    }
}

/// What a process wrote.
struct Output {
    stdout: String,
    stderr: String,
}

fn read(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}

fn word(version: Version) -> &'static str {
    match version {
        Version::V211 => "v211",
        Version::V221 => "v221",
    }
}

fn read_totals(table: &str) -> Result<Totals, OracleError> {
    let amount = |net: &'static str, gross: &'static str| -> Result<Amount, OracleError> {
        let net = cell(table, net).ok_or(OracleError::Missing(net))?;
        // It prints the same for an amount of zero and for one that it has not.
        let gross = cell(table, gross).filter(|gross| !gross.is_zero() || net.is_zero());
        Ok(Amount { net, gross })
    };
    Ok(Totals {
        total: amount("Total Cost (Excl.)", "Total Cost (Incl.)")?,
        fixed: amount("Total Fixed Cost (Excl.)", "Total Fixed Cost (Incl.)")?,
        energy: amount("Total Energy Cost (Excl.)", "Total Energy Cost (Incl.)")?,
        time: amount("Total Time Cost (Excl.)", "Total Time Cost (Incl.)")?,
        parking: amount("Total Idle Cost (Excl.)", "Total Idle Cost (Incl.)")?,
        reservation: None,
        volumes: Volumes {
            energy: cell(table, "Total Energy ").unwrap_or_default(),
            time: hours(table, "Total Time "),
            parking: hours(table, "Total Parking Time "),
        },
    })
}

/// The amount in the first column behind a name, without its currency or unit.
fn cell(table: &str, name: &str) -> Option<Decimal> {
    let text = text(table, name)?;
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '-');
    let digits = digits.trim_end_matches(|c: char| !c.is_ascii_digit());
    digits.parse::<Decimal>().ok().map(|value| value.normalize())
}

/// A duration like `PT90.5S`; none where it is written in another way, which is how it writes no time at all.
fn hours(table: &str, name: &str) -> Decimal {
    let seconds = text(table, name).and_then(|text| text.strip_prefix("PT")?.strip_suffix('S'));
    let seconds = seconds.and_then(|seconds| seconds.parse::<Decimal>().ok()).unwrap_or_default();
    seconds.checked_div(Decimal::from(3600)).unwrap_or_default()
}

/// The text of the second table in the first column behind a name.
fn text<'t>(table: &'t str, name: &str) -> Option<&'t str> {
    let line = table.lines().find(|line| line.trim_start_matches('|').trim_start().starts_with(name))?;
    Some(line.split('|').nth(2)?.trim())
}
