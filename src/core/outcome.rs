//! What became of one test in one run.

use serde::{Deserialize, Serialize};

/// A phase of pytest's protocol for one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Fixtures are made.
    Setup,
    /// The test body runs.
    Call,
    /// Fixtures are torn down.
    Teardown,
}

/// The worst of all reports of one test in one run, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The run ended, or the process died, before it was this test's turn. Says nothing about the test.
    NotReached,
    /// Every phase passed.
    Passed,
    /// Marked `xfail` and passed (not strict).
    XPassed,
    /// Marked `xfail` and failed, as expected.
    XFailed,
    /// Skipped.
    Skipped,
    /// The body failed.
    Failed,
    /// A fixture failed, in this phase.
    Errored(Phase),
    /// The process died while this test ran; how it died is in the run's `end`.
    Crashed,
    /// The test was still running when its time, or the run's, was up.
    TimedOut,
}

/// The only thing a search wants to know of an [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Seen {
    /// Failed, errored, crashed or timed out.
    Fail,
    /// Anything that pytest does not count as a failure.
    Pass,
}

impl Seen {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Fail => Self::Pass,
            Self::Pass => Self::Fail,
        }
    }
}

impl Outcome {
    /// Pass or fail; `None` where the test was not reached.
    pub fn seen(self) -> Option<Seen> {
        match self {
            Self::NotReached => None,
            Self::Passed | Self::XPassed | Self::XFailed | Self::Skipped => Some(Seen::Pass),
            Self::Failed | Self::Errored(_) | Self::Crashed | Self::TimedOut => Some(Seen::Fail),
        }
    }

    /// Whether pytest, or the death of the process, calls it a failure.
    pub fn is_failure(self) -> bool {
        self.seen() == Some(Seen::Fail)
    }

    /// Whether the process did not live on after it.
    pub fn ends_the_process(self) -> bool {
        matches!(self, Self::Crashed | Self::TimedOut)
    }

    /// One letter for the journal.
    pub fn letter(self) -> char {
        match self {
            Self::NotReached => '-',
            Self::Passed => '.',
            Self::XPassed => 'X',
            Self::XFailed => 'x',
            Self::Skipped => 's',
            Self::Failed => 'F',
            Self::Errored(Phase::Setup) => 'U',
            Self::Errored(Phase::Call) => 'E',
            Self::Errored(Phase::Teardown) => 'D',
            Self::Crashed => 'C',
            Self::TimedOut => 'T',
        }
    }

    /// The outcome that [`letter`](Self::letter) wrote.
    pub fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            '-' => Self::NotReached,
            '.' => Self::Passed,
            'X' => Self::XPassed,
            'x' => Self::XFailed,
            's' => Self::Skipped,
            'F' => Self::Failed,
            'U' => Self::Errored(Phase::Setup),
            'E' => Self::Errored(Phase::Call),
            'D' => Self::Errored(Phase::Teardown),
            'C' => Self::Crashed,
            'T' => Self::TimedOut,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_comes_back() {
        for letter in "-.XxsFUEDCT".chars() {
            assert_eq!(Outcome::from_letter(letter).map(Outcome::letter), Some(letter));
        }
        assert_eq!(Outcome::from_letter('?'), None);
    }

    #[test]
    fn a_teardown_error_is_worse_than_a_pass() {
        assert!(Outcome::Errored(Phase::Teardown) > Outcome::Passed);
        assert!(Outcome::Crashed > Outcome::Failed);
    }
}
