//! Whether two counts come from one rate: failures in runs with a set of tests, and in runs without it.

use super::{ln_choose, power};
use crate::core::verdict::Count;

/// Which difference counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// The first rate is the greater one.
    Greater,
    /// The first rate is the smaller one.
    Less,
    /// Either.
    TwoSided,
}

/// Fisher's exact test: how probable a table at least as extreme is where both rates are the same.
///
/// "As extreme" in the two-sided test means as improbable, as in R. Holds for counts whose sizes were fixed beforehand.
pub fn fisher(first: Count, second: Count, alternative: Alternative) -> f64 {
    let failures = first.k + second.k;
    let all = u64::from(first.n) + u64::from(second.n);
    let tables = failures.saturating_sub(second.n)..=failures.min(first.n);
    let probability = |k: u32| {
        let ways = ln_choose(first.n.into(), k.into()) + ln_choose(second.n.into(), (failures - k).into());
        (ways - ln_choose(all, failures.into())).exp()
    };
    let sum: f64 = match alternative {
        Alternative::Greater => (first.k..=*tables.end()).map(probability).sum(),
        Alternative::Less => (*tables.start()..=first.k).map(probability).sum(),
        Alternative::TwoSided => {
            // Equal probabilities differ in their last digits.
            let limit = probability(first.k) * (1.0 + 1e-7);
            tables.map(probability).filter(|p| *p <= limit).sum()
        }
    };
    sum.min(1.0)
}

/// The G statistic of two counts: 2 Σ O ln(O / E), at least 0, about chi-square with one degree of freedom where both
/// rates are the same.
///
/// For ranking: it has no sign (compare the rates), and small counts do not follow that law.
pub fn g_statistic(first: Count, second: Count) -> f64 {
    (2.0 * (ln_own_rates(first, second) - ln_common_rate(first, second))).max(0.0)
}

/// ln of the probability of the outcomes under the one common rate that fits them best: (k/n)^k (1 - k/n)^(n-k) with
/// k = k1 + k0 and n = n1 + n0.
///
/// A bound on false culprits. That a set decides (it fails with it always, without it never) gives such outcomes the
/// probability 1; if in truth one rate governs all runs, they come up with `exp` of this at most. It is a likelihood
/// ratio against a hypothesis that was fixed beforehand, so the runs may stop on it: at any common rate the probability
/// that it ever gets down to `ln(x)` while the set still seems to decide is `x` at most. With m sets tried, m x.
pub fn ln_common_rate(with: Count, without: Count) -> f64 {
    ln_best(Count { k: with.k + without.k, n: with.n + without.n })
}

/// ln of the probability of the outcomes where each count has the rate that fits it best.
pub fn ln_own_rates(with: Count, without: Count) -> f64 {
    ln_best(with) + ln_best(without)
}

/// ln of the evidence that the first rate is greater, for effects that do not come every time.
///
/// The likelihood of the outcomes averaged over all pairs of rates with the first one greater, divided by
/// the greatest likelihood under one common rate. The average does not look at the data, so at any common rate the
/// probability that this ever gets to `ln(1 / x)` is `x` at most (Ville's inequality), whatever rule says when to stop and
/// which of the two to run next. With m sets tried, ask for `ln(m / x)`. Where a set makes a test pass, swap the counts.
///
/// How probable it is that the first rate is the greater one, given the counts, is a hypergeometric sum (Altham, Journal of the Royal
/// Statistical Society B 31, 1969).
pub fn ln_evidence_raised(with: Count, without: Count) -> f64 {
    let greater = fisher(
        Count { k: with.k, n: with.n + 1 },
        Count { k: without.k + 1, n: without.n + 1 },
        Alternative::Less,
    );
    // Half of all pairs of rates have the first one greater.
    2.0_f64.ln() + greater.ln() + ln_average(with) + ln_average(without) - ln_common_rate(with, without)
}

/// ln of the evidence that a set acts at some rate and that nothing flips without it, for `n` runs without of which none
/// flipped.
///
/// The likelihood of the outcomes with the set, averaged over all rates, divided by the greatest likelihood of all
/// outcomes under one common rate: a bound as in [`ln_evidence_raised`], against which this claims more (a rate of exactly
/// 0 without the set) and so learns faster from runs that bear it out.
pub fn ln_evidence_never(with: Count, without: u32) -> f64 {
    ln_average(with) - ln_common_rate(with, Count { k: 0, n: without })
}

/// ln of k/n to the k times (1 - k/n) to the n - k.
fn ln_best(count: Count) -> f64 {
    let Count { k, n } = count;
    let rate = count.rate();
    power(k, rate) + power(n - k, 1.0 - rate)
}

/// ln of the probability of outcomes averaged over all rates: 1 / ((n + 1) choose(n, k)).
fn ln_average(count: Count) -> f64 {
    -f64::from(count.n).ln_1p() - ln_choose(count.n.into(), count.k.into())
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    /// By hand: 1 / (3 C(2, 1)) against (1/4) (3/4)^3.
    #[test]
    fn evidence_of_never_is_an_average_over_the_best_common_rate() {
        let by_hand = (1.0 / 6.0_f64).ln() - (27.0 / 256.0_f64).ln();
        assert!((ln_evidence_never(count(1, 2), 2) - by_hand).abs() < 1e-12);
    }

    fn count(k: u32, n: u32) -> Count {
        Count { k, n }
    }

    /// Two counts; Fisher's greater, less and two-sided; G. From scipy 1.17.1: `fisher_exact`, `chi2_contingency`.
    type Row = ((u32, u32), (u32, u32), [f64; 3], f64);

    const SCIPY: [Row; 6] = [
        ((10, 10), (0, 10), [5.412544112234515e-06, 1.0, 1.082508822446903e-05], 27.725887222397812),
        (
            (7, 10),
            (2, 12),
            [0.017027863777089782, 0.9988942945599293, 0.027421494913754976],
            6.736387207824814,
        ),
        ((3, 8), (1, 9), [0.24117647058823521, 0.9705882352941176, 0.2941176470588236], 1.6862259792499792),
        (
            (23, 50),
            (2, 52),
            [3.5066626502609026e-07, 0.9999999848995388, 4.017202051836824e-07],
            27.655794387859927,
        ),
        (
            (1, 30),
            (9, 40),
            [0.9978632446159388, 0.022815033294331558, 0.035841384645409945],
            5.994492540879547,
        ),
        ((0, 5), (0, 7), [1.0, 1.0, 1.0], 0.0),
    ];

    #[test]
    fn fisher_and_g_are_those_of_scipy() {
        for ((k1, n1), (k0, n0), p, g) in SCIPY {
            let (first, second) = (count(k1, n1), count(k0, n0));
            let kinds = [Alternative::Greater, Alternative::Less, Alternative::TwoSided];
            for (kind, expected) in kinds.into_iter().zip(p) {
                let ours = fisher(first, second, kind);
                assert!((ours - expected).abs() <= 1e-11 * expected, "{first:?} {second:?} {kind:?}: {ours}");
            }
            assert!((g_statistic(first, second) - g).abs() < 1e-9);
            assert!((g_statistic(second, first) - g).abs() < 1e-9);
        }
    }

    #[test]
    fn a_clear_cut_bounds_false_culprits() {
        // Ten with and ten without: a fair coin is the best common rate.
        assert!((ln_common_rate(count(10, 10), count(0, 10)) - 20.0 * 0.5_f64.ln()).abs() < 1e-12);
        assert!(
            (ln_common_rate(count(1, 1), count(0, 3)) - (0.25_f64 * 0.75_f64.powi(3)).ln()).abs() < 1e-12
        );
        assert_eq!(ln_own_rates(count(10, 10), count(0, 10)), 0.0);
        assert_eq!(ln_common_rate(count(0, 0), count(0, 0)), 0.0);
    }

    #[test]
    fn evidence_is_the_average_over_the_pairs_of_rates() {
        let (with, without) = (count(5, 8), count(1, 9));
        let steps = 400;
        let rates = || (0..steps).map(|step| (f64::from(step) + 0.5) / f64::from(steps));
        let likelihood = |c: Count, rate: f64| rate.powi(c.k as i32) * (1.0 - rate).powi((c.n - c.k) as i32);
        let sum: f64 = rates()
            .flat_map(|p1| rates().map(move |p0| (p1, p0)))
            // Pairs on the diagonal lie half on either side.
            .map(|(p1, p0)| (p1, p0, if p1 > p0 { 1.0 } else { 0.5 * f64::from(u8::from(p1 == p0)) }))
            .map(|(p1, p0, weight)| weight * likelihood(with, p1) * likelihood(without, p0))
            .sum();
        let average = 2.0 * sum / f64::from(steps * steps);
        let expected = average.ln() - ln_common_rate(with, without);
        assert!((ln_evidence_raised(with, without) - expected).abs() < 1e-4, "{expected}");
    }

    #[test]
    fn evidence_grows_with_the_effect_and_shrinks_against_it() {
        assert_eq!(ln_evidence_raised(count(0, 0), count(0, 0)), 0.0);
        let clear = ln_evidence_raised(count(10, 10), count(0, 10));
        let noisy = ln_evidence_raised(count(5, 10), count(0, 10));
        let none = ln_evidence_raised(count(5, 10), count(5, 10));
        let against = ln_evidence_raised(count(0, 10), count(10, 10));
        assert!(clear > 1000_f64.ln() && clear > noisy && noisy > 0.0 && 0.0 > none && none > against);
    }

    #[test]
    fn looking_after_every_run_misleads_no_more_often_than_stated() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for rate in [0.05, 0.3, 0.5] {
            let limit = (rate * 2.0_f64.powi(32)) as u64;
            let (campaigns, runs) = (600, 60);
            let mut misled = [0, 0];
            for _ in 0..campaigns {
                let (mut with, mut without) = (Count::default(), Count::default());
                let mut seen = [false, false];
                for run in 0..runs {
                    let side = if run % 2 == 0 { &mut with } else { &mut without };
                    side.add(u64::from(rng.next_u32()) < limit);
                    seen[0] |= ln_evidence_raised(with, without) >= 20_f64.ln();
                    let decides = with.k == with.n && without.k == 0;
                    seen[1] |= decides && ln_common_rate(with, without) <= 0.05_f64.ln();
                }
                for (misled, seen) in misled.iter_mut().zip(seen) {
                    *misled += u32::from(seen);
                }
            }
            // One in 20 is 30 of 600; the bound is not tight, so no room is left for chance.
            assert!(misled.iter().all(|misled| *misled <= 30), "at {rate}: {misled:?}");
        }
    }
}
