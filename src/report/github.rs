//! `github`: workflow commands of GitHub Actions. One annotation at the test, one at each culprit that stands alone.
//!
//! A command is one line, `::warning file=F,line=N,title=T::MESSAGE`; `%`, CR and LF are written `%25`, `%0D`, `%0A`, and
//! in properties `:` and `,` as `%3A` and `%2C`. Other characters that act are shown as in the other formats.

use std::io::{self, Write};

use super::model::{Report, Test};
use super::text::shown;
use super::words;
use super::{Findings, Renderer};
use crate::core::verdict::Class;

/// Writes annotations.
#[derive(Clone, Copy, Debug)]
pub struct Github;

impl Renderer for Github {
    fn render(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        let report = Report::of(findings);
        for finding in words::findings(&report) {
            for one in finding.each() {
                at_test(out, &one)?;
            }
            at_culprits(out, findings, finding.first(), finding.tests().len())?;
        }
        Ok(())
    }
}

fn at_test(out: &mut dyn Write, finding: &words::Finding<'_>) -> io::Result<()> {
    let test = finding.first();
    let warns = match test.attempts.is_empty() {
        true => matches!(test.verdict, Class::Undecided | Class::Interference),
        false => words::word(test) == "flaky",
    };
    let level = if warns { "warning" } else { "error" };
    let mut lines = vec![format!("{}: {}", shown(&test.id), words::meaning(test.verdict))];
    lines.extend(Some(finding.rate()).filter(|rate| !rate.is_empty()));
    lines.extend(words::rows(finding).iter().map(words::Row::line));
    annotation(out, level, &test.file, test.line, words::word(test), &lines)
}

fn at_culprits(out: &mut dyn Write, findings: &Findings<'_>, test: &Test, tests: usize) -> io::Result<()> {
    if test.verdict == Class::Brittle {
        // What sets up a brittle test does nothing wrong.
        return Ok(());
    }
    for set in &test.polluters {
        for culprit in set {
            let place = findings.suite.find_node_id(culprit).map(|found| findings.suite.test(found));
            let (file, line) =
                place.map_or((culprit.as_str(), None), |found| (found.file.as_str(), found.line));
            let together = if set.len() > 1 { ", together with others," } else { "" };
            let others = if tests > 1 { format!(" and {} more", tests - 1) } else { String::new() };
            let said = format!("{}{together} pollutes {}{others}", shown(culprit), shown(&test.id));
            annotation(out, "warning", file, line, "polluter", &[said])?;
        }
    }
    Ok(())
}

fn annotation(
    out: &mut dyn Write,
    level: &str,
    file: &str,
    line: Option<u32>,
    title: &str,
    lines: &[String],
) -> io::Result<()> {
    let line = line.map(|line| format!(",line={line}")).unwrap_or_default();
    let message = data(&lines.join("\n"));
    writeln!(out, "::{level} file={}{line},title={}::{message}", property(&shown(file)), property(title))
}

/// Escapes a message, as `@actions/core` does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, as `@actions/core` does.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
