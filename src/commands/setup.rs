//! What every command that runs tests does first: the interpreter, the session, the collection.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use fs_err as fs;

use super::Context;
use super::scratch::Scratch;
use super::signals::Signals;
use crate::cli::RunOptions;
use crate::cli::choices::ExecutorChoice;
use crate::cli::values::Jobs;
use crate::error::Failure;
use crate::pytest::collect::{Collected, collect};
use crate::pytest::folders::Folders;
use crate::pytest::interpreter::{self, Interpreter, Request, Setting};
use crate::pytest::invocation::Invocation;
use crate::pytest::lasting::Now;
use crate::pytest::pace::Pace;
use crate::pytest::plugin::PACKAGE;
use crate::pytest::server::Server;
use crate::pytest::spawn::Workshop;
use crate::session::event::Environment;
use crate::session::files::remove_folder;
use crate::session::lock::SessionLock;
use crate::session::session_dir::SessionDir;
use crate::session::store::Store;

/// Everything that is known before the first question.
pub(super) struct Ready {
    pub workshop: Workshop,
    pub environment: Environment,
    pub notices: Vec<(String, String)>,
    pub jobs: u32,
    /// Removed with everything in it when the command ends.
    pub scratch: Scratch,
    pub lock: SessionLock,
    /// The process that collected, where it may answer questions by forking.
    pub server: Option<Server>,
    pub unbegun: Unbegun,
}

/// Removes the session when it is dropped, should it hold nothing: a session begins with its journal.
pub(super) struct Unbegun(SessionDir);

impl Drop for Unbegun {
    fn drop(&mut self) {
        if !self.0.journal().exists() {
            // What cannot be removed is removed by `clean`.
            let _ = remove_folder(self.0.path());
        }
    }
}

/// A session, old or new, that is ours to write.
pub(super) struct Place {
    pub session: SessionDir,
    pub lock: SessionLock,
}

/// A new session in this directory.
pub(super) fn new_session(context: &Context) -> Result<Place, Failure> {
    let (session, lock) = Store::open(context.store_directory())?.create_session()?;
    Ok(Place { session, lock })
}

/// What to run, where it was said.
pub(super) struct Selection<'a> {
    /// Paths and ids.
    pub targets: &'a [String],
    /// What pytest is given besides.
    pub pytest_args: Vec<String>,
    /// What the seeds of runs are derived from.
    pub session_seed: u64,
    /// Whether questions may be answered by forked children.
    pub forks: bool,
    /// Whether node ids that differ from one collection to the next are looked for.
    pub twice: bool,
}

/// Whether a person lets us fork.
pub(super) fn may_fork(context: &Context) -> bool {
    context.settings.executor.value != ExecutorChoice::Spawn
}

/// Finds the interpreter.
pub(super) async fn find_interpreter(context: &Context) -> Result<Interpreter, Failure> {
    let setting =
        |value: String, origin: &dyn std::fmt::Display| Setting { value, origin: origin.to_string() };
    let python = &context.settings.python;
    let launcher = &context.settings.launcher;
    let request = Request {
        directory: context.directory.clone(),
        python: python.value.as_ref().map(|program| setting(program.0.clone(), &python.origin)),
        launcher: (!launcher.value.0.is_empty())
            .then(|| setting(shell_words::join(&launcher.value.0), &launcher.origin)),
        environment: interpreter::Environment::read(),
    };
    interpreter::find(&request).await
}

/// What goes to pytest: from the command line, else from the settings.
pub(super) fn pytest_args(context: &Context, run: Option<&RunOptions>) -> Vec<String> {
    match run.filter(|run| !run.pytest_args.is_empty()) {
        Some(run) => run.pytest_args.clone(),
        None => context.settings.pytest_args.value.0.clone(),
    }
}

/// Collects, and makes everything ready for running. An old suite file is kept and held against what is collected now.
pub(super) async fn prepare(
    context: &Context,
    place: Place,
    interpreter: Interpreter,
    selection: Selection<'_>,
    keep_suite: bool,
    signals: &Signals,
) -> Result<Ready, Failure> {
    let Place { session, lock } = place;
    let unbegun = Unbegun(session.clone());
    check_targets(&context.directory, selection.targets)?;
    let scratch = Scratch::new()?;
    let unwritable = |error: std::io::Error| Failure::io("make the cache folder", &error);
    fs::create_dir_all(session.cache()).map_err(unwritable)?;
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    let mut invocation = Invocation {
        typed: context.surroundings.typed.clone(),
        launcher: interpreter.launcher.iter().map(text).collect(),
        directory: context.directory.clone(),
        selection: selection.targets.to_vec(),
        pytest_args: selection.pytest_args,
        rootdir: None,
        inifile: None,
        plugin_home: session.install_plugin(PACKAGE)?,
        cache: session.cache().to_owned(),
        python_path: context.surroundings.vars.get(&OsString::from("PYTHONPATH")).cloned(),
        hash_seed: hash_seed(context, selection.session_seed),
    };
    let suite_path = if keep_suite { session.path().join("suite-now.json") } else { session.suite() };
    let fifos = selection.forks.then_some(scratch.path());
    let Collected { suite, hello, notices: collected, server } =
        collect(&invocation, session.path(), &suite_path, fifos, selection.twice, signals.stop.subscribe())
            .await?;
    invocation.rootdir = Some(hello.rootdir.clone());
    invocation.inifile = hello.inifile.clone();
    let jobs = jobs(context);
    let environment = Environment {
        python: interpreter.version.clone(),
        launcher: invocation.launcher.clone(),
        origin: short(&interpreter.origin),
        pytest: interpreter.pytest.clone(),
        plugins: hello.plugins,
        directory: context.directory.display().to_string(),
        rootdir: hello.rootdir,
        inifile: hello.inifile,
        selection: invocation.selection.clone(),
        pytest_args: invocation.pytest_args.clone(),
        executor: if server.is_some() { "fork" } else { "spawn" }.into(),
        jobs,
        hash_seed: invocation.hash_seed,
        session_seed: selection.session_seed,
    };
    let mut notices: Vec<(String, String)> =
        interpreter.notices.iter().map(|notice| ("interpreter".to_owned(), notice.clone())).collect();
    notices.extend(collected);
    let limit = |span: Option<crate::cli::values::Span>| span.map(|span| span.0);
    let pace =
        Pace::new(limit(context.settings.test_timeout.value), limit(context.settings.run_timeout.value));
    let workshop = Workshop {
        invocation,
        session,
        suite: Arc::new(suite),
        session_seed: selection.session_seed,
        pace: Rc::new(pace),
        told: Rc::default(),
        now: Now::default(),
        folders: Rc::new(Folders::new(scratch.path().to_owned())),
    };
    Ok(Ready { workshop, environment, notices, jobs, scratch, lock, server, unbegun })
}

fn jobs(context: &Context) -> u32 {
    match context.settings.jobs.value {
        Jobs::Exactly(jobs) => jobs.get(),
        Jobs::Auto => context.surroundings.processors.max(1),
    }
}

/// PYTHONHASHSEED: the person's own, else derived from the session's seed, so that the same seed means the same run.
fn hash_seed(context: &Context, session_seed: u64) -> u32 {
    let own = context.surroundings.var("PYTHONHASHSEED").and_then(|text| text.parse().ok());
    own.unwrap_or((session_seed ^ (session_seed >> 32)) as u32)
}

/// A path that is not there is said before pytest is started, with the name that was meant.
fn check_targets(directory: &Path, targets: &[String]) -> Result<(), Failure> {
    for target in targets {
        let path = target.split("::").next().unwrap_or(target);
        if path.starts_with('-') {
            return Err(Failure::usage(format!("`{target}` is no path"))
                .hint(format!("options for pytest stand after `--`: `flakehunt shuffle -- {target}`")));
        }
        let full = directory.join(path);
        if full.exists() {
            continue;
        }
        let failure = Failure::usage(format!("there is no file or directory `{path}`"));
        return Err(match similar(&full) {
            Some(name) => {
                let meant = Path::new(path).with_file_name(name);
                failure.hint(format!("did you mean `{}`?", meant.display()))
            }
            None => failure.hint("paths are relative to the directory that flakehunt works in (`-C DIR`)"),
        });
    }
    Ok(())
}

/// The name in the same folder that looks most like the last part of this path.
fn similar(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let folder: PathBuf = path.parent()?.to_owned();
    let entries = fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .map(|other| (strsim::jaro_winkler(name, &other), other))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// Where the interpreter was found, in the words of a first line.
fn short(origin: &str) -> String {
    let short = origin.trim_end_matches(" on the command line").trim_end_matches(" in the environment");
    short.to_owned()
}
