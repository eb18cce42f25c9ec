//! The search: which runs to ask for, and what their answers prove.
//!
//! [`Hunt::next_step`] gives a question, [`Hunt::mark`] takes an answer. Several questions may be out at once. The same
//! sequence of calls with the same answers gives the same questions again: that is how a journal is replayed, a
//! session resumed, and the search tested without a process.
//!
//! ```text
//!   baseline -> explore -> alone -+-> per test:  classify -> localise -> explain -> confirm -> complete
//!                                 +-> per test:  ...                     (questions of all tests interleave)
//! ```

mod alone;
mod baseline;
pub mod board;
mod calibrate;
mod classify;
mod cleaners;
mod complete;
mod confirm;
mod explain;
mod explore;
mod fans;
mod imports;
mod interference;
pub mod load;
mod localise;
mod model;
mod nondeterministic;
mod plan;
mod probe;
pub mod repeat;
mod reruns;
mod snapshots;
mod target;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

pub use plan::{Care, Goal, Like, Plan, Planned, Repeats, Vary};

use self::board::{Board, Run};
use super::outcome::Seen;
use super::run::{RunId, RunRecord, RunSpec};
use super::test_id::{FileIdx, Suite, TestIdx};
use super::verdict::{BEFORE_ITS_TURN, Class, Cluster, Count, Verdict};

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Put this question; the answer carries the number.
    Ask(RunId, RunSpec),
    /// Nothing before an answer comes in.
    Wait,
    /// The search is over.
    Done,
}

/// Where a hunt stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The suite as it is.
    Baseline,
    /// Planned orders.
    Explore,
    /// Every test alone.
    Alone,
    /// Classes and culprits.
    Hunt,
    /// Every test in every role, around causes that are proven.
    Complete,
    /// Over.
    Done,
}

/// Something to be told to a person, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What it is about, a stable word.
    pub about: &'static str,
    /// The sentence.
    pub text: String,
}

/// What all parts of the search share.
pub(crate) struct Shared {
    pub suite: Arc<Suite>,
    pub plan: Plan,
    pub board: Rc<Board>,
    pub verdicts: RefCell<BTreeMap<TestIdx, Verdict>>,
    pub stage: Cell<Stage>,
    /// Tests left out of further orders since they end the process, again and again.
    pub set_aside: RefCell<BTreeSet<TestIdx>>,
    /// Members of proven sets, most recent last: the first suspects for the next test.
    pub culprits: RefCell<Vec<Vec<TestIdx>>>,
    /// Files without which a proven set does not act.
    pub needed: RefCell<Vec<Vec<FileIdx>>>,
    /// Proven cleaners, the first suspects for the next test.
    pub cleaners: RefCell<Vec<TestIdx>>,
    /// Sets that acted in all of many runs before some test, and in how many.
    pub steady: RefCell<BTreeMap<Vec<TestIdx>, Count>>,
    /// Sets with a test that was proven to undo them for some test.
    pub undone: RefCell<BTreeSet<(Vec<TestIdx>, TestIdx)>>,
    /// Tests that failed beside other runs only, too rarely to prove that company is the cause.
    pub apart: RefCell<BTreeSet<TestIdx>>,
    /// Runs collide: nothing runs beside anything any more.
    pub one_at_a_time: Cell<bool>,
    /// Forked children were caught disagreeing with fresh processes: only fresh ones count.
    pub only_fresh: Cell<bool>,
    /// What copies of a process that had run no test saw of lines of tests.
    pub hints: RefCell<HashMap<Vec<TestIdx>, Vec<Seen>>>,
    /// Copies in the middle of a run may be asked for.
    pub snapshots: Cell<bool>,
    /// The search has to begin again, with what is known and may be believed.
    pub again: Cell<bool>,
    /// Milliseconds of runs that completeness has cost.
    pub spare_used_ms: Cell<i64>,
    pub words: RefCell<Vec<Word>>,
    /// How many runs go on at once by now.
    pub jobs: Cell<u32>,
    /// What was found out about each test that depends on others.
    pub found: RefCell<BTreeMap<TestIdx, explain::Found>>,
    /// What the outcome of a repeated test goes with.
    pub decides: RefCell<BTreeMap<TestIdx, repeat::Decides>>,
}

impl Shared {
    /// Children were caught: from now on nothing that they say counts, and the search begins again with the rest of
    /// what is known. Does not return.
    pub async fn distrust(&self, sentence: String) {
        self.only_fresh.set(true);
        self.again.set(true);
        self.say(
            "fork",
            format!(
                "{sentence}: runs start fresh processes from now on, and what was found by forking does not count. \
                 What a module opens, starts or remembers at import (a process id, a path, a connection) is shared by \
                 forked children; in a fixture it is not"
            ),
        );
        std::future::pending().await
    }

    fn forget_conclusions(&self) {
        self.verdicts.borrow_mut().clear();
        self.set_aside.borrow_mut().clear();
        self.culprits.borrow_mut().clear();
        self.needed.borrow_mut().clear();
        self.cleaners.borrow_mut().clear();
        self.steady.borrow_mut().clear();
        self.undone.borrow_mut().clear();
        self.apart.borrow_mut().clear();
        self.found.borrow_mut().clear();
        self.decides.borrow_mut().clear();
        self.hints.borrow_mut().clear();
        self.one_at_a_time.set(false);
        self.stage.set(Stage::Baseline);
    }
}

fn search(shared: &Rc<Shared>) -> Pin<Box<dyn Future<Output = ()>>> {
    match shared.plan.goal.clone() {
        Goal::Shuffle { .. } => Box::pin(classify::whole_suite(shared.clone())),
        Goal::Bisect { test, .. } => Box::pin(target::one_test(shared.clone(), test)),
        Goal::Orders { orders, like } => Box::pin(explore::just_these(shared.clone(), orders, like)),
        Goal::Repeat { repeats, order } => Box::pin(repeat::all(shared.clone(), repeats, order)),
        Goal::Rerun(rerun) => Box::pin(reruns::suite_and_reruns(shared.clone(), rerun)),
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A search in progress.
pub struct Hunt {
    shared: Rc<Shared>,
    code: Option<Pin<Box<dyn Future<Output = ()>>>>,
    flag: Arc<Flag>,
    waker: Waker,
    told: usize,
}

impl Hunt {
    /// A search over this suite that has not asked anything yet.
    pub fn new(suite: Arc<Suite>, plan: Plan) -> Self {
        let forks = plan.forks;
        let shared = Rc::new(Shared {
            suite,
            spare_used_ms: Cell::new(0),
            jobs: Cell::new(plan.jobs),
            plan,
            board: Rc::default(),
            verdicts: RefCell::default(),
            stage: Cell::new(Stage::Baseline),
            set_aside: RefCell::default(),
            culprits: RefCell::default(),
            needed: RefCell::default(),
            cleaners: RefCell::default(),
            steady: RefCell::default(),
            undone: RefCell::default(),
            apart: RefCell::default(),
            one_at_a_time: Cell::new(false),
            only_fresh: Cell::new(false),
            again: Cell::new(false),
            hints: RefCell::default(),
            snapshots: Cell::new(forks),
            words: RefCell::default(),
            found: RefCell::default(),
            decides: RefCell::default(),
        });
        let code = search(&shared);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        Self { shared, code: Some(code), flag, waker, told: 0 }
    }

    /// What to do next. With several executors, call it again until it says [`Step::Wait`].
    pub fn next_step(&mut self) -> Step {
        loop {
            if let Some((run, spec)) = self.shared.board.take() {
                return Step::Ask(run, spec);
            }
            if self.code.is_none() {
                return Step::Done;
            }
            if !self.flag.0.load(Ordering::Relaxed) {
                return Step::Wait;
            }
            self.poll();
        }
    }

    /// Lets the search react to what is new.
    fn poll(&mut self) {
        self.flag.0.store(false, Ordering::Relaxed);
        loop {
            let Some(code) = &mut self.code else { return };
            let done = code.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready();
            if self.shared.again.take() {
                // Dropped first, since that takes its questions off the board.
                self.code = None;
                self.shared.forget_conclusions();
                self.code = Some(search(&self.shared));
                continue;
            }
            if done {
                self.code = None;
                self.shared.stage.set(Stage::Done);
            }
            return;
        }
    }

    /// Takes an answer. False where no such question is out.
    pub fn mark(&mut self, record: RunRecord) -> bool {
        let taken = self.shared.board.pin(record);
        if taken {
            // Poll now, so that a question withdrawn by this answer is never put.
            self.poll();
        }
        taken
    }

    /// Where the search stands.
    pub fn stage(&self) -> Stage {
        self.shared.stage.get()
    }

    /// How many questions were put.
    pub fn asked(&self) -> u32 {
        self.shared.board.asked()
    }

    /// How many questions were answered.
    pub fn answered(&self) -> u32 {
        self.shared.board.runs().len() as u32
    }

    /// What it is to find out.
    pub fn goal(&self) -> &Goal {
        &self.shared.plan.goal
    }

    /// How many runs may go on at once by now.
    pub fn jobs(&self) -> u32 {
        self.shared.jobs.get()
    }

    /// Sets how many runs may go on at once. What is asked next may depend on it: like an answer it belongs into the
    /// journal.
    pub fn set_jobs(&mut self, jobs: u32) {
        self.shared.jobs.set(jobs.max(1));
    }

    /// How many tests are under suspicion or convicted by now.
    pub fn suspects(&self) -> usize {
        explore::both_ways(&self.shared).len()
    }

    /// The questions already known to be wanted, for a dry run: nothing is put.
    pub fn waiting(&self) -> usize {
        self.shared.board.pending().0
    }

    /// What is new to be told since the last call.
    pub fn words(&mut self) -> Vec<Word> {
        let words = self.shared.words.borrow();
        let new = words[self.told..].to_vec();
        self.told = words.len();
        new
    }

    /// What is known by now, by test in collection order: also of a hunt that is not over, and then the best so far.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = self.shared.verdicts.borrow().clone();
        let only: Option<&[TestIdx]> = match &self.shared.plan.goal {
            Goal::Bisect { test, .. } => Some(std::slice::from_ref(test)),
            Goal::Repeat { repeats, .. } => Some(&repeats.tests),
            Goal::Shuffle { .. } | Goal::Orders { .. } => None,
            Goal::Rerun(_) => return reruns::verdicts(&self.shared),
        };
        for test in explore::both_ways(&self.shared) {
            if only.is_some_and(|only| !only.contains(&test)) {
                // Failures of other tests are for `shuffle` to look into.
                continue;
            }
            verdicts.entry(test).or_insert_with(|| {
                let mut verdict = classify::opened(&self.shared, test);
                verdict.class = Class::Undecided;
                verdict.undecided = Some(if self.stage() == Stage::Done {
                    "its class and its culprits were not looked for".into()
                } else {
                    BEFORE_ITS_TURN.into()
                });
                verdict
            });
        }
        verdicts.into_values().collect()
    }

    /// Tests whose culprits are proven by now, in collection order.
    pub fn proven(&self) -> Vec<TestIdx> {
        let verdicts = self.shared.verdicts.borrow();
        verdicts.values().filter(|verdict| verdict.confirmed.is_some()).map(|verdict| verdict.test).collect()
    }

    /// The verdict on one test, where there is one by now.
    pub fn verdict(&self, test: TestIdx) -> Option<Verdict> {
        self.shared.verdicts.borrow().get(&test).cloned()
    }

    /// Tests with one cause, the largest cluster first; only causes with two tests or more.
    pub fn clusters(&self) -> Vec<Cluster> {
        let mut by_cause: BTreeMap<Vec<Vec<TestIdx>>, Vec<TestIdx>> = BTreeMap::new();
        for verdict in self.shared.verdicts.borrow().values() {
            let sets = match verdict.class {
                Class::Victim => &verdict.polluters,
                Class::Brittle => &verdict.state_setters,
                _ => continue,
            };
            if sets.is_empty() {
                continue;
            }
            let mut cause: Vec<Vec<TestIdx>> = sets.iter().map(|set| set.members.clone()).collect();
            cause.sort();
            by_cause.entry(cause).or_default().push(verdict.test);
        }
        let mut clusters: Vec<Cluster> = by_cause
            .into_iter()
            .filter(|(_, tests)| tests.len() > 1)
            .map(|(cause, tests)| Cluster { cause, tests })
            .collect();
        clusters.sort_by(|a, b| b.tests.len().cmp(&a.tests.len()).then(a.tests.cmp(&b.tests)));
        clusters
    }

    /// What repeating each test came to by now; empty where nothing is repeated.
    pub fn repeated(&self) -> Vec<repeat::Repeated> {
        repeat::results(&self.shared)
    }

    /// Every question with its answer so far, for reports: what a forked child said is no evidence once children were
    /// caught.
    pub fn answers(&self) -> Vec<(RunSpec, RunRecord)> {
        let told = |run: &Rc<Run>| {
            let mut record = run.record.clone();
            if self.shared.only_fresh.get() && !record.fresh {
                record
                    .invalid
                    .get_or_insert_with(|| "forked children were caught saying something else".into());
            }
            (run.spec.clone(), record)
        };
        self.shared.board.runs().iter().map(told).collect()
    }

    /// Every answer so far, in the order of arrival.
    pub fn runs(&self) -> Vec<Rc<Run>> {
        self.shared.board.runs().to_vec()
    }
}
