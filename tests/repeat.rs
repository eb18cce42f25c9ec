//! `repeat` against simulated tests: what fails at random is called nothing else, and what does not is told apart.

use std::sync::Arc;

use flakehunt::core::hunt::repeat::{Factor, Repeated};
use flakehunt::core::hunt::{Care, Goal, Hunt, Plan, Repeats, Step, Vary};
use flakehunt::core::run::{RunId, RunRecord, RunSpec};
use flakehunt::core::simulated::{Effect, Rule, Simulated};
use flakehunt::core::test_id::TestIdx;
use flakehunt::core::verdict::{Class, Verdict};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const CAMPAIGNS: u64 = 300;
/// A claim is wrong in one case of fifty at most.
const WRONG: usize = CAMPAIGNS as usize / 50;

/// What a session came to: the only test's verdict and what was counted, and all that was asked.
struct Told {
    verdict: Option<Verdict>,
    repeated: Repeated,
    asked: usize,
    /// Questions and answers, as they came.
    log: Vec<Passed>,
}

enum Passed {
    Asked(RunId, RunSpec),
    Answered(RunRecord),
}

fn repeats(count: u32) -> Repeats {
    Repeats {
        tests: vec![TestIdx(0)],
        count,
        max_fail: None,
        confidence: 0.95,
        max_rate: None,
        in_process: false,
        fresh_fixtures: false,
        vary: Vary { seed: true, hash_seed: false },
        load: 0,
    }
}

/// Repeats a test with this rule; two at once, answered in an order drawn at random.
fn repeat(rule: Rule, repeats: Repeats, forks: bool, seed: u64) -> Told {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut suite = Simulated::healthy(1, 1);
    suite.rules[0] = rule;
    let goal = Goal::Repeat { repeats, order: None };
    let plan = Plan { goal, jobs: 2, forks, care: Care::default() };
    let mut hunt = Hunt::new(Arc::new(suite.suite()), plan);
    let (mut asked, mut log) = (0, Vec::new());
    let mut out: Vec<(RunId, RunSpec, bool)> = Vec::new();
    loop {
        while out.len() < 2 {
            let Step::Ask(run, spec) = hunt.next_step() else { break };
            asked += 1;
            log.push(Passed::Asked(run, spec.clone()));
            out.iter_mut().for_each(|(_, _, beside)| *beside = true);
            out.push((run, spec, !out.is_empty()));
        }
        assert!(asked < 5_000, "it does not end");
        if out.is_empty() {
            break;
        }
        let (run, spec, beside) = out.swap_remove(rng.random_range(0..out.len()));
        assert!(!spec.exclusive || !beside, "{spec:?} has something beside it");
        let record = suite.answer(run, &spec, beside, forks, &mut rng);
        log.push(Passed::Answered(record.clone()));
        assert!(hunt.mark(record));
    }
    assert_eq!(hunt.next_step(), Step::Done);
    let verdict = hunt.verdicts().pop();
    Told { verdict, repeated: hunt.repeated().remove(0), asked, log }
}

fn noise(rate: f64) -> Rule {
    Rule { noise: rate, ..Rule::default() }
}

/// Verdicts on a test that fails at random, in campaigns of one kind.
fn classes(rate: f64, repeats: &Repeats, forks: bool) -> Vec<(Option<Class>, Option<Factor>)> {
    (0..CAMPAIGNS)
        .map(|seed| {
            let told = repeat(noise(rate), repeats.clone(), forks, seed);
            (told.verdict.map(|verdict| verdict.class), told.repeated.decides.map(|decides| decides.factor))
        })
        .collect()
}

#[test]
fn what_fails_at_random_is_not_called_non_idempotent() {
    for rate in [0.02, 0.1, 0.3, 0.5, 0.8, 0.95] {
        let in_process = Repeats { in_process: true, ..repeats(10) };
        let told = classes(rate, &in_process, true);
        let wrong = told.iter().filter(|(class, _)| *class == Some(Class::NonIdempotent)).count();
        assert!(wrong <= WRONG, "{wrong} of {CAMPAIGNS} at {rate}");
        assert!(told.iter().any(|(class, _)| *class == Some(Class::NonDeterministic)), "at {rate}");
    }
}

#[test]
fn what_fails_at_random_goes_with_nothing() {
    for forks in [false, true] {
        for rate in [0.05, 0.3, 0.5, 0.9] {
            let told = classes(rate, &repeats(40), forks);
            let wrong = |class: Option<Class>| {
                !matches!(class, None | Some(Class::NonDeterministic | Class::Undecided | Class::Broken))
            };
            let wrong = told.iter().filter(|(class, factor)| factor.is_some() || wrong(*class)).count();
            assert!(wrong <= WRONG, "{wrong} of {CAMPAIGNS} at {rate}, forks: {forks}");
            let found = told.iter().filter(|(class, _)| *class == Some(Class::NonDeterministic)).count();
            assert!(rate < 0.2 || found > told.len() * 9 / 10, "{found} of {CAMPAIGNS} at {rate}");
        }
    }
}

#[test]
fn what_a_test_leaves_behind_is_told_from_chance() {
    let leaves = Effect { set: 1, chance: 1.0, ..Effect::default() };
    let rule = Rule { fails_if: vec![1], effects: vec![leaves], ..Rule::default() };
    for forks in [false, true] {
        let told = repeat(rule.clone(), Repeats { in_process: true, ..repeats(5) }, forks, 1);
        let verdict = told.verdict.expect("a verdict");
        assert_eq!(verdict.class, Class::NonIdempotent);
        let decides = told.repeated.decides.expect("what decides");
        assert_eq!((decides.factor, decides.since), (Factor::TimesInProcess, Some(2)));
        assert_eq!((told.repeated.count.k, told.repeated.count.n), (4, 5));
        // From fresh starts there is nothing to see.
        assert_eq!(repeat(rule.clone(), repeats(30), forks, 1).verdict, None);
    }
}

#[test]
fn what_fails_in_forked_children_only_is_no_finding() {
    for seed in 0..40 {
        let told = repeat(Rule { forked: 0.5, ..Rule::default() }, repeats(30), true, seed);
        assert_eq!(told.verdict, None, "seed {seed}");
        assert_eq!((told.repeated.count.k, told.repeated.count.n), (0, 30), "seed {seed}");
    }
}

#[test]
fn what_fails_beside_others_only_is_interference() {
    let told = repeat(Rule { beside: 0.5, ..Rule::default() }, repeats(60), false, 3);
    assert_eq!(told.verdict.map(|verdict| verdict.class), Some(Class::Interference));
}

#[test]
fn a_healthy_test_costs_what_was_asked_for() {
    let told = repeat(Rule::default(), repeats(50), false, 1);
    assert_eq!((told.verdict, told.asked, told.repeated.count.n), (None, 50, 50));
    // A process of its own, two children to hold against it, and one more in the end.
    let told = repeat(Rule::default(), repeats(50), true, 1);
    assert_eq!((told.verdict, told.asked), (None, 54));
    let limit = Repeats { max_rate: Some(0.1), count: 1_000, ..repeats(0) };
    let told = repeat(Rule::default(), limit, false, 1);
    // 31 show it; one may be out when they do.
    assert!((31..=34).contains(&told.repeated.count.n), "{:?}", told.repeated);
}

#[test]
fn the_same_answers_lead_to_the_same_questions() {
    for (rule, repeats) in [
        (noise(0.3), repeats(40)),
        (noise(0.3), Repeats { in_process: true, ..repeats(10) }),
        (noise(0.1), Repeats { load: 2, ..repeats(10) }),
        (noise(0.2), Repeats { max_rate: Some(0.1), count: 300, ..repeats(0) }),
    ] {
        let told = repeat(rule, repeats.clone(), true, 7);
        let plan =
            Plan { goal: Goal::Repeat { repeats, order: None }, jobs: 2, forks: true, care: Care::default() };
        let mut hunt = Hunt::new(Arc::new(Simulated::healthy(1, 1).suite()), plan);
        for passed in told.log {
            match passed {
                Passed::Asked(run, spec) => assert_eq!(hunt.next_step(), Step::Ask(run, spec)),
                Passed::Answered(record) => assert!(hunt.mark(record)),
            }
        }
        assert_eq!(hunt.verdicts().pop(), told.verdict);
    }
}
