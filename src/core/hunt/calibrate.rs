//! Are forked children as good as processes of their own? Known orders are run both ways; where a test keeps saying
//! something else in children, nothing that children say counts.
//!
//! Children share what their server opened or chose at import: the first of them may be right and every later one
//! wrong. So the same order is run by two children in turn, and once more when most is done.

use std::rc::Rc;

use futures_util::future::join;

use super::Shared;
use super::board::{Ask, Run};
use super::probe::How;
use crate::core::order::OrderName;
use crate::core::outcome::{Outcome, Seen};
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;

/// How often each way an order is run again where the two ways differ.
const ROUNDS: usize = 3;
/// So many children must differ from every process of its own.
const DIFFERENT: usize = 2;

/// An order that was run in a process of its own and in a child; the second child is under way.
pub(crate) struct BothWays {
    pub own: Rc<Run>,
    pub child: Rc<Run>,
    second: Option<Ask>,
}

/// Runs an order in a process of its own and in a child, or two in turn where there is to be a `second`; waits for the
/// first of them. Does not return where children are not to be believed: the hunt begins again without them.
pub(crate) async fn both_ways(h: &Shared, order: &[TestIdx], name: &OrderName, second: bool) -> BothWays {
    let how = How::next(Purpose::Baseline).compared();
    let children = async {
        let first = h.ask(order.to_vec(), name.clone(), 0, how).await;
        // Where the first test ends every process there is nothing to run again.
        let again = survived(&first);
        let second = (second && !again.is_empty()).then(|| in_a_child(h, again, name));
        (first, second)
    };
    let own = h.ask(order.to_vec(), name.clone(), 0, how.fresh());
    let (own, (child, second)) = join(own, children).await;
    compare(h, &own, std::slice::from_ref(&child)).await;
    BothWays { own, child, second }
}

impl BothWays {
    /// Waits for the second child. Does not return where children are not to be believed.
    pub async fn settle(self, h: &Shared) {
        if let Some(second) = self.second {
            compare(h, &self.own, &[second.await]).await;
        }
    }
}

/// Runs a known order once more in a child, after all that ran many tests.
pub(crate) async fn in_the_end(h: &Shared, order: &[TestIdx]) {
    if !h.plan.forks || h.only_fresh.get() {
        return;
    }
    let own = h.board.runs().iter().find(|run| run.record.fresh && run.spec.order[..] == *order).cloned();
    let Some(own) = own else { return };
    if survived(&own).is_empty() {
        return;
    }
    let last = in_a_child(h, survived(&own), &own.spec.name).await;
    compare(h, &own, &[last]).await;
}

/// What a test that was run alone in a child does alone in a process of its own. Does not return where it passes there,
/// and children that fail are not to be believed.
pub(crate) async fn alone(h: &Shared, test: TestIdx, own: How) -> Option<Seen> {
    let order = vec![test];
    let own = h.ask(order.clone(), OrderName::Probe, 0, own).await;
    let seen = own.seen(test);
    if seen == Some(Seen::Pass) {
        let child = h.ask(order, OrderName::Probe, 0, How::next(Purpose::Alone)).await;
        compare(h, &own, &[child]).await;
    }
    seen
}

/// Another child, with the short protocol where there is one: that is how most children run.
fn in_a_child(h: &Shared, order: &[TestIdx], name: &OrderName) -> Ask {
    h.once_more(order.to_vec(), name.clone(), How::next(Purpose::Baseline).seeded())
}

/// The order up to a test that ends its process: it need not be seen to do so again and again.
fn survived(run: &Run) -> &[TestIdx] {
    let ends = run.record.outcomes.iter().position(|outcome| outcome.ends_the_process());
    &run.spec.order[..ends.unwrap_or(run.spec.order.len())]
}

/// What a run says of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look<'a> {
    outcome: Outcome,
    failure: Option<&'a str>,
    detail: Option<u32>,
}

impl<'a> Look<'a> {
    /// `None` where the run does not tell.
    fn of(run: &'a Run, at: usize) -> Option<Self> {
        let outcome = *run.record.outcomes.get(at)?;
        let told = run.record.is_valid() && outcome != Outcome::NotReached;
        let failure = run.record.failures.iter().find(|failure| failure.at as usize == at);
        told.then(|| Self {
            outcome,
            failure: failure.map(|failure| failure.fingerprint.as_str()),
            detail: run.record.details.get(at).copied(),
        })
    }

    /// A run that was not told in detail agrees with any detail.
    fn agrees(self, other: Self) -> bool {
        (self.outcome, self.failure) == (other.outcome, other.failure)
            && (self.detail.is_none() || other.detail.is_none() || self.detail == other.detail)
    }
}

/// Whether two runs agree about a position, as far as both tell of it.
fn agree(a: &Run, b: &Run, at: usize) -> bool {
    match (Look::of(a, at), Look::of(b, at)) {
        (Some(a), Some(b)) => a.agrees(b),
        _ => true,
    }
}

/// Holds children against a process of its own; where they differ, finds out whether it is the forking.
async fn compare(h: &Shared, own: &Run, children: &[Rc<Run>]) {
    let order = &own.spec.order;
    let name = &own.spec.name;
    if own.record.is_valid() && children.iter().any(|child| !child.record.is_valid()) {
        let again = in_a_child(h, survived(own), name).await;
        if let Some(why) = &again.record.invalid {
            h.distrust(format!("forked children do not run the suite ({why})")).await;
        }
    }
    let differ = |at: &usize| children.iter().any(|child| !agree(own, child, *at));
    let mut open: Vec<usize> = (0..order.len()).filter(differ).collect();
    let how = How::next(Purpose::Baseline).seeded().exclusive();
    // What children of one kind say is asked of children of that kind.
    let differs = |child: &&Rc<Run>| (0..order.len()).any(|at| !agree(own, child, at));
    let detailed = children.iter().filter(differs).all(|child| child.spec.detailed);
    for _ in 0..ROUNDS {
        let Some(last) = open.last() else { return };
        let prefix = &order[..=*last];
        h.once_more(prefix.to_vec(), name.clone(), how.compared().fresh()).await;
        h.once_more(prefix.to_vec(), name.clone(), How { detailed, ..how }).await;
        open.retain(|at| !varies_by_itself(h, order, *at));
    }
    let mut decided = open.into_iter().filter_map(|at| Some((at, different(h, order, at)?)));
    if let Some((at, sentence)) = decided.next() {
        let more = match decided.count() {
            0 => String::new(),
            n => format!(" ({n} more tests differ)"),
        };
        h.distrust(format!("{} {sentence}{more}", h.suite.node_id(order[at]))).await;
    }
}

/// Runs that begin with this order up to a position.
fn runs_of(h: &Shared, order: &[TestIdx], at: usize) -> Vec<Rc<Run>> {
    let runs = h.board.runs();
    let same = |run: &&Rc<Run>| run.spec.files.is_none() && run.spec.order.get(..=at) == Some(&order[..=at]);
    runs.iter().filter(same).cloned().collect()
}

/// Whether processes of their own do not agree with one another.
fn varies_by_itself(h: &Shared, order: &[TestIdx], at: usize) -> bool {
    let runs = runs_of(h, order, at);
    let own: Vec<&Rc<Run>> = runs.iter().filter(|run| run.record.fresh).collect();
    own.iter().any(|run| !agree(own[0], run, at))
}

/// A clause on how children keep differing in a test; `None` where they do not. What happened beside another run may
/// have been a collision.
fn different(h: &Shared, order: &[TestIdx], at: usize) -> Option<String> {
    let runs = runs_of(h, order, at);
    let own = runs.iter().find(|run| run.record.fresh && Look::of(run, at).is_some())?;
    let children: Vec<&Rc<Run>> = runs.iter().filter(|run| !run.record.fresh && !run.record.beside).collect();
    let (differing, of) = (children.iter().filter(|child| !agree(own, child, at)), children.len());
    let differing: Vec<_> = differing.collect();
    if differing.len() < DIFFERENT {
        return None;
    }
    let seen = |run: &Run| Look::of(run, at).and_then(|look| look.outcome.seen());
    let (own, child) = (seen(own), seen(differing[0]));
    let word = |seen: Option<Seen>| if seen == Some(Seen::Fail) { "fails" } else { "passes" };
    Some(if own == child {
        format!(
            "says or prints something else in forked children than in fresh processes ({} of {of})",
            differing.len()
        )
    } else {
        format!(
            "{} in fresh processes and {} in {} of {of} forked children",
            word(own),
            word(child),
            differing.len()
        )
    })
}
