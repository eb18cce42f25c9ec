//! What can go wrong, said to people: an `error:` line, `hint:` lines with a command that works, an exit code.

use std::fmt::{self, Write as _};
use std::io;

use anstyle::{AnsiColor, Style};

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

    /// A file of a session cannot be read; `what` names it (`the journal`).
    pub fn unreadable(what: impl fmt::Display, error: &io::Error) -> Self {
        Self::output(format!("cannot read {what}: {error}"))
    }

    /// A file of a session cannot be written; `doing` says what was tried (`write the journal`). The hint fits the
    /// reason.
    pub fn io(doing: impl fmt::Display, error: &io::Error) -> Self {
        let failure = Self::output(format!("cannot {doing}: {error}"));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => failure.hint(
                "free some space (`flakehunt clean` removes old sessions), then run `flakehunt resume`",
            ),
            io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory => failure
                .hint("pass `--session-dir DIR` to keep `.flakehunt` in a directory that can be written"),
            _ => failure,
        }
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

    /// The failure for people, ending in a line feed: `error: ...`, the detail indented, one `hint: ...` a line.
    ///
    /// Escape sequences and other control characters of what was said to us never reach the terminal.
    pub fn render(&self, color: bool) -> String {
        let (red, cyan) = if color {
            (AnsiColor::Red.on_default().bold(), AnsiColor::Cyan.on_default().bold())
        } else {
            (Style::new(), Style::new())
        };
        let mut text = String::new();
        push_lines(&mut text, &format!("{red}error:{red:#} "), 7, &self.error);
        if let Some(detail) = &self.detail {
            push_lines(&mut text, "    ", 4, detail);
        }
        for hint in &self.hints {
            push_lines(&mut text, &format!("{cyan}hint:{cyan:#} "), 6, hint);
        }
        text
    }
}

/// Appends `said` line by line, the first after `lead`, the others indented by `indent` spaces.
fn push_lines(text: &mut String, lead: &str, indent: usize, said: &str) {
    let plain = anstream::adapter::strip_str(said.trim_end()).to_string();
    text.push_str(lead);
    for (number, line) in plain.lines().enumerate() {
        if number > 0 {
            let _ = write!(text, "\n{:indent$}", "");
        }
        text.extend(line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }));
    }
    text.push('\n');
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_reads_as_error_detail_hints() {
        let failure = Failure::environment("pytest cannot be imported by python3")
            .detail("Traceback:\n  ImportError: pytest\n")
            .hint("install it: `python3 -m pip install pytest`")
            .hint("or name another interpreter: `--python PATH`");
        assert_eq!(
            failure.render(false),
            "error: pytest cannot be imported by python3\n    Traceback:\n      ImportError: pytest\n\
             hint: install it: `python3 -m pip install pytest`\nhint: or name another interpreter: `--python PATH`\n"
        );
    }

    #[test]
    fn colour_marks_the_words_only() {
        let text = Failure::usage("x").hint("y").render(true);
        assert!(text.contains("\u{1b}["), "{text:?}");
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), "error: x\nhint: y\n");
    }

    #[test]
    fn what_others_said_cannot_drive_the_terminal() {
        let text = Failure::usage("a\u{1b}[31mb\u{7}c").detail("\u{1b}]0;title\u{7}d\re").render(false);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.starts_with("error: ab"), "{text:?}");
    }

    #[test]
    fn a_full_disk_and_a_read_only_one_get_their_own_hints() {
        let full = Failure::io("write the journal", &io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.code, ExitCode::Output);
        assert!(full.hints[0].contains("flakehunt clean"), "{full:?}");
        let read_only = Failure::io("create x", &io::Error::from(io::ErrorKind::ReadOnlyFilesystem));
        assert!(read_only.hints[0].contains("--session-dir"), "{read_only:?}");
    }
}
