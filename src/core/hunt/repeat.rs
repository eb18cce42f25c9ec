//! `repeat`: how often does a test fail, and what does its outcome go with?
//!
//! Each test is counted by itself, from a fresh start each time or all times in one process. What has failed is then
//! settled: by chance, by a seed, by the load, by what the test leaves behind, or by the company of other runs.

mod in_process;
mod load;
mod seeds;
mod settle;

use std::ops::Range;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream;
use serde::{Deserialize, Serialize};

use super::board::{Ask, Run, Urgency};
use super::complete::window;
use super::plan::{Like, Planned, Repeats};
use super::probe::{COMPARED_SEED, How};
use super::{Shared, Stage, calibrate};
use crate::core::hunt::Goal;
use crate::core::order::OrderName;
use crate::core::outcome::{Outcome, Seen};
use crate::core::run::{Manner, Purpose, RunId, RunRecord, RunSpec};
use crate::core::stats::{Interval, Side, interval, interval_at_any_time, side};
use crate::core::test_id::TestIdx;
use crate::core::verdict::Count;

/// A test none of whose first runs can be used is given up.
const USELESS: u32 = 5;

/// What an outcome goes with.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Factor {
    /// The seed of `random`.
    RandomSeed,
    /// PYTHONHASHSEED.
    HashSeed,
    /// Both together.
    BothSeeds,
    /// How often it has run before, in whatever process.
    RepeatNumber,
    /// How often it has run before in the same process.
    TimesInProcess,
    /// Busy processors.
    Load,
}

/// What decides, or helps to decide, the outcome of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decides {
    /// What.
    pub factor: Factor,
    /// Failures where it is so: with a seed that failed before, under load, from `since` on.
    pub with: Count,
    /// Failures where it is not.
    pub without: Count,
    /// Of [`Factor::RepeatNumber`] and [`Factor::TimesInProcess`]: from which repeat on, counted from 1.
    pub since: Option<u32>,
}

/// Why a test is repeated no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// As often as was asked.
    Count,
    /// It failed so often.
    MaxFail,
    /// It is known which side of the limit its rate is on.
    Decided,
    /// The session ended before.
    Ended,
}

/// What repeating a test came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated {
    /// Which test.
    pub test: TestIdx,
    /// Failures, of the repeats; under load where that was asked for.
    pub count: Count,
    /// The rates that agree with it: exact (Clopper-Pearson), or one that bears a stop at any time where a limit of the
    /// rate decided when to stop.
    pub interval: Interval,
    /// The interval bears a stop at any time.
    pub at_any_time: bool,
    /// Failures without load, where load was asked for.
    pub unloaded: Option<Count>,
    /// The side of `max_rate` that its rate is on, where that is known.
    pub side: Option<Side>,
    /// Why it is repeated no more.
    pub stop: Stop,
    /// What its outcome goes with.
    pub decides: Option<Decides>,
}

/// The test that a run counts for and the positions that count: the last test of its order and the places at the end
/// where it stands again and again. `None` of a run that is no counted repeat or no evidence.
pub fn counted(spec: &RunSpec, record: &RunRecord) -> Option<(TestIdx, Range<usize>)> {
    let test = *spec.order.last()?;
    let again = spec.order.iter().rev().take_while(|other| **other == test).count();
    let counts = spec.purpose == Purpose::Counted && record.is_valid();
    counts.then_some((test, spec.order.len() - again..spec.order.len()))
}

/// `repeat` of all tests, side by side.
pub(crate) async fn all(h: Rc<Shared>, repeats: Repeats, order: Option<Planned>) {
    let h = &*h;
    let subjects: Vec<Subject<'_>> =
        repeats.tests.iter().map(|test| Subject::new(h, &repeats, order.as_ref(), *test)).collect();
    h.stage.set(Stage::Explore);
    let counting = join_all(subjects.iter().map(|subject| async {
        if repeats.in_process {
            in_process::count(subject).await;
        } else if repeats.load > 0 {
            load::count(subject).await;
        } else {
            subject.count_all().await;
        }
    }));
    // Whoever answers by forking is held against processes of their own meanwhile. In one process, children are held
    // against them where something failed.
    let known = known_order(&repeats, order.as_ref());
    let calibrating = async {
        if h.plan.forks && !h.only_fresh.get() && !repeats.in_process {
            calibrate::both_ways(h, &known, &OrderName::Probe, true).await.settle(h).await;
        }
    };
    // First, so that what is compared is not what is counted, which has other seeds.
    join(calibrating, counting).await;
    if !h.board.runs().iter().any(|run| run.record.is_valid()) {
        let why = h.board.runs().iter().find_map(|run| run.record.invalid.clone());
        h.say("no-baseline", why.unwrap_or_default());
        return;
    }
    h.stage.set(Stage::Hunt);
    join_all(subjects.iter().map(|subject| async {
        if repeats.in_process {
            in_process::settle(subject).await;
        } else if repeats.load > 0 {
            load::settle(subject).await;
        } else {
            settle::settle(subject).await;
        }
    }))
    .await;
    if !repeats.in_process {
        calibrate::in_the_end(h, &known).await;
    }
}

/// What is run by children and by a process of its own: all tests once, or the order that was named.
fn known_order(repeats: &Repeats, order: Option<&Planned>) -> Vec<TestIdx> {
    order.map_or_else(|| repeats.tests.clone(), |planned| planned.order.to_vec())
}

/// A test that is repeated.
pub(crate) struct Subject<'a> {
    h: &'a Shared,
    r: &'a Repeats,
    test: TestIdx,
    /// What runs before it.
    before: Vec<TestIdx>,
    name: OrderName,
}

impl<'a> Subject<'a> {
    fn new(h: &'a Shared, r: &'a Repeats, order: Option<&Planned>, test: TestIdx) -> Self {
        let place = order.and_then(|planned| planned.order.iter().position(|other| *other == test));
        let before = match (order, place) {
            (Some(planned), Some(place)) => planned.order[..place].to_vec(),
            _ => Vec::new(),
        };
        let name = order.map_or(OrderName::Probe, |planned| planned.name.clone());
        Self { h, r, test, before, name }
    }

    /// The order of one repeat.
    fn order(&self) -> Vec<TestIdx> {
        self.times(1)
    }

    /// The order of so many repeats in one process.
    fn times(&self, times: u32) -> Vec<TestIdx> {
        self.before.iter().copied().chain((0..times).map(|_| self.test)).collect()
    }

    /// One more run of it.
    fn ask(&self, how: How, like: Like) -> Ask {
        self.h.ask_like(self.order(), self.name.clone(), how, like)
    }

    /// The seeds of repeat number `nth`, from 0. A seed that is `None` is drawn by whoever runs it, another one each
    /// time, and recorded.
    fn like(&self, nth: u32) -> Like {
        let vary = self.r.vary;
        Like {
            random_seed: (!vary.seed).then_some(COMPARED_SEED),
            // 0 would switch the randomisation off.
            hash_seed: vary.hash_seed.then_some(nth + 1),
            manner: Manner { measured: true, ..Manner::default() },
        }
    }

    /// Counts from fresh starts, until it was often enough.
    async fn count_all(&self) {
        let how = How { urgency: Urgency::Soon, ..How::next(Purpose::Counted) };
        let mut asked =
            stream::iter(0..self.r.count).map(|nth| self.ask(how, self.like(nth))).buffered(window(self.h));
        let (mut count, mut useless) = (Count::default(), 0);
        // In the order of asking: the fast ones must not be counted first.
        while let Some(run) = asked.next().await {
            match self.seen(&run) {
                Some(seen) => count.add(seen == Seen::Fail),
                None => useless += 1,
            }
            if enough(self.r, count) || (count.n == 0 && useless >= USELESS) {
                break;
            }
        }
    }

    /// What became of the test in a run that may be believed.
    fn outcome(&self, run: &Run) -> Option<Outcome> {
        let outcome = *run.record.outcomes.last()?;
        (self.h.is_evidence(run) && outcome != Outcome::NotReached).then_some(outcome)
    }

    fn seen(&self, run: &Run) -> Option<Seen> {
        self.outcome(run).and_then(Outcome::seen)
    }

    /// Every run of one repeat from a fresh start that tells, in the order of asking, with what it tells.
    fn runs(&self) -> Vec<(Rc<Run>, Seen)> {
        let order = self.order();
        let runs = self.h.board.runs();
        let mut runs: Vec<(Rc<Run>, Seen)> = runs
            .iter()
            .filter(|run| run.spec.order[..] == order[..] && run.spec.files.is_none())
            .filter_map(|run| self.seen(run).map(|seen| (run.clone(), seen)))
            .collect();
        runs.sort_by_key(|(run, _)| run.record.run);
        runs
    }

    /// Failures in those of these runs.
    fn failures(&self, which: impl Fn(&Run) -> bool) -> Count {
        let mut count = Count::default();
        for (run, seen) in self.runs() {
            if which(&run) {
                count.add(seen == Seen::Fail);
            }
        }
        count
    }

    /// What one more run of it tells.
    async fn once(&self, how: How, like: Like) -> Option<Seen> {
        let run = self.ask(how, like).await;
        self.seen(&run)
    }

    /// Every run that counts for it, in the order of asking.
    fn counted_runs(&self) -> Vec<Rc<Run>> {
        let runs = self.h.board.runs();
        let counts = |run: &&Rc<Run>| {
            self.h.is_evidence(run)
                && counted(&run.spec, &run.record).is_some_and(|(test, _)| test == self.test)
        };
        let mut runs: Vec<Rc<Run>> = runs.iter().filter(counts).cloned().collect();
        runs.sort_by_key(|run| run.record.run);
        runs
    }

    /// The outcomes of the places that count in such a run.
    fn counted_outcomes(&self, run: &Run) -> Vec<Outcome> {
        let places = counted(&run.spec, &run.record).map(|(_, places)| places);
        let outcomes = places.and_then(|places| run.record.outcomes.get(places)).unwrap_or_default();
        outcomes.iter().copied().filter(|outcome| *outcome != Outcome::NotReached).collect()
    }

    fn is_counted(run: &Run) -> bool {
        run.spec.purpose == Purpose::Counted
    }
}

/// Whether a test was repeated often enough before its number is full.
fn enough(r: &Repeats, count: Count) -> bool {
    r.max_fail.is_some_and(|most| count.k >= most)
        || r.max_rate.is_some_and(|limit| side(count, limit, r.confidence).is_some())
}

/// What repeating came to by now, by test.
pub(crate) fn results(h: &Shared) -> Vec<Repeated> {
    let Goal::Repeat { repeats: r, .. } = &h.plan.goal else { return Vec::new() };
    let mut runs: Vec<Rc<Run>> = h.board.runs().iter().filter(|run| h.is_evidence(run)).cloned().collect();
    runs.sort_by_key(|run| run.record.run);
    let result = |test: &TestIdx| {
        let (mut count, mut unloaded, mut on) = (Count::default(), Count::default(), None);
        for (_, outcome, loaded) in outcomes(&runs, *test) {
            let arm = if loaded == (r.load > 0) { &mut count } else { &mut unloaded };
            arm.add(outcome == Seen::Fail);
            if let Some(limit) = r.max_rate.filter(|_| on.is_none()) {
                on = side(count, limit, r.confidence);
            }
        }
        let at_any_time = r.max_rate.is_some();
        Repeated {
            test: *test,
            count,
            interval: if at_any_time {
                interval_at_any_time(count, r.confidence)
            } else {
                interval(count, r.confidence)
            },
            at_any_time,
            unloaded: (r.load > 0).then_some(unloaded),
            side: on,
            stop: match () {
                () if on.is_some() => Stop::Decided,
                () if r.max_fail.is_some_and(|most| count.k >= most) => Stop::MaxFail,
                () if count.n >= r.count => Stop::Count,
                () => Stop::Ended,
            },
            decides: h.decides.borrow().get(test).copied(),
        }
    };
    r.tests.iter().map(result).collect()
}

/// Every counted repeat of a test that tells: its run, what it tells, and whether it was under load.
fn outcomes(runs: &[Rc<Run>], test: TestIdx) -> impl Iterator<Item = (RunId, Seen, bool)> {
    runs.iter().flat_map(move |run| {
        let places = counted(&run.spec, &run.record).filter(|(of, _)| *of == test).map(|(_, places)| places);
        let outcomes = places.and_then(|places| run.record.outcomes.get(places)).unwrap_or_default();
        let loaded = run.spec.manner.load > 0;
        outcomes.iter().filter_map(move |outcome| outcome.seen().map(|seen| (run.record.run, seen, loaded)))
    })
}
