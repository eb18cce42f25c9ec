//! Which Python runs the suite, and whether it can.
//!
//! `places` says where to look, in order, without looking; [`find`] takes the first place that holds a program, asks it
//! with a script of ours, and turns every way in which that can go wrong into a [`Failure`] with hints that work
//! (`advice`). Nothing is chosen silently: a chosen Python without pytest is an error, not a reason to try another.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use serde::Deserialize;

use crate::error::Failure;
use crate::process::{Command, Limits, Sink, Stdin, never, supervise};

mod advice;
mod places;

pub use places::{Place, places};

/// The oldest Python that is served.
const OLDEST_PYTHON: (u32, u32) = (3, 8);
/// The oldest pytest that is tried; up to [`TESTED_PYTEST`] with a notice.
const OLDEST_PYTEST: (u32, u32) = (6, 2);
/// The oldest pytest that is tested.
const TESTED_PYTEST: (u32, u32) = (7, 0);

/// How long a Python may take to answer. A launcher may have to build its environment first, and a cold import of
/// pytest takes seconds on a slow disk.
const PATIENCE: Limits =
    Limits { test: None, run: Some(Duration::from_secs(30)), linger: None, grace: Duration::from_secs(2) };

const SCRIPT: &str = include_str!("interpreter.py");
const OPEN: &str = "<<flakehunt-interpreter ";
const CLOSE: &str = " flakehunt-interpreter>>";

/// A setting, and where it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// As it was written.
    pub value: String,
    /// For people: `--python`, `FLAKEHUNT_PYTHON`, `pyproject.toml`.
    pub origin: String,
}

/// What is known before any Python was asked.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The directory of the suite, absolute; relative paths start here.
    pub directory: PathBuf,
    /// The Python that was named, already by rank: `--python`, `FLAKEHUNT_PYTHON`, the configuration. A path, the folder
    /// of a virtual environment, or a name to look up on `PATH`.
    pub python: Option<Setting>,
    /// The launcher, such as `uv run`: words of a shell, put before `python` (or before the Python that was named).
    pub launcher: Option<Setting>,
    /// What the environment says.
    pub environment: Environment,
}

/// The environment variables that matter here.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `VIRTUAL_ENV`: the active virtual environment.
    pub virtual_env: Option<PathBuf>,
    /// `CONDA_PREFIX`: the active conda environment.
    pub conda_prefix: Option<PathBuf>,
    /// `CONDA_DEFAULT_ENV`: its name.
    pub conda_name: Option<String>,
    /// `PATH`.
    pub path: Option<OsString>,
}

impl Environment {
    /// Reads the environment of this process. An empty variable counts as unset.
    #[expect(clippy::disallowed_methods, reason = "this is where these variables are read")]
    pub fn read() -> Self {
        let read = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            virtual_env: read("VIRTUAL_ENV").map(Into::into),
            conda_prefix: read("CONDA_PREFIX").map(Into::into),
            conda_name: read("CONDA_DEFAULT_ENV").and_then(|name| name.into_string().ok()),
            path: read("PATH"),
        }
    }
}

/// A Python that can run the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// What is put before `-m pytest`: never resolved further, because a virtual environment is found through the
    /// path by which its Python is called.
    pub launcher: Vec<OsString>,
    /// How it was found, for people: `--python`, `VIRTUAL_ENV`, `.venv`, `../.venv`, `PATH`, `--launcher`.
    pub origin: String,
    /// Its version: `3.12.4`.
    pub version: String,
    /// The version of its pytest.
    pub pytest: String,
    /// `sys.executable`.
    pub executable: PathBuf,
    /// `sys.prefix`.
    pub prefix: PathBuf,
    /// `sys.base_prefix`; differs from `prefix` in a virtual environment.
    pub base_prefix: PathBuf,
    /// `CPython`, `PyPy`.
    pub implementation: String,
    /// `sys.platform` and the machine: `linux-x86_64`.
    pub platform: String,
    /// What a person should know although it works.
    pub notices: Vec<String>,
}

/// What the script answers.
#[derive(Clone, Debug, Deserialize)]
struct Facts {
    kind: Kind,
    version: String,
    executable: PathBuf,
    prefix: PathBuf,
    base_prefix: PathBuf,
    implementation: String,
    platform: String,
    has_pip: bool,
    externally_managed: bool,
    #[serde(default)]
    pytest: String,
    #[serde(default)]
    traceback: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Ok,
    PytestMissing,
    PytestBroken,
}

/// Chooses the Python and asks it.
///
/// # Errors
/// No Python was found, the one that was named cannot be used, or it cannot run pytest.
pub async fn find(request: &Request) -> Result<Interpreter, Failure> {
    if let Some(launcher) = &request.launcher {
        let words = advice::split(launcher)?;
        let python = request.python.as_ref().map_or("python", |python| &python.value);
        let argv: Vec<OsString> = words.into_iter().chain([python.to_owned()]).map(Into::into).collect();
        return ask(request, argv, &launcher.origin).await.map_err(|refusal| refusal.failure);
    }
    let places = places(request);
    let mut passed_over = Vec::new();
    let mut not_python = None;
    for place in &places {
        if !is_program(&place.program) {
            passed_over.extend(place.promise.clone());
            continue;
        }
        match ask(request, vec![place.program.clone().into()], &place.origin).await {
            Ok(mut interpreter) => {
                interpreter.notices.splice(0..0, passed_over);
                return Ok(interpreter);
            }
            // A shim of pyenv without a version behind it, or macOS's placeholder: on PATH, but no Python.
            Err(Refusal { failure, is_python: false }) if place.on_path => {
                not_python.get_or_insert(failure);
            }
            Err(Refusal { failure, .. }) => return Err(failure),
        }
    }
    Err(not_python.unwrap_or_else(|| advice::nothing_found(request, &places)))
}

/// Why a program is not used.
#[derive(Debug)]
struct Refusal {
    failure: Failure,
    /// It is a Python, but not a fitting one.
    is_python: bool,
}

async fn ask(request: &Request, launcher: Vec<OsString>, origin: &str) -> Result<Interpreter, Refusal> {
    let argv = launcher.iter().cloned().chain(["-B", "-c", SCRIPT].map(Into::into)).collect();
    let command = Command {
        argv,
        directory: request.directory.clone(),
        env: Vec::new(),
        stdin: Stdin::Null,
        output: Sink::Capture { cap: 64 << 10 },
        die_with_parent: true,
    };
    let asked = advice::Asked { request, launcher: &launcher, origin };
    let ended = supervise(command, PATIENCE, &mut (), never()).await;
    let ended = ended.map_err(|error| Refusal { failure: asked.not_started(&error), is_python: false })?;
    let facts = facts(&ended.output.captured);
    let facts = facts.ok_or_else(|| Refusal { failure: asked.no_answer(&ended), is_python: false })?;
    match judge(&facts, &asked) {
        Ok(notices) => Ok(Interpreter {
            launcher,
            origin: origin.to_owned(),
            version: facts.version,
            pytest: facts.pytest,
            executable: facts.executable,
            prefix: facts.prefix,
            base_prefix: facts.base_prefix,
            implementation: facts.implementation,
            platform: facts.platform,
            notices,
        }),
        Err(failure) => Err(Refusal { failure, is_python: true }),
    }
}

/// Whether this Python will do, and what is to be said if it barely does.
fn judge(facts: &Facts, asked: &advice::Asked<'_>) -> Result<Vec<String>, Failure> {
    if version(&facts.version) < OLDEST_PYTHON {
        return Err(asked.python_too_old(facts));
    }
    match facts.kind {
        Kind::PytestMissing => return Err(asked.pytest_missing(facts)),
        Kind::PytestBroken => return Err(asked.pytest_broken(facts)),
        Kind::Ok => {}
    }
    let pytest = version(&facts.pytest);
    if pytest < OLDEST_PYTEST {
        return Err(asked.pytest_too_old(facts));
    }
    Ok(if pytest < TESTED_PYTEST {
        let (major, minor) = TESTED_PYTEST;
        let found = &facts.pytest;
        vec![format!(
            "pytest {found} is older than {major}.{minor}: flakehunt does its best, but is not tested with it"
        )]
    } else {
        Vec::new()
    })
}

/// The answer between the marks; what stands around them was printed by others.
fn facts(output: &[u8]) -> Option<Facts> {
    let output = String::from_utf8_lossy(output);
    let (_, answer) = output.rsplit_once(OPEN)?;
    let (answer, _) = answer.split_once(CLOSE)?;
    serde_json::from_str(answer).ok()
}

/// The first two numbers of a version: (8, 0) of `8.0.0rc1`. What is no number counts as 0.
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|part| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..digits].parse().unwrap_or(0)
    });
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;
