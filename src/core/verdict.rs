//! What is said of a test, and on what evidence.

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::run::RunId;
use super::test_id::{FileIdx, TestIdx};

/// The class of a test.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Passes alone, fails after something.
    Victim,
    /// Fails alone, passes after something.
    Brittle,
    /// Both outcomes in the same order, whatever ran before.
    NonDeterministic,
    /// Both outcomes in the same order, at a rate that depends on the order.
    Ndod,
    /// Passes the first time and fails the second in one process.
    NonIdempotent,
    /// Fails because another file was collected, whatever the order.
    ImportPolluted,
    /// Fails only while another run goes on beside it.
    Interference,
    /// Fails only while the processors are busy.
    TimingDependent,
    /// Fails always.
    Broken,
    /// Both outcomes were seen, and what decides could not be proven.
    Undecided,
}

/// `k` of `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How often it happened.
    pub k: u32,
    /// In how many tries.
    pub n: u32,
}

impl Count {
    /// One more try.
    pub fn add(&mut self, happened: bool) {
        self.k += u32::from(happened);
        self.n += 1;
    }

    /// The observed rate; 0 where nothing was tried.
    pub fn rate(self) -> f64 {
        if self.n == 0 { 0.0 } else { f64::from(self.k) / f64::from(self.n) }
    }
}

/// Tests that together decide about another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Culprits {
    /// The members, in an order in which they act.
    pub members: Vec<TestIdx>,
    /// They act only in this order.
    pub ordered: bool,
}

/// Whether every single test was tried in a role: right before the test, or before it and others with the same cause
/// that were seen to leave it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Complete {
    /// Every single test was run before the victim.
    pub polluters: bool,
    /// Every single test was run before the brittle test.
    pub state_setters: bool,
    /// Every single test was run between a culprit and the test.
    pub cleaners: bool,
}

/// Why a test is undecided that failed in some order and was not looked into.
pub const BEFORE_ITS_TURN: &str = "the hunt ended before its turn";

/// The proof of a verdict: failures in runs with the culprits, and in runs without them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Failures in runs with every member of the set.
    pub with: Count,
    /// Failures in runs that lacked a member.
    pub without: Count,
}

/// What is known of one test that is not healthy.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Which test.
    pub test: TestIdx,
    /// Its class.
    pub class: Class,
    /// The worst outcome it was seen with.
    pub outcome: Outcome,
    /// Every minimal set of polluters that was proven.
    pub polluters: Vec<Culprits>,
    /// Every minimal set of state-setters that was proven.
    pub state_setters: Vec<Culprits>,
    /// Tests that make the victim pass when they run between polluter and victim.
    pub cleaners: Vec<TestIdx>,
    /// Tests that make a brittle test fail again when they run between state-setter and brittle.
    pub unsetters: Vec<TestIdx>,
    /// For import-polluted tests: every minimal set of files, in collection order.
    pub import_polluters: Vec<Vec<FileIdx>>,
    /// For victims: files that must be collected besides those of the first of the smallest sets and of the test.
    pub imported: Vec<FileIdx>,
    /// How often it failed in the orders that were tried.
    pub failed: Count,
    /// Which lists are complete.
    pub complete: Complete,
    /// The proof.
    pub confirmed: Option<Confirmation>,
    /// Of the orders that were tried, how many the named tests explain.
    pub explained: Count,
    /// How often the culprits have their effect; 1 of 1 is not "always".
    pub effect: Option<Count>,
    /// Runs in which it failed, the first ones, shortest order first.
    pub failing_runs: Vec<RunId>,
    /// Of [`Class::Undecided`]: why, for people.
    pub undecided: Option<String>,
    /// What is worth knowing besides, for people.
    pub notes: Vec<String>,
}

/// Tests with the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The minimal sets they share.
    pub cause: Vec<Vec<TestIdx>>,
    /// The tests, in collection order.
    pub tests: Vec<TestIdx>,
}

/// `2nd`.
pub fn ordinal(n: u32) -> String {
    let suffix = match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}
