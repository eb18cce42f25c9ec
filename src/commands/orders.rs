//! Orders that a person names: seeds, runs of earlier sessions, files.

use std::path::Path;

use fs_err as fs;

use super::Context;
use super::setup::pytest_args;
use crate::cli::RunOptions;
use crate::cli::values::RunName;
use crate::core::hunt::Like;
use crate::core::order::{Level, Levels, OrderName, Seed};
use crate::core::run::{RunId, RunSpec};
use crate::core::test_id::{Suite, TestIdx};
use crate::error::Failure;
use crate::pytest::executor::random_seed;
use crate::pytest::suite_file;
use crate::session::journal;
use crate::session::resume::History;
use crate::session::saved::SavedOrder;
use crate::session::session_dir::SessionDir;
use crate::session::store::Store;

/// The level that was chosen.
pub(super) fn levels(context: &Context) -> Levels {
    context.settings.level.value.level().map_or(Levels::Mixed, Levels::All)
}

/// The order of a seed, at the level that was chosen.
pub(super) fn of_seed(context: &Context, seed: Seed) -> SavedOrder {
    SavedOrder::named(levels(context).name(seed))
}

/// The order of a seed at one level.
pub(super) fn at_level(seed: Seed, level: Level) -> SavedOrder {
    SavedOrder::named(OrderName::Seed { seed, level })
}

/// The test with this node id, or an error that names the most similar ones.
pub(super) fn find_test(suite: &Suite, context: &Context, typed: &str) -> Result<TestIdx, Failure> {
    if let Some(test) = suite.find_node_id(typed) {
        return Ok(test);
    }
    // Typed in a subdirectory, where node ids begin at the root directory.
    let in_root = suite.tests().iter().position(|test| test.id.node_id.ends_with(&format!("/{typed}")));
    if let Some(position) = in_root.filter(|_| typed.contains("::")) {
        return Ok(TestIdx(position as u32));
    }
    let mut near: Vec<(f64, &str)> = suite
        .tests()
        .iter()
        .map(|test| test.id.node_id.as_str())
        .map(|id| {
            let last = |id: &str| id.rsplit("::").next().unwrap_or(id).to_owned();
            let likeness = strsim::normalized_damerau_levenshtein(typed, id)
                .max(strsim::normalized_damerau_levenshtein(&last(typed), &last(id)) * 0.9);
            (likeness, id)
        })
        .filter(|(likeness, _)| *likeness > 0.5)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let mut failure = Failure::usage(format!("there is no test `{typed}`"));
    for (_, id) in near.into_iter().take(3) {
        failure = failure.hint(format!("did you mean `{}`?", shell_words::quote(id)));
    }
    if failure.hints.is_empty() {
        let all = context.settings.pytest_args.value.0.is_empty();
        let args = if all { "" } else { " (with the pytest arguments in force)" };
        failure = failure.hint(format!("see all ids{args}: `python -m pytest --collect-only -q`"));
    }
    Err(failure)
}

const LINES: &str = "an order is one node id a line, as `python -m pytest --collect-only -q` prints them";

/// The order in a file: one node id a line, or a JSON array of them.
pub(super) fn from_file(suite: &Suite, directory: &Path, path: &Path) -> Result<SavedOrder, Failure> {
    let text = fs::read_to_string(directory.join(path))
        .map_err(|error| Failure::usage(format!("the order cannot be read: {error}")).hint(LINES))?;
    let ids: Vec<String> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(|error| {
            Failure::usage(format!("{} is no JSON array of node ids: {error}", path.display())).hint(LINES)
        })?
    } else {
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let mut order = Vec::new();
    let mut unknown = Vec::new();
    for id in ids {
        match suite.find_node_id(&id) {
            Some(test) => order.push(test),
            None => unknown.push(id),
        }
    }
    if let Some(first) = unknown.first() {
        return Err(Failure::usage(format!(
            "{} of the node ids in {} are not in the suite, the first is `{first}`",
            unknown.len(),
            path.display()
        ))
        .hint(LINES));
    }
    Ok(SavedOrder { name: OrderName::Given(path.display().to_string()), order: Some(order) })
}

/// A run of an earlier session: its question, and the suite it was about.
pub(super) struct Earlier {
    pub run: RunId,
    pub spec: RunSpec,
    pub suite: Suite,
    pub history: History,
}

impl Earlier {
    /// What makes another run like it: the seeds that it drew, and how it was run.
    pub fn like(&self) -> Like {
        let environment = &self.history.header.environment;
        let drawn = || random_seed(environment.session_seed, self.run);
        Like {
            random_seed: Some(self.spec.random_seed.unwrap_or_else(drawn)),
            hash_seed: Some(self.spec.hash_seed.unwrap_or(environment.hash_seed)),
            manner: self.spec.manner,
        }
    }
}

/// What pytest is given, paths and ids first: what it was given for the earlier run, since whatever was collected then may
/// have had its part, unless arguments were typed.
pub(super) fn given(
    context: &Context,
    earlier: Option<&Earlier>,
    run: &RunOptions,
) -> (Vec<String>, Vec<String>) {
    match earlier {
        Some(earlier) if run.pytest_args.is_empty() => {
            let environment = &earlier.history.header.environment;
            (environment.selection.clone(), environment.pytest_args.clone())
        }
        _ => (Vec::new(), pytest_args(context, Some(run))),
    }
}

/// Finds a run of an earlier session.
pub(super) fn earlier(context: &Context, name: &RunName) -> Result<Earlier, Failure> {
    let session = find_session(context, name.session.as_deref())?;
    let read = journal::read(&session.journal())?;
    let history = History::of(&read)?;
    let suite = suite_file::read(&session.suite()).map_err(|error| Failure::output(error.to_string()))?;
    let found = history.runs.iter().find(|(run, _, _)| *run == name.run).map(|(_, spec, _)| spec.clone());
    match found {
        Some(spec) if spec.order.is_empty() => {
            let lines = spec.fan.as_deref().map_or(0, <[_]>::len);
            Err(Failure::usage(format!(
                "run {} has no order: copies of one process tried {lines} tests in it, each for itself",
                name.run.0
            ))
            .hint(format!("the runs that count are in `flakehunt report {} --report json`", session.name())))
        }
        Some(spec) => Ok(Earlier { run: name.run, spec, suite, history }),
        None => Err(Failure::usage(format!("session {} has no run {}", session.name(), name.run.0))
            .hint(format!("its runs are 0 to {}", history.next_run().0.saturating_sub(1)))),
    }
}

/// A session by the beginning of its name, or the latest.
pub(super) fn find_session(context: &Context, typed: Option<&str>) -> Result<SessionDir, Failure> {
    let none =
        || Failure::usage("there is no session in this directory").hint("start one: `flakehunt shuffle`");
    let store = Store::find_in(context.store_directory())?.ok_or_else(none)?;
    match typed {
        Some(typed) => store.find(typed),
        None => store.latest()?.ok_or_else(none),
    }
}

/// An order of an earlier suite in terms of this one; tests that are gone are an error.
pub(super) fn translate(order: &[TestIdx], from: &Suite, to: &Suite) -> Result<Vec<TestIdx>, Failure> {
    if from.digest() == to.digest() {
        return Ok(order.to_vec());
    }
    order
        .iter()
        .map(|test| {
            let id = &from.test(*test).id;
            to.find(id).ok_or_else(|| {
                Failure::usage(format!("the test {id} of that run is not collected any more"))
                    .hint("name the same paths and pytest arguments as then")
            })
        })
        .collect()
}
