//! Writes the JUnit report of a run from what the stream told: for runs whose process died before pytest could, and for
//! runs that told pytest's reporters nothing.
//!
//! The shape is pytest's. quick-junit is not used: it drops tabs, turns line ends in attributes into blanks when they are
//! read again, and gives a test case one failure at most, where a test with subtests has several.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use crate::core::outcome::{Outcome, Phase};
use crate::core::test_id::{Suite, TestIdx};
use crate::pytest::stream::{Conclusion, PhaseReport, Said, Told};

use super::chars::{attribute, content, head};
use super::names::names;
use super::reader::Kind;
use super::{NODE_ID, POSITION};

/// How much is written of a message, in bytes: the whole stands in the element's text.
const MESSAGE_LIMIT: usize = 4 << 10;

/// A run to be written.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The collected tests.
    pub suite: &'a Suite,
    /// What was asked for.
    pub order: &'a [TestIdx],
    /// What the stream told.
    pub told: &'a Told,
    /// What follows from it.
    pub conclusion: &'a Conclusion,
    /// How long the run took, in seconds.
    pub seconds: f64,
    /// When it began, RFC 3339.
    pub timestamp: Option<&'a str>,
}

/// Writes the report to `path`: whole or not at all.
pub fn write(path: &Path, run: &Run<'_>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(render(run).as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// The report as text.
pub fn render(run: &Run<'_>) -> String {
    let mut cases = Cases { run, xml: String::new(), tests: 0, failures: 0, errors: 0, skipped: 0 };
    let mut reports = run.told.reports.iter().peekable();
    for (position, test) in run.order.iter().enumerate() {
        let mut of_test = Vec::new();
        while let Some(report) = reports.next_if(|report| report.n == position as u64) {
            of_test.push(report);
        }
        cases.test(position, *test, &of_test);
    }
    let Cases { xml, tests, failures, errors, skipped, .. } = cases;
    let timestamp = run.timestamp.map(|at| format!(" timestamp=\"{}\"", attribute(at))).unwrap_or_default();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites name=\"pytest tests\"><testsuite name=\"pytest\" \
         errors=\"{errors}\" failures=\"{failures}\" skipped=\"{skipped}\" tests=\"{tests}\" time=\"{:.3}\"{timestamp}>\n\
         {xml}</testsuite></testsuites>\n",
        run.seconds
    )
}

struct Cases<'a> {
    run: &'a Run<'a>,
    xml: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Cases<'_> {
    fn test(&mut self, position: usize, test: TestIdx, reports: &[&PhaseReport]) {
        let outcome = self.run.conclusion.outcomes.get(position).copied().unwrap_or(Outcome::NotReached);
        let mut elements = String::new();
        let mut second = String::new();
        // Reports of a test that was cut off are no findings of its own.
        let reports = if outcome == Outcome::NotReached { &[] } else { reports };
        let body_failed = reports.iter().any(|report| report.failed() && report.when == Phase::Call);
        for report in reports {
            match (report.outcome, report.when) {
                // pytest opens a second test case for it.
                (Said::Failed, Phase::Teardown) if body_failed => self.report(&mut second, report),
                // A subtest that is skipped leaves no trace in pytest's report either.
                (Said::Skipped, _) if report.subtest => {}
                _ => self.report(&mut elements, report),
            }
        }
        match outcome {
            Outcome::NotReached => {
                let reason =
                    self.run.conclusion.invalid.as_deref().unwrap_or("the run ended before this test's turn");
                self.element(
                    &mut elements,
                    Kind::Skipped,
                    "flakehunt.not-reached",
                    &format!("not reached: {reason}"),
                    "",
                );
            }
            Outcome::Crashed | Outcome::TimedOut => {
                let kind =
                    if outcome == Outcome::Crashed { "flakehunt.crashed" } else { "flakehunt.timed-out" };
                let failures = &self.run.conclusion.failures;
                let death = failures
                    .iter()
                    .rfind(|failure| failure.at as usize == position && failure.phase.is_none());
                let message =
                    death.map_or("the process did not live on after this test", |death| &death.message);
                self.element(&mut elements, Kind::Error, kind, message, "");
            }
            _ => {}
        }
        self.tests += 1;
        self.case(position, test, &elements);
        if !second.is_empty() {
            self.case(position, test, &second);
        }
    }

    fn case(&mut self, position: usize, test: TestIdx, elements: &str) {
        let node_id = self.run.suite.node_id(test);
        let names = names(node_id);
        let seconds = self.run.told.seconds.get(position).copied().unwrap_or_default();
        // Writing to a String does not fail.
        let _ = writeln!(
            self.xml,
            "<testcase classname=\"{}\" name=\"{}\" time=\"{seconds:.3}\"><properties><property name=\"{NODE_ID}\" \
             value=\"{}\"/><property name=\"{POSITION}\" value=\"{position}\"/></properties>{elements}</testcase>",
            attribute(&names.classname),
            attribute(&names.name),
            attribute(node_id),
        );
    }

    fn report(&mut self, out: &mut String, report: &PhaseReport) {
        let message = report.message.as_deref().unwrap_or_default();
        let text = report.text.as_deref().unwrap_or_default();
        match (report.outcome, report.when) {
            (Said::Failed, Phase::Call) => {
                self.element(out, Kind::Failure, report.r#type.as_deref().unwrap_or_default(), message, text);
            }
            (Said::Failed, phase) => {
                let phase = if phase == Phase::Setup { "setup" } else { "teardown" };
                let message = format!("failed on {phase} with \"{message}\"");
                self.element(out, Kind::Error, report.r#type.as_deref().unwrap_or_default(), &message, text);
            }
            (Said::Skipped, _) if report.xfail => {
                let reason = report.reason.as_deref().unwrap_or_default();
                self.element(out, Kind::Skipped, "pytest.xfail", reason, "");
            }
            (Said::Skipped, _) => {
                let reason = message.strip_prefix("Skipped: ").unwrap_or(message);
                let place =
                    report.place.as_deref().map(|place| format!("{place}: {reason}")).unwrap_or_default();
                self.element(out, Kind::Skipped, "pytest.skip", reason, &place);
            }
            (Said::Passed | Said::Other, _) => {}
        }
    }

    fn element(&mut self, out: &mut String, kind: Kind, r#type: &str, message: &str, text: &str) {
        let (tag, count) = match kind {
            Kind::Failure => ("failure", &mut self.failures),
            Kind::Error => ("error", &mut self.errors),
            Kind::Skipped => ("skipped", &mut self.skipped),
        };
        *count += 1;
        let message = attribute(head(message, MESSAGE_LIMIT));
        let r#type = match r#type {
            "" => String::new(),
            r#type => format!(" type=\"{}\"", attribute(head(r#type, MESSAGE_LIMIT))),
        };
        let _ = write!(out, "<{tag}{type} message=\"{message}\">{}</{tag}>", content(text));
    }
}
