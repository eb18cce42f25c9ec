//! order-v1 is for ever: vectors that must not move, a second implementation that must agree, and what is promised.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use flakehunt::core::order::{Level, Seed, Shuffler};
use flakehunt::core::test_id::{CollectedTest, Suite, TestId, TestIdx};
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use statrs::distribution::{ChiSquared, ContinuousCDF};

const LEVELS: [Level; 3] = [Level::Module, Level::Class, Level::Test];

/// File, class and name of each test of the golden suite; `docs/order-v1.md` shows the same.
const GOLDEN_SUITE: [[&str; 3]; 12] = [
    ["a.py", "", "test_one"],
    ["a.py", "", "test_two"],
    ["a.py", "TestA", "test_one"],
    ["a.py", "TestA", "test_two"],
    ["a.py", "TestA.TestIn", "test_one"],
    ["b.py", "", "test_p[1]"],
    ["b.py", "", "test_p[2]"],
    ["b.py", "TestA", "test_one"],
    ["b.py", "TestA", "test_two"],
    ["sub/ü.py", "", "test_é"],
    ["sub/ü.py", "", "test_twin"],
    ["sub/ü.py", "", "test_twin"],
];

/// Computed by `tests/order_v1.py`. Where one of these differs, it is the code that is wrong.
const GOLDEN_ORDERS: [(u64, Level, [u32; 12]); 12] = [
    (0, Level::Module, [6, 5, 8, 7, 11, 9, 10, 2, 3, 0, 4, 1]),
    (1, Level::Module, [3, 2, 1, 0, 4, 6, 7, 8, 5, 9, 11, 10]),
    (42, Level::Module, [4, 0, 1, 2, 3, 10, 9, 11, 6, 5, 8, 7]),
    (u64::MAX, Level::Module, [9, 11, 10, 3, 2, 4, 1, 0, 6, 5, 7, 8]),
    (0, Level::Class, [7, 8, 4, 5, 6, 1, 0, 3, 2, 11, 9, 10]),
    (1, Level::Class, [5, 6, 4, 1, 0, 3, 2, 8, 7, 9, 11, 10]),
    (42, Level::Class, [5, 6, 11, 9, 10, 4, 1, 0, 3, 2, 8, 7]),
    (u64::MAX, Level::Class, [4, 7, 8, 0, 1, 10, 11, 9, 2, 3, 5, 6]),
    (0, Level::Test, [10, 1, 8, 5, 9, 0, 3, 4, 11, 2, 6, 7]),
    (1, Level::Test, [1, 0, 4, 10, 2, 8, 3, 11, 5, 6, 9, 7]),
    (42, Level::Test, [6, 7, 10, 11, 5, 3, 9, 1, 8, 2, 0, 4]),
    (u64::MAX, Level::Test, [0, 11, 10, 1, 7, 9, 6, 8, 2, 3, 5, 4]),
];

/// A suite of these files, classes and names, in collection order.
fn suite_of<'a>(tests: impl IntoIterator<Item = &'a [&'a str; 3]>) -> Suite {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let tests = tests.into_iter().map(|[file, class, name]| {
        let class_part =
            if class.is_empty() { String::new() } else { format!("{}::", class.replace('.', "::")) };
        let node_id = format!("{file}::{class_part}{name}");
        let next = seen.entry(node_id.clone()).or_default();
        let occurrence = std::mem::replace(next, *next + 1);
        let id = TestId { node_id, occurrence };
        CollectedTest {
            id,
            file: (*file).to_owned(),
            class: (*class).to_owned(),
            line: None,
            unstable: false,
        }
    });
    Suite::new(tests.collect())
}

/// Suites with several files, nested classes, parameters, node ids that occur twice, and letters outside ASCII.
fn suites() -> impl Strategy<Value = Suite> {
    let file = prop::sample::select(vec!["a.py", "b.py", "tests/deep/test_ü.py"]);
    let class = prop::sample::select(vec!["", "TestA", "TestB", "TestA.TestIn"]);
    let name = prop::sample::select(vec!["test_a", "test_b", "test_c[1]", "test_c[x y]", "test_😀"]);
    let test = (file, class, name).prop_map(|(file, class, name)| [file, class, name]);
    prop::collection::vec(test, 0..12).prop_map(|tests| suite_of(&tests))
}

fn levels() -> impl Strategy<Value = Level> {
    prop::sample::select(LEVELS.to_vec())
}

/// The order as ids, which mean the same in another suite.
fn ids(suite: &Suite, seed: u64, level: Level) -> Vec<TestId> {
    let order = Shuffler::new(suite).order(Seed(seed), level);
    order.into_iter().map(|test| suite.test(test).id.clone()).collect()
}

#[test]
fn golden_orders_do_not_move() {
    let shuffler = Shuffler::new(&suite_of(&GOLDEN_SUITE));
    for (seed, level, expected) in GOLDEN_ORDERS {
        assert_eq!(shuffler.order(Seed(seed), level), expected.map(TestIdx), "seed {seed} ({level})");
    }
}

#[test]
fn the_specification_shows_the_same_vectors() {
    let docs = include_str!("../docs/order-v1.md");
    for (at, test) in suite_of(&GOLDEN_SUITE).tests().iter().enumerate() {
        let line = format!("| {at} | `{}` | {} |", test.id.node_id, test.id.occurrence);
        assert!(docs.contains(&line), "docs/order-v1.md lacks {line}");
    }
    for (seed, level, order) in GOLDEN_ORDERS {
        let line = format!("| {level} | {seed} | {} |", order.map(|at| at.to_string()).join(" "));
        assert!(docs.contains(&line), "docs/order-v1.md lacks {line}");
    }
}

/// The second implementation, running.
struct Twin {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Twin {
    #[expect(clippy::disallowed_methods, reason = "a test may start Python; the driver may only in process/")]
    fn start() -> Self {
        let mut child = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/order_v1.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 must be on PATH");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, answers }
    }

    fn order(&mut self, suite: &Suite, seed: u64, level: Level) -> Vec<TestIdx> {
        let question = serde_json::json!({ "seed": seed, "level": level, "tests": suite.tests().iter().map(|test| {
            serde_json::json!({ "id": test.id.node_id, "n": test.id.occurrence, "file": test.file, "class": test.class })
        }).collect::<Vec<_>>() });
        let mut answer = String::new();
        writeln!(self.child.stdin.as_mut().expect("piped"), "{question}").expect("the twin reads");
        self.answers.read_line(&mut answer).expect("the twin answers");
        serde_json::from_str(&answer).expect("a list of positions")
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // Its input ends, so it does.
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

#[test]
fn python_agrees_on_a_thousand_suites() {
    let mut twin = Twin::start();
    let mut runner = TestRunner::deterministic();
    for round in 0..1000 {
        let (suite, seed, level) =
            (suites(), any::<u64>(), levels()).new_tree(&mut runner).expect("a suite").current();
        let ours = Shuffler::new(&suite).order(Seed(seed), level);
        assert_eq!(
            ours,
            twin.order(&suite, seed, level),
            "round {round}, seed {seed} ({level}): {:?}",
            suite.tests()
        );
    }
}

proptest! {
    #[test]
    fn every_test_runs_once(suite in suites(), seed: u64, level in levels()) {
        let mut order = Shuffler::new(&suite).order(Seed(seed), level);
        order.sort_unstable();
        prop_assert_eq!(order, suite.all().collect::<Vec<_>>());
    }

    #[test]
    fn a_part_of_a_suite_keeps_its_relative_order(
        (suite, part) in suites().prop_flat_map(|suite| {
            let tests = suite.tests().to_vec();
            let sizes = 0..=tests.len();
            (Just(suite), subsequence(tests, sizes))
        }),
        seed: u64,
        level in levels(),
    ) {
        let part = Suite::new(part);
        let mut whole = ids(&suite, seed, level);
        whole.retain(|id| part.find(id).is_some());
        prop_assert_eq!(ids(&part, seed, level), whole);
    }

    #[test]
    fn collection_order_has_no_say(
        (suite, moved) in suites().prop_flat_map(|suite| {
            let tests = suite.tests().to_vec();
            (Just(suite), Just(tests).prop_shuffle())
        }),
        seed: u64,
        level in levels(),
    ) {
        prop_assert_eq!(ids(&Suite::new(moved), seed, level), ids(&suite, seed, level));
    }

    #[test]
    fn blocks_do_not_interleave(suite in suites(), seed: u64) {
        let file = |test: &CollectedTest| test.file.clone();
        let class = |test: &CollectedTest| (test.file.clone(), test.class.clone());
        // Within a module, functions outside of any class go where they like.
        let unit = |test: &CollectedTest| (class(test), test.class.is_empty().then(|| test.id.clone()));
        prop_assert!(contiguous(&suite, seed, Level::Module, file));
        prop_assert!(contiguous(&suite, seed, Level::Module, unit));
        prop_assert!(contiguous(&suite, seed, Level::Class, class));
    }
}

/// Whether the tests of each block follow one another.
fn contiguous<K: PartialEq>(
    suite: &Suite,
    seed: u64,
    level: Level,
    block: impl Fn(&CollectedTest) -> K,
) -> bool {
    let order = Shuffler::new(suite).order(Seed(seed), level);
    let mut blocks: Vec<K> = order.into_iter().map(|test| block(suite.test(test))).collect();
    blocks.dedup();
    blocks.iter().enumerate().all(|(at, block)| !blocks[..at].contains(block))
}

#[test]
fn blocks_of_different_modules_interleave_where_the_level_lets_them() {
    let suite = suite_of(&GOLDEN_SUITE);
    let any_mixed = |level| (0..50).any(|seed| !contiguous(&suite, seed, level, |test| test.file.clone()));
    assert!(!any_mixed(Level::Module) && any_mixed(Level::Class) && any_mixed(Level::Test));
}

#[test]
fn equal_node_ids_run_in_either_order() {
    let suite = suite_of(&[["a.py", "", "test_twin"]; 2]);
    let swapped = (0..64).filter(|seed| ids(&suite, *seed, Level::Test)[0].occurrence == 1).count();
    assert!((16..=48).contains(&swapped), "{swapped} of 64");
}

#[test]
fn every_permutation_is_reached_about_equally_often() {
    let names = ["test_a", "test_b", "test_c", "test_d", "test_e"];
    for (k, permutations) in [(2, 2), (3, 6), (4, 24), (5, 120)] {
        let tests: Vec<[&str; 3]> = names[..k].iter().map(|name| ["tests/test_m.py", "", *name]).collect();
        let shuffler = Shuffler::new(&suite_of(&tests));
        for level in LEVELS {
            let expected = 40;
            let mut counts: HashMap<Vec<TestIdx>, f64> = HashMap::new();
            for seed in 0..permutations * expected {
                *counts.entry(shuffler.order(Seed(seed), level)).or_default() += 1.0;
            }
            assert_eq!(counts.len() as u64, permutations, "k = {k} ({level})");
            let expected = expected as f64;
            let chi2: f64 = counts.values().map(|count| (count - expected).powi(2) / expected).sum();
            let law = ChiSquared::new(permutations as f64 - 1.0).expect("degrees of freedom");
            // The seeds are fixed, so this holds always or never; 12 such tests at 1 in 1,000 each leave room.
            let (low, high) = (law.inverse_cdf(0.0005), law.inverse_cdf(0.9995));
            assert!((low..=high).contains(&chi2), "k = {k} ({level}): {chi2} is not within {low}..{high}");
        }
    }
}
