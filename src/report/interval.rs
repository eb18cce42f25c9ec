//! Numbers as a report shows them.

use crate::core::stats::{Interval, interval};
use crate::core::verdict::Count;

/// The exact (Clopper-Pearson) 95 % interval of a rate, to four decimals so that every platform writes the same.
pub(super) fn interval95(count: Count) -> [f64; 2] {
    let Interval { low, high } = interval(count, 0.95);
    [round4(low), round4(high)]
}

/// Four decimals are what a report shows of a share.
pub(super) fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
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
