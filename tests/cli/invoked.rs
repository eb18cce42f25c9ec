//! How flakehunt is called: where, with which tests and arguments, to bisect what; and what needs no tests at all.

use serde_json::Value;

use crate::support::expected::list;
use crate::support::pinned::Pinned::{Pytest8, Pytest9};
use crate::support::project::Project;

const UTC: &str = "test_zone.py::test_utc";
const CURRENCY: &str = "test_shop.py::TestCart::test_currency";

fn shop() -> Project {
    Project::suite("one_polluter", Pytest9)
}

/// The one verdict is that the currency pollutes the time zone.
#[track_caller]
fn is_explained(report: &Value) {
    let [test] = list(&report["tests"]) else { panic!("{report:#}") };
    assert_eq!((&test["id"], &test["verdict"]), (&UTC.into(), &"victim".into()), "{report:#}");
    assert_eq!(test["polluters"], serde_json::json!([[CURRENCY]]), "{report:#}");
}

#[test]
fn bisect_finds_an_order_by_itself() {
    let (ran, report) = shop().report(&["bisect", UTC]);
    ran.code(1);
    is_explained(&report);
}

#[test]
fn bisect_takes_the_order_of_a_run_a_file_and_a_junit_report() {
    let project = shop()
        .file("../order.txt", format!("test_shop.py::test_title\n{CURRENCY}\n{UTC}\n"))
        .file("../order.json", format!(r#"["{CURRENCY}", "{UTC}"]"#));
    for path in ["../order.txt", "../order.json"] {
        let (ran, report) = project.report(&["bisect", UTC, "--order", path]);
        ran.code(1);
        is_explained(&report);
    }
    // In collection order it fails, in CI as well.
    let pytest =
        "PYTHONDONTWRITEBYTECODE=1 \"$FLAKEHUNT_PYTHON\" -m pytest -p no:cacheprovider --junitxml=../ci.xml";
    project.shell(pytest).code(1);
    let (ran, report) = project.report(&["bisect", UTC, "--junit", "../ci.xml"]);
    ran.code(1);
    is_explained(&report);
    // The levels take turns with the seeds; those of even ones are single tests, as for `replay`.
    let mut seeds = (0..100).step_by(2);
    let seed = seeds.find(|seed| project.flakehunt(&["replay", &seed.to_string()]).code == Some(1));
    let seed = seed.expect("some order shows it").to_string();
    let (ran, report) = project.report(&["bisect", UTC, "--run", "run0"]);
    ran.code(1);
    is_explained(&report);
    let (ran, report) = project.report(&["bisect", UTC, "--seed", &seed]);
    ran.code(1);
    is_explained(&report);
}

#[test]
fn bisect_ends_with_the_first_proven_answer_where_that_is_wanted() {
    let text = "import os\n\n\ndef test_a():\n    os.environ['LEFT'] = 'a'\n\n\n\
        def test_b():\n    os.environ['LEFT'] = 'b'\n\n\n\
        def test_victim():\n    assert 'LEFT' not in os.environ\n";
    let project = Project::with(Pytest9, "test_two.py", text);
    let bisected = |arguments: &[&str]| {
        let (ran, report) = project.report(&[&["bisect", "test_two.py::test_victim"], arguments].concat());
        ran.code(1);
        let test = list(&report["tests"])[0].clone();
        assert_eq!(test["verdict"], "victim", "{report:#}");
        (test, report["runs"]["asked"].as_u64().expect("a number"))
    };
    let (all, runs) = bisected(&[]);
    assert_eq!(all["polluters"], serde_json::json!([["test_two.py::test_a"], ["test_two.py::test_b"]]));
    assert_eq!(all["complete"]["polluters"], true, "{all:#}");
    let (first, fewer) = bisected(&["--first"]);
    let [set] = list(&first["polluters"]) else { panic!("{first:#}") };
    assert!(list(&all["polluters"]).contains(set), "{first:#}");
    assert_eq!(
        first["complete"],
        serde_json::json!({"polluters": false, "state_setters": false, "cleaners": false})
    );
    // It is proven as well as ever: at least ten runs each way.
    let count = |name: &str| (first["confirmed"][name][0].as_u64(), first["confirmed"][name][1].as_u64());
    assert!(count("with").0 == count("with").1 && count("with").0 >= Some(10), "{first:#}");
    assert!(count("without").0 == Some(0) && count("without").1 >= Some(10), "{first:#}");
    assert!(fewer < runs, "{fewer} of {runs}");
}

#[test]
fn replay_repeats_a_run_in_its_order() {
    let project = shop();
    project.flakehunt(&["shuffle", "--seeds", "2", "--seed-start", "1", "--jobs", "1"]).code(1);
    let session = project.session();
    let order = |session: &std::path::Path, run: &str| {
        fs_err::read_to_string(session.join("runs").join(run).join("order.json")).expect("an order")
    };
    let name = session.file_name().expect("a name").to_string_lossy().into_owned();
    for (word, run) in [("run3", "000003"), (&format!("{name}/2"), "000002")] {
        let ran = project.flakehunt(&["replay", word]);
        assert_eq!(order(&project.session(), "000000"), order(&session, run), "{ran}");
        // The next word speaks of the latest session again.
        fs_err::remove_dir_all(project.session()).expect("the replay goes");
    }
}

#[test]
fn bisecting_a_test_that_never_fails_finds_nothing_to_explain() {
    let (ran, report) = shop().report(&["bisect", "test_zone.py::test_names"]);
    let test = &report["tests"][0];
    assert_eq!((&test["verdict"], &test["failed"]), (&"undecided".into(), &0.into()), "{ran}");
    assert!(test["undecided"].as_str().is_some_and(|why| why.contains("it passed alone")), "{ran}");
    ran.code(6);
}

#[test]
fn another_directory_is_as_good_as_being_there() {
    let project = shop();
    let directory = project.path().display().to_string();
    let arguments = ["-C", &directory, "shuffle", "--seeds", "2", "--seed-start", "1", "--report", "json"];
    let ran = project.flakehunt_in(project.around(), &arguments).code(1);
    is_explained(&ran.json());
    assert_eq!(project.sessions().len(), 1);
}

#[test]
fn in_a_subdirectory_pytest_finds_what_it_finds_there() {
    let project = shop()
        .file("pyproject.toml", "[tool.pytest.ini_options]\npythonpath = ['.']\n")
        .file("sub/test_sub.py", "import os\n\n\ndef test_sub():\n    assert 'SUB' not in os.environ\n\n\ndef test_sets():\n    os.environ['SUB'] = '1'\n");
    let sub = project.path().join("sub");
    let arguments = ["shuffle", "--seeds", "2", "--seed-start", "1", "--report", "json"];
    let ran = project.flakehunt_in(&sub, &arguments).code(1);
    let report = ran.json();
    assert_eq!(report["suite"]["tests"], 2, "{ran}");
    assert_eq!(report["tests"][0]["id"], "sub/test_sub.py::test_sub", "{ran}");
    assert_eq!(report["tests"][0]["polluters"], serde_json::json!([["sub/test_sub.py::test_sets"]]), "{ran}");
    // An id may be typed as it is seen from there.
    let ran = project.flakehunt_in(&sub, &["bisect", "test_sub.py::test_sub", "--report", "json"]).code(1);
    assert_eq!(ran.json()["tests"][0]["id"], "sub/test_sub.py::test_sub", "{ran}");
    let ran =
        project.flakehunt_in(&sub, &["bisect", "sub/test_sub.py::test_sub", "--report", "json"]).code(1);
    assert_eq!(ran.json()["tests"][0]["verdict"], "victim", "{ran}");
}

#[test]
fn tests_are_chosen_by_paths_ids_and_arguments_of_pytest() {
    let marks = "import pytest\n\n\n@pytest.mark.slow\ndef test_slow():\n    assert True\n";
    let project = shop()
        .file("deep/test_deep.py", marks)
        .file("pytest.ini", "[pytest]\nmarkers =\n    slow: takes long\n");
    for (arguments, tests) in [
        (&["test_zone.py"][..], 2),
        (&["test_zone.py", "test_shop.py::TestCart"], 4),
        (&[UTC], 1),
        (&["deep"], 1),
        (&["--", "-k", "test_utc or currency"], 2),
        (&["--", "-m", "slow"], 1),
        (&["--", "deep"], 1),
        (&["--", "--deselect", UTC], 5),
        (&["test_zone.py", "--", "-k", "utc"], 1),
        (&[], 6),
    ] {
        let mut all = vec!["shuffle", "--seeds", "1", "--seed-start", "1", "--no-bisect"];
        let at = arguments.iter().position(|word| *word == "--").unwrap_or(arguments.len());
        all.extend(&arguments[..at]);
        all.extend(["--report", "json"]);
        all.extend(&arguments[at..]);
        let ran = project.flakehunt(&all);
        assert_eq!(ran.json()["suite"]["tests"], tests, "{ran}");
    }
}

#[test]
fn sessions_may_live_elsewhere() {
    let project = shop();
    let elsewhere = project.around().join("else/where").display().to_string();
    let ran =
        project.flakehunt(&["shuffle", "--seeds", "1", "--seed-start", "1", "--session-dir", &elsewhere]);
    assert!(!project.path().join(".flakehunt").exists(), "{ran}");
    let (ran, _) = project.report(&["report", "--session-dir", &elsewhere]);
    ran.code(0);
    project.flakehunt(&["report"]).error(2, "no session");
}

#[test]
fn a_launcher_starts_the_interpreter() {
    let project = shop().without_variable("FLAKEHUNT_PYTHON");
    let python = Pytest8.python().display().to_string();
    let arguments =
        ["shuffle", "--seeds", "1", "--seed-start", "1", "--no-bisect", "--launcher", "env FROM=launcher"];
    let (ran, report) = project.report(&[&arguments[..], &["--python", &python]].concat());
    assert_eq!(report["environment"]["pytest"], "8.4.2", "{ran}");
}

#[test]
fn the_settings_are_shown_with_where_they_come_from() {
    let project = shop().file("flakehunt.toml", "seeds = 7\njobs = 1\n").variable("FLAKEHUNT_JOBS", "2");
    let ran = project.flakehunt(&["config", "--test-timeout", "9s"]).code(0);
    let row =
        |key: &str| ran.stdout.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{ran}"));
    assert!(row("seeds").contains('7') && row("seeds").contains("flakehunt.toml"), "{ran}");
    assert!(row("jobs").contains('2') && row("jobs").contains("FLAKEHUNT_JOBS"), "{ran}");
    assert!(row("test-timeout").contains('9') && row("test-timeout").contains("--test-timeout"), "{ran}");
    assert!(row("level").contains("default"), "{ran}");
}

#[test]
fn completions_and_the_manual_need_no_project() {
    let project = Project::empty(Pytest9).without_variable("FLAKEHUNT_PYTHON");
    for shell in ["bash", "zsh", "fish"] {
        let ran = project.flakehunt(&["completions", shell]).code(0);
        assert!(ran.stdout.contains("bisect"), "{ran}");
    }
    let ran = project.flakehunt(&["completions", "bash"]).code(0);
    let project = project.file("../flakehunt.bash", &ran.stdout);
    project.shell("bash -n ../flakehunt.bash && source ../flakehunt.bash && complete -p flakehunt").code(0);
    let ran = project.flakehunt(&["man"]).code(0);
    assert!(ran.stdout.contains(".TH flakehunt") && ran.stdout.contains("Exit codes"), "{ran}");
    let ran = project.flakehunt(&["--version"]).code(0);
    assert!(ran.stdout.starts_with("flakehunt "), "{ran}");
    for command in ["shuffle", "repeat", "rerun", "bisect", "replay", "resume", "report", "config", "clean"] {
        let ran = project.flakehunt(&[command, "--help"]).code(0);
        assert!(ran.stdout.contains(&format!("Usage: flakehunt {command}")), "{ran}");
    }
    project.flakehunt(&[]).code(2);
}
