//! Which single tests are cleaners of a set, by as few runs as are enough.
//!
//! A test that stood between the set and the test, which flipped nonetheless, did not clean, unless another one behind it
//! undid what it had done. Where the runs, taken together, leave no test that stood behind it in all of them, it is no
//! cleaner. Many orders say so of many tests; what they leave open is put between the set and the test all at once, in
//! one order and in its reverse. Only what does not flip then is parted, down to single tests.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::join;
use futures_util::stream;

use super::Shared;
use super::board::Run;
use super::complete::{line, window};
use super::explain::{Found, effect, times_for_cleaner};
use super::model::Expect;
use super::probe::How;
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Count, Culprits};

/// Fewer tests than these are tried one by one.
const FEW: usize = 4;

/// What came of the search for cleaners.
pub(crate) struct Cleaners {
    /// Who of the group (by place) is kept from flipping by which test, when that runs right after the set.
    pub cleaning: Vec<(usize, TestIdx)>,
    /// There is no other single one.
    pub complete: bool,
}

/// A run in which a test flipped although others stood between it and what flips it.
struct Flip {
    run: Rc<Run>,
    from: usize,
    to: usize,
}

/// Looks for tests that keep the group from flipping after the set. `all_known` says that every other test that flips
/// them on its own is known: one that is not could stand behind a cleaner in any run.
pub(crate) async fn cleaners(
    h: &Shared,
    group: &[Found],
    tests: &[TestIdx],
    set: &Culprits,
    others: &[TestIdx],
    all_known: bool,
) -> Cleaners {
    let mut open: Vec<TestIdx> = others.iter().copied().filter(|test| !set.members.contains(test)).collect();
    if all_known {
        forget_idle(h, group, &mut open);
    }
    // A set that acts in some of its runs only would have most blocks parted for nothing.
    let steady = group.iter().all(|found| {
        let effect = effect(found, set);
        effect.k == effect.n
    });
    if all_known && steady && !h.long_tests() {
        let culprit = |test: &TestIdx| {
            let mut sets = group.iter().flat_map(|found| &found.model.sets);
            sets.any(|set| set.members.contains(test))
        };
        let (alone, block) = open.iter().partition(|test| tests.contains(test) || culprit(test));
        open = alone;
        open.extend(by_blocks(h, group, tests, set, block).await);
        open.sort_unstable();
    }
    let complete = h.afford(open.len(), Some((&set.members, tests[0])));
    let cleaning = if complete { one_by_one(h, group, tests, set, &open).await } else { Vec::new() };
    Cleaners { cleaning, complete }
}

/// Leaves out what the runs so far show not to clean for any of the group.
fn forget_idle(h: &Shared, group: &[Found], open: &mut Vec<TestIdx>) {
    let flips: Vec<Vec<Flip>> = group.iter().map(|found| flips(h, found)).collect();
    open.retain(|test| !flips.iter().all(|flips| is_idle(flips, *test)));
}

/// The runs in which it flipped, with what stood behind everything that is known to flip it.
fn flips(h: &Shared, found: &Found) -> Vec<Flip> {
    let model = &found.model;
    let known = || model.sets.iter().flat_map(|set| &set.members);
    h.evidence(model.test)
        .into_iter()
        .filter(|(run, seen)| *seen == model.flip && model.expects(run) == Expect::Flip)
        .filter_map(|(run, _)| {
            let to = run.place(model.test)?;
            let from = known().filter_map(|member| run.place(*member)).filter(|place| *place < to).max()?;
            Some(Flip { run, from, to })
        })
        .collect()
}

/// Whether a test stood between in some of these runs, and none behind it in all of them.
fn is_idle(flips: &[Flip], test: TestIdx) -> bool {
    let mut between: Vec<(&Flip, usize)> = flips
        .iter()
        .filter_map(|flip| Some((flip, flip.run.place(test)?)))
        .filter(|(flip, place)| flip.from < *place && *place < flip.to)
        .collect();
    between.sort_by_key(|(flip, place)| flip.to - place);
    let Some(((nearest, place), rest)) = between.split_first() else { return false };
    let mut behind: Vec<TestIdx> = nearest.run.spec.order[place + 1..nearest.to].to_vec();
    for (flip, place) in rest {
        if behind.is_empty() {
            break;
        }
        behind.retain(|other| flip.run.place(*other).is_some_and(|at| *place < at && at < flip.to));
    }
    behind.is_empty()
}

/// Tries many tests in one run; gives those among which a cleaner is, or for which there was no time.
async fn by_blocks(
    h: &Shared,
    group: &[Found],
    tests: &[TestIdx],
    set: &Culprits,
    block: Vec<TestIdx>,
) -> Vec<TestIdx> {
    let (mut blocks, mut left) = (vec![block], Vec::new());
    while let Some(block) = blocks.pop() {
        if block.len() < FEW || !h.afford(2, None) {
            left.extend(block);
            continue;
        }
        let there = [&set.members[..], &block].concat();
        let back: Vec<TestIdx> = set.members.iter().chain(block.iter().rev()).copied().collect();
        let how = || How::spare(Purpose::Clean);
        join(line(h, &there, tests, 0, how()), line(h, &back, tests, 0, how())).await;
        let mut open = block.clone();
        forget_idle(h, group, &mut open);
        if open.len() < FEW {
            left.extend(open);
            continue;
        }
        let half = open.split_off(open.len() / 2);
        blocks.extend([half, open]);
    }
    left
}

/// Tries each of these for itself.
async fn one_by_one(
    h: &Shared,
    group: &[Found],
    tests: &[TestIdx],
    set: &Culprits,
    candidates: &[TestIdx],
) -> Vec<(usize, TestIdx)> {
    let after = |cleaner: TestIdx| [&set.members[..], &[cleaner]].concat();
    let stays = |found: &Found, cleaner: TestIdx, run: &Run| {
        found.model.test != cleaner && run.seen(found.model.test) == Some(found.model.flip.other())
    };
    let tried: Vec<(TestIdx, Vec<usize>)> = stream::iter(candidates.iter().copied())
        .map(|cleaner| async move {
            let run = line(h, &after(cleaner), tests, 0, How::spare(Purpose::Clean)).await;
            let staying = (0..group.len()).filter(|place| stays(&group[*place], cleaner, &run)).collect();
            (cleaner, staying)
        })
        .buffer_unordered(window(h))
        .collect()
        .await;
    let mut staying: BTreeMap<TestIdx, Vec<usize>> =
        tried.into_iter().filter(|(_, staying)| !staying.is_empty()).collect();
    // How often the set acts is known much better now: in all these runs but those of true cleaners it should have.
    let acted = |place: usize| {
        let known = effect(&group[place], set);
        let idle = staying.values().filter(|staying| staying.contains(&place)).count() as u32;
        let tried = candidates.len() as u32;
        Count { k: known.k + tried - idle, n: known.n + tried }
    };
    let times = (0..group.len()).map(|place| times_for_cleaner(acted(place))).max().unwrap_or(0);
    let mut cleaning = Vec::new();
    for (cleaner, places) in &mut staying {
        for nth in 1..times {
            if places.is_empty() {
                break;
            }
            let run = line(h, &after(*cleaner), tests, nth, How::next(Purpose::Clean)).await;
            places.retain(|place| stays(&group[*place], *cleaner, &run));
        }
        cleaning.extend(places.iter().map(|place| (*place, *cleaner)));
    }
    cleaning
}
