//! What a journal amounts to, and whether a session may go on.

use std::collections::HashMap;

use super::event::{EndReason, Environment, Event, Header};
use super::journal::Read;
use crate::core::run::{RunId, RunRecord, RunSpec};
use crate::core::test_id::SuiteDigest;
use crate::error::Failure;

/// A journal folded up: every question with its answer, in the order of asking.
#[derive(Clone, Debug)]
pub struct History {
    /// Who asked for what, where.
    pub header: Header,
    /// What was collected; `None` where the session ended before that.
    pub suite: Option<SuiteDigest>,
    /// The questions, with their answers where there is one.
    pub runs: Vec<(RunId, RunSpec, Option<RunRecord>)>,
    /// What a person should know: about what, and the sentence. Each once.
    pub notices: Vec<(String, String)>,
    /// Why the last sitting ended; `None` where it was killed.
    pub ended: Option<EndReason>,
    /// The time of all sittings up to the last orderly end, in milliseconds.
    pub wall_ms: u64,
    /// Where each run is in `runs`.
    places: HashMap<RunId, usize>,
}

impl History {
    /// Folds a journal up. An error where lines that hold contradict each other.
    pub fn of(read: &Read) -> Result<Self, Failure> {
        let mut history = Self {
            header: read.header().clone(),
            suite: None,
            runs: Vec::new(),
            notices: Vec::new(),
            ended: None,
            wall_ms: 0,
            places: HashMap::new(),
        };
        for event in read.events.iter().skip(1) {
            history.add(event).map_err(|why| {
                Failure::output(format!(
                    "the journal of session {} contradicts itself: {why}",
                    history.header.session
                ))
                .hint("start anew; `flakehunt clean` removes old sessions")
            })?;
        }
        Ok(history)
    }

    fn add(&mut self, event: &Event) -> Result<(), String> {
        if !matches!(event, Event::Ended { .. }) {
            self.ended = None;
        }
        match event {
            Event::Session(_) => return Err("a second beginning".to_owned()),
            Event::Suite { digest, .. } => match &self.suite {
                Some(known) if known != digest => return Err("two suites".to_owned()),
                _ => self.suite = Some(digest.clone()),
            },
            Event::Asked { run, spec } => match self.find(*run) {
                // A question that was never answered is asked again under its number.
                Some((_, asked, None)) => *asked = spec.clone(),
                Some(_) => return Err(format!("run {} is asked for after its answer", run.0)),
                None => {
                    self.places.insert(*run, self.runs.len());
                    self.runs.push((*run, spec.clone(), None));
                }
            },
            Event::Answered(answer) => match self.find(answer.run) {
                Some((_, spec, record @ None)) => *record = Some(answer.clone().into_record(spec)?),
                Some(_) => return Err(format!("run {} has two answers", answer.run.0)),
                None => return Err(format!("run {} is answered and was not asked for", answer.run.0)),
            },
            Event::Jobs { .. } => {}
            Event::Notice { about, text } => {
                if !self.notices.iter().any(|known| known.0 == *about && known.1 == *text) {
                    self.notices.push((about.clone(), text.clone()));
                }
            }
            Event::Ended { why, wall_ms } => {
                self.ended = Some(*why);
                self.wall_ms = *wall_ms;
            }
        }
        Ok(())
    }

    fn find(&mut self, run: RunId) -> Option<&mut (RunId, RunSpec, Option<RunRecord>)> {
        self.runs.get_mut(*self.places.get(&run)?)
    }

    /// The number of the next question: numbers are never used for another question.
    pub fn next_run(&self) -> RunId {
        RunId(self.runs.iter().map(|run| run.0.0 + 1).max().unwrap_or(0))
    }

    /// Refuses to mix evidence: the suite, the interpreter, pytest, its plugins and what it was given must be what
    /// they were when the session began. How many runs go on at once and how they are started may differ.
    pub fn check_same(&self, now: &Environment, digest: &SuiteDigest) -> Result<(), Failure> {
        let mut changes = changes(&self.header.environment, now);
        if self.suite.as_ref().is_some_and(|then| then != digest) {
            changes.push("the collected tests are not the same".to_owned());
        }
        if changes.is_empty() {
            return Ok(());
        }
        let (session, command) = (&self.header.session, &self.header.command);
        Err(Failure::usage(format!("session {session} cannot go on: what it was run on has changed"))
            .detail(changes.join("\n"))
            .hint(format!("begin a new session: `flakehunt {command}`"))
            .hint(format!("see what is known so far: `flakehunt report {session}`")))
    }
}

/// What differs between two environments, said for people, one line a change.
fn changes(then: &Environment, now: &Environment) -> Vec<String> {
    let mut changes = Vec::new();
    let mut compare = |what: &str, then: &str, now: &str| {
        if then != now {
            changes.push(format!("{what}: {then} then, {now} now"));
        }
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    compare("python", &then.python, &now.python);
    compare("interpreter", &shell_words::join(&then.launcher), &shell_words::join(&now.launcher));
    compare("pytest", &then.pytest, &now.pytest);
    compare("directory", &then.directory, &now.directory);
    compare("rootdir", &then.rootdir, &now.rootdir);
    compare("pytest's configuration file", &or_none(&then.inifile), &or_none(&now.inifile));
    compare(
        "arguments of pytest",
        &shell_words::join(&then.pytest_args),
        &shell_words::join(&now.pytest_args),
    );
    compare("PYTHONHASHSEED", &then.hash_seed.to_string(), &now.hash_seed.to_string());
    for (name, version) in &then.plugins {
        match now.plugins.iter().find(|plugin| plugin.0 == *name) {
            Some(plugin) => compare(&format!("plugin {name}"), version, &plugin.1),
            None => compare(&format!("plugin {name}"), version, "missing"),
        }
    }
    for (name, version) in &now.plugins {
        if !then.plugins.iter().any(|plugin| plugin.0 == *name) {
            compare(&format!("plugin {name}"), "missing", version);
        }
    }
    changes
}
