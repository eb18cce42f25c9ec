//! The grid of hunts, by kind: how many verdicts are wrong, open or incomplete.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use flakehunt::core::hunt::Goal;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::driver::{Setting, drive};
use crate::judge::{Score, judge};
use crate::planted::{orders, rng};
use crate::scenarios::{GRID, Scenario};

/// What the hunts of one kind came to.
#[derive(Clone, Debug, Default)]
struct Row {
    hunts: u32,
    hunts_false: u32,
    hunts_undecided: u32,
    score: Score,
    further: Vec<u32>,
    questions: Vec<u32>,
    seconds: f64,
    complaints: Vec<String>,
}

/// Runs this many hunts, or those of one kind only, and prints a table; what is not right goes to stderr.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]
pub fn print(hunts: usize, only: Option<&str>) {
    let wanted: Vec<usize> =
        (0..GRID.len()).filter(|kind| only.is_none_or(|only| GRID[*kind].name == only)).collect();
    let rows = Mutex::new(vec![Row::default(); GRID.len()]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= hunts {
                        break;
                    }
                    let kind = wanted[number % wanted.len()];
                    let seed = (number / wanted.len()) as u64 * 1_000 + kind as u64;
                    let row = one(&GRID[kind], seed);
                    add(&mut rows.lock().expect("no thread died")[kind], row);
                }
            });
        }
    });
    let rows = rows.into_inner().expect("no thread died");
    println!(
        "\nhunts: three of four over 51 orders, one of four for one test with 6; tests by what was said of them; medians of questions"
    );
    println!(
        "{:<36}{:>6}{:>7}{:>7}{:>7}{:>7}{:>7}{:>7}{:>7}{:>9}{:>9}{:>8}",
        "kind",
        "hunts",
        "right",
        "false",
        "class",
        "open",
        "over",
        "part",
        "unseen",
        "further",
        "in all",
        "ms"
    );
    let (mut quiet, mut noisy) = (Row::default(), Row::default());
    for (scenario, row) in GRID.iter().zip(rows).filter(|(_, row)| row.hunts > 0) {
        for complaint in &row.complaints {
            eprintln!("{complaint}");
        }
        line(scenario.name, row.clone());
        add(if scenario.noisy { &mut noisy } else { &mut quiet }, row);
    }
    for (name, row) in [("without chance", quiet), ("with chance", noisy)] {
        if row.hunts > 0 {
            let share = |count: u32| 100.0 * f64::from(count) / f64::from(row.hunts);
            println!(
                "{name}: {} hunts, with a false culprit {} ({:.2} %), with a test left open {} ({:.2} %)",
                row.hunts,
                row.hunts_false,
                share(row.hunts_false),
                row.hunts_undecided,
                share(row.hunts_undecided)
            );
            line(name, row);
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn line(name: &str, mut row: Row) {
    let score = row.score;
    println!(
        "{name:<36}{:>6}{:>7}{:>7}{:>7}{:>7}{:>7}{:>7}{:>7}{:>9}{:>9}{:>8.1}",
        row.hunts,
        score.right,
        score.false_culprits,
        score.wrong_class,
        score.undecided,
        score.overclaimed,
        score.partial,
        score.unseen,
        median(&mut row.further),
        median(&mut row.questions),
        1e3 * row.seconds / f64::from(row.hunts)
    );
}

fn add(sum: &mut Row, row: Row) {
    sum.hunts += row.hunts;
    sum.hunts_false += row.hunts_false;
    sum.hunts_undecided += row.hunts_undecided;
    sum.score += row.score;
    sum.further.extend(row.further);
    sum.questions.extend(row.questions);
    sum.seconds += row.seconds;
    sum.complaints.extend(row.complaints);
}

#[expect(clippy::disallowed_methods, reason = "seconds are measured here")]
fn one(scenario: &Scenario, seed: u64) -> Row {
    let mut rng = rng(seed);
    let (mut planted, watched) = scenario.plant(size(&mut rng), &mut rng);
    let n = planted.suite.rules.len();
    // One in four is asked about one test only, with a few orders in which it may fail.
    let goal = if rng.random_range(0..4) == 0 {
        planted.truth.retain(|test, _| *test == watched);
        Goal::Bisect { test: watched, orders: orders(n, 5, &mut rng), first: false }
    } else {
        Goal::Shuffle { orders: orders(n, 50, &mut rng), bisect: true }
    };
    let setting = Setting {
        jobs: if scenario.side_by_side { 2 } else { [1, 1, 2, 4][rng.random_range(0..4)] },
        forks: scenario.forks || rng.random_range(0..4) == 0,
        most: 200_000,
        ..Setting::default()
    };
    let began = Instant::now();
    let out = drive(&planted, goal, setting, watched, &mut rng);
    let mut row = Row { hunts: 1, seconds: began.elapsed().as_secs_f64(), ..Row::default() };
    row.score = judge(&planted, &out.verdicts, |line| {
        row.complaints.push(format!("{} seed {seed} n {n} {setting:?}: {line}", scenario.name));
    });
    row.hunts_false = u32::from(row.score.false_culprits > 0);
    row.hunts_undecided = u32::from(row.score.undecided > 0);
    row.further.extend(out.further.map(|spent| spent.questions));
    row.questions.push(out.total.questions);
    row
}

/// How many tests: 10 to 300 mostly, 1,000 now and then, 10,000 rarely.
fn size(rng: &mut ChaCha8Rng) -> usize {
    match rng.random_range(0..1000) {
        0..2 => 10_000,
        2..30 => 1_000,
        _ => (10.0 * 30_f64.powf(rng.random::<f64>())) as usize,
    }
}

/// The median, 0 of nothing.
pub fn median<T: Copy + Ord + Default>(numbers: &mut [T]) -> T {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
