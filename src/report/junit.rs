//! `junit`: one test case a finding, for dashboards that show JUnit XML. (The JUnit files of single runs are pytest's.)
//!
//! Order-dependent, non-deterministic and broken tests are failures; what is undecided, and interference, are errors.
//! There is no test case for healthy tests. Properties hold the id and the culprits, one property a culprit set.
//! A `rerun` asks what became of the suite: its report has every test, see [`whole`].

mod whole;

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::model::Report;
use super::text::shown;
use super::words;
use super::{Findings, Renderer};
use crate::core::verdict::Class;

/// Writes JUnit XML.
#[derive(Clone, Copy, Debug)]
pub struct Junit;

impl Renderer for Junit {
    fn render(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        if let Some(reruns) = findings.rerun() {
            return whole::render(findings, &reruns, out);
        }
        let report = Report::of(findings);
        let mut suite = TestSuite::new(format!("flakehunt.{}", shown(&report.command)));
        suite.set_time(Duration::from_millis(findings.wall_ms));
        let tests = words::findings(&report);
        suite.add_test_cases(tests.iter().flat_map(words::Finding::each).map(|one| case(&one)));
        let mut xml = Xml::new("flakehunt");
        xml.set_time(Duration::from_millis(findings.wall_ms));
        xml.add_test_suite(suite);
        xml.serialize(out).map_err(io::Error::other)
    }
}

fn case(finding: &words::Finding<'_>) -> TestCase {
    let test = finding.first();
    let kind = match test.verdict {
        Class::Undecided | Class::Interference => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let word = words::class_word(test.verdict);
    let rate = finding.rate();
    let message = if rate.is_empty() { words::meaning(test.verdict).to_owned() } else { rate };
    status.set_type(word).set_message(message).set_description(description(finding));
    let name = test.id.strip_prefix(test.file.as_str()).and_then(|rest| rest.strip_prefix("::"));
    let mut case = TestCase::new(shown(name.unwrap_or(&test.id)).into_owned(), status);
    case.set_classname(shown(&test.file).into_owned());
    case.extra.insert("file".into(), shown(&test.file).into_owned().into());
    if let Some(line) = test.line {
        case.extra.insert("line".into(), line.to_string().into());
    }
    let mut property = |name: &str, value: &str| {
        case.add_property((name, shown(value).as_ref()));
    };
    property("id", &test.id);
    property("verdict", word);
    let sets = |sets: &[Vec<String>]| sets.iter().map(|set| set.join(" + ")).collect::<Vec<_>>();
    sets(&test.polluters).iter().for_each(|set| property("polluters", set));
    sets(&test.state_setters).iter().for_each(|set| property("state_setters", set));
    test.cleaners.iter().for_each(|cleaner| property("cleaner", cleaner));
    case
}

fn description(finding: &words::Finding<'_>) -> String {
    let mut lines = vec![words::meaning(finding.class()).to_owned()];
    lines.extend(words::rows(finding).iter().map(words::Row::line));
    lines.join("\n")
}
