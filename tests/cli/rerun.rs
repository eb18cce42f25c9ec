//! `rerun`: which failures are real, with every attempt in the report and in JUnit.

use std::collections::BTreeMap;
use std::path::Path;

use flakehunt::pytest::junit::reader::{Case, Kind, read_file};
use fs_err as fs;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::expected::{list, words};
use crate::support::pinned::Pinned;
use crate::support::pinned::Pinned::{Plugins, Pytest7, Pytest9};
use crate::support::project::Project;
use crate::support::running::{Ran, until};

/// The suite whose tests count how often they ran.
fn project(pinned: Pinned) -> Project {
    let project = Project::suite("reruns", pinned);
    let counts = project.around().join("counts");
    fs::create_dir(&counts).expect("a folder");
    project.variable("COUNTS", counts.display().to_string())
}

/// What is said of each test that failed: its verdict and its attempts, `suite failed`.
fn told(report: &Value) -> BTreeMap<String, (String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("a word").to_owned();
    let attempts = |test: &Value| {
        let said = |one: &Value| format!("{} {}", text(&one["place"]), text(&one["outcome"]));
        list(&test["attempts"]).iter().map(said).collect()
    };
    list(&report["tests"])
        .iter()
        .map(|test| (text(&test["id"]), (text(&test["verdict"]), attempts(test))))
        .collect()
}

/// What one test came to.
#[track_caller]
fn one(report: &Value, id: &str) -> (String, String) {
    let (verdict, attempts) =
        told(report).remove(id).unwrap_or_else(|| panic!("nothing is said of {id}: {report}"));
    (verdict, attempts.join(", "))
}

fn cases(path: &Path) -> Vec<Case> {
    read_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).cases
}

/// What JUnit says of a test: its worst child, failed attempts besides.
fn case(cases: &[Case], id: &str) -> (Option<Kind>, u32, u32) {
    let case = cases.iter().find(|case| case.node_id.as_deref() == Some(id));
    let case = case.unwrap_or_else(|| panic!("no case of {id}"));
    (case.worst(), case.flaky, case.reruns)
}

#[track_caller]
fn expect(ran: &Ran, said: (String, String), verdict: &str, attempts: &str) {
    assert_eq!(said, (verdict.to_owned(), attempts.to_owned()), "{ran}");
}

#[test]
fn a_suite_that_passes_is_one_line_and_exit_code_0() {
    let project = project(Pytest9);
    let ran =
        project.flakehunt(&["rerun", "test_real.py", "--", "--deselect", "test_real.py::test_never"]).code(0);
    let said: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("passed ")).collect();
    assert_eq!(said, ["passed     2 of 3 tests passed the first time, 1 skipped"], "{ran}");
    assert!(!ran.stdout.contains("rerunning") && !ran.stdout.contains("suite  "), "{ran}");
    let cases = cases(&project.session().join("junit.xml"));
    assert_eq!(cases.len(), 3);
    assert_eq!(case(&cases, "test_real.py::test_before"), (None, 0, 0));
    assert_eq!(case(&cases, "test_real.py::test_skipped"), (Some(Kind::Skipped), 0, 0));
}

#[test]
fn what_passes_in_its_order_again_is_flaky_and_no_reason_to_fail() {
    let project = project(Pytest9);
    let (ran, report) = project.report(&["rerun", "test_flaky.py"]);
    let ran = ran.code(0);
    let (second, third) = ("test_flaky.py::test_second_time", "test_flaky.py::test_third_time");
    expect(
        &ran,
        one(&report, second),
        "non-deterministic",
        "suite failed, same-order passed, same-order passed",
    );
    expect(
        &ran,
        one(&report, third),
        "non-deterministic",
        "suite failed, same-order failed, alone passed, same-order passed",
    );
    assert_eq!(report["rerun"]["flaky"], 2, "{ran}");
    assert_eq!(report["rerun"]["passed"], 2, "{ran}");
    // Attempts are told with their messages, and in JUnit.
    assert_eq!(report["tests"][0]["attempts"][0]["message"], "ConnectionError: refused by 10.0.0.1", "{ran}");
    let cases = cases(&project.session().join("junit.xml"));
    assert_eq!(cases.len(), 4, "{ran}");
    assert_eq!(case(&cases, second), (None, 1, 0), "{ran}");
    assert_eq!(case(&cases, third), (None, 2, 0), "{ran}");
    // For people.
    let said = project.flakehunt(&["report"]).stdout;
    assert!(said.contains("flaky      test_flaky.py::test_second_time"), "{said}");
    assert!(said.contains("2 flaky, 2 passed; exit code 0"), "{said}");
}

#[test]
fn flaky_tests_fail_where_that_is_wanted() {
    let project = project(Pytest9);
    let (ran, report) = project.report(&["rerun", "test_flaky.py", "--fail-on-flaky", "--reruns", "1"]);
    let ran = ran.code(1);
    assert_eq!((&report["rerun"]["real"], &report["rerun"]["flaky"]), (&json!(0), &json!(2)), "{ran}");
}

#[test]
fn what_fails_each_time_is_real() {
    let project = project(Pytest9);
    let (ran, report) = project.report(&["rerun", "test_real.py", "--reruns", "2"]);
    let ran = ran.code(1);
    let never = "test_real.py::test_never";
    expect(
        &ran,
        one(&report, never),
        "broken",
        "suite failed, same-order failed, alone failed, same-order failed, alone failed",
    );
    let rerun = &report["rerun"];
    let counts =
        ["passed", "skipped", "flaky", "real", "unsettled", "not_reached"].map(|key| rerun[key].as_u64());
    assert_eq!(counts, [2, 1, 0, 1, 0, 0].map(Some), "{ran}");
    let text = report["tests"][0]["attempts"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("E       ValueError: this is broken"), "{ran}");
    let said = project.flakehunt(&["report"]).stdout;
    assert!(said.contains("    E       ValueError: this is broken\n\n    test_real.py:"), "{said}");
    let command = words(&report["tests"][0]["reproduce"]);
    assert_eq!(command.last().map(String::as_str), Some(never), "{ran}");
    let text = fs::read_to_string(project.session().join("junit.xml")).expect("JUnit");
    assert_eq!(
        text.matches("<failure message=\"ValueError: this is broken\" type=\"ValueError\">").count(),
        1,
        "{text}"
    );
    assert_eq!(text.matches("<rerunFailure message=").count(), 4, "{text}");
    assert_eq!(text.matches("<stackTrace>").count(), 4, "{text}");
    assert!(text.contains("def test_never():"), "{text}");
    assert!(text.contains("<skipped message=\"not today\" type=\"pytest.skip\"/>"), "{text}");
    assert!(text.contains("type=\"pytest.xfail\"/>"), "{text}");
    assert!(text.contains("tests=\"4\" skipped=\"2\" errors=\"0\" failures=\"1\""), "{text}");
}

#[test]
fn what_passes_alone_only_looks_order_dependent_and_bisect_goes_on_from_there() {
    let project = project(Pytest9);
    let (ran, report) = project.report(&["rerun", "test_order.py", "--reruns", "2"]);
    let ran = ran.code(0);
    let victim = "test_order.py::test_victim";
    expect(
        &ran,
        one(&report, victim),
        "undecided",
        "suite failed, same-order failed, alone passed, same-order failed",
    );
    let test = &report["tests"][0];
    assert!(test["undecided"].as_str().is_some_and(|why| why.contains("looks order-dependent")), "{ran}");
    let next = words(&test["next"]);
    let session = project.session().file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!(next, ["flakehunt", "bisect", victim, "--run", &format!("{session}/0")], "{ran}");
    let next: Vec<&str> = next[1..].iter().map(String::as_str).collect();
    let (ran, found) = project.report(&next);
    let ran = ran.code(1);
    assert_eq!(found["tests"][0]["verdict"], "victim", "{ran}");
    assert_eq!(found["tests"][0]["polluters"], json!([["test_order.py::test_polluter"]]), "{ran}");
}

#[test]
fn tests_behind_a_death_have_their_turn_and_deaths_are_run_again() {
    let project = project(Pytest9);
    let (ran, report) = project.report(&["rerun", "test_ends.py", "--reruns", "1", "--test-timeout", "2s"]);
    let ran = ran.code(1);
    let said = told(&report);
    assert_eq!(said.len(), 3, "{ran}");
    expect(
        &ran,
        one(&report, "test_ends.py::test_dies_once"),
        "non-deterministic",
        "suite crashed, same-order passed",
    );
    expect(
        &ran,
        one(&report, "test_ends.py::test_hangs_once"),
        "non-deterministic",
        "suite timed-out, same-order passed",
    );
    expect(
        &ran,
        one(&report, "test_ends.py::test_dies"),
        "broken",
        "suite crashed, same-order crashed, alone crashed",
    );
    assert_eq!(report["rerun"]["passed"], 3, "{ran}");
    assert_eq!(report["rerun"]["not_reached"], 0, "{ran}");
    let text = fs::read_to_string(project.session().join("junit.xml")).expect("JUnit");
    assert!(
        text.contains("<flakyError message=\"the process exited with code 3 in call\" type=\"crashed\">"),
        "{text}"
    );
    assert!(text.contains("type=\"timed out\""), "{text}");
    assert_eq!(text.matches("<rerunError ").count(), 2, "{text}");
}

#[test]
fn fixtures_of_every_scope_are_made_anew() {
    for pinned in [Pytest7, Pytest9] {
        let project = project(pinned);
        let (ran, report) = project.report(&["rerun", "test_fixtures.py", "--reruns", "1"]);
        let ran = ran.code(0);
        let again = "non-deterministic";
        expect(
            &ran,
            one(&report, "test_fixtures.py::test_connected"),
            again,
            "suite failed, same-order passed",
        );
        expect(
            &ran,
            one(&report, "test_fixtures.py::TestTable::test_filled"),
            again,
            "suite failed, same-order passed",
        );
        expect(
            &ran,
            one(&report, "test_fixtures.py::test_closes"),
            again,
            "suite errored, same-order passed",
        );
        assert_eq!(report["rerun"]["passed"], 1, "{ran}");
    }
}

#[test]
fn ids_are_taken_as_they_are() {
    let project = project(Pytest9);
    let (ran, report) = project.report(&["rerun", "test_odd.py", "--reruns", "1"]);
    let ran = ran.code(0);
    let said = told(&report);
    assert_eq!(said.len(), 7, "{ran}");
    assert!(said.values().all(|(verdict, _)| verdict == "non-deterministic"), "{ran}");
    assert_eq!(
        cases(&project.session().join("junit.xml")).iter().filter(|case| case.flaky == 1).count(),
        7,
        "{ran}"
    );
}

#[test]
fn retrying_plugins_do_not_retry_besides() {
    let project = project(Plugins);
    let (ran, report) = project.report(&["rerun", "test_flaky.py", "--", "--reruns", "5"]);
    let ran = ran.code(0);
    let attempts = "suite failed, same-order passed, same-order passed";
    expect(&ran, one(&report, "test_flaky.py::test_second_time"), "non-deterministic", attempts);
}

#[test]
fn patterns_say_which_failures_are_run_again() {
    let second = "test_flaky.py::test_second_time";
    let third = "test_flaky.py::test_third_time";
    for arguments in [
        &["--only-rerun", r"^ConnectionError: .*\b10\.0\.0\.\d+$"][..],
        &[
            "--only-rerun",
            "nothing like it",
            "--only-rerun",
            "Error",
            "--rerun-except",
            "^AssertionError: too early",
        ],
    ] {
        let project = project(Pytest9);
        let mut all = vec!["rerun", "test_flaky.py", "--reruns", "1"];
        all.extend(arguments);
        let (ran, report) = project.report(&all);
        let ran = ran.code(1);
        expect(&ran, one(&report, second), "non-deterministic", "suite failed, same-order passed");
        // It stands behind the other one, so it was not run again.
        expect(&ran, one(&report, third), "broken", "suite failed");
        let notes = words(&report["tests"][1]["notes"]);
        assert!(notes.iter().any(|note| note.contains("--only-rerun")), "{ran}");
    }
}

#[test]
fn a_pattern_that_is_none_is_said_before_anything_runs() {
    let project = project(Pytest9);
    for (option, pattern) in [("--only-rerun", "("), ("--rerun-except", "(?=x)")] {
        let ran = project.flakehunt(&["rerun", option, pattern]).error(2, "is no regular expression");
        let ran = ran.hint(option);
        assert!(project.sessions().is_empty(), "{ran}");
    }
    project.flakehunt(&["rerun", "--reruns-delay", "2s*x"]).error(2, "2s*x");
    project.flakehunt(&["rerun", "--reruns", "0"]).error(2, "--reruns");
    project.flakehunt(&["rerun", "test_gone.py"]).error(2, "test_gone.py");
}

#[test]
fn more_failures_than_may_be_run_again_are_an_outage() {
    let project = project(Pytest9);
    let (ran, report) = project.report(&["rerun", "test_flaky.py", "test_real.py", "--max-rerun-tests", "2"]);
    let ran = ran.code(1);
    assert_eq!(report["runs"]["asked"], 1, "{ran}");
    assert_eq!(report["rerun"]["outage"], true, "{ran}");
    assert_eq!(report["rerun"]["unsettled"], 3, "{ran}");
    assert!(list(&report["notices"]).iter().any(|notice| notice["about"] == "outage"), "{ran}");
    let said = project.flakehunt(&["report"]).stdout;
    assert!(said.contains("outage, not flakiness"), "{said}");
    assert_eq!(
        cases(&project.session().join("junit.xml")).iter().filter(|case| case.failed()).count(),
        3,
        "{said}"
    );
}

#[test]
fn a_wait_can_be_ended_and_what_is_known_is_told() {
    let project = project(Pytest9);
    let running = project.start(&["rerun", "test_flaky.py", "--reruns-delay", "0s,1h", "--report", "json"]);
    until("it waits", || {
        let sessions = project.sessions();
        let journal =
            sessions.last().and_then(|session| fs::read_to_string(session.join("journal.jsonl")).ok());
        journal.is_some_and(|journal| journal.contains("\"wait_ms\":3600000"))
    });
    running.signal(Signal::SIGINT);
    let ran = running.wait().code(130);
    let report = ran.json();
    expect(
        &ran,
        one(&report, "test_flaky.py::test_third_time"),
        "undecided",
        "suite failed, same-order failed, alone passed",
    );
}

#[test]
fn a_rerun_that_was_stopped_goes_on() {
    let project = project(Pytest9);
    let arguments = ["rerun", "test_real.py", "test_order.py", "--reruns", "1"];
    let stopped: Vec<&str> = arguments.iter().copied().chain(["--max-runs", "1"]).collect();
    let (ran, report) = project.report(&stopped);
    let ran = ran.code(1);
    assert_eq!(report["end"], "max-runs", "{ran}");
    expect(&ran, one(&report, "test_real.py::test_never"), "undecided", "suite failed");
    assert_eq!(report["tests"][0]["next"], Value::Null, "{ran}");
    let (ran, resumed) = project.report(&["resume"]);
    let ran = ran.code(1);
    assert_eq!(resumed["end"], "finished", "{ran}");
    let (ran, undisturbed) = project.report(&arguments);
    let ran = ran.code(1);
    assert_eq!(told(&resumed), told(&undisturbed), "{ran}");
    expect(
        &ran,
        one(&undisturbed, "test_real.py::test_never"),
        "broken",
        "suite failed, same-order failed, alone failed",
    );
}

#[test]
fn no_run_is_a_result_where_the_budget_ends_before() {
    let project = project(Pytest9)
        .file("test_slow.py", "import threading\n\n\ndef test_slow():\n    threading.Event().wait()\n");
    let (ran, report) = project.report(&["rerun", "test_slow.py", "--budget", "3s"]);
    let ran = ran.code(6);
    assert_eq!(report["rerun"]["not_reached"], 1, "{ran}");
}

#[test]
fn every_report_is_a_function_of_the_journal() {
    let project = project(Pytest9);
    let (ran, report) = project.report(&["rerun", "test_flaky.py", "test_real.py", "--reruns", "1"]);
    ran.code(1);
    let session = project.session();
    let written = fs::read_to_string(session.join("junit.xml")).expect("JUnit");
    fs::remove_dir_all(session.join("runs")).expect("they go");
    for format in ["human", "json", "jsonl", "junit", "markdown", "github", "html"] {
        let said = project.flakehunt(&["report", "--report", format]).code(0);
        assert!(said.stdout.contains("test_never"), "{said}");
        match format {
            "json" => assert_eq!(said.json(), report),
            "junit" => assert_eq!(said.stdout, written),
            "markdown" => assert!(
                said.stdout.contains("### flakehunt: 1 real failure, 2 flaky, 4 passed, 1 skipped"),
                "{said}"
            ),
            "github" => {
                assert!(said.stdout.contains("::error file=test_real.py"), "{said}");
                assert!(said.stdout.contains("::warning file=test_flaky.py"), "{said}");
            }
            _ => {}
        }
    }
    // CI reads the order back: it is the suite's.
    let to = project.around().join("ci.xml").display().to_string();
    project.flakehunt(&["report", "--report", &format!("junit={to}")]).code(0);
    assert_eq!(fs::read_to_string(&to).expect("JUnit"), written);
}

#[test]
fn a_dry_run_says_what_would_be_run() {
    let project = project(Pytest9);
    let ran = project.flakehunt(&["rerun", "--dry-run", "--reruns", "2"]).code(0);
    assert!(ran.stdout.contains("would run   collection order, once"), "{ran}");
    assert!(ran.stdout.contains("up to 2 times in the same order"), "{ran}");
    assert!(project.sessions().is_empty(), "{ran}");
}

#[test]
fn what_cannot_be_collected_is_no_failure_of_a_test() {
    let project = project(Pytest9).file("test_wrong.py", "import nothing_of_this_name\n");
    project.flakehunt(&["rerun"]).error(3, "could not be collected");
}
