//! Signals, limits and sudden death: what is known is said, and `resume` comes to the same end.

use std::sync::OnceLock;

use fs_err as fs;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::expected::list;
use crate::support::pinned::Pinned::Pytest9;
use crate::support::project::{Project, names};
use crate::support::running::{Running, until};

/// Two victims, and a gate that stands open until it is armed: then the run that comes `after` so many others waits
/// there until it is ended.
fn gated(after: u32) -> Project {
    let text = r#"
import os
import pathlib
import signal
import threading

HOME = pathlib.Path.home()
spoiled = set()


def test_polluter():
    spoiled.add("a")


def test_victim():
    assert "a" not in spoiled


def test_setter():
    spoiled.add("b")


def test_brittle():
    assert "b" in spoiled


def test_gate():
    with open(HOME / "visits", "ab", 0) as visits:
        visits.write(b"v")
    armed = HOME / "armed"
    if armed.exists() and (HOME / "visits").stat().st_size > int(armed.read_text()):
        if (HOME / "deaf").exists():
            signal.signal(signal.SIGINT, lambda *_: (HOME / "heard").touch())
        (HOME / "reached").touch()
        while True:
            threading.Event().wait(1)
"#;
    Project::with(Pytest9, "test_gate.py", text).file("../home/armed", after.to_string())
}

/// A hunt that waits at the gate.
#[track_caller]
fn waiting(project: &Project, arguments: &[&str]) -> Running {
    let mut all = vec!["shuffle", "--seeds", "3", "--seed-start", "1", "--jobs", "1", "--report", "json"];
    all.extend(arguments);
    let mut running = project.start(&all);
    let reached = project.around().join("home/reached");
    until("a run that waits", || {
        assert!(reached.exists() || running.lives(), "it ended before\n{}", running.stderr());
        reached.exists()
    });
    running
}

/// Test, class, and what decides.
fn verdicts(report: &Value) -> Vec<[Value; 4]> {
    let keys = ["id", "verdict", "polluters", "state_setters"];
    list(&report["tests"]).iter().map(|test| keys.map(|key| test[key].clone())).collect()
}

/// `resume` ends with what a hunt that nobody disturbs ends with.
#[track_caller]
fn resumes(project: &Project) {
    fs::remove_file(project.around().join("home/armed")).expect("the gate opens");
    let (ran, resumed) = project.report(&["resume"]);
    let ran = ran.code(1);
    assert_eq!(resumed["end"], "finished", "{ran}");
    let undisturbed = UNDISTURBED.get_or_init(|| {
        let arguments = ["shuffle", "--seeds", "3", "--seed-start", "1", "--jobs", "1"];
        verdicts(&project.report(&arguments).1)
    });
    assert_eq!(verdicts(&resumed), *undisturbed, "{ran}");
    assert_eq!(undisturbed.len(), 2, "{ran}");
}

/// What a hunt on an open gate says of each test; all projects with a gate hold the same tests.
static UNDISTURBED: OnceLock<Vec<[Value; 4]>> = OnceLock::new();

#[test]
fn ctrl_c_tells_what_is_known_and_the_hunt_can_go_on() {
    for executor in ["fork", "spawn"] {
        // Three runs alone, and then some.
        let project = gated(5);
        let before = project.tree();
        let running = waiting(&project, &["--executor", executor]);
        running.signal(Signal::SIGINT);
        let ran = running.wait().code(130);
        assert_eq!(project.tree(), before, "{ran}");
        assert_eq!(names(&project.around().join("tmp")), [""; 0], "{ran}");
        let report = ran.json();
        assert_eq!(report["end"], "interrupted", "{ran}");
        assert!(report["runs"]["valid"].as_u64() >= Some(4), "{ran}");
        let ran = project.flakehunt(&["report"]);
        assert!(ran.stdout.contains("flakehunt resume"), "{ran}");
        resumes(&project);
    }
}

#[test]
fn ctrl_c_before_anything_is_known_is_no_finding() {
    for executor in ["fork", "spawn"] {
        let project = gated(0);
        let running = waiting(&project, &["--executor", executor]);
        running.signal(Signal::SIGINT);
        running.wait().code(130);
        resumes(&project);
    }
}

#[test]
fn ctrl_c_twice_does_not_wait_for_a_test_that_is_deaf() {
    let project = gated(2).file("../home/deaf", "");
    let running = waiting(&project, &[]);
    running.signal(Signal::SIGINT);
    let heard = project.around().join("home/heard");
    until("the test has heard of it", || heard.exists());
    running.signal(Signal::SIGINT);
    let ran = running.wait().code(130);
    assert_eq!(ran.json()["end"], "interrupted", "{ran}");
    fs::remove_file(project.around().join("home/deaf")).expect("it hears again");
    resumes(&project);
}

#[test]
fn ctrl_c_while_collecting_leaves_no_session() {
    let text = "import pathlib\nimport threading\n\n(pathlib.Path.home() / 'reached').touch()\nthreading.Event().wait()\n";
    let project = Project::with(Pytest9, "test_slow.py", text);
    let running = waiting(&project, &[]);
    running.signal(Signal::SIGINT);
    let ran = running.wait().code(130);
    assert_eq!(project.sessions(), [""; 0].map(std::path::PathBuf::from), "{ran}");
}

#[test]
fn sigterm_is_143_and_the_hunt_can_go_on() {
    let project = gated(4);
    let running = waiting(&project, &[]);
    running.signal(Signal::SIGTERM);
    let ran = running.wait().code(143);
    assert_eq!(ran.json()["end"], "terminated", "{ran}");
    resumes(&project);
}

#[test]
fn a_hunt_that_is_killed_leaves_no_process_and_can_go_on() {
    for executor in ["fork", "spawn"] {
        let project = gated(4);
        let running = waiting(&project, &["--executor", executor]);
        running.signal(Signal::SIGKILL);
        let ran = running.wait();
        assert_eq!(ran.signal, Some(9), "{ran}");
        let journal = fs::read_to_string(project.session().join("journal.jsonl")).expect("a journal");
        assert!(journal.lines().count() > 4, "{journal}");
        // Its temporary files could not be removed.
        fs::remove_dir_all(project.around().join("tmp"))
            .and_then(|()| fs::create_dir(project.around().join("tmp")))
            .expect("anew");
        let (ran, report) = project.report(&["report"]);
        assert_eq!(report["end"], "interrupted", "{ran}");
        resumes(&project);
    }
}

#[test]
fn a_session_in_use_is_left_alone() {
    let project = gated(2);
    let running = waiting(&project, &[]);
    project.start(&["resume"]).wait_beside().error(74, "is in use");
    let ran = project.start(&["clean"]).wait_beside().code(0);
    assert!(ran.stdout.contains("in use"), "{ran}");
    // Reading is not writing.
    project.start(&["report", "--report", "json"]).wait_beside().code(0).json();
    running.signal(Signal::SIGINT);
    running.wait().code(130);
}

#[test]
fn a_budget_that_is_used_up_ends_with_what_is_known() {
    let project = gated(4);
    // Nothing but the budget ends the run that waits.
    let arguments = ["shuffle", "--seeds", "3", "--seed-start", "1", "--jobs", "1", "--budget", "8s"];
    let (ran, report) = project.report(&arguments);
    assert_eq!(report["end"], "budget", "{ran}");
    assert!(matches!(ran.code, Some(0 | 1 | 6)), "{ran}");
    resumes(&project);
}

#[test]
fn no_more_runs_are_made_than_were_allowed() {
    let project = Project::suite("one_polluter", Pytest9);
    let (ran, report) = project.report(&["shuffle", "--max-runs", "5", "--seed-start", "1"]);
    assert_eq!(report["end"], "max-runs", "{ran}");
    assert_eq!(report["runs"]["asked"], 5, "{ran}");
    let ran = ran.code(6);
    assert_eq!(names(&project.session().join("runs")).len(), 5, "{ran}");
    // Going on without that limit finds what there is.
    let (ran, report) = project.report(&["resume"]);
    assert_eq!(report["tests"][0]["verdict"], "victim", "{ran}");
}

#[test]
fn many_tests_that_were_not_looked_into_are_listed_and_not_described() {
    let text =
        "import pytest\n\n\n@pytest.mark.parametrize('n', range(20))\ndef test_fails(n):\n    assert n < 0\n";
    let project = Project::with(Pytest9, "test_fails.py", text);
    let ran = project.flakehunt(&["shuffle", "--max-runs", "2"]);
    assert!(ran.stdout.contains("undecided  20 tests failed; the hunt ended before their turn"), "{ran}");
    assert!(ran.stdout.contains("  and 8 more\n") && !ran.stdout.contains("  why"), "{ran}");
    // All of them where that is wanted.
    let ran = project.flakehunt(&["report", "--report", "human", "-v"]).code(0);
    assert_eq!(ran.stdout.matches("why          the hunt ended before its turn").count(), 20, "{ran}");
}

#[test]
fn a_suite_that_has_changed_is_not_gone_on_with() {
    let project = Project::suite("one_polluter", Pytest9);
    project.flakehunt(&["shuffle", "--max-runs", "3"]);
    let project = project.file("test_new.py", "def test_new():\n    assert True\n");
    project.flakehunt(&["resume"]).error(2, "has changed").hint("flakehunt shuffle");
}
