//! Until every run is explained: each flip by a proven set before the test, each stay by the lack of one or by a
//! proven test in between that undoes it.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Shared;
use super::board::Run;
use super::confirm::{Doubt, Proof, confirm, stays_needed};
use super::localise::one_set;
use super::model::{Expect, Model, span};
use super::probe::{How, is_an_order};
use super::snapshots;
use crate::core::minimize;
use crate::core::outcome::Seen;
use crate::core::run::{Purpose, RunId};
use crate::core::suspects::{Witness, rank};
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Complete, Count, Culprits};

/// Runs of each kind that may resist before the search gives up on the rest.
const STUBBORN: usize = 4;
/// So many flips of as many before a set is taken to act always: at a rate of one half that is a chance of 1 in 256.
pub(crate) const ALWAYS: u32 = 8;
/// How often a test is seen to undo a set that it undid before another test.
const UNDONE_BEFORE: usize = 3;
/// More minimal sets than this are not looked for one by one.
const MOST_SETS: usize = 32;

/// What was found out about one test.
#[derive(Clone)]
pub(crate) struct Found {
    pub model: Model,
    pub proofs: Vec<Proof>,
    pub notes: Vec<String>,
    pub complete: Complete,
    /// Flips that nothing explains: they did not come back, or what was found behind them could not be proven.
    pub stray: u32,
}

impl Found {
    /// Nothing found yet.
    pub fn nothing(test: TestIdx, flip: Seen) -> Self {
        let model = Model { test, flip, sets: Vec::new(), undoers: Vec::new(), joint_undoers: Vec::new() };
        Self { model, proofs: Vec::new(), notes: Vec::new(), complete: Complete::default(), stray: 0 }
    }

    /// Adds a proven set; a set that holds it as a part was not minimal and goes.
    pub fn convict(&mut self, h: &Shared, proof: Proof) {
        let part = |set: &Culprits| proof.culprits.members.iter().all(|member| set.members.contains(member));
        self.model.sets.retain(|set| !part(set));
        self.proofs.retain(|known| !part(&known.culprits));
        self.model.sets.push(proof.culprits.clone());
        h.culprits.borrow_mut().push(proof.culprits.members.clone());
        self.proofs.push(proof);
    }

    /// Adds a test that was proven to undo a set.
    pub fn add_undoer(&mut self, h: &Shared, cleaner: TestIdx) {
        self.model.undoers.push(cleaner);
        h.cleaners.borrow_mut().push(cleaner);
    }

    /// Whether a set has its effect in some of its runs only.
    pub fn is_moody(&self, set: &Culprits) -> bool {
        self.proofs.iter().any(|proof| proof.culprits == *set && proof.effect.k < proof.effect.n)
    }

    /// Of the orders that were tried, how many the model explains.
    pub fn explained(&self, h: &Shared) -> Count {
        let mut count = Count::default();
        let moody = self.model.sets.iter().any(|set| self.is_moody(set));
        for (run, seen) in h.evidence(self.model.test) {
            if is_an_order(&run) {
                count.add(match self.model.expects(&run) {
                    Expect::Flip => seen == self.model.flip || moody,
                    Expect::Stay => seen != self.model.flip,
                    Expect::Undone => seen != self.model.flip,
                    Expect::Either => true,
                });
            }
        }
        count
    }
}

/// Looks for all sets and everything that undoes them, until every order is explained or resists.
pub(crate) async fn everything(h: &Shared, found: &mut Found) -> Result<(), Doubt> {
    let mut resisted: BTreeSet<RunId> = BTreeSet::new();
    let mut doubt = None;
    let (mut stubborn_flips, mut stubborn_stays) = (0, 0);
    loop {
        let flip = unexplained(h, found, &resisted, found.model.flip);
        if let Some(run) = flip.filter(|_| stubborn_flips < STUBBORN && found.model.sets.len() < MOST_SETS) {
            match explain_flip(h, found, &run).await {
                Ok(true) => {}
                Ok(false) => {
                    resisted.insert(run.record.run);
                    stubborn_flips += 1;
                    found.stray += 1;
                    // A flip that does not come back is the test's own more often than not.
                    if stubborn_flips == 1 && is_noisy(h, found).await {
                        return Err(Doubt::FlipsAlone);
                    }
                }
                Err(Doubt::FlipsAlone) => return Err(Doubt::FlipsAlone),
                Err(other) => {
                    doubt = Some(other);
                    resisted.insert(run.record.run);
                    stubborn_flips += 1;
                    found.stray += 1;
                }
            }
            continue;
        }
        let stay = unexplained(h, found, &resisted, found.model.flip.other());
        if let Some(run) = stay.filter(|_| stubborn_stays < STUBBORN) {
            // Before anything is called a cleaner: does the set act in all of its runs?
            if settle_moods(h, found).await {
                continue;
            }
            if !explain_stay(h, found, &run).await {
                resisted.insert(run.record.run);
                stubborn_stays += 1;
            }
            continue;
        }
        break;
    }
    match doubt {
        Some(doubt) if found.proofs.is_empty() => Err(doubt),
        _ => Ok(()),
    }
}

/// Runs each set often enough to tell one that always acts from one that acts in some runs. True where one of them
/// was found to be moody by that.
async fn settle_moods(h: &Shared, found: &mut Found) -> bool {
    let mut changed = false;
    for proof in &mut found.proofs {
        // What acted every time before another test will not be moody before this one.
        if h.steady.borrow().contains_key(&proof.culprits.members) {
            continue;
        }
        while proof.effect.n < ALWAYS && proof.effect.k == proof.effect.n {
            let how = How::next(Purpose::Repeat);
            let Some(seen) = h.again(&proof.culprits.members, found.model.test, how).await else { break };
            proof.add(seen, found.model.flip);
            changed |= seen != found.model.flip;
        }
        proof.remember(h);
    }
    changed
}

/// The unexplained run of this kind in which least ran before the test.
fn unexplained(h: &Shared, found: &Found, resisted: &BTreeSet<RunId>, seen: Seen) -> Option<Rc<Run>> {
    let model = &found.model;
    let mut best: Option<Rc<Run>> = None;
    for (run, saw) in h.evidence(model.test) {
        if saw != seen || resisted.contains(&run.record.run) {
            continue;
        }
        let expected = model.expects(&run);
        let unexplained = if seen == model.flip {
            matches!(expected, Expect::Stay | Expect::Undone)
        } else {
            expected == Expect::Flip && !model.sets.iter().any(|set| found.is_moody(set))
        };
        let shorter = |other: &Rc<Run>| run.before(model.test).len() < other.before(model.test).len();
        if unexplained && best.as_ref().is_none_or(shorter) {
            best = Some(run);
        }
    }
    best
}

/// Flips that nothing explains may be the test's own: does it flip alone, too, when it is asked often enough?
pub(crate) async fn is_noisy(h: &Shared, found: &Found) -> bool {
    let model = &found.model;
    let mut without = Count::default();
    for (run, seen) in h.evidence(model.test) {
        if model.expects(&run) == Expect::Stay {
            without.add(seen == model.flip);
        }
    }
    if found.stray == 0 || without.k == 0 {
        return false;
    }
    // At the rate of those flips it would stay all these times in one case of twenty.
    let most = ((0.05_f64).ln() / (1.0 - without.rate()).ln()).ceil() as usize;
    for nth in 0..most.clamp(5, h.plan.care.alone as usize) {
        if h.after(&[], model.test, nth, How::next(Purpose::Repeat)).await == Some(model.flip) {
            return true;
        }
    }
    false
}

/// Finds and proves the set behind a flip. False where the flip does not come back.
async fn explain_flip(h: &Shared, found: &mut Found, run: &Run) -> Result<bool, Doubt> {
    let Some(set) = one_set(h, &found.model, run).await else { return Ok(false) };
    if found.model.sets.iter().any(|known| known.members == set.members) {
        // A known set in another order, or one that acts although something ran that undoes it.
        return Ok(false);
    }
    let mut model = found.model.clone();
    model.sets.push(set.clone());
    let proof = confirm(h, &model, &set, run.before(model.test).len()).await?;
    found.convict(h, proof);
    Ok(true)
}

/// Finds what undid a set in a run that stayed. False where nothing was found.
async fn explain_stay(h: &Shared, found: &mut Found, run: &Run) -> bool {
    let test = found.model.test;
    let before = run.before(test).to_vec();
    let mut active: Vec<(usize, Culprits)> = Vec::new();
    for set in &found.model.sets {
        if let Some((_, last)) = span(&before, set) {
            active.push((last, set.clone()));
        }
    }
    let Some((last, set)) = active.into_iter().max_by_key(|(last, _)| *last) else { return false };
    let between = &before[last + 1..];
    if let Some(cleaner) = guess_cleaner(h, found, &set, between).await {
        found.add_undoer(h, cleaner);
        return true;
    }
    let stays = found.model.flip.other();
    if h.after(&before, test, 0, How::next(Purpose::Repeat)).await != Some(stays) {
        return false;
    }
    if let Some(cleaner) = snapshots::undoer(h, test, stays, &before, last + 1).await
        && cleans(h, found, &set, cleaner).await
    {
        found.add_undoer(h, cleaner);
        return true;
    }
    let others: Vec<TestIdx> = before.iter().copied().filter(|t| !set.members.contains(t)).collect();
    let ask = async |kept: Vec<Vec<TestIdx>>| {
        let orders: Vec<Vec<TestIdx>> = kept
            .iter()
            .map(|kept| {
                let wanted = |t: &&TestIdx| kept.contains(t) || set.members.contains(t);
                before.iter().filter(wanted).copied().collect()
            })
            .collect();
        h.which_show(&orders, test, stays, 1, How::next(Purpose::Clean)).await
    };
    let width = h.plan.jobs.max(1) as usize;
    let Some(undoing) = minimize::by_suffix(&others, width, &ask).await else { return false };
    match undoing[..] {
        [one] if between.contains(&one) => {
            if !cleans(h, found, &set, one).await {
                return false;
            }
            found.add_undoer(h, one);
        }
        _ => {
            let names: Vec<&str> = undoing.iter().map(|t| h.suite.node_id(*t)).collect();
            found.notes.push(match undoing[..] {
                [_] => format!("{} before the culprit keeps it from acting", names[0]),
                _ => format!("together these undo the culprit: {}", names.join(", then ")),
            });
            found.model.joint_undoers.push(undoing);
        }
    }
    true
}

/// Tries known cleaners, and the tests that best explain why runs stayed, right after the set.
async fn guess_cleaner(h: &Shared, found: &Found, set: &Culprits, between: &[TestIdx]) -> Option<TestIdx> {
    let model = &found.model;
    let evidence = h.evidence(model.test);
    let witnesses: Vec<Witness<'_>> = evidence
        .iter()
        .filter(|(run, _)| matches!(model.expects(run), Expect::Flip))
        .filter_map(|(run, seen)| {
            let before = run.before(model.test);
            let (_, last) = span(before, set)?;
            Some(Witness { acted: &before[last + 1..], effect: *seen != model.flip })
        })
        .collect();
    let steps = (between.len().max(2) as f64).log2();
    let ranked = rank(h.suite.len(), &witnesses);
    let mut guesses: Vec<TestIdx> = h.cleaners.borrow().clone();
    guesses.extend(ranked.iter().take(3).filter(|s| s.belief * steps >= 0.8).map(|s| s.test));
    let mut asked: Vec<TestIdx> = Vec::new();
    for guess in guesses {
        if between.contains(&guess) && !asked.contains(&guess) && asked.len() < 5 {
            asked.push(guess);
            if cleans(h, found, set, guess).await {
                return Some(guess);
            }
        }
    }
    None
}

/// Whether a test between set and test keeps it from flipping, again and again.
pub(crate) async fn cleans(h: &Shared, found: &Found, set: &Culprits, cleaner: TestIdx) -> bool {
    let before = [&set.members[..], &[cleaner]].concat();
    let mut acted = effect(found, set);
    let mut add = |more: Count| acted = Count { k: acted.k + more.k, n: acted.n + more.n };
    let elsewhere = effect_without(h, found, set, cleaner);
    if elsewhere.k == elsewhere.n {
        add(elsewhere);
    }
    if let Some(steady) = h.steady.borrow().get(&set.members) {
        add(*steady);
    }
    let pair = (set.members.clone(), cleaner);
    let known = h.undone.borrow().contains(&pair);
    let times = if known { UNDONE_BEFORE } else { times_for_cleaner(acted) };
    let cleans = h.stays(&before, found.model.test, found.model.flip, times, How::next(Purpose::Clean)).await;
    if cleans {
        h.undone.borrow_mut().insert(pair);
    }
    cleans
}

/// How often a set had its effect in longer runs in which the cleaner did not come after it.
fn effect_without(h: &Shared, found: &Found, set: &Culprits, cleaner: TestIdx) -> Count {
    let mut count = Count::default();
    for (run, seen) in h.evidence(found.model.test) {
        let before = run.before(found.model.test);
        if before.len() > set.members.len()
            && span(before, set).is_some_and(|(first, _)| !before[first..].contains(&cleaner))
            && found.model.expects(&run) == Expect::Flip
        {
            count.add(seen == found.model.flip);
        }
    }
    count
}

/// How often a set was seen to have its effect, right before the test.
pub(crate) fn effect(found: &Found, set: &Culprits) -> Count {
    found.proofs.iter().find(|proof| proof.culprits == *set).map_or(Count::default(), |proof| proof.effect)
}

/// How often a cleaner must be seen to clean, so that a row of stays by chance is less likely than 1 in 10,000, given
/// how often the set was seen to act (`effect`).
pub(crate) fn times_for_cleaner(effect: Count) -> usize {
    stays_needed(effect, 1e-4) as usize
}
