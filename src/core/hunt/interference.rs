//! Does it fail only while another run goes on beside it?

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::Shared;
use super::board::Run;
use super::classify::{opened, undecided};
use super::probe::How;
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::{Purpose, RunId};
use crate::core::stats::{Alternative, fisher};
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Class, Count};

/// Orders that are run again, with nothing beside them, for tests that failed in them.
const MOST_ORDERS: usize = 12;
/// Rounds, of runs side by side and one by itself, that a proof may cost.
const MOST_ROUNDS: usize = 10;
/// So many tests that failed in company are looked into one by one.
const FEW: usize = 3;
/// The chance, for a test that fails as often undisturbed, of being called interference by one look at its counts;
/// there are a dozen looks.
const ALPHA: f64 = 0.004;
/// The same once runs of this suite are known to collide, or where forked runs have shown it beyond doubt.
const ALPHA_MORE: f64 = 0.02;

/// So many processes of their own have to fail where children of a server have shown a collision beyond doubt.
const SHOWN: u32 = 2;
/// Processes of their own that are started together at most: they are far apart by the time they come to a test, and
/// four meet in six ways where two meet in one.
const MOST_TOGETHER: u32 = 4;
/// What failed beside another run goes so often again at the end of its order, where that is short: of two processes
/// that came to it at different times, the later one then still meets the other there.
const MOST_REPEATS: u64 = 8;
/// So many milliseconds of tests may be run again for that.
const REPEATS_MS: u64 = 2_000;

/// Looks into every test whose failures were all seen beside another run: its failing order goes again with nothing
/// beside it, and where that passes, company is put to the test.
pub(crate) async fn settle(h: &Shared) {
    if h.plan.jobs < 2 {
        return;
    }
    let mut repeated: BTreeSet<RunId> = BTreeSet::new();
    for _ in 0..MOST_ORDERS {
        let Some((run, order)) = worst_run(h, &only_beside(h), &repeated) else { break };
        repeated.insert(run);
        for nth in 0..2 {
            let again =
                h.ask(order.clone(), OrderName::Probe, nth, How::next(Purpose::Repeat).exclusive()).await;
            // What fails here too needs no company; where that is all of it, there is nothing more to ask.
            if !only_beside(h).iter().any(|test| again.place(*test).is_some()) {
                break;
            }
        }
    }
    let mut open = only_beside(h);
    let Some((_, order)) = worst_run(h, &open, &BTreeSet::new()) else { return };
    one_at_a_time(h, open[0]);
    let mut proven = false;
    // Children of one server might collide with one another where processes of their own do not.
    let proves = |run: &Run| run.record.fresh || !h.plan.forks;
    for round in 0..=MOST_ROUNDS {
        open = only_beside(h);
        for test in open.clone() {
            let (beside, undisturbed) = counts_of(h, test, proves);
            let (all_beside, all_undisturbed) = counts(h, test);
            let suspected = fisher(all_beside, all_undisturbed, Alternative::Greater) < ALPHA / 10.0;
            let alpha = if proven || suspected { ALPHA_MORE } else { ALPHA };
            // Where all runs together leave no doubt, those in processes of their own need only show that it is not
            // the forking.
            let shown = h.plan.forks && suspected && beside.k >= SHOWN && undisturbed.k == 0;
            // Orders that only happened to have company met seldom; what was started together tells more.
            let (met, _) = counts_of(h, test, |run| proves(run) && run.spec.purpose == Purpose::Repeat);
            let differs = |beside| fisher(beside, undisturbed, Alternative::Greater) < alpha;
            if shown || differs(beside) || differs(met) {
                convict(h, test, all_beside, all_undisturbed);
                proven = true;
            }
        }
        open = only_beside(h);
        if open.is_empty() || round == MOST_ROUNDS {
            break;
        }
        // Some of one order, started together: they come to the same place at about the same time.
        let order = lingering(h, &order, &open);
        let together = How::next(Purpose::Repeat).fresh().together();
        let size = h.jobs.get().clamp(2, MOST_TOGETHER);
        join_all((0..size).map(|_| h.again_whole(order.clone(), together))).await;
        h.again_whole(order, How::next(Purpose::Repeat).fresh().exclusive()).await;
    }
    // Nothing runs beside anything any more: a few are looked into like any other test, to be told from tests that fail
    // now and then by themselves.
    if open.len() <= FEW {
        h.apart.borrow_mut().extend(open);
        return;
    }
    for test in open {
        let (beside, undisturbed) = counts(h, test);
        let why = format!(
            "it failed in {} of {} runs beside another run and in none of {} by itself, too few to prove that the \
             company is the cause; `--jobs 1` keeps runs apart",
            beside.k, beside.n, undisturbed.n
        );
        undecided(h, test, why);
    }
}

/// For one test that failed beside another run only: its shortest failing order again, with nothing beside it, and
/// from then on nothing beside anything.
pub(crate) async fn settle_one(h: &Shared, test: TestIdx) {
    if h.plan.jobs < 2 || !only_beside(h).contains(&test) {
        return;
    }
    let Some((_, order)) = worst_run(h, &[test], &BTreeSet::new()) else { return };
    let how = How::next(Purpose::Repeat).exclusive();
    for nth in 0..2 {
        if h.ask(order.clone(), OrderName::Probe, nth, how).await.seen(test) == Some(Seen::Fail) {
            return;
        }
    }
    settle(h).await;
}

/// From now on nothing runs beside anything.
pub(crate) fn one_at_a_time(h: &Shared, because_of: TestIdx) {
    if !h.one_at_a_time.replace(true) {
        h.say(
            "jobs",
            format!(
                "{} failed beside another run and not by itself: runs now go one at a time",
                h.suite.node_id(because_of)
            ),
        );
    }
}

/// Tests without a verdict that failed, and never with nothing beside them.
pub(crate) fn only_beside(h: &Shared) -> Vec<TestIdx> {
    let known = h.verdicts.borrow();
    super::explore::both_ways(h)
        .into_iter()
        .filter(|test| !known.contains_key(test) && !h.apart.borrow().contains(test))
        .filter(|test| counts(h, *test).1.k == 0)
        .collect()
}

/// The run in which most of these failed, and its order up to the last of them: what comes after cannot matter.
fn worst_run(h: &Shared, tests: &[TestIdx], not: &BTreeSet<RunId>) -> Option<(RunId, Vec<TestIdx>)> {
    let runs = h.board.runs();
    runs.iter()
        .filter(|run| h.is_evidence(run) && !not.contains(&run.record.run))
        .map(|run| (tests.iter().filter(|test| run.seen(**test) == Some(Seen::Fail)).count(), run))
        .filter(|(failed, _)| *failed > 0)
        .min_by_key(|(failed, run)| (std::cmp::Reverse(*failed), run.spec.order.len(), run.record.run))
        .map(|(_, run)| {
            let failed = |test: &&TestIdx| run.seen(**test) == Some(Seen::Fail);
            let last = tests.iter().filter(failed).filter_map(|test| run.place(*test)).max();
            (run.record.run, run.spec.order[..=last.unwrap_or(0)].to_vec())
        })
}

/// The order, with these tests of it some times more at its end. A test is judged by what it does at its first place,
/// so that one which fails the second time is not taken for one that collides.
fn lingering(h: &Shared, order: &[TestIdx], tests: &[TestIdx]) -> Vec<TestIdx> {
    let runs = h.board.runs();
    let took =
        runs.iter().filter(|run| run.spec.order.starts_with(order)).map(|run| run.record.cost.tests_ms);
    let times = (REPEATS_MS / took.max().unwrap_or(REPEATS_MS).max(1)).min(MOST_REPEATS);
    let again: Vec<TestIdx> = order.iter().copied().filter(|test| tests.contains(test)).collect();
    [order, &again.repeat(times as usize)].concat()
}

/// Failures beside another run, and with nothing beside.
fn counts(h: &Shared, test: TestIdx) -> (Count, Count) {
    counts_of(h, test, |_| true)
}

fn counts_of(h: &Shared, test: TestIdx, counts: impl Fn(&Run) -> bool) -> (Count, Count) {
    let (mut beside, mut undisturbed) = (Count::default(), Count::default());
    for (run, seen) in h.evidence(test).into_iter().filter(|(run, _)| counts(run)) {
        let count = if run.record.beside { &mut beside } else { &mut undisturbed };
        count.add(seen == Seen::Fail);
    }
    (beside, undisturbed)
}

fn convict(h: &Shared, test: TestIdx, beside: Count, undisturbed: Count) {
    let mut verdict = opened(h, test);
    verdict.class = Class::Interference;
    verdict.notes.push(format!(
        "failed in {} of {} runs beside another run, in {} of {} with nothing beside",
        beside.k, beside.n, undisturbed.k, undisturbed.n
    ));
    h.verdicts.borrow_mut().insert(test, verdict);
}
