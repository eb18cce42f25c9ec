//! `markdown`: a comment on a pull request. Everything from elsewhere stands in code spans, where nothing is read as
//! HTML, as a link or as a mention.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::model::Report;
use super::text::{command, counted, duration, shortened, shown};
use super::words::{self, Finding, Row, Value};
use super::{Findings, Renderer};

/// GitHub takes comments of up to 65,536 characters; what comes after this many findings is counted only.
const FINDINGS: usize = 40;
const LIST: usize = 20;
const MESSAGE: usize = 500;
/// The last lines of a long text.
const TEXT: usize = 30;
const ID: usize = 1000;

/// Writes for a comment.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl Renderer for Markdown {
    fn render(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        let report = Report::of(findings);
        let found = words::findings(&report);
        let title = match found.len() {
            0 => "nothing found".to_owned(),
            _ => words::summary(&report),
        };
        writeln!(out, "### flakehunt: {title}\n")?;
        let environment = &report.environment;
        writeln!(
            out,
            "{} on python {}, pytest {}; {}, {} in {}.\n",
            counted(report.suite.tests as u64, "test"),
            span(&environment.python),
            span(&environment.pytest),
            words::tried(&report),
            counted(report.runs.asked, "run"),
            duration((report.runs.wall_seconds * 1000.0) as u64),
        )?;
        for finding in found.iter().take(FINDINGS) {
            block(out, finding)?;
        }
        if found.len() > FINDINGS {
            writeln!(out, "And {} more.\n", counted((found.len() - FINDINGS) as u64, "finding"))?;
        }
        let coverage = words::coverage(&report);
        healthy(out, &report)?;
        if !coverage.is_empty() {
            writeln!(out, "Covered: {coverage}.")?;
        }
        if let Some(why) = words::ended(&report) {
            writeln!(out, "\nThe hunt is not over: {why}. {}", span(&command(&words::next(&report))))?;
        }
        Ok(())
    }
}

fn block(out: &mut dyn Write, finding: &Finding<'_>) -> io::Result<()> {
    let test = finding.first();
    match finding {
        Finding::One(..) => writeln!(out, "**{}** {}", words::word(test), id(&test.id))?,
        Finding::Many(..) => {
            writeln!(out, "**{}** {}:", words::class_word(test.verdict), words::head(finding))?
        }
    }
    writeln!(out, "({})\n", words::meaning(test.verdict))?;
    let rate = finding.rate();
    if !rate.is_empty() {
        writeln!(out, "- {rate}")?;
    }
    for row in words::rows(finding) {
        writeln!(out, "{}", line(&row))?;
    }
    writeln!(out)
}

/// Tests that were repeated and never failed.
fn healthy(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let healthy: Vec<_> = report.repeats.iter().filter(|repeat| repeat.verdict.is_none()).collect();
    if healthy.is_empty() {
        return Ok(());
    }
    writeln!(out, "**healthy** {}\n", counted(healthy.len() as u64, "test"))?;
    for repeat in healthy.iter().take(LIST) {
        writeln!(out, "- {}: {}", id(&repeat.id), words::healthy(repeat))?;
    }
    if healthy.len() > LIST {
        writeln!(out, "- and {} more", healthy.len() - LIST)?;
    }
    writeln!(out)
}

fn line(row: &Row) -> String {
    let mut said = format!("- {}:", row.label);
    match &row.value {
        Value::Together { members, .. } if members.len() == 1 => {
            let _ = write!(said, " {}", id(&members[0]));
        }
        Value::Together { members, ordered } => {
            let join = if *ordered { ", then " } else { " and " };
            let members: Vec<String> = members.iter().map(|member| id(member)).collect();
            let _ = write!(said, " {} together", members.join(join));
        }
        Value::Each(each) => {
            for (member, detail) in each.iter().take(LIST) {
                let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                let _ = write!(said, "\n  - {}{detail}", id(member));
            }
            if each.len() > LIST {
                let _ = write!(said, "\n  - and {} more", each.len() - LIST);
            }
        }
        Value::Said(text) => {
            let _ = write!(said, " {text}");
        }
        Value::Quoted(text) => {
            let _ = write!(said, " {}", span(&shortened(&shown(text), MESSAGE)));
        }
        Value::Text(text) => {
            let lines = words::lines(text);
            let _ = write!(said, "\n  {}", fenced("text", &lines[lines.len().saturating_sub(TEXT)..]));
        }
        Value::Command(argv) => {
            let _ = write!(said, "\n  {}", fenced("console", &[command(argv)]));
        }
    }
    match (&row.value, row.detail.as_str()) {
        (_, "") => {}
        (Value::Command(_), detail) => {
            let _ = write!(said, "\n\n  {}", span(detail));
        }
        (_, detail) => {
            let _ = write!(said, " ({detail})");
        }
    }
    said
}

fn id(id: &str) -> String {
    span(&shortened(&shown(id), ID))
}

/// The longest run of backticks.
fn backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A code span: its fence is longer than any run of backticks in it.
fn span(text: &str) -> String {
    let text = shown(text);
    let fence = "`".repeat(backticks(&text) + 1);
    // One space on both sides is taken off again, so it is added where taking it off would change the text.
    let blank = text.starts_with([' ', '`']) || text.ends_with([' ', '`']) || text.is_empty();
    let pad = if blank { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A block of code within a list item.
fn fenced(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| backticks(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n  {}\n  {fence}", lines.join("\n  "))
}
