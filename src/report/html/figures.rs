//! Two figures in numbers: where things stand is decided here, the template only draws.

use crate::core::outcome::Outcome;
use crate::core::run::Purpose;
use crate::core::test_id::TestIdx;
use crate::report::Findings;
use crate::report::model::Test;
use crate::report::text::shown;
use crate::report::words::Finding;

/// More rows or columns than these make no figure anybody reads.
const ROWS: usize = 60;
const COLUMNS: usize = 160;
const NODES: usize = 24;
/// Characters of a name for which there is room.
const NAME: usize = 58;

/// Findings by planned runs: a cell a test and run.
pub(super) struct Strip {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) names: Vec<(usize, String)>,
    pub(super) cells: Vec<Cell>,
    pub(super) left_out: String,
}

/// One test in one run.
pub(super) struct Cell {
    pub(super) x: usize,
    pub(super) y: usize,
    /// `pass`, `fail` or `none`.
    pub(super) seen: &'static str,
    /// A whole set of its culprits ran before it.
    pub(super) after: bool,
    pub(super) title: String,
}

impl Strip {
    /// The strip of these findings; `None` where nothing was planned or found.
    pub(super) fn of(findings: &Findings<'_>, found: &[Finding<'_>]) -> Option<Self> {
        let planned: Vec<_> = findings
            .runs
            .iter()
            .filter(|(spec, run)| {
                matches!(spec.purpose, Purpose::Baseline | Purpose::Explore) && run.is_valid()
            })
            .collect();
        let tests: Vec<&Test> = found.iter().flat_map(Finding::tests).collect();
        if planned.is_empty() || tests.is_empty() {
            return None;
        }
        let rows: Vec<(&Test, TestIdx)> = tests
            .iter()
            .filter_map(|test| {
                let verdict = findings.verdicts.iter().find(|v| {
                    let id = &findings.suite.test(v.test).id;
                    id.node_id == test.id && id.occurrence == test.occurrence
                })?;
                Some((*test, verdict.test))
            })
            .take(ROWS)
            .collect();
        let columns = planned.len().min(COLUMNS);
        let mut cells = Vec::with_capacity(rows.len() * columns);
        for (x, (spec, run)) in planned.iter().take(columns).enumerate() {
            let mut place = vec![None; findings.suite.len()];
            for (at, test) in spec.order.iter().enumerate() {
                place[test.at()] = Some(at);
            }
            for (y, (_, test)) in rows.iter().enumerate() {
                let at = place[test.at()];
                let outcome = at.and_then(|at| run.outcomes.get(at)).copied().unwrap_or(Outcome::NotReached);
                let verdict = findings.verdicts.iter().find(|verdict| verdict.test == *test);
                let before =
                    |culprit: &TestIdx| matches!((place[culprit.at()], at), (Some(a), Some(b)) if a < b);
                let sets = verdict.map(|v| v.polluters.iter().chain(&v.state_setters)).into_iter().flatten();
                let after = sets.into_iter().any(|set| set.members.iter().all(before));
                let (seen, word) = match outcome {
                    Outcome::NotReached => ("none", "was not reached"),
                    other if other.is_failure() => ("fail", "failed"),
                    _ => ("pass", "passed"),
                };
                let culprit = if after { ", a culprit before it" } else { "" };
                let title = format!("run {}: {word}{culprit}", run.run.0);
                cells.push(Cell { x: x * 10, y: y * 16, seen, after, title });
            }
        }
        let mut left_out = Vec::new();
        if tests.len() > rows.len() {
            left_out.push(format!("{} further tests", tests.len() - rows.len()));
        }
        if planned.len() > columns {
            left_out.push(format!("{} further runs", planned.len() - columns));
        }
        Some(Self {
            width: columns * 10 + 560,
            height: rows.len() * 16,
            names: rows.iter().enumerate().map(|(y, (test, _))| (y * 16 + 11, name(&test.id))).collect(),
            cells,
            left_out: left_out.join(" and "),
        })
    }
}

impl Cell {
    /// Where the mark of a culprit stands.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.x + 4, self.y + 7)
    }
}

/// Culprits on the left, tests on the right.
pub(super) struct Graph {
    pub(super) height: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

/// A name at a place.
pub(super) struct Node {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) end: bool,
}

/// A line from a culprit to a test.
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Graph {
    /// The graph of a finding; `None` where one culprit and one test say it all in words.
    pub(super) fn of(finding: &Finding<'_>) -> Option<Self> {
        let tests = finding.tests();
        let first = finding.first();
        let mut culprits: Vec<&str> =
            first.polluters.iter().chain(&first.state_setters).flatten().map(String::as_str).collect();
        let mut seen = std::collections::HashSet::new();
        culprits.retain(|culprit| seen.insert(*culprit));
        if culprits.is_empty() || culprits.len() + tests.len() < 3 || culprits.len().max(tests.len()) > NODES
        {
            return None;
        }
        let rows = culprits.len().max(tests.len());
        let at = |row: usize, of: usize| 20 + row * 24 + (rows - of) * 12;
        let left = culprits.iter().enumerate().map(|(row, id)| Node {
            x: 430,
            y: at(row, culprits.len()),
            kind: "culprit",
            name: name(id),
            end: true,
        });
        let right = tests.iter().enumerate().map(|(row, test)| Node {
            x: 550,
            y: at(row, tests.len()),
            kind: "test",
            name: name(&test.id),
            end: false,
        });
        let edges = (0..culprits.len())
            .flat_map(|from| (0..tests.len()).map(move |to| (from, to)))
            .map(|(from, to)| Edge { from: at(from, culprits.len()), to: at(to, tests.len()) })
            .collect();
        Some(Self { height: 20 + rows * 24, nodes: left.chain(right).collect(), edges })
    }
}

/// The end of an id, which tells more than its beginning; the whole stands beside the figure.
fn name(id: &str) -> String {
    let id = shown(id);
    match id.char_indices().nth_back(NAME - 1) {
        Some((at, _)) if at > 0 => format!("\u{2026}{}", &id[at..]),
        _ => id.into_owned(),
    }
}
