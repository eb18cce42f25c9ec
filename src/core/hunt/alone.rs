//! Every test alone. A brittle test that nearly every other one sets up fails only when it runs first, which a
//! shuffle of n tests shows with probability 1/n; alone, one run shows it.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;

use super::complete::window;
use super::explore::both_ways;
use super::fans;
use super::probe::How;
use super::{Shared, Stage};
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;
use crate::core::verdict::Count;

/// What this may cost at least, in milliseconds of wall time, whatever the orders cost.
const AT_LEAST_MS: u64 = 10_000;

/// So many tests are run alone before it is reckoned what all of them cost.
const SAMPLE: usize = 3;

/// Tests that failed by now run behind each test, up to so many: the same run then tells whether it is their culprit.
const BEHIND: usize = 4;

/// Runs every test that was never first in a run, if that costs no more than half of what the orders cost.
pub(crate) async fn everyone(h: &Shared) {
    let left: Vec<TestIdx> = {
        let runs = h.board.runs();
        let mut first = vec![false; h.suite.len()];
        for run in runs.iter().filter(|run| h.is_evidence(run)) {
            if let Some(test) = run.spec.order.first().filter(|test| run.outcome(**test).is_some()) {
                first[test.at()] = true;
            }
        }
        let set_aside = h.set_aside.borrow();
        h.suite.all().filter(|test| !first[test.at()] && !set_aside.contains(test)).collect()
    };
    if h.plan.forks && !h.only_fresh.get() {
        // What a child with one test costs is only known when some have run: in long runs it drowns.
        let few = left.iter().take(SAMPLE);
        let ask = |test: &TestIdx| h.ask(vec![*test], OrderName::Probe, 0, How::next(Purpose::Alone));
        join_all(few.map(ask)).await;
    }
    let jobs = u64::from(h.plan.jobs.max(1));
    let spent: u64 = h.board.runs().iter().map(|run| run.record.effort_ms()).sum::<u64>() / jobs;
    let cost = left.len() as u64 * h.short_run_ms() / jobs;
    if cost > (spent / 2).max(AT_LEAST_MS) {
        h.say(
            "alone",
            format!(
                "{} of {} tests were not run alone (about {} s): a test that only fails when it runs first may have \
                 been missed",
                left.len(),
                h.suite.len(),
                cost / 1000
            ),
        );
        return;
    }
    h.stage.set(Stage::Alone);
    let failed: Vec<TestIdx> = both_ways(h).into_iter().collect();
    let behind = if failed.len() <= BEHIND { failed } else { Vec::new() };
    let lines: Vec<Vec<TestIdx>> = left
        .into_iter()
        .map(|test| {
            let rest = behind.iter().copied().filter(|other| *other != test);
            std::iter::once(test).chain(rest).collect()
        })
        .collect();
    fans::ask(h, lines.clone(), Purpose::Alone).await;
    stream::iter(remarkable(h, lines))
        .map(|line| h.ask(line, OrderName::Probe, 0, How::spare(Purpose::Alone)))
        .buffer_unordered(window(h))
        .for_each(|_| std::future::ready(()))
        .await;
}

/// The lines that deserve a run of their own: the first test failed, one behind it did what it does behind few others, or
/// nobody can say.
fn remarkable(h: &Shared, lines: Vec<Vec<TestIdx>>) -> Vec<Vec<TestIdx>> {
    let mut fails: BTreeMap<TestIdx, Count> = BTreeMap::new();
    let seen: Vec<Option<Vec<Seen>>> = lines.iter().map(|line| fans::hint(h, line)).collect();
    for (line, seen) in lines.iter().zip(&seen) {
        for (test, seen) in line.iter().zip(seen.iter().flatten()).skip(1) {
            fails.entry(*test).or_default().add(*seen == Seen::Fail);
        }
    }
    let rare = |test: &TestIdx, seen: Seen| {
        let Count { k, n } = fails[test];
        (seen == Seen::Fail) == (2 * k <= n)
    };
    let remarkable = |line: &[TestIdx], seen: &[Seen]| {
        seen[0] == Seen::Fail || line.iter().zip(seen).skip(1).any(|(test, seen)| rare(test, *seen))
    };
    let pairs = lines.into_iter().zip(seen);
    pairs
        .filter(|(line, seen)| seen.as_ref().is_none_or(|seen| remarkable(line, seen)))
        .map(|(line, _)| line)
        .collect()
}
