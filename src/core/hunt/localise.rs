//! From "it flips in this order" to the smallest set of tests that makes it flip.

use std::collections::BTreeSet;

use futures_util::future::join;

use super::Shared;
use super::board::Run;
use super::model::{Expect, Model};
use super::plan::Goal;
use super::probe::{How, is_an_order};
use super::snapshots;
use crate::core::minimize;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::suspects::{Suspect, Witness, rank};
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Count, Culprits};

/// How many suspects are asked directly before the order itself is searched.
const SUSPECTS: usize = 3;
/// How often an order that flipped once is run again at most to see it flip again.
const REPRODUCE: usize = 6;

/// Looks for a set of culprits in a run that flipped. `None` where the flip does not come back.
pub(crate) async fn one_set(h: &Shared, model: &Model, run: &Run) -> Option<Culprits> {
    let (test, flip) = (model.test, model.flip);
    let before = run.before(test).to_vec();
    if let Some(set) = known_culprits(h, model, &before).await {
        return Some(set);
    }
    let ranked: Vec<Suspect> = suspects(h, model).into_iter().filter(|s| before.contains(&s.test)).collect();
    if let Some(set) = ask_suspects(h, model, &ranked, before.len()).await {
        return Some(set);
    }
    if is_known_to_fail(h, run, flip)
        && let Some(set) = one_enough(h, model, &before, 1).await
    {
        return Some(set);
    }
    let flips = match seen_after(h, &before, test, flip) {
        // It is known to waver.
        seen if 0 < seen.k && seen.k < seen.n => (seen.k as usize, seen.n as usize),
        _ => reproduce(h, &before, test, flip).await?,
    };
    let mut tries = tries_for(flips);
    if let Some(set) = one_enough(h, model, &before, tries).await {
        return Some(set);
    }
    for _ in 0..3 {
        if let Some(set) = smallest(h, test, flip, before.clone(), tries).await {
            return Some(set);
        }
        // An answer was unlucky, or a test in between undoes: ask more often.
        tries = (tries * 2).clamp(3, 12);
    }
    None
}

/// Whether a person gave the order as one in which the test fails, and it did the first time.
fn is_known_to_fail(h: &Shared, run: &Run, flip: Seen) -> bool {
    matches!(h.plan.goal, Goal::Bisect { .. })
        && flip == Seen::Fail
        && is_an_order(run)
        && h.evidence(run.spec.order[run.spec.order.len() - 1])
            .iter()
            .all(|(other, seen)| other.spec.order != run.spec.order || *seen == flip)
}

/// Halves the tests that may be enough by themselves.
async fn one_enough(h: &Shared, model: &Model, before: &[TestIdx], tries: usize) -> Option<Culprits> {
    if tries > 1 {
        return halve_moody(h, model, before, tries).await;
    }
    let candidates = never_idle(h, model, before);
    let ask = async |orders: Vec<Vec<TestIdx>>| {
        h.which_show(&orders, model.test, model.flip, 1, How::next(Purpose::Search)).await
    };
    let width = h.plan.jobs.max(1) as usize;
    let single = minimize::one_item(&candidates, width, &ask).await?;
    Some(Culprits { members: vec![single], ordered: false })
}

/// Asks, when nothing better is to do, what [`one_enough`] will ask if the test flips after these: for as long as it is
/// not known whether it does.
pub(crate) async fn guess(h: &Shared, before: &[TestIdx], test: TestIdx, flip: Seen) {
    let ask = async |orders: Vec<Vec<TestIdx>>| {
        h.which_show(&orders, test, flip, 1, How::spare(Purpose::Search)).await
    };
    minimize::one_item(before, h.plan.jobs.max(1) as usize, &ask).await;
}

/// Halves them where a flip is sure to be seen only after several tries: both halves in turn, until one flips. A half that
/// stays proves little, and neither half is taken on trust.
async fn halve_moody(h: &Shared, model: &Model, mut items: &[TestIdx], tries: usize) -> Option<Culprits> {
    let flips = async |half: &[TestIdx], nth: usize| {
        let how = How::next(Purpose::Search);
        h.after(half, model.test, nth, how).await == Some(model.flip)
    };
    'halves: while items.len() > 1 {
        let (first, second) = items.split_at(items.len() / 2);
        for nth in 0..tries * 2 {
            let (in_first, in_second) = if h.plan.jobs > 1 {
                join(flips(first, nth), flips(second, nth)).await
            } else {
                let in_first = flips(first, nth).await;
                (in_first, !in_first && flips(second, nth).await)
            };
            if in_first || in_second {
                items = if in_first { first } else { second };
                continue 'halves;
            }
        }
        return None;
    }
    items.first().map(|single| Culprits { members: vec![*single], ordered: false })
}

/// The tests of an order that may be enough by themselves, for all that is known: the test flipped in every run in
/// which one of them came before it.
fn never_idle(h: &Shared, model: &Model, before: &[TestIdx]) -> Vec<TestIdx> {
    let mut idle: BTreeSet<TestIdx> = BTreeSet::new();
    for (run, seen) in h.evidence(model.test) {
        if seen != model.flip {
            idle.extend(run.before(model.test));
        }
    }
    before.iter().copied().filter(|test| !idle.contains(test)).collect()
}

/// Sets that were proven for other tests and stand in this order.
async fn known_culprits(h: &Shared, model: &Model, before: &[TestIdx]) -> Option<Culprits> {
    let mut candidates: Vec<Vec<TestIdx>> = Vec::new();
    for set in h.culprits.borrow().iter().rev() {
        let fits = set.iter().all(|member| before.contains(member) && *member != model.test);
        if fits && !candidates.contains(set) && !model.sets.iter().any(|known| known.members == *set) {
            candidates.push(set.clone());
        }
    }
    candidates.truncate(SUSPECTS);
    for members in candidates {
        if h.shows(&members, model.test, model.flip, 1, How::next(Purpose::Search)).await {
            return checked(h, model.test, model.flip, members, 1).await;
        }
    }
    None
}

/// The ranking over the runs that no known set explains.
pub(crate) fn suspects(h: &Shared, model: &Model) -> Vec<Suspect> {
    let evidence = h.evidence(model.test);
    let witnesses: Vec<Witness<'_>> = evidence
        .iter()
        .filter(|(run, seen)| !(*seen == model.flip && model.expects(run) == Expect::Flip))
        .map(|(run, seen)| {
            let before = run.before(model.test);
            // What ran before a cleaner cannot have acted.
            let from = before.iter().rposition(|t| model.undoers.contains(t)).map_or(0, |place| place + 1);
            Witness { acted: &before[from..], effect: *seen == model.flip }
        })
        .collect();
    rank(h.suite.len(), &witnesses)
}

/// Asks the best few suspects in two-test runs.
async fn ask_suspects(h: &Shared, model: &Model, ranked: &[Suspect], prefix: usize) -> Option<Culprits> {
    let (test, flip) = (model.test, model.flip);
    // Halving the order finds a single culprit in log2(prefix) questions: a suspect is worth one only where the
    // belief in it is high enough to save more than it costs.
    let steps = (prefix.max(2) as f64).log2();
    let worth: Vec<&Suspect> =
        ranked.iter().take(SUSPECTS).filter(|suspect| suspect.belief * steps >= 0.8).collect();
    let width = h.plan.jobs.max(1) as usize;
    for group in worth.chunks(width) {
        let orders: Vec<Vec<TestIdx>> = group.iter().map(|suspect| vec![suspect.test]).collect();
        // A culprit that acts in some of its runs only needs more than one chance; so does one that is often undone.
        let tries = group.iter().map(|suspect| tries_at(suspect.rate)).max().unwrap_or(1);
        let shown = h.which_show(&orders, test, flip, tries, How::next(Purpose::Search)).await;
        if let Some(place) = shown.iter().position(|yes| *yes) {
            return Some(Culprits { members: orders[place].clone(), ordered: false });
        }
    }
    None
}

/// Flips in runs in which exactly these tests came before.
fn seen_after(h: &Shared, before: &[TestIdx], test: TestIdx, flip: Seen) -> Count {
    let mut count = Count::default();
    for (_, seen) in h.evidence(test).iter().filter(|(run, _)| run.before(test) == before) {
        count.add(*seen == flip);
    }
    count
}

/// Runs the order again, up to the test, until it flips again. Gives in how many tries it flipped.
async fn reproduce(h: &Shared, before: &[TestIdx], test: TestIdx, flip: Seen) -> Option<(usize, usize)> {
    let mut flips = 0;
    for nth in 0..REPRODUCE {
        flips += usize::from(h.after(before, test, nth, How::next(Purpose::Repeat)).await == Some(flip));
        if flips == 2 || (flips == 1 && nth >= 4) {
            return Some((flips, nth + 1));
        }
    }
    (flips > 0).then_some((flips, REPRODUCE))
}

fn tries_for((flips, of): (usize, usize)) -> usize {
    if flips == of { 1 } else { tries_at((flips as f64 + 0.5) / (of as f64 + 1.0)) }
}

/// How often a question must be asked so that an effect with this rate is missed in less than one case of 20.
fn tries_at(rate: f64) -> usize {
    if rate >= 0.9 { 1 } else { ((0.05_f64).ln() / (1.0 - rate.max(0.2)).ln()).ceil() as usize }
}

/// The smallest set within an order that flips; `None` where the answers contradict one another.
async fn smallest(
    h: &Shared,
    test: TestIdx,
    flip: Seen,
    before: Vec<TestIdx>,
    tries: usize,
) -> Option<Culprits> {
    let width = h.plan.jobs.max(1) as usize;
    let ask = async |orders: Vec<Vec<TestIdx>>| {
        h.which_show(&orders, test, flip, tries, How::next(Purpose::Search)).await
    };
    let edges = match tries {
        1 => snapshots::members(h, test, flip, &before, &ask).await,
        _ => None,
    };
    let members = match edges {
        Some(members) => members,
        None => match minimize::by_suffix(&before, width, &ask).await {
            Some(members) => members,
            None => minimize::delta_debug(before, &ask).await?,
        },
    };
    checked(h, test, flip, members, tries).await
}

/// Makes a set that flips minimal, and finds out whether its order matters.
async fn checked(
    h: &Shared,
    test: TestIdx,
    flip: Seen,
    mut members: Vec<TestIdx>,
    tries: usize,
) -> Option<Culprits> {
    let how = How::next(Purpose::Search);
    while members.len() > 1 {
        let without: Vec<Vec<TestIdx>> = (0..members.len()).map(|leave| but(&members, leave)).collect();
        let shown = h.which_show(&without, test, flip, tries, how).await;
        let Some(leave) = shown.iter().position(|yes| *yes) else { break };
        members.remove(leave);
    }
    if members.is_empty() {
        return None;
    }
    let mut ordered = false;
    if members.len() > 1 {
        let mut sorted = members.clone();
        sorted.sort_unstable();
        if sorted != members {
            ordered = !h.shows(&sorted, test, flip, tries, how).await;
            if !ordered {
                members = sorted;
            }
        }
        if !ordered {
            let backwards: Vec<TestIdx> = members.iter().rev().copied().collect();
            ordered = !h.shows(&backwards, test, flip, tries, how).await;
        }
    }
    Some(Culprits { members, ordered })
}

/// All but one.
pub(crate) fn but(members: &[TestIdx], leave: usize) -> Vec<TestIdx> {
    members.iter().enumerate().filter(|(place, _)| *place != leave).map(|(_, test)| *test).collect()
}
