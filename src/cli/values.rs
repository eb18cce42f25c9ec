//! The values a person types: the same words on the command line, in the environment and in a configuration file.
//!
//! Each type reads what it shows (`FromStr`, `Display`), and its error is a sentence that says what is expected.

mod delay;

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub use self::delay::Delay;

use super::choices::ReportFormat;
use crate::core::order::Seed;
use crate::core::run::RunId;

/// A length of time: `90s`, `10m`, `2h30m`; a plain number counts seconds. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "expected a number with a unit, like `90s`, `10m` or `2h30m`; a plain number counts seconds";
        let text = text.trim();
        let duration = match text.parse::<f64>() {
            Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| EXPECTED)?,
            Err(_) => text
                .parse::<jiff::SignedDuration>()
                .ok()
                .and_then(|duration| Duration::try_from(duration).ok())
                .ok_or(EXPECTED)?,
        };
        if duration.is_zero() {
            return Err(
                "a time of zero leaves no time to run anything; leave the option out for no limit".into()
            );
        }
        Ok(Self(duration))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(duration) => f.write_str(&format!("{duration:#}").replace(' ', "")),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

/// How many runs go on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jobs {
    /// As many as there are processors.
    Auto,
    /// This many.
    Exactly(NonZeroU32),
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => text
                .parse()
                .map(Self::Exactly)
                .map_err(|_| "expected `auto` or a whole number of 1 or more".into()),
        }
    }
}

impl fmt::Display for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Exactly(jobs) => jobs.fmt(f),
        }
    }
}

/// A whole number of 1 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub NonZeroU32);

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("expected a whole number from 1 to {}", u32::MAX))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many planned orders; as [`Count`], with a word for those who want none.
pub fn seed_count(text: &str) -> Result<Count, String> {
    text.parse().map_err(|error| match text.parse() {
        Ok(0) => "no order would be tried; to run one order, name its seed: `--seed 7`".into(),
        _ => error,
    })
}

/// The seed of an order.
pub fn seed(text: &str) -> Result<Seed, String> {
    text.parse().map(Seed).map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// An interpreter: a path, or a name to be found on PATH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(pub String);

impl FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            Err("expected a path or a name".into())
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Words, quoted as in a shell where they are one text: `uv run`, `-k "a or b"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

impl FromStr for Words {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        shell_words::split(text).map(Self).map_err(|_| "a quotation mark is never closed".into())
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shell_words::join(&self.0))
    }
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(pub PathBuf);

impl FromStr for Folder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("expected a directory".into()) } else { Ok(Self(text.into())) }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// A share in percent, more than 0 and less than 100: `95`, `99.9%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(pub f64);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').unwrap_or(text).trim();
        match number.parse::<f64>() {
            Ok(share) if share > 0.0 && share < 100.0 => Ok(Self(share)),
            _ => Err("expected percent, more than 0 and less than 100, like `95` or `0.5%`".into()),
        }
    }
}

/// How sure a statement must be, in percent: at least 50, less than 100.
pub fn confidence(text: &str) -> Result<Percent, String> {
    let percent: Percent = text.parse()?;
    if percent.0 < 50.0 {
        return Err("a confidence below 50 says nothing; it is in percent, like `95`".into());
    }
    Ok(percent)
}

/// A report and where it goes: `FORMAT` (standard output) or `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTarget {
    /// The format.
    pub format: ReportFormat,
    /// The file; `None` is standard output.
    pub file: Option<PathBuf>,
}

impl FromStr for ReportTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("the name of a file is missing after `=`".into()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        Ok(Self { format: format.parse()?, file })
    }
}

/// One run of one session: `run17` or `17` in the latest session, `3kq7/17` in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunName {
    /// The session, or the beginning of its name; `None` is the latest.
    pub session: Option<String>,
    /// The run.
    pub run: RunId,
}

impl FromStr for RunName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (session, number) = match text.split_once('/') {
            Some((session, number)) => (Some(session.to_owned()), number),
            None => (None, text),
        };
        number
            .strip_prefix("run")
            .unwrap_or(number)
            .parse()
            .ok()
            .filter(|_| session.as_deref() != Some(""))
            .map(|run| Self { session, run: RunId(run) })
            .ok_or_else(|| "expected a run, like `run17`, or `3kq7/17` for run 17 of session 3kq7".into())
    }
}

/// What `replay` runs again: a plain number is a seed, `run17` or `3kq7/17` a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayTarget {
    /// The order of a seed.
    Seed(Seed),
    /// The order of a run.
    Run(RunName),
}

impl FromStr for ReplayTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(seed) = seed(text) {
            return Ok(Self::Seed(seed));
        }
        text.parse().map(Self::Run).map_err(|_| {
            "expected a seed, like `7`, or a run, like `run17` (`3kq7/17` for a run of session 3kq7)".into()
        })
    }
}

/// The order that `repeat` repeats in: a seed, a run, or a file of node ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderSource {
    /// The order of a seed.
    Seed(Seed),
    /// The order of a run.
    Run(RunName),
    /// A file with one node id a line.
    File(PathBuf),
}

impl FromStr for OrderSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(ReplayTarget::Seed(seed)) => Ok(Self::Seed(seed)),
            Ok(ReplayTarget::Run(run)) => Ok(Self::Run(run)),
            Err(_) if text.is_empty() => Err("expected a seed, a run or a file".into()),
            Err(_) => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

#[cfg(test)]
mod tests;
