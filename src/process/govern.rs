//! Applies the limits and the cancellation to a group until its leader has exited.

use std::time::Duration;

use tokio::time::Instant;

pub use super::patience::Stopped;
use super::patience::{Patience, Sight, Step};
use super::{CancelSignal, Group, Limits, Watch};

/// How often the watch is asked.
const TICK: Duration = Duration::from_millis(50);

/// What came of governing a group.
#[derive(Debug)]
pub struct Governed<T> {
    /// What the exit came with; `None` where not even SIGKILL brought it.
    pub exit: Option<T>,
    /// Why it was ended by us, if it was.
    pub stopped: Option<Stopped>,
}

/// Waits for `exit` and ends the group where a limit is hit or a cancellation comes. `exit` is whatever tells that
/// the leader is gone: for our own child the waiting thread, for a forked child the event of whoever reaped it.
/// Must run inside a tokio runtime with time. Dropping the future signals nobody: guard the group.
pub async fn govern<T>(
    group: &Group,
    limits: Limits,
    watch: &mut impl Watch,
    mut cancel: CancelSignal,
    exit: impl Future<Output = T>,
) -> Governed<T> {
    let mut exit = std::pin::pin!(exit);
    let mut patience = Patience::new(limits);
    let mut last = Instant::now();
    let mut may_cancel = true;
    loop {
        let nap = patience.due().map_or(TICK, |due| due.min(TICK)).max(Duration::from_millis(1));
        tokio::select! {
            biased;
            value = &mut exit => return Governed { exit: Some(value), stopped: patience.stopped() },
            changed = cancel.changed(), if may_cancel => may_cancel = changed.is_ok(),
            () = tokio::time::sleep(nap) => {}
        }
        let now = Instant::now();
        let wanted = *cancel.borrow();
        let sight = Sight { running: watch.poll(), over: watch.is_over(), held: watch.is_held() };
        let step = patience.step(now - last, sight, wanted);
        last = now;
        match step {
            Step::Wait => {}
            Step::Send(signal) => {
                group.signal(signal);
            }
            Step::GiveUp => return Governed { exit: None, stopped: patience.stopped() },
        }
    }
}
