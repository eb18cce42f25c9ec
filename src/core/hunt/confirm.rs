//! The proof: with the set it flips, without any one member it does not, in fresh processes.

use std::collections::HashMap;

use futures_util::future::{join, join_all};

use super::Shared;
use super::explain::ALWAYS;
use super::imports;
use super::localise::but;
use super::model::{Expect, Fit, Model, ln_choices};
use super::probe::How;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::stats::{Alternative, fisher};
use crate::core::test_id::{FileIdx, TestIdx};
use crate::core::verdict::{Confirmation, Count, Culprits};

/// More runs than this, each way, do not make a set likelier.
const MOST: u32 = 60;

/// Runs without a set that acts in some of its runs only.
const MOODY_WITHOUT: u32 = 10;

/// A set that acts in fewer than one of so many of its runs acts seldom.
const SELDOM: u32 = 3;

/// So many times likelier has a set that acts in some of its runs only to be where another was proven before: what the
/// other leaves open may be the test's own noise.
const FURTHER: f64 = 4.0;

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

/// The chance of taking a set for one that needs other files where it acts as often without them.
const MORE_FILES: f64 = 0.06;
/// The same for a set that acts in some of its runs only, which is looked at more often.
const MORE_FILES_MOODY: f64 = 0.01;

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
    /// Files that must be collected besides those of the set and the test.
    pub needs: Vec<FileIdx>,
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
    /// In processes of their own.
    fresh: Count,
    /// In those of them for which only the files of the set and the test were collected.
    few: Count,
}

impl Tally {
    /// In runs for which all files were collected.
    fn full(self) -> Count {
        Count { k: self.all.k - self.few.k, n: self.all.n - self.few.n }
    }
}

/// Flips in runs of these tests and the test. `few` are the files of the set and the test, where runs that collect no
/// others count.
fn tally(h: &Shared, test: TestIdx, flip: Seen, before: &[TestIdx], few: Option<&[FileIdx]>) -> Tally {
    let mut tally = Tally::default();
    for run in h.board.runs().iter() {
        let among = match (&run.spec.files, few) {
            (None, _) => false,
            (Some(files), Some(few)) if run.record.fresh && **files == *few => true,
            _ => continue,
        };
        let counts = among || h.is_evidence(run);
        if let Some(seen) = run.seen(test).filter(|_| counts && run.before(test) == before) {
            tally.all.add(seen == flip);
            if run.record.fresh {
                tally.fresh.add(seen == flip);
            }
            if among {
                tally.few.add(seen == flip);
            }
        }
    }
    tally
}

/// What is collected where a person names tests to pytest: their files and no others.
#[derive(Clone, Debug)]
struct Few {
    with: Vec<FileIdx>,
    /// One for each removal.
    without: Vec<Vec<FileIdx>>,
}

impl Few {
    /// `None` where the set and the test have all files of the suite.
    fn of(h: &Shared, model: &Model, set: &Culprits, removals: &[Vec<TestIdx>]) -> Option<Self> {
        let files = |before: &[TestIdx]| h.files_of(before, model.test);
        let with = files(&set.members);
        let without = removals.iter().map(|removal| match model.flip {
            // Nothing but the member makes the difference.
            Seen::Fail => with.clone(),
            // What shows that a brittle test is brittle is the run without.
            Seen::Pass => files(removal),
        });
        let without = without.collect();
        (with.len() < h.suite.files().count()).then_some(Self { with, without })
    }
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
    // It was chosen among all sets of its size.
    let size = set.members.len();
    let price = ln_choices(choices.max(size), size);
    // Proven as a person will see it: with no other files collected.
    let mut few = Few::of(h, model, set, &removals);
    let mut more_files = false;
    let forks = h.plan.forks && !h.only_fresh.get();
    // Once with nothing beside it: a collision of two runs must not pass for a culprit. Where children are forked one of
    // them may say so; a process of its own would leave the other cores idle for as long as it starts. That child comes
    // last, since it has to wait until nothing goes on.
    let mut undisturbed = h.plan.jobs == 1;
    loop {
        let with = tally(h, test, flip, &set.members, few.as_ref().map(|few| &few.with[..]));
        let without: Vec<Tally> = removals
            .iter()
            .enumerate()
            .map(|(at, removal)| tally(h, test, flip, removal, few.as_ref().map(|few| &few.without[at][..])))
            .collect();
        let all_without = sum(without.iter().map(|tally| tally.all));
        let fresh_without = sum(without.iter().map(|tally| tally.fresh));
        let few_without = sum(without.iter().map(|tally| tally.few));
        if few.is_some() && (few_without.k > 0 || needs_more_files(with)) {
            // What else is collected matters: only runs that collect all of it tell.
            more_files = true;
            few = None;
            continue;
        }
        if all_without.k > 0 {
            return Err(if set.members.len() == 1 { Doubt::FlipsAlone } else { Doubt::Unproven });
        }
        let forked = Count { k: with.all.k - with.fresh.k, n: with.all.n - with.fresh.n };
        if few.is_none()
            && with.fresh.k == 0
            && fisher(forked, with.fresh, Alternative::Greater) < ONLY_FORKED
        {
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
        let lacks_few = few.is_some() && with.few.k == 0;
        let tired = with.all.n >= MOST || (with.all.n >= 12 && with.all.k * 12 < with.all.n);
        if tired && few.take().is_none() {
            return Err(Doubt::Unproven);
        }
        more_files |= tired;
        // One flip chose the set; it cannot speak for it as well.
        let chosen = Count { k: with.all.k.saturating_sub(1), n: with.all.n.saturating_sub(1) };
        let local = Fit { with: chosen, without: all_without }.ln_evidence();
        let mut gain = gain(h, model, set);
        gain.fit.with = sum([gain.fit.with, with.few].into_iter());
        gain.fit.without = sum([gain.fit.without, few_without].into_iter());
        let whole = gain.fit.ln_evidence() - price;
        // A set that acts in some runs only looks much like noise: it takes more runs without it to tell them apart.
        let moody = with.all.k < with.all.n;
        let further = if moody && model.sets.len() > 1 { FURTHER } else { 1.0 };
        let needed = (further / care.alpha).ln();
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
        let lacks_fresh = with.fresh.k < care.fresh || lacks_few;
        let lacks_fresh_without = fresh_without.n < care.fresh
            || without.iter().any(|tally| tally.fresh.n == 0)
            || (few.is_some() && few_without.n == 0);
        // Counts that convince a person are wanted of one test that the set acts on, where a run is nearly free.
        let cheap = h.plan.forks
            && !h.only_fresh.get()
            && h.cost_of(&set.members, test).is_none_or(|cost_ms| cost_ms <= SHOWN_MS);
        let show = cheap && !h.steady.borrow().contains_key(&set.members);
        let lacks_shown =
            show && (with.all.n + u32::from(!undisturbed) < care.shown || all_without.n < care.shown);
        let proven = believed && compared && !lacks_fresh && !lacks_fresh_without && !lacks_shown;
        if !undisturbed && (proven || !forks) {
            if h.after(&set.members, test, 0, confirm_how().exclusive()).await.is_none() {
                return Err(Doubt::Unproven);
            }
            undisturbed = true;
            continue;
        }
        if proven {
            let failures = |count: Count| match flip {
                Seen::Fail => count,
                Seen::Pass => Count { k: count.n - count.k, n: count.n },
            };
            let needs = match more_files && flip == Seen::Fail {
                true => imports::needed(h, &set.members, test, flip).await,
                false => Vec::new(),
            };
            let proof = Proof {
                needs,
                culprits: set.clone(),
                confirmation: Confirmation { with: failures(with.all), without: failures(all_without) },
                effect: with.all,
            };
            proof.remember(h);
            return Ok(proof);
        }
        let least = least_tried(&without);
        let ask = async |before: &[TestIdx], fresh: bool, files: Option<&[FileIdx]>| match files {
            Some(files) if fresh => h.again_among(files, before, test, confirm_how().fresh()).await,
            _ if fresh => h.again(before, test, confirm_how().fresh()).await,
            _ => h.again(before, test, confirm_how()).await,
        };
        // As long as it does not flip there, the two ways are compared.
        let few_next = with.few.k > 0 || with.few.n <= with.full().n;
        let ask_with = || {
            let files = few.as_ref().filter(|_| few_next).map(|few| &few.with[..]);
            ask(&set.members, lacks_fresh, files)
        };
        let ask_without = |at: usize| {
            let files = few.as_ref().map(|few| &few.without[at][..]);
            ask(&removals[at], lacks_fresh_without, files)
        };
        // The side with fewer runs tells more.
        let fewer_with = if believed || seldom || local > whole {
            with.all.n <= all_without.n
        } else {
            gain.fit.with.n <= gain.fit.without.n
        };
        let lacks_with = with.all.n < least_with;
        let want_with = lacks_fresh || lacks_with || (!lacks_fresh_without && compared && fewer_with);
        let want_without = lacks_fresh_without || !want_with;
        let both = h.plan.jobs > 1;
        let asked = match (want_with || both, want_without || both) {
            (true, true) => {
                // Processes take their time to start: where there is room, those of the next round start now.
                let room =
                    h.jobs.get() >= 4 && with.fresh.k + 2 <= care.fresh && fresh_without.n + 2 <= care.fresh;
                let rounds = if room { 2 } else { 1 };
                let pairs =
                    (0..rounds).map(|nth| join(ask_with(), ask_without((least + nth) % removals.len())));
                join_all(pairs).await.into_iter().flat_map(|(with, without)| [with, without]).collect()
            }
            (true, false) => vec![ask_with().await],
            _ => vec![ask_without(least).await],
        };
        // Runs that collect less may be impossible here.
        if asked.contains(&None) && few.take().is_none() {
            return Err(Doubt::Unproven);
        }
    }
}

/// Whether a set acts, it seems, only where other files are collected too. Where that is not so, it costs some runs more
/// and a command that is longer than need be.
fn needs_more_files(with: Tally) -> bool {
    let full = with.full();
    let chance = if full.k == full.n { MORE_FILES } else { MORE_FILES_MOODY };
    with.few.k == 0 && fisher(full, with.few, Alternative::Greater) < chance
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
