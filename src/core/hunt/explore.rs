//! The planned orders.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::task::Poll;

use futures_util::StreamExt;
use futures_util::stream;

use super::board::Urgency;
use super::complete::window;
use super::plan::{Like, Planned};
use super::probe::How;
use super::{Shared, Stage};
use crate::core::outcome::{Outcome, Seen};
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;

/// A test that ended this many runs early is left out of further orders: the tests behind it want their turn.
const SET_ASIDE_AFTER: u32 = 3;

/// Runs every planned order. `left` says how many were not asked for yet.
pub(crate) async fn explore(h: &Shared, orders: &[Planned], left: &Cell<usize>) {
    h.stage.set(Stage::Explore);
    let how = How { urgency: Urgency::Soon, ..How::next(Purpose::Explore) };
    stream::iter(orders)
        .map(|planned| {
            left.set(left.get() - 1);
            let set_aside = h.set_aside.borrow();
            let order = planned.order.iter().copied().filter(|test| !set_aside.contains(test)).collect();
            h.ask(order, planned.name.clone(), 0, how)
        })
        .buffer_unordered(window(h))
        .for_each(|_| {
            set_aside(h);
            std::future::ready(())
        })
        .await;
}

/// Waits until all orders are out, and the first executor has nothing to do.
pub(crate) async fn all_are_out(h: &Shared, left: &Cell<usize>) {
    // Nobody has to be woken: whenever an answer comes, `join` polls this beside what asks for the orders.
    std::future::poll_fn(|_| match left.get() == 0 && h.board.pending().0 == 0 {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// Leaves tests out that end the process again and again.
fn set_aside(h: &Shared) {
    let mut ended: BTreeMap<TestIdx, u32> = BTreeMap::new();
    for run in h.board.runs().iter().filter(|run| h.is_evidence(run)) {
        for failure in &run.record.failures {
            let at = failure.at as usize;
            if run.record.outcomes.get(at).is_some_and(|outcome| outcome.ends_the_process()) {
                *ended.entry(run.spec.order[at]).or_default() += 1;
            }
        }
    }
    for (test, times) in ended {
        if times >= SET_ASIDE_AFTER && h.set_aside.borrow_mut().insert(test) {
            h.say(
                "set-aside",
                format!(
                    "{} ended {times} runs early: further orders go without it, it is looked into by itself",
                    h.suite.node_id(test)
                ),
            );
        }
    }
}

/// `replay`: these orders as they are.
pub(crate) async fn just_these(h: Rc<Shared>, orders: Vec<Planned>, like: Like) {
    h.stage.set(Stage::Explore);
    for planned in orders {
        h.ask_like(planned.order.to_vec(), planned.name, How::next(Purpose::Replay), like).await;
    }
}

/// Every test that was seen to fail in a run that may be believed, in collection order.
pub(crate) fn both_ways(h: &Shared) -> BTreeSet<TestIdx> {
    let mut tests = BTreeSet::new();
    for run in h.board.runs().iter().filter(|run| h.is_evidence(run)) {
        for failure in &run.record.failures {
            let at = failure.at as usize;
            if run.record.outcomes.get(at).is_some_and(|outcome| Outcome::is_failure(*outcome)) {
                tests.insert(run.spec.order[at]);
            }
        }
    }
    tests
}

/// Whether the test was ever seen to pass, and ever to fail.
pub(crate) fn seen_both(h: &Shared, test: TestIdx) -> (bool, bool) {
    let evidence = h.evidence(test);
    let any = |wanted: Seen| evidence.iter().any(|(_, seen)| *seen == wanted);
    (any(Seen::Pass), any(Seen::Fail))
}
