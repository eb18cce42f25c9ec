//! The fork executor: questions are answered by children of a server that has collected, wherever that is as good as a
//! process of their own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::collect::PATIENCE;
use super::executor::{Answered, Executor};
use super::follow::Follow;
use super::lasting::Lasting;
use super::server::{Home, NoChild, Server, Started};
use super::slots::Slots;
use super::spawn::{EndedRun, Prepared, Spawn, Workshop};
use super::suite_file;
use crate::core::run::{ProcessEnd, RunId, RunSpec};
use crate::core::test_id::Suite;
use crate::error::Failure;
use crate::process::{
    self, CancelSignal, Copier, DEFAULT_CAP, Governed, Group, Limit, Load, Settled, Signal, Sink, Stopped,
};

/// What a collected process remembers of the time grows old: "now" at import, tokens with a term.
const OLDEST: Duration = Duration::from_secs(600);
/// A server is renewed after so many children, in case they wear something out that they share.
const MOST_CHILDREN: u32 = 2000;
/// Where so many servers died, something in the suite kills them.
const MOST_DEATHS: u32 = 3;

/// Forks where it may, starts processes where it must.
pub struct Fork {
    workshop: Workshop,
    spawn: Spawn,
    server: RefCell<Option<Rc<Server>>>,
    renewing: Cell<bool>,
    /// How many servers there were.
    servers: Cell<u32>,
    /// How many of them died.
    deaths: Cell<u32>,
}

/// Why a forked run gave no answer.
enum Lost {
    /// The server is gone: another one may answer.
    Server,
    /// A process of its own has to answer.
    Child(String),
}

/// Kills a group when it is dropped; one that is known to be empty is left alone.
struct Guard(Group);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.signal(Signal::SIGKILL);
    }
}

impl Fork {
    /// An executor over this server; without one every question is answered by a process of its own.
    pub fn new(workshop: Workshop, server: Option<Server>) -> Self {
        Self {
            spawn: Spawn::new(workshop.clone()),
            workshop,
            server: RefCell::new(server.map(Rc::new)),
            renewing: Cell::new(false),
            servers: Cell::new(1),
            deaths: Cell::new(0),
        }
    }

    /// Ends the server and waits until it is gone.
    pub async fn close(self) {
        if let Some(server) = self.server.into_inner().and_then(Rc::into_inner) {
            server.close().await;
        }
    }

    /// The server for a question, where a forked child may answer it.
    fn server_for(&self, spec: &RunSpec) -> Option<Rc<Server>> {
        let own_process = spec.fresh
            || spec.files.is_some()
            || spec.hash_seed.is_some_and(|seed| seed != self.workshop.invocation.hash_seed);
        if own_process { None } else { self.server.borrow().clone() }
    }

    /// Puts a new server in the place of one that is old or gone. A sentence where there is none from now on.
    async fn renew(&self, old: &Rc<Server>, cancel: CancelSignal) -> Option<String> {
        let is_current = self.server.borrow().as_ref().is_some_and(|now| Rc::ptr_eq(now, old));
        if !is_current || self.renewing.replace(true) {
            return None;
        }
        let number = self.servers.replace(self.servers.get() + 1);
        let renewed = self.start(number, cancel).await;
        self.renewing.set(false);
        let (server, problem) = match renewed {
            Ok(server) => (Some(server), None),
            Err(problem) => (None, Some(problem)),
        };
        *self.server.borrow_mut() = server.map(Rc::new);
        problem.map(|problem| format!("{problem}; from now on runs start fresh processes"))
    }

    /// The same for a server that has died; a suite that kills its servers is not worth many of them.
    async fn replace(&self, dead: &Rc<Server>, cancel: CancelSignal) -> Option<String> {
        let is_current = self.server.borrow().as_ref().is_some_and(|now| Rc::ptr_eq(now, dead));
        if is_current && !self.renewing.get() {
            self.deaths.set(self.deaths.get() + 1);
        }
        if self.deaths.get() < MOST_DEATHS {
            return self.renew(dead, cancel).await;
        }
        *self.server.borrow_mut() = None;
        Some(format!("fork: {MOST_DEATHS} servers died; from now on runs start fresh processes"))
    }

    async fn start(&self, number: u32, cancel: CancelSignal) -> Result<Server, String> {
        let folder = self.workshop.session.path().join("server");
        let suite = folder.join(format!("suite-{number}.json"));
        let scratch = self.workshop.folders.home().join(format!("server-{number}"));
        let failed = |failure: String| format!("fork: a new server could not be started ({failure})");
        for folder in [&folder, &scratch] {
            fs_err::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        }
        let home = Home { folder: &folder, suite: &suite, scratch: &scratch };
        let started = Server::start(&self.workshop.invocation, home, PATIENCE, cancel).await;
        let Started { server, .. } = started.map_err(|failure| failed(failure.error))?;
        let server = server.ok_or_else(|| failed("it ended while it collected".to_owned()))?;
        if let Some(reason) = server.serving().against.first() {
            return Err(format!("fork: {reason}"));
        }
        let now = suite_file::read(&suite).map_err(|error| failed(error.to_string()))?;
        let _ = fs_err::remove_file(&suite);
        if !same(&self.workshop.suite, &now) {
            return Err("fork: a new server collected other tests".to_owned());
        }
        Ok(server)
    }

    /// Answers by a child of this server.
    async fn forked(
        &self,
        server: &Server,
        run: RunId,
        spec: &RunSpec,
        cancel: CancelSignal,
    ) -> Result<Result<Answered, Lost>, Failure> {
        let workshop = &self.workshop;
        let unwritable = |error: std::io::Error| Failure::io("write the files of a run", &error);
        let Prepared { dir, mut request, folder } = workshop.prepare(run, spec)?;
        let log = folder.log();
        let output = Sink::File { path: dir.output(), cap: DEFAULT_CAP };
        let copier = Copier::from_fifo(&log, output).map_err(unwritable)?;
        request.log = Some(log);
        request.stream = Some(dir.stream());
        request.lean = server.serving().lean && !spec.detailed;
        #[expect(clippy::disallowed_methods, reason = "the cost of a run is measured here")]
        let began = std::time::Instant::now();
        let forked = match server.fork(&request).await {
            Ok(forked) => forked,
            Err(NoChild::Gone) => return Ok(Err(Lost::Server)),
            Err(NoChild::Refused(message)) => return Ok(Err(Lost::Child(message))),
        };
        let guard = Guard(Group::of(forked.pid));
        let group = &guard.0;
        let mut follow = Follow::new(dir.stream(), run, spec, &workshop.now);
        let limits = workshop.pace.limits();
        let Governed { exit, stopped } =
            process::govern(group, limits, &mut follow, cancel, forked.reaped).await;
        let wall = began.elapsed();
        let reaped = match exit {
            Some(Ok(reaped)) => Some(reaped),
            // The server died, and with it whoever could say how the child ended.
            Some(Err(_)) => return Ok(Err(Lost::Server)),
            None => None,
        };
        if reaped.is_some() {
            group.leader_is_gone();
        }
        let Settled { leaked, .. } = process::settle(group, copier).await;
        let (told, finished) = follow.finish();
        let end = match (stopped, reaped.map(|reaped| reaped.status)) {
            (Some(Stopped::Limit(_)), _) => ProcessEnd::TimedOut,
            (Some(Stopped::Cancelled), _) => ProcessEnd::Cancelled,
            (Some(Stopped::Lingered) | None, Some(status)) if status < 0 => ProcessEnd::Signalled(-status),
            (Some(Stopped::Lingered) | None, status) => ProcessEnd::Exited(status.unwrap_or(-1)),
        };
        let unborn = told.executed.is_empty() && told.mismatch.is_none() && !spec.order.is_empty();
        if unborn && stopped.is_none() {
            let how = match end {
                ProcessEnd::Signalled(signal) => format!("signal {signal}"),
                _ => format!("status {}", reaped.map_or(-1, |reaped| reaped.status)),
            };
            return Ok(Err(Lost::Child(format!("it ended before its first test, with {how}"))));
        }
        let timed_out: Option<Limit> = match stopped {
            Some(Stopped::Limit(limit)) => Some(limit),
            Some(Stopped::Cancelled | Stopped::Lingered) | None => None,
        };
        let ended = EndedRun {
            run,
            spec,
            dir: &dir,
            request: &request,
            told,
            finished,
            end,
            wall,
            cpu: reaped.map(|reaped| reaped.cpu).unwrap_or_default(),
            leaked,
            lingered: stopped == Some(Stopped::Lingered),
            timed_out,
            forked: Some(group.id()),
        };
        let mut answered = workshop.conclude(folder, ended).await?;
        if let Some(record) = &mut answered.record
            && record.invalid.is_none()
            && let Some(name) = server.littered()
        {
            record.invalid =
                Some(format!("`{name}` was left in a temporary folder that was chosen while collecting"));
        }
        Ok(Ok(answered))
    }
}

impl Executor for Fork {
    fn starts_ahead(&self) -> bool {
        self.server.borrow().is_none()
    }

    fn lasting(&self) -> Option<Lasting> {
        self.workshop.now.longest(self.workshop.pace.limits().test)
    }

    async fn answer(
        &self,
        run: RunId,
        spec: RunSpec,
        slots: &Slots,
        cancel: CancelSignal,
    ) -> Result<Answered, Failure> {
        let mut notices = Vec::new();
        let mut processes = 0;
        let mut place = slots.try_take();
        if place.is_none() && (spec.manner.load > 0 || !self.starts_ahead()) {
            place = Some(slots.take().await);
        }
        let _load = Load::start(spec.manner.load)
            .map_err(|error| Failure::io("start threads that keep processors busy", &error))?;
        // A server that has died is replaced once for a question; the question may be what kills it.
        for last in [false, true] {
            let Some(server) = self.server_for(&spec) else { break };
            if server.age() > OLDEST || server.forked() >= MOST_CHILDREN {
                processes += 1;
                notices.extend(self.renew(&server, cancel.clone()).await);
            }
            let Some(server) = self.server_for(&spec) else { break };
            match self.forked(&server, run, &spec, cancel.clone()).await? {
                Ok(mut answered) => {
                    answered.notices.extend(notices.into_iter().map(|text| ("fork".to_owned(), text)));
                    answered.processes += processes;
                    return Ok(answered);
                }
                Err(Lost::Child(why)) => {
                    notices.push(format!(
                        "run {:06} could not be forked ({why}); a fresh process answers it",
                        run.0
                    ));
                    break;
                }
                Err(Lost::Server) if last => {
                    notices.push(format!(
                        "no server lived to answer run {:06}; a fresh process answers it",
                        run.0
                    ));
                }
                Err(Lost::Server) => {
                    processes += 1;
                    notices.extend(self.replace(&server, cancel.clone()).await);
                }
            }
        }
        let mut answered = self.spawn.answer(run, spec, place, slots, cancel).await?;
        answered.notices.extend(notices.into_iter().map(|text| ("fork".to_owned(), text)));
        answered.processes += processes;
        Ok(answered)
    }
}

/// Whether two collections hold the same tests at the same places; ids that differ at every collection may differ.
fn same(one: &Suite, other: &Suite) -> bool {
    one.len() == other.len()
        && one.tests().iter().zip(other.tests()).all(|(a, b)| a.unstable || b.unstable || a.id == b.id)
}
