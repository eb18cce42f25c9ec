//! The command that shows a verdict without flakehunt, and when there is none.

use flakehunt::core::order::OrderName;
use flakehunt::core::run::Purpose;
use flakehunt::core::test_id::{CollectedTest, FileIdx, Suite, TestIdx};
use flakehunt::core::verdict::{Class, Count, Verdict};
use flakehunt::report::reproduce::{Reproduction, reproduction};
use flakehunt::report::text::command;

use crate::sample::{self, Sample, every_class, only_files, run};

fn of(sample: &Sample, at: usize) -> Reproduction {
    reproduction(&sample.header, &sample.suite, &sample.runs, &sample.verdicts[at])
        .expect("a failing run is known")
}

fn line(sample: &Sample, at: usize) -> String {
    command(&of(sample, at).argv)
}

const PYTEST: &str = ".venv/bin/python -m pytest --randomly-dont-reorganize -n0";

fn bare() -> Sample {
    let mut sample = every_class();
    sample.header.environment.plugins.clear();
    sample
}

#[test]
fn a_victim_runs_after_its_smallest_polluter_set() {
    let sample = every_class();
    assert_eq!(
        line(&sample, 0),
        format!("{PYTEST} tests/test_cfg.py::test_set_tz tests/test_api.py::test_default_tz")
    );
    let found = of(&sample, 1);
    assert_eq!(found.order, [TestIdx(2), TestIdx(7)]);
    assert_eq!(found.files, [FileIdx(1), FileIdx(3)]);
}

#[test]
fn a_culprit_that_fails_does_not_end_the_run() {
    let mut sample = bare();
    sample.runs.push(run(9, Purpose::Search, OrderName::Probe, &[2], &[(2, "it fails too")]));
    assert!(line(&sample, 0).contains(" --maxfail=0 tests/test_cfg.py"), "{}", line(&sample, 0));
}

#[test]
fn a_brittle_test_runs_alone() {
    assert_eq!(line(&bare(), 2), ".venv/bin/python -m pytest tests/test_db.py::test_count");
}

#[test]
fn where_chance_decides_the_seed_is_part_of_the_command() {
    let sample = every_class();
    assert_eq!(line(&sample, 3), format!("{PYTEST} --randomly-seed=1003 tests/test_rand.py::test_sample"));
    let mut hashed = bare();
    hashed.runs[3].0.hash_seed = Some(42);
    assert!(line(&hashed, 3).starts_with("env PYTHONHASHSEED=42 .venv/bin/python -m pytest "));
    let mut never_alone = bare();
    never_alone.runs.retain(|(spec, _)| spec.order.len() > 1);
    assert!(of(&never_alone, 3).needs_flakehunt.expect("a reason").contains("nothing before it"));
}

#[test]
fn a_second_time_needs_a_plugin_of_its_own() {
    let found = of(&bare(), 5);
    assert_eq!(found.argv[1], "-c");
    assert_eq!(found.argv[3..], ["tests/test_rand.py::test_twice"]);
    assert_eq!(found.order, [TestIdx(10), TestIdx(10)]);
}

#[test]
fn a_file_is_collected_and_its_tests_left_out() {
    assert_eq!(
        line(&bare(), 6),
        ".venv/bin/python -m pytest --deselect=tests/test_cfg.py tests/test_cfg.py tests/test_db.py::test_connect"
    );
}

#[test]
fn what_no_command_shows_is_replayed() {
    let sample = bare();
    for at in [7, 9] {
        let found = of(&sample, at);
        assert_eq!(found.argv, ["flakehunt", "replay", "3kq7/3"]);
        assert!(found.needs_flakehunt.is_some());
    }
    let mut unknown = sample.clone();
    unknown.verdicts[9].failing_runs.clear();
    assert_eq!(reproduction(&unknown.header, &unknown.suite, &unknown.runs, &unknown.verdicts[9]), None);
}

#[test]
fn recorded_runs_of_the_same_question_are_counted_and_can_refute_it() {
    let mut sample = bare();
    let asked = |id, failed: &[(u32, &str)]| {
        only_files(run(id, Purpose::Confirm, OrderName::Probe, &[2, 0], failed), &[0, 1])
    };
    sample.runs.push(asked(10, &[]));
    let refuted = of(&sample, 0);
    assert_eq!(refuted.argv, ["flakehunt", "replay", "3kq7/3"]);
    assert!(refuted.needs_flakehunt.expect("a reason").contains("none of 1 run"));
    sample.runs.push(asked(11, &[(0, "assert")]));
    assert_eq!(of(&sample, 0).reproduced, Count { k: 1, n: 2 });
    assert_eq!(of(&sample, 0).needs_flakehunt, None);
}

#[test]
fn where_the_files_are_all_files_every_run_counts() {
    let mut sample = polluted(vec![sample::collected("a.py::v", 1), sample::collected("a.py::p", 2)]);
    sample.runs = vec![run(3, Purpose::Search, OrderName::Probe, &[1, 0], &[(0, "assert")])];
    assert_eq!(of(&sample, 0).reproduced, Count { k: 1, n: 1 });
}

/// The verdict "`ids[1]` pollutes `ids[0]`" on a suite with these tests.
fn polluted(tests: Vec<CollectedTest>) -> Sample {
    let mut sample = bare();
    sample.suite = Suite::new(tests);
    sample.verdicts =
        vec![Verdict { polluters: vec![sample::set(&[1], false)], ..sample::verdict(0, Class::Victim) }];
    sample
}

#[test]
fn ids_that_pytest_does_not_take() {
    let good = sample::collected("a.py::test_v", 1);
    let why = |tests: Vec<CollectedTest>| of(&polluted(tests), 0).needs_flakehunt;
    let one = |id: &str| why(vec![good.clone(), sample::collected(id, 2)]);
    assert_eq!(one("b.py::TestA::TestB::test[a::b\n-c]"), None);
    assert_eq!(one("-b.py::test"), None);
    assert!(one("b.py::test[\0]").is_some());
    assert!(one("b.yaml::x::y").is_some());
    assert!(one("::test_2").is_some());
    let mut twin = sample::collected("b.py::t", 2);
    twin.id.occurrence = 1;
    assert!(why(vec![good.clone(), sample::collected("b.py::t", 2), twin]).is_some());
    let unstable = CollectedTest { unstable: true, ..sample::collected("b.py::t[0x7f]", 2) };
    assert!(why(vec![good.clone(), unstable]).is_some());
    assert!(one(&format!("b.py::t[{}]", "x".repeat(40_000))).is_some());
    let mut old = polluted(vec![good, sample::collected("b.py::t[a::b]", 2)]);
    assert_eq!(of(&old, 0).needs_flakehunt, None);
    old.header.environment.pytest = "6.2.5".into();
    assert!(of(&old, 0).needs_flakehunt.is_some());
}

#[test]
fn paths_are_relative_to_where_pytest_runs() {
    let tests = || vec![sample::collected("sub/a.py::v", 1), sample::collected("-p.py::x[a/b::c]", 2)];
    let ids = |directory: &str, root: &str| {
        let mut sample = polluted(tests());
        sample.header.environment.directory = directory.into();
        sample.header.environment.rootdir = root.into();
        of(&sample, 0).argv[3..].to_vec()
    };
    assert_eq!(ids("/p", "/p"), ["./-p.py::x[a/b::c]", "sub/a.py::v"]);
    assert_eq!(ids("/p/sub", "/p/"), ["../-p.py::x[a/b::c]", "a.py::v"]);
    assert_eq!(ids("/p", "/p/deep"), ["deep/-p.py::x[a/b::c]", "deep/sub/a.py::v"]);
    assert_eq!(ids("/p/here", "/q"), ["../../q/-p.py::x[a/b::c]", "../../q/sub/a.py::v"]);
}

#[test]
fn what_was_passed_on_is_kept_but_for_tests() {
    let mut sample = bare();
    sample.header.environment.pytest_args =
        ["-k", "tests", "tests/", "./tests/test_db.py", "--ds=settings", "-x", "."].map(str::to_owned).into();
    assert_eq!(
        line(&sample, 2),
        ".venv/bin/python -m pytest -k tests --ds=settings -x tests/test_db.py::test_count"
    );
}

#[test]
fn the_launcher_is_the_one_that_was_used() {
    let mut sample = bare();
    sample.header.environment.launcher = ["uv", "run", "python"].map(str::to_owned).into();
    assert_eq!(line(&sample, 2), "uv run python -m pytest tests/test_db.py::test_count");
    sample.header.environment.launcher = vec!["/usr/bin/python3".into()];
    assert!(line(&sample, 2).starts_with("/usr/bin/python3 -m pytest "));
}
