//! When to send which signal: a pure machine that is told how much time has passed and what is seen.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::{Cancel, Limit, Limits};

/// The most that one step may count. A driver that was itself stopped (Ctrl-Z, a suspended machine) has seen
/// nothing meanwhile, and must not charge the child for it.
const LONGEST_STEP: Duration = Duration::from_secs(1);

/// How long after SIGKILL a process may still be there (a dead network mount) before we stop waiting for it.
const UNKILLABLE_AFTER: Duration = Duration::from_secs(30);

/// Why a child was ended by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// A limit was hit.
    Limit(Limit),
    /// A cancellation came.
    Cancelled,
    /// It was over and did not exit.
    Lingered,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Go on waiting.
    Wait,
    /// Send this to the group.
    Send(Signal),
    /// Even SIGKILL did not help; stop waiting.
    GiveUp,
}

/// What is seen of a child.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sight {
    /// The test that runs.
    pub running: Option<u64>,
    /// It need only exit.
    pub over: bool,
    /// It waits for us.
    pub held: bool,
}

#[derive(Debug)]
struct Stopping {
    why: Stopped,
    last: Signal,
    since: Duration,
}

/// Limits, and how much of them is used up.
#[derive(Debug)]
pub(super) struct Patience {
    limits: Limits,
    run: Duration,
    test: Duration,
    over: Duration,
    running: Option<u64>,
    stopping: Option<Stopping>,
}

impl Patience {
    pub(super) fn new(limits: Limits) -> Self {
        let zero = Duration::ZERO;
        Self { limits, run: zero, test: zero, over: zero, running: None, stopping: None }
    }

    /// Why the child is being ended, as soon as it is. The first reason stays.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.stopping.as_ref().map(|stopping| stopping.why)
    }

    /// `passed` since the last step, this is seen of the child, this is wanted of it.
    pub(super) fn step(&mut self, passed: Duration, sight: Sight, cancel: Cancel) -> Step {
        let Sight { running, over, held } = sight;
        let passed = passed.min(LONGEST_STEP);
        if let Some(stopping) = &mut self.stopping {
            stopping.since += passed;
            return self.escalate(cancel);
        }
        if !held {
            self.run += passed;
        }
        if running == self.running {
            self.test += passed;
        } else {
            self.running = running;
            self.test = Duration::ZERO;
        }
        if over {
            self.over += passed;
        }
        match cancel {
            Cancel::AtOnce => return self.stop(Stopped::Cancelled, Signal::SIGKILL),
            Cancel::Politely => return self.stop(Stopped::Cancelled, Signal::SIGINT),
            Cancel::No => {}
        }
        if running.is_some() && self.limits.test.is_some_and(|limit| self.test >= limit) {
            return self.stop(Stopped::Limit(Limit::Test), Signal::SIGINT);
        }
        if over && self.limits.linger.is_some_and(|limit| self.over >= limit) {
            return self.stop(Stopped::Lingered, Signal::SIGINT);
        }
        if self.limits.run.is_some_and(|limit| self.run >= limit) {
            return self.stop(Stopped::Limit(Limit::Run), Signal::SIGINT);
        }
        Step::Wait
    }

    /// How long until the next step can have a consequence of its own; `None` where only the child or a
    /// cancellation can.
    pub(super) fn due(&self) -> Option<Duration> {
        if let Some(stopping) = &self.stopping {
            let patience =
                if stopping.last == Signal::SIGKILL { UNKILLABLE_AFTER } else { self.limits.grace };
            return Some(patience.saturating_sub(stopping.since));
        }
        let test =
            self.limits.test.filter(|_| self.running.is_some()).map(|limit| limit.saturating_sub(self.test));
        let run = self.limits.run.map(|limit| limit.saturating_sub(self.run));
        test.into_iter().chain(run).min()
    }

    fn stop(&mut self, why: Stopped, first: Signal) -> Step {
        self.stopping = Some(Stopping { why, last: first, since: Duration::ZERO });
        Step::Send(first)
    }

    fn escalate(&mut self, cancel: Cancel) -> Step {
        let Some(stopping) = &mut self.stopping else { return Step::Wait };
        if stopping.last == Signal::SIGKILL {
            return if stopping.since >= UNKILLABLE_AFTER { Step::GiveUp } else { Step::Wait };
        }
        let next = match (stopping.last, stopping.why) {
            _ if cancel == Cancel::AtOnce => Signal::SIGKILL,
            _ if stopping.since < self.limits.grace => return Step::Wait,
            // Where a person waits for the prompt, nobody reads the traceback.
            (Signal::SIGINT, Stopped::Limit(_)) => Signal::SIGABRT,
            _ => Signal::SIGKILL,
        };
        stopping.last = next;
        stopping.since = Duration::ZERO;
        Step::Send(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const IDLE: Sight = Sight { running: None, over: false, held: false };

    fn patience(test: Option<u64>, run: Option<u64>) -> Patience {
        Patience::new(Limits {
            test: test.map(Duration::from_secs),
            run: run.map(Duration::from_secs),
            linger: Some(5 * SECOND),
            grace: 2 * SECOND,
        })
    }

    /// The steps of `seconds` seconds in which nothing changes, without the waiting.
    fn acts(patience: &mut Patience, seconds: u32, running: Option<u64>, cancel: Cancel) -> Vec<(u32, Step)> {
        (1..=seconds)
            .map(|second| {
                (second, patience.step(SECOND, Sight { running, over: false, held: false }, cancel))
            })
            .filter(|(_, step)| *step != Step::Wait)
            .collect()
    }

    #[test]
    fn a_run_limit_escalates_in_three_stages_and_gives_up_at_last() {
        let mut patience = patience(None, Some(3));
        let expected = [
            (3, Step::Send(Signal::SIGINT)),
            (5, Step::Send(Signal::SIGABRT)),
            (7, Step::Send(Signal::SIGKILL)),
            (37, Step::GiveUp),
        ];
        assert_eq!(acts(&mut patience, 37, None, Cancel::No), expected);
        assert_eq!(patience.stopped(), Some(Stopped::Limit(Limit::Run)));
    }

    #[test]
    fn a_test_limit_counts_anew_with_every_test_and_not_between_tests() {
        let mut patience = patience(Some(3), None);
        for test in 0..10 {
            assert_eq!(acts(&mut patience, 3, Some(test), Cancel::No), [], "test {test}");
        }
        assert_eq!(acts(&mut patience, 10, None, Cancel::No), []);
        // The step that first sees the test starts its clock.
        assert_eq!(acts(&mut patience, 4, Some(10), Cancel::No), [(4, Step::Send(Signal::SIGINT))]);
        assert_eq!(patience.stopped(), Some(Stopped::Limit(Limit::Test)));
    }

    #[test]
    fn a_polite_cancel_skips_the_traceback_and_a_second_one_skips_the_grace() {
        let mut slow = patience(None, None);
        let expected = [(1, Step::Send(Signal::SIGINT)), (3, Step::Send(Signal::SIGKILL))];
        assert_eq!(acts(&mut slow, 4, None, Cancel::Politely), expected);

        let mut fast = patience(None, None);
        assert_eq!(fast.step(SECOND, IDLE, Cancel::Politely), Step::Send(Signal::SIGINT));
        assert_eq!(fast.step(Duration::ZERO, IDLE, Cancel::AtOnce), Step::Send(Signal::SIGKILL));
        assert_eq!(fast.step(Duration::ZERO, IDLE, Cancel::AtOnce), Step::Wait);
        assert_eq!(fast.stopped(), Some(Stopped::Cancelled));
    }

    #[test]
    fn a_cancel_during_a_time_out_leaves_it_a_time_out() {
        let mut patience = patience(None, Some(1));
        assert_eq!(patience.step(SECOND, IDLE, Cancel::No), Step::Send(Signal::SIGINT));
        assert_eq!(patience.step(Duration::ZERO, IDLE, Cancel::AtOnce), Step::Send(Signal::SIGKILL));
        assert_eq!(patience.stopped(), Some(Stopped::Limit(Limit::Run)));
    }

    #[test]
    fn what_is_over_and_stays_is_asked_to_leave() {
        let mut patience = patience(None, Some(60));
        let over = Sight { running: None, over: true, held: false };
        let steps: Vec<Step> = (0..8).map(|_| patience.step(SECOND, over, Cancel::No)).collect();
        assert_eq!(steps[..4], [Step::Wait; 4]);
        assert_eq!(steps[4], Step::Send(Signal::SIGINT));
        assert_eq!(steps[6], Step::Send(Signal::SIGKILL));
        assert_eq!(patience.stopped(), Some(Stopped::Lingered));
    }

    #[test]
    fn what_is_held_has_time() {
        let mut patience = patience(None, Some(3));
        let held = Sight { held: true, ..IDLE };
        for _ in 0..10 {
            assert_eq!(patience.step(SECOND, held, Cancel::No), Step::Wait);
        }
        assert_eq!(acts(&mut patience, 3, None, Cancel::No), [(3, Step::Send(Signal::SIGINT))]);
    }

    #[test]
    fn a_driver_that_slept_an_hour_charges_one_second() {
        let mut patience = patience(None, Some(3));
        assert_eq!(patience.step(Duration::from_secs(3600), IDLE, Cancel::No), Step::Wait);
        assert_eq!(patience.due(), Some(2 * SECOND));
    }

    #[test]
    fn due_is_the_nearest_limit_that_is_running() {
        let mut patience = patience(Some(3), Some(60));
        assert_eq!(patience.due(), Some(60 * SECOND));
        patience.step(SECOND, Sight { running: Some(1), over: false, held: false }, Cancel::No);
        patience.step(SECOND, Sight { running: Some(1), over: false, held: false }, Cancel::No);
        assert_eq!(patience.due(), Some(2 * SECOND));
        patience.step(SECOND, IDLE, Cancel::Politely);
        assert_eq!(patience.due(), Some(2 * SECOND), "the grace");
    }
}
