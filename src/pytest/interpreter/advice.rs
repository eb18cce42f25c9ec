//! What is said where no Python will do: the error, and commands that mend it.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use fs_err as fs;

use super::{Facts, OLDEST_PYTEST, OLDEST_PYTHON, PATIENCE, Place, Request, Setting, is_program, places};
use crate::core::run::ProcessEnd;
use crate::error::Failure;
use crate::process::Ended;

/// What tells that a project is run through a launcher: the file, the launcher, and how it installs pytest.
const LAUNCHERS: [(&str, &str, &str); 5] = [
    ("uv.lock", "uv run", "uv add --dev pytest"),
    ("poetry.lock", "poetry run", "poetry add --group dev pytest"),
    ("pdm.lock", "pdm run", "pdm add --dev pytest"),
    ("Pipfile", "pipenv run", "pipenv install --dev pytest"),
    ("pixi.lock", "pixi run", "pixi add pytest"),
];

/// How much of what a program printed is shown, in lines.
const SHOWN: usize = 20;

/// The words of a launcher.
pub(super) fn split(launcher: &Setting) -> Result<Vec<String>, Failure> {
    let Setting { value, origin } = launcher;
    match shell_words::split(value) {
        Ok(words) if !words.is_empty() => Ok(words),
        Ok(_) => Err(Failure::usage(format!("{origin} is empty"))),
        Err(_) => Err(Failure::usage(format!("{origin} has a quote that is not closed: {value}"))),
    }
}

/// No place holds a program that is a Python.
pub(super) fn nothing_found(request: &Request, looked: &[Place]) -> Failure {
    if let Some(Setting { value, origin }) = &request.python {
        let here = request.directory.join(value);
        let error = match fs::metadata(&here) {
            Ok(data) if data.is_dir() => format!("{origin} is {value}, a folder without bin/python"),
            Ok(_) => format!("{origin} is {value}, which is not executable"),
            Err(_) if value.contains('/') => format!("{origin} is {value}, which does not exist"),
            Err(_) => format!("{origin} is {value}, and there is no such program on PATH"),
        };
        return or_name_one(other_places(request, Failure::environment(error), None));
    }
    let variables: String = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .into_iter()
        .filter(|name| looked.iter().any(|place| place.origin == *name))
        .map(|name| format!("{name}, "))
        .collect();
    let directory = request.directory.display();
    let error = format!(
        "no Python was found: looked at {variables}.venv and venv in {directory} and above, python3 and python on PATH"
    );
    launchers(request, Failure::environment(error)).hint("name one with --python PATH")
}

/// A program that was asked what it is.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    pub(super) launcher: &'a [OsString],
    pub(super) origin: &'a str,
}

impl Asked<'_> {
    /// It does not even start.
    pub(super) fn not_started(&self, error: &io::Error) -> Failure {
        let failure = Failure::environment(format!("{error} ({})", self.origin));
        match self.way() {
            Way::Launcher => failure.hint("the launcher must be installed, and on PATH"),
            Way::Program => or_name_one(self.others(failure)),
        }
    }

    /// It ended, or had to be ended, without our answer.
    pub(super) fn no_answer(&self, ended: &Ended) -> Failure {
        let how = match ended.end {
            ProcessEnd::Exited(code) => format!("it ended with exit code {code}"),
            ProcessEnd::Signalled(signal) => format!("signal {signal} ended it"),
            ProcessEnd::TimedOut | ProcessEnd::Cancelled => {
                let seconds = PATIENCE.run.unwrap_or_default().as_secs();
                format!("it had not answered after {seconds} s")
            }
        };
        let error = format!("{} ({}) did not answer as a Python does: {how}", self.words(), self.origin);
        let printed = String::from_utf8_lossy(&ended.output.captured);
        let lines: Vec<&str> = printed.trim().lines().collect();
        let mut failure = Failure::environment(error);
        if !lines.is_empty() {
            failure = failure.detail(lines[lines.len().saturating_sub(SHOWN)..].join("\n"));
        }
        or_name_one(self.others(failure))
    }

    pub(super) fn python_too_old(&self, facts: &Facts) -> Failure {
        let (major, minor) = OLDEST_PYTHON;
        let error = format!("{} is too old: flakehunt needs Python {major}.{minor}", self.python(facts));
        self.others(Failure::environment(error)).hint("name a newer one with --python PATH")
    }

    pub(super) fn pytest_missing(&self, facts: &Facts) -> Failure {
        let error = format!("pytest is not installed for {}", self.python(facts));
        let install = self.install(facts, "");
        self.others(Failure::environment(error)).hint(format!("install it: {install}"))
    }

    pub(super) fn pytest_too_old(&self, facts: &Facts) -> Failure {
        let (major, minor) = OLDEST_PYTEST;
        let error = format!(
            "pytest {} of {} is too old: flakehunt needs {major}.{minor}",
            facts.pytest,
            self.python(facts)
        );
        let upgrade = self.install(facts, "--upgrade ");
        Failure::environment(error).hint(format!("upgrade it: {upgrade}"))
    }

    pub(super) fn pytest_broken(&self, facts: &Facts) -> Failure {
        let error = format!("pytest cannot be imported by {}", self.python(facts));
        let lines: Vec<&str> = facts.traceback.trim_end().lines().collect();
        let shown = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        self.others(Failure::environment(error).detail(shown))
            .hint(format!("to see it again: {} -c 'import pytest'", self.words()))
            .hint(format!("to install it again: {}", self.install(facts, "--force-reinstall ")))
    }

    fn python(&self, facts: &Facts) -> String {
        format!("Python {} at {} ({})", facts.version, facts.executable.display(), self.origin)
    }

    fn words(&self) -> String {
        shell_words::join(self.launcher.iter().map(|word| word.to_string_lossy()))
    }

    fn way(&self) -> Way {
        if self.launcher.len() > 1 { Way::Launcher } else { Way::Program }
    }

    /// The command that installs pytest where this Python looks for it.
    fn install(&self, facts: &Facts, option: &str) -> String {
        let words = self.words();
        if self.way() == Way::Launcher {
            // A launcher keeps a list of what it installs: pip alone would be undone by its next run.
            let known = LAUNCHERS.iter().find(|(_, launcher, _)| words.starts_with(&format!("{launcher} ")));
            return match known {
                Some((_, _, install)) => (*install).to_owned(),
                None => format!("{words} -m pip install {option}pytest"),
            };
        }
        if facts.externally_managed {
            // Its own pip refuses (PEP 668).
            return format!("{words} -m venv .venv && .venv/bin/python -m pip install pytest");
        }
        if facts.has_pip {
            return format!("{words} -m pip install {option}pytest");
        }
        let made_by_uv = fs::read_to_string(facts.prefix.join("pyvenv.cfg"))
            .is_ok_and(|settings| settings.lines().any(|line| line.starts_with("uv =")));
        if made_by_uv {
            let option = option.replace("--force-reinstall", "--reinstall");
            format!("uv pip install --python {words} {option}pytest")
        } else {
            format!("{words} -m ensurepip && {words} -m pip install {option}pytest")
        }
    }

    /// Adds what else could be used.
    fn others(&self, failure: Failure) -> Failure {
        match self.way() {
            Way::Launcher => failure,
            Way::Program => other_places(self.request, failure, self.launcher.first()),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Launcher,
    Program,
}

/// Hints at the project's own environment, if it is not the one that was refused, and at its launcher.
fn other_places(request: &Request, failure: Failure, refused: Option<&OsString>) -> Failure {
    let unnamed = Request { python: None, ..request.clone() };
    let other = places(&unnamed).into_iter().find(|place| {
        !place.on_path
            && refused.is_none_or(|refused| place.program != Path::new(refused))
            && is_program(&place.program)
    });
    let failure = match other {
        Some(place) => {
            let program = place.program.strip_prefix(&request.directory).unwrap_or(&place.program);
            let program = program.to_string_lossy();
            failure.hint(format!("use {}: --python {}", place.origin, shell_words::quote(&program)))
        }
        None => failure,
    };
    launchers(request, failure)
}

/// Where nothing better is known to do.
fn or_name_one(failure: Failure) -> Failure {
    if failure.hints.is_empty() {
        failure.hint("name a Python that runs the tests: --python PATH")
    } else {
        failure
    }
}

/// Hints at the launcher that the nearest lock file above the directory speaks of.
fn launchers(request: &Request, failure: Failure) -> Failure {
    let found = request.directory.ancestors().find_map(|folder| {
        LAUNCHERS.iter().find(|(file, ..)| fs::metadata(folder.join(file)).is_ok_and(|data| data.is_file()))
    });
    match found {
        Some((file, launcher, _)) => {
            failure.hint(format!("the project has {file}: --launcher \"{launcher}\""))
        }
        None => failure,
    }
}
