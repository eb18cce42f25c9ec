//! Putting questions, and reading what all runs say of one test.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures_util::future::join_all;

use super::Shared;
use super::board::{Ask, Run, Urgency};
use super::plan::Like;
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::{Manner, Purpose, RunSpec};
use crate::core::test_id::{FileIdx, TestIdx};
use crate::core::verdict::Count;

/// The seed of runs that are held against one another: chance must not make the difference.
pub(crate) const COMPARED_SEED: u64 = 1;

/// How a question is to be answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub purpose: Purpose,
    pub fresh: bool,
    pub exclusive: bool,
    /// With the seed of all runs that are held against one another.
    pub seeded: bool,
    /// Told in detail.
    pub detailed: bool,
    pub together: bool,
    /// Told in full, for reports.
    pub full: bool,
    /// So many milliseconds from now.
    pub wait_ms: u64,
    pub urgency: Urgency,
}

/// A run that takes longer is worth being hidden behind others.
const LONG_MS: u64 = 1_000;

impl How {
    /// As soon as possible, by whatever executor.
    pub fn next(purpose: Purpose) -> Self {
        Self {
            purpose,
            fresh: false,
            exclusive: false,
            seeded: false,
            detailed: false,
            together: false,
            full: false,
            wait_ms: 0,
            urgency: Urgency::Next,
        }
    }

    /// When nothing better is to do.
    pub fn spare(purpose: Purpose) -> Self {
        Self { urgency: Urgency::Spare, ..Self::next(purpose) }
    }

    /// In a process of its own.
    pub fn fresh(self) -> Self {
        Self { fresh: true, ..self }
    }

    /// Beside others, even where runs go one at a time by now.
    pub fn together(self) -> Self {
        Self { together: true, ..self }
    }

    /// With the seed of all runs that are held against one another.
    pub fn seeded(self) -> Self {
        Self { seeded: true, ..self }
    }

    /// Told in detail, to be held against another run.
    pub fn compared(self) -> Self {
        Self { detailed: true, ..self.seeded() }
    }

    /// With nothing beside it.
    pub fn exclusive(self) -> Self {
        Self { exclusive: true, ..self }
    }
}

impl Shared {
    /// The answer number `nth` to: this order, run this way.
    pub fn ask(&self, order: Vec<TestIdx>, name: OrderName, nth: usize, how: How) -> Ask {
        self.board.ask(self.spec(order, name, how), nth, how.urgency)
    }

    pub fn spec(&self, order: Vec<TestIdx>, name: OrderName, how: How) -> RunSpec {
        RunSpec {
            order: order.into(),
            name,
            files: None,
            // Where nothing forks every process is fresh, and where nothing runs side by side every run is alone:
            // saying so would only keep equal questions apart.
            fresh: self.plan.forks && (how.fresh || self.only_fresh.get()),
            exclusive: self.plan.jobs > 1 && (how.exclusive || (self.one_at_a_time.get() && !how.together)),
            detailed: how.detailed,
            full: how.full,
            wait_ms: how.wait_ms,
            random_seed: how.seeded.then_some(COMPARED_SEED),
            hash_seed: None,
            manner: Manner::default(),
            probes: None,
            fan: None,
            purpose: how.purpose,
        }
    }

    /// One more run of this order.
    pub fn once_more(&self, order: Vec<TestIdx>, name: OrderName, how: How) -> Ask {
        let spec = self.spec(order, name, how);
        let times = self.board.times(&spec);
        self.board.ask(spec, times, how.urgency)
    }

    /// One more run of this order, made like another one.
    pub fn ask_like(&self, order: Vec<TestIdx>, name: OrderName, how: How, like: Like) -> Ask {
        let Like { random_seed, hash_seed, manner } = like;
        let spec = self.spec(order, name, how);
        let spec = RunSpec { random_seed: random_seed.or(spec.random_seed), hash_seed, manner, ..spec };
        let times = self.board.times(&spec);
        self.board.ask(spec, times, how.urgency)
    }

    /// The same, of an order without a name.
    pub fn again_whole(&self, order: Vec<TestIdx>, how: How) -> Ask {
        self.once_more(order, OrderName::Probe, how)
    }

    /// What the test does at the end of this order in one more run of it.
    pub async fn again(&self, before: &[TestIdx], test: TestIdx, how: How) -> Option<Seen> {
        self.again_whole([before, &[test]].concat(), how).await.seen(test)
    }

    /// The same in one more run for which only these files are collected.
    pub async fn again_among(
        &self,
        files: &[FileIdx],
        before: &[TestIdx],
        test: TestIdx,
        how: How,
    ) -> Option<Seen> {
        let spec = self.spec_among(files, before, test, how);
        let times = self.board.times(&spec);
        self.board.ask(spec, times, how.urgency).await.seen(test)
    }

    /// What the test did in a run for which only these files are collected, the `nth` time it is asked.
    pub async fn after_among(
        &self,
        files: &[FileIdx],
        before: &[TestIdx],
        test: TestIdx,
        nth: usize,
        how: How,
    ) -> Option<Seen> {
        self.board.ask(self.spec_among(files, before, test, how), nth, how.urgency).await.seen(test)
    }

    fn spec_among(&self, files: &[FileIdx], before: &[TestIdx], test: TestIdx, how: How) -> RunSpec {
        let spec = self.spec([before, &[test]].concat(), OrderName::Probe, how);
        RunSpec { files: Some(files.into()), ..spec }
    }

    /// The files of these tests and of the test, in collection order.
    pub fn files_of(&self, before: &[TestIdx], test: TestIdx) -> Vec<FileIdx> {
        let files: BTreeSet<FileIdx> =
            before.iter().chain([&test]).map(|one| self.suite.file_of(*one)).collect();
        files.into_iter().collect()
    }

    /// What the test did at the end of this order, the `nth` time it is asked; `None` where it was not reached.
    pub async fn after(&self, before: &[TestIdx], test: TestIdx, nth: usize, how: How) -> Option<Seen> {
        let mut order = before.to_vec();
        order.push(test);
        self.ask(order, OrderName::Probe, nth, how).await.seen(test)
    }

    /// Whether the test shows `wanted` after these, in one of `tries` tries: one answer is enough for yes.
    pub async fn shows(
        &self,
        before: &[TestIdx],
        test: TestIdx,
        wanted: Seen,
        tries: usize,
        how: How,
    ) -> bool {
        for nth in 0..tries {
            if self.after(before, test, nth, how).await == Some(wanted) {
                return true;
            }
        }
        false
    }

    /// Whether the test keeps from flipping after these, `times` times of as many.
    pub async fn stays(&self, before: &[TestIdx], test: TestIdx, flip: Seen, times: usize, how: How) -> bool {
        for nth in 0..times {
            if self.after(before, test, nth, how).await != Some(flip.other()) {
                return false;
            }
        }
        true
    }

    /// [`shows`](Self::shows) for several orders at once.
    pub async fn which_show(
        &self,
        orders: &[Vec<TestIdx>],
        test: TestIdx,
        wanted: Seen,
        tries: usize,
        how: How,
    ) -> Vec<bool> {
        join_all(orders.iter().map(|before| self.shows(before, test, wanted, tries, how))).await
    }

    /// Whether a run may be used to judge what an order does.
    pub fn is_evidence(&self, run: &Run) -> bool {
        run.record.is_valid() && run.spec.files.is_none() && (run.record.fresh || !self.only_fresh.get())
    }

    /// Every run that tells something of this test, with what it tells.
    pub fn evidence(&self, test: TestIdx) -> Vec<(Rc<Run>, Seen)> {
        let runs = self.board.runs();
        runs.iter()
            .filter(|run| self.is_evidence(run))
            .filter_map(|run| run.seen(test).map(|seen| (run.clone(), seen)))
            .collect()
    }

    /// Failures of the test in the orders that were tried, as opposed to probes.
    pub fn failures_in_orders(&self, test: TestIdx) -> Count {
        let mut count = Count::default();
        for (run, seen) in self.evidence(test) {
            if is_an_order(&run) {
                count.add(seen == Seen::Fail);
            }
        }
        count
    }

    /// Failures of the test with nothing before it.
    pub fn failures_alone(&self, test: TestIdx) -> Count {
        let mut count = Count::default();
        for (run, seen) in self.evidence(test) {
            if run.place(test) == Some(0) {
                count.add(seen == Seen::Fail);
            }
        }
        count
    }

    /// Failures in runs of exactly this order.
    pub fn failures_after(&self, before: &[TestIdx], test: TestIdx) -> Count {
        let mut count = Count::default();
        for (run, seen) in self.evidence(test) {
            if run.before(test) == before {
                count.add(seen == Seen::Fail);
            }
        }
        count
    }

    /// What a run of two or three tests costs, in milliseconds: the shortest so far, or what a long run costs
    /// besides its tests.
    pub fn short_run_ms(&self) -> u64 {
        let runs = self.board.runs();
        let counts = |run: &Rc<Run>| !self.only_fresh.get() || run.record.fresh;
        let runs: Vec<&Rc<Run>> = runs.iter().filter(|run| counts(run)).collect();
        // The usual way of running, which is not a process of its own where children may be forked.
        let usual = |run: &Run| {
            run.spec.is_plain() && run.spec.fresh == self.only_fresh.get() && run.spec.files.is_none()
        };
        let mut short: Vec<u64> = runs
            .iter()
            .filter(|run| run.spec.order.len() <= 3 && usual(run))
            .map(|run| run.record.effort_ms())
            .collect();
        if short.is_empty() {
            let rest = |run: &&Rc<Run>| run.record.effort_ms().saturating_sub(run.record.cost.tests_ms);
            // A forked child costs less than this bound; a process of its own costs about this.
            let all: Vec<u64> = runs.iter().filter(|run| run.record.is_valid()).map(rest).collect();
            let forked: Vec<u64> =
                runs.iter().filter(|run| run.record.is_valid() && !run.record.fresh).map(rest).collect();
            return if forked.is_empty() { all } else { forked }.into_iter().min().unwrap_or(0);
        }
        short.sort_unstable();
        short[short.len() / 2]
    }

    /// Whether a run of this order took longer than a person likes to wait for nothing.
    pub fn takes_long(&self, order: &[TestIdx]) -> bool {
        let runs = self.board.runs();
        runs.iter().any(|run| run.spec.order[..] == *order && run.record.cost.wall_ms > LONG_MS)
    }

    /// Whether a test costs about as much as a short run does besides it: then to run many at once spares nothing.
    pub fn long_tests(&self) -> bool {
        let runs = self.board.runs();
        let orders = runs.iter().filter(|run| run.record.is_valid() && is_an_order(run));
        let (all, tests) = orders.fold((0, 0), |(ms, tests), run| {
            (ms + run.record.cost.tests_ms, tests + run.spec.order.len() as u64)
        });
        all > tests * self.short_run_ms() / 2
    }

    /// Takes the cost of this many runs from what completeness may cost; false where it is too much. Each costs as much
    /// as the runs of `like` did, else as a short run does.
    pub fn afford(&self, runs: usize, like: Option<(&[TestIdx], TestIdx)>) -> bool {
        let each =
            like.and_then(|(before, test)| self.cost_of(before, test)).unwrap_or_else(|| self.short_run_ms());
        let jobs = u64::from(self.plan.jobs.max(1));
        let cost = (runs as u64 * each / jobs) as i64;
        let spent: u64 = self.board.runs().iter().map(|run| run.record.effort_ms()).sum();
        // What a long hunt has cost already makes a little more bearable.
        let most = match self.plan.care.spare_ms {
            0 => 0,
            spare => spare.max(spent / jobs / 2) as i64,
        };
        let used = self.spare_used_ms.get();
        if used + cost > most {
            return false;
        }
        self.spare_used_ms.set(used + cost);
        true
    }

    /// What a run of exactly this order cost in the mean, in milliseconds.
    pub fn cost_of(&self, before: &[TestIdx], test: TestIdx) -> Option<u64> {
        let costs: Vec<u64> = self
            .evidence(test)
            .iter()
            .filter(|(run, _)| run.before(test) == before && run.record.fresh != self.plan.forks)
            .map(|(run, _)| run.record.effort_ms())
            .collect();
        (!costs.is_empty()).then(|| costs.iter().sum::<u64>() / costs.len() as u64)
    }

    /// Tells a person something.
    pub fn say(&self, about: &'static str, text: impl Into<String>) {
        self.words.borrow_mut().push(super::Word { about, text: text.into() });
    }
}

/// Whether a run was one of the orders to be tried, not a probe of the search.
pub(crate) fn is_an_order(run: &Run) -> bool {
    matches!(run.spec.purpose, Purpose::Baseline | Purpose::Explore | Purpose::Replay)
}
