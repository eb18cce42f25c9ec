//! The lines of a stream, typed. Fields and events that are not known here are ignored.

use serde::Deserialize;

use crate::core::outcome::Phase;
use crate::core::run::{Probed, RunId};

/// One line of a stream.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// pytest has started.
    Hello(Hello),
    /// A setting of another plugin was neutralised.
    Changed(Changed),
    /// A file could not be collected.
    CollectError(CollectError),
    /// Collection is over.
    Collected(Collected),
    /// What was collected does not hold what was asked for.
    Mismatch(Mismatch),
    /// The run was let go.
    Go {
        /// How long it had waited for that, in seconds.
        waited: f64,
    },
    /// A test begins.
    Start {
        /// Its number in the suite file.
        i: u32,
        /// Its position in the order.
        n: u64,
    },
    /// A phase of a test, or a subtest of it, is over.
    Phase(Box<PhaseReport>),
    /// A test is over.
    Fin {
        /// Its position in the order.
        n: u64,
    },
    /// A test is over and passed (the lean protocol: stands for three passed phases and `fin`).
    Pass {
        /// Its position in the order.
        n: u64,
        /// How long it took.
        seconds: f64,
    },
    /// The test that runs ends the session.
    Interrupt {
        /// Its position in the order.
        n: u64,
        /// The class of the exception.
        r#type: String,
        /// What it says.
        #[serde(default)]
        message: String,
    },
    /// Something other than a test has the session end before its last test.
    Cut {
        /// The position of the last test that ran.
        n: u64,
        /// Why, in the words of whoever wanted it.
        reason: String,
    },
    /// A copy of the process begins to try something in the middle of the run.
    Probing {
        /// After so many tests.
        n: u64,
    },
    /// It has tried.
    Probed(Probed),
    /// A copy begins with a line of tests.
    Trying {
        /// Which one of those asked for.
        k: u64,
    },
    /// It has run the next test of its line.
    Tried {
        /// Which line.
        k: u64,
        /// Whether the test failed.
        failed: bool,
    },
    /// pytest has ended.
    End {
        /// Its exit status.
        code: i32,
    },
    /// The fork server takes requests.
    Serving {
        /// Reasons against forking.
        r#unsafe: Vec<String>,
        /// Why the short protocol would not be faithful; `None` where it would.
        #[serde(default)]
        lean: Option<String>,
        /// Modules drew from `random` while they were collected: children share what they drew.
        #[serde(default)]
        drawn: bool,
    },
    /// The fork server has begun a run.
    Forked {
        /// Which run.
        run: RunId,
        /// The child.
        pid: u32,
    },
    /// The system would not let the fork server fork.
    Refused {
        /// For which run.
        run: RunId,
        /// What the system said.
        #[serde(default)]
        message: String,
    },
    /// A child of the fork server has ended.
    Reaped {
        /// Which run.
        run: RunId,
        /// Its exit code, or minus the signal that ended it.
        status: i32,
        /// User and system time, in seconds.
        #[serde(default)]
        cpu: f64,
        /// The largest resident set, in KiB.
        #[serde(default)]
        rss: u64,
    },
    /// A line that could not be read as an event: not JSON, fields missing, or longer than
    /// [`LINE_LIMIT`](super::LINE_LIMIT).
    #[serde(skip_deserializing)]
    Damaged,
    /// An event of a later protocol.
    #[serde(other)]
    Unknown,
}

/// Who runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Hello {
    /// The version of the protocol.
    pub protocol: u32,
    /// The process.
    #[serde(default)]
    pub pid: u32,
    /// The interpreter's version.
    #[serde(default)]
    pub python: String,
    /// pytest's version.
    #[serde(default)]
    pub pytest: String,
    /// pytest's root directory.
    #[serde(default)]
    pub rootdir: String,
    /// pytest's configuration file.
    #[serde(default)]
    pub inifile: Option<String>,
    /// Loaded plugins: distribution and version.
    #[serde(default)]
    pub plugins: Vec<(String, String)>,
}

/// A setting of another plugin that was neutralised.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Changed {
    /// Whose setting.
    pub plugin: String,
    /// What was changed.
    pub what: String,
}

/// A file that could not be collected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CollectError {
    /// The file.
    pub path: String,
    /// What pytest says.
    #[serde(default)]
    pub message: String,
}

/// What was collected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Collected {
    /// How many tests.
    pub tests: u64,
    /// How many tests were deselected.
    #[serde(default)]
    pub deselected: u64,
    /// Numbers of the tests that were found by key instead of id.
    #[serde(default)]
    pub unstable: Vec<u32>,
}

/// How a collection differs from the suite file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Mismatch {
    /// Numbers of tests that were not collected.
    #[serde(default)]
    pub missing: Vec<u32>,
    /// Ids that the suite file does not hold.
    #[serde(default)]
    pub extra: Vec<String>,
}

/// What pytest says of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// Nothing went wrong.
    Passed,
    /// An exception.
    Failed,
    /// Skipped, or failed as expected where the `xfail` mark was in play.
    Skipped,
    /// A word of another plugin (`rerun`): decides nothing.
    #[serde(other)]
    Other,
}

/// The report of one phase, or of one subtest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PhaseReport {
    /// The position of its test in the order.
    pub n: u64,
    /// Which phase.
    pub when: Phase,
    /// What pytest says of it.
    pub outcome: Said,
    /// How long it took.
    #[serde(default)]
    pub seconds: f64,
    /// The `xfail` mark was in play.
    #[serde(default)]
    pub xfail: bool,
    /// What the mark gives as its reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// The exception's type.
    #[serde(default)]
    pub r#type: Option<String>,
    /// What the exception says, or why the test was skipped.
    #[serde(default)]
    pub message: Option<String>,
    /// `file:line` in the project.
    #[serde(default)]
    pub place: Option<String>,
    /// The long form.
    #[serde(default)]
    pub text: Option<String>,
    /// It is the report of a subtest.
    #[serde(default)]
    pub subtest: bool,
    /// Captured sections: title and content.
    #[serde(default)]
    pub sections: Vec<(String, String)>,
}

impl PhaseReport {
    /// Whether pytest counts it as a failure.
    pub fn failed(&self) -> bool {
        self.outcome == Said::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_and_events_are_ignored() {
        let event = |line: &str| serde_json::from_str::<Event>(line).expect("an event");
        assert_eq!(event(r#"{"event": "start", "i": 3, "n": 0, "new": [1]}"#), Event::Start { i: 3, n: 0 });
        assert_eq!(event(r#"{"event": "from-the-future", "x": {"y": 1}}"#), Event::Unknown);
        assert_eq!(
            event(r#"{"event": "serving", "unsafe": ["a thread"]}"#),
            Event::Serving { r#unsafe: vec!["a thread".into()], lean: None, drawn: false }
        );
        let Event::Phase(report) =
            event(r#"{"event": "phase", "n": 1, "when": "call", "outcome": "rerun", "type": null}"#)
        else {
            panic!("not a phase");
        };
        assert_eq!((report.outcome, report.r#type, report.xfail), (Said::Other, None, false));
        assert!(serde_json::from_str::<Event>(r#"{"event": "start", "i": 3}"#).is_err());
        assert!(
            serde_json::from_str::<Event>(r#"{"event": "damaged"}"#).map_or(true, |e| e == Event::Unknown)
        );
    }
}
