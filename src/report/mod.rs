//! Renderers of the journal: the same findings give the same bytes, whatever the clock or the machine says.
//!
//! [`Findings`] is everything a report is made of. [`model::Report`] says it in the words of the contract
//! `flakehunt.report/1`; each format is one file with one [`Renderer`].

pub mod github;
pub mod html;
pub mod human;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod markdown;
pub mod model;
pub mod reproduce;
pub mod text;

mod build;
mod interval;
mod repeats;
mod rerun;
mod words;

use std::io::{self, Write};

use crate::core::hunt::Repeats;
use crate::core::hunt::repeat::Repeated;
use crate::core::order::OrderName;
use crate::core::run::{RunRecord, RunSpec};
use crate::core::test_id::Suite;
use crate::core::verdict::{Cluster, Verdict};
use crate::session::event::{EndReason, Header};

pub use self::rerun::Reruns;

/// What a hunt found, borrowed from whoever replayed its journal.
#[derive(Clone, Copy, Debug)]
pub struct Findings<'a> {
    /// Who asked for what, where.
    pub header: &'a Header,
    /// What was collected.
    pub suite: &'a Suite,
    /// Questions with their answers, in the order of the answers.
    pub runs: &'a [(RunSpec, RunRecord)],
    /// What is said of every test that is not healthy.
    pub verdicts: &'a [Verdict],
    /// Findings with one cause.
    pub clusters: &'a [Cluster],
    /// What the tried orders could have shown.
    pub coverage: Coverage,
    /// What was repeated, and what came of it; `None` where the command was another one.
    pub repeating: Option<Repeating<'a>>,
    /// How many questions were asked, answered or not.
    pub asked: u32,
    /// How many processes were started.
    pub processes: u32,
    /// Time spent in all sittings of the session, in milliseconds.
    pub wall_ms: u64,
    /// What was said once: a stable word and a sentence.
    pub notices: &'a [(String, String)],
    /// Why the hunt ended.
    pub end: EndReason,
    /// The session's folder as a person would type it.
    pub session_dir_display: &'a str,
}

/// What the tried orders could have shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Share of ordered pairs (one test somewhere before another) that were run.
    pub pairs: f64,
    /// Share of ordered pairs that were run with nothing between them.
    pub adjacent_pairs: f64,
    /// The shares were counted; otherwise they were estimated from a sample of pairs.
    pub exact: bool,
    /// How many orders were tried.
    pub orders: u32,
    /// A test that fails in this share of orders, or more, would have been seen to fail with a probability of 95 %.
    pub seen95: Option<f64>,
}

/// What was repeated.
#[derive(Clone, Copy, Debug)]
pub struct Repeating<'a> {
    /// What was asked for.
    pub plan: &'a Repeats,
    /// The order at whose place tests were run.
    pub order: Option<&'a OrderName>,
    /// What came of it, by test.
    pub results: &'a [Repeated],
}

/// Writes findings in one format.
pub trait Renderer {
    /// Writes the whole report. Errors are those of `out`.
    fn render(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()>;
}

/// The formats of `--report`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// For people, in a terminal.
    Human,
    /// The contract `flakehunt.report/1`, one object.
    Json,
    /// The same, one event a line.
    Jsonl,
    /// For CI dashboards: one test case a finding.
    Junit,
    /// For a comment on a pull request.
    Markdown,
    /// Workflow commands of GitHub Actions: annotations on lines.
    Github,
    /// One file for a browser.
    Html,
}

/// How a report may look; only [`Format::Human`] asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Colours may be used.
    pub color: bool,
    /// Long lists are shown to their end.
    pub all: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 80, color: false, all: false }
    }
}

impl Format {
    /// What writes this format.
    pub fn renderer(self, look: Look) -> Box<dyn Renderer> {
        match self {
            Self::Human => Box::new(human::Human(look)),
            Self::Json => Box::new(json::Json),
            Self::Jsonl => Box::new(jsonl::Jsonl),
            Self::Junit => Box::new(junit::Junit),
            Self::Markdown => Box::new(markdown::Markdown),
            Self::Github => Box::new(github::Github),
            Self::Html => Box::new(html::Html),
        }
    }
}
