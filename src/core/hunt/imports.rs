//! Fails whatever the order, but not when only its own file is collected: which file's import does it?

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::Shared;
use super::classify::opened;
use super::probe::How;
use crate::core::minimize;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::test_id::{FileIdx, TestIdx};
use crate::core::verdict::{Class, Confirmation, Count};

/// More minimal sets of files than this are not looked for.
const MOST_SETS: usize = 8;

/// Decides whether it is import-polluted, and by which files. False where it is not.
pub(crate) async fn decide(h: &Shared, test: TestIdx) -> bool {
    let own = h.suite.file_of(test);
    let others: Vec<FileIdx> = h.suite.files().filter(|file| *file != own).collect();
    if others.is_empty() || collected(h, test, &[], 0, false).await != Some(Seen::Pass) {
        return false;
    }
    let mut sets: Vec<Vec<FileIdx>> = Vec::new();
    let mut left = others.clone();
    let ask = async |subsets: Vec<Vec<FileIdx>>| {
        join_all(
            subsets.iter().map(async |files| collected(h, test, files, 0, false).await == Some(Seen::Fail)),
        )
        .await
    };
    let mut complete = false;
    if h.afford(others.len(), None) {
        let singles = ask(others.iter().map(|file| vec![*file]).collect()).await;
        sets = others.iter().zip(singles).filter(|(_, fails)| *fails).map(|(file, _)| vec![*file]).collect();
        left.retain(|file| !sets.iter().any(|set| set.contains(file)));
        complete = true;
    }
    // What still fails without the files found so far has another cause.
    while sets.len() < MOST_SETS && !left.is_empty() && ask(vec![left.clone()]).await[0] {
        let width = h.plan.jobs.max(1) as usize;
        let Some(set) = minimize::by_suffix(&left, width, &ask).await else { break };
        left.retain(|file| *file != set[0]);
        sets.push(set);
    }
    let mut confirmed = Vec::new();
    let mut proof = Confirmation::default();
    for set in sets {
        if let Some(counts) = confirm(h, test, &set).await {
            if confirmed.is_empty() {
                proof = counts;
            }
            confirmed.push(set);
        }
    }
    if confirmed.is_empty() {
        return false;
    }
    let mut verdict = opened(h, test);
    verdict.class = Class::ImportPolluted;
    verdict.import_polluters = confirmed;
    verdict.complete.polluters = complete;
    verdict.confirmed = Some(proof);
    verdict.explained = Count { k: verdict.failed.k, n: verdict.failed.n };
    h.verdicts.borrow_mut().insert(test, verdict);
    true
}

/// The files that have to be collected besides their own for these tests to make the difference to a test, where with
/// their own alone they do not; none where that cannot be told.
pub(crate) async fn needed(h: &Shared, before: &[TestIdx], test: TestIdx, flip: Seen) -> Vec<FileIdx> {
    let own = h.files_of(before, test);
    let others: Vec<FileIdx> = h.suite.files().filter(|file| !own.contains(file)).collect();
    let flips = async |files: &Vec<FileIdx>| {
        let all: BTreeSet<FileIdx> = own.iter().chain(files).copied().collect();
        let all: Vec<FileIdx> = all.into_iter().collect();
        let how = How::next(Purpose::Files);
        h.again_among(&all, before, test, how).await == Some(flip)
            && h.again_among(&all, &[], test, how).await == Some(flip.other())
    };
    let ask = async |subsets: Vec<Vec<FileIdx>>| join_all(subsets.iter().map(&flips)).await;
    // What one set needs, another one may need as well.
    let known = h.needed.borrow().clone();
    for files in known {
        if flips(&files).await && flips(&files).await {
            return files;
        }
    }
    let width = h.plan.jobs.max(1) as usize;
    let Some(files) = minimize::by_suffix(&others, width, &ask).await else { return Vec::new() };
    if !flips(&files).await {
        return Vec::new();
    }
    h.needed.borrow_mut().push(files.clone());
    files
}

/// With the files it fails, without any one of them it passes, in fresh processes.
async fn confirm(h: &Shared, test: TestIdx, set: &[FileIdx]) -> Option<Confirmation> {
    let mut proof = Confirmation::default();
    for nth in 0..h.plan.care.fresh.max(3) as usize {
        proof.with.add(collected(h, test, set, nth, true).await? == Seen::Fail);
        let leave = nth % set.len();
        let without: Vec<FileIdx> =
            set.iter().enumerate().filter(|(place, _)| *place != leave).map(|(_, file)| *file).collect();
        proof.without.add(collected(h, test, &without, nth / set.len(), true).await? == Seen::Fail);
    }
    (proof.with.k == proof.with.n && proof.without.k == 0).then_some(proof)
}

/// The test alone, with only these files and its own collected, in collection order.
async fn collected(h: &Shared, test: TestIdx, files: &[FileIdx], nth: usize, fresh: bool) -> Option<Seen> {
    let mut files = files.to_vec();
    files.push(h.suite.file_of(test));
    files.sort_unstable();
    let how = How::next(Purpose::Files);
    h.after_among(&files, &[], test, nth, if fresh { how.fresh() } else { how }).await
}
