//! Which tests run at this moment, and since when: so that a person need not wait for one that hangs without knowing it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use crate::core::run::RunId;
use crate::core::test_id::TestIdx;

/// A test that has been running for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// Which one.
    pub test: TestIdx,
    /// For how long.
    pub since: Duration,
    /// For how long it may.
    pub limit: Option<Duration>,
}

/// The tests that run, by run.
#[derive(Clone, Debug, Default)]
pub struct Now(Rc<RefCell<BTreeMap<RunId, (TestIdx, Instant)>>>);

impl Now {
    /// The one that began first.
    pub(super) fn longest(&self, limit: Option<Duration>) -> Option<Lasting> {
        let now = self.0.borrow();
        let (test, began) = now.values().min_by_key(|(_, began)| *began)?;
        Some(Lasting { test: *test, since: began.elapsed(), limit })
    }

    /// The entry of one run.
    pub(super) fn of(&self, run: RunId) -> Entry {
        Entry { now: self.clone(), run, at: None }
    }
}

/// What a run adds; gone with it.
pub(super) struct Entry {
    now: Now,
    run: RunId,
    at: Option<u64>,
}

impl Entry {
    /// The test at this position runs now; its number where it is one of the order.
    pub(super) fn runs(&mut self, at: Option<u64>, test: impl FnOnce(u64) -> Option<TestIdx>) {
        if at == self.at {
            return;
        }
        self.at = at;
        let mut now = self.now.0.borrow_mut();
        match at.and_then(test) {
            Some(test) => now.insert(self.run, (test, Instant::now())),
            None => now.remove(&self.run),
        };
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.now.0.borrow_mut().remove(&self.run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_that_began_first_is_named_as_long_as_it_runs() {
        let now = Now::default();
        let test = |at: u64| (at < 10).then_some(TestIdx(at as u32 + 100));
        let longest = || now.longest(None).map(|lasting| lasting.test.0);
        let (mut one, mut other) = (now.of(RunId(1)), now.of(RunId(2)));
        assert_eq!(longest(), None);
        one.runs(Some(3), test);
        other.runs(Some(4), test);
        one.runs(Some(3), test);
        assert_eq!(longest(), Some(103));
        one.runs(None, test);
        assert_eq!(longest(), Some(104));
        other.runs(Some(10), test);
        assert_eq!(longest(), None);
        other.runs(Some(1), test);
        assert_eq!(longest(), Some(101));
        drop(other);
        assert_eq!(longest(), None);
    }
}
