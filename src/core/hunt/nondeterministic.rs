//! Both outcomes in the same order: shown where the order is the test alone.

use super::Shared;
use super::calibrate;
use super::classify::{opened, undecided};
use super::confirm::Doubt;
use super::explain::Found;
use super::localise::suspects;
use super::probe::How;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::stats::{Alternative, fisher};
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Class, Count};

/// The chance, for a test with one rate, of being called order-dependent in its rate.
const ALPHA: f64 = 0.001;
/// The chance of taking forked children for liars where they fail as often as fresh processes.
const ONLY_FORKED: f64 = 0.001;
/// The chance of missing an outcome of a test that fails by itself, at the rate seen in the orders.
const MISSED: f64 = 0.001;
/// After how many runs each way rates are compared: each look has its share of [`ALPHA`], so that
/// looking more than once costs no certainty (Bonferroni).
const LOOKS: [u32; 3] = [10, 20, 30];

/// Decides between non-deterministic, NDOD and undecided.
pub(crate) async fn decide(h: &Shared, test: TestIdx) {
    decide_after(h, test, None).await;
}

/// The same, after a search for culprits that ended in doubt.
pub(crate) async fn decide_after(h: &Shared, test: TestIdx, doubt: Option<Doubt>) {
    if !both_alone(h, test, Whose::Anybody).await {
        if h.plan.forks && !h.only_fresh.get() {
            // Children that share what one of them has spoilt show what nothing explains.
            calibrate::alone(h, test, How::next(Purpose::Repeat).fresh()).await;
        }
        undecided(h, test, reason(h, test, doubt));
        return;
    }
    // What children show is a candidate, here as everywhere.
    if h.plan.forks && !both_alone(h, test, Whose::Fresh).await {
        let fresh = undisturbed_alone(h, test, Whose::Fresh);
        let all = undisturbed_alone(h, test, Whose::Anybody);
        let forked = Count { k: all.k - fresh.k, n: all.n - fresh.n };
        let counts = format!(
            "failed alone in {} of {} forked children and in {} of {} fresh processes",
            forked.k, forked.n, fresh.k, fresh.n
        );
        if fisher(forked, fresh, Alternative::TwoSided) < ONLY_FORKED {
            h.distrust(format!("{} {counts}", h.suite.node_id(test))).await;
        }
        undecided(h, test, format!("{counts}: too few to be sure of both outcomes"));
        return;
    }
    let rate_depends = rate_depends(h, test).await;
    let mut verdict = opened(h, test);
    verdict.class = if rate_depends.is_some() { Class::Ndod } else { Class::NonDeterministic };
    let alone = h.failures_alone(test);
    verdict.notes.push(format!("with nothing before it, it failed in {} of {} runs", alone.k, alone.n));
    verdict.notes.extend(rate_depends);
    verdict.effect = Some(alone);
    h.verdicts.borrow_mut().insert(test, verdict);
}

/// Whose runs are asked.
#[derive(Clone, Copy, PartialEq)]
enum Whose {
    Anybody,
    /// Processes of their own.
    Fresh,
}

/// Runs the test alone until both outcomes were seen with nothing beside it.
async fn both_alone(h: &Shared, test: TestIdx, whose: Whose) -> bool {
    let orders = h.failures_in_orders(test);
    let mut rate = orders.rate().min(1.0 - orders.rate());
    let alone = h.failures_alone(test);
    if alone.k > 0 && alone.k < alone.n {
        // Seen beside other runs only, but seen: what it does alone is what counts.
        rate = rate.min(alone.rate().min(1.0 - alone.rate()));
    }
    let rate = rate.max(0.01);
    // So many that the rarer outcome, at the rate seen in the orders, is missed in one case of a thousand.
    let enough = (MISSED.ln() / (1.0 - rate).ln()).ceil() as u32;
    let most = enough.clamp(10, h.plan.care.alone);
    let how = How::next(Purpose::Repeat).exclusive();
    let how = if whose == Whose::Fresh { how.fresh() } else { how };
    for nth in 0.. {
        let seen = undisturbed_alone(h, test, whose);
        if seen.k > 0 && seen.k < seen.n {
            return true;
        }
        if seen.n >= most || nth >= most {
            return false;
        }
        if h.after(&[], test, nth as usize, how).await.is_none() {
            return false;
        }
    }
    false
}

fn undisturbed_alone(h: &Shared, test: TestIdx, whose: Whose) -> Count {
    let mut count = Count::default();
    for (run, seen) in h.evidence(test) {
        let asked = whose == Whose::Anybody || run.record.fresh;
        if asked && run.place(test) == Some(0) && !run.record.beside {
            count.add(seen == Seen::Fail);
        }
    }
    count
}

/// Whether the failure rate depends on what ran before: a sentence that says so, or nothing.
async fn rate_depends(h: &Shared, test: TestIdx) -> Option<String> {
    let found = Found::nothing(test, Seen::Fail);
    let mut candidates = suspects(h, &found.model);
    candidates.extend(suspects(h, &Found::nothing(test, Seen::Pass).model));
    candidates.sort_by(|a, b| b.ln_ratio.total_cmp(&a.ln_ratio).then(a.test.cmp(&b.test)));
    // Under one rate, the best of n suspects reaches ln n by chance: only one clearly above it is worth runs.
    let best = candidates.first().filter(|best| best.ln_ratio > (h.suite.len().max(2) as f64).ln())?.test;
    for look in LOOKS {
        loop {
            let alone = h.failures_alone(test);
            let after = h.failures_after(&[best], test);
            if alone.n.min(after.n) >= look {
                break;
            }
            let before: &[TestIdx] = if after.n <= alone.n { &[best] } else { &[] };
            h.again(before, test, How::next(Purpose::Repeat)).await?;
        }
        let alone = h.failures_alone(test);
        let after = h.failures_after(&[best], test);
        if fisher(after, alone, Alternative::TwoSided) < ALPHA / LOOKS.len() as f64 {
            return Some(format!(
                "right after {} it failed in {} of {} runs",
                h.suite.node_id(best),
                after.k,
                after.n
            ));
        }
    }
    None
}

/// Why nothing could be decided, for people.
fn reason(h: &Shared, test: TestIdx, doubt: Option<Doubt>) -> String {
    let orders = h.failures_in_orders(test);
    let alone = h.failures_alone(test);
    let counts =
        format!("failed in {} of {} orders and in {} of {} runs alone", orders.k, orders.n, alone.k, alone.n);
    match doubt {
        Some(Doubt::Unproven | Doubt::FlipsAlone) => {
            format!("{counts}; no set of tests makes enough of a difference to be called its cause")
        }
        None => format!("{counts}; the failing order did not fail again often enough to be searched"),
    }
}
