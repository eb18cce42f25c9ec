//! `rerun`: the suite as it is, then what failed again, after the same tests and alone.
//!
//! Every run is a process of its own with nothing beside it, so fixtures of every scope are made anew, and what a test
//! does there is its own doing.

use std::rc::Rc;

use super::Shared;
use super::Stage;
use super::board::Run;
use super::classify::opened;
use super::plan::Goal;
use super::probe::How;
use crate::core::order::OrderName;
use crate::core::outcome::{Outcome, Seen};
use crate::core::rerun::{Attempt, Place, Rerun, Standing, attempt, attempts, failed_at_first};
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Class, Count, Verdict};

/// What a notice is about where more failed than flakiness explains.
const OUTAGE: &str = "outage";
/// What a notice is about where tests never had their turn.
const NOT_REACHED: &str = "not-reached";

/// Runs the suite, then rounds of reruns until every failed test has passed, or has been run again often enough.
pub(crate) async fn suite_and_reruns(h: Rc<Shared>, rerun: Rerun) {
    let suite = suite(&h).await;
    let failed = with_attempts(&h, failed_at_first);
    if rerun.is_outage(failed.len()) {
        let text = format!(
            "{} tests failed, more than the {} that may be run again (--max-rerun-tests): that is an outage, not \
             flakiness; nothing is run again",
            failed.len(),
            rerun.most.unwrap_or_default()
        );
        h.say(OUTAGE, text);
        return;
    }
    h.stage.set(Stage::Hunt);
    for round in 0..rerun.reruns {
        let open: Vec<TestIdx> = failed.iter().copied().filter(|test| is_open(&h, &rerun, *test)).collect();
        if open.is_empty() {
            return;
        }
        let mut wait_ms = rerun.waits.before(round);
        for run in &suite {
            // One run for all of them: each has before it what it had before it.
            let Some(last) =
                open.iter().filter(|test| run.outcome(**test).is_some()).max_by_key(|test| run.place(**test))
            else {
                continue;
            };
            let order = [run.before(*last), &[*last]].concat();
            let how = How { wait_ms: std::mem::take(&mut wait_ms), ..how(Purpose::Repeat) };
            h.once_more(order, run.spec.name.clone(), how).await;
        }
        for test in open {
            if is_open(&h, &rerun, test) && alone_tells(&h, test) {
                h.once_more(vec![test], OrderName::Probe, how(Purpose::Alone)).await;
            }
        }
    }
}

fn how(purpose: Purpose) -> How {
    How { full: true, ..How::next(purpose).fresh().exclusive() }
}

/// The suite in collection order; where the process dies, what it left goes on in another one.
async fn suite(h: &Shared) -> Vec<Rc<Run>> {
    let mut runs: Vec<Rc<Run>> = Vec::new();
    let mut left: Vec<TestIdx> = h.suite.all().collect();
    let mut name = OrderName::Collection;
    while !left.is_empty() {
        let run = h.once_more(left.clone(), name, how(Purpose::Baseline)).await;
        let reached = |test: &TestIdx| run.outcome(*test).is_some();
        let rest: Vec<TestIdx> = left.iter().copied().filter(|test| !reached(test)).collect();
        if rest.len() == left.len() {
            let why = run.record.invalid.clone().unwrap_or_else(|| "no test had its turn".to_owned());
            if runs.is_empty() {
                h.say("no-baseline", why);
            } else {
                h.say(NOT_REACHED, format!("{} tests never had their turn: {why}", left.len()));
            }
            break;
        }
        runs.push(run);
        left = rest;
        name = OrderName::Probe;
    }
    runs
}

/// Asks what is known of all tests.
fn with_attempts<T>(h: &Shared, look: impl FnOnce(&[Vec<Attempt<'_>>]) -> T) -> T {
    let runs = h.board.runs();
    look(&attempts(h.suite.len(), runs.iter().map(|run| (&run.spec, &run.record))))
}

/// Asks what is known of one test.
fn knowing<T>(h: &Shared, test: TestIdx, look: impl FnOnce(&[Attempt<'_>]) -> T) -> T {
    let runs = h.board.runs();
    let attempts: Vec<Attempt<'_>> =
        runs.iter().filter_map(|run| attempt(&run.spec, &run.record, run.place(test)?)).collect();
    look(&attempts)
}

/// Whether running it again in its context could tell more: it has not passed there, and its last failure is one to be
/// run again.
fn is_open(h: &Shared, rerun: &Rerun, test: TestIdx) -> bool {
    knowing(h, test, |attempts| {
        let last = attempts.iter().rfind(|attempt| attempt.outcome.is_failure());
        !passed(attempts, |place| place != Place::Alone)
            && last.is_some_and(|last| rerun.is_wanted(last.account))
    })
}

/// Whether running it alone could tell more: something ran before it, and it has not passed alone.
fn alone_tells(h: &Shared, test: TestIdx) -> bool {
    knowing(h, test, |attempts| {
        attempts.iter().all(|attempt| attempt.place == Place::Alone || attempt.at > 0)
            && !passed(attempts, |place| place == Place::Alone)
    })
}

fn passed(attempts: &[Attempt<'_>], place: impl Fn(Place) -> bool) -> bool {
    attempts.iter().any(|attempt| place(attempt.place) && attempt.outcome.seen() == Some(Seen::Pass))
}

/// What the runs say of every test that failed in one of them, in collection order.
pub(crate) fn verdicts(h: &Shared) -> Vec<Verdict> {
    let Goal::Rerun(rerun) = &h.plan.goal else { return Vec::new() };
    with_attempts(h, |attempts| {
        let outage = rerun.is_outage(failed_at_first(attempts).len());
        h.suite
            .all()
            .zip(attempts)
            .filter(|(_, attempts)| matches!(Standing::of(attempts), Standing::Flaky | Standing::Failed))
            .map(|(test, attempts)| verdict(h, rerun, test, attempts, outage))
            .collect()
    })
}

fn verdict(h: &Shared, rerun: &Rerun, test: TestIdx, attempts: &[Attempt<'_>], outage: bool) -> Verdict {
    let count = |alone: bool| {
        let mut count = Count::default();
        attempts
            .iter()
            .filter(|attempt| (attempt.place == Place::Alone) == alone)
            .for_each(|attempt| count.add(attempt.outcome.is_failure()));
        count
    };
    let (in_order, alone) = (count(false), count(true));
    let both = |count: Count| count.k > 0 && count.k < count.n;
    let last = attempts.iter().rfind(|attempt| attempt.outcome.is_failure());
    let wanted = last.is_some_and(|last| rerun.is_wanted(last.account));
    let mut verdict = opened(h, test);
    verdict.outcome = attempts
        .iter()
        .map(|one| one.outcome)
        .filter(|one| one.is_failure())
        .max()
        .unwrap_or(Outcome::Failed);
    let undecided = |why: &str| (Class::Undecided, Some(why.to_owned()));
    (verdict.class, verdict.undecided) = match Standing::of(attempts) {
        Standing::Flaky if both(in_order) || both(alone) => (Class::NonDeterministic, None),
        // It fails in its order and passes alone: nothing is run alone that did not fail in its order.
        Standing::Flaky => {
            undecided("it passed alone and never in its order: it looks order-dependent, which is not proven")
        }
        _ if outage => undecided("it was not run again: too many tests failed"),
        _ if wanted && h.stage.get() != Stage::Done => {
            undecided("the hunt ended before it was run again often enough")
        }
        _ => (Class::Broken, None),
    };
    if verdict.class == Class::Broken && !wanted {
        verdict
            .notes
            .push("failures like its last one are not run again (--only-rerun, --rerun-except)".into());
    }
    verdict
}
