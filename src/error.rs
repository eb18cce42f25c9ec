//! What can go wrong, said to people: an `error:` line, `hint:` lines with a command that works, an exit code.

use std::fmt;

/// The exit codes; `--help` and the docs list the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Nothing was found within the budget.
    Clean = 0,
    /// Something was found.
    Findings = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// No interpreter, no pytest, a collection error.
    Environment = 3,
    /// pytest collected nothing.
    NothingCollected = 5,
    /// Both outcomes were seen, and what decides could not be proven.
    Undecided = 6,
    /// A bug in flakehunt.
    Internal = 70,
    /// The journal or a report could not be written.
    Output = 74,
    /// Ctrl-C; the session can be resumed.
    Interrupted = 130,
    /// SIGTERM; the session can be resumed.
    Terminated = 143,
}

/// What ends a command early.
#[derive(Debug)]
pub struct Failure {
    /// The code the process exits with.
    pub code: ExitCode,
    /// What went wrong: a fragment without a capital or a full stop.
    pub error: String,
    /// What to do about it, best first.
    pub hints: Vec<String>,
    /// What another program said about it, shown as it is below the error.
    pub detail: Option<String>,
}

impl Failure {
    /// A failure without hints.
    pub fn new(code: ExitCode, error: impl Into<String>) -> Self {
        Self { code, error: error.into(), hints: Vec::new(), detail: None }
    }

    /// Wrong command line or configuration.
    pub fn usage(error: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, error)
    }

    /// The environment cannot be used.
    pub fn environment(error: impl Into<String>) -> Self {
        Self::new(ExitCode::Environment, error)
    }

    /// The journal or a report could not be written.
    pub fn output(error: impl Into<String>) -> Self {
        Self::new(ExitCode::Output, error)
    }

    /// A bug of ours.
    pub fn internal(error: impl Into<String>) -> Self {
        Self::new(ExitCode::Internal, error)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what another program said.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl std::error::Error for Failure {}
