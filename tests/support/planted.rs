//! Simulated suites with planted truth, and a driver that answers a hunt from one.

use std::collections::BTreeMap;
use std::sync::Arc;

use flakehunt::core::hunt::{Care, Goal, Hunt, Plan, Planned, Stage, Step};
use flakehunt::core::order::OrderName;
use flakehunt::core::outcome::Outcome;
use flakehunt::core::run::{RunId, RunSpec};
use flakehunt::core::simulated::{Effect, Rule, Simulated};
use flakehunt::core::test_id::TestIdx;
use flakehunt::core::verdict::{Class, Verdict};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What is true of one planted test.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub class: Option<Class>,
    pub sets: Vec<Vec<TestIdx>>,
    pub cleaners: Vec<TestIdx>,
}

/// A suite and what is true of it; tests that are not listed are healthy.
#[derive(Clone, Debug)]
pub struct Planted {
    pub suite: Simulated,
    pub truth: BTreeMap<TestIdx, Truth>,
}

/// Sets flags, always.
pub fn sets(flags: u64) -> Effect {
    Effect { set: flags, chance: 1.0, ..Effect::default() }
}

/// Clears flags, always.
pub fn clears(flags: u64) -> Effect {
    Effect { clear: flags, chance: 1.0, ..Effect::default() }
}

/// What to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One to three polluters, each enough.
    Independent(usize),
    /// Two or three polluters that act only together.
    Joint(usize),
    /// Two or three that act only together and in their order.
    Chain(usize),
    /// One to three state-setters, each enough.
    Brittle(usize),
    /// A state-setter that needs another before it.
    BrittleChain,
    /// Fails at a rate, whatever ran before.
    Noisy,
    /// Fails always.
    Broken,
    /// Fails since another file is collected.
    Import,
}

/// Plants one kind with `cleaners` cleaners; the polluters act with probability `chance`.
pub fn plant(n: usize, kind: Kind, cleaners: usize, chance: f64, rng: &mut ChaCha8Rng) -> Planted {
    let mut planted = Planted { suite: Simulated::healthy(n, 10), truth: BTreeMap::new() };
    let mut free: Vec<TestIdx> = (0..n as u32).map(TestIdx).collect();
    free.shuffle(rng);
    add(&mut planted, kind, cleaners, chance, 0, &mut free, rng);
    planted
}

/// Adds one more victim, with flags from `base` on, made of tests from `free`.
pub fn add(
    planted: &mut Planted,
    kind: Kind,
    cleaners: usize,
    chance: f64,
    base: u32,
    free: &mut Vec<TestIdx>,
    rng: &mut ChaCha8Rng,
) {
    let flag = |i: usize| 1_u64 << (base + i as u32);
    let mut take = || free.pop().expect("enough tests");
    let test = take();
    let rules = &mut planted.suite.rules;
    let mut truth = Truth::default();
    match kind {
        Kind::Independent(k) => {
            truth.class = Some(Class::Victim);
            rules[test.at()].fails_if.push(flag(0));
            for _ in 0..k {
                let polluter = take();
                rules[polluter.at()].effects.push(Effect { chance, ..sets(flag(0)) });
                truth.sets.push(vec![polluter]);
            }
        }
        Kind::Joint(k) => {
            truth.class = Some(Class::Victim);
            let members: Vec<TestIdx> = (0..k).map(|_| take()).collect();
            for (i, member) in members.iter().enumerate() {
                rules[member.at()].effects.push(sets(flag(i)));
            }
            rules[test.at()].fails_if.push((0..k).map(flag).sum());
            truth.sets.push(members);
        }
        Kind::Chain(k) => {
            truth.class = Some(Class::Victim);
            let members: Vec<TestIdx> = (0..k).map(|_| take()).collect();
            for (i, member) in members.iter().enumerate() {
                let needs = if i == 0 { 0 } else { flag(i - 1) };
                rules[member.at()].effects.push(Effect { needs, ..sets(flag(i)) });
            }
            rules[test.at()].fails_if.push(flag(k - 1));
            truth.sets.push(members);
        }
        Kind::Brittle(k) => {
            truth.class = Some(Class::Brittle);
            rules[test.at()].fails_unless = flag(0);
            for _ in 0..k {
                let setter = take();
                rules[setter.at()].effects.push(Effect { chance, ..sets(flag(0)) });
                truth.sets.push(vec![setter]);
            }
        }
        Kind::BrittleChain => {
            truth.class = Some(Class::Brittle);
            let (one, two) = (take(), take());
            rules[one.at()].effects.push(sets(flag(0)));
            rules[two.at()].effects.push(Effect { needs: flag(0), ..sets(flag(1)) });
            rules[test.at()].fails_unless = flag(1);
            truth.sets.push(vec![one, two]);
        }
        Kind::Noisy => {
            truth.class = Some(Class::NonDeterministic);
            rules[test.at()].noise = chance;
        }
        Kind::Broken => {
            truth.class = Some(Class::Broken);
            rules[test.at()].fails_if.push(0);
        }
        Kind::Import => {
            truth.class = Some(Class::ImportPolluted);
            let files = planted.suite.imports.len();
            let own = test.at() / planted.suite.per_file;
            let other = (own + 1 + rng.random_range(0..files - 1)) % files;
            planted.suite.imports[other] |= flag(0);
            rules[test.at()].fails_if.push(flag(0));
            truth.sets.push(vec![TestIdx(other as u32)]);
        }
    }
    let rules = &mut planted.suite.rules;
    if truth.class == Some(Class::Victim) {
        for _ in 0..cleaners {
            let cleaner = free.pop().expect("enough tests");
            rules[cleaner.at()].effects.push(clears((0..3).map(flag).sum()));
            truth.cleaners.push(cleaner);
        }
    }
    planted.truth.insert(test, truth);
}

/// Collection, its reverse, and seeded shuffles.
pub fn orders(n: usize, seeds: usize, rng: &mut ChaCha8Rng) -> Vec<Planned> {
    let collection: Vec<TestIdx> = (0..n as u32).map(TestIdx).collect();
    let mut orders = vec![Planned {
        name: OrderName::Reverse,
        order: collection.iter().rev().copied().collect::<Vec<_>>().into(),
    }];
    for seed in 0..seeds {
        let mut order = collection.clone();
        order.shuffle(rng);
        orders.push(Planned { name: OrderName::Given(seed.to_string()), order: order.into() });
    }
    orders
}

/// What a hunt over a simulated suite came to.
pub struct Outcomes {
    pub verdicts: Vec<Verdict>,
    /// Questions, and tests executed, after the orders and until the verdict on the first planted test stood.
    pub further: Option<(u32, u64)>,
    pub questions: u32,
}

/// Answers a hunt until it is done; `jobs` runs at once, answered in an order drawn from `rng`.
pub fn drive(planted: &Planted, goal: Goal, care: Care, jobs: u32, rng: &mut ChaCha8Rng) -> Outcomes {
    let suite = Arc::new(planted.suite.suite());
    let bisect = matches!(goal, Goal::Bisect { .. });
    let watched = planted.truth.keys().next().copied();
    // What was asked before the first question about a single test.
    let mut explored = None;
    let mut hunt = Hunt::new(suite, Plan { goal, jobs, forks: false, care });
    let mut out: Vec<(RunId, RunSpec)> = Vec::new();
    let (mut executions, mut asked_before) = (0_u64, 0_u64);
    let mut further = None;
    loop {
        let mut done = false;
        while out.len() < jobs as usize {
            match hunt.next_step() {
                Step::Ask(run, spec) => {
                    if explored.is_none() && hunt.stage() == Stage::Hunt {
                        (explored, asked_before) = (Some(run.0), executions);
                    }
                    executions += spec.order.len() as u64;
                    out.push((run, spec));
                }
                Step::Wait => break,
                Step::Done => {
                    done = true;
                    break;
                }
            }
        }
        if done || out.is_empty() {
            assert!(done, "the hunt waits for nothing");
            break;
        }
        assert!(hunt.asked() < 20_000, "the hunt does not end");
        let beside = out.len() > 1;
        let (run, spec) = out.swap_remove(rng.random_range(0..out.len()));
        let record = planted.suite.answer(run, &spec, beside, rng);
        assert!(hunt.mark(record));
        if further.is_none()
            && let Some(test) = watched
            && hunt.verdicts().iter().any(|v| v.test == test && v.class != Class::Undecided)
        {
            let before = if bisect { 0 } else { explored.unwrap_or(0) };
            further = Some((hunt.asked() - before, executions - if bisect { 0 } else { asked_before }));
        }
    }
    Outcomes { verdicts: hunt.verdicts(), further, questions: hunt.asked() }
}

/// How a report compares with the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub wrong: u32,
    pub undecided: u32,
    pub missing: u32,
    pub right: u32,
}

/// Holds verdicts against the truth; `complain` gets a line for each that is not right.
pub fn judge(planted: &Planted, verdicts: &[Verdict], mut complain: impl FnMut(String)) -> Score {
    let mut score = Score::default();
    for verdict in verdicts {
        let Some(truth) = planted.truth.get(&verdict.test) else {
            if verdict.class != Class::Undecided {
                score.wrong += 1;
                complain(format!("false alarm {verdict:?}"));
            }
            continue;
        };
        if verdict.class == Class::Undecided {
            score.undecided += 1;
            complain(format!("undecided {verdict:?} truth {truth:?}"));
            continue;
        }
        let named: Vec<Vec<TestIdx>> = match verdict.class {
            Class::Victim => verdict.polluters.iter().map(|set| set.members.clone()).collect(),
            Class::Brittle => verdict.state_setters.iter().map(|set| set.members.clone()).collect(),
            Class::ImportPolluted => {
                verdict.import_polluters.iter().map(|s| s.iter().map(|f| TestIdx(f.0)).collect()).collect()
            }
            _ => Vec::new(),
        };
        let same = |a: &Vec<TestIdx>, b: &Vec<TestIdx>| {
            let (mut a, mut b) = (a.clone(), b.clone());
            a.sort();
            b.sort();
            a == b
        };
        let class_right = Some(verdict.class) == truth.class;
        let names_right = named.iter().all(|set| truth.sets.iter().any(|other| same(set, other)))
            && verdict.cleaners.iter().all(|test| truth.cleaners.contains(test));
        if !class_right || !names_right {
            score.wrong += 1;
            complain(format!("WRONG {verdict:?} truth {truth:?}"));
        } else if truth.sets.iter().any(|set| !named.iter().any(|other| same(set, other)))
            || truth.cleaners.iter().any(|test| !verdict.cleaners.contains(test))
        {
            score.missing += 1;
            complain(format!("incomplete {verdict:?} truth {truth:?}"));
        } else {
            score.right += 1;
        }
    }
    for (test, truth) in &planted.truth {
        if !verdicts.iter().any(|verdict| verdict.test == *test) {
            score.missing += 1;
            complain(format!("not found {test:?} {truth:?}"));
        }
    }
    score
}

/// A generator for one case.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Marks a test's failures as something worse than a failed assertion.
pub fn fails_as(planted: &mut Planted, test: TestIdx, outcome: Outcome) {
    let rule: &mut Rule = &mut planted.suite.rules[test.at()];
    rule.failure = Some(outcome);
}
