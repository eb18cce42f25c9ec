//! The calls that std and nix do not offer: between fork and exec, and `wait4`.
#![expect(unsafe_code, reason = "what std and nix do not wrap; every block says why it holds")]

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::ExitStatus;
use std::sync::Once;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{Pid, getpid};

/// Makes the child start from known ground, whatever we were started from (`nohup`, `trap "" INT`, a background
/// job): an empty signal mask, every signal at its default action, no core file, and, where asked, its death with
/// ours. Must be called last, after the group was chosen.
pub(super) fn prepare(command: &mut std::process::Command, die_with_parent: bool) {
    let parent = getpid();
    // SAFETY: the closure runs between fork and exec and only makes async-signal-safe calls: signal,
    // pthread_sigmask, getrlimit, setrlimit, prctl, getppid. It does not allocate.
    unsafe {
        command.pre_exec(move || {
            default_signals()?;
            let (_, hard) = getrlimit(Resource::RLIMIT_CORE)?;
            // We send SIGABRT for its traceback, and crashes are ordinary here: no core files in the project.
            setrlimit(Resource::RLIMIT_CORE, 0, hard)?;
            if die_with_parent {
                die_with(parent)?;
            }
            Ok(())
        });
    }
}

fn default_signals() -> io::Result<()> {
    // By number: the real-time signals, which have no names in nix, can be inherited as ignored as well.
    for number in 1..=64 {
        let action = match number {
            // The group is in the terminal's background. By default whoever opens /dev/tty there is stopped,
            // for ever; ignored, it reads an error, as it would without a terminal.
            libc::SIGTTIN | libc::SIGTTOU => libc::SIG_IGN,
            _ => libc::SIG_DFL,
        };
        // SAFETY: no handler of ours is installed, only the two constants. SIGKILL, SIGSTOP and numbers that are
        // no signals are refused without an effect.
        unsafe { libc::signal(number, action) };
    }
    SigSet::empty().thread_set_mask()?;
    Ok(())
}

#[cfg(target_os = "linux")]
fn die_with(parent: Pid) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have died before the call.
    if nix::unistd::getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_parent: Pid) -> io::Result<()> {
    Ok(())
}

/// Undoes an inherited `SIGCHLD` = ignore, under which the kernel throws exit codes away.
pub(super) fn keep_exit_codes() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: the default action needs no handler. Another handler, such as tokio's, is put back.
        unsafe {
            if let Ok(before) = sigaction(Signal::SIGCHLD, &default)
                && !matches!(before.handler(), SigHandler::SigIgn)
            {
                let _ = sigaction(Signal::SIGCHLD, &before);
            }
        }
    });
}

/// Blocks until the process has exited and leaves it a zombie, so that its number still is its own.
pub(super) fn await_exit(pid: Pid) -> io::Result<()> {
    loop {
        // SAFETY: siginfo_t is plain data, for which zero is a value; the kernel writes to our own copy.
        let (answer, code) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let id = pid.as_raw().unsigned_abs();
            let answer = libc::waitid(libc::P_PID, id, &raw mut info, libc::WEXITED | libc::WNOWAIT);
            (answer, info.si_code)
        };
        match Errno::result(answer) {
            // macOS also returns for a stopped process, without having been asked (golang/go#19314).
            Ok(_) if matches!(code, libc::CLD_STOPPED | libc::CLD_TRAPPED | libc::CLD_CONTINUED) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reaps a process that has exited: its status, and the user and system time of it and of the children it
/// waited for.
pub(super) fn reap(pid: Pid) -> io::Result<(ExitStatus, Duration)> {
    let mut status = 0;
    loop {
        // SAFETY: rusage is plain data, for which zero is a value; the kernel writes to our own copies.
        let (answer, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(pid.as_raw(), &raw mut status, 0, &raw mut usage), usage)
        };
        match Errno::result(answer) {
            Ok(_) => return Ok((ExitStatus::from_raw(status), span(usage.ru_utime) + span(usage.ru_stime))),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn span(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec.unsigned_abs())
        + Duration::from_micros(u64::from(time.tv_usec.unsigned_abs() as u32))
}
