//! From a test with failures to its class.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::{join, join_all};

use super::alone;
use super::baseline::baseline;
use super::calibrate;
use super::complete::{self, Tried};
use super::confirm::{Doubt, confirm};
use super::explain::{Found, everything, is_noisy};
use super::explore::{all_are_out, both_ways, explore, seen_both};
use super::imports;
use super::interference::{self, only_beside};
use super::localise::suspects;
use super::nondeterministic;
use super::plan::Goal;
use super::probe::How;
use super::{Shared, Stage, target};
use crate::core::outcome::{Outcome, Seen};
use crate::core::run::{Purpose, RunId};
use crate::core::suspects::Suspect;
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Class, Complete, Count, Culprits, Verdict};

/// How often a test that nothing explains well is run alone before its orders are searched.
const ALONE_FIRST: usize = 2;

/// How often the list of tests with failures is gone through.
const MOST_TURNS: usize = 4;

/// Sets that were found for other tests are tried on each test, up to this many.
const SHARED: usize = 16;

/// `shuffle`: baseline, orders, every test alone, then each test with a failure.
pub(crate) async fn whole_suite(h: Rc<Shared>) {
    let Goal::Shuffle { orders, bisect } = h.plan.goal.clone() else { return };
    let Some(rest_of_baseline) = baseline(&h).await else { return };
    let left = Cell::new(orders.len());
    let collected: Vec<TestIdx> = h.suite.all().collect();
    // With nothing beside it a long one would leave cores idle.
    let long = h.takes_long(&collected);
    let then = async {
        all_are_out(&h, &left).await;
        let last = async {
            if long {
                calibrate::in_the_end(&h, &collected).await;
            }
        };
        let alone = async {
            if bisect {
                alone::everyone(&h).await;
            }
        };
        join(last, alone).await;
    };
    join(rest_of_baseline, join(explore(&h, &orders, &left), then)).await;
    causes(&h, bisect).await;
    if !long {
        calibrate::in_the_end(&h, &collected).await;
    }
}

/// Each test with a failure.
async fn causes(h: &Rc<Shared>, bisect: bool) {
    h.stage.set(Stage::Hunt);
    interference::settle(h).await;
    if !bisect {
        for test in both_ways(h) {
            if !h.verdicts.borrow().contains_key(&test) && seen_both(h, test) == (false, true) {
                let mut verdict = opened(h, test);
                verdict.class = Class::Broken;
                h.verdicts.borrow_mut().insert(test, verdict);
            }
        }
        return;
    }
    // A search may come across failures of tests that no order showed: those have their turn as well.
    for _ in 0..MOST_TURNS {
        let mut groups: BTreeMap<Likeness, Vec<TestIdx>> = BTreeMap::new();
        for test in both_ways(h) {
            if !h.verdicts.borrow().contains_key(&test) {
                groups.entry(likeness(h, test)).or_default().push(test);
            }
        }
        if groups.is_empty() {
            break;
        }
        h.stage.set(Stage::Hunt);
        // What is found for the first of a group is asked of the rest first.
        let founds = join_all(groups.into_values().map(|group| async move {
            let (first, rest) = group.split_at(1);
            let first = investigate(h, first[0]).await;
            let rest = join_all(rest.iter().map(|test| investigate(h, *test))).await;
            [first].into_iter().chain(rest).flatten().collect::<Vec<Found>>()
        }))
        .await;
        finish(h, founds.into_iter().flatten().collect()).await;
        share(h).await;
        interference::settle(h).await;
    }
}

/// Tests that look alike may have one cause.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// One suspect stands out.
    Suspect(TestIdx),
    /// They failed in the same runs.
    Runs(Vec<RunId>),
}

fn likeness(h: &Shared, test: TestIdx) -> Likeness {
    let found = Found::nothing(test, Seen::Fail);
    match suspects(h, &found.model).first() {
        Some(best) if stands_out(h, best) => Likeness::Suspect(best.test),
        _ => Likeness::Runs(failing_runs(h, test)),
    }
}

/// Whether a suspect explains the runs better than the best of as many would by chance.
fn stands_out(h: &Shared, suspect: &Suspect) -> bool {
    suspect.ln_ratio > (h.suite.len().max(2) as f64).ln() + (1.0 / h.plan.care.alpha).ln()
}

/// Whether a test whose cause was looked for, and not found, has a verdict once company is put to the test.
async fn collides(h: &Shared, test: TestIdx) -> bool {
    interference::settle_one(h, test).await;
    h.verdicts.borrow().contains_key(&test)
}

/// Finds the class of one test, its culprits and the proof, and puts the verdict down. Gives what may be completed.
pub(crate) async fn investigate(h: &Shared, test: TestIdx) -> Option<Found> {
    let Some(alone) = h.after(&[], test, 0, How::next(Purpose::Alone)).await else {
        undecided(h, test, "it could not be run alone".into());
        return None;
    };
    let (passed, failed) = seen_both(h, test);
    let one = matches!(h.plan.goal, Goal::Bisect { .. });
    if alone == Seen::Pass && !one && only_beside(h).contains(&test) {
        // Runs collide; that is looked into when the searches are over.
        return None;
    }
    if alone == Seen::Fail && !passed {
        always_fails(h, test).await;
        return None;
    }
    if !failed {
        return None;
    }
    depends(h, test, alone.other()).await
}

/// It fails alone and was never seen to pass.
async fn always_fails(h: &Shared, test: TestIdx) {
    // Children may share what an earlier one has spoilt: that it fails alone, a process of its own must say.
    let own = How::next(Purpose::Repeat).fresh();
    let again = match h.plan.forks && !h.only_fresh.get() {
        true => calibrate::alone(h, test, own).await,
        false => h.after(&[], test, 1, own).await,
    };
    if again == Some(Seen::Pass) {
        nondeterministic::decide(h, test).await;
        return;
    }
    if imports::decide(h, test).await {
        return;
    }
    let mut verdict = opened(h, test);
    verdict.class = Class::Broken;
    let alone = h.failures_alone(test);
    verdict.notes.push(format!("fails alone too, {} of {}", alone.k, alone.n));
    h.verdicts.borrow_mut().insert(test, verdict);
}

/// It has one outcome alone and was seen with the other: what makes it flip?
async fn depends(h: &Shared, test: TestIdx, flip: Seen) -> Option<Found> {
    let mut found = Found::nothing(test, flip);
    let strong = suspects(h, &found.model).first().is_some_and(|best| stands_out(h, best));
    if !strong {
        for nth in 1..ALONE_FIRST {
            if h.after(&[], test, nth, How::next(Purpose::Repeat)).await == Some(flip) {
                nondeterministic::decide(h, test).await;
                return None;
            }
        }
    }
    let doubt = everything(h, &mut found).await.err();
    if doubt == Some(Doubt::FlipsAlone) || found.proofs.is_empty() {
        let lonely = h.one_at_a_time.get();
        if collides(h, test).await {
            return None;
        }
        if h.one_at_a_time.get() && !lonely {
            // What was searched beside other runs is searched again.
            return Box::pin(depends(h, test, flip)).await;
        }
        nondeterministic::decide_after(h, test, doubt).await;
        return None;
    }
    if is_noisy(h, &found).await {
        nondeterministic::decide(h, test).await;
        return None;
    }
    put_down(h, &found);
    Some(found)
}

/// Makes what was found complete where that is affordable, tests with one cause together.
pub(crate) async fn finish(h: &Shared, founds: Vec<Found>) {
    if founds.is_empty() {
        return;
    }
    h.stage.set(Stage::Complete);
    let groups = complete::groups(h, founds).await;
    join_all(groups.into_iter().map(async |mut group| {
        let strays: Vec<u32> = group.iter().map(|found| found.stray).collect();
        let tried = complete::every_test(h, &mut group).await;
        for (found, stray) in group.into_iter().zip(strays) {
            finish_one(h, found, stray, tried).await;
        }
    }))
    .await;
}

async fn finish_one(h: &Shared, mut found: Found, stray: u32, tried: Tried) {
    // Another set, or another cleaner, may have come up: the rest may be explained now.
    let mut flips_alone = everything(h, &mut found).await.err() == Some(Doubt::FlipsAlone);
    if !flips_alone && matches!(h.plan.goal, Goal::Bisect { .. }) {
        flips_alone = target::remains(h, &mut found).await.err() == Some(Doubt::FlipsAlone);
    }
    if flips_alone || (found.stray > stray && is_noisy(h, &found).await) {
        nondeterministic::decide(h, found.model.test).await;
        return;
    }
    found.complete = match found.model.flip {
        Seen::Fail => Complete { polluters: tried.singles, cleaners: tried.cleaners, state_setters: false },
        Seen::Pass => Complete { state_setters: tried.singles, cleaners: tried.cleaners, polluters: false },
    };
    put_down(h, &found);
    h.found.borrow_mut().insert(found.model.test, found);
}

/// Asks of every test that depends on others what was found for any of them: a cause with many victims is rarely found
/// for all of them at once.
async fn share(h: &Shared) {
    let mut known: Vec<Vec<TestIdx>> = h.culprits.borrow().clone();
    known.sort();
    known.dedup();
    let open: Vec<Found> = h.found.borrow().values().filter(|found| !is_complete(found)).cloned().collect();
    join_all(open.into_iter().map(|mut found| {
        let known = &known;
        async move {
            let test = found.model.test;
            let (flip, before) = (found.model.flip, found.proofs.len());
            for members in known.iter().take(SHARED).filter(|members| !members.contains(&test)) {
                let part = |set: &Culprits| set.members.iter().all(|member| members.contains(member));
                if found.model.sets.iter().any(part)
                    || !h.shows(members, test, flip, 1, How::next(Purpose::Search)).await
                {
                    continue;
                }
                let set = Culprits { members: members.clone(), ordered: false };
                let mut model = found.model.clone();
                model.sets.push(set.clone());
                if let Ok(proof) = confirm(h, &model, &set, h.suite.len()).await {
                    found.convict(h, proof);
                }
            }
            if found.proofs.len() > before {
                put_down(h, &found);
                h.found.borrow_mut().insert(test, found);
            }
        }
    }))
    .await;
}

fn is_complete(found: &Found) -> bool {
    found.complete.polluters || found.complete.state_setters
}

/// Writes the verdict of a victim or a brittle test.
fn put_down(h: &Shared, found: &Found) {
    let test = found.model.test;
    let mut verdict = opened(h, test);
    let mut undoers = found.model.undoers.clone();
    undoers.sort_unstable();
    let mut proofs: Vec<_> = found.proofs.iter().collect();
    proofs.sort_by(|a, b| a.culprits.members.cmp(&b.culprits.members));
    let sets = proofs.iter().map(|proof| proof.culprits.clone()).collect();
    match found.model.flip {
        Seen::Fail => {
            verdict.class = Class::Victim;
            verdict.polluters = sets;
            verdict.cleaners = undoers;
        }
        Seen::Pass => {
            verdict.class = Class::Brittle;
            verdict.state_setters = sets;
            verdict.unsetters = undoers;
        }
    }
    verdict.complete = found.complete;
    verdict.confirmed = proofs.first().map(|proof| proof.confirmation);
    verdict.effect = proofs.first().map(|proof| proof.effect);
    verdict.explained = found.explained(h);
    verdict.notes = found.notes.clone();
    let smallest = proofs.iter().min_by_key(|proof| proof.culprits.members.len());
    verdict.imported = smallest.map(|proof| proof.needs.clone()).unwrap_or_default();
    for proof in proofs.iter().filter(|proof| !proof.needs.is_empty()) {
        let names: Vec<&str> = proof.culprits.members.iter().map(|test| h.suite.node_id(*test)).collect();
        let files: Vec<&str> = proof.needs.iter().map(|file| h.suite.file(*file)).collect();
        let (names, files) = (names.join(", then "), files.join(" and "));
        verdict.notes.push(format!("{names}: makes the difference only where {files} is imported too"));
    }
    let left = verdict.explained.n - verdict.explained.k;
    if left > 0 {
        verdict.notes.push(format!(
            "{left} of {} orders are not explained by the tests named here",
            verdict.explained.n
        ));
    }
    h.verdicts.borrow_mut().insert(test, verdict);
}

/// A verdict with what every verdict says: counts, the worst failure, where it failed.
pub(crate) fn opened(h: &Shared, test: TestIdx) -> Verdict {
    let evidence = h.evidence(test);
    let outcome = evidence
        .iter()
        .filter_map(|(run, _)| run.outcome(test))
        .filter(|outcome| outcome.is_failure())
        .max()
        .unwrap_or(Outcome::Failed);
    Verdict {
        test,
        class: Class::Undecided,
        outcome,
        polluters: Vec::new(),
        state_setters: Vec::new(),
        cleaners: Vec::new(),
        unsetters: Vec::new(),
        import_polluters: Vec::new(),
        imported: Vec::new(),
        failed: h.failures_in_orders(test),
        complete: Complete::default(),
        confirmed: None,
        explained: Count::default(),
        effect: None,
        failing_runs: failing_runs(h, test),
        undecided: None,
        notes: Vec::new(),
    }
}

/// Puts down that it is not known, and why.
pub(crate) fn undecided(h: &Shared, test: TestIdx, why: String) {
    let mut verdict = opened(h, test);
    verdict.undecided = Some(why);
    h.verdicts.borrow_mut().insert(test, verdict);
}

/// The runs in which it failed, fewest tests before it first.
fn failing_runs(h: &Shared, test: TestIdx) -> Vec<RunId> {
    let mut runs: Vec<(usize, RunId)> = h
        .evidence(test)
        .into_iter()
        .filter(|(_, seen)| *seen == Seen::Fail)
        .map(|(run, _)| (run.before(test).len(), run.record.run))
        .collect();
    runs.sort_unstable();
    runs.into_iter().map(|(_, run)| run).collect()
}
