//! The same seed is the same order and the same report, wherever it is run.

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde_json::Value;

use crate::support::pinned::Pinned::{self, Pytest7, Pytest8, Pytest9};
use crate::support::project::{Project, names};
use crate::support::running::Ran;

/// The folders of the runs of a session, in the order of their numbers.
fn runs(session: &Path) -> Vec<PathBuf> {
    let runs = session.join("runs");
    names(&runs).into_iter().map(|name| runs.join(name)).collect()
}

/// The numbers of the tests that a run started, or of the lines that its copies did, in the order in which they were.
fn executed(run: &Path) -> Vec<u64> {
    let stream = fs::read_to_string(run.join("stream.jsonl")).expect("a stream");
    let events = stream.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
    let number = |event: Value| match event["event"].as_str() {
        Some("start") => event["i"].as_u64(),
        Some("trying") => event["k"].as_u64(),
        _ => None,
    };
    events.filter_map(number).collect()
}

/// The node ids in the JUnit files of runs, and how many of their cases ended badly, as Python's own parser reads them.
fn junit(project: &Project, runs: &[PathBuf]) -> Vec<(Vec<String>, usize)> {
    let script = "import json, sys, xml.etree.ElementTree as E\n\
        for path in sys.argv[1:]:\n  \
        cases = list(E.parse(path + \"/junit.xml\").iter(\"testcase\"))\n  \
        ids = [p.get(\"value\") for c in cases for p in c.iter(\"property\") if p.get(\"name\") == \"fh_nodeid\"]\n  \
        assert len(ids) == len(cases), path\n  \
        print(json.dumps([ids, sum(c.find(\"error\") is not None or c.find(\"failure\") is not None for c in cases)]))\n";
    let paths: Vec<String> = runs.iter().map(|run| run.display().to_string()).collect();
    let ran =
        project.shell(&format!("\"$FLAKEHUNT_PYTHON\" -c '{script}' {}", shell_words::join(paths))).code(0);
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("ids and a number")).collect()
}

/// A report without what must differ: the session's name, when it was and how long it took.
fn timeless(ran: &Ran, session: &Path) -> String {
    let name = session.file_name().expect("a name").to_string_lossy();
    let lines =
        ran.stdout.lines().filter(|line| !line.contains("\"began\"") && !line.contains("\"wall_seconds\""));
    lines.map(|line| line.replace(&*name, "NAME") + "\n").collect()
}

#[test]
fn one_seed_twice_is_the_same_order_and_the_same_report() {
    let project = Project::suite("independent", Pytest9);
    for executor in ["fork", "spawn"] {
        let sat = || {
            let arguments =
                ["shuffle", "--seed", "42", "--seed", "43", "--jobs", "1", "--executor", executor];
            let (ran, report) = project.report(&arguments);
            assert_eq!(report["environment"]["executor"], executor, "{ran}");
            let session = project.session();
            let orders: Vec<_> = runs(&session).iter().map(|run| executed(run)).collect();
            assert!(orders.len() > 4 && orders.iter().all(|order| !order.is_empty()), "{orders:?}\n{ran}");
            (timeless(&ran.code(1), &session), orders)
        };
        let (first, again) = (sat(), sat());
        assert_eq!(first.1, again.1, "{executor}: the orders that were executed");
        assert_eq!(first.0, again.0, "{executor}: the reports");
    }
}

#[test]
fn one_seed_is_the_same_order_with_every_pytest() {
    let order = |pinned: Pinned| {
        let project = Project::suite("odd_ids", pinned);
        let ran = project.flakehunt(&["replay", "42"]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran}");
        junit(&project, &runs(&project.session())).remove(0).0
    };
    let nine = order(Pytest9);
    assert_eq!(nine.len(), 11);
    assert_eq!(order(Pytest7), nine);
    assert_eq!(order(Pytest8), nine);
}

#[test]
fn every_run_leaves_junit_with_the_id_of_every_test_that_was_executed() {
    let project = Project::suite("crash", Pytest9);
    project.flakehunt(&["shuffle", "--seeds", "2", "--seed-start", "1"]).code(1);
    let session = project.session();
    let suite: Value =
        serde_json::from_slice(&fs::read(session.join("suite.json")).expect("the suite")).expect("JSON");
    let runs = runs(&session);
    let mut failures = 0;
    for (run, (told, failed)) in runs.iter().zip(junit(&project, &runs)) {
        let expected: Vec<_> = executed(run)
            .into_iter()
            .map(|test| suite["tests"][test as usize]["id"].as_str().expect("an id").to_owned())
            .collect();
        // What was not reached any more stands behind what was.
        assert_eq!(told[..expected.len()], expected, "{}", run.display());
        failures += failed;
    }
    assert!(failures > 0, "runs that ended before their time say so");
}
