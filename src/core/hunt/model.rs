//! What a set of culprits and cleaners says about every run, and how well that fits.

use super::board::Run;
use crate::core::outcome::Seen;
use crate::core::stats::{ln_common_rate, ln_evidence_never, ln_evidence_raised};
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Count, Culprits};

/// What a run should show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A whole set ran before the test, and nothing that undoes it in between.
    Flip,
    /// No whole set ran before the test.
    Stay,
    /// A whole set ran, and after it something that undoes it.
    Undone,
    /// Nothing can be said: something that undoes ran between two members.
    Either,
}

/// A claim about one test: it flips after these sets, unless one of these ran in between.
///
/// "Flip" is the outcome that the test does not have alone: failing for a victim, passing for a brittle test. So one
/// search serves both.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub test: TestIdx,
    pub flip: Seen,
    pub sets: Vec<Culprits>,
    pub undoers: Vec<TestIdx>,
    /// Groups that undo only together, or from before the set: (members, in that order).
    pub joint_undoers: Vec<Vec<TestIdx>>,
}

impl Model {
    /// What this run should show.
    pub fn expects(&self, run: &Run) -> Expect {
        let before = run.before(self.test);
        let mut expected = Expect::Stay;
        for set in &self.sets {
            let Some((first, last)) = span(before, set) else { continue };
            let undone = |from: usize| before[from + 1..].iter().any(|test| self.undoers.contains(test));
            let jointly =
                || self.joint_undoers.iter().any(|group| group.iter().all(|test| before.contains(test)));
            let one = if undone(last) {
                Expect::Undone
            } else if undone(first) || jointly() {
                Expect::Either
            } else {
                return Expect::Flip;
            };
            expected = match (expected, one) {
                (Expect::Either, _) | (_, Expect::Either) => Expect::Either,
                _ => Expect::Undone,
            };
        }
        expected
    }
}

/// The places of the first and the last member, where the whole set stands in this order.
pub(crate) fn span(before: &[TestIdx], set: &Culprits) -> Option<(usize, usize)> {
    let mut first = usize::MAX;
    let mut last = 0;
    let mut from = 0;
    for member in &set.members {
        let place = if set.ordered {
            let place = from + before[from..].iter().position(|test| test == member)?;
            from = place + 1;
            place
        } else {
            before.iter().position(|test| test == member)?
        };
        first = first.min(place);
        last = last.max(place);
    }
    Some((first, last))
}

/// What a claim weaker than "always and never" pays for being one more: that it flips sometimes and never, and that it
/// flips more often.
const SOMETIMES: f64 = 1.5;
const MORE_OFTEN: f64 = 6.0;

/// Flips where a model wants them, and flips where it wants none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fit {
    pub with: Count,
    pub without: Count,
}

impl Fit {
    /// How strongly the runs speak for the set deciding, against one common rate (natural logarithm): whatever that rate,
    /// the chance that this ever gets to `ln(1 / x)` is a small multiple of `x` at most, however many runs are added: `x` for
    /// the claim that it flips always with the set and never without, two thirds of it for sometimes and never, a sixth for
    /// more often. The price for having chosen the set among many is the caller's to add.
    pub fn ln_evidence(self) -> f64 {
        let (with, without) = (self.with, self.without);
        if with.k == with.n && without.k == 0 {
            -ln_common_rate(with, without)
        } else if without.k == 0 {
            ln_evidence_never(with, without.n) - SOMETIMES.ln()
        } else {
            ln_evidence_raised(with, without) - MORE_OFTEN.ln()
        }
    }
}

/// ln of "n choose k": how many sets of this size could have been named.
pub(crate) fn ln_choices(n: usize, k: usize) -> f64 {
    (0..k.min(n)).map(|i| ((n - i) as f64 / (i + 1) as f64).ln()).sum()
}
