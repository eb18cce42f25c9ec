//! A small pytest project in a folder of its own, and flakehunt in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use fs_err as fs;
use serde_json::Value;
use tempfile::TempDir;

use super::command;
use super::pinned::Pinned;
use super::running::{Ran, Running};

/// A project; removed when dropped. Nothing but what is below its folder is in its environment.
pub struct Project {
    home: TempDir,
    variables: BTreeMap<String, String>,
    calls: AtomicU32,
}

impl Project {
    /// Without any file.
    pub fn empty(pinned: Pinned) -> Self {
        let home = tempfile::Builder::new().prefix("fh-cli-").tempdir().expect("a scratch folder");
        for folder in ["project", "home", "tmp", "said"] {
            fs::create_dir(home.path().join(folder)).expect("a folder in it");
        }
        #[expect(clippy::disallowed_methods, reason = "what the tests find on PATH, flakehunt finds there")]
        let path = std::env::var_os("PATH").expect("PATH");
        let below = |name: &str| home.path().join(name).display().to_string();
        let variables = [
            ("PATH", path.into_string().expect("PATH is text")),
            ("HOME", below("home")),
            ("TMPDIR", below("tmp")),
            ("LANG", "C.UTF-8".to_owned()),
            ("FLAKEHUNT_PYTHON", pinned.python().display().to_string()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        Self { home, variables, calls: AtomicU32::new(0) }
    }

    /// A copy of `tests/suites/NAME`.
    pub fn suite(name: &str, pinned: Pinned) -> Self {
        let project = Self::empty(pinned);
        copy(&suites().join(name), &project.path());
        project
    }

    /// One file, from text.
    pub fn with(pinned: Pinned, path: &str, text: &str) -> Self {
        Self::empty(pinned).file(path, text)
    }

    /// Adds a file.
    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
        fs::write(path, text).expect("a file");
        self
    }

    /// Sets a variable of the environment.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a variable of the environment.
    pub fn without_variable(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Where the project is.
    pub fn path(&self) -> PathBuf {
        self.home.path().join("project")
    }

    /// Where everything of this test is: `project`, `home`, `tmp`.
    pub fn around(&self) -> &Path {
        self.home.path()
    }

    /// Runs flakehunt in the project to its end. It must leave no process, no temporary file, and the project as it
    /// was; and it must never show a traceback of its own.
    #[track_caller]
    pub fn flakehunt(&self, arguments: &[&str]) -> Ran {
        self.flakehunt_in(&self.path(), arguments)
    }

    /// Likewise, from another directory.
    #[track_caller]
    pub fn flakehunt_in(&self, directory: &Path, arguments: &[&str]) -> Ran {
        let before = self.tree();
        let ran = self.start_in(directory, arguments).wait();
        assert_eq!(self.tree(), before, "the project is as it was\n{ran}");
        assert_eq!(names(&self.home.path().join("tmp")), [""; 0], "no temporary file is left\n{ran}");
        assert!(!ran.stderr.contains("panicked at"), "{ran}");
        assert!(!ran.stderr.contains("flakehunt_plugin/"), "no traceback of the plugin\n{ran}");
        ran
    }

    /// Starts flakehunt in the project.
    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_in(&self.path(), arguments)
    }

    fn start_in(&self, directory: &Path, arguments: &[&str]) -> Running {
        let mut flakehunt = command(env!("CARGO_BIN_EXE_flakehunt"));
        flakehunt.args(arguments).current_dir(directory);
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        Running::start(flakehunt, &self.variables, &self.home.path().join(format!("said/{call}")))
    }

    /// Runs a line in a shell, in the project and with its environment.
    pub fn shell(&self, line: &str) -> Ran {
        let mut shell = command("bash");
        shell.args(["-c", line]).current_dir(self.path());
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        Running::start(shell, &self.variables, &self.home.path().join(format!("said/{call}"))).wait()
    }

    /// Runs flakehunt with `--report json`; the report.
    #[track_caller]
    pub fn report(&self, arguments: &[&str]) -> (Ran, Value) {
        let mut all: Vec<&str> = arguments.to_vec();
        // What goes to pytest stands last.
        let at = all.iter().position(|word| *word == "--").unwrap_or(all.len());
        all.splice(at..at, ["--report", "json"]);
        let ran = self.flakehunt(&all);
        let report = ran.json();
        (ran, report)
    }

    /// Every session, the newest last.
    pub fn sessions(&self) -> Vec<PathBuf> {
        let folder = self.path().join(".flakehunt/sessions");
        if !folder.exists() {
            return Vec::new();
        }
        let mut found: Vec<_> = names(&folder).into_iter().map(|name| folder.join(name)).collect();
        let written = |session: &PathBuf| {
            fs::metadata(session.join("journal.jsonl")).and_then(|data| data.modified()).ok()
        };
        found.sort_by_key(written);
        found
    }

    /// The newest session.
    #[track_caller]
    pub fn session(&self) -> PathBuf {
        self.sessions().pop().expect("a session")
    }

    /// Every file of the project but `.flakehunt`, with its content.
    pub fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        walk(&self.path(), &mut |path| {
            let content = if path.is_file() { fs::read(path).expect("a file") } else { Vec::new() };
            found.insert(path.to_owned(), content);
        });
        found
    }
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_name() == ".flakehunt" {
            continue;
        }
        visit(&entry.path());
        if entry.file_type().expect("its type").is_dir() {
            walk(&entry.path(), visit);
        }
    }
}

/// What is in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Where the planted suites are.
pub fn suites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suites")
}

fn copy(from: &Path, to: &Path) {
    for name in names(from) {
        // Caches of somebody who ran the suite by hand, and the truth: the project must not hold it.
        if ["__pycache__", ".pytest_cache", ".flakehunt", "expected.toml"].contains(&name.as_str()) {
            continue;
        }
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            fs::create_dir(&to).expect("a folder");
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copy");
        }
    }
}
