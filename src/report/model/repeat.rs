//! The part of the contract that `repeat` fills.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::core::hunt::repeat::{Factor, Stop};
use crate::core::verdict::Class;

/// What repeating a test came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Repeat {
    /// pytest's node id.
    pub id: String,
    /// As in [`Test`](super::Test).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub occurrence: u32,
    /// Its class, as in `tests`; null where it never failed.
    pub verdict: Option<Class>,
    /// Repeats in which it failed; under load where that was asked for.
    pub failed: u32,
    /// Repeats.
    pub ran: u32,
    /// Repeats in which it was skipped: they count as passed.
    pub skipped: u32,
    /// The failure rates that agree with that: the exact (Clopper-Pearson) interval, or one that bears a stop at any time.
    pub interval: [f64; 2],
    /// The confidence of the interval.
    pub confidence: f64,
    /// The interval bears a stop at any time (`--max-rate`).
    pub at_any_time: bool,
    /// The probability with which a flake of 1 in 100 would not have been seen in so many repeats.
    pub missed: f64,
    /// Why it is repeated no more.
    pub stop: Stop,
    /// What `--max-rate` asked for.
    pub max_rate: Option<MaxRate>,
    /// What differed from repeat to repeat: `seed`, `hashseed`.
    pub varied: Vec<String>,
    /// All repeats went on in one process.
    pub in_process: bool,
    /// The order at whose place it was run; null is alone.
    pub in_order: Option<String>,
    /// What its outcome goes with.
    pub decides: Option<Decides>,
    /// Failures, and repeats, without load.
    pub unloaded: Option<[u32; 2]>,
    /// How long it took.
    pub durations: Option<Durations>,
    /// Its failures by fingerprint, the most frequent first.
    pub failures: Vec<RepeatFailure>,
}

/// A limit of the failure rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MaxRate {
    /// The limit, from 0 to 1.
    pub limit: f64,
    /// `below` or `above`; null where it is not known.
    pub side: Option<Side>,
    /// So many repeats without a failure show a rate below it.
    pub needed: Option<u32>,
}

/// The side of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The rate is lower.
    Below,
    /// The rate is higher.
    Above,
}

/// What an outcome goes with, and the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decides {
    /// What.
    pub factor: Factor,
    /// Failures, and runs, where it is so: with a seed that failed before, under load, from `since` on.
    pub with: [u32; 2],
    /// Failures, and runs, where it is not.
    pub without: [u32; 2],
    /// Of `repeat-number` and `times-in-process`: from which time on, counted from 1.
    pub since: Option<u32>,
}

/// How long a test took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Durations {
    /// Half of the repeats took no longer.
    pub median: f64,
    /// 95 of 100 took no longer.
    pub p95: f64,
    /// The longest.
    pub longest: f64,
    /// Two kinds of repeats that stand apart, the shorter ones first.
    pub modes: Option<[Mode; 2]>,
}

/// One of two kinds of repeats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mode {
    /// Their median, in seconds.
    pub median: f64,
    /// How many they are.
    pub count: u32,
}

/// Failures of a repeated test that are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RepeatFailure {
    /// Digest over type, place and masked message.
    pub fingerprint: String,
    /// In how many repeats.
    pub count: u32,
    /// `setup`, `call` or `teardown`; null for crashes and time-outs.
    pub phase: Option<String>,
    /// The first line of the message.
    pub message: String,
    /// What pytest said of the first one, in full.
    pub text: Option<String>,
    /// The runs in which it failed so, the first 20.
    pub runs: Vec<u32>,
}
