//! How pytest is started: the command line, the environment and the request, one shape for collecting, running and
//! serving.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use serde::Serialize;

use crate::core::run::Probes;
use crate::core::test_id::TestIdx;
use crate::process::{Command, DEFAULT_CAP, Sink, Stdin};

/// What every pytest of a session has in common.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// What the person typed behind `flakehunt`, for hints.
    pub typed: Vec<String>,
    /// The words that start the interpreter.
    pub launcher: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Paths and node ids that a person typed.
    pub selection: Vec<String>,
    /// What a person passed on to pytest.
    pub pytest_args: Vec<String>,
    /// pytest's root directory, once known: the arguments must not choose another one.
    pub rootdir: Option<String>,
    /// pytest's configuration file, once known.
    pub inifile: Option<String>,
    /// The folder of the plugin package.
    pub plugin_home: PathBuf,
    /// Bytecode and pytest's cache.
    pub cache: PathBuf,
    /// `PYTHONPATH` as the person has it.
    pub python_path: Option<OsString>,
    /// PYTHONHASHSEED of every run that has none of its own.
    pub hash_seed: u32,
}

/// One run, as the plugin is told of it.
#[derive(Clone, Debug, Serialize)]
pub struct RunRequest {
    /// Its number.
    pub id: u32,
    /// A file with the numbers of the tests.
    pub order: PathBuf,
    /// Where pytest's own JUnit goes.
    pub junit: Option<PathBuf>,
    /// What `random` and its kin are seeded with.
    pub random_seed: u64,
    /// The folder of `tmp_path`.
    pub basetemp: PathBuf,
    /// The folder of `tempfile`.
    pub tmpdir: PathBuf,
    /// Only some files are collected.
    pub partial: bool,
    /// The files that are collected, where it is not all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_files: Option<Vec<String>>,
    /// A FIFO to read a byte from before the first test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<PathBuf>,
    /// For a forked child: where its output goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<PathBuf>,
    /// For a forked child: its stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<PathBuf>,
    /// Phase records carry what the test printed and logged.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sections: bool,
    /// The short protocol, where nobody listens.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lean: bool,
    /// With the short protocol: failures are told by their exception alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
    /// After each test everything is torn down.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fresh_fixtures: bool,
    /// It ends after so many failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_fail: Option<u32>,
    /// What is tried in the middle of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<Arc<Probes>>,
    /// What is tried instead of an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan: Option<Arc<[Vec<TestIdx>]>>,
}

/// What a pytest process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Collect and end.
    Collect,
    /// Run one order.
    Run,
    /// Collect, then fork a child for each request.
    Serve,
}

#[derive(Serialize)]
struct Request<'a> {
    protocol: u32,
    mode: Mode,
    stream: &'a Path,
    suite: &'a Path,
    cache: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a RunRequest>,
}

/// The files of one pytest process.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The request.
    pub request: &'a Path,
    /// The stream.
    pub stream: &'a Path,
    /// The suite file.
    pub suite: &'a Path,
    /// Its output.
    pub output: &'a Path,
    /// The folder of `tempfile`, where it is not the person's own.
    pub tmpdir: Option<&'a Path>,
}

impl Invocation {
    /// The command that was typed, with one more argument for pytest.
    pub fn typed_with(&self, argument: &str) -> String {
        let mut words = vec!["flakehunt".to_owned()];
        words.extend(self.typed.iter().cloned());
        if !words.iter().any(|word| word == "--") {
            words.push("--".to_owned());
        }
        words.push(argument.to_owned());
        shell_words::join(words)
    }

    /// Writes the request and gives the command that answers it.
    ///
    /// # Errors
    /// The request cannot be written.
    pub fn command(
        &self,
        mode: Mode,
        files: Files<'_>,
        run: Option<&RunRequest>,
        hash_seed: Option<u32>,
    ) -> io::Result<Command> {
        let request =
            Request { protocol: 1, mode, stream: files.stream, suite: files.suite, cache: &self.cache, run };
        fs::write(files.request, serde_json::to_vec(&request)?)?;
        let mut env: Vec<(OsString, Option<OsString>)> = vec![
            ("FLAKEHUNT_REQUEST".into(), Some(files.request.into())),
            ("PYTHONPATH".into(), Some(self.python_path())),
            ("PYTHONHASHSEED".into(), Some(hash_seed.unwrap_or(self.hash_seed).to_string().into())),
            // A run within somebody's pytest is not that pytest's test.
            ("PYTEST_CURRENT_TEST".into(), None),
            ("PYTEST_XDIST_WORKER".into(), None),
        ];
        if let Some(tmpdir) = files.tmpdir {
            env.push(("TMPDIR".into(), Some(tmpdir.into())));
        }
        Ok(Command {
            argv: self.argv(run),
            directory: self.directory.clone(),
            env,
            stdin: if mode == Mode::Serve { Stdin::Piped } else { Stdin::Null },
            output: Sink::File { path: files.output.to_owned(), cap: DEFAULT_CAP },
            // A server has children of its own to take down; it sees our end by the end of its input.
            die_with_parent: mode != Mode::Serve,
        })
    }

    fn argv(&self, run: Option<&RunRequest>) -> Vec<OsString> {
        let mut argv: Vec<OsString> = self.launcher.iter().map(OsString::from).collect();
        argv.extend(["-m", "pytest", "-p", "flakehunt_plugin"].map(OsString::from));
        let mut option = |name: &str, value: &Path| {
            let mut word = OsString::from(name);
            word.push(value);
            argv.push(word);
        };
        if let Some(rootdir) = &self.rootdir {
            option("--rootdir=", Path::new(rootdir));
        }
        if let Some(inifile) = &self.inifile {
            // `-c FILE`; pytest before 8 has no long form with `=`.
            option("-c", Path::new(inifile));
        }
        option("-ocache_dir=", &self.cache.join("pytest"));
        if let Some(run) = run {
            option("--basetemp=", &run.basetemp);
            if let Some(junit) = &run.junit {
                option("--junitxml=", junit);
                argv.push("-ojunit_logging=no".into());
            }
        }
        match run.and_then(|run| run.only_files.as_deref()) {
            None => {
                argv.extend(self.pytest_args.iter().map(OsString::from));
                argv.extend(self.selection.iter().map(OsString::from));
            }
            Some(files) => argv.extend(self.fewer(files)),
        }
        argv
    }

    /// What pytest is given where only these files are to be collected. The plugin keeps it from collecting others it
    /// comes across, but not those that are named.
    fn fewer(&self, files: &[String]) -> Vec<OsString> {
        let root = Path::new(self.rootdir.as_deref().unwrap_or_default());
        let keeps = |word: &String| {
            let path = self.directory.join(word.split("::").next().unwrap_or(word));
            !path.is_file() || files.iter().any(|file| path == root.join(file))
        };
        let mut words: Vec<OsString> = self
            .pytest_args
            .iter()
            .filter(|word| word.starts_with('-') || keeps(word))
            .map(OsString::from)
            .collect();
        let kept: Vec<&String> = self.selection.iter().filter(|word| keeps(word)).collect();
        if kept.len() < self.selection.len() && kept.is_empty() {
            // Everything that was named is left out: without a name pytest would look everywhere.
            words.extend(files.iter().map(|file| root.join(file).into_os_string()));
        }
        words.extend(kept.into_iter().map(OsString::from));
        words
    }

    fn python_path(&self) -> OsString {
        let mut path = self.plugin_home.clone().into_os_string();
        if let Some(own) = self.python_path.as_ref().filter(|own| !own.is_empty()) {
            path.push(":");
            path.push(own);
        }
        path
    }
}
