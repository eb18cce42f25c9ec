//! The grid: what is planted together, by name.

use flakehunt::core::outcome::Outcome;
use flakehunt::core::test_id::TestIdx;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::planted::{Kind, Planted};
use Kind::*;

/// A kind of suite. The first of its kinds is the one whose questions are counted.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// Anything in it goes by chance.
    pub noisy: bool,
    pub kinds: &'static [Kind],
    /// Each hunt draws a number of cleaners up to this.
    pub cleaners: usize,
    /// How the first one fails, where not by a failed assertion.
    pub failure: Option<Outcome>,
    /// How the last one fails, likewise.
    pub last_failure: Option<Outcome>,
    /// Needs runs side by side.
    pub side_by_side: bool,
    /// Needs forked children.
    pub forks: bool,
}

const fn quiet(name: &'static str, kinds: &'static [Kind], cleaners: usize) -> Scenario {
    Scenario {
        name,
        noisy: false,
        kinds,
        cleaners,
        failure: None,
        last_failure: None,
        side_by_side: false,
        forks: false,
    }
}

const fn noisy(name: &'static str, kinds: &'static [Kind], cleaners: usize) -> Scenario {
    Scenario { noisy: true, ..quiet(name, kinds, cleaners) }
}

const fn failing(outcome: Outcome, scenario: Scenario) -> Scenario {
    Scenario { failure: Some(outcome), ..scenario }
}

const fn last_failing(outcome: Outcome, scenario: Scenario) -> Scenario {
    Scenario { last_failure: Some(outcome), ..scenario }
}

/// Every kind of suite, first those in which nothing goes by chance.
pub const GRID: &[Scenario] = &[
    quiet("one polluter", &[Independent(1, 1.0)], 0),
    quiet("one polluter, cleaners", &[Independent(1, 1.0)], 20),
    quiet("two polluters", &[Independent(2, 1.0)], 0),
    quiet("three polluters, cleaners", &[Independent(3, 1.0)], 8),
    quiet("joint pair", &[Joint(2)], 0),
    quiet("joint pair, cleaners", &[Joint(2)], 6),
    quiet("joint three", &[Joint(3)], 0),
    quiet("joint three, cleaners", &[Joint(3)], 4),
    quiet("chain of two", &[Chain(2)], 0),
    quiet("chain of two, cleaners", &[Chain(2)], 4),
    quiet("chain of three", &[Chain(3)], 0),
    quiet("brittle", &[Brittle(1)], 0),
    quiet("brittle, unsetters", &[Brittle(1)], 8),
    quiet("brittle, three setters", &[Brittle(3)], 2),
    quiet("brittle, joint setters", &[BrittleJoint], 2),
    quiet("brittle, chain", &[BrittleChain], 0),
    quiet("brittle and polluted", &[BothWays], 2),
    quiet("a pair and a single", &[Mixed], 2),
    quiet("pairs with a member shared", &[Overlap], 1),
    quiet("polluter is a victim", &[PollutedPolluter], 2),
    quiet("polluter is a cleaner", &[Ambivalent], 2),
    quiet("cluster of 14", &[Cluster(14)], 3),
    quiet("victims and brittles", &[Independent(1, 1.0), Brittle(1), Joint(2), Chain(2), Brittle(2)], 3),
    quiet("broken neighbours", &[Independent(2, 1.0), Broken, Broken], 2),
    quiet("import", &[Import], 0),
    quiet("import and a polluter", &[Import, Independent(1, 1.0)], 1),
    failing(Outcome::Crashed, quiet("victim crashes", &[Independent(1, 1.0)], 2)),
    failing(Outcome::TimedOut, quiet("victim hangs", &[Joint(2)], 2)),
    last_failing(
        Outcome::Crashed,
        quiet("behind a crashing victim", &[Independent(1, 1.0), Independent(1, 1.0)], 1),
    ),
    Scenario { forks: true, ..quiet("lying forks", &[ForkedOnly, Independent(1, 1.0)], 0) },
    noisy("polluter acts in 8 of 10", &[Independent(1, 0.8)], 0),
    noisy("polluter acts in 1 of 2", &[Independent(1, 0.5)], 0),
    noisy("polluter acts in 1 of 2, cleaners", &[Independent(1, 0.5)], 4),
    noisy("polluter acts in 1 of 5", &[Independent(1, 0.2)], 0),
    noisy("two act in 1 of 2", &[Independent(2, 0.5)], 1),
    noisy("fails in 5 %", &[Noisy(0.05)], 0),
    noisy("fails in 10 %", &[Noisy(0.1)], 0),
    noisy("fails in 20 %", &[Noisy(0.2)], 0),
    noisy("fails in 50 %", &[Noisy(0.5)], 0),
    noisy("noisy neighbours", &[Independent(1, 1.0), Noisy(0.2), Noisy(0.05), Joint(2), Noisy(0.1)], 3),
    last_failing(Outcome::Crashed, noisy("a noisy crash before", &[Independent(1, 1.0), Noisy(0.1)], 1)),
    noisy("victim fails in 2 % besides", &[NoisyVictim(0.02)], 1),
    noisy("victim fails in 10 % besides", &[NoisyVictim(0.1)], 1),
    noisy("victim fails in 20 % besides", &[NoisyVictim(0.2)], 1),
    noisy("ndod, 20 % to 80 %", &[Ndod(0.2, 0.8)], 0),
    noisy("ndod, 5 % to 50 %", &[Ndod(0.05, 0.5)], 0),
    Scenario { side_by_side: true, ..noisy("interference", &[Beside(0.3), Independent(1, 1.0)], 0) },
];

impl Scenario {
    /// The smallest suite that holds it.
    pub fn least(&self) -> usize {
        let most = self.kinds.iter().map(|kind| if let Cluster(k) = kind { k + 6 } else { 8 }).sum::<usize>();
        most.max(10).max(if self.kinds.contains(&Import) { 20 } else { 0 })
    }

    /// One suite of this kind, and the test whose questions are counted.
    pub fn plant(&self, n: usize, rng: &mut ChaCha8Rng) -> (Planted, TestIdx) {
        let n = n.max(self.least());
        let mut planted = Planted::healthy(n, rng);
        let cleaners = rng.random_range(0..=self.cleaners).min((n - self.least()) / 2 + 1);
        let mut tests = Vec::new();
        for (place, kind) in self.kinds.iter().enumerate() {
            tests.push(planted.add(*kind, if place == 0 { cleaners } else { cleaners.min(1) }, rng));
        }
        if let Some(outcome) = self.failure {
            planted.fails_as(tests[0], outcome);
        }
        if let Some(outcome) = self.last_failure {
            planted.fails_as(tests[tests.len() - 1], outcome);
        }
        (planted, tests[0])
    }
}
