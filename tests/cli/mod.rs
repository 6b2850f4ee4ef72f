//! The command line, as a person or a program uses it: the binary itself, on a database of each engine.

mod backups;
mod catalogue;
mod cdrs;
mod driver_apps;
pub(crate) mod exports;
mod frame;
mod frames;
mod goods;
mod load;
mod load_sites;
mod logs;
mod prices;
mod running;
mod tariffs;

use crate::support::db::TestDb;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The key of every command here, and of the nodes that have to understand what they sealed and hashed.
const KEY: &str = "a key that only these tests use, long enough";

/// The binary with nothing of the tester's environment, on that database.
fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roamwatt"));
    command.args(arguments).env_clear();
    for name in ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("ROAMWATT_DATABASE_URL", url);
    command.env("ROAMWATT_SECURITY__SECRET_KEY", KEY);
    // Where no file of the tester's is found.
    command.current_dir(std::env::temp_dir());
    command
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Its document, when it succeeded.
    pub(crate) fn json(self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command on a database.
pub(crate) fn run(db: &TestDb, arguments: &[&str]) -> Ran {
    Ran::of(command(db.url(), arguments).output().unwrap())
}

/// The same with a text on its stdin.
fn run_with(db: &TestDb, arguments: &[&str], stdin: &str) -> Ran {
    let mut child = command(db.url(), arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

/// A fixture of our own.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/own/ocpi").join(name)
}

/// Adds DE*ABC, a CPO and eMSP.
fn add_party(db: &TestDb) {
    let line = ["party", "add", "--country", "DE", "--party", "ABC", "--role", "cpo", "--role", "emsp"];
    let ran = run(db, &[&line[..], &["--name", "ABC Charging"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
}
