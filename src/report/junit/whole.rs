//! The JUnit of a `rerun`: every test of the suite with every attempt, as Maven Surefire writes reruns.
//!
//! A test that failed and passed is a success with one `flakyFailure` or `flakyError` a failed attempt; one that did
//! nothing but fail is a `failure` or an `error`, the first attempt, with one `rerunFailure` or `rerunError` for each
//! further one. Both hold a `message`, a `type` and a `stackTrace`.
//! Source: `surefire-test-report-3.0.xsd` of Maven Surefire.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::core::fingerprint::shorten;
use crate::core::outcome::Outcome;
use crate::core::rerun::{Attempt, Standing};
use crate::core::test_id::TestIdx;
use crate::pytest::junit::NODE_ID;
use crate::pytest::junit::names::names;
use crate::report::text::shown;
use crate::report::{Findings, Reruns, words};

pub(super) fn render(findings: &Findings<'_>, reruns: &Reruns<'_>, out: &mut dyn Write) -> io::Result<()> {
    let time = Duration::from_millis(findings.wall_ms);
    let mut suite = TestSuite::new("pytest");
    suite.set_time(time);
    for (test, attempts) in findings.suite.all().zip(&reruns.attempts) {
        suite.add_test_case(case(findings, test, attempts));
    }
    let mut xml = Xml::new("flakehunt.rerun");
    xml.set_time(time);
    xml.add_test_suite(suite);
    xml.serialize(out).map_err(io::Error::other)
}

fn case(findings: &Findings<'_>, test: TestIdx, attempts: &[Attempt<'_>]) -> TestCase {
    let standing = Standing::of(attempts);
    let failed = |attempt: &&Attempt<'_>| attempt.outcome.is_failure();
    // The attempt that stands for the test: the first failure where there is nothing else, else the first pass.
    let counts = attempts.iter().find(|attempt| standing == Standing::Failed || !failed(attempt));
    let mut failures = attempts.iter().filter(failed).map(again);
    let status = match (standing, counts) {
        (Standing::Failed, Some(first)) => {
            let mut status = TestCaseStatus::non_success(kind(first.outcome));
            status.set_type(class(first)).set_message(message(first)).set_description(trace(first));
            status.add_reruns(failures.skip(1));
            status
        }
        (Standing::Flaky, _) => {
            let mut status = TestCaseStatus::success();
            status.add_reruns(&mut failures);
            status
        }
        (_, Some(skip)) if matches!(skip.outcome, Outcome::Skipped | Outcome::XFailed) => {
            let mut status = TestCaseStatus::skipped();
            status.set_type(class(skip)).set_message(message(skip));
            status
        }
        (_, Some(_)) => TestCaseStatus::success(),
        (_, None) => {
            let mut status = TestCaseStatus::skipped();
            status.set_type("flakehunt.not-reached").set_message("it never had its turn");
            status
        }
    };
    let node_id = findings.suite.node_id(test);
    let names = names(node_id);
    let mut case = TestCase::new(shown(&names.name).into_owned(), status);
    case.set_classname(shown(&names.classname).into_owned());
    case.set_time(Duration::from_micros(counts.map_or(0, |attempt| attempt.micros)));
    case.add_property((NODE_ID, shown(node_id).as_ref()));
    if let Some(verdict) = findings.verdicts.iter().find(|verdict| verdict.test == test) {
        case.add_property(("verdict", words::class_word(verdict.class)));
    }
    case
}

fn again(attempt: &Attempt<'_>) -> TestRerun {
    let mut rerun = TestRerun::new(kind(attempt.outcome));
    rerun.set_type(class(attempt)).set_message(message(attempt)).set_stack_trace(trace(attempt));
    rerun
}

fn kind(outcome: Outcome) -> NonSuccessKind {
    match outcome {
        Outcome::Failed => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    }
}

/// The exception's type; Surefire's schema wants one of every failure.
fn class(attempt: &Attempt<'_>) -> String {
    match attempt.account.map(|account| account.kind.as_str()) {
        None | Some("") => "failure".to_owned(),
        Some(kind) => shown(kind).into_owned(),
    }
}

/// An attribute holds one line; all lines stand in the trace.
fn message(attempt: &Attempt<'_>) -> String {
    shown(&shorten(attempt.account.map_or("", |account| account.message.as_str()))).into_owned()
}

fn trace(attempt: &Attempt<'_>) -> String {
    let Some(account) = attempt.account else { return String::new() };
    let text = if account.text.is_empty() { &account.message } else { &account.text };
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}
