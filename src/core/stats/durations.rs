//! How long something takes: the middle, the tail, and whether there are two kinds.

/// What a list of durations looks like, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// Half of them are no longer than this.
    pub median: u64,
    /// 95 of 100 are no longer than this.
    pub p95: u64,
    /// The longest.
    pub longest: u64,
    /// Two groups that stand apart: the median and the number of the shorter ones, then of the longer ones.
    pub modes: Option<[(u64, u32); 2]>,
}

/// A group is at least this share of all, ...
const SHARE: f64 = 0.03;
/// ... and so many.
const FEWEST: usize = 3;
/// The groups' means, in logarithms, are so many of their standard deviations apart (Ashman's D). What is one group gets to
/// 2.7 (normal) or 3.5 (uniform) where it is cut in two.
const APART: f64 = 6.0;
/// Before logarithms are taken so many microseconds are added: a busy machine holds a short test up for as long, and that is no
/// other kind.
const STALL: u64 = 20_000;
/// The longer ones take so many times as long, ...
const TIMES: f64 = 1.5;
/// ... and so much longer that a person would notice, in microseconds.
const NOTICED: u64 = 100_000;

impl Durations {
    /// What these look like; `None` of nothing.
    pub fn of(micros: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = micros.into_iter().collect();
        sorted.sort_unstable();
        let longest = *sorted.last()?;
        Some(Self {
            median: quantile(&sorted, 0.5),
            p95: quantile(&sorted, 0.95),
            longest,
            modes: modes(&sorted),
        })
    }
}

/// The nearest rank.
fn quantile(sorted: &[u64], share: f64) -> u64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Cuts where the logarithms on both sides vary least, and looks whether the parts stand apart.
fn modes(sorted: &[u64]) -> Option<[(u64, u32); 2]> {
    let logs: Vec<f64> = sorted.iter().map(|micros| ((micros + STALL) as f64).ln()).collect();
    let fewest = FEWEST.max((SHARE * sorted.len() as f64).ceil() as usize);
    let cuts = fewest..=sorted.len().checked_sub(fewest)?;
    let spread = |part: &[f64]| {
        let mean = part.iter().sum::<f64>() / part.len() as f64;
        let squares: f64 = part.iter().map(|log| (log - mean).powi(2)).sum();
        (mean, squares)
    };
    let both = |cut: usize| (spread(&logs[..cut]), spread(&logs[cut..]));
    let sum = |cut: &usize| {
        let ((_, short), (_, long)) = both(*cut);
        short + long
    };
    let cut = cuts.min_by(|a, b| sum(a).total_cmp(&sum(b)))?;
    let ((short, short_squares), (long, long_squares)) = both(cut);
    let variances = short_squares / cut as f64 + long_squares / (logs.len() - cut) as f64;
    let (first, second) = (quantile(&sorted[..cut], 0.5), quantile(&sorted[cut..], 0.5));
    let apart = (long - short) * std::f64::consts::SQRT_2 > APART * variances.sqrt();
    let noticed = second >= first + NOTICED && second as f64 >= first as f64 * TIMES;
    (apart && noticed).then_some([(first, cut as u32), (second, (sorted.len() - cut) as u32)])
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn ranks_are_those_of_the_definition() {
        let durations = Durations::of((1..=100).rev()).expect("durations");
        assert_eq!((durations.median, durations.p95, durations.longest), (50, 95, 100));
        assert_eq!(Durations::of([7]).map(|d| (d.median, d.p95, d.longest)), Some((7, 7, 7)));
        assert_eq!(Durations::of([]), None);
    }

    #[test]
    fn two_kinds_of_runs_are_told() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let fast = (0..90).map(|_| 20_000 + rng.random_range(0..4_000)).collect::<Vec<u64>>();
        let slow = (0..10).map(|_| 5_000_000 + rng.random_range(0..100_000)).collect::<Vec<u64>>();
        let [(short, shorter), (long, longer)] =
            Durations::of(fast.into_iter().chain(slow)).expect("durations").modes.expect("two modes");
        assert_eq!((shorter, longer), (90, 10));
        assert!((20_000..24_000).contains(&short) && (5_000_000..5_100_000).contains(&long));
    }

    #[test]
    fn one_kind_is_not_cut_in_two() {
        for seed in 0..200 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let uniform = (0..100).map(|_| 100_000 + rng.random_range(0..900_000_u64));
            assert_eq!(Durations::of(uniform).and_then(|d| d.modes), None, "uniform {seed}");
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let skewed = (0..100).map(|_| (50_000.0 - 100_000.0 * (1.0 - rng.random::<f64>()).ln()) as u64);
            assert_eq!(Durations::of(skewed).and_then(|d| d.modes), None, "skewed {seed}");
        }
        // Apart, but nobody would notice.
        assert_eq!(Durations::of([100, 100, 100, 50_000, 50_000, 50_000]).and_then(|d| d.modes), None);
    }
}
