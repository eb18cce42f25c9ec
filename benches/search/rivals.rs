//! What others would ask on the same suites, from the same failing order.
//!
//! Their searches are written down here as their sources have them; each question is one run of the simulated suite, and
//! each answer is believed, as they do.

use flakehunt::core::hunt::{Care, Goal, Planned};
use flakehunt::core::order::OrderName;
use flakehunt::core::outcome::Outcome;
use flakehunt::core::run::{Manner, Purpose, RunId, RunSpec};
use flakehunt::core::test_id::TestIdx;
use flakehunt::core::verdict::Class;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::driver::{Setting, Spent, drive};
use crate::grid::median;
use crate::judge::{judge, same};
use crate::planted::Kind::{Chain, Independent, Joint};
use crate::planted::{Kind, Planted, orders, rng};

const SEEDS: u64 = 300;

/// Suites: what is planted, tests, cleaners.
const CASES: &[(Kind, usize, usize)] = &[
    (Independent(1, 1.0), 22, 0),
    (Independent(1, 1.0), 128, 0),
    (Independent(1, 1.0), 1_000, 0),
    (Independent(1, 1.0), 10_000, 0),
    (Independent(1, 1.0), 128, 4),
    (Independent(2, 1.0), 128, 0),
    (Joint(2), 22, 0),
    (Joint(2), 128, 0),
    (Joint(3), 128, 0),
    (Chain(2), 22, 0),
    (Chain(3), 128, 0),
    (Independent(1, 0.5), 32, 0),
    (Independent(1, 0.5), 128, 0),
    (Independent(1, 0.8), 128, 0),
];

/// How a search ended.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Right,
    /// Right, and every set was named.
    All,
    Wrong,
    GaveUp,
}

/// One way to search: what it spent, and how it ended.
type Search = fn(&Planted, TestIdx, &[TestIdx], &mut ChaCha8Rng) -> (Spent, End);

const SEARCHES: &[(&str, Search)] = &[
    ("flakehunt after 50 shuffles", after_shuffles),
    ("flakehunt bisect", bisect),
    ("detect-test-pollution", |p, t, before, rng| rival(p, t, before, rng, detect_test_pollution)),
    ("pytest-bisect-tests", |p, t, before, rng| rival(p, t, before, rng, bisect_tests)),
    ("RSpec", |p, t, before, rng| rival(p, t, before, rng, rspec)),
    ("ddmin", |p, t, before, rng| rival(p, t, before, rng, ddmin)),
];

/// Prints a table for every suite.
#[expect(clippy::print_stdout, reason = "the table is what it is for")]
pub fn print() {
    println!(
        "\nquestions and test executions until the verdict on the test stands, medians over {SEEDS} seeds"
    );
    println!(
        "flakehunt: its proof included, trying every test in every role (completeness) not; all: every set and cleaner there is"
    );
    for (kind, n, cleaners) in CASES {
        println!("\n{kind:?} among {n}, {cleaners} cleaners");
        println!(
            "  {:<30}{:>10}{:>12}{:>8}{:>8}{:>9}{:>8}",
            "", "questions", "tests", "right", "wrong", "gave up", "all"
        );
        for (name, search) in SEARCHES {
            let seeds = if *n > 5_000 { SEEDS / 10 } else { SEEDS };
            let mut ends = Vec::new();
            let (mut questions, mut tests) = (Vec::new(), Vec::new());
            for seed in 0..seeds {
                let mut rng = rng(seed);
                let mut planted = Planted::healthy(*n, &mut rng);
                let test = planted.add(*kind, *cleaners, &mut rng);
                let before = failing(&planted, test, &mut rng);
                let (spent, end) = search(&planted, test, &before, &mut rng);
                questions.push(spent.questions);
                tests.push(spent.tests);
                ends.push(end);
            }
            let share = |end: End| {
                100.0 * ends.iter().filter(|other| **other == end).count() as f64 / ends.len() as f64
            };
            println!(
                "  {name:<30}{:>10}{:>12}{:>7.1}%{:>7.1}%{:>8.1}%{:>7.1}%",
                median(&mut questions),
                median(&mut tests),
                share(End::Right) + share(End::All),
                share(End::Wrong),
                share(End::GaveUp),
                share(End::All)
            );
        }
    }
}

/// What ran before the test in a shuffle in which it failed.
fn failing(planted: &Planted, test: TestIdx, rng: &mut ChaCha8Rng) -> Vec<TestIdx> {
    let mut order: Vec<TestIdx> = (0..planted.suite.rules.len() as u32).map(TestIdx).collect();
    loop {
        order.shuffle(rng);
        let place = order.iter().position(|other| *other == test).expect("every test stands in it");
        if (Oracle { planted, test, rng, spent: Spent::default() }).fails(&order[..place]) {
            return order[..place].to_vec();
        }
    }
}

fn after_shuffles(planted: &Planted, test: TestIdx, _: &[TestIdx], rng: &mut ChaCha8Rng) -> (Spent, End) {
    let goal = Goal::Shuffle { orders: orders(planted.suite.rules.len(), 50, rng), bisect: true };
    flakehunt(planted, test, goal, rng)
}

fn bisect(planted: &Planted, test: TestIdx, before: &[TestIdx], rng: &mut ChaCha8Rng) -> (Spent, End) {
    let order = [before, &[test]].concat();
    let orders = vec![Planned { name: OrderName::Given("ci".into()), order: order.into() }];
    flakehunt(planted, test, Goal::Bisect { test, orders, first: false }, rng)
}

fn flakehunt(planted: &Planted, test: TestIdx, goal: Goal, rng: &mut ChaCha8Rng) -> (Spent, End) {
    let care = Care { spare_ms: 0, ..Care::default() };
    let setting = Setting { care, most: 100_000, ..Setting::default() };
    let out = drive(planted, goal, setting, test, rng);
    let score = judge(planted, &out.verdicts, |_| {});
    let decided = out.verdicts.iter().any(|v| v.test == test && v.class != Class::Undecided);
    let end = match (score.false_culprits + score.wrong_class > 0, decided) {
        (true, _) => End::Wrong,
        (false, true) if score.partial + score.overclaimed == 0 => End::All,
        (false, true) => End::Right,
        (false, false) => End::GaveUp,
    };
    (out.further.unwrap_or(out.total), end)
}

fn rival(
    planted: &Planted,
    test: TestIdx,
    before: &[TestIdx],
    rng: &mut ChaCha8Rng,
    search: fn(&mut Oracle<'_>, &[TestIdx]) -> Option<Vec<TestIdx>>,
) -> (Spent, End) {
    let mut oracle = Oracle { planted, test, rng, spent: Spent::default() };
    let end = match search(&mut oracle, before) {
        None => End::GaveUp,
        Some(set) => {
            let truth = &planted.truth[&test];
            match truth.sets.iter().any(|other| same(other, &set)) {
                true if truth.sets.len() == 1 && truth.cleaners.is_empty() => End::All,
                true => End::Right,
                false => End::Wrong,
            }
        }
    };
    (oracle.spent, end)
}

/// Runs tests before the one that fails, and counts.
struct Oracle<'a> {
    planted: &'a Planted,
    test: TestIdx,
    rng: &'a mut ChaCha8Rng,
    spent: Spent,
}

impl Oracle<'_> {
    fn fails(&mut self, before: &[TestIdx]) -> bool {
        let order = [before, &[self.test]].concat();
        self.spent.questions += 1;
        self.spent.tests += order.len() as u64;
        let spec = RunSpec {
            order: order.into(),
            name: OrderName::Probe,
            files: None,
            fresh: true,
            exclusive: false,
            full: false,
            wait_ms: 0,
            random_seed: None,
            hash_seed: None,
            detailed: false,
            manner: Manner::default(),
            probes: None,
            fan: None,
            purpose: Purpose::Search,
        };
        let record = self.planted.suite.answer(RunId(0), &spec, false, false, self.rng);
        record.outcomes.last().copied().is_some_and(Outcome::is_failure)
    }
}

/// detect-test-pollution 1.2.0: alone it passes, with all it fails, halves, the last one once more.
fn detect_test_pollution(oracle: &mut Oracle<'_>, before: &[TestIdx]) -> Option<Vec<TestIdx>> {
    if oracle.fails(&[]) || !oracle.fails(before) {
        return None;
    }
    let mut left = before;
    while left.len() > 1 {
        let (first, second) = left.split_at(left.len() / 2);
        left = if oracle.fails(first) { first } else { second };
    }
    oracle.fails(left).then(|| left.to_vec())
}

/// pytest-bisect-tests 0.3.0: with all it fails; the latter half, else the former, else no result.
fn bisect_tests(oracle: &mut Oracle<'_>, before: &[TestIdx]) -> Option<Vec<TestIdx>> {
    if !oracle.fails(before) {
        return None;
    }
    let mut left = before;
    while left.len() > 1 {
        let (first, second) = left.split_at(left.len() / 2);
        left = if oracle.fails(second) {
            second
        } else if oracle.fails(first) {
            first
        } else {
            return None;
        };
    }
    Some(left.to_vec())
}

/// RSpec's `ExampleMinimizer`: leaves out either half if it still fails without it, else looks into both.
fn rspec(oracle: &mut Oracle<'_>, before: &[TestIdx]) -> Option<Vec<TestIdx>> {
    if !oracle.fails(before) || oracle.fails(&[]) {
        return None;
    }
    let mut remaining = before.to_vec();
    bisect_over(oracle, &mut remaining, before.to_vec());
    Some(remaining)
}

fn bisect_over(oracle: &mut Oracle<'_>, remaining: &mut Vec<TestIdx>, candidates: Vec<TestIdx>) {
    if candidates.len() <= 1 {
        return;
    }
    let (first, second) = candidates.split_at(candidates.len().div_ceil(2));
    for (ignored, kept) in [(first, second), (second, first)] {
        let without: Vec<TestIdx> = remaining.iter().copied().filter(|t| !ignored.contains(t)).collect();
        if oracle.fails(&without) {
            *remaining = without;
            return bisect_over(oracle, remaining, kept.to_vec());
        }
    }
    bisect_over(oracle, remaining, first.to_vec());
    bisect_over(oracle, remaining, second.to_vec());
}

/// Zeller and Hildebrandt's ddmin: subsets, then complements, then finer pieces.
fn ddmin(oracle: &mut Oracle<'_>, before: &[TestIdx]) -> Option<Vec<TestIdx>> {
    if oracle.fails(&[]) || !oracle.fails(before) {
        return None;
    }
    let mut left = before.to_vec();
    let mut pieces = 2;
    while left.len() > 1 {
        let size = left.len().div_ceil(pieces);
        let subsets: Vec<Vec<TestIdx>> = left.chunks(size).map(<[TestIdx]>::to_vec).collect();
        if let Some(subset) = subsets.iter().find(|subset| oracle.fails(subset)) {
            left = subset.clone();
            pieces = 2;
            continue;
        }
        let without = |subset: &Vec<TestIdx>| -> Vec<TestIdx> {
            left.iter().copied().filter(|test| !subset.contains(test)).collect()
        };
        // With two pieces a complement is the other subset.
        let complements: Vec<Vec<TestIdx>> =
            if subsets.len() > 2 { subsets.iter().map(without).collect() } else { Vec::new() };
        if let Some(complement) = complements.into_iter().find(|complement| oracle.fails(complement)) {
            left = complement;
            pieces = 2.max(pieces - 1);
        } else if pieces >= left.len() {
            break;
        } else {
            pieces = (2 * pieces).min(left.len());
        }
    }
    Some(left)
}
