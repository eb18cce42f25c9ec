//! What `rerun` runs again, and what its runs amount to for each test.

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, Seen};
use super::pattern::Pattern;
use super::run::{Account, Purpose, RunId, RunRecord, RunSpec};
use super::test_id::TestIdx;

/// No wait is longer, in milliseconds: a day.
const LONGEST_WAIT: f64 = 86_400_000.0;

/// What is run again, how often, and when that makes no sense.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rerun {
    /// How often a failed test is run again in the same context, and as often alone.
    pub reruns: u32,
    /// How long to wait before that.
    #[serde(default)]
    pub waits: Waits,
    /// Only what failed like one of these is run again, where there are any.
    #[serde(default)]
    pub only: Vec<Pattern>,
    /// What failed like one of these is not.
    #[serde(default)]
    pub except: Vec<Pattern>,
    /// More failed tests than this are an outage: nothing is run again.
    #[serde(default)]
    pub most: Option<u32>,
    /// A flaky test is as bad as one that always fails. For the exit code; no question depends on it.
    #[serde(default)]
    pub fail_on_flaky: bool,
}

/// How long to wait before each round of reruns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    /// The first waits, in milliseconds; none is no wait at all.
    pub listed: Vec<u64>,
    /// Each further one is this many times the one before.
    pub factor: f64,
}

impl Waits {
    /// The wait before a round (from 0), in milliseconds.
    pub fn before(&self, round: u32) -> u64 {
        let Some(last) = self.listed.last() else { return 0 };
        match self.listed.get(round as usize) {
            Some(wait) => *wait,
            None => {
                let further = round as usize + 1 - self.listed.len();
                let wait = *last as f64 * self.factor.powi(i32::try_from(further).unwrap_or(i32::MAX));
                wait.min(LONGEST_WAIT) as u64
            }
        }
    }
}

impl Rerun {
    /// Whether a test that failed like this is to be run again.
    pub fn is_wanted(&self, failure: Option<&Account>) -> bool {
        let text = failure.map(failure_text).unwrap_or_default();
        let like = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.is_in(&text));
        (self.only.is_empty() || like(&self.only)) && !like(&self.except)
    }

    /// Whether so many failed tests are no flakiness any more.
    pub fn is_outage(&self, failed: usize) -> bool {
        self.most.is_some_and(|most| failed > most as usize)
    }
}

/// What patterns are searched in: the exception's type and what it says, `TYPE: MESSAGE`.
pub fn failure_text(account: &Account) -> String {
    let Account { kind, message, .. } = account;
    // pytest's message mostly begins with the type, with its module before it.
    let said = message.split(':').next().unwrap_or_default().rsplit('.').next();
    if kind.is_empty() || said == Some(kind) { message.clone() } else { format!("{kind}: {message}") }
}

/// Where a test ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the suite as it is, or in what a process that died had left of it.
    Suite,
    /// Again, after the same tests.
    SameOrder,
    /// With nothing before it.
    Alone,
}

/// One time that a test ran.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// In which run.
    pub run: RunId,
    /// Where.
    pub place: Place,
    /// Its position in the order.
    pub at: usize,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// What pytest says, where it did not simply pass.
    pub account: Option<&'a Account>,
}

/// What became of the test at this position of a run; `None` where it was not reached, or the run is no evidence.
pub fn attempt<'a>(spec: &RunSpec, record: &'a RunRecord, at: usize) -> Option<Attempt<'a>> {
    let outcome = *record.outcomes.get(at)?;
    if outcome == Outcome::NotReached || !record.is_valid() {
        return None;
    }
    let place = match spec.purpose {
        Purpose::Baseline => Place::Suite,
        Purpose::Alone => Place::Alone,
        _ => Place::SameOrder,
    };
    let account = if outcome == Outcome::Passed { None } else { record.account(at) };
    let micros = record.micros.get(at).copied().unwrap_or_default();
    Some(Attempt { run: record.run, place, at, outcome, micros, account })
}

/// Every time each test ran, in the order of the runs; by test number.
pub fn attempts<'a>(
    tests: usize,
    runs: impl Iterator<Item = (&'a RunSpec, &'a RunRecord)>,
) -> Vec<Vec<Attempt<'a>>> {
    let mut attempts: Vec<Vec<Attempt<'a>>> = vec![Vec::new(); tests];
    for (spec, record) in runs {
        for (at, test) in spec.order.iter().enumerate() {
            attempts[test.at()].extend(attempt(spec, record, at));
        }
    }
    attempts
}

/// What a test's attempts amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It never had its turn.
    NotReached,
    /// It was skipped.
    Skipped,
    /// It never failed.
    Passed,
    /// It failed and passed.
    Flaky,
    /// It never did anything but fail.
    Failed,
}

impl Standing {
    /// What these attempts amount to.
    pub fn of(attempts: &[Attempt<'_>]) -> Self {
        let any = |wanted: Seen| attempts.iter().any(|attempt| attempt.outcome.seen() == Some(wanted));
        match (any(Seen::Fail), any(Seen::Pass)) {
            (true, true) => Self::Flaky,
            (true, false) => Self::Failed,
            (false, false) => Self::NotReached,
            (false, true) if attempts.iter().all(|attempt| attempt.outcome == Outcome::Skipped) => {
                Self::Skipped
            }
            (false, true) => Self::Passed,
        }
    }
}

/// How many tests stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Never failed.
    pub passed: u32,
    /// Were skipped.
    pub skipped: u32,
    /// Failed and passed.
    pub flaky: u32,
    /// Did nothing but fail.
    pub failed: u32,
    /// Never had their turn.
    pub not_reached: u32,
}

impl Tally {
    /// Counts the tests of a suite.
    pub fn of(attempts: &[Vec<Attempt<'_>>]) -> Self {
        let mut tally = Self::default();
        for attempts in attempts {
            *match Standing::of(attempts) {
                Standing::NotReached => &mut tally.not_reached,
                Standing::Skipped => &mut tally.skipped,
                Standing::Passed => &mut tally.passed,
                Standing::Flaky => &mut tally.flaky,
                Standing::Failed => &mut tally.failed,
            } += 1;
        }
        tally
    }
}

/// The tests that failed in the suite as it is, in collection order.
pub fn failed_at_first(attempts: &[Vec<Attempt<'_>>]) -> Vec<TestIdx> {
    let failed = |attempts: &[Attempt<'_>]| {
        attempts.iter().any(|attempt| attempt.place == Place::Suite && attempt.outcome.is_failure())
    };
    (0..).map(TestIdx).zip(attempts).filter(|(_, attempts)| failed(attempts)).map(|(test, _)| test).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_constant_or_listed_or_grow() {
        let waits = |listed: &[u64], factor| Waits { listed: listed.to_vec(), factor };
        let first = |waits: &Waits| [0, 1, 2, 3].map(|round| waits.before(round));
        assert_eq!(first(&Waits::default()), [0; 4]);
        assert_eq!(first(&waits(&[2_000], 1.0)), [2_000; 4]);
        assert_eq!(first(&waits(&[1_000, 5_000], 1.0)), [1_000, 5_000, 5_000, 5_000]);
        assert_eq!(first(&waits(&[2_000], 1.5)), [2_000, 3_000, 4_500, 6_750]);
        assert_eq!(waits(&[2_000], 2.0).before(u32::MAX), 86_400_000);
    }

    #[test]
    fn as_many_failures_as_may_be_are_no_outage() {
        let json = r#"{"reruns": 1, "most": 2}"#;
        let rerun: Rerun = serde_json::from_str(json).unwrap();
        assert_eq!([0, 2, 3].map(|failed| rerun.is_outage(failed)), [false, false, true]);
        assert!(!Rerun { most: None, ..rerun }.is_outage(1_000_000));
    }

    #[test]
    fn a_failure_text_names_the_type_once() {
        for (kind, message, text) in [
            ("ValueError", "ValueError: no", "ValueError: no"),
            ("Timeout", "net.client.Timeout: late: 3 s", "net.client.Timeout: late: 3 s"),
            ("AssertionError", "assert 1 == 2", "AssertionError: assert 1 == 2"),
            ("KeyError", "KeyError", "KeyError"),
            ("", "odd", "odd"),
        ] {
            let account = Account { at: 0, kind: kind.into(), message: message.into(), text: String::new() };
            assert_eq!(failure_text(&account), text);
        }
    }
}
