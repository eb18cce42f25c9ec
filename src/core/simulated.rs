//! A suite that exists only as rules: it answers questions in microseconds and its truth is known.
//!
//! State is a set of flags (bits). Collecting a file may set some; every test first checks, then acts. A process
//! starts with no flags; a crash or a hang ends it.

use std::cell::Cell;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::outcome::{Outcome, Seen};
use super::run::{Cost, Failure, Probed, Probes, ProcessEnd, RunId, RunRecord, RunSpec};
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
    /// Of the state in the middle of a run, what copies of the process find.
    pub copies_see: u64,
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
            copies_see: u64::MAX,
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
        let collected = collected | if fresh { 0 } else { self.forked };
        let mut state = collected;
        let mut outcomes = vec![Outcome::NotReached; spec.order.len()];
        let mut failures = Vec::new();
        let mut end = ProcessEnd::Exited(0);
        let mut pass = spec.probes.as_deref().map(|probes| Pass::new(self, probes, &spec.order, around));
        for (at, test) in spec.order.iter().enumerate() {
            if pass.as_mut().is_some_and(|pass| pass.found(at, state, rng)) {
                break;
            }
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
            state = self.after(*test, state, rng);
        }
        if let (Some(pass), ProcessEnd::Exited(_)) = (&mut pass, end) {
            pass.found(spec.order.len(), state, rng);
        }
        let mut fanned = Vec::new();
        for line in spec.fan.iter().flat_map(|fan| fan.iter()) {
            let (seen, death) = self.line(line, collected, around, rng);
            fanned.push(seen);
            if death == Some(Outcome::TimedOut) {
                // It takes the run with it.
                end = ProcessEnd::TimedOut;
                break;
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
            probed: pass.map(|pass| pass.probed).unwrap_or_default(),
            fanned,
        }
    }

    /// What is seen of these tests, one after another from this state on; and what one of them ended the process with.
    fn line(
        &self,
        tests: &[TestIdx],
        mut state: u64,
        around: Around,
        rng: &mut ChaCha8Rng,
    ) -> (Vec<Seen>, Option<Outcome>) {
        state &= self.copies_see;
        let mut line = Vec::new();
        for test in tests {
            let outcome = self.outcome(*test, state, around, rng);
            if outcome.ends_the_process() {
                return (line, Some(outcome));
            }
            line.extend(outcome.seen());
            state = self.after(*test, state, rng);
        }
        (line, None)
    }

    /// The state after a test that began in this one.
    fn after(&self, test: TestIdx, mut state: u64, rng: &mut ChaCha8Rng) -> u64 {
        for effect in &self.rules[test.at()].effects {
            if state & effect.needs == effect.needs
                && state & effect.unless == 0
                && (effect.chance >= 1.0 || rng.random::<f64>() < effect.chance)
            {
                state = state & !effect.clear | effect.set;
            }
        }
        state
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

/// The middle of a run with [`Probes`].
struct Pass<'a> {
    suite: &'a Simulated,
    probes: &'a Probes,
    order: &'a [TestIdx],
    around: Around,
    /// The place of the last copy, and the state there.
    kept: (usize, u64),
    probed: Vec<Probed>,
    over: bool,
}

impl<'a> Pass<'a> {
    fn new(suite: &'a Simulated, probes: &'a Probes, order: &'a [TestIdx], around: Around) -> Self {
        Self { suite, probes, order, around, kept: (0, 0), probed: Vec::new(), over: false }
    }

    /// Called when `n` tests have been run: whether the pass is over.
    fn found(&mut self, n: usize, state: u64, rng: &mut ChaCha8Rng) -> bool {
        let first = self.probes.from as usize;
        if n == first {
            self.kept = (n, state);
        } else if n > first && !self.over {
            self.level(n, state, first, self.order.len(), 0, rng);
        }
        self.over
    }

    /// One step of the way from `first` to `end`, with the stride of this `level`.
    fn level(
        &mut self,
        n: usize,
        state: u64,
        first: usize,
        end: usize,
        level: usize,
        rng: &mut ChaCha8Rng,
    ) -> bool {
        let stride = self.probes.strides[level] as usize;
        if !(n - first).is_multiple_of(stride) && n != end {
            return false;
        }
        let failed = self.fails(state, rng);
        self.probed.push(Probed { n: n as u32, failed });
        if failed != (self.probes.until == Seen::Fail) {
            self.kept = (n, state);
            return false;
        }
        self.over = true;
        if level + 1 < self.probes.strides.len() {
            let (from, mut state) = self.kept;
            for at in from..n {
                state = self.suite.after(self.order[at], state, rng);
                if self.level(at + 1, state, from, n, level + 1, rng) {
                    break;
                }
            }
        }
        true
    }

    /// Whether the last test of the tail fails in this state.
    fn fails(&self, mut state: u64, rng: &mut ChaCha8Rng) -> bool {
        let Some((last, before)) = self.probes.tail.split_last() else { return false };
        state &= self.suite.copies_see;
        for test in before {
            state = self.suite.after(*test, state, rng);
        }
        self.suite.outcome(*last, state, self.around, rng).is_failure()
    }
}
