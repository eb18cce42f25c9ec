//! What repeating tests came to, in the words of the contract.

use std::collections::HashMap;

use super::build::{pair, phase_word};
use super::interval::round4;
use super::{Findings, Repeating, model};
use crate::core::hunt::Repeats;
use crate::core::hunt::repeat::{Repeated, counted};
use crate::core::order::OrderName;
use crate::core::outcome::Outcome;
use crate::core::run::{RunRecord, RunSpec};
use crate::core::stats::{Durations, Interval, Side, passes_needed};
use crate::core::test_id::TestIdx;

/// How many failing runs are listed of one failure.
const RUNS: usize = 20;
/// "A flake of 1 in 100".
const FLAKE: f64 = 0.01;

/// Every repeated test.
pub(super) fn of(findings: &Findings<'_>) -> Vec<model::Repeat> {
    let Some(Repeating { plan, order, results }) = findings.repeating else { return Vec::new() };
    let mut by_test: HashMap<TestIdx, Vec<&(RunSpec, RunRecord)>> = HashMap::new();
    for run in findings.runs {
        if let Some((test, _)) = counted(&run.0, &run.1) {
            by_test.entry(test).or_default().push(run);
        }
    }
    for runs in by_test.values_mut() {
        runs.sort_by_key(|(_, record)| record.run);
    }
    let none = Vec::new();
    results
        .iter()
        .map(|result| repeat(findings, plan, order, result, by_test.get(&result.test).unwrap_or(&none)))
        .collect()
}

fn repeat(
    findings: &Findings<'_>,
    plan: &Repeats,
    order: Option<&OrderName>,
    result: &Repeated,
    runs: &[&(RunSpec, RunRecord)],
) -> model::Repeat {
    let id = &findings.suite.test(result.test).id;
    let verdict = findings.verdicts.iter().find(|verdict| verdict.test == result.test);
    let Interval { low, high } = result.interval;
    let side = |side| match side {
        Side::Below => model::Side::Below,
        Side::Above => model::Side::Above,
    };
    let varied = [(plan.vary.seed, "seed"), (plan.vary.hash_seed, "hashseed")];
    model::Repeat {
        id: id.node_id.clone(),
        occurrence: id.occurrence,
        verdict: verdict.map(|verdict| verdict.class),
        failed: result.count.k,
        ran: result.count.n,
        skipped: places(runs).filter(|(_, at, record)| record.outcomes[*at] == Outcome::Skipped).count()
            as u32,
        interval: [round4(low), round4(high)],
        confidence: round4(plan.confidence),
        at_any_time: result.at_any_time,
        missed: round4((1.0 - FLAKE).powi(i32::try_from(result.count.n).unwrap_or(i32::MAX))),
        stop: result.stop,
        max_rate: plan.max_rate.map(|limit| model::MaxRate {
            limit,
            side: result.side.map(side),
            needed: passes_needed(limit, plan.confidence),
        }),
        varied: varied.iter().filter(|(varies, _)| *varies).map(|(_, what)| (*what).to_owned()).collect(),
        in_process: plan.in_process,
        in_order: order.map(ToString::to_string),
        decides: result.decides.map(|decides| model::Decides {
            factor: decides.factor,
            with: pair(decides.with),
            without: pair(decides.without),
            since: decides.since,
        }),
        unloaded: result.unloaded.map(pair),
        durations: durations(runs),
        failures: failures(runs),
    }
}

/// Every place that counts: its run's question, the position, and the answer.
fn places<'a>(
    runs: &'a [&'a (RunSpec, RunRecord)],
) -> impl Iterator<Item = (&'a RunSpec, usize, &'a RunRecord)> {
    runs.iter().flat_map(|(spec, record)| {
        let places = counted(spec, record).map(|(_, places)| places).unwrap_or_default();
        places
            .filter(|at| record.outcomes.get(*at).is_some_and(|outcome| *outcome != Outcome::NotReached))
            .map(move |at| (spec, at, record))
    })
}

fn durations(runs: &[&(RunSpec, RunRecord)]) -> Option<model::Durations> {
    // What did not come to its end took as long as somebody let it.
    let ended = |(_, at, record): &(&RunSpec, usize, &RunRecord)| !record.outcomes[*at].ends_the_process();
    let took = places(runs).filter(ended).filter_map(|(_, at, record)| record.micros.get(at).copied());
    let Durations { median, p95, longest, modes } = Durations::of(took)?;
    let seconds = |micros: u64| micros as f64 / 1e6;
    let mode = |(median, count)| model::Mode { median: seconds(median), count };
    Some(model::Durations {
        median: seconds(median),
        p95: seconds(p95),
        longest: seconds(longest),
        modes: modes.map(|modes| modes.map(mode)),
    })
}

fn failures(runs: &[&(RunSpec, RunRecord)]) -> Vec<model::RepeatFailure> {
    let mut found: Vec<model::RepeatFailure> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (spec, record) in runs {
        let places = counted(spec, record).map(|(_, places)| places).unwrap_or_default();
        for failure in record.failures.iter().filter(|failure| places.contains(&(failure.at as usize))) {
            let at = *known.entry(&failure.fingerprint).or_insert_with(|| {
                found.push(model::RepeatFailure {
                    fingerprint: failure.fingerprint.clone(),
                    count: 0,
                    phase: failure.phase.map(|phase| phase_word(phase).to_owned()),
                    message: failure.message.clone(),
                    text: None,
                    runs: Vec::new(),
                });
                found.len() - 1
            });
            let group = &mut found[at];
            group.count += 1;
            if group.text.is_none() {
                let account = record.accounts.iter().find(|account| account.at == failure.at);
                let text = account.map(|account| account.text.clone());
                group.text = text.filter(|text| !text.is_empty());
            }
            if group.runs.last() != Some(&record.run.0) && group.runs.len() < RUNS {
                group.runs.push(record.run.0);
            }
        }
    }
    found.sort_by_key(|group| std::cmp::Reverse(group.count));
    found
}
