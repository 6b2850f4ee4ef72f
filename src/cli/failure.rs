//! How a command fails: a message with its causes, a remedy, and an exit code.

use crate::config::{ConfigErrors, Problem};
use std::any::Any;
use std::error::Error;
use std::io::{self, Write};

/// Exit code of a command that failed.
pub const FAILED: u8 = 1;
/// Exit code of a command line or a configuration that is wrong.
pub const WRONG_USE: u8 = 2;

/// Why a command ends without success. Any error becomes one with `?`.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    causes: Vec<String>,
    remedy: Option<String>,
    problems: Vec<Problem>,
    /// Nobody reads our output any more, as after `| head`: end in silence.
    silent: bool,
}

/// What a command returns.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// A command that could not do its work.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            code: FAILED,
            message: message.into(),
            causes: Vec::new(),
            remedy: None,
            problems: Vec::new(),
            silent: false,
        }
    }

    /// A command that was called wrongly.
    pub fn wrong_use(message: impl Into<String>) -> Self {
        Self { code: WRONG_USE, ..Self::new(message) }
    }

    /// A command that has shown on stdout what is wrong.
    #[must_use]
    pub fn shown(code: u8) -> Self {
        Self { code, silent: true, ..Self::new(String::new()) }
    }

    /// With what its reader can do.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// With places and what is wrong there.
    #[must_use]
    pub fn with_problems(mut self, problems: impl IntoIterator<Item = (String, String)>) -> Self {
        let problem = |(place, message)| Problem { place, message, remedy: String::new() };
        self.problems.extend(problems.into_iter().map(problem));
        self
    }

    /// As the cause of what the command was doing: "cannot read prices.json: No such file".
    #[must_use]
    pub fn while_doing(mut self, what: impl Into<String>) -> Self {
        if !self.silent {
            let cause = std::mem::replace(&mut self.message, what.into());
            self.causes.insert(0, cause);
        }
        self
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Writes it to stderr: as text, or as one JSON object.
    pub fn report(&self, json: bool) {
        if self.silent {
            return;
        }
        // Where stderr is closed too, nobody is left to tell.
        drop(self.write(&mut io::stderr().lock(), json));
    }

    fn write(&self, out: &mut impl Write, json: bool) -> io::Result<()> {
        if json {
            let problems: Vec<_> = self.problems.iter().map(problem_as_json).collect();
            let mut document = serde_json::json!({ "error": self.message });
            if let Some(object) = document.as_object_mut() {
                if !self.causes.is_empty() {
                    object.insert("causes".to_owned(), self.causes.clone().into());
                }
                if !problems.is_empty() {
                    object.insert("problems".to_owned(), problems.into());
                }
                if let Some(remedy) = &self.remedy {
                    object.insert("remedy".to_owned(), remedy.clone().into());
                }
            }
            return writeln!(out, "{document}");
        }
        write!(out, "error: {}", self.message)?;
        for cause in &self.causes {
            write!(out, ": {cause}")?;
        }
        writeln!(out)?;
        for problem in &self.problems {
            writeln!(out, "  {}: {}", problem.place, problem.message)?;
            if !problem.remedy.is_empty() {
                writeln!(out, "    {}", problem.remedy)?;
            }
        }
        match &self.remedy {
            Some(remedy) => writeln!(out, "  {remedy}"),
            None => Ok(()),
        }
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &dyn Any = &error;
        if let Some(ConfigErrors(problems)) = any.downcast_ref() {
            let message = match problems.len() {
                1 => "the configuration has a mistake".to_owned(),
                n => format!("the configuration has {n} mistakes"),
            };
            return Self { problems: problems.clone(), ..Self::wrong_use(message) };
        }
        let mut failure = Self::new(error.to_string());
        let mut cause = error.source();
        while let Some(error) = cause {
            failure.causes.push(error.to_string());
            cause = error.source();
        }
        failure
    }
}

/// An error with its causes, in a line.
#[must_use]
pub fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// A problem of the configuration for programs.
#[must_use]
pub fn problem_as_json(problem: &Problem) -> serde_json::Value {
    serde_json::json!({ "place": problem.place, "message": problem.message, "remedy": problem.remedy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the database cannot be opened")]
    struct Outer(#[source] io::Error);

    fn text(failure: &Failure, json: bool) -> String {
        let mut out = Vec::new();
        failure.write(&mut out, json).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_error_tells_its_causes_and_a_remedy() {
        let failure = Failure::from(Outer(io::Error::other("disk full")))
            .while_doing("cannot add CS1")
            .with_remedy("free space");
        let expected = "error: cannot add CS1: the database cannot be opened: disk full\n  free space\n";
        assert_eq!((text(&failure, false).as_str(), failure.code()), (expected, FAILED));
        let document: serde_json::Value = serde_json::from_str(&text(&failure, true)).unwrap();
        assert_eq!(document["causes"][1], "disk full");
        assert_eq!(document["remedy"], "free space");
    }

    #[test]
    fn mistakes_of_the_configuration_are_wrong_use() {
        let sources = crate::config::Sources {
            file: Some(("a.toml".into(), "[server]\nlistn = 1\n".into())),
            ..Default::default()
        };
        let failure = Failure::from(crate::config::Config::load(&sources).unwrap_err());
        assert_eq!(failure.code(), WRONG_USE);
        let expected = "error: the configuration has a mistake\n  a.toml:2: unknown setting server.listn\n    \
                        did you mean listen?\n";
        assert_eq!(text(&failure, false), expected);
    }
}
