//! Numbers as a report shows them.

use crate::core::verdict::Count;

/// The exact (Clopper-Pearson) 95 % interval of a rate, to four decimals so that every platform writes the same.
pub(super) fn interval95(count: Count) -> [f64; 2] {
    let (low, high) = clopper_pearson(count.k, count.n, 0.95);
    [round4(low), round4(high)]
}

/// Four decimals are what a report shows of a share.
pub(super) fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// Clopper and Pearson (1934): the rates that `k` of `n` does not refute at half the error on either side.
fn clopper_pearson(k: u32, n: u32, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    // P(X >= k) grows with the rate, P(X <= k) falls: both ends are found by halving.
    let low = if k == 0 { 0.0 } else { halve(|p| 1.0 - at_most(k - 1, n, p) < tail) };
    let high = if k >= n { 1.0 } else { halve(|p| at_most(k, n, p) > tail) };
    (low, high)
}

/// The rate at which `below` turns from true to false.
fn halve(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// P(X <= k) of a binomial distribution, summed in logarithms.
fn at_most(k: u32, n: u32, p: f64) -> f64 {
    let mut log_choose = 0.0;
    let mut sum = 0.0;
    for i in 0..=k {
        if i > 0 {
            log_choose += f64::from(n - i + 1).ln() - f64::from(i).ln();
        }
        sum += (log_choose + f64::from(i) * p.ln() + f64::from(n - i) * (1.0 - p).ln()).exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_intervals() {
        // From the closed form: with 10 of 10 the lower end is 0.025^(1/10).
        assert_eq!(interval95(Count { k: 10, n: 10 }), [0.6915, 1.0]);
        assert_eq!(interval95(Count { k: 0, n: 10 }), [0.0, 0.3085]);
        assert_eq!(interval95(Count { k: 0, n: 0 }), [0.0, 1.0]);
        // R: binom.test(23, 50)$conf.int
        assert_eq!(interval95(Count { k: 23, n: 50 }), [0.3181, 0.6068]);
    }
}
