//! Verdicts against the truth.

use std::ops::AddAssign;

use flakehunt::core::test_id::TestIdx;
use flakehunt::core::verdict::{Class, Verdict};

use super::planted::{Planted, Truth};

/// How a report compares with the truth; each test counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// A set was named that is not one of the minimal sets, or a cleaner that does not clean.
    pub false_culprits: u32,
    /// Another class, without false names; or a healthy test called ill.
    pub wrong_class: u32,
    /// Left open though its class can be known.
    pub undecided: u32,
    /// Right, but a set or a cleaner is lacking, and the verdict says that it may.
    pub partial: u32,
    /// The same, but the verdict says that every test was tried.
    pub overclaimed: u32,
    /// Never seen with both outcomes (or not seen to fail at all).
    pub unseen: u32,
    /// All of it.
    pub right: u32,
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.false_culprits += other.false_culprits;
        self.wrong_class += other.wrong_class;
        self.undecided += other.undecided;
        self.partial += other.partial;
        self.overclaimed += other.overclaimed;
        self.unseen += other.unseen;
        self.right += other.right;
    }
}

/// Holds verdicts against the truth; `complain` gets a line for each that is not right.
pub fn judge(planted: &Planted, verdicts: &[Verdict], mut complain: impl FnMut(String)) -> Score {
    let mut score = Score::default();
    for verdict in verdicts {
        match planted.truth.get(&verdict.test) {
            Some(truth) => one(&mut score, truth, verdict, &mut complain),
            None if verdict.class == Class::Undecided => {}
            None => {
                score.wrong_class += 1;
                complain(format!("false alarm: {verdict:?}"));
            }
        }
    }
    for (test, truth) in &planted.truth {
        if !verdicts.iter().any(|verdict| verdict.test == *test) {
            if truth.classes == [Class::Undecided] {
                // Nothing is wrong with it but in forked children, and those were not believed.
                score.right += 1;
                continue;
            }
            score.unseen += 1;
            complain(format!("not seen: {test:?}, in truth {truth:?}"));
        }
    }
    score
}

fn one(score: &mut Score, truth: &Truth, verdict: &Verdict, complain: &mut impl FnMut(String)) {
    let named = names(verdict);
    let undoers = [&verdict.cleaners[..], &verdict.unsetters[..]].concat();
    let mut say = |what: &str| complain(format!("{what}: {verdict:?}, in truth {truth:?}"));
    let known = |set: &Vec<TestIdx>| truth.sets.iter().any(|other| same(set, other));
    if !named.iter().all(known) || !undoers.iter().all(|test| truth.cleaners.contains(test)) {
        score.false_culprits += 1;
        say("FALSE CULPRIT");
    } else if truth.classes.contains(&verdict.class) {
        let lacks_set = |set: &&Vec<TestIdx>| !named.iter().any(|other| same(set, other));
        let lacking: Vec<&Vec<TestIdx>> = truth.sets.iter().filter(lacks_set).collect();
        let lacks_cleaner = truth.cleaners.iter().any(|test| !undoers.contains(test));
        let complete = verdict.complete;
        let all_singles = complete.polluters || complete.state_setters;
        if named.is_empty() || (lacking.is_empty() && !lacks_cleaner) {
            score.right += 1;
        } else if (all_singles && lacking.iter().any(|set| set.len() == 1))
            || (complete.cleaners && lacks_cleaner)
        {
            score.overclaimed += 1;
            say("overclaimed");
        } else {
            score.partial += 1;
            say("partial");
        }
    } else if verdict.class == Class::Undecided {
        // Where it never failed there is nothing to be searched for; a hard one may stay open.
        if truth.hard || verdict.failing_runs.is_empty() {
            score.unseen += 1;
        } else {
            score.undecided += 1;
            say("undecided");
        }
    } else if verdict.class == Class::Broken && verdict.failed.k == verdict.failed.n {
        score.unseen += 1;
        say("never seen to pass");
    } else {
        score.wrong_class += 1;
        say("wrong class");
    }
}

/// The sets that a verdict names; files as tests.
pub fn names(verdict: &Verdict) -> Vec<Vec<TestIdx>> {
    let sets = [&verdict.polluters[..], &verdict.state_setters[..]].concat();
    let files = verdict.import_polluters.iter().map(|set| set.iter().map(|file| TestIdx(file.0)).collect());
    sets.into_iter().map(|set| set.members).chain(files).collect()
}

/// The same members, in whatever order.
pub fn same(a: &[TestIdx], b: &[TestIdx]) -> bool {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}
