//! Which tests are worth asking about: a ranking from existing runs. It may rank, it never decides.

use super::test_id::TestIdx;

/// One run, as far as a ranking is concerned.
pub struct Witness<'a> {
    /// The tests that could have acted, in the order in which they ran.
    pub acted: &'a [TestIdx],
    /// Whether the effect was seen.
    pub effect: bool,
}

/// A test with how well it explains the runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspect {
    /// Which test.
    pub test: TestIdx,
    /// How much likelier the runs are with its presence deciding than under one common rate (natural logarithm).
    pub ln_ratio: f64,
    /// Its share of the belief among all suspects, 0 to 1.
    pub belief: f64,
    /// The rate of the effect in runs where it acted.
    pub rate: f64,
}

/// The suspects, best first: tests whose presence goes with the effect. Ties go to the one nearer to the test in
/// the runs with the effect, then to collection order.
///
/// The score is the log-likelihood ratio of two Bernoulli rates (present, absent) against one common rate; it beats
/// Ochiai and plain intersection as soon as there are several polluters or cleaners.
pub fn rank(suite_len: usize, witnesses: &[Witness<'_>]) -> Vec<Suspect> {
    let effects = witnesses.iter().filter(|witness| witness.effect).count() as u32;
    let rest = witnesses.len() as u32 - effects;
    let mut present = vec![(0_u32, 0_u32, 0.0_f64); suite_len];
    for witness in witnesses {
        let len = witness.acted.len();
        for (place, test) in witness.acted.iter().enumerate() {
            let entry = &mut present[test.at()];
            if witness.effect {
                entry.0 += 1;
                entry.2 += 1.0 / (len - place) as f64;
            } else {
                entry.1 += 1;
            }
        }
    }
    let mut suspects: Vec<(Suspect, f64)> = Vec::new();
    for (index, &(hits, misses, nearness)) in present.iter().enumerate() {
        if hits == 0 {
            continue;
        }
        let (absent_hits, absent_misses) = (effects - hits, rest - misses);
        let rate = f64::from(hits) / f64::from(hits + misses);
        let absent = absent_hits + absent_misses;
        if absent > 0 && rate <= f64::from(absent_hits) / f64::from(absent) {
            continue;
        }
        let ln_ratio = ln_rate(hits, misses) + ln_rate(absent_hits, absent_misses) - ln_rate(effects, rest);
        suspects.push((Suspect { test: TestIdx(index as u32), ln_ratio, belief: 0.0, rate }, nearness));
    }
    suspects.sort_by(|(a, near_a), (b, near_b)| {
        b.ln_ratio.total_cmp(&a.ln_ratio).then(near_b.total_cmp(near_a)).then(a.test.cmp(&b.test))
    });
    let best = suspects.first().map_or(0.0, |(suspect, _)| suspect.ln_ratio);
    let total: f64 = suspects.iter().map(|(suspect, _)| (suspect.ln_ratio - best).exp()).sum();
    suspects
        .into_iter()
        .map(|(suspect, _)| Suspect { belief: (suspect.ln_ratio - best).exp() / total, ..suspect })
        .collect()
}

fn ln_rate(yes: u32, no: u32) -> f64 {
    let n = f64::from(yes + no);
    let term = |x: u32| if x > 0 { f64::from(x) * (f64::from(x) / n).ln() } else { 0.0 };
    term(yes) + term(no)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_is_always_there_ranks_first() {
        let t = |n: u32| TestIdx(n);
        let runs = [
            (vec![t(0), t(1), t(2)], true),
            (vec![t(1), t(3)], true),
            (vec![t(0), t(2)], false),
            (vec![t(3)], false),
        ];
        let witnesses: Vec<Witness<'_>> =
            runs.iter().map(|(acted, effect)| Witness { acted, effect: *effect }).collect();
        let ranked = rank(5, &witnesses);
        assert_eq!(ranked[0].test, t(1));
        assert!(ranked[0].belief > 0.5, "{ranked:?}");
        assert!(ranked.iter().all(|suspect| suspect.test != t(4)));
    }
}
