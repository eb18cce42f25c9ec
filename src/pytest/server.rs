//! The fork server: one pytest process that has collected, and forks a child for each run it is asked for.
//!
//! Requests go to its standard input. What it says comes through a FIFO, so that the end of a child is known at once,
//! and the end of the server too: it is the end of the FIFO.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use fs_err as fs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;
use tokio::process::ChildStdin;
use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::invocation::{Files, Invocation, Mode, RunRequest};
use super::stream::{Digest, Event, Lines, Told};
use crate::core::run::ProcessEnd;
use crate::error::Failure;
use crate::process::{self, Cancel, CancelSignal, Child, Keeper, Limits};

/// How much is read of what the server says at once.
const CHUNK: usize = 16 << 10;
/// Between one signal and the next harder one.
const GRACE: Duration = Duration::from_secs(3);
/// How long a server that was told to end may take.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long a fork may take; that of a process of many gigabytes takes less than a second.
const FORK: Duration = Duration::from_secs(60);

/// What a server says when it takes requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serving {
    /// Reasons against forking.
    pub against: Vec<String>,
    /// Whether the short protocol is faithful.
    pub lean: bool,
    /// Whether modules drew from `random` while they were collected, so that children share what they drew.
    pub drawn: bool,
}

/// How the start of a server came out.
pub struct Started {
    /// What it said while it collected. Where it serves, `end` is what pytest would have ended with.
    pub told: Told,
    /// How its process ended; exit code 0 where it serves.
    pub end: ProcessEnd,
    /// The server, where it takes requests.
    pub server: Option<Server>,
}

/// Where a server leaves its files.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// The folder of its request and its output.
    pub folder: &'a Path,
    /// The suite file that it writes.
    pub suite: &'a Path,
    /// Where its FIFO is made: a folder on a file system that has FIFOs.
    pub scratch: &'a Path,
}

/// The end of a child, as the server saw it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reaped {
    /// Its exit code, or minus the signal that ended it.
    pub status: i32,
    /// User and system time.
    pub cpu: Duration,
}

/// A child that was forked.
pub struct Forked {
    /// Its process, which leads a group of its own.
    pub pid: i32,
    /// Its end; an error where the server ended first.
    pub reaped: oneshot::Receiver<Reaped>,
}

/// Why there is no child.
#[derive(Debug)]
pub enum NoChild {
    /// The server is gone, or does not answer.
    Gone,
    /// The system would not fork.
    Refused(String),
}

/// A pytest process that takes requests. Dropping it tells it to end.
#[derive(Debug)]
pub struct Server {
    requests: Mutex<ChildStdin>,
    desk: Rc<Desk>,
    serving: Serving,
    stop: watch::Sender<Cancel>,
    process: JoinHandle<ProcessEnd>,
    forked: Cell<u32>,
    since: Instant,
    /// Its folder for temporary files, and what was in it when it began to serve.
    tmpdir: PathBuf,
    made: BTreeSet<OsString>,
}

impl Server {
    /// Starts a server, and waits until it takes requests or has ended. Must run on a local task set.
    ///
    /// # Errors
    /// Its files cannot be written, or the interpreter cannot be started.
    pub async fn start(
        invocation: &Invocation,
        home: Home<'_>,
        patience: Duration,
        mut cancel: CancelSignal,
    ) -> Result<Started, Failure> {
        let unwritable = |error: io::Error| Failure::io("make the files of a fork server", &error);
        // What the project makes at import is removed with the session's scratch folder, whoever should have done it.
        let tmpdir = home.scratch.join("t");
        for folder in [home.folder, &tmpdir] {
            fs::create_dir_all(folder).map_err(unwritable)?;
        }
        let (request, output) = (home.folder.join("request.json"), home.folder.join("output.log"));
        let stream = home.scratch.join("server");
        let (reader, keeper) = process::fifo(&stream).map_err(unwritable)?;
        let pipe = Receiver::from_owned_fd(reader).map_err(unwritable)?;
        let made_in = tmpdir.clone();
        let tmpdir = Some(&*tmpdir);
        let files = Files { request: &request, stream: &stream, suite: home.suite, output: &output, tmpdir };
        let command = invocation.command(Mode::Serve, files, None, None).map_err(unwritable)?;
        let mut child = Child::start(command)
            .await
            .map_err(|error| Failure::environment(format!("pytest could not be started: {error}")))?;
        let requests = child.take_stdin().ok_or_else(|| Failure::internal("a server without an input"))?;
        let (stop, stopped) = watch::channel(*cancel.borrow());
        let mut process = tokio::task::spawn_local(supervise(child, stopped));
        let mut ear = Ear { pipe, keeper: Some(keeper), lines: Lines::default(), ended: false };
        let mut digest = Digest::new(0);
        let late = tokio::time::sleep(patience);
        let (mut late, mut too_late, mut may_cancel) = (std::pin::pin!(late), false, true);
        let end = loop {
            tokio::select! {
                biased;
                heard = ear.hear(), if !ear.deaf() => {
                    let mut serving = None;
                    for event in heard {
                        match event {
                            Event::Serving { r#unsafe: against, lean, drawn } => {
                                serving = Some(Serving { against, lean: lean.is_none(), drawn });
                            }
                            event => digest.take(event),
                        }
                    }
                    if let Some(serving) = serving {
                        let mut told = digest.told();
                        let none = told.collected.as_ref().is_none_or(|collected| collected.tests == 0);
                        told.end = Some(if none { 5 } else { 0 });
                        let desk = Rc::new(Desk::default());
                        tokio::task::spawn_local(listen(ear, desk.clone()));
                        let server = Self {
                            requests: Mutex::new(requests),
                            desk,
                            serving,
                            stop,
                            process,
                            forked: Cell::new(0),
                            since: Instant::now(),
                            made: names(&made_in),
                            tmpdir: made_in,
                        };
                        return Ok(Started { told, end: ProcessEnd::Exited(0), server: Some(server) });
                    }
                }
                ended = &mut process => break ended.unwrap_or(ProcessEnd::Signalled(9)),
                changed = cancel.changed(), if may_cancel => {
                    may_cancel = changed.is_ok();
                    stop.send_replace(*cancel.borrow());
                }
                () = &mut late, if !too_late => {
                    too_late = true;
                    stop.send_replace(Cancel::Politely);
                }
            }
        };
        ear.keeper = None;
        while !ear.deaf() {
            ear.hear().await.into_iter().for_each(|event| digest.take(event));
        }
        let end = if too_late { ProcessEnd::TimedOut } else { end };
        Ok(Started { told: digest.told(), end, server: None })
    }

    /// What it said when it began to serve.
    pub fn serving(&self) -> &Serving {
        &self.serving
    }

    /// How many children it was asked for.
    pub fn forked(&self) -> u32 {
        self.forked.get()
    }

    /// How long ago it collected.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// The name of something that was left in its folder for temporary files since it serves. Children have folders of
    /// their own: what is here has a path from the time of the import, which all of them share.
    pub fn littered(&self) -> Option<String> {
        names(&self.tmpdir)
            .into_iter()
            .find(|name| !self.made.contains(name))
            .map(|name| name.to_string_lossy().into_owned())
    }

    /// Asks for a child.
    ///
    /// # Errors
    /// There is none.
    pub async fn fork(&self, request: &RunRequest) -> Result<Forked, NoChild> {
        self.forked.set(self.forked.get() + 1);
        let (tell_forked, forked) = oneshot::channel();
        let (tell_reaped, reaped) = oneshot::channel();
        let waiting = Waiting { forked: Some(tell_forked), reaped: tell_reaped };
        if self.desk.gone.get() {
            return Err(NoChild::Gone);
        }
        self.desk.runs.borrow_mut().insert(request.id, waiting);
        let mut line = serde_json::to_vec(request).map_err(|_| NoChild::Gone)?;
        line.push(b'\n');
        // A server that has died is seen by the end of its FIFO.
        let _ = self.requests.lock().await.write_all(&line).await;
        match timeout(FORK, forked).await {
            Ok(Ok(Ok(pid))) => Ok(Forked { pid, reaped }),
            Ok(Ok(Err(message))) => Err(NoChild::Refused(message)),
            Ok(Err(_)) => Err(NoChild::Gone),
            Err(_) => {
                self.desk.gone.set(true);
                self.stop.send_replace(Cancel::AtOnce);
                Err(NoChild::Gone)
            }
        }
    }

    /// Ends it, with everything it has forked, and waits until it is gone.
    pub async fn close(self) {
        let Self { requests, stop, mut process, .. } = self;
        drop(requests);
        if timeout(FAREWELL, &mut process).await.is_err() {
            stop.send_replace(Cancel::AtOnce);
            // What not even SIGKILL ends within its time is given up by whoever supervises it.
            let _ = process.await;
        }
    }
}

/// What is in a folder; nothing where it cannot be read.
fn names(folder: &Path) -> BTreeSet<OsString> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect()
}

/// Sees a server to its end.
async fn supervise(child: Child, stop: CancelSignal) -> ProcessEnd {
    let limits = Limits { test: None, run: None, linger: None, grace: GRACE };
    match child.until_end(limits, &mut (), stop).await {
        Ok(ended) => {
            process::kill_escaped(&ended.escaped);
            ended.end
        }
        Err(_) => ProcessEnd::Signalled(9),
    }
}

/// Where runs wait for what the server says of them.
#[derive(Debug, Default)]
struct Desk {
    runs: RefCell<HashMap<u32, Waiting>>,
    gone: Cell<bool>,
}

#[derive(Debug)]
struct Waiting {
    forked: Option<oneshot::Sender<Result<i32, String>>>,
    reaped: oneshot::Sender<Reaped>,
}

impl Desk {
    fn take(&self, event: Event) {
        // Whoever asked may have been dropped meanwhile.
        match event {
            Event::Forked { run, pid } => {
                let tell = self.runs.borrow_mut().get_mut(&run.0).and_then(|waiting| waiting.forked.take());
                let _ = tell.map(|tell| tell.send(Ok(pid.cast_signed())));
            }
            Event::Refused { run, message } => {
                let tell = self.runs.borrow_mut().remove(&run.0).and_then(|waiting| waiting.forked);
                let _ = tell.map(|tell| tell.send(Err(message)));
            }
            Event::Reaped { run, status, cpu, .. } => {
                let cpu = Duration::try_from_secs_f64(cpu).unwrap_or_default();
                let waiting = self.runs.borrow_mut().remove(&run.0);
                let _ = waiting.map(|waiting| waiting.reaped.send(Reaped { status, cpu }));
            }
            _ => {}
        }
    }
}

/// Passes on what a server says, until it is gone.
async fn listen(mut ear: Ear, desk: Rc<Desk>) {
    while !ear.deaf() {
        ear.hear().await.into_iter().for_each(|event| desk.take(event));
    }
    desk.gone.set(true);
    desk.runs.borrow_mut().clear();
}

/// The reading end of a server's FIFO.
struct Ear {
    pipe: Receiver,
    /// Held until the server has opened the FIFO: without a writer it would end at once.
    keeper: Option<Keeper>,
    lines: Lines,
    ended: bool,
}

impl Ear {
    /// Whether all writers have gone.
    fn deaf(&self) -> bool {
        self.ended
    }

    /// Waits for something and gives the events that are whole. May be dropped and called again.
    async fn hear(&mut self) -> Vec<Event> {
        let mut chunk = [0; CHUNK];
        let mut events = Vec::new();
        match self.pipe.read(&mut chunk).await {
            Ok(0) | Err(_) => self.ended = true,
            Ok(read) => {
                self.keeper = None;
                self.lines.feed(&chunk[..read], &mut |event| events.push(event));
            }
        }
        events
    }
}
