//! Exact intervals and tests with stated error rates.

fn ln_choose(n: u32, k: u32) -> f64 {
    (0..k).map(|i| (f64::from(n - i) / f64::from(i + 1)).ln()).sum()
}
fn hyper(k1: u32, n1: u32, k: u32, n: u32) -> f64 {
    (ln_choose(n1, k1) + ln_choose(n - n1, k - k1) - ln_choose(n, k)).exp()
}
/// One-sided.
pub fn fisher_greater(k1: u32, n1: u32, k0: u32, n0: u32) -> f64 {
    let (k, n) = (k1 + k0, n1 + n0);
    (k1..=k.min(n1)).filter(|x| k - x <= n0).map(|x| hyper(x, n1, k, n)).sum()
}
/// Two-sided.
pub fn fisher_two_sided(k1: u32, n1: u32, k0: u32, n0: u32) -> f64 {
    let (k, n) = (k1 + k0, n1 + n0);
    let p = hyper(k1, n1, k, n) * (1.0 + 1e-9);
    (k.saturating_sub(n0)..=k.min(n1)).map(|x| hyper(x, n1, k, n)).filter(|q| *q <= p).sum()
}
