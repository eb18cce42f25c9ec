//! Answers a hunt from a simulated suite, and watches that it keeps its promises.

use std::collections::BTreeSet;
use std::sync::Arc;

use flakehunt::core::hunt::{Care, Goal, Hunt, Plan, Stage, Step};
use flakehunt::core::run::{Purpose, RunId, RunRecord, RunSpec};
use flakehunt::core::test_id::TestIdx;
use flakehunt::core::verdict::{Class, Verdict};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::planted::Planted;

/// The conditions of a hunt.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Runs at once; they are answered in an order drawn at random.
    pub jobs: u32,
    /// Forked children answer.
    pub forks: bool,
    /// What the search may spend.
    pub care: Care,
    /// More questions than this are a fault.
    pub most: u32,
}

impl Default for Setting {
    fn default() -> Self {
        Self { jobs: 1, forks: false, care: Care::default(), most: 5_000 }
    }
}

/// What passed between hunt and driver.
#[derive(Clone, Debug)]
pub enum Passed {
    Asked(RunId, RunSpec),
    Answered(RunRecord),
}

/// Questions and the tests they executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spent {
    pub questions: u32,
    pub tests: u64,
}

/// What a hunt came to.
pub struct Outcomes {
    pub verdicts: Vec<Verdict>,
    /// Spent until the verdict on the watched test stood, without the planned orders, and without runs of other tests
    /// alone, which look for brittle ones.
    pub further: Option<Spent>,
    /// Spent in all.
    pub total: Spent,
    pub log: Vec<Passed>,
}

/// Answers a hunt until it is done.
pub fn drive(
    planted: &Planted,
    goal: Goal,
    setting: Setting,
    watched: TestIdx,
    rng: &mut ChaCha8Rng,
) -> Outcomes {
    resume(planted, goal, setting, watched, &[], rng)
}

/// The same from a log: every question in it must be put again as it was put; those without an answer are answered anew.
pub fn resume(
    planted: &Planted,
    goal: Goal,
    setting: Setting,
    watched: TestIdx,
    log: &[Passed],
    rng: &mut ChaCha8Rng,
) -> Outcomes {
    let n = planted.suite.rules.len();
    let jobs = setting.jobs as usize;
    let plan = Plan { goal, jobs: setting.jobs, forks: setting.forks, care: setting.care };
    let mut hunt = Hunt::new(Arc::new(planted.suite.suite()), plan);
    let mut out: Vec<(RunId, RunSpec, bool)> = Vec::new();
    let (mut further, mut counted) = (None, Spent::default());
    let mut outcomes =
        Outcomes { verdicts: Vec::new(), further: None, total: Spent::default(), log: log.to_vec() };
    for passed in log {
        match passed {
            Passed::Asked(run, spec) => {
                assert_eq!(hunt.next_step(), Step::Ask(*run, spec.clone()), "the log holds another question");
                out.push((*run, spec.clone(), true));
            }
            Passed::Answered(record) => {
                assert!(hunt.mark(record.clone()), "{:?} was asked", record.run);
                out.retain(|(run, _, _)| *run != record.run);
            }
        }
    }
    loop {
        let mut done = false;
        while out.len() < jobs && !out.iter().any(|(_, spec, _)| spec.exclusive) {
            match hunt.next_step() {
                Step::Ask(run, spec) => {
                    assert_is_possible(&spec, n);
                    assert!(!spec.exclusive || out.is_empty(), "{spec:?} has something beside it");
                    let tests = spec.order.len() as u64;
                    outcomes.total.questions += 1;
                    outcomes.total.tests += tests;
                    let planned = matches!(spec.purpose, Purpose::Baseline | Purpose::Explore);
                    let other_alone = spec.purpose == Purpose::Alone && spec.order[..] != [watched];
                    if further.is_none() && !planned && !other_alone {
                        counted.questions += 1;
                        counted.tests += tests;
                    }
                    outcomes.log.push(Passed::Asked(run, spec.clone()));
                    out.iter_mut().for_each(|(_, _, beside)| *beside = true);
                    out.push((run, spec, !out.is_empty()));
                }
                Step::Wait => break,
                Step::Done => {
                    done = true;
                    break;
                }
            }
        }
        assert!(outcomes.total.questions <= setting.most, "the hunt does not end");
        if out.is_empty() {
            assert!(done, "the hunt waits for nothing");
            break;
        }
        let (run, spec, beside) = out.swap_remove(rng.random_range(0..out.len()));
        let record = planted.suite.answer(run, &spec, beside, setting.forks, rng);
        outcomes.log.push(Passed::Answered(record.clone()));
        assert!(hunt.mark(record), "{run:?} was asked");
        if further.is_none() && hunt.stage() >= Stage::Hunt {
            let known = hunt.verdict(watched).is_some_and(|verdict| verdict.class != Class::Undecided);
            further = known.then_some(counted);
        }
    }
    outcomes.further = further;
    outcomes.verdicts = hunt.verdicts();
    outcomes.verdicts.iter().for_each(assert_is_sound);
    outcomes
}

/// A question names tests of the suite, each once; only where a collision is to be proven some stand at the end again.
fn assert_is_possible(spec: &RunSpec, n: usize) {
    let tests: BTreeSet<TestIdx> = spec.order.iter().copied().collect();
    let once: BTreeSet<TestIdx> = spec.order[..tests.len()].iter().copied().collect();
    assert_eq!(once.len(), tests.len(), "a test stands twice in {spec:?}");
    assert!(
        once.len() == spec.order.len() || spec.purpose == Purpose::Repeat,
        "a test stands twice in {spec:?}"
    );
    assert!(tests.iter().all(|test| test.at() < n), "{spec:?} is not of this suite");
    assert!(!spec.order.is_empty() || spec.fan.is_some(), "nothing is asked");
}

/// A verdict carries its proof.
fn assert_is_sound(verdict: &Verdict) {
    let sets = [&verdict.polluters[..], &verdict.state_setters[..]].concat();
    let undoers = [&verdict.cleaners[..], &verdict.unsetters[..]].concat();
    assert!(verdict.explained.k <= verdict.explained.n, "{verdict:?}");
    assert!(verdict.failed.k <= verdict.failed.n, "{verdict:?}");
    assert_eq!(verdict.undecided.is_some(), verdict.class == Class::Undecided, "{verdict:?}");
    let proof = verdict.confirmed;
    match verdict.class {
        Class::Victim => {
            let proof = proof.expect("a victim is proven");
            assert!(proof.with.k >= 2 && proof.without.k == 0 && proof.without.n >= 2, "{verdict:?}");
        }
        Class::Brittle => {
            let proof = proof.expect("a brittle test is proven");
            assert!(proof.with.k + 2 <= proof.with.n, "{verdict:?}");
            assert!(proof.without.n >= 2 && proof.without.k == proof.without.n, "{verdict:?}");
        }
        Class::ImportPolluted => assert!(!verdict.import_polluters.is_empty(), "{verdict:?}"),
        _ => {
            assert!(sets.is_empty() && undoers.is_empty(), "{verdict:?}");
            return;
        }
    }
    for (place, set) in sets.iter().enumerate() {
        let members: BTreeSet<TestIdx> = set.members.iter().copied().collect();
        assert_eq!(members.len(), set.members.len(), "a member stands twice in {verdict:?}");
        assert!(!members.contains(&verdict.test), "{verdict:?} is its own culprit");
        for (other_place, other) in sets.iter().enumerate() {
            let part = set.members.iter().all(|member| other.members.contains(member));
            let other_way = set.ordered && other.ordered && set.members != other.members;
            assert!(place == other_place || !part || other_way, "a set is not minimal in {verdict:?}");
        }
    }
}
