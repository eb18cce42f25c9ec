//! What a rerun shows: what is flaky, what is real, and how the suite stands.

use std::io::{self, Write};

use super::paint::Paint;
use super::{COLUMN, Human, block};
use crate::core::rerun::{Tally, attempts};
use crate::core::run::{Purpose, RunRecord, RunSpec};
use crate::report::model::{self, Report, Test};
use crate::report::rerun::{result, word};
use crate::report::text::{counted, duration, shown, wrapped};
use crate::report::words::{self, Finding};

/// More findings are only counted, unless all was asked for.
const BLOCKS: usize = 20;
/// So many lines of a traceback are shown, unless all was asked for.
const TRACEBACK: usize = 40;

impl Human {
    /// The findings of a rerun, what is flaky first, and how it ended.
    pub(super) fn reran(&self, report: &Report, rerun: &model::Rerun, out: &mut dyn Write) -> io::Result<()> {
        let mut found: Vec<Finding<'_>> = report.tests.iter().map(|test| Finding::One(test, None)).collect();
        found.sort_by_key(|finding| word(finding.first()));
        let limit = if self.0.all { usize::MAX } else { BLOCKS };
        for finding in found.iter().take(limit) {
            writeln!(out)?;
            block::finding(out, finding, self.0)?;
            if self.0.all || word(finding.first()) != "flaky" {
                self.traceback(finding.first(), out)?;
            }
        }
        if found.len() > limit {
            writeln!(out)?;
            let more =
                format!("{} more: `flakehunt report -v {}`", found.len() - limit, shown(&report.session));
            self.labelled(out, "and", &more)?;
        }
        if !found.is_empty() {
            writeln!(out)?;
        }
        let said = result(report, rerun);
        let folder = shown(&report.session_dir);
        let reports =
            format!("{folder}/junit.xml has every test and attempt, {folder}/report.json the verdicts");
        if rerun.passed + rerun.skipped == report.suite.tests as u32 {
            self.painted(out, "passed", |paint, label| paint.good(label), &said)?;
        } else {
            self.labelled(out, "result", &said)?;
            self.spent(out, report)?;
        }
        self.labelled(out, "reports", &reports)?;
        match words::ended(report) {
            Some(_) => self.labelled(out, "next", &words::command_line(report)),
            None => Ok(()),
        }
    }
}

impl Human {
    /// What pytest says of the first failure, as it says it.
    fn traceback(&self, test: &Test, out: &mut dyn Write) -> io::Result<()> {
        let Some(text) = test.attempts.iter().find_map(|attempt| attempt.text.as_deref()) else {
            return Ok(());
        };
        let lines: Vec<&str> = text.lines().collect();
        // The reason stands at the end.
        let before = if self.0.all { 0 } else { lines.len().saturating_sub(TRACEBACK) };
        writeln!(out)?;
        if before > 0 {
            writeln!(out, "    ... {} before", counted(before as u64, "line"))?;
        }
        for line in &lines[before..] {
            writeln!(out, "{}", format!("    {}", shown(line)).trim_end())?;
        }
        Ok(())
    }
}

/// `suite      32 tests in 0.2 s: 2 failed, 29 passed, 1 skipped`; nothing where no test failed, since then the result
/// says it all.
pub fn suite_line(runs: &[(RunSpec, RunRecord)], width: usize, color: bool) -> Option<String> {
    let suite = || runs.iter().filter(|(spec, run)| spec.purpose == Purpose::Baseline && run.is_valid());
    let tests = suite().flat_map(|(spec, _)| spec.order.iter()).map(|test| test.at() + 1).max()?;
    let Tally { passed, skipped, failed, not_reached, .. } =
        Tally::of(&attempts(tests, suite().map(|(spec, run)| (spec, run))));
    if failed == 0 {
        return None;
    }
    let wall: u64 = suite().map(|(_, run)| run.cost.wall_ms).sum();
    let mut said = format!("{} in {}: {failed} failed", counted(tests as u64, "test"), duration(wall));
    for (count, what) in [(passed, "passed"), (skipped, "skipped"), (not_reached, "not reached")] {
        if count > 0 {
            said.push_str(&format!(", {count} {what}"));
        }
    }
    let died = |run: &RunRecord| run.outcomes.iter().any(|outcome| outcome.ends_the_process());
    let deaths = suite().filter(|(_, run)| died(run)).count() as u64;
    if deaths > 0 {
        said.push_str(&format!("; {} ended the process", counted(deaths, "test")));
    }
    let lines = wrapped(&said, width.saturating_sub(COLUMN));
    let label = Paint(color).strong(&format!("{:COLUMN$}", "suite"));
    Some(label + &lines.join(&format!("\n{:COLUMN$}", "")))
}
