//! Supervision of one child process: its group, its limits, its end, its output.
//!
//! [`supervise`] starts a child in a process group of its own and answers with how it [`Ended`]. What holds,
//! whatever the child does:
//!
//! - **Nothing of the group outlives the call.** It ends with the child, after a time-out, after a cancellation,
//!   and when the future is dropped. If the driver itself is killed, the kernel kills the direct child (Linux,
//!   where [`Command::die_with_parent`] asks for it). A process that left the group (`setsid`) is
//!   reported, on Linux, in [`Ended::escaped`]; [`kill_escaped`] ends it.
//! - **We wait for the process, never for its pipe.** A grandchild that holds the pipe costs [`LEAK_WINDOW`].
//! - **Every child can be ended**: SIGINT (pytest tears its fixtures down), then SIGABRT (faulthandler's
//!   traceback), then SIGKILL, all to the group, each followed by SIGCONT, because a stopped process only acts
//!   on a signal once it goes on.
//! - **What was signalled is never a pass**: the end is `TimedOut` or `Cancelled`, whatever the exit code.
//! - **Output is bounded** on disk and in memory, and a child that floods is not held up.
//!
//! The parts: `patience` decides when to signal (pure), [`govern`] applies it to any group, [`Child`] adds starting,
//! waiting and output, [`Copier`] moves output into a capped file, [`Group`] is what signals go to, and `sys` holds
//! the few calls that neither std nor nix offer. A forked child, which is not ours to wait for, is served by
//! [`Group::of`], [`govern`] and [`fifo`]. Another operating system would replace this folder and nothing else.

#[cfg(not(unix))]
compile_error!("flakehunt needs process groups and signals: Linux and macOS are served");

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::core::run::ProcessEnd;

mod capture;
mod child;
mod govern;
mod group;
mod hold;
mod load;
mod machine;
mod patience;
mod sys;

pub use capture::{Copied, Copier, DEFAULT_CAP, Keeper, Sink, fifo};
pub use child::{Child, Settled, settle};
pub use govern::{Governed, Stopped, govern};
pub use group::{Group, escaped, kill_escaped, kill_started_since, kill_started_with};
pub use hold::Hold;
pub use load::Load;
pub use machine::{Ticks, free_memory};
pub use nix::sys::signal::Signal;

/// How long the group and the pipe may stay open after the child has exited before that counts as a leak.
pub const LEAK_WINDOW: Duration = Duration::from_millis(200);

/// What to start, and with what around it.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program, looked up on `PATH` where it has no slash, and its arguments.
    pub argv: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// What differs from our own environment: a value to set, `None` to remove.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// What it reads.
    pub stdin: Stdin,
    /// Where its standard output and standard error go: both into one pipe, so that they keep their order.
    pub output: Sink,
    /// Linux: the kernel kills it when we die. The setting survives `exec`, but its children do not inherit it.
    pub die_with_parent: bool,
}

/// Standard input of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// `/dev/null`.
    Null,
    /// A pipe; see [`Child::take_stdin`].
    Piped,
}

/// How long a child may take. `None` is for ever.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For one test, counted from when the [`Watch`] first saw it.
    pub test: Option<Duration>,
    /// For the whole run.
    pub run: Option<Duration>,
    /// From when the [`Watch`] says that nothing more is to come until it is asked to leave.
    pub linger: Option<Duration>,
    /// Between one signal and the next harder one.
    pub grace: Duration,
}

/// Tells the supervisor which test is running; the tail of a stream implements it.
pub trait Watch {
    /// A number that names the running test and changes with it (its position in the order), `None` between
    /// tests. Called about twenty times a second and must not block.
    fn poll(&mut self) -> Option<u64>;

    /// Whether the child has said the last that it has to say, and need only exit.
    fn is_over(&self) -> bool {
        false
    }

    /// Whether the child waits for us: its run has not begun, and no time is charged to it.
    fn is_held(&self) -> bool {
        false
    }
}

/// Nothing is watched: only the limit of the run counts.
impl Watch for () {
    fn poll(&mut self) -> Option<u64> {
        None
    }
}

/// What the person, or the budget, wants of a running child. It only ever rises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cancel {
    /// Let it run.
    #[default]
    No,
    /// SIGINT, and after the grace SIGKILL.
    Politely,
    /// SIGKILL now.
    AtOnce,
}

/// How a cancellation reaches a supervisor: one sender, a receiver for each child. When the sender is gone,
/// nothing will be cancelled.
pub type CancelSignal = tokio::sync::watch::Receiver<Cancel>;

/// A cancellation that never comes.
pub fn never() -> CancelSignal {
    tokio::sync::watch::channel(Cancel::No).1
}

/// The limit that was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::test`].
    Test,
    /// [`Limits::run`].
    Run,
}

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// By itself, by a signal of its own, or by us.
    pub end: ProcessEnd,
    /// The limit behind [`ProcessEnd::TimedOut`].
    pub timed_out: Option<Limit>,
    /// It was over, did not exit for [`Limits::linger`], and was ended.
    pub lingered: bool,
    /// From the start to the exit of the child (not of its pipe).
    pub wall: Duration,
    /// User and system time of the child and of the children it waited for.
    pub cpu: Duration,
    /// [`LEAK_WINDOW`] after the exit, somebody still held the pipe or lived in the group.
    pub leaked: bool,
    /// Processes that the child started and that left its group; they live. Linux only.
    pub escaped: Vec<i32>,
    /// What became of its output.
    pub output: Copied,
}

/// Starts a child and ends when it, and everything in its group, has ended. Dropping the future kills the group.
///
/// # Errors
/// The program, the directory or the output file cannot be opened, or the kernel does not let us wait.
pub async fn supervise(
    command: Command,
    limits: Limits,
    watch: &mut impl Watch,
    cancel: CancelSignal,
) -> io::Result<Ended> {
    Child::start(command).await?.until_end(limits, watch, cancel).await
}
