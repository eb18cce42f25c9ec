//! Benchmarks of the core: `cargo bench --bench core`.

use divan::Bencher;
use flakehunt::core::coverage::Coverage;
use flakehunt::core::order::{Level, Levels, Plan, Seed, Shuffler};
use flakehunt::core::test_id::{CollectedTest, Suite, TestId};

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
