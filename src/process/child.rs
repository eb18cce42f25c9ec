//! One child of ours, from its start until nothing of it is left.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::ChildStdin;
use tokio::sync::oneshot;

use super::govern::{Governed, govern};
use super::group::escaped;
use super::patience::Stopped;
use super::{
    CancelSignal, Command, Copied, Copier, Ended, Group, LEAK_WINDOW, Limits, Signal, Stdin, Watch, sys,
};
use crate::core::run::ProcessEnd;

/// The environment variable by which a process is known to come from one child of ours, wherever it went.
const MARK: &str = "FLAKEHUNT_PROCESS";

/// A child that runs. Dropping it kills its group.
#[derive(Debug)]
pub struct Child {
    guard: Guard,
    mark: String,
    exit: oneshot::Receiver<io::Result<Exit>>,
    copier: Copier,
    stdin: Option<ChildStdin>,
}

/// What the waiting thread saw.
#[derive(Debug)]
struct Exit {
    status: ExitStatus,
    cpu: Duration,
    wall: Duration,
}

/// Once the group is empty there is nothing to kill, so it needs no disarming.
#[derive(Debug)]
struct Guard(Group);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.signal(Signal::SIGKILL);
    }
}

impl Child {
    /// Starts a child. Must run inside a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// The program, the directory or the output file cannot be opened; the message names it.
    pub async fn start(command: Command) -> io::Result<Self> {
        sys::keep_exit_codes();
        let (reader, writer) = io::pipe()?;
        let copier = Copier::start(OwnedFd::from(reader), command.output.clone())?;
        let mark = format!("{MARK}={:016x}", RandomState::new().hash_one(0));
        let (started, starts) = oneshot::channel();
        let (exited, exit) = oneshot::channel();
        let marked = mark.clone();
        // The thread that starts the child waits for it: "parent" in PR_SET_PDEATHSIG means this thread, so it has
        // to live as long as the child.
        std::thread::Builder::new().name("child".to_owned()).spawn(move || {
            run(&command, &marked, writer, started, exited);
        })?;
        let (guard, stdin) =
            starts.await.map_err(|_| io::Error::other("the thread that starts a child died"))??;
        let stdin = stdin.map(ChildStdin::from_std).transpose()?;
        Ok(Self { guard, mark, exit, copier, stdin })
    }

    /// Its process number, which is also the number of its group.
    pub fn id(&self) -> i32 {
        self.guard.0.id()
    }

    /// Its group.
    pub fn group(&self) -> &Group {
        &self.guard.0
    }

    /// `NAME=VALUE`, as it stands in the environment of this child and of all that it starts, and of no other.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// What it reads, once, where it was started with [`Stdin::Piped`]. Dropping it is the end of its input.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// Waits for its end, and for the end of all in its group; see [`super::supervise`].
    ///
    /// # Errors
    /// It cannot be waited for, or not even SIGKILL ends it.
    pub async fn until_end(
        self,
        limits: Limits,
        watch: &mut impl Watch,
        cancel: CancelSignal,
    ) -> io::Result<Ended> {
        let Self { guard, mark, exit, copier, stdin } = self;
        let group = &guard.0;
        let Governed { exit, stopped } = govern(group, limits, watch, cancel, exit).await;
        drop(stdin);
        let exit = exit.ok_or_else(|| {
            io::Error::other(format!("process {} does not end, not even by SIGKILL", group.id()))
        })?;
        let Exit { status, cpu, wall } =
            exit.map_err(|_| io::Error::other("the thread that waits for a child died"))??;
        let Settled { leaked, output } = settle(group, copier).await;
        Ok(Ended {
            end: end(status, stopped),
            timed_out: match stopped {
                Some(Stopped::Limit(limit)) => Some(limit),
                Some(Stopped::Cancelled | Stopped::Lingered) | None => None,
            },
            lingered: stopped == Some(Stopped::Lingered),
            wall,
            cpu,
            leaked,
            escaped: escaped(&mark, group),
            output,
        })
    }
}

/// What was found after the leader of a group had exited.
#[derive(Debug)]
pub struct Settled {
    /// [`LEAK_WINDOW`] later, somebody still held the pipe or lived in the group.
    pub leaked: bool,
    /// What became of the output.
    pub output: Copied,
}

/// Waits, after its leader is gone, until the group is empty and its output has ended, but not longer than
/// [`LEAK_WINDOW`]; then kills what is left of the group and stops reading.
pub async fn settle(group: &Group, mut copier: Copier) -> Settled {
    copier.no_more_writers();
    let quiet = async {
        copier.end_of_input().await;
        while group.is_alive() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let leaked = tokio::time::timeout(LEAK_WINDOW, quiet).await.is_err();
    if leaked {
        group.sweep().await;
    }
    Settled { leaked, output: copier.finish().await }
}

fn end(status: ExitStatus, stopped: Option<Stopped>) -> ProcessEnd {
    match (stopped, status.code(), status.signal()) {
        (Some(Stopped::Limit(_)), ..) => ProcessEnd::TimedOut,
        (Some(Stopped::Cancelled), ..) => ProcessEnd::Cancelled,
        (Some(Stopped::Lingered) | None, Some(code), _) => ProcessEnd::Exited(code),
        // The kernel knows no third way to end.
        (Some(Stopped::Lingered) | None, None, signal) => ProcessEnd::Signalled(signal.unwrap_or_default()),
    }
}

type Started = io::Result<(Guard, Option<std::process::ChildStdin>)>;

/// The life of the thread of one child.
fn run(
    command: &Command,
    mark: &str,
    output: io::PipeWriter,
    started: oneshot::Sender<Started>,
    exited: oneshot::Sender<io::Result<Exit>>,
) {
    let begin = now();
    let mut child = match spawn(command, mark, output) {
        Ok(child) => child,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let pid = child.id().cast_signed();
    let group = Group::of(pid);
    // Where nobody waits for the answer any more, the guard comes back, is dropped, and kills.
    drop(started.send(Ok((Guard(group.clone()), child.stdin.take()))));
    let exit = sys::await_exit(nix::unistd::Pid::from_raw(pid)).and_then(|()| {
        let wall = now() - begin;
        let (status, cpu) = group.reap_leader()?;
        Ok(Exit { status, cpu, wall })
    });
    let _ = exited.send(exit);
}

fn spawn(command: &Command, mark: &str, output: io::PipeWriter) -> io::Result<std::process::Child> {
    let Some((program, arguments)) = command.argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no program to start"));
    };
    #[expect(clippy::disallowed_methods, reason = "this is where children are started")]
    let mut child = std::process::Command::new(program);
    child.args(arguments).current_dir(&command.directory).process_group(0);
    child.stdin(match command.stdin {
        Stdin::Null => Stdio::null(),
        Stdin::Piped => Stdio::piped(),
    });
    child.stdout(output.try_clone()?).stderr(output);
    for (name, value) in &command.env {
        match value {
            Some(value) => child.env(name, value),
            None => child.env_remove(name),
        };
    }
    if let Some((name, value)) = mark.split_once('=') {
        child.env(name, value);
    }
    sys::prepare(&mut child, command.die_with_parent);
    child.spawn().map_err(|error| {
        // The kernel answers "not found" for both, and names neither.
        let what = if command.directory.is_dir() {
            format!("cannot start {}", program.display())
        } else {
            format!("cannot start {} in {}", program.display(), command.directory.display())
        };
        io::Error::new(error.kind(), format!("{what}: {error}"))
    })
}

#[expect(clippy::disallowed_methods, reason = "the cost of a run is measured here")]
fn now() -> Instant {
    Instant::now()
}
