//! The first lines, which the live face prints as they become known and `flakehunt report` prints again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::paint::Paint;
use crate::core::hunt::Repeats;
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::{Purpose, RunRecord, RunSpec};
use crate::core::test_id::{Suite, TestIdx};
use crate::core::verdict::{Class, Verdict};
use crate::report::text::{counted, duration, shown, wrapped};
use crate::report::words;
use crate::session::event::Header;

/// What the baseline runs said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Valid baseline runs.
    pub runs: u32,
    /// Those with the outcomes of the first.
    pub agree: u32,
    /// Mean time of one, in milliseconds.
    pub each_ms: u64,
    /// Tests that differed between them.
    pub differing: u32,
}

impl Baseline {
    /// What these runs say, from those asked as a baseline.
    pub fn of(runs: &[(RunSpec, RunRecord)]) -> Self {
        let baseline: Vec<_> =
            runs.iter().filter(|(spec, run)| spec.purpose == Purpose::Baseline && run.is_valid()).collect();
        let whole = baseline.iter().map(|(spec, _)| spec.order.len()).max().unwrap_or(0);
        // A run may be of the order's beginning only, or have ended early: what it does not tell does not differ.
        let mut first: HashMap<TestIdx, Seen> = HashMap::new();
        let mut differing = HashSet::new();
        let mut agree = 0;
        for (spec, run) in &baseline {
            let told = spec.order.iter().zip(&run.outcomes);
            let seen = told.filter_map(|(test, outcome)| Some((*test, outcome.seen()?)));
            let others: Vec<TestIdx> = seen
                .filter(|(test, seen)| *first.entry(*test).or_insert(*seen) != *seen)
                .map(|(test, _)| test)
                .collect();
            agree += u32::from(others.is_empty());
            differing.extend(others);
        }
        let walls: Vec<u64> = baseline
            .iter()
            .filter(|(spec, _)| spec.order.len() == whole)
            .map(|(_, run)| run.cost.wall_ms)
            .collect();
        Self {
            runs: baseline.len() as u32,
            agree,
            each_ms: walls.iter().sum::<u64>() / (walls.len() as u64).max(1),
            differing: differing.len() as u32,
        }
    }
}

/// `flakehunt 0.1.0   python 3.12.4 (.venv)   pytest 9.2.0   412 tests   fork x2   session 3kq7`
pub fn header_line(header: &Header, tests: usize, width: usize, color: bool) -> String {
    let environment = &header.environment;
    let origin = match environment.origin.as_str() {
        "" => String::new(),
        origin => format!(" ({})", shown(origin)),
    };
    let parts = [
        format!("python {}{origin}", shown(&environment.python)),
        format!("pytest {}", shown(&environment.pytest)),
        counted(tests as u64, "test"),
        format!("{} x{}", shown(&environment.executor), environment.jobs),
        format!("session {}", shown(&header.session)),
    ];
    let paint = Paint(color);
    let name = format!("flakehunt {}", shown(&header.flakehunt));
    let mut lines = vec![(name.chars().count(), paint.strong(&name))];
    for part in parts {
        let long = part.chars().count();
        match lines.last_mut() {
            Some((used, line)) if *used + 3 + long <= width => {
                *used += 3 + long;
                line.push_str("   ");
                line.push_str(&part);
            }
            _ => lines.push((11 + long, format!("{:11}{part}", ""))),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}

/// `baseline   2 of 2 runs agree, 8.2 s each`, with the plan (see [`plan_line`]) behind it.
pub fn baseline_line(baseline: &Baseline, plan: &str, color: bool) -> String {
    let Baseline { runs, agree, each_ms, differing } = *baseline;
    let mut said = match (runs, agree) {
        (0, _) => "none".to_owned(),
        (1, _) => format!("1 run, {}", duration(each_ms)),
        (runs, agree) if runs == agree => format!("{runs} of {runs} runs agree, {} each", duration(each_ms)),
        (runs, _) => {
            let verb = if differing == 1 { "differs" } else { "differ" };
            let tests = counted(differing, "test");
            format!("{tests} {verb} between {runs} runs of one order, {} each", duration(each_ms))
        }
    };
    if !plan.is_empty() {
        said.push_str("; ");
        said.push_str(plan);
    }
    format!("{}{said}", Paint(color).strong(&format!("{:11}", "baseline")))
}

/// `repeating  1 test, 100 times, from a fresh start each time with a seed of its own`.
pub fn repeat_line(plan: &Repeats, order: Option<&OrderName>, width: usize, color: bool) -> String {
    labelled("repeating", &words::repeat_plan(plan, order), width, color)
}

/// `proven     tests/b.py::test_tz is polluted by tests/a.py::test_set_tz`; `None` where no culprits are proven. Of
/// several sets a smallest one is named.
pub fn proven_line(suite: &Suite, verdict: &Verdict, width: usize, color: bool) -> Option<String> {
    let (how, sets) = match verdict.class {
        Class::Victim => ("is polluted by", &verdict.polluters),
        Class::Brittle => ("is set up by", &verdict.state_setters),
        _ => return None,
    };
    let smallest = sets.iter().min_by_key(|set| set.members.len())?;
    let members: Vec<&str> = smallest.members.iter().map(|test| suite.node_id(*test)).collect();
    let members = members.join(if smallest.ordered { ", then " } else { " with " });
    let said = format!("{} {how} {members}", suite.node_id(verdict.test));
    Some(labelled("proven", &said, width, color))
}

/// `waiting    tests/a.py::test_serve has been running for 15 s; it is ended after 10 min (--test-timeout)`
pub fn waiting_line(
    test: &str,
    since: Duration,
    limit: Option<Duration>,
    width: usize,
    color: bool,
) -> String {
    let ms = |time: Duration| time.as_millis() as u64;
    let until = limit.map_or(String::new(), |limit| {
        format!("; it is ended after {} (`--test-timeout`)", duration(ms(limit)))
    });
    let said = format!("{test} has been running for {}{until}", duration(ms(since)));
    labelled("waiting", &said, width, color)
}

/// A label, and beside it what is said, in lines of this width.
fn labelled(label: &str, said: &str, width: usize, color: bool) -> String {
    let lines: Vec<String> =
        wrapped(said, width.saturating_sub(11)).iter().map(|line| shown(line).into_owned()).collect();
    let label = Paint(color).strong(&format!("{label:11}"));
    format!("{label}{}", lines.join(&format!("\n{:11}", "")))
}

/// `50 orders, about 2m00s`; the estimate is left out where there is none.
pub fn plan_line(orders: u32, estimate_ms: Option<u64>) -> String {
    let orders = counted(orders, "order");
    estimate_ms.map_or(orders.clone(), |ms| format!("{orders}, about {}", duration(ms)))
}
