//! What the runs have shown: which tests ran before which, and how rare a failure would have escaped.

mod pairs;

use serde::Serialize;

use super::run::{RunRecord, RunSpec};
use super::test_id::TestIdx;
use pairs::{Pairs, Set};

/// A share of the ordered pairs of different tests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// From 0 to 1; 1 where there are no pairs.
    pub share: f64,
    /// Every pair was counted. Otherwise the pairs that end in some 64,000,000 / n of the n tests were, which were
    /// drawn once and stay the same for every suite of this size.
    pub exact: bool,
}

/// Which ordered pairs of tests were seen in valid runs.
///
/// Takes 16 MB at most, and 16 bytes a test: up to [`Coverage::EXACT_UP_TO`] tests it counts every pair, beyond that a
/// sample. An order costs n² / 64 steps, once all pairs have been seen one way round and the other only n.
#[derive(Clone, Debug)]
pub struct Coverage {
    tests: usize,
    /// a ran before b; `None` where that is known of all pairs.
    before: Option<Pairs>,
    /// a ran right before b.
    adjacent: Pairs,
    forwards: bool,
    backwards: bool,
}

impl Coverage {
    /// The size of the largest suite whose pairs are all counted.
    pub const EXACT_UP_TO: usize = 8_000;

    /// Nothing seen yet of a suite with this many tests.
    pub fn new(tests: usize) -> Self {
        let rows = (Self::EXACT_UP_TO * Self::EXACT_UP_TO / tests.max(1)).clamp(1, tests.max(1));
        let pairs = Pairs::new(tests, rows);
        Self { tests, before: Some(pairs.clone()), adjacent: pairs, forwards: false, backwards: false }
    }

    /// Adds what a run has shown: nothing where it is invalid or other tests were tried in between, and only the tests
    /// that were reached.
    pub fn add_run(&mut self, spec: &RunSpec, record: &RunRecord) {
        if record.is_valid() && spec.is_plain() {
            let reached =
                spec.order.iter().zip(&record.outcomes).filter(|(_, outcome)| outcome.seen().is_some());
            self.add(&reached.map(|(test, _)| *test).collect::<Vec<_>>());
        }
    }

    /// Adds the tests that ran in one process, in their order.
    pub fn add(&mut self, order: &[TestIdx]) {
        for pair in order.windows(2) {
            self.adjacent.insert(pair[0], pair[1]);
        }
        let Some(before) = &mut self.before else { return };
        // These two together show every pair both ways round, also the pairs a sample leaves out.
        let all = || 0..self.tests as u32;
        self.forwards |= order.iter().map(|test| test.0).eq(all());
        self.backwards |= order.iter().map(|test| test.0).eq(all().rev());
        if !(self.forwards && self.backwards) {
            let mut seen = Set::new(self.tests);
            for test in order {
                before.insert_all(&seen, *test);
                seen.insert(*test);
            }
        }
        if (self.forwards && self.backwards) || before.is_all() {
            self.before = None;
        }
    }

    /// The pairs (a, b) where a ran some time before b.
    pub fn pairs(&self) -> Share {
        self.before.as_ref().map_or(Share { share: 1.0, exact: true }, Pairs::share)
    }

    /// The pairs (a, b) where b ran right after a.
    pub fn adjacent_pairs(&self) -> Share {
        self.adjacent.share()
    }
}

/// The probability that a test which fails in this share of orders has failed in one of so many: 1 - (1 - q)^R.
pub fn chance_seen(failure_rate: f64, runs: u64) -> f64 {
    if runs == 0 {
        return 0.0;
    }
    -(runs as f64 * (-failure_rate).ln_1p()).exp_m1()
}

/// The least share of failing orders that so many would have shown with this probability: 1 - (1 - c)^(1/R).
///
/// What `chance_seen(rate, runs) == confidence` solves; 1 without any run.
pub fn rate_seen(confidence: f64, runs: u64) -> f64 {
    if runs == 0 {
        return 1.0;
    }
    -((-confidence).ln_1p() / runs as f64).exp_m1()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::core::order::{Level, Levels, Plan, Seed, Shuffler};
    use crate::core::outcome::Outcome;
    use crate::core::run::{Cost, ProcessEnd, Purpose, RunId};
    use crate::core::test_id::{CollectedTest, Suite, TestId};

    fn order(tests: &[u32]) -> Vec<TestIdx> {
        tests.iter().copied().map(TestIdx).collect()
    }

    fn random_orders(tests: usize, count: u32) -> Vec<Vec<TestIdx>> {
        let test = |n: usize| CollectedTest {
            id: TestId { node_id: format!("test_{n}"), occurrence: 0 },
            file: String::new(),
            class: String::new(),
            line: None,
            unstable: false,
        };
        let shuffler = Shuffler::new(&Suite::new((0..tests).map(test).collect()));
        let plan = Plan::new(Seed(1), count, Levels::All(Level::Test)).skip(2);
        plan.filter_map(|name| shuffler.resolve(&name)).collect()
    }

    #[test]
    fn counts_what_a_slow_count_counts() {
        for tests in [1, 2, 3, 63, 64, 65, 130] {
            let mut coverage = Coverage::new(tests);
            let (mut before, mut adjacent) = (HashSet::new(), HashSet::new());
            for order in random_orders(tests, 4) {
                // A part of the order, as after a crash.
                let order = &order[..tests - tests / 3];
                coverage.add(order);
                for (at, b) in order.iter().enumerate() {
                    before.extend(order[..at].iter().map(|a| (*a, *b)));
                }
                adjacent.extend(order.windows(2).map(|pair| (pair[0], pair[1])));
                let share = |seen: &HashSet<_>| match tests * (tests - 1) {
                    0 => 1.0,
                    all => seen.len() as f64 / all as f64,
                };
                assert_eq!(coverage.pairs(), Share { share: share(&before), exact: true });
                assert_eq!(coverage.adjacent_pairs(), Share { share: share(&adjacent), exact: true });
            }
        }
    }

    #[test]
    fn both_ways_round_show_every_pair() {
        let mut coverage = Coverage::new(4);
        coverage.add(&order(&[3, 2, 1, 0]));
        assert_eq!(coverage.pairs().share, 0.5);
        coverage.add(&order(&[0, 1, 2, 3]));
        assert_eq!(coverage.pairs(), Share { share: 1.0, exact: true });
        assert_eq!(coverage.adjacent_pairs().share, 0.5);
        coverage.add(&order(&[0, 2, 1, 3]));
        assert_eq!(coverage.adjacent_pairs().share, 8.0 / 12.0);
    }

    #[test]
    fn a_test_that_runs_twice_is_no_pair_with_itself() {
        let mut coverage = Coverage::new(3);
        coverage.add(&order(&[0, 1, 1, 0]));
        assert_eq!(coverage.pairs().share, 2.0 / 6.0);
        assert_eq!(coverage.adjacent_pairs().share, 2.0 / 6.0);
    }

    #[test]
    fn no_pairs_are_all_pairs() {
        for tests in [0, 1] {
            let mut coverage = Coverage::new(tests);
            coverage.add(&order(&[0][..tests]));
            assert_eq!(coverage.pairs(), Share { share: 1.0, exact: true });
            assert_eq!(coverage.adjacent_pairs(), Share { share: 1.0, exact: true });
        }
    }

    #[test]
    fn a_sample_is_near_the_truth_and_says_so() {
        let orders = random_orders(2_000, 3);
        let (mut exact, mut sample) = (Coverage::new(2_000), Coverage::new(2_000));
        sample.before = Some(Pairs::new(2_000, 400));
        sample.adjacent = Pairs::new(2_000, 400);
        for order in &orders {
            exact.add(order);
            sample.add(order);
        }
        assert!(!sample.pairs().exact && !sample.adjacent_pairs().exact);
        // Three random orders show 1 - 2^-3 of the pairs; a fifth of the tests knows that to 1.5 %.
        assert!((exact.pairs().share - 0.875).abs() < 0.01, "{:?}", exact.pairs());
        assert!((sample.pairs().share - exact.pairs().share).abs() < 0.015, "{:?}", sample.pairs());
        let ratio = sample.adjacent_pairs().share / exact.adjacent_pairs().share;
        assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
        // What is known of all pairs is exact, sample or not.
        let all = order(&(0..2_000).collect::<Vec<_>>());
        sample.add(&all);
        sample.add(&all.into_iter().rev().collect::<Vec<_>>());
        assert_eq!(sample.pairs(), Share { share: 1.0, exact: true });
    }

    #[test]
    fn memory_is_bounded() {
        for tests in [5_000, 8_000, 8_001, 50_000, 1_000_000] {
            let coverage = Coverage::new(tests);
            let bytes = coverage.adjacent.bytes() + coverage.before.as_ref().map_or(0, Pairs::bytes);
            assert!(bytes <= 16_300_000 + 16 * tests, "{tests}: {bytes}");
            assert_eq!(coverage.adjacent_pairs().exact, tests <= Coverage::EXACT_UP_TO, "{tests}");
        }
    }

    #[test]
    fn only_what_was_reached_in_a_valid_run_counts() {
        let spec = RunSpec::of(order(&[2, 0, 1]), crate::core::order::OrderName::Probe, Purpose::Explore);
        let mut record = RunRecord {
            run: RunId(1),
            outcomes: vec![Outcome::Passed, Outcome::Crashed, Outcome::NotReached],
            failures: Vec::new(),
            end: ProcessEnd::Signalled(11),
            invalid: Some("it ran something else".to_owned()),
            beside: false,
            fresh: true,
            random_seed: 0,
            cost: Cost::default(),
            details: Vec::new(),
            micros: Vec::new(),
            accounts: Vec::new(),
            probed: Vec::new(),
            fanned: Vec::new(),
        };
        let mut coverage = Coverage::new(3);
        coverage.add_run(&spec, &record);
        assert_eq!(coverage.pairs().share, 0.0);
        record.invalid = None;
        coverage.add_run(&spec, &record);
        assert_eq!(coverage.pairs().share, 1.0 / 6.0);
    }

    #[test]
    fn chances_are_those_of_independent_orders() {
        assert!((chance_seen(0.1, 50) - 0.994_846_224_8).abs() < 1e-10);
        assert!((chance_seen(0.02, 50) - 0.635_830_319_9).abs() < 1e-10);
        assert_eq!((chance_seen(0.5, 0), chance_seen(0.0, 9), chance_seen(1.0, 1)), (0.0, 0.0, 1.0));
        for runs in [1, 52, 10_000] {
            assert!((chance_seen(rate_seen(0.95, runs), runs) - 0.95).abs() < 1e-12);
        }
        assert_eq!(rate_seen(0.95, 0), 1.0);
    }
}
