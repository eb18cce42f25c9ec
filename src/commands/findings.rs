//! From a hunt and its journal to what reports are made of.

use std::path::Path;

use crate::core::coverage::{Coverage as Pairs, rate_seen};
use crate::core::hunt::repeat::{Repeated, Stop};
use crate::core::hunt::{Goal, Hunt, Repeats};
use crate::core::order::OrderName;
use crate::core::rerun::Tally;
use crate::core::run::{Purpose, RunRecord, RunSpec};
use crate::core::test_id::Suite;
use crate::core::verdict::{Class, Cluster, Verdict};
use crate::error::{ExitCode, Failure};
use crate::report::{Coverage, Findings, Repeating};
use crate::session::event::{EndReason, Header};
use crate::session::journal;
use crate::session::resume::History;
use crate::session::session_dir::SessionDir;

/// Everything a report borrows.
pub(super) struct Gathered<'a> {
    pub session: &'a SessionDir,
    header: Header,
    suite: &'a Suite,
    runs: Vec<(RunSpec, RunRecord)>,
    verdicts: Vec<Verdict>,
    clusters: Vec<Cluster>,
    coverage: Coverage,
    repeating: Option<(Repeats, Option<OrderName>, Vec<Repeated>)>,
    asked: u32,
    processes: u32,
    wall_ms: u64,
    notices: Vec<(String, String)>,
    end: EndReason,
    shown: String,
}

impl<'a> Gathered<'a> {
    /// Gathers what a hunt knows by now and what its journal told people.
    pub fn of(
        session: &'a SessionDir,
        from: &Path,
        header: Header,
        suite: &'a Suite,
        hunt: &Hunt,
        end: EndReason,
        wall_ms: u64,
    ) -> Result<Self, Failure> {
        let notices = History::of(&journal::read(&session.journal())?)?.notices;
        let runs = hunt.answers();
        // The collections, and a process for every run that had one of its own.
        let collections = if matches!(hunt.goal(), Goal::Repeat { .. }) { 1 } else { 2 };
        let processes = collections + runs.iter().filter(|(_, record)| record.fresh).count() as u32;
        let shown = session.path().strip_prefix(from).unwrap_or(session.path()).display().to_string();
        Ok(Self {
            session,
            suite,
            coverage: coverage(suite, &runs),
            repeating: repeating(hunt),
            verdicts: asked_for(hunt),
            clusters: hunt.clusters(),
            asked: hunt.asked(),
            header,
            runs,
            processes,
            wall_ms,
            notices,
            end,
            shown,
        })
    }

    /// What renderers take.
    pub fn findings(&self) -> Findings<'_> {
        Findings {
            header: &self.header,
            suite: self.suite,
            runs: &self.runs,
            verdicts: &self.verdicts,
            clusters: &self.clusters,
            coverage: self.coverage,
            repeating: self.repeating.as_ref().map(|(plan, order, results)| Repeating {
                plan,
                order: order.as_ref(),
                results,
            }),
            asked: self.asked,
            processes: self.processes,
            wall_ms: self.wall_ms,
            notices: &self.notices,
            end: self.end,
            session_dir_display: &self.shown,
        }
    }

    /// Why there was no baseline, where there was none.
    pub fn no_baseline(&self) -> Option<&str> {
        self.notices.iter().find(|(about, _)| about == "no-baseline").map(|(_, text)| text.as_str())
    }

    /// Whether the side of `--max-rate` that a test is on was asked for and is not known.
    fn rate_is_open(&self) -> bool {
        let Some((plan, _, results)) = &self.repeating else { return false };
        plan.max_rate.is_some() && results.iter().any(|result| result.stop != Stop::Decided)
    }

    /// The exit code that this amounts to.
    pub fn exit_code(&self) -> ExitCode {
        match self.end {
            EndReason::Interrupted => return ExitCode::Interrupted,
            EndReason::Terminated => return ExitCode::Terminated,
            EndReason::Finished | EndReason::Budget | EndReason::MaxRuns => {}
        }
        if self.header.command == "replay" {
            let failed = self.runs.iter().any(|(_, record)| !record.failures.is_empty());
            let invalid = self.runs.iter().any(|(_, record)| !record.is_valid());
            return match (failed, invalid) {
                (true, _) => ExitCode::Findings,
                (false, true) => ExitCode::Undecided,
                (false, false) => ExitCode::Clean,
            };
        }
        if let Some(rerun) = self.findings().rerun() {
            let Tally { failed, flaky, not_reached, .. } = rerun.tally;
            return match () {
                () if failed > 0 || (flaky > 0 && rerun.settings.fail_on_flaky) => ExitCode::Findings,
                () if not_reached > 0 => ExitCode::Undecided,
                () => ExitCode::Clean,
            };
        }
        if self.verdicts.iter().any(|verdict| verdict.class != Class::Undecided) {
            ExitCode::Findings
        } else if self.verdicts.is_empty() && !self.rate_is_open() {
            ExitCode::Clean
        } else {
            ExitCode::Undecided
        }
    }
}

/// What was repeated, and what came of it.
fn repeating(hunt: &Hunt) -> Option<(Repeats, Option<OrderName>, Vec<Repeated>)> {
    let Goal::Repeat { repeats, order } = hunt.goal() else { return None };
    Some((repeats.clone(), order.as_ref().map(|planned| planned.name.clone()), hunt.repeated()))
}

/// The verdicts that answer the command: `bisect` asks about one test, and those that failed on its way were not looked
/// into.
fn asked_for(hunt: &Hunt) -> Vec<Verdict> {
    let mut verdicts = hunt.verdicts();
    if let Goal::Bisect { test, .. } = hunt.goal() {
        verdicts.retain(|verdict| verdict.test == *test);
    }
    verdicts
}

/// What the orders that were tried could have shown.
fn coverage(suite: &Suite, runs: &[(RunSpec, RunRecord)]) -> Coverage {
    let mut pairs = Pairs::new(suite.len());
    let mut orders = 0;
    for (spec, record) in runs {
        let tried = matches!(spec.purpose, Purpose::Baseline | Purpose::Explore | Purpose::Replay);
        if tried && record.is_valid() && spec.files.is_none() {
            pairs.add_run(spec, record);
            orders += 1;
        }
    }
    let (all, adjacent) = (pairs.pairs(), pairs.adjacent_pairs());
    Coverage {
        pairs: all.share,
        adjacent_pairs: adjacent.share,
        exact: all.exact && adjacent.exact,
        orders,
        seen95: (orders > 0).then(|| rate_seen(0.95, u64::from(orders))),
    }
}
