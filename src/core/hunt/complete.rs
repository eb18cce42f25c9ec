//! Where it is affordable every single test is tried in every role, so that a list may be called complete.

use futures_util::StreamExt;
use futures_util::stream;

use super::Shared;
use super::confirm::confirm;
use super::explain::{Found, effect, times_for_cleaner};
use super::probe::How;
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Count, Culprits};

/// What was tried completely.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tried {
    pub singles: bool,
    pub cleaners: bool,
}

/// Tries every single test as a culprit, and as a cleaner after the first set.
pub(crate) async fn every_test(h: &Shared, found: &mut Found) -> Tried {
    let mut tried = Tried::default();
    let others: Vec<TestIdx> = h
        .suite
        .all()
        .filter(|test| *test != found.model.test && !h.set_aside.borrow().contains(test))
        .collect();
    if h.afford(others.len(), None) {
        for single in singles(h, found, &others).await {
            let set = Culprits { members: vec![single], ordered: false };
            let mut model = found.model.clone();
            model.sets.push(set.clone());
            match confirm(h, &model, &set, h.suite.len()).await {
                Ok(proof) => found.convict(h, proof),
                Err(_) => found.stray += 1,
            }
        }
        tried.singles = true;
    }
    let Some(set) = found.model.sets.first().cloned() else { return tried };
    if h.afford(others.len(), Some((&set.members, found.model.test))) {
        for cleaner in cleaners(h, found, &set, &others).await {
            if !found.model.undoers.contains(&cleaner) {
                found.model.undoers.push(cleaner);
                h.cleaners.borrow_mut().push(cleaner);
            }
        }
        tried.cleaners = true;
    }
    tried
}

/// Tests that flip it on their own and are not known to.
async fn singles(h: &Shared, found: &Found, others: &[TestIdx]) -> Vec<TestIdx> {
    let model = &found.model;
    let known = |test: &TestIdx| model.sets.iter().any(|set| set.members == [*test]);
    let unknown: Vec<TestIdx> = others.iter().copied().filter(|test| !known(test)).collect();
    let mut flipping: Vec<TestIdx> = stream::iter(unknown)
        .map(|single| async move {
            let how = How::spare(Purpose::Search);
            (h.after(&[single], model.test, 0, how).await == Some(model.flip)).then_some(single)
        })
        .buffer_unordered(window(h))
        .filter_map(async |single| single)
        .collect()
        .await;
    flipping.sort_unstable();
    flipping
}

/// Tests that keep the set from acting when they run right after it.
async fn cleaners(h: &Shared, found: &Found, set: &Culprits, others: &[TestIdx]) -> Vec<TestIdx> {
    let model = &found.model;
    let candidates: Vec<TestIdx> =
        others.iter().copied().filter(|test| !set.members.contains(test)).collect();
    let after = |cleaner: TestIdx| [&set.members[..], &[cleaner]].concat();
    let mut staying: Vec<TestIdx> = stream::iter(candidates.iter().copied())
        .map(|cleaner| async move {
            let stays = h.stays(&after(cleaner), model.test, model.flip, 1, How::spare(Purpose::Clean)).await;
            stays.then_some(cleaner)
        })
        .buffer_unordered(window(h))
        .filter_map(async |cleaner| cleaner)
        .collect()
        .await;
    staying.sort_unstable();
    // How often the set acts is known much better now: in all these runs but those of true cleaners it should have.
    let known = effect(found, set);
    let tried = candidates.len() as u32;
    let acted = Count { k: known.k + tried - staying.len() as u32, n: known.n + tried };
    let times = times_for_cleaner(acted);
    let mut cleaning = Vec::new();
    for cleaner in staying {
        if h.stays(&after(cleaner), model.test, model.flip, times, How::next(Purpose::Clean)).await {
            cleaning.push(cleaner);
        }
    }
    cleaning
}

/// How many spare questions wait at once: enough for every executor, few enough to be withdrawn.
pub(crate) fn window(h: &Shared) -> usize {
    2 * h.plan.jobs.max(1) as usize
}
