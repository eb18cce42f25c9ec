//! Where in an order a test begins to do something: asked in one pass, by copies of the process in the middle of it.
//!
//! A copy holds what half an order has left open, and what it does outside of its process the pass sees as well. So an
//! answer is a hint: it names tests that are asked in runs of their own, and is no evidence itself.

use std::sync::Arc;

use super::Shared;
use super::probe::How;
use crate::core::minimize;
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::{Probes, Purpose, RunSpec};
use crate::core::test_id::TestIdx;

/// Shorter orders are searched without: a copy costs about as much as a run of its own.
const SHORTEST: usize = 32;
/// Larger sets are left to a search that asks for parts of the order.
const MOST_MEMBERS: usize = 8;

/// The members of a set in this order, from the places where the test begins to flip; `None` where they do not show.
pub(crate) async fn members(
    h: &Shared,
    test: TestIdx,
    flip: Seen,
    before: &[TestIdx],
    ask: &impl AsyncFn(Vec<Vec<TestIdx>>) -> Vec<bool>,
) -> Option<Vec<TestIdx>> {
    if !are_worth_it(h, before.len()) {
        return None;
    }
    let begins = async |rest: &[TestIdx], kept: &[TestIdx]| {
        if rest.is_empty() {
            return None;
        }
        let tail = [kept, &[test]].concat();
        edge(h, rest, Probes { tail, until: flip, from: 0, strides: strides(rest.len()) }, Purpose::Search)
            .await
    };
    let found = minimize::by_edges(before, MOST_MEMBERS, &begins, ask).await;
    if found.is_none() {
        // Something in this suite does not bear to be copied: it will not the next time.
        h.snapshots.set(false);
    }
    found
}

/// The test after which, `from` a place at which it would flip, the test begins to stay.
pub(crate) async fn undoer(
    h: &Shared,
    test: TestIdx,
    stays: Seen,
    before: &[TestIdx],
    from: usize,
) -> Option<TestIdx> {
    let between = before.len() - from;
    if !are_worth_it(h, between) {
        return None;
    }
    let probes = Probes { tail: vec![test], until: stays, from: from as u32, strides: strides(between) };
    let n = edge(h, before, probes, Purpose::Clean).await?;
    before.get(n - 1).copied()
}

fn are_worth_it(h: &Shared, tests: usize) -> bool {
    h.snapshots.get() && !h.only_fresh.get() && tests >= SHORTEST
}

async fn edge(h: &Shared, order: &[TestIdx], probes: Probes, purpose: Purpose) -> Option<usize> {
    let how = How::next(purpose);
    let plain = h.spec(order.to_vec(), OrderName::Probe, how);
    let spec = RunSpec { probes: Some(Arc::new(probes.clone())), ..plain };
    let run = h.board.ask(spec, 0, how.urgency).await;
    probes.edge(&run.record.probed).map(|n| n as usize)
}

/// About the root of what is left at each step: as many copies as tests that are run again.
fn strides(mut tests: usize) -> Vec<u32> {
    let mut strides = Vec::new();
    loop {
        tests = tests.isqrt().max(1);
        strides.push(tests as u32);
        if tests == 1 {
            return strides;
        }
    }
}
