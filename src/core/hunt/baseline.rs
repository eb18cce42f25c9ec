//! The suite as it is, twice; side by side where runs may go on side by side.
//!
//! Two runs beside one another tell as much as two in turn when they agree, in half the time. Only where they differ,
//! or fail, runs with nothing beside them follow.

use futures_util::future::join;

use super::Shared;
use super::probe::How;
use super::{calibrate, interference};
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;

/// Runs the collection order. `None` where no run of it was any evidence; else what may go on beside further runs.
pub(crate) async fn baseline(h: &Shared) -> Option<impl Future<Output = ()>> {
    let order: Vec<TestIdx> = h.suite.all().collect();
    let ask = |nth: usize, how: How| h.ask(order.clone(), OrderName::Collection, nth, how);
    let how = How::next(Purpose::Baseline);
    let (first, second, calibrating) = if h.plan.forks && !h.only_fresh.get() {
        let both = calibrate::both_ways(h, &order, &OrderName::Collection, true).await;
        (both.own.clone(), both.child.clone(), Some(both))
    } else {
        let (first, second) = join(ask(0, how), ask(1, how)).await;
        (first, second, None)
    };
    if !first.record.is_valid() && !second.record.is_valid() {
        let why = first.record.invalid.clone().unwrap_or_default();
        h.say("no-baseline", why);
        return None;
    }
    if h.plan.jobs > 1 {
        let collided: Vec<TestIdx> = h
            .suite
            .all()
            .filter(|test| {
                let (a, b) = (first.seen(*test), second.seen(*test));
                a.is_some() && b.is_some() && a != b
            })
            .collect();
        if !collided.is_empty() {
            let undisturbed = [ask(0, how.exclusive()).await, ask(1, how.exclusive()).await];
            let fails = |test: &TestIdx| undisturbed.iter().any(|run| run.seen(*test) == Some(Seen::Fail));
            if let Some(test) = collided.iter().find(|test| !fails(test)) {
                interference::one_at_a_time(h, *test);
            }
        }
    }
    Some(async move {
        if let Some(calibrating) = calibrating {
            calibrating.settle(h).await;
        }
    })
}
