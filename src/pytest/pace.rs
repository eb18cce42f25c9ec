//! How long a test and a run may take: what the person said, else what the runs so far took, times a factor.

use std::cell::Cell;
use std::time::Duration;

use crate::process::Limits;

/// Before anything was measured.
const FIRST_TEST: Duration = Duration::from_secs(600);
/// A test of its usual length may take this many times as long, ...
const TEST_FACTOR: u32 = 20;
/// ... and never less than this.
const TEST_FLOOR: Duration = Duration::from_secs(30);
/// Likewise a run.
const RUN_FACTOR: u32 = 10;
const RUN_FLOOR: Duration = Duration::from_secs(600);
/// After pytest has ended: for threads that somebody waits for, and exit handlers.
const LINGER: Duration = Duration::from_secs(3);
/// The same where a run has stayed that long before: what stayed once will not go by itself the next time.
const LINGER_AGAIN: Duration = Duration::from_millis(300);
/// Between one signal and the next harder one.
const GRACE: Duration = Duration::from_secs(3);

/// The limits of a session, which learn from its runs.
#[derive(Debug)]
pub struct Pace {
    test: Option<Duration>,
    run: Option<Duration>,
    slowest_test: Cell<Duration>,
    slowest_run: Cell<Duration>,
    lingered: Cell<bool>,
}

impl Pace {
    /// Limits that a person gave; what is not given is learned.
    pub fn new(test: Option<Duration>, run: Option<Duration>) -> Self {
        Self {
            test,
            run,
            slowest_test: Cell::default(),
            slowest_run: Cell::default(),
            lingered: Cell::default(),
        }
    }

    /// Learns of a run that had to be ended although pytest had.
    pub fn lingered(&self) {
        self.lingered.set(true);
    }

    /// Learns from a run that ended by itself.
    pub fn learn(&self, slowest_test: Duration, run: Duration) {
        self.slowest_test.set(self.slowest_test.get().max(slowest_test));
        self.slowest_run.set(self.slowest_run.get().max(run));
    }

    /// The limits of the next run.
    pub fn limits(&self) -> Limits {
        let known = !self.slowest_run.get().is_zero();
        let test = if known { (self.slowest_test.get() * TEST_FACTOR).max(TEST_FLOOR) } else { FIRST_TEST };
        let run = known.then(|| (self.slowest_run.get() * RUN_FACTOR).max(RUN_FLOOR));
        let test = Some(self.test.unwrap_or(test));
        let linger = if self.lingered.get() { LINGER_AGAIN } else { LINGER };
        Limits { test, run: self.run.or(run), linger: Some(linger), grace: GRACE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_says_wins() {
        let pace = Pace::new(Some(Duration::from_secs(3)), None);
        pace.learn(Duration::from_secs(9), Duration::from_secs(100));
        let limits = pace.limits();
        assert_eq!(limits.test, Some(Duration::from_secs(3)));
        assert_eq!(limits.run, Some(Duration::from_secs(1000)));
    }

    #[test]
    fn a_fast_suite_has_the_floor() {
        let pace = Pace::new(None, None);
        assert_eq!(pace.limits().run, None);
        pace.learn(Duration::from_millis(1), Duration::from_millis(300));
        assert_eq!(pace.limits().test, Some(TEST_FLOOR));
        assert_eq!(pace.limits().run, Some(RUN_FLOOR));
    }
}
