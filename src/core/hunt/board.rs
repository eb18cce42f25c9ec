//! Questions that wait, questions that are out, and every answer so far.
//!
//! The search is written as ordinary `async` code: a question is a future, its answer the value. No runtime is
//! involved: [`super::Hunt`] polls the code whenever an answer was pinned to the board, so the whole search is a
//! state machine that does nothing but react to answers, and the same answers lead to the same questions again.

use std::cell::{Cell, Ref, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::core::outcome::{Outcome, Seen};
use crate::core::run::{Probes, RunId, RunRecord, RunSpec};
use crate::core::test_id::{FileIdx, TestIdx};

/// A question with its answer.
#[derive(Debug)]
pub struct Run {
    /// What was asked.
    pub spec: RunSpec,
    /// What came back.
    pub record: RunRecord,
    /// Where each test stands in the order (its first place), by test number; `u32::MAX` where it does not.
    /// Empty for short orders, which are searched.
    places: Vec<u32>,
}

/// Up to this length an order is searched instead of indexed: most probes are this short, and there are many.
const SHORT: usize = 64;

impl Run {
    fn new(spec: RunSpec, record: RunRecord) -> Self {
        if spec.order.len() <= SHORT {
            return Self { spec, record, places: Vec::new() };
        }
        let size = spec.order.iter().map(|test| test.at() + 1).max().unwrap_or(0);
        let mut places = vec![u32::MAX; size];
        for (place, test) in spec.order.iter().enumerate().rev() {
            places[test.at()] = place as u32;
        }
        Self { spec, record, places }
    }

    /// Where a test stands in the order that was asked.
    pub fn place(&self, test: TestIdx) -> Option<usize> {
        if self.spec.order.len() <= SHORT {
            return self.spec.order.iter().position(|other| *other == test);
        }
        self.places.get(test.at()).filter(|place| **place != u32::MAX).map(|place| *place as usize)
    }

    /// What became of a test: `None` where it was not asked, or not reached, or the run is no evidence.
    pub fn outcome(&self, test: TestIdx) -> Option<Outcome> {
        if !self.record.is_valid() || !self.spec.is_plain() {
            return None;
        }
        let outcome = *self.record.outcomes.get(self.place(test)?)?;
        (outcome != Outcome::NotReached).then_some(outcome)
    }

    /// Pass or fail, where the run tells.
    pub fn seen(&self, test: TestIdx) -> Option<Seen> {
        self.outcome(test).and_then(Outcome::seen)
    }

    /// The tests that ran before this one.
    pub fn before(&self, test: TestIdx) -> &[TestIdx] {
        self.place(test).map_or(&[], |place| &self.spec.order[..place])
    }
}

/// How soon a question wants its answer; FIFO among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Somebody's next step hangs on it.
    Next,
    /// Evidence for everybody.
    Soon,
    /// Nice to know.
    Spare,
}

/// Two questions with the same key have answers of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    order: Arc<[TestIdx]>,
    files: Option<Arc<[FileIdx]>>,
    fresh: bool,
    exclusive: bool,
    probes: Option<Arc<Probes>>,
    fan: Option<Arc<[Vec<TestIdx>]>>,
}

impl Key {
    fn of(spec: &RunSpec) -> Self {
        Self {
            order: spec.order.clone(),
            files: spec.files.clone(),
            fresh: spec.fresh,
            exclusive: spec.exclusive,
            probes: spec.probes.clone(),
            fan: spec.fan.clone(),
        }
    }
}

struct Question {
    spec: RunSpec,
    rank: (Urgency, u64),
    waiting: Cell<u32>,
    answer: RefCell<Option<Rc<Run>>>,
    wakers: RefCell<Vec<Waker>>,
}

/// The board of one hunt.
#[derive(Default)]
pub struct Board {
    queue: RefCell<BTreeMap<(Urgency, u64), Rc<Question>>>,
    out: RefCell<BTreeMap<RunId, Rc<Question>>>,
    known: RefCell<HashMap<Key, Vec<Rc<Question>>>>,
    runs: RefCell<Vec<Rc<Run>>>,
    next_rank: Cell<u64>,
    next_run: Cell<u32>,
}

impl Board {
    /// The answer number `nth` (from 0) to a question; it is asked only if nobody has asked it that often.
    pub fn ask(self: &Rc<Self>, spec: RunSpec, nth: usize, urgency: Urgency) -> Ask {
        let key = Key::of(&spec);
        let mut known = self.known.borrow_mut();
        let same = known.entry(key).or_default();
        while same.len() <= nth {
            let rank = (urgency, self.next_rank.replace(self.next_rank.get() + 1));
            let question = Rc::new(Question {
                spec: spec.clone(),
                rank,
                waiting: Cell::new(0),
                answer: RefCell::new(None),
                wakers: RefCell::default(),
            });
            same.push(question);
        }
        let question = same[nth].clone();
        let idle = question.waiting.get() == 0 && question.answer.borrow().is_none();
        question.waiting.set(question.waiting.get() + 1);
        if idle && !self.out.borrow().values().any(|out| Rc::ptr_eq(out, &question)) {
            self.queue.borrow_mut().insert(question.rank, question.clone());
        }
        Ask { board: self.clone(), question }
    }

    /// How often a question was asked by now.
    pub fn times(&self, spec: &RunSpec) -> usize {
        self.known.borrow().get(&Key::of(spec)).map_or(0, Vec::len)
    }

    /// Takes the next question off the board, unless what is out forbids it.
    pub fn take(&self) -> Option<(RunId, RunSpec)> {
        let mut out = self.out.borrow_mut();
        let mut queue = self.queue.borrow_mut();
        let first = queue.first_entry()?;
        let lonely = first.get().spec.exclusive || out.values().any(|question| question.spec.exclusive);
        if lonely && !out.is_empty() {
            return None;
        }
        let question = first.remove();
        let run = RunId(self.next_run.replace(self.next_run.get() + 1));
        out.insert(run, question.clone());
        Some((run, question.spec.clone()))
    }

    /// Pins an answer to the board. False where that question is not out.
    pub fn pin(&self, record: RunRecord) -> bool {
        let Some(question) = self.out.borrow_mut().remove(&record.run) else { return false };
        let run = Rc::new(Run::new(question.spec.clone(), record));
        self.runs.borrow_mut().push(run.clone());
        *question.answer.borrow_mut() = Some(run);
        for waker in question.wakers.borrow_mut().drain(..) {
            waker.wake();
        }
        true
    }

    /// Every answer so far, in the order of their arrival.
    pub fn runs(&self) -> Ref<'_, [Rc<Run>]> {
        Ref::map(self.runs.borrow(), Vec::as_slice)
    }

    /// How many questions were put.
    pub fn asked(&self) -> u32 {
        self.next_run.get()
    }

    /// Questions that wait and questions that are out.
    pub fn pending(&self) -> (usize, usize) {
        (self.queue.borrow().len(), self.out.borrow().len())
    }
}

/// The future of one answer. Dropped before its question is out, it takes the question off the board again.
pub struct Ask {
    board: Rc<Board>,
    question: Rc<Question>,
}

impl Future for Ask {
    type Output = Rc<Run>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Rc<Run>> {
        if let Some(run) = &*self.question.answer.borrow() {
            return Poll::Ready(run.clone());
        }
        self.question.wakers.borrow_mut().push(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        let left = self.question.waiting.get() - 1;
        self.question.waiting.set(left);
        if left == 0 && self.question.answer.borrow().is_none() {
            self.board.queue.borrow_mut().remove(&self.question.rank);
        }
    }
}
