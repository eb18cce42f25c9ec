//! What a journal holds. Reports are a function of these events and of nothing else.

use serde::{Deserialize, Serialize};

use crate::core::run::{Cost, Failure, ProcessEnd, RunId, RunSpec};
use crate::core::test_id::SuiteDigest;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first line.
    Session(Header),
    /// What was collected; the tests themselves are in `suite.json`.
    Suite {
        /// How many tests.
        tests: u32,
        /// What guards resume.
        digest: SuiteDigest,
        /// Node ids that differ at every collection.
        unstable: u32,
    },
    /// A question was put to the executor.
    Asked {
        /// The number the answer will carry.
        run: RunId,
        /// The question.
        spec: RunSpec,
    },
    /// Its answer.
    Answered(Answer),
    /// Something a person should know, said once (a plugin was neutralised, jobs fell to 1, fork was refused).
    Notice {
        /// What it is about, a stable word.
        about: String,
        /// The sentence.
        text: String,
    },
    /// The hunt is over, for now.
    Ended {
        /// Why.
        why: EndReason,
        /// Time since the session began (all its sittings), in milliseconds.
        wall_ms: u64,
    },
}

/// Who asked for what, where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the journal's format.
    pub format: u32,
    /// The flakehunt that wrote it.
    pub flakehunt: String,
    /// The session's short name.
    pub session: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// The command and what it was given, resolved.
    pub plan: serde_json::Value,
    /// The command's word (`shuffle`, `bisect`, ...).
    pub command: String,
    /// What it runs on.
    pub environment: Environment,
}

/// What a session runs on. A resumed session must find the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The interpreter's version, `3.12.4`.
    pub python: String,
    /// How to start it.
    pub launcher: Vec<String>,
    /// Where it was found, for people (`.venv`, `VIRTUAL_ENV`, `python3 on PATH`).
    pub origin: String,
    /// pytest's version.
    pub pytest: String,
    /// Loaded plugins: distribution and version.
    pub plugins: Vec<(String, String)>,
    /// The directory pytest runs in.
    pub directory: String,
    /// pytest's root directory.
    pub rootdir: String,
    /// pytest's configuration file, where there is one.
    pub inifile: Option<String>,
    /// What was passed on to pytest.
    pub pytest_args: Vec<String>,
    /// `fork` or `spawn`.
    pub executor: String,
    /// How many runs at once.
    pub jobs: u32,
    /// PYTHONHASHSEED of every run that has none of its own.
    pub hash_seed: u32,
    /// What the seeds of runs are derived from.
    pub session_seed: u64,
}

/// The answer to a question; with the question it makes a [`RunRecord`](crate::core::run::RunRecord).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Which question.
    pub run: RunId,
    /// One letter a position of the order (see `Outcome::letter`).
    pub outcomes: String,
    /// What failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// How the process ended.
    pub end: ProcessEnd,
    /// Why it is no evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// Another run went on beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside: bool,
    /// It had a process of its own from the start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// The seed of `random` in the child.
    pub random_seed: u64,
    /// What it cost.
    pub cost: Cost,
}

/// Why a hunt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The search had no more questions.
    Finished,
    /// `--budget` was used up.
    Budget,
    /// `--max-runs` was used up.
    MaxRuns,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}
