//! `json`: the contract, one object, ended by a newline.

use std::io::{self, Write};

use super::model::Report;
use super::{Findings, Renderer};

/// Writes [`Report`] as indented JSON.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Renderer for Json {
    fn render(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &Report::of(findings))?;
        out.write_all(b"\n")
    }
}
