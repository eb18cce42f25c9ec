//! A process that starts before there is a place for its tests collects, and waits.
#![cfg(target_os = "linux")]

#[path = "support/venv.rs"]
mod venv;
#[path = "support/workshop.rs"]
mod workshop;

use std::path::Path;
use std::time::Duration;

use flakehunt::core::order::OrderName;
use flakehunt::core::outcome::Outcome;
use flakehunt::core::run::{Purpose, RunId, RunSpec};
use flakehunt::core::test_id::TestIdx;
use flakehunt::process::{Cancel, never};
use flakehunt::pytest::executor::Executor as _;
use flakehunt::pytest::fork::Fork;
use flakehunt::pytest::slots::Slots;
use fs_err as fs;
use tokio::join;
use tokio::sync::watch;
use tokio::task::LocalSet;
use workshop::Opened;

async fn open() -> (Opened, Fork) {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements/pytest9.txt");
    let python = venv::venv("pytest9", &requirements).join("bin/python");
    let (opened, server) = workshop::open("ahead", &python, false).await;
    let executor = Fork::new(opened.workshop.clone(), server);
    (opened, executor)
}

fn question() -> RunSpec {
    RunSpec::of([TestIdx(0)], OrderName::Probe, Purpose::Baseline)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, future)
}

#[test]
fn tests_go_one_after_the_other_while_processes_start() {
    block_on(async {
        let (_opened, executor) = open().await;
        let slots = Slots::new(1);
        // The test of the first ends when the second has collected, and fails where the other one is in it.
        let answers = join!(
            executor.answer(RunId(0), question(), &slots, never()),
            executor.answer(RunId(1), question(), &slots, never())
        );
        for answered in [answers.0, answers.1] {
            let answered = answered.expect("an answer");
            assert_eq!(answered.notices, []);
            let record = answered.record.expect("a record");
            assert_eq!((record.invalid, &record.outcomes[..]), (None, &[Outcome::Passed][..]));
        }
    });
}

#[test]
fn a_run_that_waits_can_be_cancelled() {
    block_on(async {
        let (opened, executor) = open().await;
        let slots = Slots::new(1);
        let _taken = slots.try_take().expect("the only place");
        let (cancel, cancelled) = watch::channel(Cancel::No);
        let seen = opened.workshop.invocation.directory.join("seen");
        let has_collected = || fs::read_dir(&seen).is_ok_and(|entries| entries.count() == 2);
        let (answered, ()) = join!(executor.answer(RunId(0), question(), &slots, cancelled), async {
            while !has_collected() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            cancel.send_replace(Cancel::Politely);
        });
        assert_eq!(answered.expect("an answer").record, None);
        let stream = fs::read_to_string(opened.workshop.session.run(RunId(0)).stream()).expect("a stream");
        assert!(!stream.contains("\"start\""), "no test has begun: {stream}");
    });
}
