//! Does a seed decide? A seed that failed fails again, a seed that passed passes again; whatever else may vary, varies.

use std::rc::Rc;

use super::{Decides, Factor, Subject};
use crate::core::hunt::board::Run;
use crate::core::hunt::plan::Like;
use crate::core::hunt::probe::How;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::stats::ln_common_rate;
use crate::core::verdict::Count;

/// Rounds of one seed that failed and one that passed; the last of them in processes of their own.
const ROUNDS: u32 = 5;
const FRESH: u32 = 2;
/// So many different seeds of either kind are used.
const SEEDS: usize = 3;
/// Hash seeds of runs in which they vary beside the factor that is tested begin here: none of the repeats had them.
const OTHER_HASH_SEEDS: u32 = 1 << 20;

/// Names the seed that decides; `None` where none does.
pub(super) async fn decide(s: &Subject<'_>) -> Option<Decides> {
    let vary = s.r.vary;
    let mut factors = Vec::new();
    factors.extend(vary.seed.then_some(Factor::RandomSeed));
    factors.extend(vary.hash_seed.then_some(Factor::HashSeed));
    factors.extend((vary.seed && vary.hash_seed).then_some(Factor::BothSeeds));
    let of = |wanted: Seen| -> Vec<Rc<Run>> {
        let runs = s.runs().into_iter().filter(|(run, seen)| Subject::is_counted(run) && *seen == wanted);
        runs.map(|(run, _)| run).take(SEEDS).collect()
    };
    let (failed, passed) = (of(Seen::Fail), of(Seen::Pass));
    if failed.is_empty() || passed.is_empty() {
        return None;
    }
    // That several were tried is paid for.
    let alpha = s.h.plan.care.alpha / factors.len() as f64;
    for factor in factors {
        if let Some(decides) = experiment(s, factor, &failed, &passed, alpha).await {
            return Some(decides);
        }
    }
    None
}

/// Runs seeds again until it is clear that they decide, or the first that does not do what it did.
async fn experiment(
    s: &Subject<'_>,
    factor: Factor,
    failed: &[Rc<Run>],
    passed: &[Rc<Run>],
    alpha: f64,
) -> Option<Decides> {
    let (mut with, mut without) = (Count::default(), Count::default());
    for round in 0..ROUNDS {
        let how = How::next(Purpose::Confirm).exclusive();
        let how = if round >= ROUNDS - FRESH { how.fresh() } else { how };
        let again = |runs: &[Rc<Run>], nth: u32| {
            s.once(how, like(s, factor, &runs[round as usize % runs.len()], nth))
        };
        with.add(again(failed, 2 * round).await? == Seen::Fail);
        if with.k < with.n {
            return None;
        }
        without.add(again(passed, 2 * round + 1).await? == Seen::Fail);
        if without.k > 0 {
            return None;
        }
    }
    let proven = ln_common_rate(with, without) <= alpha.ln();
    proven.then_some(Decides { factor, with, without, since: None })
}

/// The seed that is tested as it was in that run, the other one as it comes.
fn like(s: &Subject<'_>, factor: Factor, run: &Run, nth: u32) -> Like {
    let usual = s.like(OTHER_HASH_SEEDS + nth);
    let (random, hash) = (Some(run.record.random_seed), run.spec.hash_seed);
    match factor {
        Factor::RandomSeed => Like { random_seed: random, ..usual },
        Factor::HashSeed => Like { hash_seed: hash, ..usual },
        _ => Like { random_seed: random, hash_seed: hash, ..usual },
    }
}
