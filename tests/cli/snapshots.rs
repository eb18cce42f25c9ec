//! Long orders are searched by copies of a process in the middle of one run, and never at the price of a wrong answer.

use fs_err as fs;
use serde_json::{Value, json};

use crate::support::pinned::Pinned::Pytest9;
use crate::support::project::Project;
use crate::support::running::Ran;

/// 100 tests, two of which together make another one fail. `fixture` is around each of the 100.
fn project(fixture: &str) -> Project {
    let any = format!(
        "import pytest, flags\n\n\n\
         {fixture}\n\n\n\
         @pytest.mark.parametrize('i', range(100))\n\
         def test_any(i, around):\n    \
             flags.ALL |= {{11: {{'a'}}, 58: {{'b'}}}}.get(i, set())\n",
    );
    Project::with(Pytest9, "test_any.py", &any).file("flags.py", "ALL = set()\n").file(
        "test_victim.py",
        "import flags\n\n\ndef test_victim():\n    assert not {'a', 'b'} <= flags.ALL\n",
    )
}

/// Hunts it from the order in which it fails.
#[track_caller]
fn hunted(project: &Project) -> (Ran, Value) {
    let any = (0..100).map(|i| format!("test_any.py::test_any[{i}]\n"));
    let order: String = any.chain(["test_victim.py::test_victim\n".to_owned()]).collect();
    let given = project.around().join("failing");
    fs::write(&given, order).expect("an order");
    let given = given.to_str().expect("a path");
    let test = "test_victim.py::test_victim";
    project.report(&["bisect", test, "--order", given, "--first", "--executor", "fork", "--jobs", "1"])
}

/// The events of its last session.
fn events(project: &Project) -> Vec<Value> {
    let journal = fs::read_to_string(project.session().join("journal.jsonl")).expect("a journal");
    let lines = journal.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
    lines.map(|mut line| line["event"].take()).collect()
}

/// How often a copy has tried something, and how many runs had copies.
fn tried(project: &Project) -> (usize, usize) {
    let tried: Vec<usize> =
        events(project).iter().filter_map(|event| Some(event["probed"].as_array()?.len())).collect();
    (tried.iter().sum(), tried.len())
}

#[track_caller]
fn is_the_truth(ran: &Ran, report: &Value) {
    let test = &report["tests"][0];
    assert_eq!(test["verdict"], "victim", "{ran}");
    let set = json!([["test_any.py::test_any[11]", "test_any.py::test_any[58]"]]);
    assert_eq!(test["polluters"], set, "{ran}");
}

#[test]
fn a_pair_is_found_in_two_passes_over_an_order() {
    let project = project("@pytest.fixture\ndef around():\n    pass\n");
    let (ran, report) = hunted(&project);
    is_the_truth(&ran, &report);
    let (tries, passes) = tried(&project);
    assert!(passes == 2 && (10..40).contains(&tries), "{tries} in {passes} passes\n{ran}");
}

#[test]
fn what_a_copy_takes_down_outside_of_its_process_costs_time_and_nothing_else() {
    // What the module has on disk is gone with the first copy, and all that need it fail from then on.
    let project = project(
        "@pytest.fixture(scope='module')\n\
         def around(tmp_path_factory):\n    \
             made = tmp_path_factory.mktemp('made') / 'file'\n    \
             made.touch()\n    \
             yield made\n    \
             made.unlink()\n\n\n\
         @pytest.fixture(autouse=True)\n\
         def needs(around):\n    \
             if not around.exists():\n        \
                 flags.ALL.clear()\n        \
                 pytest.fail('gone')\n",
    );
    let (ran, report) = hunted(&project);
    is_the_truth(&ran, &report);
    assert_eq!(tried(&project).1, 1, "after the first pass no other is asked for\n{ran}");
}

#[test]
fn every_test_alone_is_a_few_runs_of_many_copies() {
    let project = Project::with(
        Pytest9,
        "test_any.py",
        "import pytest\n\n\n@pytest.mark.parametrize('i', range(60))\ndef test_any(i):\n    pass\n",
    )
    .file("test_first.py", "import sys, test_any\n\n\ndef test_needs():\n    assert hasattr(sys, 'set')\n")
    .file("conftest.py", "import sys\n\n\ndef pytest_runtest_teardown():\n    sys.set = True\n");
    let (ran, report) = project.report(&[
        "shuffle",
        "--seeds",
        "3",
        "--seed-start",
        "1",
        "--executor",
        "fork",
        "--jobs",
        "2",
    ]);
    // All others set it up: only alone it fails.
    let [test] = &report["tests"].as_array().expect("tests")[..] else { panic!("{ran}") };
    assert_eq!(
        (&test["id"], &test["verdict"]),
        (&json!("test_first.py::test_needs"), &json!("brittle")),
        "{ran}"
    );
    let events = events(&project);
    let fans: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "asked" && event["spec"]["fan"].is_array()).collect();
    let lines: usize = fans.iter().map(|event| event["spec"]["fan"].as_array().map_or(0, Vec::len)).sum();
    assert!(lines > 50 && fans.len() * 4 < lines, "{lines} lines in {} runs\n{ran}", fans.len());
    let run = format!("run{}", fans[0]["run"]);
    project.flakehunt(&["replay", &run]).error(2, "has no order");
}
