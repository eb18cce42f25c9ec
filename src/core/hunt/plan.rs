//! What a hunt is asked to find out, and how careful it is.

use std::sync::Arc;

use crate::core::order::OrderName;
use crate::core::rerun::Rerun;
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
    },
    /// Which failures of the suite as it is are real?
    Rerun(Rerun),
    /// Run these, decide nothing.
    Orders {
        /// Which.
        orders: Vec<Planned>,
    },
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
