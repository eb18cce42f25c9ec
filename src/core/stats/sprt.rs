//! A test that stops as soon as it knows.

/// What is known so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Not enough.
    Continue,
    /// The rate is the lower one, or below.
    AcceptH0,
    /// The rate is the higher one, or above.
    AcceptH1,
}

/// Wald's sequential probability ratio test of a failure rate (Annals of Mathematical Statistics 16, 1945).
///
/// It stops at likelihood ratios of 1 / alpha and beta. Wald's own bounds, (1 - beta) / alpha and beta / (1 - alpha), are a little
/// closer together, but hold only the sum of the error rates; these hold each of them, also for rates beyond `p0` and `p1`.
/// Between the two rates either answer may come.
#[derive(Clone, Debug)]
pub struct Sprt {
    on_failure: f64,
    on_pass: f64,
    accept_h0: f64,
    accept_h1: f64,
    ln_ratio: f64,
    decision: Decision,
}

impl Sprt {
    /// A test of "the rate is `p0`" against "it is `p1`".
    ///
    /// `alpha` bounds the probability of `AcceptH1` at rates up to `p0`, `beta` that of `AcceptH0` at rates from `p1`
    /// on. With `p0` = 0 a single failure decides, with `p1` = 1 a single pass. `None` unless
    /// 0 <= p0 < p1 <= 1 and both error rates lie between 0 and 1.
    pub fn new(p0: f64, p1: f64, alpha: f64, beta: f64) -> Option<Self> {
        let error_rate = |rate: f64| rate > 0.0 && rate < 1.0;
        (0.0 <= p0 && p0 < p1 && p1 <= 1.0 && error_rate(alpha) && error_rate(beta)).then(|| Self {
            on_failure: p1.ln() - p0.ln(),
            on_pass: (-p1).ln_1p() - (-p0).ln_1p(),
            accept_h0: beta.ln(),
            accept_h1: -alpha.ln(),
            ln_ratio: 0.0,
            decision: Decision::Continue,
        })
    }

    /// One more run. What was decided once stays decided.
    pub fn add(&mut self, failed: bool) -> Decision {
        if self.decision == Decision::Continue {
            self.ln_ratio += if failed { self.on_failure } else { self.on_pass };
            // Sums of equal steps may miss a bound that they reach exactly.
            let slack = 1e-9;
            if self.ln_ratio >= self.accept_h1 - slack {
                self.decision = Decision::AcceptH1;
            } else if self.ln_ratio <= self.accept_h0 + slack {
                self.decision = Decision::AcceptH0;
            }
        }
        self.decision
    }

    /// What is known so far.
    pub fn decision(&self) -> Decision {
        self.decision
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    /// The share of campaigns at this rate that accept H1; every one of them ends.
    fn accepts_h1(test: &Sprt, rate: f64, campaigns: u32, rng: &mut ChaCha8Rng) -> f64 {
        let limit = (rate * 2.0_f64.powi(32)) as u64;
        let mut accepted = 0;
        for _ in 0..campaigns {
            let mut test = test.clone();
            while test.add(u64::from(rng.next_u32()) < limit) == Decision::Continue {}
            accepted += u32::from(test.decision() == Decision::AcceptH1);
        }
        f64::from(accepted) / f64::from(campaigns)
    }

    #[test]
    fn error_rates_hold() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for (p0, p1, alpha, beta) in [(0.05, 0.5, 0.01, 0.05), (0.1, 0.3, 0.05, 0.01), (0.5, 0.9, 0.05, 0.05)]
        {
            let test = Sprt::new(p0, p1, alpha, beta).expect("a test");
            let campaigns = 4_000;
            let room = |rate: f64| 3.0 * (rate * (1.0 - rate) / f64::from(campaigns)).sqrt();
            for below in [p0, p0 / 2.0] {
                let wrong = accepts_h1(&test, below, campaigns, &mut rng);
                assert!(wrong <= alpha + room(alpha), "{p0} {p1} at {below}: {wrong}");
            }
            for above in [p1, (1.0 + p1) / 2.0] {
                let wrong = 1.0 - accepts_h1(&test, above, campaigns, &mut rng);
                assert!(wrong <= beta + room(beta), "{p0} {p1} at {above}: {wrong}");
            }
        }
    }

    #[test]
    fn it_stops_where_the_ratio_says() {
        // Ratios 2 a failure and 2/3 a pass: 1/alpha = 16 after four failures, beta = 0.2 after four passes.
        let mut failing = Sprt::new(0.25, 0.5, 1.0 / 16.0, 0.2).expect("a test");
        assert_eq!([true; 3].map(|failed| failing.add(failed)), [Decision::Continue; 3]);
        assert_eq!(failing.add(true), Decision::AcceptH1);
        let mut passing = Sprt::new(0.25, 0.5, 1.0 / 16.0, 0.2).expect("a test");
        assert_eq!([false; 3].map(|failed| passing.add(failed)), [Decision::Continue; 3]);
        assert_eq!(passing.add(false), Decision::AcceptH0);
        assert_eq!([true; 9].map(|failed| passing.add(failed)), [Decision::AcceptH0; 9]);
    }

    #[test]
    fn what_cannot_happen_decides_at_once() {
        let mut never_fails = Sprt::new(0.0, 0.5, 0.01, 0.01).expect("a test");
        assert_eq!(never_fails.add(true), Decision::AcceptH1);
        let mut always_fails = Sprt::new(0.5, 1.0, 0.01, 0.01).expect("a test");
        assert_eq!(always_fails.add(false), Decision::AcceptH0);
        let mut either = Sprt::new(0.0, 1.0, 0.01, 0.01).expect("a test");
        assert_eq!(either.add(false), Decision::AcceptH0);
    }

    #[test]
    fn what_is_no_test_is_refused() {
        for (p0, p1, alpha, beta) in [
            (0.5, 0.5, 0.1, 0.1),
            (-0.1, 0.5, 0.1, 0.1),
            (0.1, 1.1, 0.1, 0.1),
            (0.1, 0.5, 0.0, 0.1),
            (0.1, 0.5, 0.1, 1.0),
        ] {
            assert!(Sprt::new(p0, p1, alpha, beta).is_none());
        }
        assert!(Sprt::new(f64::NAN, 0.5, 0.1, 0.1).is_none());
    }
}
