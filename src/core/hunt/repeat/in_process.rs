//! Again and again in one process: a test that passes the first time and fails a later time leaves something behind that
//! it does not bear.
//!
//! A test that fails at random does that too, now and then. So further processes have to fail at the very same time, and
//! never before it.

use super::settle::{always, judged, of, put, sometimes, undecided};
use super::{Decides, Factor, Subject, enough};
use crate::core::hunt::board::{Run, Urgency};
use crate::core::hunt::plan::Like;
use crate::core::hunt::probe::How;
use crate::core::outcome::{Outcome, Seen};
use crate::core::run::{Manner, Purpose};
use crate::core::stats::{ln_common_rate, ln_evidence_never};
use crate::core::verdict::{Class, Confirmation, Count, ordinal};

/// A test that ends its process is repeated in another one, so many times.
const PROCESSES: u32 = 10;
/// Processes that show it where they cost little, and the most that are asked.
const SHOWN: u32 = 10;
const MOST: u32 = 40;
/// Processes in which it fails at no such time, before it is called chance.
const NEVER: u32 = 6;
/// Fresh starts that show a failure of the first time: as many as miss one, at the rate that was seen, in one case of a
/// hundred, and no fewer than these.
const MISSED: f64 = 0.01;
const FIRST: u32 = 20;

/// Repeats it in one process; in another one where that one dies.
pub(super) async fn count(s: &Subject<'_>) {
    let mut count = Count::default();
    for _ in 0..PROCESSES {
        let left = s.r.count - count.n;
        let max_fail = s.r.max_fail.map(|most| most - count.k);
        let run = one(s, Purpose::Counted, left, max_fail, false).await;
        let told = seen(s, &run);
        told.iter().for_each(|seen| count.add(*seen == Seen::Fail));
        if told.is_empty() || count.n >= s.r.count || enough(s.r, count) {
            break;
        }
    }
}

/// Puts down a verdict, where it failed.
pub(super) async fn settle(s: &Subject<'_>) {
    let counted = s.counted_runs();
    let failed = |run: &&std::rc::Rc<Run>| seen(s, run).contains(&Seen::Fail);
    let Some(run) = counted.iter().find(failed) else { return };
    let first = seen(s, run).iter().position(|seen| *seen == Seen::Fail).unwrap_or_default();
    if first == 0 {
        // What fails the first time is no matter of the second.
        from_fresh_starts(s).await;
        return;
    }
    later(s, first as u32 + 1).await;
}

/// It failed the `since`-th time (from 1) and not before: does it always?
async fn later(s: &Subject<'_>, since: u32) {
    let care = s.h.plan.care;
    let (mut with, mut without) = (Count::default(), Count::default());
    for process in 0..MOST {
        // Processes of their own first: without them it is a candidate.
        let run = one(s, Purpose::Confirm, since, None, process < care.fresh).await;
        let told = seen(s, &run);
        if told.is_empty() {
            break;
        }
        for (at, seen) in told.iter().enumerate() {
            let count = if at as u32 + 1 == since { &mut with } else { &mut without };
            count.add(*seen == Seen::Fail);
        }
        if without.k > 0 || (with.k == 0 && with.n >= NEVER) {
            break;
        }
        let ln_enough = -care.alpha.ln();
        let proven = if with.k == with.n {
            -ln_common_rate(with, without) >= ln_enough
        } else {
            ln_evidence_never(with, without.n) >= ln_enough
        };
        if proven && with.n >= SHOWN {
            let times = Decides { factor: Factor::TimesInProcess, with, without, since: Some(since) };
            s.h.decides.borrow_mut().insert(s.test, times);
            let mut verdict = judged(s, Class::NonIdempotent);
            verdict.confirmed = Some(Confirmation { with, without });
            if with.k < with.n {
                verdict.effect = Some(with);
            }
            put(s, verdict);
            return;
        }
    }
    if from_fresh_starts(s).await {
        return;
    }
    let why = format!(
        "it failed the {} time in one process; in others it failed that time in {} and earlier in {}, and from fresh \
         starts in {}",
        ordinal(since),
        of(with),
        of(without),
        of(s.failures(|_| true))
    );
    undecided(s, why);
}

/// Whether it fails from fresh starts as well: then that is what is wrong with it.
async fn from_fresh_starts(s: &Subject<'_>) -> bool {
    let how = How::next(Purpose::Confirm);
    let (mut failed, mut ran) = (0, 0);
    for run in s.counted_runs() {
        let told = seen(s, &run);
        failed += told.iter().filter(|seen| **seen == Seen::Fail).count() as u32;
        ran += told.len() as u32;
    }
    let rate = Count { k: failed, n: ran }.rate();
    let needed = (MISSED.ln() / (-rate).ln_1p()).ceil().min(f64::from(u32::MAX)) as u32;
    for _ in 0..needed.clamp(FIRST, s.r.count.max(FIRST)) {
        let _ = s.once(how, s.like(0)).await;
        let seen = s.failures(|_| true);
        if seen.k > 0 && seen.k < seen.n {
            sometimes(s).await;
            return true;
        }
    }
    let seen = s.failures(|_| true);
    if seen.n > 0 && seen.k == seen.n {
        return always(s).await;
    }
    false
}

/// So many repeats in one process.
async fn one(
    s: &Subject<'_>,
    purpose: Purpose,
    times: u32,
    max_fail: Option<u32>,
    fresh: bool,
) -> std::rc::Rc<Run> {
    let how = How { urgency: Urgency::Soon, ..How::next(purpose) };
    let how = if fresh { how.fresh() } else { how };
    let manner = Manner { measured: true, fresh_fixtures: s.r.fresh_fixtures, max_fail, ..Manner::default() };
    let like = Like { manner, ..Like::default() };
    s.h.ask_like(s.times(times), s.name.clone(), how, like).await
}

/// What a run in one process tells of each time.
fn seen(s: &Subject<'_>, run: &Run) -> Vec<Seen> {
    if !s.h.is_evidence(run) {
        return Vec::new();
    }
    let times = run.record.outcomes.get(s.before.len()..).unwrap_or_default();
    times.iter().copied().map_while(Outcome::seen).collect()
}
