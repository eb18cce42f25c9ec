//! Does it fail only while processors are busy? Repeats with and without load take turns, with nothing else beside them.

use super::settle::{judged, of, put, settle as settle_plain, undecided};
use super::{Decides, Factor, Subject, enough};
use crate::core::hunt::board::{Run, Urgency};
use crate::core::hunt::plan::Like;
use crate::core::hunt::probe::How;
use crate::core::outcome::Seen;
use crate::core::run::{Manner, Purpose};
use crate::core::stats::{Alternative, fisher, ln_evidence_never};
use crate::core::verdict::{Class, Confirmation, Count};

/// Processes of their own, under load, that are asked for a failure.
const FRESH: u32 = 20;
/// The chance, for a test that fails as often without load, of being said to fail more often under it.
const MORE_OFTEN: f64 = 0.01;

/// One repeat under load, one without, in turn.
pub(super) async fn count(s: &Subject<'_>) {
    let mut loaded = Count::default();
    let how = How { urgency: Urgency::Soon, ..How::next(Purpose::Counted).exclusive() };
    for nth in 0..s.r.count {
        for load in [s.r.load, 0] {
            let seen = s.once(how, like(s, nth, load)).await;
            if let (Some(seen), true) = (seen, load > 0) {
                loaded.add(seen == Seen::Fail);
            }
        }
        if enough(s.r, loaded) || (loaded.n == 0 && nth >= super::USELESS) {
            break;
        }
    }
}

/// Puts down a verdict, where it failed.
pub(super) async fn settle(s: &Subject<'_>) {
    let (with, without) = counts(s);
    if with.k == 0 || without.k > 0 {
        // Whatever is wrong with it shows without load, if at all.
        settle_plain(s).await;
        if without.k > 0 && fisher(with, without, Alternative::Greater) < MORE_OFTEN {
            s.h.decides
                .borrow_mut()
                .insert(s.test, Decides { factor: Factor::Load, with, without, since: None });
        }
        return;
    }
    let care = s.h.plan.care;
    let counts_say = format!("under load it failed in {}, without in {}", of(with), of(without));
    if ln_evidence_never(with, without.n) < -care.alpha.ln() {
        undecided(s, format!("{counts_say}: too few to be sure that the load matters"));
        return;
    }
    if s.h.plan.forks {
        let how = How::next(Purpose::Confirm).exclusive().fresh();
        let fresh = |run: &Run| run.record.fresh && run.spec.manner.load > 0;
        for nth in 0..FRESH {
            if s.failures(fresh).k > 0 {
                break;
            }
            s.once(how, like(s, nth, s.r.load)).await;
        }
        let seen = s.failures(fresh);
        if seen.k == 0 {
            undecided(s, format!("{counts_say}; in fresh processes under load in {}", of(seen)));
            return;
        }
        for nth in 0..care.fresh {
            s.once(how, like(s, nth, 0)).await;
        }
    }
    let (with, without) =
        (s.failures(|run| run.spec.manner.load > 0), s.failures(|run| run.spec.manner.load == 0));
    if without.k > 0 {
        settle_plain(s).await;
        return;
    }
    s.h.decides.borrow_mut().insert(s.test, Decides { factor: Factor::Load, with, without, since: None });
    let mut verdict = judged(s, Class::TimingDependent);
    verdict.confirmed = Some(Confirmation { with, without });
    put(s, verdict);
}

/// Counted failures under load, and without.
fn counts(s: &Subject<'_>) -> (Count, Count) {
    let arm =
        |loaded: bool| s.failures(|run| Subject::is_counted(run) && (run.spec.manner.load > 0) == loaded);
    (arm(true), arm(false))
}

fn like(s: &Subject<'_>, nth: u32, load: u32) -> Like {
    let usual = s.like(nth);
    Like { manner: Manner { load, ..usual.manner }, ..usual }
}
