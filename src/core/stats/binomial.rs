//! What a count says of a rate.

use super::{ln_choose, power};
use crate::core::verdict::Count;

/// The rates that agree with a count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

/// The exact two-sided interval of Clopper and Pearson (Biometrika 26, 1934).
///
/// Holds the true rate with at least this confidence, whatever the rate is; all rates where nothing was tried.
pub fn interval(count: Count, confidence: f64) -> Interval {
    let one_sided = 1.0 - (1.0 - confidence) / 2.0;
    Interval { low: lower_bound(count, one_sided), high: upper_bound(count, one_sided) }
}

/// The rate is at least this, with this confidence. The lower end of a one-sided Clopper-Pearson interval.
pub fn lower_bound(count: Count, confidence: f64) -> f64 {
    if count.k == 0 {
        return 0.0;
    }
    // The rate at which so many or more come up with the probability that is left; the probability grows with it.
    let (mut low, mut high) = (0.0, 1.0);
    while high - low > f64::EPSILON * high {
        let rate = (low + high) / 2.0;
        if rate <= low || rate >= high {
            break;
        }
        if at_least(count, rate) < 1.0 - confidence {
            low = rate;
        } else {
            high = rate;
        }
    }
    low
}

/// The rate is at most this, with this confidence. The upper end of a one-sided Clopper-Pearson interval.
pub fn upper_bound(count: Count, confidence: f64) -> f64 {
    1.0 - lower_bound(Count { k: count.n - count.k, n: count.n }, confidence)
}

/// How many runs without a failure show, with this confidence, that the failure rate is below this.
///
/// The least R with (1 - rate)^R <= 1 - confidence; `None` where no number of runs shows it.
pub fn runs_needed(max_rate: f64, confidence: f64) -> Option<u64> {
    if confidence <= 0.0 {
        return Some(0);
    }
    let runs = (-confidence).ln_1p() / (-max_rate).ln_1p();
    (max_rate > 0.0 && runs.is_finite()).then_some((runs.ceil() as u64).max(1))
}

/// The probability of `count.k` or more of `count.n` at this rate, which is neither 0 nor 1.
///
/// The sum of the binomial law on the side on which its terms fall, so that it ends early and nothing cancels out.
fn at_least(count: Count, rate: f64) -> f64 {
    let Count { k, n } = count;
    let odds = rate / (1.0 - rate);
    if f64::from(k) > f64::from(n) * rate {
        falling_sum(term(k, n, rate), (k..n).map(|j| f64::from(n - j) / f64::from(j + 1) * odds))
    } else if k == 0 {
        1.0
    } else {
        1.0 - falling_sum(
            term(k - 1, n, rate),
            (1..k).rev().map(|j| f64::from(j) / f64::from(n - j + 1) / odds),
        )
    }
}

/// The sum of terms, given the first one and the ratio of each to the one before.
fn falling_sum(first: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut term) = (first, first);
    for ratio in ratios {
        term *= ratio;
        if term < sum * f64::EPSILON / 8.0 {
            break;
        }
        sum += term;
    }
    sum
}

/// The probability of exactly `k` of `n`.
fn term(k: u32, n: u32, rate: f64) -> f64 {
    let misses = f64::from(n - k) * (-rate).ln_1p();
    (ln_choose(n.into(), k.into()) + power(k, rate) + misses).exp()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use statrs::distribution::{Beta, Binomial, ContinuousCDF, Discrete};

    use super::*;

    #[test]
    fn the_ends_are_quantiles_of_the_beta_law() {
        for n in [1, 2, 10, 52, 170, 1_000, 20_000] {
            for k in [0, 1, 2, n / 10, n / 2, n - 1, n].into_iter().filter(|k| *k <= n) {
                for confidence in [0.5, 0.9, 0.95, 0.999] {
                    let Interval { low, high } = interval(Count { k, n }, confidence);
                    let tail = (1.0 - confidence) / 2.0;
                    if k == 0 {
                        assert_eq!(low, 0.0);
                    } else {
                        let law = Beta::new(k.into(), (n - k + 1).into()).expect("a beta law");
                        assert!((law.cdf(low) - tail).abs() < 1e-9, "low of {k} of {n}: {low}");
                    }
                    if k == n {
                        assert_eq!(high, 1.0);
                    } else {
                        let law = Beta::new((k + 1).into(), (n - k).into()).expect("a beta law");
                        assert!((law.cdf(high) - (1.0 - tail)).abs() < 1e-9, "high of {k} of {n}: {high}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_ends_are_those_of_scipy() {
        for (k, n, low, high) in [
            (23, 50, 0.318_149_178_568_608_64, 0.606_758_023_883_077_6),
            (1, 52, 0.000_486_762_415_492_083, 0.102_553_544_652_117_73),
            (0, 170, 0.0, 0.021_465_554_980_944_556),
            (5, 1000, 0.001_625_419_517_562_76, 0.011_629_470_559_812_147),
        ] {
            let ours = interval(Count { k, n }, 0.95);
            assert!((ours.low - low).abs() < 1e-9 && (ours.high - high).abs() < 1e-9, "{k} of {n}: {ours:?}");
        }
    }

    #[test]
    fn nothing_tried_says_nothing() {
        assert_eq!(interval(Count { k: 0, n: 0 }, 0.95), Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn ends_without_a_failure_have_a_closed_form() {
        // 1 - (1 - confidence)^(1/n): the "rule of three".
        for n in [1, 10, 59, 10_000] {
            let closed = 1.0 - 0.05_f64.powf(1.0 / f64::from(n));
            assert!((upper_bound(Count { k: 0, n }, 0.95) - closed).abs() < 1e-12);
            assert!((lower_bound(Count { k: n, n }, 0.95) - (1.0 - closed)).abs() < 1e-12);
        }
    }

    /// The exact and the simulated share of campaigns whose interval holds the true rate.
    #[test]
    fn intervals_hold_the_rate_as_often_as_they_say() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for n in [10_u32, 100, 1_000] {
            let intervals: Vec<Interval> = (0..=n).map(|k| interval(Count { k, n }, 0.95)).collect();
            for rate in [0.001, 0.01, 0.05, 0.1, 0.3, 0.5] {
                let law = Binomial::new(rate, n.into()).expect("a binomial law");
                let holds = |k: usize| (intervals[k].low..=intervals[k].high).contains(&rate);
                let mut sum = 0.0;
                let up_to: Vec<f64> = (0..=u64::from(n))
                    .map(|k| {
                        sum += law.pmf(k);
                        sum
                    })
                    .collect();
                let exact: f64 = (0..=n as usize).filter(|k| holds(*k)).map(|k| law.pmf(k as u64)).sum();
                let campaigns = 10_000;
                let held = (0..campaigns)
                    .map(|_| rng.next_u64() as f64 / 2.0_f64.powi(64))
                    .filter(|u| holds(up_to.partition_point(|below| below <= u).min(n as usize)))
                    .count();
                let simulated = held as f64 / f64::from(campaigns);
                assert!(exact >= 0.95, "{n} tries at {rate}: {exact}");
                // Three standard deviations of 10,000 tries at 0.95.
                assert!(simulated >= 0.95 - 0.0065, "{n} tries at {rate}: {simulated}");
                assert!((simulated - exact).abs() < 0.01, "{n} tries at {rate}: {simulated}, {exact}");
            }
        }
    }

    #[test]
    fn one_more_run_is_not_needed_and_one_less_is_not_enough() {
        for (rate, confidence, runs) in [(0.05, 0.95, 59), (0.01, 0.95, 299), (0.1, 0.99, 44), (0.5, 0.5, 1)]
        {
            assert_eq!(runs_needed(rate, confidence), Some(runs));
        }
        // 170 runs without a failure (Gruber et al., ICST 2021) speak against rates of 1.75 % and more.
        assert_eq!(runs_needed(0.0175, 0.95), Some(170));
        assert_eq!(runs_needed(1.0, 0.95), Some(1));
        assert_eq!(runs_needed(0.1, 0.0), Some(0));
        assert_eq!(runs_needed(0.0, 0.95), None);
        assert_eq!(runs_needed(0.1, 1.0), None);
    }
}
