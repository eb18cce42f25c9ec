//! `human`: what a person reads in a terminal. Ids and commands are never cut and never broken inside.

mod block;
mod live;
mod paint;
mod replay;
mod rerun;

use std::io::{self, Write};

use self::paint::Paint;
use super::model::Report;
use super::text::{counted, duration, shown, wrapped};
use super::words::{self, Finding};
use super::{Findings, Look, Renderer};
use crate::core::verdict::{BEFORE_ITS_TURN, Class};

pub use self::live::{
    Baseline, baseline_line, header_line, plan_line, proven_line, repeat_line, waiting_line,
};
pub use self::rerun::suite_line;

/// Writes for people.
#[derive(Clone, Copy, Debug)]
pub struct Human(pub Look);

/// So many tests that were not looked into are listed instead of described.
const MANY: usize = 4;

/// Column at which the words after a label of the first rank begin.
const COLUMN: usize = 11;

impl Renderer for Human {
    fn render(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Look { width, color, .. } = self.0;
        writeln!(out, "{}", header_line(findings.header, findings.suite.len(), width, color))?;
        let baseline = Baseline::of(findings.runs);
        if let Some(repeating) = findings.repeating {
            writeln!(out, "{}", repeat_line(repeating.plan, repeating.order, width, color))?;
        } else if findings.header.command == "rerun" {
            if let Some(line) = suite_line(findings.runs, width, color) {
                writeln!(out, "{line}")?;
            }
        } else if baseline.runs > 0 {
            let plan = plan_line(findings.coverage.orders, None);
            writeln!(out, "{}", baseline_line(&baseline, &plan, color))?;
        }
        for said in words::notices(findings.notices.iter().map(|(about, text)| (&**about, &**text))) {
            self.labelled(out, "notice", &shown(&said))?;
        }
        self.results(findings, out)
    }
}

impl Human {
    /// Everything below the first lines: what the live face prints when a hunt is over.
    pub fn results(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        if findings.header.command == "replay" {
            return self.replayed(findings, out);
        }
        let report = Report::of(findings);
        if let Some(rerun) = &report.rerun {
            return self.reran(&report, rerun, out);
        }
        let found = words::findings(&report);
        let (broken, flaky): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|one| one.class() == Class::Broken && report.repeats.is_empty());
        let waits = |one: &Finding<'_>| one.first().undecided.as_deref() == Some(BEFORE_ITS_TURN);
        let many = !self.0.all && flaky.iter().filter(|one| waits(one)).count() >= MANY;
        let (waiting, flaky): (Vec<_>, Vec<_>) = flaky.into_iter().partition(|one| many && waits(one));
        for finding in &flaky {
            writeln!(out)?;
            block::finding(out, finding, self.0)?;
        }
        writeln!(out)?;
        if !waiting.is_empty() {
            self.waiting(out, &waiting)?;
        }
        if !report.repeats.is_empty() {
            self.healthy(out, &report)?;
        } else if report.tests.is_empty() {
            let tests = counted(report.suite.tests as u64, "test");
            let orders = counted(report.coverage.orders, "order");
            if report.coverage.orders == 0 {
                let said = format!("no run of {tests} gave evidence: nothing is known of them");
                self.painted(out, "no answer", |paint, label| paint.class(Class::Undecided, label), &said)?;
            } else {
                let said = format!(
                    "no test of {tests} failed in some orders and passed in others; {orders} were tried"
                );
                self.painted(out, "nothing found", |paint, label| paint.good(label), &said)?;
            }
        }
        if !broken.is_empty() {
            self.broken(out, &broken)?;
        }
        self.footer(out, &report)
    }

    /// Tests that were repeated and never failed.
    fn healthy(&self, out: &mut dyn Write, report: &Report) -> io::Result<()> {
        let healthy: Vec<_> = report.repeats.iter().filter(|repeat| repeat.verdict.is_none()).collect();
        if healthy.is_empty() {
            return Ok(());
        }
        let tests = counted(healthy.len() as u64, "test");
        self.painted(out, "healthy", |paint, label| paint.good(label), &format!("{tests} never failed"))?;
        block::said_of(
            out,
            healthy.iter().map(|repeat| (repeat.id.as_str(), words::healthy(repeat))),
            self.0,
        )?;
        writeln!(out)
    }

    /// Tests with failures that were not looked into.
    fn waiting(&self, out: &mut dyn Write, waiting: &[Finding<'_>]) -> io::Result<()> {
        let said =
            format!("{} failed; the hunt ended before their turn", counted(waiting.len() as u64, "test"));
        self.painted(out, "undecided", |paint, label| paint.class(Class::Undecided, label), &said)?;
        block::said_of(out, waiting.iter().map(|one| (one.first().id.as_str(), one.rate())), self.0)?;
        writeln!(out)
    }

    fn broken(&self, out: &mut dyn Write, broken: &[Finding<'_>]) -> io::Result<()> {
        let tests: Vec<_> = broken.iter().flat_map(Finding::tests).collect();
        let (them, verb) = if tests.len() == 1 { ("it is", "fails") } else { ("they are", "fail") };
        let said =
            format!("{} {verb} whatever the order; {them} not flaky", counted(tests.len() as u64, "test"));
        self.painted(out, "broken", |paint, label| paint.class(Class::Broken, label), &said)?;
        block::ids(out, &tests, self.0)?;
        writeln!(out)
    }

    fn footer(&self, out: &mut dyn Write, report: &Report) -> io::Result<()> {
        let coverage = words::coverage(report);
        if !report.tests.is_empty() {
            self.labelled(out, "found", &words::summary(report))?;
        }
        // What the orders could have shown matters where they were to show something.
        let proven = report.tests.iter().any(|test| test.verdict != Class::Undecided);
        if !coverage.is_empty() && (report.command != "bisect" || !proven) {
            self.labelled(out, "covered", &coverage)?;
        }
        self.spent(out, report)?;
        let folder = shown(&report.session_dir);
        self.labelled(
            out,
            "reports",
            &format!("{folder}/report.json, JUnit of every run in {folder}/runs/"),
        )?;
        self.labelled(out, "next", &words::command_line(report))
    }

    /// What it cost, and why it ended where it did not end by itself.
    fn spent(&self, out: &mut dyn Write, report: &Report) -> io::Result<()> {
        let runs = &report.runs;
        let mut spent = format!(
            "{}, {}, {} in {}",
            counted(runs.asked, "run"),
            if runs.processes == 1 {
                "1 process".to_owned()
            } else {
                format!("{} processes", runs.processes)
            },
            counted(runs.test_executions, "test execution"),
            duration((runs.wall_seconds * 1000.0) as u64),
        );
        if !runs.invalid.is_empty() {
            let no_evidence = counted(runs.invalid.len() as u64, "run");
            spent.push_str(&format!("; {no_evidence} gave no evidence"));
        }
        if let Some(why) = words::ended(report) {
            spent.push_str(&format!("; {why}"));
        }
        self.labelled(out, "spent", &spent)
    }

    fn labelled(&self, out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
        self.painted(out, label, |paint, label| paint.strong(label), text)
    }

    fn painted(
        &self,
        out: &mut dyn Write,
        label: &str,
        paint: impl Fn(Paint, &str) -> String,
        text: &str,
    ) -> io::Result<()> {
        let column = COLUMN.max(label.len() + 2);
        let label = format!("{label:column$}");
        for (at, line) in wrapped(text, self.0.width.saturating_sub(column)).iter().enumerate() {
            let lead = if at == 0 { paint(Paint(self.0.color), &label) } else { " ".repeat(column) };
            writeln!(out, "{lead}{line}")?;
        }
        Ok(())
    }
}
