//! The loop between the search and an executor, with an executor that keeps a long run out for as long as it likes.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use flakehunt::core::hunt::load::Load;
use flakehunt::core::hunt::{Care, Goal, Hunt, Plan, Planned};
use flakehunt::core::order::OrderName;
use flakehunt::core::run::{Purpose, RunId, RunSpec};
use flakehunt::core::simulated::{Effect, Simulated};
use flakehunt::core::test_id::TestIdx;
use flakehunt::core::verdict::Class;
use flakehunt::error::Failure;
use flakehunt::process::{Cancel, CancelSignal};
use flakehunt::pytest::executor::{Answered, Executor};
use flakehunt::pytest::lasting::Lasting;
use flakehunt::pytest::slots::Slots;
use flakehunt::session::drive::{Budget, Drive, Onlooker};
use flakehunt::session::event::{EndReason, Environment, Header};
use flakehunt::session::gauge::Gauge;
use flakehunt::session::journal::{Journal, Sink};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::sync::watch;

const TESTS: usize = 60;
const POLLUTER: TestIdx = TestIdx(20);
const VICTIM: TestIdx = TestIdx(41);

/// A machine that two runs leave idle for the most part.
struct Idle;

impl Gauge for Idle {
    fn look(&mut self, full: bool) -> Option<Load> {
        full.then_some(Load { idle: 750, memory: 900 })
    }
}

/// Answers short questions at once, and runs of a whole order only when the polluter has been found without them.
struct Slow {
    suite: Simulated,
    rng: RefCell<ChaCha8Rng>,
    found: watch::Sender<bool>,
    /// What was asked after a whole order was answered.
    then: RefCell<Vec<Purpose>>,
    whole: Cell<bool>,
    /// What runs for long.
    lasting: Cell<Option<Lasting>>,
}

impl Executor for Slow {
    fn starts_ahead(&self) -> bool {
        false
    }

    fn lasting(&self) -> Option<Lasting> {
        self.lasting.get()
    }

    async fn answer(
        &self,
        run: RunId,
        spec: RunSpec,
        _: &Slots,
        _: CancelSignal,
    ) -> Result<Answered, Failure> {
        if spec.purpose == Purpose::Baseline {
            let mut found = self.found.subscribe();
            found.wait_for(|found| *found).await.expect("the executor is there");
            self.whole.set(true);
        } else if self.whole.get() {
            self.then.borrow_mut().push(spec.purpose);
        }
        let record = self.suite.answer(run, &spec, true, true, &mut self.rng.borrow_mut());
        if *spec.order == [POLLUTER, VICTIM] {
            self.found.send_replace(true);
        }
        Ok(Answered { record: Some(record), notices: Vec::new(), processes: 0 })
    }
}

struct Nobody;

impl Onlooker for Nobody {
    fn look(&mut self, _: &Hunt) {}
    fn notice(&mut self, _: &str, _: &str) {}
    fn waits(&mut self, _: Lasting) {}
}

struct Memory(Vec<u8>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Memory {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn header() -> Header {
    Header {
        format: 0,
        flakehunt: String::new(),
        session: String::new(),
        began: String::new(),
        plan: serde_json::Value::Null,
        command: "bisect".into(),
        environment: Environment::default(),
    }
}

/// Lets the long runs end when it is told what they wait for.
struct Patient<'a> {
    executor: &'a Slow,
    told: Vec<Lasting>,
}

impl Onlooker for Patient<'_> {
    fn look(&mut self, _: &Hunt) {}
    fn notice(&mut self, _: &str, _: &str) {}
    fn waits(&mut self, lasting: Lasting) {
        self.told.push(lasting);
        self.executor.lasting.set(None);
        self.executor.found.send_replace(true);
    }
}

fn polluted() -> Simulated {
    let mut suite = Simulated::healthy(TESTS, 10);
    suite.rules[POLLUTER.at()].effects = vec![Effect { set: 1, chance: 1.0, ..Effect::default() }];
    suite.rules[VICTIM.at()].fails_if = vec![1];
    suite
}

fn slow(suite: Simulated) -> Slow {
    Slow {
        suite,
        rng: RefCell::new(ChaCha8Rng::seed_from_u64(1)),
        found: watch::channel(false).0,
        then: RefCell::default(),
        whole: Cell::new(false),
        lasting: Cell::new(None),
    }
}

#[tokio::test]
async fn a_test_that_lasts_is_told_of_while_nothing_comes() {
    let suite = polluted();
    let order: Vec<TestIdx> = (0..TESTS as u32).map(TestIdx).collect();
    let orders = vec![Planned { name: OrderName::Collection, order: order.into() }];
    let goal = Goal::Shuffle { orders, bisect: false };
    let plan = Plan { goal, jobs: 1, forks: false, care: Care::default() };
    let mut hunt = Hunt::new(Arc::new(suite.suite()), plan);
    let executor = slow(suite);
    let lasting = Lasting { test: VICTIM, since: Duration::from_secs(20), limit: None };
    executor.lasting.set(Some(lasting));
    let mut journal = Journal::begin(Memory(Vec::new()), &header()).expect("a journal");
    let drive = Drive {
        hunt: &mut hunt,
        executor: &executor,
        journal: &mut journal,
        jobs: 1,
        auto: false,
        gauge: &mut Idle,
        budget: Budget::default(),
        open: Vec::new(),
        said: Vec::new(),
    };
    let (stop, reason) = (watch::channel(Cancel::No).0, watch::channel(None).1);
    let mut patient = Patient { executor: &executor, told: Vec::new() };
    // The first run ends only when its test was told of.
    let sat = tokio::time::timeout(Duration::from_secs(60), drive.run(&stop, &reason, &mut patient)).await;
    assert_eq!(sat.expect("it is told of").expect("nothing fails").why, EndReason::Finished);
    assert_eq!(patient.told, [lasting]);
}

#[tokio::test]
async fn a_search_goes_on_while_a_long_order_is_still_running() {
    let suite = polluted();
    let order: Vec<TestIdx> = (0..TESTS as u32).map(TestIdx).collect();
    let orders = vec![Planned { name: OrderName::Collection, order: order.into() }];
    let goal = Goal::Bisect { test: VICTIM, orders, first: true };
    let plan = Plan { goal, jobs: 2, forks: true, care: Care::default() };
    let mut hunt = Hunt::new(Arc::new(suite.suite()), plan);
    let executor = slow(suite);
    let mut journal = Journal::begin(Memory(Vec::new()), &header()).expect("a journal");
    let drive = Drive {
        hunt: &mut hunt,
        executor: &executor,
        journal: &mut journal,
        jobs: 2,
        auto: true,
        gauge: &mut Idle,
        budget: Budget::default(),
        open: Vec::new(),
        said: Vec::new(),
    };
    let (stop, reason) = (watch::channel(Cancel::No).0, watch::channel(None).1);
    // The two whole orders take both places. Were the load looked at only when a run ends, or did the search wait for
    // them, this would never end.
    let sat = tokio::time::timeout(Duration::from_secs(60), drive.run(&stop, &reason, &mut Nobody)).await;
    let sitting = sat.expect("the search does not wait").expect("nothing fails");
    assert_eq!(sitting.why, EndReason::Finished);
    let verdict = hunt.verdict(VICTIM).expect("a verdict");
    assert_eq!((verdict.class, &verdict.polluters[0].members[..]), (Class::Victim, &[POLLUTER][..]));
    let searched = executor.then.borrow().iter().filter(|purpose| **purpose == Purpose::Search).count();
    assert_eq!(searched, 0, "all of the search was done by then");
}
