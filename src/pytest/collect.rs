//! What the suite consists of: asked of pytest twice, since ids may differ from one collection to the next.

use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use futures_util::future::join;

use super::invocation::{Files, Invocation, Mode};
use super::server::{Home, Server, Started};
use super::spawn::unstable_ids;
use super::stream::{Digest, Hello, Tail, Told};
use super::suite_file;
use crate::core::run::ProcessEnd;
use crate::core::test_id::{Suite, TestId};
use crate::error::{ExitCode, Failure};
use crate::process::{self, CancelSignal, Limits};

/// A collection may take this long; 50,000 tests take seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(900);
/// How much of pytest's output is shown with an error, in lines.
const TAIL_LINES: usize = 25;
/// How many files that cannot be collected are shown with their reason.
const SHOWN_ERRORS: usize = 10;

/// What was collected, and by whom.
#[derive(Debug)]
pub struct Collected {
    /// The tests.
    pub suite: Suite,
    /// Who collected.
    pub hello: Hello,
    /// What a person should know: about what, and the sentence.
    pub notices: Vec<(String, String)>,
    /// The process that collected first, where it may answer questions by forking.
    pub server: Option<Server>,
}

/// Collects in two processes side by side, under two hash seeds, or in one, where ids need not be compared. `home` is
/// where they leave their files; the suite file is the first one's. Where `forks` names a folder for a server's FIFO,
/// the first process stays as a server.
///
/// # Errors
/// Nothing was collected, something could not be, or pytest did not get that far.
pub async fn collect(
    invocation: &Invocation,
    home: &Path,
    suite_path: &Path,
    forks: Option<&Path>,
    twice: bool,
    cancel: CancelSignal,
) -> Result<Collected, Failure> {
    let other_path = home.join("suite-again.json");
    let other_seed = invocation.hash_seed ^ 1;
    let first = async {
        let home = home.join("collect");
        match forks {
            Some(scratch) => serve(invocation, &home, suite_path, scratch, cancel.clone()).await,
            None => {
                let told = one(invocation, &home, suite_path, invocation.hash_seed, cancel.clone()).await;
                told.map(|told| (told, None))
            }
        }
    };
    let again = home.join("collect-again");
    let other = async {
        if !twice {
            return None;
        }
        one(invocation, &again, &other_path, other_seed, cancel.clone()).await.ok()
    };
    let (first, other) = join(first, other).await;
    let (told, server) = first?;
    let mut tests =
        suite_file::read(suite_path).map_err(|error| Failure::internal(error.to_string()))?.tests().to_vec();
    let mut notices: Vec<(String, String)> = told
        .changed
        .iter()
        .map(|changed| ("plugin".to_owned(), format!("{}: {}", changed.plugin, changed.what)))
        .collect();
    // What the second collection lacks is no reason to stop: it is what the second one is for.
    if let Some(again) = other.and_then(|_| suite_file::read(&other_path).ok()) {
        let mut unstable: Vec<&str> = Vec::new();
        for test in &mut tests {
            if again.find(&test.id).is_none() {
                test.unstable = true;
                unstable.push(&test.id.node_id);
            }
        }
        if !unstable.is_empty() {
            mark_unstable(suite_path, &again)?;
        }
        if let Some(first) = unstable.first() {
            notices.push(("unstable-ids".to_owned(), unstable_ids(first)));
        }
    }
    let server = match server {
        Some(server) if !server.serving().against.is_empty() => {
            notices.push(("fork".to_owned(), refused_to_fork(&server.serving().against)));
            server.close().await;
            None
        }
        server => server,
    };
    if twice {
        // The second one was only for comparing.
        let _ = fs::remove_file(&other_path);
    }
    let hello = told.hello.unwrap_or_default();
    Ok(Collected { suite: Suite::new(tests), hello, notices, server })
}

/// Why nothing is forked, in one line, and what a person could do.
fn refused_to_fork(reasons: &[String]) -> String {
    let more = match reasons.len() {
        0 | 1 => String::new(),
        2 => " (and another such reason)".to_owned(),
        n => format!(" (and {} more such reasons)", n - 1),
    };
    let first = reasons.first().map(String::as_str).unwrap_or_default();
    format!(
        "runs start fresh processes instead of forking: {first}{more}. Where that happens in a fixture instead of at \
         import, flakehunt is faster"
    )
}

/// Collects in a process that stays.
async fn serve(
    invocation: &Invocation,
    home: &Path,
    suite: &Path,
    scratch: &Path,
    cancel: CancelSignal,
) -> Result<(Told, Option<Server>), Failure> {
    let home = Home { folder: home, suite, scratch };
    let Started { told, end, server } = Server::start(invocation, home, PATIENCE, cancel).await?;
    Ok((judge(invocation, told, end, &home.folder.join("output.log"))?, server))
}

/// Notes in the suite file which ids are not to be found in another collection.
fn mark_unstable(suite_path: &Path, again: &Suite) -> Result<(), Failure> {
    let unusable = |error: std::io::Error| Failure::io("note unstable ids in the suite file", &error);
    let text = fs::read(suite_path).map_err(unusable)?;
    let mut file: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| Failure::internal(error.to_string()))?;
    for test in file["tests"].as_array_mut().into_iter().flatten() {
        let id = TestId {
            node_id: test["id"].as_str().unwrap_or_default().to_owned(),
            occurrence: test["n"].as_u64().unwrap_or_default() as u32,
        };
        if again.find(&id).is_none() {
            test["unstable"] = true.into();
        }
    }
    fs::write(suite_path, file.to_string()).map_err(unusable)
}

async fn one(
    invocation: &Invocation,
    home: &Path,
    suite: &Path,
    hash_seed: u32,
    cancel: CancelSignal,
) -> Result<Told, Failure> {
    let unwritable = |error: std::io::Error| Failure::io("write the files of the collection", &error);
    fs::create_dir_all(home).map_err(unwritable)?;
    let (request, stream, output) =
        (home.join("request.json"), home.join("stream.jsonl"), home.join("output.log"));
    let files = Files { request: &request, stream: &stream, suite, output: &output, tmpdir: None };
    // What an earlier sitting left must not be taken for an answer.
    for left in [&stream, &output] {
        let _ = fs::remove_file(left);
    }
    let command = invocation.command(Mode::Collect, files, None, Some(hash_seed)).map_err(unwritable)?;
    let limits = Limits { test: None, run: Some(PATIENCE), linger: None, grace: Duration::from_secs(3) };
    let ended = process::supervise(command, limits, &mut (), cancel)
        .await
        .map_err(|error| Failure::environment(format!("pytest could not be started: {error}")))?;
    let mut digest = Digest::new(0);
    Tail::new(&stream)
        .poll(|event| digest.take(event))
        .map_err(|error| Failure::io("read the stream of the collection", &error))?;
    let told = digest.told();
    judge(invocation, told, ended.end, &output)
}

/// Whether a collection may be used.
fn judge(invocation: &Invocation, told: Told, end: ProcessEnd, output: &Path) -> Result<Told, Failure> {
    let tests = told.collected.as_ref().map(|collected| collected.tests);
    let goes_on = invocation.pytest_args.iter().any(|arg| arg == "--continue-on-collection-errors");
    if end == ProcessEnd::Cancelled {
        return Err(Failure::new(ExitCode::Interrupted, "interrupted while collecting"));
    }
    if end == ProcessEnd::TimedOut {
        return Err(Failure::environment(format!("collecting took more than {} s", PATIENCE.as_secs()))
            .detail(tail(output))
            .hint("see what it waits for: `python -m pytest --collect-only`"));
    }
    if !told.collect_errors.is_empty() && !goes_on {
        return Err(cannot_collect(invocation, &told));
    }
    match (told.end, tests) {
        (Some(5), _) | (Some(0 | 1), Some(0)) => {
            let deselected = told.collected.as_ref().map_or(0, |collected| collected.deselected);
            let failure = Failure::new(ExitCode::NothingCollected, "pytest collected no tests");
            Err(match deselected {
                0 => failure.hint("name the directory with the tests: `flakehunt shuffle tests`"),
                n => failure.hint(format!("-k, -m or --deselect left all {n} tests out")),
            })
        }
        (Some(0 | 1), Some(_)) => Ok(told),
        (Some(4), _) | (None, None) if end == ProcessEnd::Exited(4) => Err(refused(invocation, output)),
        _ => {
            let how = match end {
                ProcessEnd::Exited(code) => format!("exit code {code}"),
                ProcessEnd::Signalled(signal) => format!("signal {signal}"),
                ProcessEnd::TimedOut | ProcessEnd::Cancelled => "our signal".to_owned(),
            };
            Err(Failure::environment(format!("pytest ended before the tests were collected ({how})"))
                .detail(tail(output))
                .hint("run it by hand, it must work first: `python -m pytest --collect-only`"))
        }
    }
}

fn cannot_collect(invocation: &Invocation, told: &Told) -> Failure {
    let errors = &told.collect_errors;
    let mut detail = String::new();
    for error in errors.iter().take(SHOWN_ERRORS) {
        let path = if error.path.is_empty() { "the suite" } else { &error.path };
        detail.push_str(&format!("{path}\n"));
        for line in error.message.trim().lines() {
            detail.push_str(&format!("  {line}\n"));
        }
    }
    if errors.len() > SHOWN_ERRORS {
        detail.push_str(&format!("and {} more", errors.len() - SHOWN_ERRORS));
    }
    let what = match errors.len() {
        1 => "a file could not be collected".to_owned(),
        n => format!("{n} files could not be collected"),
    };
    let path = errors[0].path.split("::").next().unwrap_or_default();
    let failure = Failure::environment(what).detail(detail);
    if path.is_empty() {
        // A conftest file of a directory, for which pytest names none.
        return failure
            .hint("see it in full: `python -m pytest --collect-only`")
            .hint("or name the directory with the tests: `flakehunt shuffle tests`");
    }
    failure
        .hint(format!("see it in full: `python -m pytest --collect-only {path}`"))
        .hint(format!("or leave it out: `{}`", invocation.typed_with(&format!("--ignore={path}"))))
}

/// pytest did not accept what it was given: its own words are the best.
fn refused(invocation: &Invocation, output: &Path) -> Failure {
    let said = tail(output);
    let errors: Vec<&str> = said
        .lines()
        .filter_map(|line| {
            // argparse's own errors stand below the usage, after the program's name.
            let usage = || line.split_once(": error: ").map(|(_, error)| error);
            line.strip_prefix("ERROR: ").filter(|error| !error.starts_with("usage: ")).or_else(usage)
        })
        .filter(|line| !line.is_empty())
        .collect();
    let [first, ..] = &errors[..] else {
        return Failure::environment("pytest could not start")
            .detail(said)
            .hint("run it by hand, it must work first: `python -m pytest --collect-only`");
    };
    match first.strip_prefix("not found: ") {
        Some(what) => {
            let what = what.strip_prefix(&format!("{}/", invocation.directory.display())).unwrap_or(what);
            let file = what.split("::").next().unwrap_or(what);
            Failure::usage(format!("there is no test `{what}`"))
                .hint(format!("see what there is: `python -m pytest --collect-only -q {file}`"))
        }
        // What nobody typed stands in the project's configuration.
        None if first.starts_with("unrecognized arguments: ") && invocation.pytest_args.is_empty() => {
            let without = invocation.typed_with("--override-ini=addopts=");
            Failure::environment(format!("pytest refused: {}", errors.join("; ")))
                .hint(
                    "`addopts` of the project want a plugin that this Python does not have: install it there",
                )
                .hint(format!("or do without: `{without}`"))
        }
        None => Failure::usage(format!("pytest refused: {}", errors.join("; ")))
            .hint("what stands after `--`, and `pytest-args` of the configuration, must suit pytest"),
    }
}

fn tail(output: &Path) -> String {
    let Ok(bytes) = fs::read(output) else { return String::new() };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
