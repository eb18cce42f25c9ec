//! A suite that exists only as rules: it answers questions in microseconds and its truth is known.
//!
//! State is a set of flags (bits). Collecting a file may set some; every test first checks, then acts. A process
//! starts with no flags; a crash or a hang ends it.

use std::cell::Cell;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::outcome::Outcome;
use super::run::{Cost, Failure, ProcessEnd, RunId, RunRecord, RunSpec};
use super::test_id::{CollectedTest, Suite, TestId, TestIdx};

/// What a test does to the state after its checks.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// Acts only if all of these are set.
    pub needs: u64,
    /// Acts only if none of these is set.
    pub unless: u64,
    /// Sets these.
    pub set: u64,
    /// Clears these.
    pub clear: u64,
    /// Acts in this share of the runs; 0 to 1.
    pub chance: f64,
}

/// One simulated test.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Fails where all flags of one of these masks are set.
    pub fails_if: Vec<u64>,
    /// Fails unless all of these are set.
    pub fails_unless: u64,
    /// Fails in this share of the runs besides, whatever the state.
    pub noise: f64,
    /// Fails in this share of the runs in which all of these flags are set.
    pub noise_if: Option<(u64, f64)>,
    /// Fails in this share of the runs that have another one beside them.
    pub beside: f64,
    /// Fails in this share of the forked children, and never in a process of its own.
    pub forked: f64,
    /// Fails in every forked child after so many: they share something that wears out.
    pub children: Option<u32>,
    /// How its failure looks; `Failed` where nothing is said.
    pub failure: Option<Outcome>,
    /// What it does, in this order.
    pub effects: Vec<Effect>,
}

/// What a run has around it.
#[derive(Clone, Copy)]
struct Around {
    beside: bool,
    fresh: bool,
}

/// A simulated suite.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// One rule a test, in collection order.
    pub rules: Vec<Rule>,
    /// Tests a file.
    pub per_file: usize,
    /// What collecting a file sets, by file.
    pub imports: Vec<u64>,
    /// What a run costs besides its tests, in milliseconds.
    pub start_ms: u64,
    /// What a forked child starts with, beside what the imports set.
    pub forked: u64,
    /// How many children were forked.
    pub children: Cell<u32>,
}

impl Simulated {
    /// A suite of healthy tests.
    pub fn healthy(tests: usize, per_file: usize) -> Self {
        let files = tests.div_ceil(per_file);
        Self {
            rules: vec![Rule::default(); tests],
            per_file,
            imports: vec![0; files],
            start_ms: 300,
            forked: 0,
            children: Cell::new(0),
        }
    }

    /// The suite as a collection would give it.
    pub fn suite(&self) -> Suite {
        let collected = |index: usize| {
            let file = format!("tests/test_{:03}.py", index / self.per_file);
            CollectedTest {
                id: TestId { node_id: format!("{file}::test_{index:05}"), occurrence: 0 },
                file,
                class: String::new(),
                line: None,
                unstable: false,
            }
        };
        Suite::new((0..self.rules.len()).map(collected).collect())
    }

    /// Answers a question. `beside` says whether another run goes on meanwhile; `forks`, whether a question that may
    /// be answered by a forked child is.
    pub fn answer(
        &self,
        run: RunId,
        spec: &RunSpec,
        beside: bool,
        forks: bool,
        rng: &mut ChaCha8Rng,
    ) -> RunRecord {
        let fresh = spec.fresh || !forks || spec.files.is_some();
        if !fresh {
            self.children.set(self.children.get() + 1);
        }
        let around = Around { beside, fresh };
        let collected = match &spec.files {
            None => self.imports.iter().fold(0, |all, flags| all | flags),
            Some(files) => files.iter().fold(0, |all, file| all | self.imports[file.0 as usize]),
        };
        let mut state = collected | if fresh { 0 } else { self.forked };
        let mut outcomes = vec![Outcome::NotReached; spec.order.len()];
        let mut failures = Vec::new();
        let mut end = ProcessEnd::Exited(0);
        for (at, test) in spec.order.iter().enumerate() {
            let outcome = self.outcome(*test, state, around, rng);
            outcomes[at] = outcome;
            if outcome.is_failure() {
                failures.push(Failure {
                    at: at as u32,
                    phase: None,
                    fingerprint: String::new(),
                    message: String::new(),
                });
                end = ProcessEnd::Exited(1);
            }
            if outcome.ends_the_process() {
                end = match outcome {
                    Outcome::TimedOut => ProcessEnd::TimedOut,
                    _ => ProcessEnd::Signalled(11),
                };
                break;
            }
            for effect in &self.rules[test.at()].effects {
                if state & effect.needs == effect.needs
                    && state & effect.unless == 0
                    && (effect.chance >= 1.0 || rng.random::<f64>() < effect.chance)
                {
                    state = state & !effect.clear | effect.set;
                }
            }
        }
        RunRecord {
            run,
            outcomes,
            failures,
            end,
            invalid: None,
            beside,
            fresh,
            random_seed: 0,
            cost: Cost {
                wall_ms: if fresh { self.start_ms } else { self.start_ms / 20 } + spec.order.len() as u64,
                cpu_ms: if fresh { self.start_ms } else { self.start_ms / 20 },
                tests_ms: spec.order.len() as u64,
            },
            details: Vec::new(),
            micros: Vec::new(),
            accounts: Vec::new(),
        }
    }

    fn outcome(&self, test: TestIdx, state: u64, around: Around, rng: &mut ChaCha8Rng) -> Outcome {
        let rule = &self.rules[test.at()];
        let Around { beside, fresh } = around;
        let fails = rule.fails_if.iter().any(|mask| state & mask == *mask)
            || state & rule.fails_unless != rule.fails_unless
            || (rule.noise > 0.0 && rng.random::<f64>() < rule.noise)
            || rule.noise_if.is_some_and(|(mask, rate)| state & mask == mask && rng.random::<f64>() < rate)
            || (beside && rule.beside > 0.0 && rng.random::<f64>() < rule.beside)
            || (!fresh && rule.forked > 0.0 && rng.random::<f64>() < rule.forked)
            || (!fresh && rule.children.is_some_and(|most| self.children.get() > most));
        if fails { rule.failure.unwrap_or(Outcome::Failed) } else { Outcome::Passed }
    }
}
