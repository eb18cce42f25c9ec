//! Settings: `pyproject.toml [tool.flakehunt]` or `flakehunt.toml` < `FLAKEHUNT_*` < flags, each value with its origin.
//!
//! What can be configured is *how and where* a project's tests are run, which is the same at every call: the
//! interpreter, the jobs, the limits, what pytest is given, how much is tried. *What to do* is typed at every call and
//! only there: the tests, the order, `--seed`, `--seed-start`, `--no-bisect`, `--dry-run`, `--report`, `-q`, `-v` and
//! the options that belong to one command (`--count`, `--reruns`, ...).
//!
//! - Keys are the long options without their dashes in front: `test-timeout = "90s"`. In the environment the key
//!   `test-timeout` is `FLAKEHUNT_TEST_TIMEOUT`; an empty variable is as good as none.
//! - A value replaces the value of a weaker source, lists too.
//! - A key that is not known is an error. A variable that is not known is one where it is nearly known; others
//!   (`FLAKEHUNT_VERSION` of some installer) are none of our business.
//! - The file is searched from the working directory upwards, no further than the root of the repository. Paths in it
//!   are relative to it; paths in the environment and in flags are relative to the working directory.

mod file;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use crate::cli::choices::{ColorWhen, ExecutorChoice, LevelChoice, ProgressChoice};
use crate::cli::values::{Count, Folder, Jobs, Program, Span, Words};
use crate::error::Failure;

/// What surrounds the process. Only [`Surroundings::real`] looks at the real ones.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The environment.
    pub vars: BTreeMap<OsString, OsString>,
    /// What was typed behind the name of the program, for hints.
    pub typed: Vec<String>,
    /// The current directory.
    pub current_dir: PathBuf,
    /// Standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// How many processors this process may use.
    pub processors: u32,
    /// How wide the terminal on standard output is, in columns.
    pub columns: Option<usize>,
}

impl Surroundings {
    /// The real surroundings of this process.
    pub fn real() -> Result<Self, Failure> {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks for the current directory")]
        let current_dir = std::env::current_dir().map_err(|error| {
            Failure::environment(format!("the current directory cannot be used: {error}"))
        })?;
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Ok(Self {
            vars: std::env::vars_os().collect(),
            typed: std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect(),
            current_dir,
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            processors: u32::try_from(processors).unwrap_or(1),
            columns: columns(),
        })
    }

    /// A variable of the environment, unless it is missing, empty, or no text.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(std::ffi::OsStr::new(name))?.to_str().filter(|value| !value.is_empty())
    }

    /// The directory to work in: the current one, or `-C DIR`.
    pub fn directory(&self, chosen: Option<&Path>) -> Result<PathBuf, Failure> {
        let Some(chosen) = chosen else { return Ok(self.current_dir.clone()) };
        let directory = self.current_dir.join(chosen);
        if directory.is_dir() {
            Ok(directory)
        } else {
            Err(Failure::usage(format!("-C {}: there is no such directory", chosen.display()))
                .hint(format!("it is looked for in {}", self.current_dir.display())))
        }
    }
}

/// What the terminal on standard output says of its width.
fn columns() -> Option<usize> {
    console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// This file, and the table in it.
    File(PathBuf, &'static str),
    /// This variable of the environment.
    Environment(String),
    /// This option on the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, "") => path.display().fmt(f),
            Self::File(path, table) => write!(f, "{} {table}", path.display()),
            Self::Environment(name) => write!(f, "{name} in the environment"),
            Self::Flag(flag) => write!(f, "{flag} on the command line"),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Its origin.
    pub origin: Origin,
    /// How it is shown.
    shown: String,
}

/// One line of `flakehunt config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key, as in a configuration file.
    pub key: String,
    /// The value for people.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Lists the settings once. Each line: the field, what it is when resolved, what it is where it is given, how a file
/// gives it, the default, and how the default is shown.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $resolved:ty, $given:ty, $how:literal, $default:expr, $shown:literal;)*) => {
        /// What one source says; nothing where it says nothing.
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Layer {
            $($(#[$doc])* #[serde(default, deserialize_with = $how)] pub $name: Option<$given>,)*
        }

        /// Every setting, resolved, with its origin.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $($(#[$doc])* pub $name: Sourced<$resolved>,)*
        }

        /// The names of the fields.
        const FIELDS: &[&str] = &[$(stringify!($name)),*];

        impl Layer {
            /// What the environment says.
            fn of_environment(surroundings: &Surroundings) -> Result<Self, Failure> {
                let mut layer = Self::default();
                $(if let Some((variable, text)) = given(surroundings, stringify!($name))? {
                    layer.$name = Some(text.parse().map_err(|error| {
                        Failure::usage(format!("{variable}={text}: {error}"))
                            .hint(format!("correct it, or remove it: `unset {variable}`"))
                    })?);
                })*
                Ok(layer)
            }
        }

        impl Settings {
            /// One line a setting, in a fixed order.
            pub fn rows(&self) -> Vec<Row> {
                vec![$(Row {
                    key: key(stringify!($name)),
                    value: self.$name.shown.clone(),
                    origin: self.$name.origin.clone(),
                }),*]
            }

            /// `layers`: the strongest first, each with the origin of a key's value.
            fn merge(layers: &[(&Layer, &dyn Fn(&str) -> Origin)]) -> Self {
                Self {
                    $($name: layers
                        .iter()
                        .find_map(|(layer, origin)| {
                            let value = layer.$name.clone()?;
                            let (shown, origin) = (value.to_string(), origin(stringify!($name)));
                            Some(Sourced { shown, origin, value: value.into() })
                        })
                        .unwrap_or_else(|| Sourced {
                            value: $default,
                            origin: Origin::Default,
                            shown: $shown.to_owned(),
                        }),)*
                }
            }
        }
    };
}

settings! {
    /// The interpreter.
    python: Option<Program>, Program, "file::typed", None, "active environment, .venv, python3";
    /// A command that starts the interpreter; empty where there is none.
    launcher: Words, Words, "file::words", Words::default(), "none";
    /// Where `.flakehunt` is kept instead of the working directory.
    session_dir: Option<Folder>, Folder, "file::typed", None, "the working directory";
    /// How many runs go on at once.
    jobs: Jobs, Jobs, "file::typed", Jobs::Auto, "auto";
    /// How runs are started.
    executor: ExecutorChoice, ExecutorChoice, "file::typed", ExecutorChoice::Auto, "auto";
    /// The limit of one test.
    test_timeout: Option<Span>, Span, "file::typed", None, "from the baseline";
    /// The limit of one run.
    run_timeout: Option<Span>, Span, "file::typed", None, "from the baseline";
    /// The limit of the hunt.
    budget: Option<Span>, Span, "file::typed", None, "no limit";
    /// The most runs of the hunt.
    max_runs: Option<Count>, Count, "file::typed", None, "no limit";
    /// How many orders `shuffle` tries.
    seeds: Count, Count, "file::typed", Count(DEFAULT_SEEDS), "50";
    /// What orders permute.
    level: LevelChoice, LevelChoice, "file::typed", LevelChoice::Mixed, "mixed";
    /// What pytest is given.
    pytest_args: Words, Words, "file::words", Words::default(), "none";
    /// How progress is shown.
    progress: ProgressChoice, ProgressChoice, "file::typed", ProgressChoice::Auto, "auto";
    /// When colours are used.
    color: ColorWhen, ColorWhen, "file::typed", ColorWhen::Auto, "auto";
}

const DEFAULT_SEEDS: std::num::NonZeroU32 = std::num::NonZeroU32::new(50).expect("50 is not 0");

impl Settings {
    /// The settings in a directory, given what was typed.
    pub fn resolve(flags: &Layer, surroundings: &Surroundings, directory: &Path) -> Result<Self, Failure> {
        refuse_nearly_known_variables(surroundings)?;
        let environment = Layer::of_environment(surroundings)?;
        let file = file::find(directory)?;
        let from_flag = |name: &str| match name {
            "pytest_args" => Origin::Flag("--".to_owned()),
            _ => Origin::Flag(format!("--{}", key(name))),
        };
        let from_environment = |name: &str| Origin::Environment(variable(name));
        match &file {
            Some(found) => {
                let from_file = |_: &str| Origin::File(found.path.clone(), found.table);
                Ok(Self::merge(&[
                    (flags, &from_flag),
                    (&environment, &from_environment),
                    (&found.layer, &from_file),
                ]))
            }
            None => Ok(Self::merge(&[(flags, &from_flag), (&environment, &from_environment)])),
        }
    }
}

/// The key of a field: `test_timeout` is `test-timeout`.
fn key(name: &str) -> String {
    name.replace('_', "-")
}

/// The variable of a field: `test_timeout` is `FLAKEHUNT_TEST_TIMEOUT`.
fn variable(name: &str) -> String {
    format!("FLAKEHUNT_{}", name.to_ascii_uppercase())
}

/// The variable of a field and its text, where it is set and not empty.
fn given<'a>(surroundings: &'a Surroundings, name: &str) -> Result<Option<(String, &'a str)>, Failure> {
    let variable = variable(name);
    match surroundings.vars.get(std::ffi::OsStr::new(&variable)).map(|value| value.to_str()) {
        None | Some(Some("")) => Ok(None),
        Some(Some(text)) => Ok(Some((variable, text))),
        Some(None) => Err(Failure::usage(format!("{variable} in the environment is not valid text"))
            .hint(format!("correct it, or remove it: `unset {variable}`"))),
    }
}

fn refuse_nearly_known_variables(surroundings: &Surroundings) -> Result<(), Failure> {
    for name in surroundings.vars.keys().filter_map(|name| name.to_str()) {
        let Some(rest) = name.strip_prefix("FLAKEHUNT_") else { continue };
        let rest = rest.to_ascii_lowercase();
        if let Some(near) = nearest(&rest).filter(|near| *near != rest) {
            return Err(Failure::usage(format!("{name} in the environment is not a setting"))
                .hint(format!("did you mean `{}`?", variable(near))));
        }
    }
    Ok(())
}

/// The field whose name is at most two edits away.
fn nearest(name: &str) -> Option<&'static str> {
    FIELDS
        .iter()
        .map(|known| (strsim::osa_distance(known, name), *known))
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len() / 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Adds what could have been meant by an unknown key.
fn suggest(failure: Failure, unknown: &str) -> Failure {
    match nearest(&unknown.replace('-', "_")) {
        Some(near) => failure.hint(format!("did you mean `{}`?", key(near))),
        None => {
            let keys: Vec<_> = FIELDS.iter().map(|name| key(name)).collect();
            failure.hint(format!("the keys are {}", keys.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests;
