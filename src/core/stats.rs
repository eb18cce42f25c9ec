//! Exact intervals and tests with stated error rates.
//!
//! A confidence, an error rate and a failure rate are numbers from 0 to 1 throughout.

mod binomial;
mod durations;
mod sequential;
mod sprt;
mod two_counts;

pub use binomial::{Interval, interval, lower_bound, runs_needed, upper_bound};
pub use durations::Durations;
pub use sequential::{Side, interval_at_any_time, passes_needed, side};
pub use sprt::{Decision, Sprt};
pub use two_counts::{
    Alternative, fisher, g_statistic, ln_common_rate, ln_evidence_never, ln_evidence_raised, ln_own_rates,
};

/// ln(n!), to the last digits of an f64: the product itself, then Stirling's series (DLMF 5.11.1).
fn ln_factorial(n: u64) -> f64 {
    if n <= 20 {
        return ((1..=n).product::<u64>() as f64).ln();
    }
    let x = n as f64;
    let half_ln_2_pi = 0.5 * std::f64::consts::TAU.ln();
    let square = x * x;
    let series =
        (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / x;
    (x + 0.5) * x.ln() - x + half_ln_2_pi + series
}

/// ln of the number of ways to choose `k` of `n`.
fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// k ln(x), where nothing is to the power of nothing.
fn power(k: u32, x: f64) -> f64 {
    if k == 0 { 0.0 } else { f64::from(k) * x.ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factorials_are_those_of_statrs() {
        for n in (0..200).chain([1_000, 123_456, 10_000_000]) {
            let (ours, theirs) = (ln_factorial(n), statrs::function::factorial::ln_factorial(n));
            assert!((ours - theirs).abs() <= 1e-13 * theirs.max(1.0), "{n}: {ours} {theirs}");
        }
    }
}
