//! `flakehunt shuffle`.

use super::Context;
use super::hunt::{Begin, hunt};
use super::orders::levels;
use super::setup::{Selection, find_interpreter, may_fork, new_session, prepare, pytest_args};
use super::signals::listen;
use crate::cli::Shuffle;
use crate::core::order::{OrderName, Plan as OrderPlan, Seed};
use crate::error::{ExitCode, Failure};
use crate::session::saved::{SavedGoal, SavedOrder};
use crate::session::store::entropy;

/// Seeds that nobody chose stay this small: a person may have to type one.
const TYPEABLE: u64 = 1_000_000;

pub(super) async fn run(context: &Context, shuffle: &Shuffle) -> Result<ExitCode, Failure> {
    let reports = shuffle.run.output.reports.resolved()?;
    let signals = listen()?;
    let interpreter = find_interpreter(context).await?;
    let start = shuffle.plan.seed_start.unwrap_or_else(|| Seed(entropy() % TYPEABLE));
    let session_seed = shuffle.plan.seed.first().copied().unwrap_or(start).0;
    let place = new_session(context)?;
    let selection = Selection {
        targets: &shuffle.targets,
        pytest_args: pytest_args(context, Some(&shuffle.run)),
        session_seed,
        forks: may_fork(context),
        twice: true,
    };
    let ready = prepare(context, place, interpreter, selection, false, &signals).await?;
    let names: Vec<OrderName> = if shuffle.plan.seed.is_empty() {
        // The collection order is the baseline.
        OrderPlan::new(start, context.settings.seeds.value.0.get(), levels(context)).skip(1).collect()
    } else {
        OrderPlan::of(shuffle.plan.seed.clone(), levels(context)).collect()
    };
    let goal = SavedGoal::Shuffle {
        orders: names.into_iter().map(SavedOrder::named).collect(),
        bisect: !shuffle.no_bisect,
    };
    let begin = Begin { command: "shuffle", goal, dry_run: shuffle.run.output.dry_run };
    hunt(context, ready, begin, &reports, &signals).await
}
