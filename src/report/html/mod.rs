//! `html`: one file for a browser, without scripts and without anything from elsewhere.
//!
//! The template escapes every text; characters that act are shown as in a terminal. A content security policy in the
//! page forbids what the page does not use.

mod figures;

use std::io::{self, Write};

use askama::Template;

use self::figures::{Graph, Strip};
use super::model::Report;
use super::text::{command, counted, duration, shortened, shown};
use super::words::{self, Finding, Value};
use super::{Findings, Renderer};

const MESSAGE: usize = 2000;

/// Writes a page.
#[derive(Clone, Copy, Debug)]
pub struct Html;

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    session: String,
    title: String,
    facts: Vec<(&'static str, String)>,
    blocks: Vec<Block>,
    healthy: Vec<(String, String)>,
    strip: Option<Strip>,
    notices: Vec<String>,
}

struct Block {
    class: &'static str,
    meaning: &'static str,
    /// An id, or the head of a cluster.
    id: Option<String>,
    head: String,
    rate: String,
    graph: Option<Graph>,
    rows: Vec<Line>,
}

struct Line {
    label: &'static str,
    kind: &'static str,
    lead: &'static str,
    items: Vec<(String, String)>,
    detail: String,
}

impl Renderer for Html {
    fn render(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        let report = Report::of(findings);
        let found = words::findings(&report);
        let page = Page {
            session: shown(&report.session).into_owned(),
            title: if found.is_empty() { "nothing found".to_owned() } else { words::summary(&report) },
            facts: facts(&report),
            strip: Strip::of(findings, &found),
            blocks: found.iter().map(block).collect(),
            healthy: healthy(&report),
            notices: words::notices(report.notices.iter().map(|n| (&*n.about, &*n.text)))
                .iter()
                .map(|said| shown(said).into_owned())
                .collect(),
        };
        let text = page.render().map_err(io::Error::other)?;
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")
    }
}

/// Tests that were repeated and never failed, with what is said of them.
fn healthy(report: &Report) -> Vec<(String, String)> {
    let healthy = report.repeats.iter().filter(|repeat| repeat.verdict.is_none());
    healthy.map(|repeat| (shown(&repeat.id).into_owned(), words::healthy(repeat))).collect()
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let environment = &report.environment;
    let mut facts = vec![
        ("began", shown(&report.began).into_owned()),
        ("command", shown(&report.command).into_owned()),
        ("python", shown(&format!("{} ({})", environment.python, environment.origin)).into_owned()),
        ("pytest", shown(&environment.pytest).into_owned()),
        ("tests", report.suite.tests.to_string()),
        ("executor", shown(&format!("{} x{}", environment.executor, environment.jobs)).into_owned()),
        (
            "spent",
            format!(
                "{}, {} in {}",
                counted(report.runs.asked, "run"),
                counted(report.runs.test_executions, "test execution"),
                duration((report.runs.wall_seconds * 1000.0) as u64)
            ),
        ),
    ];
    let coverage = words::coverage(report);
    if !coverage.is_empty() {
        facts.push(("covered", coverage));
    }
    if let Some(why) = words::ended(report) {
        facts.push(("not over", format!("{why}; {}", command(&words::next(report)))));
    }
    facts
}

fn block(finding: &Finding<'_>) -> Block {
    let test = finding.first();
    let one = matches!(finding, Finding::One(..));
    Block {
        class: words::class_word(test.verdict),
        meaning: words::meaning(test.verdict),
        id: one.then(|| shown(&test.id).into_owned()),
        head: if one { String::new() } else { words::heading(finding, usize::MAX) },
        rate: finding.rate(),
        graph: Graph::of(finding),
        rows: words::rows(finding).into_iter().map(line).collect(),
    }
}

fn line(row: words::Row) -> Line {
    let ids =
        |ids: Vec<String>| ids.iter().map(|id| (shown(id).into_owned(), String::new())).collect::<Vec<_>>();
    let (kind, lead, items) = match row.value {
        Value::Together { members, .. } if members.len() == 1 => ("id", "", ids(members)),
        Value::Together { members, ordered: true } => ("id", "together, in this order:", ids(members)),
        Value::Together { members, ordered: false } => ("id", "together, in any order:", ids(members)),
        Value::Each(each) => {
            ("id", "", each.into_iter().map(|(id, detail)| (shown(&id).into_owned(), detail)).collect())
        }
        Value::Said(text) => ("said", "", vec![(text, String::new())]),
        Value::Quoted(text) => {
            ("quoted", "", vec![(shortened(&shown(&text), MESSAGE).into_owned(), String::new())])
        }
        Value::Text(text) => ("command", "", vec![(words::lines(&text).join("\n"), String::new())]),
        Value::Command(argv) => ("command", "", vec![(command(&argv), String::new())]),
    };
    Line { label: row.label, kind, lead, items, detail: shown(&row.detail).into_owned() }
}
