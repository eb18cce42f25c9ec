//! The spawn executor: every question is answered by a pytest process of its own.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use fs_err as fs;

use super::executor::{Answered, random_seed};
use super::folders::{Folder, Folders};
use super::follow::Follow;
use super::invocation::{Files, Invocation, Mode, RunRequest};
use super::junit;
use super::lasting::Now;
use super::pace::Pace;
use super::slots::{Slot, Slots};
use super::stream::{Conclusion, Told, accounts, conclude, micros};
use crate::core::fingerprint::{masked, shorten};
use crate::core::run::{Account, Cost, ProcessEnd, RunId, RunRecord, RunSpec};
use crate::core::test_id::{Suite, TestIdx};
use crate::error::Failure;
use crate::process::{self, CancelSignal, Hold, Limit};
use crate::session::session_dir::{RunDir, SessionDir};

/// Orders of so many tests and more run by the short protocol where processes are all there is: reports of tests that
/// pass are most of what small tests cost. Proofs are shorter, and run by the full one.
const LEAN_FROM: usize = 50;

/// A run of so few tests is one of many that ask the same of them: their failures need no long form each time.
const PROBE: usize = 4;

/// What all executors of a session share.
#[derive(Clone, Debug)]
pub struct Workshop {
    /// How pytest is started.
    pub invocation: Invocation,
    /// Where runs leave their files.
    pub session: SessionDir,
    /// What was collected.
    pub suite: Arc<Suite>,
    /// What the seeds of runs are derived from.
    pub session_seed: u64,
    /// How long things may take.
    pub pace: Rc<Pace>,
    /// What need not be told again: failures that were told in full, by fingerprint, and why runs were cut short.
    pub told: Rc<RefCell<HashSet<String>>>,
    /// What runs now.
    pub now: Now,
    /// Where their temporary files go.
    pub folders: Rc<Folders>,
}

/// Starts a process for each question.
#[derive(Debug)]
pub struct Spawn {
    workshop: Workshop,
}

/// A run that may begin.
pub(super) struct Prepared {
    pub dir: RunDir,
    pub request: RunRequest,
    pub folder: Folder,
}

impl Workshop {
    /// Makes the folders of a run and writes its order.
    pub(super) fn prepare(&self, run: RunId, spec: &RunSpec) -> Result<Prepared, Failure> {
        let dir = self.session.create_run(run)?;
        let unwritable = |error: std::io::Error| Failure::io("write the files of a run", &error);
        let folder = self.folders.take().map_err(unwritable)?;
        let order = serde_json::to_vec(&spec.order).map_err(|error| Failure::internal(error.to_string()))?;
        fs::write(dir.order(), order).map_err(unwritable)?;
        let only_files = spec
            .files
            .as_ref()
            .map(|files| files.iter().map(|file| self.suite.file(*file).to_owned()).collect());
        let request = RunRequest {
            id: run.0,
            order: dir.order(),
            junit: Some(dir.junit()),
            random_seed: spec.random_seed.unwrap_or_else(|| random_seed(self.session_seed, run)),
            basetemp: folder.basetemp(),
            tmpdir: folder.tmpdir(),
            partial: only_files.is_some(),
            only_files,
            hold: None,
            log: None,
            stream: None,
            sections: spec.detailed,
            lean: false,
            brief: spec.order.len() <= PROBE && !spec.full && !spec.manner.measured,
            fresh_fixtures: spec.manner.fresh_fixtures,
            max_fail: spec.manner.max_fail,
            probes: spec.probes.clone(),
            fan: spec.fan.clone(),
        };
        Ok(Prepared { dir, request, folder })
    }

    /// Removes the temporary files of a run, of which there may be many. What a forked child started and what then left
    /// its group is known by them; it must not be met by the next run.
    async fn tidy(&self, folder: Folder, forked: Option<i32>, in_order: bool) {
        let tidy = move || {
            if let Some(child) = forked {
                process::kill_started_since(child, &format!("TMPDIR={}/", folder.path().display()));
            }
            if in_order && folder.is_as_made() {
                return Some(folder);
            }
            folder.remove();
            None
        };
        if let Ok(Some(folder)) = tokio::task::spawn_blocking(tidy).await {
            self.folders.give_back(folder);
        }
    }

    /// Makes the answer of a run that has ended, leaves its JUnit, and removes what else it left.
    pub(super) async fn conclude(&self, folder: Folder, ended: EndedRun<'_>) -> Result<Answered, Failure> {
        let in_order = !ended.leaked && !ended.lingered && matches!(ended.end, ProcessEnd::Exited(_));
        let tidied = self.tidy(folder, ended.forked, in_order);
        tokio::join!(self.answer(ended), tidied).0
    }

    /// Whether this is said for the first time.
    fn is_new(&self, what: &str) -> bool {
        self.told.borrow_mut().insert(what.to_owned())
    }

    /// What pytest says of the failures of a run that nobody was told of.
    fn new_accounts(&self, told: &Told, conclusion: &Conclusion) -> Vec<Account> {
        let new = |at: u32| {
            let failure = conclusion.failures.iter().find(|failure| failure.at == at);
            failure.is_some_and(|failure| self.is_new(&failure.fingerprint))
        };
        accounts(told, conclusion).into_iter().filter(|account| new(account.at)).collect()
    }

    async fn answer(&self, ended: EndedRun<'_>) -> Result<Answered, Failure> {
        let EndedRun { run, spec, dir, request, mut told, finished, mut end, wall, cpu, forked, .. } = ended;
        told.keep_within(wall);
        let fresh = forked.is_none();
        if let (true, Some(code)) = (ended.lingered, told.end) {
            // All that pytest had to do was done: how we ended what was left of the process says nothing.
            end = ProcessEnd::Exited(code);
        }
        if end == ProcessEnd::Cancelled {
            return Ok(Answered { record: None, notices: Vec::new(), processes: u32::from(fresh) });
        }
        let conclusion = conclude(&told, &spec.order, end, Some(finished));
        if matches!(end, ProcessEnd::Exited(_)) && conclusion.invalid.is_none() && told.end.is_some() {
            let slowest = told.seconds.iter().copied().fold(0.0, f64::max);
            self.pace.learn(Duration::from_secs_f64(slowest), wall);
        }
        let mut notices: Vec<(String, String)> = told
            .changed
            .iter()
            .map(|changed| ("plugin".to_owned(), format!("{}: {}", changed.plugin, changed.what)))
            .collect();
        let where_ = format!("run {:06}", run.0);
        if let Some(first) = told.collected.as_ref().and_then(|collected| collected.unstable.first()) {
            // Whatever the number in this run: said once for a session.
            let id = self.suite.node_id(TestIdx(*first));
            notices.push(("unstable-ids".to_owned(), unstable_ids(id)));
        }
        if let Some(why) = told.cut.as_deref().filter(|why| self.is_new(&format!("cut {}", masked(why)))) {
            let text = format!(
                "pytest stopped before the last test of a run ({}): what is not reached is not tried",
                shorten(why)
            );
            notices.push(("cut".to_owned(), text));
        }
        if let Some(remark) = &conclusion.remark {
            notices.push(("run".to_owned(), format!("{where_}: {remark}")));
        }
        if ended.leaked {
            notices.push((
                "leak".to_owned(),
                format!("{where_} left a process behind, or a handle open; it was ended"),
            ));
        }
        if ended.lingered {
            self.pace.lingered();
            notices.push((
                "leak".to_owned(),
                format!("{where_} did not exit after pytest had ended (a thread, or an exit handler); it was ended"),
            ));
        }
        if let Some(limit) = ended.timed_out {
            let which = match limit {
                Limit::Test => "a test took too long (--test-timeout)",
                Limit::Run => "it took too long (--run-timeout)",
            };
            notices.push(("time-out".to_owned(), format!("{where_} was stopped: {which}")));
        }
        let papers = Papers {
            suite: self.suite.clone(),
            order: spec.order.clone(),
            path: dir.junit(),
            ended_well: told.end.is_some() && conclusion.invalid.is_none(),
            seconds: wall.as_secs_f64(),
        };
        let (micros, accounts) = match (spec.full, spec.manner.measured) {
            (true, _) => (micros(&told), accounts(&told, &conclusion)),
            (false, true) => (micros(&told), self.new_accounts(&told, &conclusion)),
            (false, false) => Default::default(),
        };
        let record = RunRecord {
            run,
            outcomes: conclusion.outcomes.clone(),
            failures: conclusion.failures.clone(),
            end,
            invalid: conclusion.invalid.clone(),
            beside: false,
            fresh,
            random_seed: request.random_seed,
            details: told.details.clone(),
            micros,
            accounts,
            probed: told.probed.clone(),
            fanned: told.fanned.clone(),
            cost: Cost {
                wall_ms: wall.as_millis() as u64,
                cpu_ms: cpu.as_millis() as u64,
                tests_ms: conclusion.tests_ms,
            },
        };
        // Reading 5,000 cases takes long enough to keep other runs waiting.
        let doubts = tokio::task::spawn_blocking(move || papers.check(&told, &conclusion))
            .await
            .map_err(|error| Failure::internal(error.to_string()))??;
        notices.extend(doubts.into_iter().map(|doubt| ("junit".to_owned(), format!("{where_}: {doubt}"))));
        Ok(Answered { record: Some(record), notices, processes: u32::from(fresh) })
    }
}

/// What is said of node ids that differ from one collection to the next.
pub(super) fn unstable_ids(example: &str) -> String {
    format!(
        "{example}: such a node id is another one at every collection; the test is found again by its place among \
         the parameters of its function"
    )
}

/// A run whose process has ended.
pub(super) struct EndedRun<'a> {
    pub run: RunId,
    pub spec: &'a RunSpec,
    pub dir: &'a RunDir,
    pub request: &'a RunRequest,
    pub told: Told,
    pub finished: u64,
    pub end: ProcessEnd,
    pub wall: Duration,
    pub cpu: Duration,
    pub leaked: bool,
    pub lingered: bool,
    pub timed_out: Option<Limit>,
    /// The child that it was, where it had no process of its own from the start.
    pub forked: Option<i32>,
}

/// The JUnit side of a run.
struct Papers {
    suite: Arc<Suite>,
    order: Arc<[TestIdx]>,
    path: PathBuf,
    ended_well: bool,
    seconds: f64,
}

impl Papers {
    /// Holds pytest's own report against the stream; where there is none, writes one. Gives what does not agree.
    fn check(&self, told: &Told, conclusion: &Conclusion) -> Result<Vec<String>, Failure> {
        if self.ended_well && self.path.exists() {
            return Ok(match junit::read_file(&self.path) {
                Ok(report) => junit::crosscheck(told, &self.order, &self.suite, &report),
                Err(error) => vec![format!("pytest's JUnit cannot be read: {error}")],
            });
        }
        let run = junit::Run {
            suite: &self.suite,
            order: &self.order,
            told,
            conclusion,
            seconds: self.seconds,
            timestamp: None,
        };
        junit::write(&self.path, &run).map_err(|error| Failure::io("write the JUnit of a run", &error))?;
        Ok(Vec::new())
    }
}

impl Spawn {
    /// An executor that starts a process for each question.
    pub fn new(workshop: Workshop) -> Self {
        Self { workshop }
    }
}

impl Spawn {
    /// Answers a question. Where its tests have no `place` yet, the process starts all the same, collects, and waits
    /// for one of `slots`.
    pub(super) async fn answer<'a>(
        &self,
        run: RunId,
        spec: RunSpec,
        mut place: Option<Slot<'a>>,
        slots: &'a Slots,
        cancel: CancelSignal,
    ) -> Result<Answered, Failure> {
        let workshop = &self.workshop;
        let unwritable = |error: std::io::Error| Failure::io("write the files of a run", &error);
        let Prepared { dir, mut request, folder } = workshop.prepare(run, &spec)?;
        request.lean = !spec.fresh && !spec.detailed && spec.order.len() >= LEAN_FROM;
        let hold = if place.is_none() { Hold::at(&folder.hold()).ok() } else { None };
        if place.is_none() && hold.is_none() {
            // Where the file system has no FIFOs, nothing can be held.
            place = Some(slots.take().await);
        }
        request.hold = hold.as_ref().map(|_| folder.hold());
        let (request_path, suite_path) = (dir.path().join("request.json"), workshop.session.suite());
        let (stream, output) = (dir.stream(), dir.output());
        let tmpdir = Some(&*request.tmpdir);
        let files =
            Files { request: &request_path, stream: &stream, suite: &suite_path, output: &output, tmpdir };
        let command = workshop
            .invocation
            .command(Mode::Run, files, Some(&request), spec.hash_seed)
            .map_err(unwritable)?;
        let mut follow = Follow::new(stream.clone(), run, &spec, &workshop.now);
        let held = follow.held();
        held.set(hold.is_some());
        let supervised = process::supervise(command, workshop.pace.limits(), &mut follow, cancel);
        let ended = match hold {
            None => supervised.await,
            Some(hold) => {
                let let_go = || {
                    held.set(false);
                    hold.let_go()
                };
                in_a_slot(supervised, slots, let_go).await
            }
        };
        drop(place);
        let ended =
            ended.map_err(|error| Failure::environment(format!("pytest could not be started: {error}")))?;
        process::kill_escaped(&ended.escaped);
        let (told, finished) = follow.finish();
        let waited = Duration::try_from_secs_f64(told.waited).unwrap_or_default();
        let ended = EndedRun {
            run,
            spec: &spec,
            dir: &dir,
            request: &request,
            told,
            finished,
            end: ended.end,
            wall: ended.wall.saturating_sub(waited),
            cpu: ended.cpu,
            leaked: ended.leaked || !ended.escaped.is_empty(),
            lingered: ended.lingered,
            timed_out: ended.timed_out,
            forked: None,
        };
        workshop.conclude(folder, ended).await
    }
}

/// Waits for the end of a process that is to be let go once there is a place for its tests, which it has until its end.
async fn in_a_slot<T>(
    process: impl Future<Output = io::Result<T>>,
    slots: &Slots,
    let_go: impl FnOnce() -> io::Result<()>,
) -> io::Result<T> {
    let mut process = pin!(process);
    let place = tokio::select! {
        // It may end before: by a signal, or since nothing could be collected.
        ended = &mut process => return ended,
        place = slots.take() => place,
    };
    let_go()?;
    let ended = process.await;
    drop(place);
    ended
}
