//! Does it fail only while another run goes on beside it?

use futures_util::future::join;

use super::Shared;
use super::board::Run;
use super::probe::How;
use crate::core::order::OrderName;
use crate::core::outcome::{Outcome, Seen};
use crate::core::run::Purpose;
use crate::core::stats::{Alternative, fisher};
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Class, Count};

/// Undisturbed runs and pairs that an answer may cost.
const MOST: usize = 16;
/// The chance, for a test that fails as often undisturbed, of being called interference.
const ALPHA: f64 = 0.01;

/// Runs an order in turn and side by side until it is known of each of these tests whether company decides.
pub(crate) async fn look(h: &Shared, order: &[TestIdx], tests: &[TestIdx]) {
    if h.plan.jobs < 2 || h.one_at_a_time.get() {
        return;
    }
    let mut open: Vec<TestIdx> = tests.to_vec();
    for round in 0..MOST {
        // Children share a server, and might collide there: only processes of their own can tell.
        let alone = How::next(Purpose::Repeat).fresh().exclusive();
        h.ask(order.to_vec(), OrderName::Probe, round, alone).await;
        let mut settled = Vec::new();
        for test in &open {
            let (beside, undisturbed) = counts(h, *test, order);
            if undisturbed.k > 0 {
                settled.push(*test);
            } else if beside.k > 0 && fisher(beside, undisturbed, Alternative::Greater) < ALPHA {
                convict(h, *test, beside, undisturbed);
                settled.push(*test);
            }
        }
        open.retain(|test| !settled.contains(test));
        if open.is_empty() {
            return;
        }
        // Two of the same order, started together: they come to the same place at the same time.
        let beside = How::next(Purpose::Repeat).fresh();
        join(
            h.ask(order.to_vec(), OrderName::Probe, 2 * round + 2, beside),
            h.ask(order.to_vec(), OrderName::Probe, 2 * round + 3, beside),
        )
        .await;
    }
}

/// Failures beside another run, and with nothing beside, in runs of this order; for the first, of any order.
fn counts(h: &Shared, test: TestIdx, order: &[TestIdx]) -> (Count, Count) {
    let (mut beside, mut undisturbed) = (Count::default(), Count::default());
    for (run, seen) in h.evidence(test) {
        if run.spec.order[..] == *order && (run.record.fresh || !h.plan.forks) {
            let count = if run.record.beside { &mut beside } else { &mut undisturbed };
            count.add(seen == Seen::Fail);
        }
    }
    (beside, undisturbed)
}

fn convict(h: &Shared, test: TestIdx, beside: Count, undisturbed: Count) {
    let mut verdict = super::classify::opened(h, test);
    verdict.class = Class::Interference;
    verdict.outcome = worst(h, test);
    verdict.notes.push(format!(
        "failed in {} of {} runs beside another run, in {} of {} with nothing beside",
        beside.k, beside.n, undisturbed.k, undisturbed.n
    ));
    h.verdicts.borrow_mut().insert(test, verdict);
    if !h.one_at_a_time.replace(true) {
        h.say(
            "jobs",
            format!(
                "{} fails only while another run goes on beside it: runs now go one at a time",
                h.suite.node_id(test)
            ),
        );
    }
}

fn worst(h: &Shared, test: TestIdx) -> Outcome {
    let runs = h.evidence(test);
    let outcomes = runs.iter().filter_map(|(run, _)| Run::outcome(run, test));
    outcomes.filter(|outcome| outcome.is_failure()).max().unwrap_or(Outcome::Failed)
}
