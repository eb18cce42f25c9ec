//! What a journal holds. Reports are a function of these events and of nothing else.

use serde::{Deserialize, Serialize};

use crate::core::hunt::load::Load;
use crate::core::outcome::{Outcome, Seen};
use crate::core::run::{Account, Cost, Failure, Probed, ProcessEnd, RunId, RunRecord, RunSpec};
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
    /// From here on another number of runs goes on at once, since so much was idle.
    Jobs {
        /// How many.
        jobs: u32,
        /// What was idle when that was decided.
        load: Load,
    },
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
    /// Paths and node ids that pytest was given.
    #[serde(default)]
    pub selection: Vec<String>,
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

/// The answer to a question; with the question it makes a [`RunRecord`].
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
    /// See [`RunRecord::details`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<u32>,
    /// See [`RunRecord::micros`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub micros: Vec<u64>,
    /// See [`RunRecord::accounts`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
    /// See [`RunRecord::probed`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probed: Vec<Probed>,
    /// See [`RunRecord::fanned`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fanned: Vec<Vec<Seen>>,
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

impl Answer {
    /// What the journal keeps of a record.
    pub fn of(record: &RunRecord) -> Self {
        Self {
            run: record.run,
            outcomes: record.outcomes.iter().map(|outcome| outcome.letter()).collect(),
            failures: record.failures.clone(),
            end: record.end,
            invalid: record.invalid.clone(),
            beside: record.beside,
            fresh: record.fresh,
            random_seed: record.random_seed,
            cost: record.cost,
            details: record.details.clone(),
            micros: record.micros.clone(),
            accounts: record.accounts.clone(),
            probed: record.probed.clone(),
            fanned: record.fanned.clone(),
        }
    }

    /// The record this is the answer of, given its question. The error says in what it does not fit the question.
    pub fn into_record(self, spec: &RunSpec) -> Result<RunRecord, String> {
        let run = self.run.0;
        let outcomes = self
            .outcomes
            .chars()
            .map(|letter| Outcome::from_letter(letter).ok_or(letter))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|letter| format!("run {run}: {letter:?} is not an outcome"))?;
        let (asked, answered) = (spec.order.len(), outcomes.len());
        if asked != answered {
            return Err(format!("run {run}: {asked} tests were asked for, {answered} are answered"));
        }
        if let Some(failure) = self.failures.iter().find(|failure| failure.at as usize >= asked) {
            return Err(format!("run {run}: a failure at position {} of {asked}", failure.at));
        }
        Ok(RunRecord {
            run: self.run,
            outcomes,
            failures: self.failures,
            end: self.end,
            invalid: self.invalid,
            beside: self.beside,
            fresh: self.fresh,
            random_seed: self.random_seed,
            cost: self.cost,
            details: self.details,
            micros: self.micros,
            accounts: self.accounts,
            probed: self.probed,
            fanned: self.fanned,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::order::OrderName;
    use crate::core::outcome::Phase;
    use crate::core::run::Purpose;
    use crate::core::test_id::TestIdx;

    fn spec(tests: u32) -> RunSpec {
        RunSpec {
            detailed: true,
            ..RunSpec::of(
                (0..tests).map(TestIdx).collect::<Vec<_>>(),
                OrderName::Collection,
                Purpose::Baseline,
            )
        }
    }

    fn record() -> RunRecord {
        RunRecord {
            run: RunId(7),
            outcomes: vec![Outcome::Passed, Outcome::Errored(Phase::Teardown), Outcome::NotReached],
            failures: vec![Failure {
                at: 1,
                phase: Some(Phase::Teardown),
                fingerprint: "f00d".into(),
                message: "boom".into(),
            }],
            end: ProcessEnd::Signalled(11),
            invalid: Some("why".into()),
            beside: true,
            fresh: true,
            random_seed: u64::MAX,
            cost: Cost { wall_ms: 1, cpu_ms: 2, tests_ms: 3 },
            details: vec![7, u32::MAX, 0],
            micros: vec![250_000, 1, 0],
            accounts: vec![Account {
                at: 1,
                kind: "ValueError".into(),
                message: "boom".into(),
                text: "def test():\nboom".into(),
            }],
            probed: vec![Probed { n: 1, failed: true }],
            fanned: vec![vec![Seen::Pass, Seen::Fail], Vec::new()],
        }
    }

    #[test]
    fn a_record_comes_back_from_the_journal_unchanged() {
        let json = serde_json::to_string(&Event::Answered(Answer::of(&record()))).unwrap();
        let Event::Answered(answer) = serde_json::from_str(&json).unwrap() else { panic!("{json}") };
        assert_eq!(answer.into_record(&spec(3)).unwrap(), record());
    }

    #[test]
    fn an_answer_to_another_question_is_refused() {
        let answer = Answer::of(&record());
        assert!(answer.clone().into_record(&spec(2)).unwrap_err().contains("2 tests were asked for, 3"));
        assert!(answer.clone().into_record(&spec(4)).is_err());
        let unknown = Answer { outcomes: ".?-".into(), ..answer.clone() };
        assert!(unknown.into_record(&spec(3)).unwrap_err().contains("'?'"));
        let mut outside = answer;
        outside.failures[0].at = 3;
        assert!(outside.into_record(&spec(3)).unwrap_err().contains("position 3"));
    }
}
