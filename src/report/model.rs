//! The contract `flakehunt.report/1` as types; `schemas/report-1.json` is generated from them.
//!
//! Within `/1` fields are added, never renamed and never removed. Ids stand as pytest gave them.

mod repeat;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::verdict::{Class, Complete};

pub use self::repeat::{Decides, Durations, MaxRate, Mode, Repeat, RepeatFailure, Side};

/// The name of the contract.
pub const SCHEMA: &str = "flakehunt.report/1";

/// What a session found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `flakehunt.report/1`.
    pub schema: String,
    /// The version of flakehunt that wrote the journal.
    pub flakehunt: String,
    /// The command's word: `shuffle`, `bisect`, ...
    pub command: String,
    /// The session's short name.
    pub session: String,
    /// The session's folder.
    pub session_dir: String,
    /// When the session began, RFC 3339.
    pub began: String,
    /// Why the hunt ended.
    pub end: End,
    /// What the session ran on.
    pub environment: Environment,
    /// What was collected.
    pub suite: Suite,
    /// What it cost.
    pub runs: Runs,
    /// What the tried orders could have shown.
    pub coverage: Coverage,
    /// Every test that is not healthy, in collection order.
    pub tests: Vec<Test>,
    /// Every test that was repeated, healthy ones too, in collection order; absent for other commands than `repeat`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeats: Vec<Repeat>,
    /// Findings with one cause.
    pub clusters: Vec<Cluster>,
    /// What was said once: neutralised plugins, a refused executor.
    pub notices: Vec<Notice>,
    /// Of `rerun`: how the tests stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<Rerun>,
}

/// How the tests stand after `rerun`. Every test is counted once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rerun {
    /// Passed the first time and were never seen to fail.
    pub passed: u32,
    /// Were skipped.
    pub skipped: u32,
    /// Failed and passed.
    pub flaky: u32,
    /// Failed each time.
    pub real: u32,
    /// Failed each time, and were not run again, or not often enough.
    pub unsettled: u32,
    /// Never had their turn.
    pub not_reached: u32,
    /// More tests failed than may be run again.
    pub outage: bool,
    /// How often a failed test was to be run again in the same order, and as often alone.
    pub reruns: u32,
    /// So many tests may be run again.
    pub max_rerun_tests: Option<u32>,
    /// Whether a flaky test makes the exit code 1.
    pub fail_on_flaky: bool,
}

/// Why a hunt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Nothing was left to ask.
    Finished,
    /// The time allowed was used up.
    Budget,
    /// The number of runs allowed was used up.
    MaxRuns,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// What a session ran on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// The interpreter's version.
    pub python: String,
    /// Where the interpreter was found, for people.
    pub origin: String,
    /// pytest's version.
    pub pytest: String,
    /// Plugins: distribution and version.
    pub plugins: Vec<(String, String)>,
    /// The folder pytest ran in, and every command of this report must run in.
    pub directory: String,
    /// pytest's root directory; ids and files are relative to it.
    pub rootdir: String,
    /// pytest's configuration file.
    pub inifile: Option<String>,
    /// `fork` or `spawn`.
    pub executor: String,
    /// How many runs at once.
    pub jobs: u32,
    /// PYTHONHASHSEED.
    pub hash_seed: u32,
    /// What the seeds of runs are derived from; a string of digits, for it may be larger than 2^53.
    pub session_seed: String,
}

/// What was collected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suite {
    /// How many tests.
    pub tests: usize,
    /// A digest over the ids in collection order.
    pub digest: String,
    /// Ids that differ at every collection.
    pub unstable: Vec<String>,
}

/// What the session cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Runs {
    /// Questions asked.
    pub asked: u32,
    /// Answers that are evidence.
    pub valid: usize,
    /// Answers that are none, and why.
    pub invalid: Vec<InvalidRun>,
    /// Processes started.
    pub processes: u32,
    /// Tests run, in all runs.
    pub test_executions: u64,
    /// Time spent in all sittings.
    pub wall_seconds: f64,
}

/// A run that is no evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InvalidRun {
    /// Its number.
    pub run: u32,
    /// Why.
    pub why: String,
}

/// What the tried orders could have shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Share of ordered pairs (one test somewhere before another) that were run.
    pub pairs: f64,
    /// Share of ordered pairs that were run with nothing between them.
    pub adjacent_pairs: f64,
    /// The shares were counted, not estimated from a sample.
    pub exact: bool,
    /// How many orders were tried.
    pub orders: u32,
    /// A test that fails in this share of orders would have been seen with a probability of 95 %.
    pub seen95: Option<f64>,
}

/// What is known of one test that is not healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Test {
    /// pytest's node id.
    pub id: String,
    /// Node ids are not unique: absent for the first test with this id, 1 for the second, ...
    #[serde(default, skip_serializing_if = "is_zero")]
    pub occurrence: u32,
    /// The file it is in, relative to the root directory.
    pub file: String,
    /// The line of its definition, from 1.
    pub line: Option<u32>,
    /// Its class.
    pub verdict: Class,
    /// Every minimal set found: together they break it. Members in the order in which they must run;
    /// for `import-polluted` they are files.
    pub polluters: Vec<Vec<String>>,
    /// Every minimal set found: together they make it pass. Members in the order in which they must run.
    pub state_setters: Vec<Vec<String>>,
    /// Between polluter and victim they make the victim pass.
    pub cleaners: Vec<String>,
    /// Between state-setter and brittle they make the brittle test fail again.
    pub unsetters: Vec<String>,
    /// For each set of `polluters` or `state_setters`: it acts only in the given order.
    pub ordered: Vec<bool>,
    /// Orders in which it failed.
    pub failed: u32,
    /// Orders in which it ran.
    pub ran: u32,
    /// Exact (Clopper-Pearson) 95 % interval of its failure rate over orders.
    pub interval: [f64; 2],
    /// Its worst outcome.
    pub outcome: Outcome,
    /// Which lists are complete: every single test was tried in that role.
    pub complete: Complete,
    /// The proof, where there is one.
    pub confirmed: Option<Confirmed>,
    /// Orders explained by the named tests, of how many.
    pub explained: [u32; 2],
    /// How often the culprits have their effect.
    pub effect: Option<Effect>,
    /// Its failures by fingerprint, the most frequent first.
    pub failures: Vec<Failure>,
    /// Planned orders in which it failed, the first 20.
    pub failed_in: Vec<FailedIn>,
    /// A command that shows the verdict; it runs in `environment.directory`.
    pub reproduce: Vec<String>,
    /// Why no command without flakehunt shows it; null where `reproduce` is such a command.
    pub reproduce_needs_flakehunt: Option<String>,
    /// Failures in runs of the same tests in the same order with only their files collected, of how many such runs.
    pub reproduced: Option<[u32; 2]>,
    /// The recorded run in which it failed, again.
    pub replay: Option<Vec<String>>,
    /// Of `undecided`: why.
    pub undecided: Option<String>,
    /// Of `undecided`: what to run next.
    pub next: Option<Vec<String>>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
    /// Of `rerun`: every time it ran, in the order of the runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
}

/// One time that a test ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The run's number.
    pub run: u32,
    /// Where it ran.
    pub place: AttemptPlace,
    /// What became of it.
    pub outcome: AttemptOutcome,
    /// How long it took.
    pub seconds: f64,
    /// The first line of what pytest says, where it did not simply pass.
    pub message: Option<String>,
    /// The long form of a failure, with its traceback; may be shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Where a test ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptPlace {
    /// In the suite as it is.
    Suite,
    /// Again, after the same tests.
    SameOrder,
    /// With nothing before it.
    Alone,
}

/// What became of a test that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptOutcome {
    /// Every phase passed.
    Passed,
    /// Marked `xfail` and failed.
    Xfailed,
    /// Marked `xfail` and passed, where that is no failure.
    Xpassed,
    /// Skipped.
    Skipped,
    /// The body failed.
    Failed,
    /// A fixture failed.
    Errored,
    /// The process died in it.
    Crashed,
    /// It did not end in time.
    TimedOut,
}

impl AttemptOutcome {
    /// Whether pytest, or the end of the process, calls it a failure.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Errored | Self::Crashed | Self::TimedOut)
    }
}

/// The worst outcome of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The body failed.
    Failed,
    /// A fixture failed.
    Errored,
    /// The process died in it.
    Crashed,
    /// It did not end in time.
    TimedOut,
}

/// The proof of a verdict: failures and runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmed {
    /// Failures, and runs, with every member of the set before the test.
    pub with: [u32; 2],
    /// Failures, and runs, that lacked a member.
    pub without: [u32; 2],
}

/// How often culprits have their effect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// Runs in which they had it, and runs in which they could.
    pub count: [u32; 2],
    /// Exact 95 % interval of the rate.
    pub interval: [f64; 2],
}

/// Failures that are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Digest over type, place and masked message.
    pub fingerprint: String,
    /// In how many runs.
    pub count: u32,
    /// `setup`, `call` or `teardown`; null for crashes and time-outs.
    pub phase: Option<String>,
    /// The first line of the message.
    pub message: String,
}

/// A planned order in which a test failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedIn {
    /// The run's number.
    pub run: u32,
    /// `collection`, `reverse`, `seed`, `given` or `probe`.
    pub order: String,
    /// The seed, a string of digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// What was permuted: `module`, `class` or `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

/// Findings with one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cluster {
    /// The culprit sets they share.
    pub cause: Vec<Vec<String>>,
    /// The tests.
    pub tests: Vec<String>,
}

/// What was said once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// What it is about, a stable word.
    pub about: String,
    /// The sentence.
    pub text: String,
}

/// The JSON Schema of [`Report`], as committed in `schemas/report-1.json`.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Report).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".to_owned(), SCHEMA.into());
        object.insert("title".to_owned(), SCHEMA.into());
    }
    if let Some(name) = schema.pointer_mut("/properties/schema").and_then(serde_json::Value::as_object_mut) {
        name.insert("const".to_owned(), SCHEMA.into());
    }
    schema
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}
