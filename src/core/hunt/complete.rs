//! Where it is affordable every single test is tried in every role, so that a list may be called complete.
//!
//! Tests with the same cause are tried together: one run with a candidate before all of them tells as much of each as a
//! run for each would. That they leave one another alone is seen first; those that do not are tried by themselves.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::join;
use futures_util::stream;

use super::Shared;
use super::board::Run;
use super::cleaners;
use super::confirm::confirm;
use super::explain::Found;
use super::fans;
use super::probe::How;
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;
use crate::core::verdict::Culprits;

/// What was tried completely.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tried {
    pub singles: bool,
    pub cleaners: bool,
}

/// Parts findings into groups with one cause whose tests may be run in one line.
pub(crate) async fn groups(h: &Shared, founds: Vec<Found>) -> Vec<Vec<Found>> {
    let mut by_cause: BTreeMap<(bool, Vec<Vec<TestIdx>>), Vec<Found>> = BTreeMap::new();
    for found in founds {
        let mut sets: Vec<Vec<TestIdx>> = found.model.sets.iter().map(|set| set.members.clone()).collect();
        sets.sort();
        by_cause.entry((found.model.flip == Seen::Fail, sets)).or_default().push(found);
    }
    let mut groups = Vec::new();
    for mut group in by_cause.into_values() {
        group.sort_by_key(|found| found.model.test);
        let (together, by_themselves) = part(h, group).await;
        groups.extend(by_themselves.into_iter().map(|found| vec![found]));
        groups.push(together);
    }
    groups.retain(|group| !group.is_empty());
    // What may be spent goes to the largest cause first.
    groups.sort_by_key(|group| (std::cmp::Reverse(group.len()), group[0].model.test));
    groups
}

/// Those that flip in one line after the set and stay in one line without it, and the others.
async fn part(h: &Shared, group: Vec<Found>) -> (Vec<Found>, Vec<Found>) {
    let Some(set) = group.first().filter(|_| group.len() > 1).and_then(|found| found.model.sets.first())
    else {
        return (group, Vec::new());
    };
    let tests: Vec<TestIdx> = group.iter().map(|found| found.model.test).collect();
    let how = How::next(Purpose::Repeat);
    let (with, without) = join(line(h, &set.members, &tests, 0, how), line(h, &[], &tests, 0, how)).await;
    group.into_iter().partition(|found| {
        let model = &found.model;
        with.seen(model.test) == Some(model.flip) && without.seen(model.test) == Some(model.flip.other())
    })
}

/// Runs these tests one after another behind some others.
pub(crate) async fn line(h: &Shared, before: &[TestIdx], tests: &[TestIdx], nth: usize, how: How) -> Rc<Run> {
    h.ask(line_of(before, tests), OrderName::Probe, nth, how).await
}

fn line_of(before: &[TestIdx], tests: &[TestIdx]) -> Vec<TestIdx> {
    let rest = tests.iter().filter(|test| !before.contains(test));
    before.iter().chain(rest).copied().collect()
}

/// Tries every single test as a culprit of a group, and as a cleaner after its first set.
pub(crate) async fn every_test(h: &Shared, group: &mut [Found]) -> Tried {
    let (mut tried, mut all_known) = (Tried::default(), false);
    let tests: Vec<TestIdx> = group.iter().map(|found| found.model.test).collect();
    let others: Vec<TestIdx> =
        h.suite.all().filter(|test| tests != [*test] && !h.set_aside.borrow().contains(test)).collect();
    if h.afford(others.len(), None) {
        let shown = singles(h, group, &tests, &others).await;
        for (found, candidates) in group.iter_mut().zip(shown) {
            for single in candidates {
                convict_single(h, found, single).await;
            }
        }
        all_known = true;
        // What acts in some of its runs only may have been idle in the one run that each was given.
        let steady = |found: &Found| found.proofs.iter().all(|proof| proof.effect.k == proof.effect.n);
        tried.singles = group.iter().all(steady);
    }
    let Some(set) = group.first().and_then(|found| found.model.sets.first()).cloned() else { return tried };
    let found = cleaners::cleaners(h, group, &tests, &set, &others, all_known).await;
    for (place, cleaning) in found.cleaning {
        if !group[place].model.undoers.contains(&cleaning) {
            group[place].add_undoer(h, cleaning);
        }
    }
    tried.cleaners = found.complete;
    tried
}

/// Proves a test that seemed to flip it, or notes that something flipped it.
async fn convict_single(h: &Shared, found: &mut Found, single: TestIdx) {
    let (test, flip) = (found.model.test, found.model.flip);
    // It may have been another one in the line that flipped it.
    if !h.shows(&[single], test, flip, 1, How::next(Purpose::Search)).await {
        return;
    }
    let set = Culprits { members: vec![single], ordered: false };
    let mut model = found.model.clone();
    model.sets.push(set.clone());
    match confirm(h, &model, &set, h.suite.len()).await {
        Ok(proof) => found.convict(h, proof),
        Err(_) => found.stray += 1,
    }
}

/// For each of the group, tests that flip it on their own and are not known to.
async fn singles(h: &Shared, group: &[Found], tests: &[TestIdx], others: &[TestIdx]) -> Vec<Vec<TestIdx>> {
    let knows = |found: &Found, test: TestIdx| found.model.sets.iter().any(|set| set.members == [test]);
    let unknown: Vec<TestIdx> =
        others.iter().copied().filter(|test| !group.iter().all(|found| knows(found, *test))).collect();
    let lines = unknown.iter().map(|single| line_of(&[*single], tests)).collect();
    fans::ask(h, lines, Purpose::Search).await;
    let shows = |single: &TestIdx| {
        let line = line_of(&[*single], tests);
        let Some(seen) = fans::hint(h, &line) else { return true };
        let flips = |found: &Found| {
            let test = found.model.test;
            test != *single
                && line.iter().zip(&seen).any(|(other, seen)| *other == test && *seen == found.model.flip)
        };
        group.iter().any(flips)
    };
    let suspicious: Vec<TestIdx> = unknown.into_iter().filter(shows).collect();
    let mut runs: Vec<(TestIdx, Rc<Run>)> = stream::iter(suspicious)
        .map(
            |single| async move { (single, line(h, &[single], tests, 0, How::spare(Purpose::Search)).await) },
        )
        .buffer_unordered(window(h))
        .collect()
        .await;
    runs.sort_by_key(|(single, _)| *single);
    let flips = |found: &Found, single: TestIdx, run: &Run| {
        let test = found.model.test;
        single != test && !knows(found, single) && run.seen(test) == Some(found.model.flip)
    };
    group
        .iter()
        .map(|found| {
            runs.iter()
                .filter(|(single, run)| flips(found, *single, run))
                .map(|(single, _)| *single)
                .collect()
        })
        .collect()
}

/// How many spare questions wait at once: enough for every executor, few enough to be withdrawn.
pub(crate) fn window(h: &Shared) -> usize {
    2 * h.jobs.get().max(1) as usize
}
