//! `jsonl`: the contract cut into lines, for programs that read as they go.
//!
//! Every line is an object with `event`: `session` (first), `suite`, then one `test` a finding, one `repeat` a repeated test,
//! one `cluster` a common cause, one `notice`, and `end` (last; without it the file is not whole). The other fields are those of
//! `flakehunt.report/1`: of its top level in `session` and `end`, of the element in all other lines.

use std::io::{self, Write};

use serde::Serialize;

use super::model::{self, Report};
use super::{Findings, Renderer};

/// Writes [`Report`] line by line.
#[derive(Clone, Copy, Debug)]
pub struct Jsonl;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    Session {
        schema: &'a str,
        flakehunt: &'a str,
        command: &'a str,
        session: &'a str,
        session_dir: &'a str,
        began: &'a str,
        environment: &'a model::Environment,
    },
    Suite(&'a model::Suite),
    Test(&'a model::Test),
    Repeat(&'a model::Repeat),
    Cluster(&'a model::Cluster),
    Notice(&'a model::Notice),
    End {
        end: model::End,
        runs: &'a model::Runs,
        coverage: &'a model::Coverage,
        #[serde(skip_serializing_if = "Option::is_none")]
        rerun: Option<&'a model::Rerun>,
    },
}

impl Renderer for Jsonl {
    fn render(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        let report = Report::of(findings);
        let mut write = |line: Line<'_>| -> io::Result<()> {
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")
        };
        write(Line::Session {
            schema: &report.schema,
            flakehunt: &report.flakehunt,
            command: &report.command,
            session: &report.session,
            session_dir: &report.session_dir,
            began: &report.began,
            environment: &report.environment,
        })?;
        write(Line::Suite(&report.suite))?;
        report.tests.iter().try_for_each(|test| write(Line::Test(test)))?;
        report.repeats.iter().try_for_each(|repeat| write(Line::Repeat(repeat)))?;
        report.clusters.iter().try_for_each(|cluster| write(Line::Cluster(cluster)))?;
        report.notices.iter().try_for_each(|notice| write(Line::Notice(notice)))?;
        let Report { end, runs, coverage, rerun, .. } = &report;
        write(Line::End { end: *end, runs, coverage, rerun: rerun.as_ref() })
    }
}
