//! What a replay shows: which tests failed this time, one order, no verdicts.

use std::io::{self, Write};

use super::Human;
use crate::report::Findings;
use crate::report::text::{counted, duration, shortened, shown};

/// As much of a message as fits beside its test.
const MESSAGE: usize = 200;

impl Human {
    /// The runs of a replay, one block each.
    pub(super) fn replayed(&self, findings: &Findings<'_>, out: &mut dyn Write) -> io::Result<()> {
        for (spec, record) in findings.runs {
            writeln!(out)?;
            let took = duration(record.cost.wall_ms);
            let tests = counted(spec.order.len() as u64, "test");
            let said = match (&record.invalid, record.failures.len()) {
                (Some(why), _) => format!("{}: no evidence, {}", spec.name, shown(why)),
                (None, 0) => format!("{}: all of {tests} passed, in {took}", spec.name),
                (None, failed) => format!("{}: {failed} of {tests} failed, in {took}", spec.name),
            };
            self.labelled(out, "replayed", &said)?;
            for failure in &record.failures {
                let test = spec.order[failure.at as usize];
                self.labelled(out, "failed", &shown(findings.suite.node_id(test)))?;
                let place = format!("test {} of the order", failure.at + 1);
                let message = shortened(&failure.message, MESSAGE).into_owned();
                self.labelled(out, "", &format!("{place}: {}", shown(&message)))?;
            }
        }
        let folder = shown(findings.session_dir_display);
        self.labelled(out, "reports", &format!("{folder}/runs/: JUnit, output and stream of each run"))
    }
}
