//! One question and one answer: what is run, and what came of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::order::OrderName;
use super::outcome::{Outcome, Phase, Seen};
use super::test_id::{FileIdx, TestIdx};

/// The number of a run within its session; it names the run's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u32);

/// Why a run is asked for. For people and for the journal; no decision depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The suite as it is.
    Baseline,
    /// A planned order.
    Explore,
    /// One test with nothing before it.
    Alone,
    /// An order again: is the outcome its own?
    Repeat,
    /// A suspect, or a part of an order, before a test.
    Search,
    /// A candidate for a cleaner between culprit and test.
    Clean,
    /// Fewer files collected.
    Files,
    /// The proof of a verdict, in a fresh process.
    Confirm,
    /// `replay`, asked by a person.
    Replay,
    /// One of the repeats that a person asked to be counted.
    Counted,
}

/// What is special about how the tests of a run are run; by default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// So many processors are kept busy meanwhile.
    #[serde(default, skip_serializing_if = "is_none")]
    pub load: u32,
    /// After each test all fixtures are torn down, whatever their scope.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh_fixtures: bool,
    /// The run ends after so many failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fail: Option<u32>,
    /// The answer says how long each test took, and what pytest says of the first failure of each kind: see
    /// [`RunRecord::micros`] and [`RunRecord::accounts`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub measured: bool,
}

impl Manner {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

fn is_none(n: &u32) -> bool {
    *n == 0
}

/// Where in its order does a test begin to do something? Copies of the process try it in the middle of the run, from the
/// state that the tests before have left; the run ends where it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Probes {
    /// What each copy runs; what is looked for is done by the last of them.
    pub tail: Vec<TestIdx>,
    /// What is looked for.
    pub until: Seen,
    /// How many tests run before the first copy is made. There the test is known not to do it.
    pub from: u32,
    /// After how many tests one of them tries it. Where it was seen, the tests since the place before are run again, from
    /// the state of that place, with the next of these steps. The last of them is 1.
    pub strides: Vec<u32>,
}

/// What a copy has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// How many tests of the order had run.
    pub n: u32,
    /// Whether the last test of [`Probes::tail`] failed.
    pub failed: bool,
}

impl Probes {
    /// After how many tests it was seen, where it was not seen after one less.
    pub fn edge(&self, probed: &[Probed]) -> Option<u32> {
        let seen = |probed: &Probed| probed.failed == (self.until == Seen::Fail);
        let first = probed.iter().filter(|probed| seen(probed)).map(|probed| probed.n).min()?;
        let before = first.checked_sub(1)?;
        let stayed = |probed: &Probed| probed.n == before && !seen(probed);
        (before == self.from || probed.iter().any(stayed)).then_some(first)
    }
}

/// One question: run these tests in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The tests in the order in which they must run. A test that stands here twice runs twice.
    pub order: Arc<[TestIdx]>,
    /// The short name of the order.
    pub name: OrderName,
    /// The files to collect, in collection order; `None` is the whole suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Arc<[FileIdx]>>,
    /// Must be answered by a process of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// Nothing else may run beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
    /// The answer must say what every test printed and reported, see [`RunRecord::details`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detailed: bool,
    /// The answer must say how long every test took and what pytest says of each that did not simply pass, see
    /// [`RunRecord::micros`] and [`RunRecord::accounts`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// The run begins so many milliseconds after it was asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub wait_ms: u64,
    /// The seed of `random` in the child, where it is not derived from the session's seed and the run's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_seed: Option<u64>,
    /// PYTHONHASHSEED of the child, where it is not the session's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_seed: Option<u32>,
    /// What is special about it.
    #[serde(default, skip_serializing_if = "Manner::is_usual")]
    pub manner: Manner,
    /// What is tried in the middle of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Arc<Probes>>,
    /// Lines of tests that are tried instead of an order, each by a copy of a process that has run none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan: Option<Arc<[Vec<TestIdx>]>>,
    /// Why it is asked.
    pub purpose: Purpose,
}

impl RunSpec {
    /// This order of the whole suite, asked in the usual way.
    pub fn of(order: impl Into<Arc<[TestIdx]>>, name: OrderName, purpose: Purpose) -> Self {
        Self {
            order: order.into(),
            name,
            files: None,
            fresh: false,
            exclusive: false,
            detailed: false,
            full: false,
            wait_ms: 0,
            random_seed: None,
            hash_seed: None,
            manner: Manner::default(),
            probes: None,
            fan: None,
            purpose,
        }
    }

    /// Whether nothing but its order is run: the outcomes of other runs are no evidence.
    pub fn is_plain(&self) -> bool {
        self.probes.is_none() && self.fan.is_none()
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessEnd {
    /// It exited by itself with this code.
    Exited(i32),
    /// A signal that was not ours ended it.
    Signalled(i32),
    /// Its time was up and we ended it.
    TimedOut,
    /// We ended it because the person, or the budget, said so.
    Cancelled,
}

/// One failure of one test in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its position in the order.
    pub at: u32,
    /// The phase that failed; `None` for crashes and time-outs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Same fingerprint, same failure: a digest over type, place and the masked message.
    pub fingerprint: String,
    /// The first line of the message, shortened.
    pub message: String,
}

/// What pytest says of a test that did not simply pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its position in the order.
    pub at: u32,
    /// The exception's type; `pytest.skip` or `pytest.xfail` where it was skipped; what happened to the process where
    /// that ended.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the exception says, or why the test was skipped.
    pub message: String,
    /// The long form of a failure, with its traceback; may be shortened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// What a run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// From start to end, in milliseconds.
    pub wall_ms: u64,
    /// User and system time of the process and its reaped children, in milliseconds.
    pub cpu_ms: u64,
    /// The part of `wall_ms` spent inside tests, in milliseconds.
    pub tests_ms: u64,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// Which run it was.
    pub run: RunId,
    /// What became of the test at each position of the order asked for.
    pub outcomes: Vec<Outcome>,
    /// One entry a failed position, in order.
    pub failures: Vec<Failure>,
    /// How the process ended.
    pub end: ProcessEnd,
    /// Why this run is no evidence: what ran was not what was asked, or nothing ran.
    pub invalid: Option<String>,
    /// Another run went on at some time while this one did.
    pub beside: bool,
    /// It had a process of its own from the start.
    pub fresh: bool,
    /// The seed of `random` that the child was given.
    pub random_seed: u64,
    /// What it cost.
    pub cost: Cost,
    /// For each position a digest of all that its test reported and printed, without what differs from run to run
    /// (see [`masked`](super::fingerprint::masked)); 0 where it was not reached. Empty where nobody asked for it.
    pub details: Vec<u32>,
    /// For each position how long its test took, in microseconds; empty unless [`RunSpec::full`] or
    /// [`Manner::measured`] was asked for.
    pub micros: Vec<u64>,
    /// One entry a position that did not simply pass, in order; empty unless [`RunSpec::full`] was asked for. Where
    /// [`Manner::measured`] was, one entry a failure that is new to the session.
    pub accounts: Vec<Account>,
    /// What was seen in the middle of the run, in the order in which it was tried; empty unless [`RunSpec::probes`] were
    /// asked for.
    pub probed: Vec<Probed>,
    /// For each line of [`RunSpec::fan`] that was begun, what was seen of its tests: of all, or of those before the one that
    /// ended the copy.
    pub fanned: Vec<Vec<Seen>>,
}

impl RunRecord {
    /// What pytest says of the test at this position, where it did not simply pass.
    pub fn account(&self, at: usize) -> Option<&Account> {
        let found = self.accounts.binary_search_by_key(&at, |account| account.at as usize).ok()?;
        self.accounts.get(found)
    }

    /// What decisions take a run to cost, in milliseconds: its own CPU time, or the time its tests took where they wait.
    /// The time on the wall would make what is asked depend on what else the machine does.
    pub fn effort_ms(&self) -> u64 {
        match self.end {
            ProcessEnd::TimedOut => self.cost.wall_ms,
            _ => self.cost.cpu_ms.max(self.cost.tests_ms),
        }
    }

    /// Whether the run may be believed at all.
    pub fn is_valid(&self) -> bool {
        self.invalid.is_none()
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
