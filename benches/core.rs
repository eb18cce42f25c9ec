//! Benchmarks of the core: `cargo bench --bench core`.

use divan::Bencher;
use flakehunt::core::coverage::Coverage;
use flakehunt::core::minimize;
use flakehunt::core::order::{Level, Levels, Plan, Seed, Shuffler};
use flakehunt::core::suspects::{Witness, rank};
use flakehunt::core::test_id::{CollectedTest, Suite, TestId, TestIdx};
use futures_util::FutureExt;

fn main() {
    divan::main();
}

/// 50 tests a file, 10 a class.
fn suite(tests: usize) -> Suite {
    let test = |number: usize| {
        let file = format!("tests/unit/test_module_{:04}.py", number / 50);
        let class = format!("TestClass{}", number / 10);
        let node_id = format!("{file}::{class}::test_something_that_has_a_name_{number}");
        CollectedTest { id: TestId { node_id, occurrence: 0 }, file, class, line: None, unstable: false }
    };
    Suite::new((0..tests).map(test).collect())
}

/// Everything that a session of 50 seeds computes for its orders; must stay under a second for 50,000 tests.
#[divan::bench(args = [1_000, 50_000], sample_count = 5, sample_size = 1)]
fn fifty_mixed_orders(bencher: Bencher, tests: usize) {
    let suite = suite(tests);
    bencher.bench_local(|| {
        let shuffler = Shuffler::new(&suite);
        Plan::new(Seed(1), 50, Levels::Mixed)
            .filter_map(|name| shuffler.resolve(&name))
            .map(|order| order.len())
            .sum::<usize>()
    });
}

#[divan::bench(args = [Level::Module, Level::Class, Level::Test], sample_count = 20, sample_size = 1)]
fn one_order_of_50000(bencher: Bencher, level: Level) {
    let shuffler = Shuffler::new(&suite(50_000));
    bencher.bench_local(|| shuffler.order(Seed(1), level));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn prepare_50000(bencher: Bencher) {
    let suite = suite(50_000);
    bencher.bench_local(|| Shuffler::new(&suite));
}

/// Without the collection order and its reverse, after which only neighbours are left to count.
#[divan::bench(args = [5_000, 50_000], sample_count = 3, sample_size = 1)]
fn coverage_of_50_orders(bencher: Bencher, tests: usize) {
    let shuffler = Shuffler::new(&suite(tests));
    let orders: Vec<_> = (0..50).map(|seed| shuffler.order(Seed(seed), Level::Module)).collect();
    bencher.bench_local(|| {
        let mut coverage = Coverage::new(tests);
        orders.iter().for_each(|order| coverage.add(order));
        (coverage.pairs(), coverage.adjacent_pairs())
    });
}

/// What a hunt does for each test that failed in some of 50 orders, before it asks anything.
#[divan::bench(args = [1_000, 50_000], sample_count = 10, sample_size = 1)]
fn ranking_after_50_orders(bencher: Bencher, tests: usize) {
    let shuffler = Shuffler::new(&suite(tests));
    let (polluter, victim) = (TestIdx(7), TestIdx(tests as u32 / 2));
    let before: Vec<Vec<TestIdx>> = (0..50)
        .map(|seed| {
            let order = shuffler.order(Seed(seed), Level::Test);
            order.iter().copied().take_while(|test| *test != victim).collect()
        })
        .collect();
    bencher.bench_local(|| {
        let seen = |acted: &[TestIdx]| acted.contains(&polluter);
        let witnesses: Vec<Witness<'_>> =
            before.iter().map(|acted| Witness { acted, effect: seen(acted) }).collect();
        rank(tests, &witnesses).len()
    });
}

/// Two culprits among many, by suffixes; every question is answered at once.
#[divan::bench(args = [1_000, 50_000], sample_count = 20, sample_size = 1)]
fn minimizing_to_a_pair(bencher: Bencher, tests: usize) {
    let items: Vec<usize> = (0..tests).collect();
    let pair = [tests / 3, tests / 2];
    let answer = async |orders: Vec<Vec<usize>>| {
        orders.iter().map(|order| pair.iter().all(|member| order.contains(member))).collect::<Vec<bool>>()
    };
    bencher.bench_local(|| minimize::by_suffix(&items, 2, &answer).now_or_never().flatten());
}

/// The same by delta debugging, the fall-back where suffixes contradict one another.
#[divan::bench(args = [1_000, 10_000], sample_count = 20, sample_size = 1)]
fn delta_debugging_to_a_pair(bencher: Bencher, tests: usize) {
    let pair = [tests / 3, tests / 2];
    let answer = async |orders: Vec<Vec<usize>>| {
        orders.iter().map(|order| pair.iter().all(|member| order.contains(member))).collect::<Vec<bool>>()
    };
    bencher.bench_local(|| minimize::delta_debug((0..tests).collect(), &answer).now_or_never().flatten());
}
