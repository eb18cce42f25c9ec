//! `flakehunt repeat`.

use super::Context;
use super::hunt::{Begin, hunt};
use super::orders::{earlier, from_file, of_seed, translate};
use super::setup::{Selection, find_interpreter, may_fork, new_session, prepare, pytest_args};
use super::signals::listen;
use super::targets;
use crate::cli::Repeat;
use crate::cli::choices::Vary as What;
use crate::cli::values::OrderSource;
use crate::core::hunt::{Repeats, Vary};
use crate::core::stats::passes_needed;
use crate::core::test_id::{Suite, TestIdx};
use crate::error::{ExitCode, Failure};
use crate::session::saved::{SavedGoal, SavedOrder};
use crate::session::store::entropy;

/// How often a test is run where nobody says.
const COUNT: u32 = 100;
/// A rate near the limit is never known to be on one side of it: the end comes after so many times the runs that a test
/// takes that never fails.
const PATIENCE: u32 = 10;

/// Why nothing is forked although it would be safe.
const DRAWN: &str = "repeats start fresh processes instead of forking: modules draw random numbers when they are imported, \
                     and forked children would all share them";

pub(super) async fn run(context: &Context, repeat: &Repeat) -> Result<ExitCode, Failure> {
    let reports = repeat.run.output.reports.resolved()?;
    let (count, max_rate) = counts(repeat)?;
    let signals = listen()?;
    let interpreter = find_interpreter(context).await?;
    let mut args = pytest_args(context, Some(&repeat.run));
    // At its place in an order a test needs the rest of the suite.
    let mut selection = if repeat.in_order.is_some() { Vec::new() } else { targets::files(&repeat.targets) };
    let earlier = match &repeat.in_order {
        Some(OrderSource::Run(name)) => Some(earlier(context, name)?),
        _ => None,
    };
    if let Some(earlier) = earlier.as_ref().filter(|_| args.is_empty()) {
        args.clone_from(&earlier.history.header.environment.pytest_args);
        selection.clone_from(&earlier.history.header.environment.selection);
    }
    let varies = |what: What| repeat.vary.contains(&what);
    let session_seed = entropy() % 1_000_000;
    let place = new_session(context)?;
    let selection = Selection {
        targets: &selection,
        pytest_args: args,
        session_seed,
        // A hash seed is chosen when a process starts.
        forks: may_fork(context) && !varies(What::Hashseed),
        // Whether ids differ from one collection to the next is seen by the processes that collect for a repeat.
        twice: false,
    };
    let mut ready = prepare(context, place, interpreter, selection, false, &signals).await?;
    if let Some(server) = ready.server.take_if(|server| server.serving().drawn) {
        server.close().await;
        ready.environment.executor = "spawn".to_owned();
        ready.notices.push(("fork".to_owned(), DRAWN.to_owned()));
    }
    let suite = ready.workshop.suite.clone();
    let tests = targets::tests(&suite, context, &ready.environment.rootdir, &repeat.targets)?;
    let order = match (&repeat.in_order, &earlier) {
        (None, _) => None,
        (Some(OrderSource::Seed(seed)), _) => Some(of_seed(context, *seed)),
        (Some(OrderSource::File(path)), _) => Some(from_file(&suite, &context.directory, path)?),
        (Some(OrderSource::Run(_)), Some(earlier)) => {
            let order = translate(&earlier.spec.order, &earlier.suite, &suite)?;
            Some(SavedOrder { name: earlier.spec.name.clone(), order: Some(order) })
        }
        (Some(OrderSource::Run(_)), None) => return Err(Failure::internal("a run without its session")),
    };
    check_order(&suite, order.as_ref(), &tests)?;
    let repeats = Repeats {
        tests,
        count,
        max_fail: if repeat.exit_first { Some(1) } else { repeat.max_fail.map(|most| most.0.get()) },
        confidence: repeat.confidence.0 / 100.0,
        max_rate,
        in_process: repeat.in_process,
        fresh_fixtures: repeat.fresh_fixtures,
        vary: Vary { seed: varies(What::Seed) || repeat.vary.is_empty(), hash_seed: varies(What::Hashseed) },
        load: repeat.with_load.map_or(0, |processors| processors.0.get()),
    };
    let begin = Begin {
        command: "repeat",
        goal: SavedGoal::Repeat { repeats, order },
        dry_run: repeat.run.output.dry_run,
    };
    hunt(context, ready, begin, &reports, &signals).await
}

/// How often a test is run at most, and the limit of its rate as a share.
fn counts(repeat: &Repeat) -> Result<(u32, Option<f64>), Failure> {
    let typed = repeat.count.map(|count| count.0.get());
    let Some(percent) = repeat.max_rate else { return Ok((typed.unwrap_or(COUNT), None)) };
    let limit = percent.0 / 100.0;
    let needed = passes_needed(limit, repeat.confidence.0 / 100.0).ok_or_else(|| {
        Failure::usage(format!("a rate of {} % is too low to be shown by running tests", percent.0))
            .hint("try a higher one: `--max-rate 0.1%`")
    })?;
    if let Some(count) = typed.filter(|count| *count < needed) {
        return Err(Failure::usage(format!(
            "{count} repeats cannot show a rate below {} %: that takes {needed} without a failure",
            percent.0
        ))
        .hint(format!("allow as many: `--count {needed}`, or leave `--count` out")));
    }
    Ok((typed.unwrap_or(needed.saturating_mul(PATIENCE)), Some(limit)))
}

/// Each test must be in the order at whose place it is to be run.
fn check_order(suite: &Suite, order: Option<&SavedOrder>, tests: &[TestIdx]) -> Result<(), Failure> {
    let Some(order) = order.and_then(|order| order.order.as_ref()) else { return Ok(()) };
    match tests.iter().find(|test| !order.contains(test)) {
        None => Ok(()),
        Some(test) => Err(Failure::usage(format!("{} is not in that order", suite.node_id(*test)))
            .hint("name an order in which the test ran")),
    }
}
