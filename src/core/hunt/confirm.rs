//! The proof: with the set it flips, without any one member it does not, in fresh processes.

use std::collections::HashMap;

use futures_util::future::join_all;

use super::Shared;
use super::explain::ALWAYS;
use super::localise::but;
use super::model::{Expect, Fit, Model, ln_choices};
use super::probe::How;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::stats::{Alternative, fisher};
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Confirmation, Count, Culprits};

/// More runs than this, each way, do not make a set likelier.
const MOST: u32 = 60;

/// Runs without a set that acts in some of its runs only.
const MOODY_WITHOUT: u32 = 10;

/// A set that acts in fewer than one of so many of its runs acts seldom.
const SELDOM: u32 = 3;

/// The chance, for a set that acts in some of its runs only, that a part of it which does the same goes unnoticed.
const MOODY_MEMBER: f64 = 1e-3;

/// Runs of a set of several, and runs without each member: it may be made of a culprit that acts in some of its runs
/// only, and of a bystander that was there when it did.
const JOINT_WITH: u32 = 4;
const JOINT_WITHOUT: u32 = 4;
/// Runs of a set of several where the test was seen with both outcomes in one order.
const WAVERING_WITH: u32 = 6;
/// A run that costs more than this, in milliseconds, is not asked for just to show counts.
const SHOWN_MS: u64 = 250;
/// The chance of taking forked children for liars where they flip no more often than fresh processes.
const ONLY_FORKED: f64 = 0.005;

/// Why a set is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The test flips with nothing before it: no set decides.
    FlipsAlone,
    /// The set does not make enough of a difference.
    Unproven,
}

/// A set that was proven.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    pub culprits: Culprits,
    /// Failures (not flips) with and without.
    pub confirmation: Confirmation,
    /// Flips in runs of exactly the set and the test.
    pub effect: Count,
}

impl Proof {
    /// One more run of exactly the set and the test.
    pub fn add(&mut self, seen: Seen, flip: Seen) {
        self.effect.add(seen == flip);
        self.confirmation.with.add(seen == Seen::Fail);
    }

    /// Notes for other tests that the set acts every time, where it was seen to.
    pub fn remember(&self, h: &Shared) {
        if self.effect.n >= ALWAYS && self.effect.k == self.effect.n {
            h.steady.borrow_mut().entry(self.culprits.members.clone()).or_insert(self.effect);
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Tally {
    all: Count,
    fresh: Count,
}

fn tally(h: &Shared, test: TestIdx, flip: Seen, before: &[TestIdx]) -> Tally {
    let mut tally = Tally::default();
    for (run, seen) in h.evidence(test) {
        if run.before(test) == before {
            tally.all.add(seen == flip);
            if run.record.fresh {
                tally.fresh.add(seen == flip);
            }
        }
    }
    tally
}

/// Proves a set, or says why it cannot be proven. `model` holds the set besides the ones proven before;
/// `choices` is the number of tests among which the set was found.
pub(crate) async fn confirm(
    h: &Shared,
    model: &Model,
    set: &Culprits,
    choices: usize,
) -> Result<Proof, Doubt> {
    let (test, flip) = (model.test, model.flip);
    let care = h.plan.care;
    let removals: Vec<Vec<TestIdx>> = (0..set.members.len()).map(|leave| but(&set.members, leave)).collect();
    let needed = (1.0 / care.alpha).ln();
    // It was chosen among all sets of its size.
    let size = set.members.len();
    let price = ln_choices(choices.max(size), size);
    if h.plan.jobs > 1 {
        // Once with nothing beside it: a collision of two runs must not pass for a culprit. Where children are forked one
        // of them may say so; a process of its own would leave the other cores idle for as long as it starts.
        let how = How::next(Purpose::Confirm).exclusive();
        if h.after(&set.members, test, 0, how).await.is_none() {
            return Err(Doubt::Unproven);
        }
    }
    loop {
        let with = tally(h, test, flip, &set.members);
        let without: Vec<Tally> = removals.iter().map(|removal| tally(h, test, flip, removal)).collect();
        let all_without = sum(without.iter().map(|tally| tally.all));
        let fresh_without = sum(without.iter().map(|tally| tally.fresh));
        if all_without.k > 0 {
            return Err(if set.members.len() == 1 { Doubt::FlipsAlone } else { Doubt::Unproven });
        }
        let forked = Count { k: with.all.k - with.fresh.k, n: with.all.n - with.fresh.n };
        if with.fresh.k == 0 && fisher(forked, with.fresh, Alternative::Greater) < ONLY_FORKED {
            let names: Vec<&str> = set.members.iter().map(|member| h.suite.node_id(*member)).collect();
            let sentence = format!(
                "after {}, {} flips in {} of {} forked children and in none of {} fresh processes",
                names.join(" and "),
                h.suite.node_id(test),
                forked.k,
                forked.n,
                with.fresh.n
            );
            h.distrust(sentence).await;
        }
        let tired = with.all.n >= MOST || (with.all.n >= 12 && with.all.k * 12 < with.all.n);
        if tired {
            return Err(Doubt::Unproven);
        }
        // One flip chose the set; it cannot speak for it as well.
        let chosen = Count { k: with.all.k.saturating_sub(1), n: with.all.n.saturating_sub(1) };
        let local = Fit { with: chosen, without: all_without }.ln_evidence();
        let gain = gain(h, model, set);
        let whole = gain.fit.ln_evidence() - price;
        // A set that acts in some runs only looks much like noise: it takes more runs without it to tell them apart.
        let moody = with.all.k < with.all.n;
        // One that acts seldom looks like a test that fails by itself now and then: only its own runs tell.
        let seldom = with.all.k * SELDOM < with.all.n;
        let believed = if seldom { local >= needed } else { local.max(whole) >= needed };
        // Enough runs without each member that its lack could have shown.
        let wavers = moody || gain.unsteady || wavers(h, model);
        let (least_with, each) = match (removals.len(), wavers) {
            (1, _) => (0, 0),
            (_, true) => (WAVERING_WITH, stays_needed(with.all, MOODY_MEMBER)),
            (_, false) => (JOINT_WITH, JOINT_WITHOUT),
        };
        let compared = with.all.n >= least_with && without.iter().all(|tally| tally.all.n >= each);
        let enough_without = all_without.n.max(gain.fit.without.n / 2) >= MOODY_WITHOUT;
        let compared = compared && (!moody || (enough_without && all_without.n >= 4));
        let lacks_fresh = with.fresh.k < care.fresh;
        let lacks_fresh_without =
            fresh_without.n < care.fresh || without.iter().any(|tally| tally.fresh.n == 0);
        // Counts that convince a person are wanted of one test that the set acts on, where a run is nearly free.
        let cheap = h.plan.forks
            && !h.only_fresh.get()
            && h.cost_of(&set.members, test).is_none_or(|cost_ms| cost_ms <= SHOWN_MS);
        let show = cheap && !h.steady.borrow().contains_key(&set.members);
        let lacks_shown = show && (with.all.n < care.shown || all_without.n < care.shown);
        if believed && compared && !lacks_fresh && !lacks_fresh_without && !lacks_shown {
            let failures = |count: Count| match flip {
                Seen::Fail => count,
                Seen::Pass => Count { k: count.n - count.k, n: count.n },
            };
            let proof = Proof {
                culprits: set.clone(),
                confirmation: Confirmation { with: failures(with.all), without: failures(all_without) },
                effect: with.all,
            };
            proof.remember(h);
            return Ok(proof);
        }
        let how = |fresh: bool| if fresh { confirm_how().fresh() } else { confirm_how() };
        // The side with fewer runs tells more.
        let fewer_with = if believed || seldom || local > whole {
            with.all.n <= all_without.n
        } else {
            gain.fit.with.n <= gain.fit.without.n
        };
        let lacks_with = with.all.n < least_with;
        let want_with = lacks_fresh || lacks_with || (!lacks_fresh_without && compared && fewer_with);
        let want_without = lacks_fresh_without || !want_with;
        let least = least_tried(&without);
        let both = h.plan.jobs > 1;
        let asked = match (want_with || both, want_without || both) {
            (true, true) => {
                join_all([
                    h.again(&set.members, test, how(lacks_fresh)),
                    h.again(&removals[least], test, how(lacks_fresh_without)),
                ])
                .await
            }
            (true, false) => vec![h.again(&set.members, test, how(lacks_fresh)).await],
            _ => vec![h.again(&removals[least], test, how(lacks_fresh_without)).await],
        };
        if asked.iter().any(Option::is_none) {
            return Err(Doubt::Unproven);
        }
    }
}

fn confirm_how() -> How {
    How::next(Purpose::Confirm)
}

/// The removal that was tried least, fresh runs first.
fn least_tried(without: &[Tally]) -> usize {
    let tried = |place: &usize| (without[*place].fresh.n, without[*place].all.n);
    (0..without.len()).min_by_key(tried).unwrap_or(0)
}

fn sum(counts: impl Iterator<Item = Count>) -> Count {
    counts.fold(Count::default(), |a, b| Count { k: a.k + b.k, n: a.n + b.n })
}

struct Gain {
    fit: Fit,
    /// Other sets did not act in all of their runs.
    unsteady: bool,
}

/// What the set explains of the runs that the rest of the model does not: flips in runs with it, and without it.
///
/// Only this speaks for the set. How well the whole model fits does not, once the model holds another set that is right.
fn gain(h: &Shared, model: &Model, set: &Culprits) -> Gain {
    let mut rest = model.clone();
    rest.sets.retain(|other| other != set);
    let mut fit = Fit::default();
    let mut unsteady = false;
    for (run, seen) in h.evidence(model.test) {
        let expected = rest.expects(&run);
        unsteady |= expected == Expect::Flip && seen != model.flip;
        if expected != Expect::Stay {
            continue;
        }
        match model.expects(&run) {
            Expect::Flip => fit.with.add(seen == model.flip),
            Expect::Stay => fit.without.add(seen == model.flip),
            Expect::Undone | Expect::Either => {}
        }
    }
    Gain { fit, unsteady }
}

/// Whether the test was seen with both outcomes behind the same tests.
fn wavers(h: &Shared, model: &Model) -> bool {
    let evidence = h.evidence(model.test);
    let mut seen: HashMap<&[TestIdx], Seen> = HashMap::new();
    evidence.iter().any(|(run, saw)| *seen.entry(run.before(model.test)).or_insert(*saw) != *saw)
}

/// How many stays in a row have at most this chance, for something that acts as often as what acted in `effect`.
///
/// Its rate is not known but for those counts: averaged over all rates, the chance of a row of `m` is the product of
/// (n - k + 1 + i) / (n + 2 + i) for i below m (Laplace's rule of succession).
pub(crate) fn stays_needed(effect: Count, chance: f64) -> u32 {
    let (mut row, mut left) = (0, 1.0);
    while left > chance && row < MOST {
        left *= f64::from(effect.n - effect.k + 1 + row) / f64::from(effect.n + 2 + row);
        row += 1;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: after 8 of 8 a row of m stays has the chance 1 / C(9 + m, m); C(15, 6) = 5,005, C(16, 7) = 11,440.
    #[test]
    fn a_row_of_stays_is_as_long_as_the_rule_of_succession_wants() {
        assert_eq!(stays_needed(Count { k: 8, n: 8 }, 1.0 / 5_000.0), 6);
        assert_eq!(stays_needed(Count { k: 8, n: 8 }, 1e-4), 7);
        assert!(stays_needed(Count { k: 4, n: 8 }, 1e-4) > 2 * stays_needed(Count { k: 8, n: 8 }, 1e-4));
    }
}
