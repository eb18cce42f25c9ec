//! `flakehunt report`: what a session found, in any format, from its journal alone.

use std::sync::Arc;

use super::Context;
use super::findings::Gathered;
use super::hunt::{KILLED, write_reports};
use super::orders::find_session;
use crate::cli::Report;
use crate::core::hunt::Hunt;
use crate::error::{ExitCode, Failure};
use crate::pytest::suite_file;
use crate::session::drive::replay;
use crate::session::journal;
use crate::session::resume::History;
use crate::session::saved::SavedPlan;

pub(super) fn run(context: &Context, report: &Report) -> Result<ExitCode, Failure> {
    let reports = report.reports.resolved()?;
    let session = find_session(context, report.session.as_deref())?;
    let read = journal::read(&session.journal())?;
    let history = History::of(&read)?;
    let plan: SavedPlan = serde_json::from_value(history.header.plan.clone()).map_err(|_| {
        Failure::output("the session was written by another version of flakehunt")
            .hint(format!("its last report is {}", session.report().display()))
    })?;
    let suite =
        Arc::new(suite_file::read(&session.suite()).map_err(|error| Failure::output(error.to_string()))?);
    let mut hunt = Hunt::new(suite.clone(), plan.plan(&suite));
    replay(&mut hunt, &read.events)?;
    let end = history.ended.unwrap_or(KILLED);
    let gathered = Gathered::of(
        &session,
        &context.surroundings.current_dir,
        history.header,
        &suite,
        &hunt,
        end,
        history.wall_ms,
    )?;
    write_reports(context, &gathered, &reports, false)?;
    Ok(ExitCode::Clean)
}
