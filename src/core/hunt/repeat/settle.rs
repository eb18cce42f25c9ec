//! What is wrong with a test that failed from a fresh start?

use futures_util::future::join;

use super::{Decides, Factor, Subject, seeds};
use crate::core::hunt::board::Run;
use crate::core::hunt::classify::opened;
use crate::core::hunt::probe::How;
use crate::core::outcome::{Outcome, Seen};
use crate::core::run::Purpose;
use crate::core::stats::{Alternative, fisher};
use crate::core::verdict::{Class, Confirmation, Count, Verdict, ordinal};

/// Runs in processes of their own that show that a test always fails.
const BROKEN: u32 = 2;
/// With so many runs the rarer outcome, at the rate that was seen, is missed in one case of a thousand. Most end much
/// earlier: at the first time that it is seen.
const MISSED: f64 = 0.001;
/// The chance of taking forked children for liars where they fail as often as fresh processes.
const ONLY_FORKED: f64 = 0.001;
/// The chance, for a test that fails as often with nothing beside it, of being called interference.
const COMPANY: f64 = 0.01;
/// Rounds of two processes side by side that have to show a collision which children of one server showed.
const TOGETHER: u32 = 10;
/// The chance, for a test with one rate, that its outcome is said to go with the repeat's number.
const TREND: f64 = 0.001;
/// The same, of the first run alone, which fewer than a hundred others cannot show.
const FIRST_ONLY: f64 = 0.02;

/// Puts down a verdict, where it failed.
pub(super) async fn settle(s: &Subject<'_>) {
    let counted = s.failures(Subject::is_counted);
    if counted.k == 0 {
        return;
    }
    if s.failures(|_| true).k == s.failures(|_| true).n && always(s).await {
        return;
    }
    sometimes(s).await;
}

/// It never passed. False where it does.
pub(super) async fn always(s: &Subject<'_>) -> bool {
    for _ in 0..BROKEN {
        if s.once(How::next(Purpose::Confirm).fresh(), s.like(0)).await != Some(Seen::Fail) {
            return false;
        }
    }
    let all = s.failures(|_| true);
    if s.before.is_empty() {
        let mut verdict = judged(s, Class::Broken);
        verdict.notes.push(format!("it failed each time, {} of {}", all.k, all.n));
        put(s, verdict);
        return true;
    }
    let how = How::next(Purpose::Alone).fresh();
    let mut alone = Count::default();
    for nth in 0..BROKEN {
        if let Some(seen) = s.h.after(&[], s.test, nth as usize, how).await {
            alone.add(seen == Seen::Fail);
        }
    }
    if alone.k == alone.n {
        put(s, judged(s, Class::Broken));
    } else {
        let why = format!(
            "it failed each time at its place in this order, {} of {}, and alone in {} of {}: what runs before it \
             decides",
            all.k, all.n, alone.k, alone.n
        );
        undecided(s, why);
    }
    true
}

/// It has passed and failed.
pub(super) async fn sometimes(s: &Subject<'_>) {
    if let Some(trend) = trend(s) {
        s.h.decides.borrow_mut().insert(s.test, trend);
        let since = trend.since.unwrap_or_default();
        let why = format!(
            "it failed in {} of the runs before its {} and in {} from then on: something outside of the process (a \
             file, a database, the time) seems to remember it",
            of(trend.without),
            ordinal(since),
            of(trend.with)
        );
        undecided(s, why);
        return;
    }
    if let Some(decides) = seeds::decide(s).await {
        s.h.decides.borrow_mut().insert(s.test, decides);
        let mut verdict = judged(s, Class::NonDeterministic);
        verdict.confirmed = Some(Confirmation { with: decides.with, without: decides.without });
        put(s, verdict);
        return;
    }
    let most = s.r.count.max(s.h.plan.care.alone);
    let how = How::next(Purpose::Confirm);
    if s.h.plan.jobs > 1 && !both(s, |run| !run.record.beside, how.exclusive(), most).await {
        company(s).await;
        return;
    }
    if s.h.plan.forks && !both(s, |run| run.record.fresh, how.fresh(), affordable(s)).await {
        only_forked(s).await;
        return;
    }
    put(s, judged(s, Class::NonDeterministic));
}

/// Runs it like this until both outcomes were seen in such runs; false where that takes too many.
async fn both(s: &Subject<'_>, which: impl Fn(&Run) -> bool, how: How, most: u32) -> bool {
    let rate = s.failures(|_| true).rate();
    let rarer = rate.min(1.0 - rate);
    let needed = (MISSED.ln() / (-rarer).ln_1p()).ceil().min(f64::from(u32::MAX)) as u32;
    let most = needed.clamp(5, most.max(5));
    let seen = || s.failures(&which);
    let mut more = most.saturating_sub(seen().n);
    loop {
        let count = seen();
        if count.k > 0 && count.k < count.n {
            return true;
        }
        if more == 0 || s.once(how, s.like(most - more)).await.is_none() {
            return false;
        }
        more -= 1;
    }
}

/// How many runs in processes of their own are no more than bearable.
fn affordable(s: &Subject<'_>) -> u32 {
    let runs = s.h.board.runs();
    let each = runs.iter().filter(|run| run.record.fresh).map(|run| run.record.effort_ms()).min();
    let care = s.h.plan.care;
    let most = care.spare_ms / each.unwrap_or(1).max(1);
    u32::try_from(most).unwrap_or(u32::MAX).min(care.alone)
}

/// Its rarer outcome was seen beside other runs only.
async fn company(s: &Subject<'_>) {
    let beside = |run: &Run| run.record.beside;
    let (company, by_itself) = (s.failures(beside), s.failures(|run| !run.record.beside));
    let collides = by_itself.k == 0 && fisher(company, by_itself, Alternative::Greater) < COMPANY;
    let fresh = |s: &Subject<'_>| s.failures(|run| beside(run) && run.record.fresh);
    if collides && s.h.plan.forks {
        for _ in 0..TOGETHER {
            if fresh(s).k > 0 {
                break;
            }
            let how = How::next(Purpose::Confirm).fresh().together();
            join(s.ask(how, s.like(0)), s.ask(how, s.like(1))).await;
        }
    }
    let counts = format!(
        "it failed in {} of {} runs beside other runs and in {} of {} with nothing beside",
        company.k, company.n, by_itself.k, by_itself.n
    );
    if collides && (!s.h.plan.forks || fresh(s).k > 0) {
        let mut verdict = judged(s, Class::Interference);
        verdict.notes.push(counts);
        verdict.confirmed = Some(Confirmation { with: company, without: by_itself });
        put(s, verdict);
        return;
    }
    if s.h.plan.forks && s.failures(|run| run.record.fresh).k == 0 {
        // Not beside one another either: what they have in common is that they were forked.
        only_forked(s).await;
        return;
    }
    undecided(
        s,
        format!("{counts}: too few to know whether the company matters; `--jobs 1` keeps runs apart"),
    );
}

/// Its rarer outcome was seen in forked children only.
async fn only_forked(s: &Subject<'_>) {
    let counts = || (s.failures(|run| !run.record.fresh), s.failures(|run| run.record.fresh));
    let (mut forked, mut fresh) = counts();
    // More processes of their own, while they may still tell.
    while fresh.n < affordable(s) && fisher(forked, fresh, Alternative::TwoSided) >= ONLY_FORKED {
        if s.once(How::next(Purpose::Confirm).fresh(), s.like(0)).await.is_none() {
            break;
        }
        (forked, fresh) = counts();
        if fresh.k > 0 && fresh.k < fresh.n {
            put(s, judged(s, Class::NonDeterministic));
            return;
        }
    }
    let counts = format!(
        "it failed in {} of {} forked children and in {} of {} fresh processes",
        forked.k, forked.n, fresh.k, fresh.n
    );
    if fisher(forked, fresh, Alternative::TwoSided) < ONLY_FORKED {
        s.h.distrust(format!("{} {}", s.h.suite.node_id(s.test), counts.trim_start_matches("it "))).await;
    }
    undecided(
        s,
        format!("{counts}: too few of these to be sure of both outcomes; `--executor spawn` makes more"),
    );
}

/// The repeat from which on the outcome is another one, if there is one.
fn trend(s: &Subject<'_>) -> Option<Decides> {
    let seen: Vec<bool> = s.runs().iter().map(|(_, seen)| *seen == Seen::Fail).collect();
    let total = seen.iter().filter(|failed| **failed).count() as u32;
    let mut before = Count::default();
    let mut best: Option<(f64, Decides)> = None;
    for failed in &seen[..seen.len().saturating_sub(1)] {
        before.add(*failed);
        let after = Count { k: total - before.k, n: seen.len() as u32 - before.n };
        // Only all of one side: a rate that drifts is not called a cause.
        let clean = |count: Count| count.k == 0 || count.k == count.n;
        if !clean(before) || !clean(after) {
            continue;
        }
        // The very first run is a place that nobody had to look for.
        let (places, trend) =
            if before.n == 1 { (1.0, FIRST_ONLY) } else { ((seen.len() - 1) as f64, TREND) };
        let p = fisher(before, after, Alternative::TwoSided) * places;
        if p < trend && best.is_none_or(|(least, _)| p < least) {
            let since = Some(before.n + 1);
            best = Some((p, Decides { factor: Factor::RepeatNumber, with: after, without: before, since }));
        }
    }
    best.map(|(_, trend)| trend)
}

/// A verdict with what is known of the repeats.
pub(super) fn judged(s: &Subject<'_>, class: Class) -> Verdict {
    let (mut failing, mut worst, mut count) = (Vec::new(), None, Count::default());
    for run in s.counted_runs() {
        for outcome in s.counted_outcomes(&run) {
            let failed = outcome.is_failure();
            count.add(failed);
            if failed {
                worst = worst.max(Some(outcome));
                failing.push(run.record.run);
            }
        }
    }
    failing.dedup();
    let mut verdict = opened(s.h, s.test);
    verdict.class = class;
    verdict.failed = count;
    verdict.outcome = worst.unwrap_or(Outcome::Failed);
    verdict.failing_runs = failing;
    verdict
}

/// Puts a verdict down.
pub(super) fn put(s: &Subject<'_>, verdict: Verdict) {
    s.h.verdicts.borrow_mut().insert(s.test, verdict);
}

/// Puts down that it is not known, and why.
pub(super) fn undecided(s: &Subject<'_>, why: String) {
    let mut verdict = judged(s, Class::Undecided);
    verdict.undecided = Some(why);
    put(s, verdict);
}

/// `3 of 4`.
pub(super) fn of(count: Count) -> String {
    format!("{} of {}", count.k, count.n)
}
