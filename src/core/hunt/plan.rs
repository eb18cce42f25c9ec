//! What a hunt is asked to find out, and how careful it is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::order::OrderName;
use crate::core::rerun::Rerun;
use crate::core::run::Manner;
use crate::core::stats::passes_needed;
use crate::core::test_id::TestIdx;

/// An order to be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its short name.
    pub name: OrderName,
    /// The order itself.
    pub order: Arc<[TestIdx]>,
}

/// The question behind the questions.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// Which tests of the suite depend on what?
    Shuffle {
        /// The orders to explore, after the baseline.
        orders: Vec<Planned>,
        /// Look for classes and culprits.
        bisect: bool,
    },
    /// What does this one depend on?
    Bisect {
        /// Which test.
        test: TestIdx,
        /// Orders in which it may fail, best first.
        orders: Vec<Planned>,
        /// End with the first proven answer: what every other test does is not asked.
        first: bool,
    },
    /// Which failures of the suite as it is are real?
    Rerun(Rerun),
    /// Run these, decide nothing.
    Orders {
        /// Which.
        orders: Vec<Planned>,
        /// What every run of them has in common with one of another session.
        like: Like,
    },
    /// How often do these fail, and what does it go with?
    Repeat {
        /// Which tests, and how.
        repeats: Repeats,
        /// The order at whose place each test is run; `None` is the test alone.
        order: Option<Planned>,
    },
}

/// How a recorded run was made, for one that is to be like it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Like {
    /// The seed of `random` that it drew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_seed: Option<u64>,
    /// Its PYTHONHASHSEED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_seed: Option<u32>,
    /// What was special about it.
    #[serde(default)]
    pub manner: Manner,
}

/// Tests to be repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// Which tests, in collection order.
    pub tests: Vec<TestIdx>,
    /// How often each, at most.
    pub count: u32,
    /// A test that has failed so often is repeated no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fail: Option<u32>,
    /// How sure statements about rates are; 0 to 1.
    pub confidence: f64,
    /// A test is repeated until its failure rate is known to be below or above this; 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rate: Option<f64>,
    /// All repeats of a test go on in one process.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_process: bool,
    /// In one process: all fixtures are made anew each time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh_fixtures: bool,
    /// What differs from repeat to repeat.
    pub vary: Vary,
    /// So many processors are kept busy in every other repeat; 0 is none in any.
    #[serde(default)]
    pub load: u32,
}

impl Repeats {
    /// How many runs are planned, where no test fails.
    pub fn runs(&self) -> u32 {
        let needed = self.max_rate.and_then(|limit| passes_needed(limit, self.confidence));
        let each = match (self.in_process, needed) {
            (true, _) => 1,
            (false, None) => self.count,
            (false, Some(needed)) => self.count.min(needed),
        };
        let arms = if self.load > 0 { 2 } else { 1 };
        (self.tests.len() as u32).saturating_mul(each).saturating_mul(arms)
    }
}

/// What differs from repeat to repeat; the other one is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vary {
    /// The seed of `random`.
    pub seed: bool,
    /// PYTHONHASHSEED.
    pub hash_seed: bool,
}

/// How sure a verdict must be, and what may be spent on completeness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Care {
    /// A set of culprits is believed when the runs are at least `1 / alpha` times likelier with it than under one
    /// common failure rate, after the number of sets that could have been named is paid for.
    pub alpha: f64,
    /// Runs in fresh processes that a proof has at least, with the set and without it.
    pub fresh: u32,
    /// Runs that a proof has at least, each way, where children are forked for them.
    pub shown: u32,
    /// How long running every single test in every role may take in all, in milliseconds; half of the time that the
    /// hunt has taken, where that is more.
    pub spare_ms: u64,
    /// How often a lone test is run at most to see both of its outcomes.
    pub alone: u32,
}

impl Default for Care {
    fn default() -> Self {
        Self { alpha: 0.02, fresh: 2, shown: 10, spare_ms: 20_000, alone: 60 }
    }
}

/// What a hunt is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What to find out.
    pub goal: Goal,
    /// How many runs may go on at once.
    pub jobs: u32,
    /// Whether a question may be answered by a forked child.
    pub forks: bool,
    /// How careful to be.
    pub care: Care,
}
