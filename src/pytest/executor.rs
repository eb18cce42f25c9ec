//! What answers a question, whatever stands behind it.

use crate::core::run::{RunId, RunRecord, RunSpec};
use crate::error::Failure;
use crate::process::CancelSignal;

use super::lasting::Lasting;
use super::slots::Slots;

/// An answer, and what a person should know of it.
#[derive(Debug)]
pub struct Answered {
    /// The answer; `None` where the run was cancelled and tells nothing.
    pub record: Option<RunRecord>,
    /// About what, and the sentence.
    pub notices: Vec<(String, String)>,
    /// Processes that were started from nothing for it.
    pub processes: u32,
}

/// Answers questions, several at once.
pub trait Executor {
    /// Whether a run may be begun before there is a place for its tests, and is faster for it.
    fn starts_ahead(&self) -> bool;

    /// The test that has been running for longest.
    fn lasting(&self) -> Option<Lasting>;

    /// Answers one question. `beside` is left to the caller, who knows what else goes on. Its tests take a place of
    /// `slots`.
    ///
    /// # Errors
    /// The run could not be started or its files could not be written: nothing that is evidence.
    fn answer(
        &self,
        run: RunId,
        spec: RunSpec,
        slots: &Slots,
        cancel: CancelSignal,
    ) -> impl Future<Output = Result<Answered, Failure>>;
}

/// The seed of `random` in a run: SplitMix64 of the session's seed and the run's number, so that every run draws
/// other numbers and each can be drawn again.
///
/// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014. 32 bits, since numpy and
/// pytest-randomly take no more.
pub fn random_seed(session_seed: u64, run: RunId) -> u64 {
    let mut z = session_seed.wrapping_add(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(run.0) + 1));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) >> 32
}
