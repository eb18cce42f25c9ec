//! Two witnesses of one run: does the JUnit report that pytest wrote agree with the stream?

use crate::core::outcome::Phase;
use crate::core::test_id::{Suite, TestIdx};
use crate::pytest::stream::{Said, Told};

use super::chars::visible;
use super::reader::{Case, Kind, Report};
use crate::core::fingerprint::shorten;

/// How many disagreements are listed; the rest is counted.
const LISTED: usize = 20;

/// What a report shows of a test: whether it has children of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shown {
    failure: bool,
    error: bool,
    skipped: bool,
}

impl Shown {
    fn words(self) -> &'static str {
        match (self.failure, self.error, self.skipped) {
            (true, true, _) => "a failure and an error",
            (true, false, _) => "a failure",
            (false, true, _) => "an error",
            (false, false, true) => "a skip",
            (false, false, false) => "a pass",
        }
    }

    fn same(self, other: Self) -> bool {
        self.words() == other.words()
    }
}

/// The disagreements in words, empty where the two agree.
///
/// The rules are pytest's: a body that fails and a teardown that fails make two test cases, a failing subtest makes one
/// `failure` in its test's only case, an unexpected pass looks like a pass and an expected failure like a skip. The test
/// that was running when the process ended may stand in the report or not, and so may collection errors.
pub fn crosscheck(told: &Told, order: &[TestIdx], suite: &Suite, report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    let mut shown: Vec<(usize, Shown)> = vec![(0, Shown::default()); order.len()];
    for case in &report.cases {
        let Some(position) = case.position else {
            // Collection reports have no class, and pytest's own internal error no test.
            if !case.classname.is_empty() && (case.classname != "pytest" || case.name != "internal") {
                found.push(format!("the report holds {}, which nobody asked for", named(case)));
            }
            continue;
        };
        let Some((cases, seen)) = usize::try_from(position).ok().and_then(|at| shown.get_mut(at)) else {
            found.push(format!("the report holds position {position} of {} tests", order.len()));
            continue;
        };
        let test = order[position as usize];
        let expected = suite.node_id(test);
        // An id that differs at every collection differs here as well.
        let unstable = suite.test(test).unstable
            || told.collected.as_ref().is_some_and(|collected| collected.unstable.contains(&test.0));
        if !unstable && case.node_id.as_deref() != Some(&*visible(expected)) {
            let other = case.node_id.as_deref().unwrap_or("a test without id");
            found.push(format!(
                "position {position} is {} in the report and {} in the order",
                shorten(other),
                shorten(expected)
            ));
        }
        *cases += 1;
        seen.failure |= case.count(Kind::Failure) > 0;
        seen.error |= case.count(Kind::Error) > 0;
        seen.skipped |= case.count(Kind::Skipped) > 0;
    }
    let expected = expected(told, order.len());
    let finished = usize::try_from(told.finished).unwrap_or(usize::MAX);
    for (position, (cases, seen)) in shown.into_iter().enumerate() {
        let test = || shorten(suite.node_id(order[position]));
        if position >= finished {
            let running = told.running.is_some_and(|running| running.n == position as u64);
            if cases > 0 && !running {
                found.push(format!("{} at position {position} is in the report and never ran", test()));
            }
            continue;
        }
        let (told_cases, told) = expected[position];
        if cases == 0 {
            found.push(format!("{} at position {position} ran and is not in the report", test()));
        } else if !told.same(seen) {
            let (told, seen) = (told.words(), seen.words());
            found.push(format!(
                "{} at position {position}: the stream tells {told}, the report {seen}",
                test()
            ));
        } else if cases != told_cases {
            found.push(format!(
                "{} at position {position} has {cases} cases in the report instead of {told_cases}",
                test()
            ));
        }
    }
    if found.len() > LISTED {
        let more = found.len() - LISTED;
        found.truncate(LISTED);
        found.push(format!("and {more} more"));
    }
    found
}

/// How many test cases the report of each position must have, and what they must show.
fn expected(told: &Told, len: usize) -> Vec<(usize, Shown)> {
    let mut expected = vec![(1, Shown::default()); len];
    for report in &told.reports {
        let Some((cases, shown)) = usize::try_from(report.n).ok().and_then(|at| expected.get_mut(at)) else {
            continue;
        };
        match (report.outcome, report.when) {
            (Said::Failed, Phase::Call) => shown.failure = true,
            (Said::Failed, phase) => {
                if phase == Phase::Teardown && shown.failure {
                    *cases = 2;
                }
                shown.error = true;
            }
            (Said::Skipped, _) => shown.skipped |= !report.subtest,
            (Said::Passed | Said::Other, _) => {}
        }
    }
    expected
}

fn named(case: &Case) -> String {
    shorten(&format!("{}::{}", case.classname, case.name))
}
