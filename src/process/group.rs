//! A process group: what signals go to.

use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::sys;

/// A process group, named by the process that leads it.
///
/// The number of a process may be given away once it is reaped and its group is empty. So it is noted here, under
/// a lock, when the leader is reaped, and nothing is signalled that might be somebody else's.
#[derive(Clone, Debug)]
pub struct Group {
    id: Pid,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The leader runs, or is a zombie: the number is its own.
    Led,
    /// The leader is gone; the members that are left keep the number.
    Leaderless,
    /// The number is free.
    Empty,
}

impl Group {
    /// The group led by a process that somebody else waits for: a child forked by our server. Whoever learns that
    /// it was reaped says so with [`Group::leader_is_gone`].
    pub fn of(leader: i32) -> Self {
        Self { id: Pid::from_raw(leader), state: Arc::new(Mutex::new(State::Led)) }
    }

    /// The number of the leader, which is the number of the group.
    pub fn id(&self) -> i32 {
        self.id.as_raw()
    }

    /// Sends a signal to every member, and SIGCONT after it, because a stopped process acts on most signals only
    /// once it goes on. Whether there was anybody to send it to.
    pub fn signal(&self, signal: Signal) -> bool {
        // Held while signalling: the leader cannot be reaped meanwhile.
        let state = self.lock();
        if *state == State::Empty || self.id.as_raw() <= 1 {
            return false;
        }
        let reached = killpg(self.id, signal).is_ok();
        if reached && !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP | Signal::SIGTSTP) {
            let _ = killpg(self.id, Signal::SIGCONT);
        }
        reached
    }

    /// Notes that the leader was reaped by whoever waits for it.
    pub fn leader_is_gone(&self) {
        self.note_gone(&mut self.lock());
    }

    /// Whether anybody lives in the group: not counting zombies on Linux, counting them elsewhere.
    pub fn is_alive(&self) -> bool {
        *self.lock() != State::Empty && probe(self.id) && proc::lives_in(self.id).unwrap_or(true)
    }

    /// Kills every member and waits up to a second until they are gone.
    pub async fn sweep(&self) {
        if !self.signal(Signal::SIGKILL) {
            return;
        }
        // What was killed is gone in a moment, unless the kernel itself keeps it.
        for _ in 0..200 {
            if !self.is_alive() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Reaps the leader, which has exited and is our child.
    pub(super) fn reap_leader(&self) -> io::Result<(ExitStatus, Duration)> {
        let mut state = self.lock();
        let reaped = sys::reap(self.id);
        self.note_gone(&mut state);
        reaped
    }

    fn note_gone(&self, state: &mut MutexGuard<'_, State>) {
        **state = if probe(self.id) { State::Leaderless } else { State::Empty };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For so many milliseconds at most is waited for processes that were killed: what not even SIGKILL ends is given up.
const PATIENCE: u32 = 2_000;

/// Whether the group has any member, zombies included. Members that we may not signal count.
fn probe(id: Pid) -> bool {
    !matches!(killpg(id, None), Err(Errno::ESRCH))
}

/// The processes that carry this mark in their environment (see [`super::Child::mark`]) outside this group:
/// what a child started and what then left its group. Empty where there is no `/proc`.
pub fn escaped(mark: &str, group: &Group) -> Vec<i32> {
    proc::marked(mark, group.id)
}

/// Kills every process whose environment, as it was when it started, holds an assignment that begins like this; not
/// this process. Nothing where there is no `/proc`.
pub fn kill_started_with(assignment: &str) {
    for pid in proc::started_with(assignment, None) {
        kill(pid);
    }
}

/// The same, of processes that are younger than this one: looking at few environments is cheap. Waits until they are gone:
/// on a busy machine the next run is there before a signal has done its work.
pub fn kill_started_since(older: i32, assignment: &str) {
    let pids = proc::started_with(assignment, Some(older));
    pids.iter().copied().for_each(kill);
    let mut left = PATIENCE;
    for pid in pids {
        while left > 0 && proc::lives(pid) {
            std::thread::sleep(std::time::Duration::from_millis(1));
            left -= 1;
        }
    }
}

/// Kills processes that [`escaped`].
pub fn kill_escaped(pids: &[i32]) {
    pids.iter().copied().for_each(kill);
}

fn kill(pid: i32) {
    if pid > 1 {
        // It may have ended by itself.
        let _ = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

#[cfg(target_os = "linux")]
mod proc {
    use fs_err as fs;
    use nix::unistd::Pid;

    /// So many process numbers are tried one by one.
    const FEW: i32 = 100;

    /// Whether a process that is not a zombie belongs to this group; `None` where `/proc` cannot be read.
    pub(super) fn lives_in(group: Pid) -> Option<bool> {
        Some(pids()?.any(|pid| {
            stat(pid).is_some_and(|(state, of)| of == group.as_raw() && !matches!(state, 'Z' | 'X'))
        }))
    }

    /// The processes outside this group whose environment, as it was when they started, holds this assignment.
    pub(super) fn marked(assignment: &str, group: Pid) -> Vec<i32> {
        let Some(pids) = pids() else { return Vec::new() };
        pids.filter(|pid| {
            // Other people's processes cannot be read, and are not ours.
            fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                environment.split(|byte| *byte == 0).any(|entry| entry == assignment.as_bytes())
            }) && stat(*pid).is_some_and(|(_, of)| of != group.as_raw())
        })
        .collect()
    }

    /// The processes but this one whose environment holds an assignment that begins like this; of those that are
    /// younger than another one, where it is named.
    pub(super) fn started_with(beginning: &str, older: Option<i32>) -> Vec<i32> {
        let me = std::process::id().cast_signed();
        let started_with = |pid: &i32| {
            *pid != me
                && fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                    environment.split(|byte| *byte == 0).any(|entry| entry.starts_with(beginning.as_bytes()))
                })
        };
        match (older, older.and_then(|_| newest())) {
            // Nearly always a handful: to try them is cheaper than to list all there are.
            (Some(older), Some(newest)) if (older..older.saturating_add(FEW)).contains(&newest) => {
                (older..=newest).filter(started_with).collect()
            }
            (Some(older), Some(newest)) => {
                // Numbers are given away in turn, and begin anew at the end.
                let younger = |pid: &i32| match older <= newest {
                    true => older <= *pid && *pid <= newest,
                    false => older <= *pid || *pid <= newest,
                };
                pids().into_iter().flatten().filter(younger).filter(started_with).collect()
            }
            _ => pids().into_iter().flatten().filter(started_with).collect(),
        }
    }

    /// The number that was given away last (proc_loadavg(5)).
    fn newest() -> Option<i32> {
        fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().last()?.parse().ok()
    }

    fn pids() -> Option<impl Iterator<Item = i32>> {
        let entries = fs::read_dir("/proc").ok()?;
        Some(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()))
    }

    /// Whether a process is there and no zombie.
    pub(super) fn lives(pid: i32) -> bool {
        stat(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
    }

    /// The state and the process group of a process (proc_pid_stat(5)).
    fn stat(pid: i32) -> Option<(char, i32)> {
        let bytes = fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold anything; the last one closes it.
        let close = bytes.iter().rposition(|byte| *byte == b')')?;
        let mut fields = std::str::from_utf8(bytes.get(close + 1..)?).ok()?.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let group = fields.nth(1)?.parse().ok()?;
        Some((state, group))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn we_live_in_our_own_group() {
            assert_eq!(lives_in(nix::unistd::getpgrp()), Some(true));
            assert_eq!(lives_in(Pid::from_raw(i32::MAX)), Some(false));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod proc {
    use nix::unistd::Pid;

    pub(super) fn lives_in(_group: Pid) -> Option<bool> {
        None
    }

    pub(super) fn marked(_assignment: &str, _group: Pid) -> Vec<i32> {
        Vec::new()
    }

    pub(super) fn started_with(_beginning: &str, _older: Option<i32>) -> Vec<i32> {
        Vec::new()
    }

    pub(super) fn lives(_pid: i32) -> bool {
        false
    }
}
