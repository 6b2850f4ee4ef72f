//! PostgreSQL's own programs for backups: nothing else reads every version of its databases.

use super::failure::Failure;
use crate::config::Secret;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Dumps a database to a file in pg_dump's custom format.
///
/// # Errors
/// When pg_dump is not there or fails.
pub(super) fn dump(url: &Secret, file: &Path) -> Result<(), Failure> {
    let mut command = command_with("pg_dump", url)?;
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(file);
    run("pg_dump", command)
}

/// Restores a dump in one transaction, in place of what is there.
///
/// # Errors
/// When pg_restore is not there or fails; nothing is changed then.
pub(super) fn restore(url: &Secret, file: &Path) -> Result<(), Failure> {
    let mut command = command_with("pg_restore", url)?;
    command
        .args(["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction"])
        .arg(file);
    run("pg_restore", command)
}

/// Whether a file is a dump that pg_restore can read.
///
/// # Errors
/// When it is none, or pg_restore is not there.
pub(super) fn inspect(file: &Path) -> Result<(), Failure> {
    let mut command = Command::new("pg_restore");
    command.arg("--list").arg(file).stdout(Stdio::null());
    run("pg_restore", command)
}

/// The program with the database it works on. The password goes by the environment, since other users can read
/// the arguments of a process.
fn command_with(program: &str, url: &Secret) -> Result<Command, Failure> {
    let mut url =
        url::Url::parse(url.reveal()).map_err(|_| Failure::new("the database URL cannot be taken apart"))?;
    let mut command = Command::new(program);
    let password: Option<String> =
        url.password().map(percent_decoded).filter(|password| !password.is_empty());
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
        if url.set_password(None).is_err() {
            return Err(Failure::new("the database URL cannot be taken apart"));
        }
    }
    command.arg("--dbname").arg(url.as_str());
    Ok(command)
}

/// The text behind `%41`.
fn percent_decoded(text: &str) -> String {
    // In a query `+` and `&` mean something else, so they are hidden first.
    let value = text.replace('+', "%2B").replace('&', "%26");
    let mut pairs = url::form_urlencoded::parse(value.as_bytes());
    // A name without `=` is the whole text.
    pairs.next().map_or_else(String::new, |(name, rest)| match value.contains('=') {
        true => format!("{name}={rest}"),
        false => name.into_owned(),
    })
}

fn run(program: &str, mut command: Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let failure = Failure::from(error).while_doing(format!("cannot run {program}"));
        match missing {
            true => failure.with_remedy("install PostgreSQL's client: apt-get install postgresql-client"),
            false => failure,
        }
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).take(5).collect();
    Err(Failure::new(said.join("; ")).while_doing(format!("{program} failed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_no_argument() {
        let url = Secret::new("postgres://me:p%40ss%2Bw+d&=x@db:5433/rw?sslmode=require");
        let command = command_with("pg_dump", &url).unwrap();
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        assert_eq!(arguments, ["--dbname", "postgres://me@db:5433/rw?sslmode=require"]);
        let password = command.get_envs().find(|(name, _)| *name == "PGPASSWORD").unwrap().1.unwrap();
        assert_eq!(password, "p@ss+w+d&=x");
    }
}
