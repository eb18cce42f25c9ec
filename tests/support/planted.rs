//! Simulated suites with planted truth.

use std::collections::BTreeMap;

use flakehunt::core::hunt::Planned;
use flakehunt::core::order::OrderName;
use flakehunt::core::outcome::Outcome;
use flakehunt::core::simulated::{Effect, Simulated};
use flakehunt::core::test_id::TestIdx;
use flakehunt::core::verdict::Class;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What is true of one planted test.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// Verdicts that are right.
    pub classes: Vec<Class>,
    pub sets: Vec<Vec<TestIdx>>,
    pub cleaners: Vec<TestIdx>,
    /// It may show one outcome only, or leave its class open, without that being a fault of the search.
    pub hard: bool,
}

/// A suite and what is true of it; tests that are not listed are healthy.
#[derive(Clone, Debug)]
pub struct Planted {
    pub suite: Simulated,
    pub truth: BTreeMap<TestIdx, Truth>,
    /// Tests that nothing was planted in yet.
    free: Vec<TestIdx>,
    /// The next flag that nothing uses yet.
    base: u32,
}

/// What to plant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// One to three polluters, each enough, that act in this share of the runs.
    Independent(usize, f64),
    /// Two or three polluters that act only together.
    Joint(usize),
    /// Two or three that act only together and in their order.
    Chain(usize),
    /// One to three state-setters, each enough.
    Brittle(usize),
    /// Two state-setters that act only together.
    BrittleJoint,
    /// A state-setter that needs another before it.
    BrittleChain,
    /// Fails without its state-setter, and after its polluter.
    BothWays,
    /// One polluter that is enough, and a pair that is.
    Mixed,
    /// Two pairs that share a member.
    Overlap,
    /// A polluter that is itself a victim, and does not act where it fails.
    PollutedPolluter,
    /// A test that pollutes one and cleans another.
    Ambivalent,
    /// So many victims of one polluter.
    Cluster(usize),
    /// A victim that fails at this rate besides.
    NoisyVictim(f64),
    /// Fails at this rate, whatever ran before.
    Noisy(f64),
    /// Fails at the first rate, and at the second after another test.
    Ndod(f64, f64),
    /// Fails always.
    Broken,
    /// Fails since another file is collected.
    Import,
    /// Fails at this rate while another run goes on beside it.
    Beside(f64),
    /// Fails after its polluter in forked children only.
    ForkedOnly,
}

/// The flag that forked children start with.
const FORKED: u64 = 1 << 63;

impl Planted {
    /// A suite of `n` healthy tests, and an order in which its tests will be planted.
    pub fn healthy(n: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut free: Vec<TestIdx> = (0..n as u32).map(TestIdx).collect();
        free.shuffle(rng);
        let suite = Simulated { forked: FORKED, ..Simulated::healthy(n, 10) };
        Self { suite, truth: BTreeMap::new(), free, base: 0 }
    }

    fn take(&mut self) -> TestIdx {
        self.free.pop().expect("enough tests")
    }

    fn effect(&mut self, test: TestIdx, effect: Effect) {
        self.suite.rules[test.at()].effects.push(effect);
    }

    /// A fresh test that sets `flag`.
    fn setter(&mut self, flag: u64) -> TestIdx {
        let test = self.take();
        self.effect(test, sets(flag));
        test
    }

    fn fails_if(&mut self, test: TestIdx, mask: u64) {
        self.suite.rules[test.at()].fails_if.push(mask);
    }

    fn put(&mut self, test: TestIdx, class: Class, sets: Vec<Vec<TestIdx>>) {
        self.truth.insert(test, Truth { classes: vec![class], sets, ..Truth::default() });
    }

    /// Plants one kind with (at most) this many cleaners. Gives the affected test.
    pub fn add(&mut self, kind: Kind, cleaners: usize, rng: &mut ChaCha8Rng) -> TestIdx {
        let base = self.base;
        self.base += 3;
        assert!(self.base < 63, "flags are used up");
        let flag = |i: usize| 1_u64 << (base + i as u32);
        let test = self.take();
        match kind {
            Kind::Independent(k, chance) => {
                self.fails_if(test, flag(0));
                let polluters: Vec<TestIdx> = (0..k).map(|_| self.take()).collect();
                for polluter in &polluters {
                    self.effect(*polluter, Effect { chance, ..sets(flag(0)) });
                }
                self.put(test, Class::Victim, polluters.into_iter().map(|polluter| vec![polluter]).collect());
            }
            Kind::Joint(k) => {
                self.fails_if(test, (0..k).map(flag).sum());
                let members = (0..k).map(|i| self.setter(flag(i))).collect();
                self.put(test, Class::Victim, vec![members]);
            }
            Kind::Chain(k) => {
                self.fails_if(test, flag(k - 1));
                let members = self.chain(&(0..k).map(flag).collect::<Vec<_>>());
                self.put(test, Class::Victim, vec![members]);
            }
            Kind::Brittle(k) => {
                self.suite.rules[test.at()].fails_unless = flag(0);
                let setters = (0..k).map(|_| vec![self.setter(flag(0))]).collect();
                self.put(test, Class::Brittle, setters);
            }
            Kind::BrittleJoint => {
                self.suite.rules[test.at()].fails_unless = flag(0) | flag(1);
                let members = (0..2).map(|i| self.setter(flag(i))).collect();
                self.put(test, Class::Brittle, vec![members]);
            }
            Kind::BrittleChain => {
                self.suite.rules[test.at()].fails_unless = flag(1);
                let members = self.chain(&[flag(0), flag(1)]);
                self.put(test, Class::Brittle, vec![members]);
            }
            Kind::BothWays => {
                self.suite.rules[test.at()].fails_unless = flag(0);
                self.fails_if(test, flag(1));
                let setter = self.setter(flag(0));
                let polluter = self.setter(flag(1));
                self.put(test, Class::Brittle, vec![vec![setter]]);
                self.truth.entry(test).or_default().cleaners.push(polluter);
            }
            Kind::Mixed => {
                self.fails_if(test, flag(0) | flag(1));
                self.fails_if(test, flag(2));
                let set = vec![self.setter(flag(0)), self.setter(flag(1))];
                let single = vec![self.setter(flag(2))];
                self.put(test, Class::Victim, vec![set, single]);
            }
            Kind::Overlap => {
                self.fails_if(test, flag(0) | flag(1));
                let shared = self.setter(flag(0));
                let sets = (0..2).map(|_| vec![shared, self.setter(flag(1))]).collect();
                self.put(test, Class::Victim, sets);
            }
            Kind::PollutedPolluter => {
                self.fails_if(test, flag(0));
                let (polluter, first) = (self.take(), self.setter(flag(1)));
                self.fails_if(polluter, flag(1));
                self.effect(polluter, Effect { unless: flag(1), ..sets(flag(0)) });
                self.put(test, Class::Victim, vec![vec![polluter]]);
                self.put(polluter, Class::Victim, vec![vec![first]]);
            }
            Kind::Ambivalent => {
                let other = self.take();
                self.fails_if(test, flag(0));
                self.fails_if(other, flag(1));
                let polluter = self.setter(flag(0));
                let both = self.take();
                self.effect(both, Effect { clear: flag(0), ..sets(flag(1)) });
                self.put(test, Class::Victim, vec![vec![polluter]]);
                self.put(other, Class::Victim, vec![vec![both]]);
                self.truth.entry(test).or_default().cleaners.push(both);
            }
            Kind::Cluster(k) => {
                let polluter = self.setter(flag(0));
                for victim in (1..k).map(|_| self.take()).chain([test]).collect::<Vec<_>>() {
                    self.fails_if(victim, flag(0));
                    self.put(victim, Class::Victim, vec![vec![polluter]]);
                }
            }
            Kind::NoisyVictim(noise) => {
                self.fails_if(test, flag(0));
                self.suite.rules[test.at()].noise = noise;
                let polluter = self.setter(flag(0));
                self.put(test, Class::Victim, vec![vec![polluter]]);
                let truth = self.truth.entry(test).or_default();
                truth.classes.extend([Class::Ndod, Class::NonDeterministic]);
                truth.hard = true;
            }
            Kind::Noisy(noise) => {
                self.suite.rules[test.at()].noise = noise;
                self.put(test, Class::NonDeterministic, Vec::new());
            }
            Kind::Ndod(alone, after) => {
                let rule = &mut self.suite.rules[test.at()];
                rule.noise = alone;
                // Two chances to fail that come to the second rate together.
                rule.noise_if = Some((flag(0), (after - alone) / (1.0 - alone)));
                let raises = self.setter(flag(0));
                self.put(test, Class::Ndod, vec![vec![raises]]);
                self.truth.entry(test).or_default().classes.push(Class::NonDeterministic);
            }
            Kind::Broken => {
                self.fails_if(test, 0);
                self.put(test, Class::Broken, Vec::new());
            }
            Kind::Import => {
                let files = self.suite.imports.len();
                let own = test.at() / self.suite.per_file;
                let other = (own + 1 + rng.random_range(0..files - 1)) % files;
                self.suite.imports[other] |= flag(0);
                self.fails_if(test, flag(0));
                self.put(test, Class::ImportPolluted, vec![vec![TestIdx(other as u32)]]);
            }
            Kind::Beside(rate) => {
                self.suite.rules[test.at()].beside = rate;
                self.put(test, Class::Interference, Vec::new());
                self.truth.entry(test).or_default().hard = true;
            }
            Kind::ForkedOnly => {
                self.fails_if(test, flag(0) | FORKED);
                self.setter(flag(0));
                self.put(test, Class::Undecided, Vec::new());
                self.truth.entry(test).or_default().hard = true;
            }
        }
        let undone = [Class::Victim, Class::Brittle].contains(&self.truth[&test].classes[0]);
        for _ in 0..if undone { cleaners.min(self.free.len() / 2) } else { 0 } {
            let cleaner = self.take();
            self.effect(cleaner, clears((0..3).map(flag).sum()));
            let affected: Vec<TestIdx> = match kind {
                Kind::Cluster(_) => self.victims_of(&self.truth[&test].sets.clone()),
                Kind::PollutedPolluter => vec![test, self.truth[&test].sets[0][0]],
                Kind::Ambivalent => {
                    self.truth.keys().copied().filter(|t| self.uses(*t, flag(0) | flag(1))).collect()
                }
                _ => vec![test],
            };
            for test in affected {
                self.truth.entry(test).or_default().cleaners.push(cleaner);
            }
        }
        test
    }

    fn uses(&self, test: TestIdx, flags: u64) -> bool {
        self.suite.rules[test.at()].fails_if.iter().any(|mask| mask & flags != 0)
    }

    fn victims_of(&self, sets: &[Vec<TestIdx>]) -> Vec<TestIdx> {
        self.truth.iter().filter(|(_, truth)| truth.sets == sets).map(|(test, _)| *test).collect()
    }

    /// Fresh tests that set these flags one after another, each only where the one before did.
    fn chain(&mut self, flags: &[u64]) -> Vec<TestIdx> {
        let mut needs = 0;
        let mut members = Vec::new();
        for flag in flags {
            let member = self.take();
            self.effect(member, Effect { needs, ..sets(*flag) });
            needs = *flag;
            members.push(member);
        }
        members
    }

    /// Marks a test's failures as something worse than a failed assertion.
    pub fn fails_as(&mut self, test: TestIdx, outcome: Outcome) {
        self.suite.rules[test.at()].failure = Some(outcome);
    }
}

/// Sets flags, always.
fn sets(flags: u64) -> Effect {
    Effect { set: flags, chance: 1.0, ..Effect::default() }
}

/// Clears flags, always.
fn clears(flags: u64) -> Effect {
    Effect { clear: flags, chance: 1.0, ..Effect::default() }
}

/// The reverse of the collection order, and shuffles.
pub fn orders(n: usize, shuffles: usize, rng: &mut ChaCha8Rng) -> Vec<Planned> {
    let collection: Vec<TestIdx> = (0..n as u32).map(TestIdx).collect();
    let reverse: Vec<TestIdx> = collection.iter().rev().copied().collect();
    let mut orders = vec![Planned { name: OrderName::Reverse, order: reverse.into() }];
    for number in 0..shuffles {
        let mut order = collection.clone();
        order.shuffle(rng);
        orders.push(Planned { name: OrderName::Given(number.to_string()), order: order.into() });
    }
    orders
}

/// A generator for one case.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
