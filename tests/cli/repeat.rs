//! `repeat`: what is counted, what decides, and what is said of it.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::expected::{list, words};
use crate::support::pinned::Pinned::{Pytest7, Pytest9};
use crate::support::project::Project;
use crate::support::running::{Ran, until};

const FILE: &str = "test_repeats.py";

/// The suite of this file, repeated like this.
#[track_caller]
fn repeat(arguments: &str) -> (Project, Ran, Value) {
    let project = Project::suite("repeats", Pytest9);
    let (ran, report) = repeat_in(&project, arguments);
    (project, ran, report)
}

#[track_caller]
fn repeat_in(project: &Project, arguments: &str) -> (Ran, Value) {
    let line = format!("repeat {arguments}");
    let all: Vec<String> =
        line.split(' ').map(|word| word.replace("test_repeats::", "test_repeats.py::")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    project.report(&all)
}

/// What is said of the only test that was repeated.
#[track_caller]
fn only(report: &Value) -> &Value {
    let repeats = list(&report["repeats"]);
    assert_eq!(repeats.len(), 1, "{repeats:?}");
    &repeats[0]
}

#[test]
fn a_healthy_test_is_said_to_be_healthy_and_what_may_have_been_missed() {
    let (project, ran, report) = repeat("test_repeats::test_healthy --count 30");
    ran.code(0);
    let only = only(&report);
    assert_eq!((&only["failed"], &only["ran"], &only["verdict"]), (&json!(0), &json!(30), &Value::Null));
    // 1 - 0.025^(1/30), and 0.99^30.
    assert_eq!((&only["interval"], &only["missed"]), (&json!([0.0, 0.1157]), &json!(0.7397)));
    assert_eq!(
        (&only["stop"], &report["end"], list(&report["tests"])),
        (&json!("count"), &json!("finished"), &[][..])
    );
    assert!(only["durations"]["median"].as_f64().is_some_and(|median| median > 0.0));
    let ran = project.flakehunt(&["report"]);
    for said in
        ["repeating  1 test, 30 times", "0 of 30 failed (0-12 %)", "probability of 74 %", "--count 300"]
    {
        assert!(ran.stdout.contains(said), "{said}\n{ran}");
    }
    for format in ["jsonl", "junit", "markdown", "github", "html"] {
        project.flakehunt(&["report", "--report", format]).code(0);
    }
    let ran = project.flakehunt(&["report", "--report", "markdown"]);
    assert!(ran.stdout.contains("- `test_repeats.py::test_healthy`: 0 of 30 failed"), "{ran}");
}

#[test]
fn a_seed_that_decides_is_named_and_replayed() {
    let (project, ran, report) = repeat("test_repeats::test_by_seed --count 20 --vary seed");
    ran.code(1);
    let (only, test) = (only(&report), &report["tests"][0]);
    assert_eq!(
        (&only["verdict"], &test["verdict"]),
        (&json!("non-deterministic"), &json!("non-deterministic"))
    );
    assert_eq!(
        only["decides"],
        json!({"factor": "random-seed", "with": [5, 5], "without": [0, 5], "since": null})
    );
    let failures = list(&only["failures"]);
    let failed: u64 = failures.iter().map(|failure| failure["count"].as_u64().expect("a count")).sum();
    assert_eq!(Some(failed), only["failed"].as_u64());
    assert!(
        failures[0]["text"]
            .as_str()
            .is_some_and(|text| text.contains(">       assert random.random() > 0.5"))
    );
    // What failed fails again, what passed passes, in a process of its own.
    let session = report["session"].as_str().expect("a session");
    let failing: Vec<u64> =
        failures.iter().flat_map(|failure| list(&failure["runs"])).filter_map(Value::as_u64).collect();
    let passing = (10..20).find(|run| !failing.contains(run)).expect("a run that passed");
    let replay = |run: u64| project.flakehunt(&["replay", &format!("{session}/{run}")]);
    assert_eq!(words(&test["replay"])[2], format!("{session}/{}", failing[0]));
    for _ in 0..3 {
        replay(failing[0]).code(1);
    }
    replay(passing).code(0);
}

#[test]
fn a_hash_seed_that_decides_is_named_and_plain_pytest_shows_it() {
    let (project, ran, report) = repeat("test_repeats::test_by_hash_seed --count 8 --vary hashseed");
    ran.code(1);
    assert_eq!(only(&report)["decides"]["factor"], "hash-seed");
    let line = words(&report["tests"][0]["reproduce"]).join(" ");
    assert!(line.starts_with("env PYTHONHASHSEED="), "{line}");
    project.shell(&line).code(1);
}

#[test]
fn of_two_seeds_the_right_one_is_named() {
    let (_, ran, report) =
        repeat("test_repeats::test_by_seed test_repeats::test_by_hash_seed --count 12 --vary seed,hashseed");
    ran.code(1);
    let factors: Vec<&Value> = list(&report["repeats"]).iter().map(|one| &one["decides"]["factor"]).collect();
    assert_eq!(factors, ["random-seed", "hash-seed"]);
}

#[test]
fn a_coin_is_no_matter_of_seeds_nor_of_the_second_time() {
    let (_, ran, report) = repeat("test_repeats::test_by_coin --count 30");
    ran.code(1);
    assert_eq!(
        (&only(&report)["decides"], &only(&report)["verdict"]),
        (&Value::Null, &json!("non-deterministic"))
    );
    let (_, ran, report) = repeat("test_repeats::test_by_coin --count 30 --in-process");
    ran.code(1);
    assert_eq!(only(&report)["verdict"], "non-deterministic");
}

#[test]
fn what_fails_a_later_time_in_one_process_is_non_idempotent() {
    let arguments =
        "test_repeats::test_once test_repeats::test_twice test_repeats::test_healthy --count 5 --in-process";
    for pinned in [Pytest7, Pytest9] {
        let project = Project::suite("repeats", pinned);
        let (ran, report) = repeat_in(&project, arguments);
        ran.code(1);
        let told: Vec<[&Value; 3]> = list(&report["repeats"])
            .iter()
            .map(|one| [&one["verdict"], &one["failed"], &one["decides"]])
            .collect();
        let proof = |since: u32| {
            let without = 10 * (since - 1);
            json!({"factor": "times-in-process", "with": [10, 10], "without": [0, without], "since": since})
        };
        let non_idempotent = json!("non-idempotent");
        assert_eq!(
            told,
            [
                [&Value::Null, &json!(0), &Value::Null],
                [&non_idempotent, &json!(4), &proof(2)],
                [&non_idempotent, &json!(3), &proof(3)],
            ]
        );
        let tests = list(&report["tests"]);
        assert_eq!(tests[0]["confirmed"], json!({"with": [10, 10], "without": [0, 10]}));
        let line = words(&tests[0]["reproduce"]);
        assert_eq!(tests[0]["reproduce_needs_flakehunt"], Value::Null);
        project.shell(&shell_words::join(&line)).code(1);
        assert!(tests[1]["reproduce_needs_flakehunt"].as_str().is_some());
        project.flakehunt(&["replay", &words(&tests[1]["replay"])[2]]).code(1);
    }
}

#[test]
fn fixtures_of_a_wider_scope_are_kept_or_made_anew() {
    let (_, ran, report) = repeat("test_repeats::test_basket --count 4 --in-process");
    ran.code(1);
    assert_eq!(only(&report)["verdict"], "non-idempotent");
    for pinned in [Pytest7, Pytest9] {
        let project = Project::suite("repeats", pinned);
        let (ran, report) =
            repeat_in(&project, "test_repeats::test_basket --count 4 --in-process --fresh-fixtures");
        ran.code(0);
        assert_eq!((&only(&report)["failed"], &only(&report)["ran"]), (&json!(0), &json!(4)));
    }
}

#[test]
fn a_test_that_fails_is_repeated_no_more_and_the_others_go_on() {
    let arguments =
        "test_repeats::test_broken test_repeats::test_healthy test_repeats::test_skipped --count 40 --jobs 1";
    let (project, ran, report) = repeat(&format!("{arguments} --max-fail 3"));
    ran.code(1);
    let told: Vec<[&Value; 4]> = list(&report["repeats"])
        .iter()
        .map(|one| ["verdict", "failed", "stop", "skipped"].map(|key| &one[key]))
        .collect();
    let (count, zero) = (json!("count"), json!(0));
    assert_eq!(
        told,
        [
            [&Value::Null, &zero, &count, &zero],
            [&json!("broken"), &json!(3), &json!("max-fail"), &zero],
            [&Value::Null, &zero, &count, &json!(40)],
        ]
    );
    let (ran, report) = repeat_in(&project, "test_repeats::test_once --count 40 --in-process -x");
    ran.code(1);
    assert_eq!((&only(&report)["failed"], &only(&report)["ran"]), (&json!(1), &json!(2)));
}

#[test]
fn a_limit_of_the_rate_says_how_many_repeats_it_takes_and_stops_when_it_is_known() {
    let (project, ran, report) =
        repeat("test_repeats::test_healthy test_repeats::test_by_coin --max-rate 10%");
    ran.code(1);
    let healthy = &report["repeats"][0];
    // The least n with 0.7 / 0.9^n and a little more from 20 on.
    assert_eq!(healthy["max_rate"], json!({"limit": 0.1, "side": "below", "needed": 31}));
    assert!(healthy["ran"].as_u64().is_some_and(|ran| (31..40).contains(&ran)), "{healthy}");
    let coin = &report["repeats"][1];
    assert_eq!((&coin["max_rate"]["side"], &coin["stop"]), (&json!("above"), &json!("decided")));
    let ran = project.flakehunt(&["repeat", "test_repeats.py", "--max-rate", "10%", "--count", "20"]).code(2);
    assert!(ran.stderr.contains("that takes 31 without a failure"), "{ran}");
}

#[test]
fn what_fails_only_under_load_depends_on_the_time() {
    let (_, ran, report) =
        repeat("test_repeats::test_under_load test_repeats::test_healthy --count 10 --with-load 1");
    ran.code(1);
    let (healthy, loaded) = (&report["repeats"][0], &report["repeats"][1]);
    assert_eq!((&healthy["verdict"], &healthy["unloaded"]), (&Value::Null, &json!([0, 10])));
    assert_eq!(loaded["verdict"], "timing-dependent");
    assert_eq!(loaded["decides"]["factor"], "load");
    assert_eq!(
        (&loaded["failed"], &loaded["ran"], &loaded["unloaded"]),
        (&json!(10), &json!(10), &json!([0, 10]))
    );
}

#[test]
fn a_test_that_stops_the_clock_of_pytest_is_not_said_to_take_years() {
    let text = "import _pytest.timing\n\n\n\
        def test_freezes():\n    _pytest.timing.perf_counter = lambda: 1.5e9\n";
    let project = Project::with(Pytest9, "test_clock.py", text);
    let (ran, report) = project.report(&["repeat", "test_clock.py::test_freezes", "--count", "3"]);
    ran.code(0);
    let longest = report["repeats"][0]["durations"]["longest"].as_f64();
    assert!(longest.is_some_and(|longest| longest < 100.0), "{report:#}");
}

#[test]
fn a_crash_is_a_failure_and_two_kinds_of_durations_are_told() {
    let (_, ran, report) =
        repeat("test_repeats::test_crashes_by_seed test_repeats::test_slow_by_seed --count 16");
    ran.code(1);
    assert_eq!(report["tests"][0]["outcome"], "crashed");
    assert_eq!(report["repeats"][0]["decides"]["factor"], "random-seed");
    let [short, long] = list(&report["repeats"][1]["durations"]["modes"]) else { panic!("{report}") };
    assert_eq!(short["count"].as_u64().zip(long["count"].as_u64()).map(|(a, b)| a + b), Some(16));
    assert!(long["median"].as_f64() > Some(0.5), "{long}");
}

#[test]
fn what_is_remembered_outside_of_the_process_is_not_called_chance() {
    let (_, ran, report) = repeat("test_repeats::test_remembered --count 60 --jobs 1");
    ran.code(6);
    assert_eq!(only(&report)["decides"]["factor"], "repeat-number");
    assert_eq!(only(&report)["decides"]["since"], 2);
    let why = report["tests"][0]["undecided"].as_str().unwrap_or_default();
    assert!(why.contains("outside of the process"), "{why}");
}

#[test]
fn at_its_place_in_an_order_a_test_meets_what_runs_before_it() {
    let project = Project::suite("one_polluter", Pytest9);
    let (ran, report) = project.report(&["shuffle", "--seeds", "6", "--seed-start", "1"]);
    ran.code(1);
    let (victim, run) =
        (report["tests"][0]["id"].as_str().expect("a victim"), &report["tests"][0]["replay"][2]);
    let run = run.as_str().expect("a run");
    let (ran, report) = project.report(&["repeat", victim, "--count", "5", "--in-order", run]);
    ran.code(6);
    assert_eq!((&only(&report)["failed"], &only(&report)["ran"]), (&json!(5), &json!(5)));
    assert_eq!(words(&report["tests"][0]["next"])[..4], ["flakehunt", "bisect", victim, "--run"]);
    let (ran, report) = project.report(&["repeat", victim, "--count", "5"]);
    ran.code(0);
    assert_eq!(only(&report)["in_order"], Value::Null);
    let project = project.file("order.txt", "");
    let ran = project.flakehunt(&["repeat", victim, "--in-order", "order.txt"]).code(2);
    assert!(ran.stderr.contains("is not in that order"), "{ran}");
}

#[test]
fn tests_are_named_as_pytest_names_them() {
    let project = Project::suite("repeats", Pytest9);
    let ids = |target: &str| {
        let (ran, report) = project.report(&["repeat", target, "--count", "1"]);
        ran.code(0);
        list(&report["repeats"])
            .iter()
            .map(|one| one["id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    let name = |name: &str| format!("{FILE}::TestNames::test_name[{name}]");
    let all = vec![name("a b"), name("c::d"), name("e]f"), name("\\xe9")];
    assert_eq!(ids(&name("c::d")), [name("c::d")]);
    assert_eq!(ids(&name("a b")), [name("a b")]);
    assert_eq!(ids(&format!("{FILE}::TestNames::test_name")), all);
    assert_eq!(
        ids(&format!("{FILE}::TestNames")),
        [all, vec![format!("{FILE}::TestNames::test_other")]].concat()
    );
    let ran = project.flakehunt(&["repeat", "test_repeats.py::test_helthy"]).code(2);
    assert!(ran.stderr.contains("did you mean `test_repeats.py::test_healthy`?"), "{ran}");
    let ran = project.flakehunt(&["repeat", "test_repaets.py"]).code(2);
    assert!(ran.stderr.contains("did you mean `test_repeats.py`?"), "{ran}");
    let ran = project.flakehunt(&["repeat", FILE, "--dry-run"]).code(0);
    assert!(ran.stdout.contains("would run   test_repeats.py::test_healthy"), "{ran}");
}

#[test]
fn a_repeat_that_was_interrupted_goes_on() {
    let text = "import pathlib, time\n\ndef test_gate():\n    gate = pathlib.Path.home() / 'gate'\n    \
                with open(gate.with_name('visits'), 'a') as visits:\n        visits.write('v')\n    \
                while gate.exists() and gate.with_name('visits').stat().st_size > 6:\n        time.sleep(0.01)\n";
    let project = Project::with(Pytest9, "test_gate.py", text).file("../home/gate", "");
    let running =
        project.start(&["repeat", "test_gate.py", "--count", "12", "--jobs", "1", "--report", "json"]);
    let visits = project.around().join("home/visits");
    until("seven visits", || fs_err::metadata(&visits).is_ok_and(|visits| visits.len() > 6));
    running.signal(Signal::SIGINT);
    let ran = running.wait().code(130);
    let stopped = ran.json();
    assert_eq!((&only(&stopped)["stop"], &stopped["end"]), (&json!("ended"), &json!("interrupted")));
    fs_err::remove_file(project.around().join("home/gate")).expect("the gate opens");
    let (ran, report) = project.report(&["resume"]);
    ran.code(0);
    assert_eq!((&only(&report)["ran"], &only(&report)["stop"]), (&json!(12), &json!("count")));
    let (_, again) = project.report(&["report"]);
    assert_eq!(again["repeats"], report["repeats"]);
}

#[test]
fn what_is_drawn_at_import_is_drawn_each_time() {
    let text = "import random\n\nDRAWN = random.random()\n\n\ndef test_drawn():\n    assert DRAWN > 0.5\n";
    let project = Project::with(Pytest9, "test_drawn.py", text);
    let (ran, report) = project.report(&["repeat", "test_drawn.py", "--count", "12"]);
    let ran = ran.code(1);
    assert!(ran.stderr.contains("modules draw random numbers when they are imported"), "{ran}");
    assert_eq!(only(&report)["decides"]["factor"], "random-seed", "{ran}");
    for _ in 0..2 {
        project.flakehunt(&["replay", &words(&report["tests"][0]["replay"])[2]]).code(1);
    }
}
