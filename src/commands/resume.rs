//! `flakehunt resume`: goes on where a journal ends.

use super::Context;
use super::hunt::{Continued, go_on};
use super::orders::find_session;
use super::setup::{Place, Selection, find_interpreter, may_fork, prepare};
use super::signals::listen;
use crate::cli::Resume;
use crate::error::{ExitCode, Failure};
use crate::pytest::suite_file;
use crate::session::journal::Journal;
use crate::session::resume::History;
use crate::session::saved::{SavedGoal, SavedPlan};

pub(super) async fn run(context: &Context, resume: &Resume) -> Result<ExitCode, Failure> {
    let reports = resume.output.reports.resolved()?;
    let signals = listen()?;
    let session = find_session(context, resume.session.as_deref())?;
    let lock = session.lock()?;
    let (journal, read) = Journal::open_append(&session.journal())?;
    let history = History::of(&read)?;
    let environment = history.header.environment.clone();
    let plan: SavedPlan = serde_json::from_value(history.header.plan.clone()).map_err(|_| {
        Failure::output("the session was written by another version of flakehunt")
            .hint("start anew: `flakehunt shuffle`")
    })?;
    let interpreter = find_interpreter(context).await?;
    let selection = Selection {
        targets: &environment.selection,
        pytest_args: environment.pytest_args.clone(),
        session_seed: environment.session_seed,
        forks: plan.forks && may_fork(context),
        twice: !matches!(plan.goal, SavedGoal::Repeat { .. }),
    };
    let suite = suite_file::read(&session.suite()).map_err(|error| Failure::output(error.to_string()))?;
    let place = Place { session, lock };
    let mut ready = prepare(context, place, interpreter, selection, true, &signals).await?;
    let now = &ready.workshop.suite;
    let digest = if now.same_but_for_parameters(&suite) { suite.digest() } else { now.digest() };
    history.check_same(&ready.environment, digest)?;
    // The journal speaks of the tests as they were collected first.
    ready.workshop.suite = std::sync::Arc::new(suite);
    ready.workshop.invocation.hash_seed = environment.hash_seed;
    ready.jobs = plan.jobs;
    let continued = Continued {
        journal,
        header: history.header,
        events: read.events,
        said: history.notices,
        wall_ms: history.wall_ms,
    };
    go_on(context, ready, plan, continued, &reports, &signals).await
}
