//! `flakehunt replay`: one order again, as it was.

use super::Context;
use super::hunt::{Begin, hunt};
use super::orders::{Earlier, at_level, earlier, given, translate};
use super::setup::{Selection, find_interpreter, new_session, prepare};
use super::signals::listen;
use crate::cli::Replay;
use crate::cli::values::ReplayTarget;
use crate::core::order::Level;
use crate::error::{ExitCode, Failure};
use crate::session::saved::{SavedGoal, SavedOrder};

pub(super) async fn run(context: &Context, replay: &Replay) -> Result<ExitCode, Failure> {
    let reports = replay.run.output.reports.resolved()?;
    let signals = listen()?;
    let interpreter = find_interpreter(context).await?;
    let (earlier, session_seed) = match &replay.target {
        ReplayTarget::Seed(seed) => (None, seed.0),
        ReplayTarget::Run(name) => {
            let earlier = earlier(context, name)?;
            let seed = earlier.history.header.environment.session_seed;
            (Some(earlier), seed)
        }
    };
    let (targets, args) = given(context, earlier.as_ref(), &replay.run);
    let place = new_session(context)?;
    // One order is not worth a server, and a process of its own needs no proof.
    let selection =
        Selection { targets: &targets, pytest_args: args, session_seed, forks: false, twice: true };
    let ready = prepare(context, place, interpreter, selection, false, &signals).await?;
    let order = match (&replay.target, &earlier) {
        (ReplayTarget::Seed(seed), _) => {
            at_level(*seed, context.settings.level.value.level().unwrap_or(Level::Test))
        }
        (ReplayTarget::Run(_), Some(earlier)) => {
            let order = translate(&earlier.spec.order, &earlier.suite, &ready.workshop.suite)?;
            SavedOrder { name: earlier.spec.name.clone(), order: Some(order) }
        }
        (ReplayTarget::Run(_), None) => return Err(Failure::internal("a run without its session")),
    };
    let like = earlier.as_ref().map(Earlier::like).unwrap_or_default();
    let goal = SavedGoal::Orders { orders: vec![order], like };
    let begin = Begin { command: "replay", goal, dry_run: replay.run.output.dry_run };
    hunt(context, ready, begin, &reports, &signals).await
}
