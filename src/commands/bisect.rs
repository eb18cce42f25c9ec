//! `flakehunt bisect`.

use super::Context;
use super::hunt::{Begin, hunt};
use super::orders::{Earlier, earlier, find_test, from_file, given, levels, of_seed, translate};
use super::setup::{Ready, Selection, find_interpreter, may_fork, new_session, prepare};
use super::signals::listen;
use crate::cli::Bisect;
use crate::core::order::{OrderName, Plan as OrderPlan, Seed};
use crate::core::test_id::{Suite, TestIdx};
use crate::error::{ExitCode, Failure};
use crate::pytest::junit::{ids, read_file};
use crate::session::saved::{SavedGoal, SavedOrder};
use crate::session::store::entropy;

const JUNIT: &str = "name the file that `pytest --junitxml=FILE` wrote where the test failed";

pub(super) async fn run(context: &Context, bisect: &Bisect) -> Result<ExitCode, Failure> {
    let reports = bisect.run.output.reports.resolved()?;
    let signals = listen()?;
    let interpreter = find_interpreter(context).await?;
    let session_seed = bisect.order.seed.map_or_else(|| entropy() % 1_000_000, |seed| seed.0);
    let earlier = bisect.order.earlier_run.as_ref().map(|run| earlier(context, run)).transpose()?;
    let (targets, args) = given(context, earlier.as_ref(), &bisect.run);
    let place = new_session(context)?;
    let selection = Selection {
        targets: &targets,
        pytest_args: args,
        session_seed,
        forks: may_fork(context),
        twice: true,
    };
    let mut ready = prepare(context, place, interpreter, selection, false, &signals).await?;
    let suite = ready.workshop.suite.clone();
    let test = find_test(&suite, context, &bisect.target)?;
    let orders = orders(context, bisect, &suite, test, session_seed, earlier, &mut ready)?;
    let begin = Begin {
        command: "bisect",
        goal: SavedGoal::Bisect { test, orders, first: bisect.first },
        dry_run: bisect.run.output.dry_run,
    };
    hunt(context, ready, begin, &reports, &signals).await
}

/// The order that was named, or orders to look for one in.
fn orders(
    context: &Context,
    bisect: &Bisect,
    suite: &Suite,
    test: TestIdx,
    start: u64,
    earlier: Option<Earlier>,
    ready: &mut Ready,
) -> Result<Vec<SavedOrder>, Failure> {
    let named = if let Some(seed) = bisect.order.seed {
        of_seed(context, seed)
    } else if let Some(path) = &bisect.order.order {
        from_file(suite, &context.directory, path)?
    } else if let Some(path) = &bisect.order.junit {
        let report = read_file(&context.directory.join(path))
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())).hint(JUNIT))?;
        let joined = ids::join(suite, &report);
        let mut say = |n: usize, what: &str| {
            if n > 0 {
                ready.notices.push(("junit".into(), format!("{n} cases of {} {what}", path.display())));
            }
        };
        say(joined.unknown.len(), "are no test that is collected here; they are left out");
        say(joined.ambiguous.len(), "could be more than one test; they are left out");
        // Of a test that ran in several processes, or again, the first time counts.
        let mut order: Vec<TestIdx> = Vec::new();
        for ran in &joined.ran {
            if !order.contains(&ran.test) {
                order.push(ran.test);
            }
        }
        SavedOrder { name: OrderName::Given(path.display().to_string()), order: Some(order) }
    } else if let Some(earlier) = earlier {
        let order = translate(&earlier.spec.order, &earlier.suite, suite)?;
        SavedOrder { name: earlier.spec.name, order: Some(order) }
    } else {
        let seeds = context.settings.seeds.value.0.get();
        return Ok(OrderPlan::new(Seed(start), seeds, levels(context)).map(SavedOrder::named).collect());
    };
    let holds = named.order.as_ref().is_none_or(|order| order.contains(&test));
    if !holds {
        return Err(Failure::usage(format!("{} is not in that order", suite.node_id(test)))
            .hint("name an order in which the test ran"));
    }
    Ok(vec![named])
}
