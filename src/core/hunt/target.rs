//! `bisect`: one test, from nothing or from an order in which it is known to fail.

use std::rc::Rc;

use futures_util::future::join_all;

use super::calibrate;
use super::classify::{investigate, opened};
use super::interference;
use super::plan::{Goal, Planned};
use super::probe::How;
use super::{Shared, Stage};
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;

/// Finds an order in which the test does what it does not do alone, then what makes it do so.
pub(crate) async fn one_test(h: Rc<Shared>, test: TestIdx) {
    let Goal::Bisect { orders, .. } = h.plan.goal.clone() else { return };
    h.stage.set(Stage::Explore);
    let known = orders.first().and_then(|planned| order_up_to(planned, test)).unwrap_or_else(|| vec![test]);
    let name = orders.first().map_or(OrderName::Probe, |planned| planned.name.clone());
    if h.plan.forks && !h.only_fresh.get() {
        calibrate::both_ways(&h, &known, &name).await;
    }
    let Some(alone) = h.after(&[], test, 0, How::next(Purpose::Alone)).await else {
        super::classify::undecided(&h, test, "it could not be run alone".into());
        return;
    };
    let jobs = h.plan.jobs.max(1) as usize;
    let mut tried = 0;
    for group in orders.chunks(jobs) {
        tried += group.len();
        let seen = join_all(group.iter().map(|planned| up_to(&h, planned, test))).await;
        if seen.contains(&Some(alone.other())) {
            break;
        }
    }
    h.stage.set(Stage::Hunt);
    interference::settle_one(&h, test).await;
    investigate(&h, test).await;
    if !h.verdicts.borrow().contains_key(&test) {
        let mut verdict = opened(&h, test);
        verdict.undecided =
            Some(format!("it passed alone and in each of the {tried} orders that were tried"));
        h.verdicts.borrow_mut().insert(test, verdict);
    }
    calibrate::in_the_end(&h, &known).await;
}

fn order_up_to(planned: &Planned, test: TestIdx) -> Option<Vec<TestIdx>> {
    let place = planned.order.iter().position(|other| *other == test)?;
    Some(planned.order[..=place].to_vec())
}

/// Runs an order up to the test: what comes after it cannot matter.
async fn up_to(h: &Shared, planned: &Planned, test: TestIdx) -> Option<Seen> {
    let order = order_up_to(planned, test)?;
    h.ask(order, planned.name.clone(), 0, How::next(Purpose::Explore)).await.seen(test)
}
