//! Which side of a limit is a rate on? Looked at after every run, with stated error rates.
//!
//! The likelihood of a count is averaged over a few rates on one side of the limit and divided by its likelihood at the
//! limit. While the true rate is the limit, or beyond it, that ratio is a supermartingale, so the probability that it
//! ever gets to 20 is 1 in 20 at most (Ville's inequality; Robbins, Annals of Mathematical Statistics 41, 1970): one may
//! look after every run and stop when one likes. The rates are fixed beforehand; they decide how soon the test ends, not
//! how often it is wrong.

use super::{Interval, power};
use crate::core::verdict::Count;

/// The side of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The rate is lower.
    Below,
    /// The rate is higher.
    Above,
}

/// Shares of the limit that are held against it from below, with their weights. Most of the weight is on a test that
/// never fails: that is what is hoped for, and it ends after few more runs than a fixed number would take.
const LOWER: [(f64, f64); 4] = [(0.0, 0.7), (0.125, 0.1), (1.0 / 3.0, 0.1), (2.0 / 3.0, 0.1)];
/// Multiples of the limit's odds that are held against it from above, with their weights.
const HIGHER: [(f64, f64); 4] = [(1.5, 0.25), (3.0, 0.25), (10.0, 0.25), (50.0, 0.25)];

/// Which side of `limit` the failure rate is on, as soon as that is known; `None` while it is not.
///
/// Asked after each of any number of runs, it says [`Side::Below`] of a rate that is not below with a probability of
/// `1 - confidence` at most, and [`Side::Above`] of one that is not above likewise.
pub fn side(count: Count, limit: f64, confidence: f64) -> Option<Side> {
    let enough = -(-confidence).ln_1p();
    if ln_evidence(count, limit, Side::Below) >= enough {
        Some(Side::Below)
    } else if ln_evidence(count, limit, Side::Above) >= enough {
        Some(Side::Above)
    } else {
        None
    }
}

/// How many runs without any failure [`side`] takes to say [`Side::Below`]; `None` where that is beyond counting.
///
/// A little more than [`runs_needed`](super::runs_needed), the price of being allowed to go on after a failure.
pub fn passes_needed(limit: f64, confidence: f64) -> Option<u32> {
    let below = |n: u32| side(Count { k: 0, n }, limit, confidence) == Some(Side::Below);
    let (mut low, mut high) = (0, u32::MAX);
    if !below(high) {
        return None;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if below(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// An interval that holds the true rate with this confidence, also where the runs ended because of what they showed.
///
/// All limits that [`side`] does not exclude, with half of the error on each side. Wider than the exact interval of a
/// number of runs that was fixed beforehand.
pub fn interval_at_any_time(count: Count, confidence: f64) -> Interval {
    let half = 1.0 - (1.0 - confidence) / 2.0;
    let rate = count.rate();
    if count.n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let low = if count.k == 0 { 0.0 } else { edge(count, half, Side::Above, 0.0, rate) };
    let high = if count.k == count.n { 1.0 } else { edge(count, half, Side::Below, 1.0, rate) };
    Interval { low, high }
}

/// The limit between `outer`, where `side` is known, and `inner`, where it is not.
fn edge(count: Count, confidence: f64, known: Side, mut outer: f64, mut inner: f64) -> f64 {
    // 2^-50 of the way is less than four decimals show.
    for _ in 0..50 {
        let limit = (outer + inner) / 2.0;
        if side(count, limit, confidence) == Some(known) { outer = limit } else { inner = limit }
    }
    outer
}

/// ln of the evidence that the rate is on this side of the limit, which is neither 0 nor 1.
fn ln_evidence(count: Count, limit: f64, side: Side) -> f64 {
    let Count { k, n } = count;
    let likelihood = |rate: f64| power(k, rate) + f64::from(n - k) * (-rate).ln_1p();
    let rate = |step: f64| match side {
        Side::Below => limit * step,
        Side::Above => {
            let odds = limit / (1.0 - limit) * step;
            odds / (1.0 + odds)
        }
    };
    let steps = match side {
        Side::Below => LOWER,
        Side::Above => HIGHER,
    };
    let parts = steps.map(|(step, weight)| weight.ln() + likelihood(rate(step)));
    let most = parts.into_iter().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + parts.into_iter().map(|part| (part - most).exp()).sum::<f64>().ln() - likelihood(limit)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;
    use crate::core::stats::{interval, runs_needed};

    const CAMPAIGNS: u32 = 10_000;
    /// Three standard deviations of 10,000 tries at 0.05.
    const ROOM: f64 = 0.0065;

    /// Where campaigns against one limit stop: the least `k` of "above" and the greatest of "below", for each `n`.
    struct Stops(Vec<(u32, Option<u32>)>);

    impl Stops {
        fn of(limit: f64, most: u32) -> Self {
            let side = |k: u32, n: u32| side(Count { k, n }, limit, 0.95);
            let mut stops = Vec::new();
            for n in 0..=most {
                let likely = (f64::from(n) * limit) as u32;
                let above = (likely..=n).find(|k| side(*k, n) == Some(Side::Above)).unwrap_or(u32::MAX);
                let below = (0..=likely.min(n)).take_while(|k| side(*k, n) == Some(Side::Below)).last();
                stops.push((above, below));
            }
            Self(stops)
        }

        fn campaign(&self, rate: f64, rng: &mut ChaCha8Rng) -> (Count, Option<Side>) {
            let threshold = (rate * 2.0_f64.powi(32)) as u64;
            let mut count = Count::default();
            for (above, below) in &self.0[1..] {
                count.add(u64::from(rng.next_u32()) < threshold);
                if count.k >= *above {
                    return (count, Some(Side::Above));
                }
                if below.is_some_and(|below| count.k <= below) {
                    return (count, Some(Side::Below));
                }
            }
            (count, None)
        }
    }

    /// Rates from .001 to .5, up to 1,000 runs each.
    #[test]
    fn the_stop_keeps_its_error_rates_and_the_interval_its_confidence() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let cases: [(f64, &[f64]); 3] =
            [(0.01, &[0.001, 0.01, 0.02]), (0.05, &[0.001, 0.01, 0.05, 0.06, 0.1, 0.5]), (0.2, &[0.2])];
        for (limit, rates) in cases {
            let stops = Stops::of(limit, 1_000);
            for &rate in rates {
                let (mut wrong, mut missed) = (0, 0);
                let mut known = std::collections::HashMap::new();
                for _ in 0..CAMPAIGNS {
                    let (count, said) = stops.campaign(rate, &mut rng);
                    wrong += u32::from(match said {
                        Some(Side::Below) => rate >= limit,
                        Some(Side::Above) => rate <= limit,
                        None => false,
                    });
                    let Interval { low, high } =
                        *known.entry((count.k, count.n)).or_insert_with(|| interval_at_any_time(count, 0.95));
                    missed += u32::from(!(low..=high).contains(&rate));
                }
                let share = |n: u32| f64::from(n) / f64::from(CAMPAIGNS);
                // A rate that is the limit may be called either with 0.05.
                let allowed = if rate == limit { 0.1 } else { 0.05 };
                assert!(share(wrong) <= allowed + ROOM, "limit {limit}, rate {rate}: {}", share(wrong));
                assert!(share(missed) <= 0.05 + ROOM, "limit {limit}, rate {rate}: {} missed", share(missed));
            }
        }
    }

    /// `--max-fail`: the exact interval of a fixed number of runs holds there too.
    #[test]
    fn an_exact_interval_bears_a_stop_at_a_number_of_failures() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        for most in [10, 100, 1_000] {
            for rate in [0.001, 0.01, 0.05, 0.2, 0.5] {
                let threshold = (rate * 2.0_f64.powi(32)) as u64;
                for max_fail in [1, 3] {
                    let mut known = std::collections::HashMap::new();
                    let held = (0..CAMPAIGNS).filter(|_| {
                        let mut count = Count::default();
                        while count.n < most && count.k < max_fail {
                            count.add(u64::from(rng.next_u32()) < threshold);
                        }
                        let Interval { low, high } =
                            *known.entry((count.k, count.n)).or_insert_with(|| interval(count, 0.95));
                        (low..=high).contains(&rate)
                    });
                    let held = held.count() as f64 / f64::from(CAMPAIGNS);
                    assert!(held >= 0.95 - ROOM, "{max_fail} failures in {most} at {rate}: {held}");
                }
            }
        }
    }

    #[test]
    fn what_never_fails_takes_a_little_longer_than_a_fixed_number() {
        for (limit, confidence) in [(0.01, 0.95), (0.05, 0.95), (0.001, 0.99), (0.5, 0.95)] {
            let needed = passes_needed(limit, confidence).expect("a number");
            let fixed = runs_needed(limit, confidence).expect("a number") as u32;
            assert!(fixed <= needed && needed <= fixed * 6 / 5 + 2, "{limit}: {needed}, {fixed}");
            assert_eq!(side(Count { k: 0, n: needed }, limit, confidence), Some(Side::Below));
            assert_eq!(side(Count { k: 0, n: needed - 1 }, limit, confidence), None);
        }
    }

    #[test]
    fn a_test_that_always_fails_is_above_after_few_runs() {
        assert_eq!(side(Count { k: 3, n: 3 }, 0.01, 0.95), Some(Side::Above));
        assert_eq!(side(Count { k: 0, n: 0 }, 0.01, 0.95), None);
        assert_eq!(interval_at_any_time(Count { k: 0, n: 0 }, 0.95), Interval { low: 0.0, high: 1.0 });
        let all = interval_at_any_time(Count { k: 20, n: 20 }, 0.95);
        assert!(all.high == 1.0 && all.low > 0.6, "{all:?}");
    }
}
