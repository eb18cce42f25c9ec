//! `flakehunt rerun`.

use super::Context;
use super::hunt::{Begin, hunt};
use super::setup::{Selection, find_interpreter, new_session, prepare, pytest_args};
use super::signals::listen;
use crate::cli::Rerun;
use crate::core::pattern::Pattern;
use crate::core::rerun::{Rerun as Goal, Waits};
use crate::error::{ExitCode, Failure};
use crate::session::saved::SavedGoal;
use crate::session::store::entropy;

pub(super) async fn run(context: &Context, rerun: &Rerun) -> Result<ExitCode, Failure> {
    let reports = rerun.run.output.reports.resolved()?;
    let goal = Goal {
        reruns: rerun.reruns.0.get(),
        waits: rerun.reruns_delay.as_ref().map_or_else(Waits::default, |delay| delay.0.clone()),
        only: patterns("--only-rerun", &rerun.only_rerun)?,
        except: patterns("--rerun-except", &rerun.rerun_except)?,
        most: rerun.max_rerun_tests.map(|most| most.0.get()),
        fail_on_flaky: rerun.fail_on_flaky,
    };
    let signals = listen()?;
    let interpreter = find_interpreter(context).await?;
    let place = new_session(context)?;
    // What a process of its own says needs no proof, and nothing beside it disturbs it.
    let selection = Selection {
        targets: &rerun.targets,
        pytest_args: pytest_args(context, Some(&rerun.run)),
        session_seed: entropy() % 1_000_000,
        forks: false,
        twice: true,
    };
    let mut ready = prepare(context, place, interpreter, selection, false, &signals).await?;
    ready.jobs = 1;
    ready.environment.jobs = 1;
    let begin = Begin { command: "rerun", goal: SavedGoal::Rerun(goal), dry_run: rerun.run.output.dry_run };
    hunt(context, ready, begin, &reports, &signals).await
}

/// What was typed as patterns.
fn patterns(option: &str, typed: &[String]) -> Result<Vec<Pattern>, Failure> {
    let pattern = |text: &String| {
        text.parse().map_err(|why| {
            Failure::usage(format!("`{option} {text}` is no regular expression: {why}")).hint(format!(
                "to look for just this text: `{option} {}`",
                shell_words::quote(&regex::escape(text))
            ))
        })
    };
    typed.iter().map(pattern).collect()
}
