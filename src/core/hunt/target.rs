//! `bisect`: one test, from nothing or from an order in which it is known to fail.

use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{Either, join, join_all, pending, select};

use super::calibrate;
use super::classify::{finish, investigate, opened};
use super::confirm::Doubt;
use super::explain::{Found, everything};
use super::localise::guess;
use super::plan::{Goal, Planned};
use super::probe::{How, is_an_order};
use super::{Shared, Stage};
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;

/// Orders that do not show the failure are run again until this many runs were spent on them.
const AGAIN: usize = 8;
/// More sets than this are not looked for in what an order leaves without the sets that are known.
const MOST_REMAINS: usize = 8;

/// Finds an order in which the test does what it does not do alone, then what makes it do so.
pub(crate) async fn one_test(h: Rc<Shared>, test: TestIdx) {
    let Goal::Bisect { orders, first, .. } = h.plan.goal.clone() else { return };
    h.stage.set(Stage::Explore);
    let known = orders.first().and_then(|planned| order_up_to(planned, test)).unwrap_or_else(|| vec![test]);
    let name = orders.first().map_or(OrderName::Probe, |planned| planned.name.clone());
    // The search need not wait for a process to start: it will be done before anything is proven. Nor is there need of a
    // second child, where one runs the order in the end.
    let calibrating = async {
        if h.plan.forks && !h.only_fresh.get() {
            calibrate::both_ways(&h, &known, &name, false).await;
        }
    };
    let ((), found) = join(calibrating, search(&h, test, &orders)).await;
    if first && found.is_some() {
        // It was proven in processes of their own: what children would say once more does not matter.
        return;
    }
    let last = calibrate::in_the_end(&h, &known);
    if h.takes_long(&known) {
        // Long runs go on beside many short ones: the last, and the one that is asked when all sets are known.
        let rest = found.as_ref().and_then(|found| without_sets(&h, found));
        let early = async {
            if let Some(rest) = rest {
                h.after(&rest, test, 0, How::next(Purpose::Search)).await;
            }
        };
        join(finish(&h, found.into_iter().collect()), join(last, early)).await;
    } else {
        finish(&h, found.into_iter().collect()).await;
        last.await;
    }
}

/// Finds an order in which the test does what it does not do alone, and a cause that may be completed.
async fn search(h: &Shared, test: TestIdx, orders: &[Planned]) -> Option<Found> {
    let Some(alone) = h.after(&[], test, 0, How::next(Purpose::Alone)).await else {
        super::classify::undecided(h, test, "it could not be run alone".into());
        return None;
    };
    let jobs = h.plan.jobs.max(1) as usize;
    let mut tried = 0;
    // An order that is known to fail may not fail every time.
    let passes = AGAIN.div_ceil(orders.len().max(1)).max(1);
    'passes: for pass in 0..passes {
        for group in orders.chunks(jobs) {
            let first = group.first().filter(|_| tried == 0).and_then(|planned| order_up_to(planned, test));
            tried += if pass == 0 { group.len() } else { 0 };
            let answers = join_all(group.iter().map(|planned| up_to(h, planned, test, pass)));
            let meanwhile = async {
                if let Some((_, before)) = first.as_deref().and_then(<[TestIdx]>::split_last) {
                    guess(h, before, test, alone.other()).await;
                }
            };
            let seen = while_waiting(answers, meanwhile).await;
            if seen.contains(&Some(alone.other())) {
                break 'passes;
            }
        }
    }
    h.stage.set(Stage::Hunt);
    let found = investigate(h, test).await;
    if found.is_none() && !h.verdicts.borrow().contains_key(&test) {
        let mut verdict = opened(h, test);
        verdict.undecided =
            Some(format!("it passed alone and in each of the {tried} orders that were tried"));
        h.verdicts.borrow_mut().insert(test, verdict);
    }
    found
}

/// Waits for the first; the other one goes on as long as that takes.
async fn while_waiting<T>(wanted: impl Future<Output = T>, meanwhile: impl Future<Output = ()>) -> T {
    let meanwhile = meanwhile.then(|()| pending::<Infallible>());
    match select(pin!(wanted), pin!(meanwhile)).await {
        Either::Left((wanted, _)) => wanted,
        Either::Right((never, _)) => match never {},
    }
}

fn order_up_to(planned: &Planned, test: TestIdx) -> Option<Vec<TestIdx>> {
    let place = planned.order.iter().position(|other| *other == test)?;
    Some(planned.order[..=place].to_vec())
}

/// Runs an order up to the test: what comes after it cannot matter.
async fn up_to(h: &Shared, planned: &Planned, test: TestIdx, nth: usize) -> Option<Seen> {
    let order = order_up_to(planned, test)?;
    h.ask(order, planned.name.clone(), nth, How::next(Purpose::Explore)).await.seen(test)
}

/// Looks for further sets in orders that flipped: without the members of the known ones, does it still flip? Where it
/// does, that run is one more to be explained.
pub(crate) async fn remains(h: &Shared, found: &mut Found) -> Result<(), Doubt> {
    for _ in 0..MOST_REMAINS {
        let (test, flip) = (found.model.test, found.model.flip);
        let Some(rest) = without_sets(h, found) else { return Ok(()) };
        if h.after(&rest, test, 0, How::next(Purpose::Search)).await != Some(flip) {
            return Ok(());
        }
        let known = found.model.sets.len();
        everything(h, found).await?;
        if found.model.sets.len() == known {
            return Ok(());
        }
    }
    Ok(())
}

/// What stands before the test in the longest order that flipped, without the members of the sets that are known.
fn without_sets(h: &Shared, found: &Found) -> Option<Vec<TestIdx>> {
    let (test, flip) = (found.model.test, found.model.flip);
    let members: Vec<TestIdx> = found.model.sets.iter().flat_map(|set| set.members.clone()).collect();
    let flipped = h.evidence(test).into_iter().filter(|(run, seen)| *seen == flip && is_an_order(run));
    let (run, _) = flipped.max_by_key(|(run, _)| run.before(test).len())?;
    let rest: Vec<TestIdx> = run.before(test).iter().copied().filter(|t| !members.contains(t)).collect();
    (!rest.is_empty()).then_some(rest)
}
