//! What was typed cannot be meant: one error, a way out, exit code 2; and suites in which there is nothing to do.

use crate::support::pinned::Pinned::Pytest9;
use crate::support::project::Project;
use crate::support::running::Ran;

fn shop() -> Project {
    Project::suite("one_polluter", Pytest9)
}

/// No question was put: no session holds a journal.
#[track_caller]
fn nothing_was_run(project: &Project, ran: &Ran) {
    let begun: Vec<_> =
        project.sessions().into_iter().filter(|session| session.join("journal.jsonl").exists()).collect();
    assert!(begun.is_empty(), "{begun:?}\n{ran}");
}

#[test]
fn an_unknown_test_to_bisect_is_answered_with_the_similar_one() {
    let project = shop();
    let ran = project.flakehunt(&["bisect", "test_zone.py::test_ut"]);
    let ran = ran
        .error(2, "there is no test `test_zone.py::test_ut`")
        .hint("did you mean `test_zone.py::test_utc`?");
    nothing_was_run(&project, &ran);
}

#[test]
fn an_unknown_path_is_answered_with_the_similar_one() {
    let project = shop();
    let ran = project.flakehunt(&["shuffle", "test_zon.py"]);
    let ran =
        ran.error(2, "there is no file or directory `test_zon.py`").hint("did you mean `test_zone.py`?");
    nothing_was_run(&project, &ran);
}

#[test]
fn an_unknown_test_in_a_known_file_is_answered_with_the_similar_one() {
    let project = shop();
    let ran = project.flakehunt(&["shuffle", "test_zone.py::test_ut"]);
    let ran = ran.error(2, "there is no test `test_zone.py::test_ut`").hint("--collect-only");
    nothing_was_run(&project, &ran);
}

#[test]
fn a_path_that_is_an_option_is_sent_behind_the_dashes() {
    let project = Project::empty(Pytest9).file("test_a.py", "def test_a(): pass\n");
    project.flakehunt(&["shuffle", "--maxfail=1"]).error(2, "--maxfail");
    project.flakehunt(&["shuffle", "-k", "x"]).error(2, "-k");
}

#[test]
fn an_option_that_pytest_does_not_know_is_told_in_its_words() {
    let project = shop();
    let ran = project.flakehunt(&["shuffle", "--", "--no-such-option"]);
    ran.error(2, "unrecognized arguments: --no-such-option");
}

#[test]
fn a_working_directory_that_is_not_there_is_an_error() {
    let project = shop();
    project.flakehunt(&["shuffle", "-C", "nowhere"]).error(2, "nowhere");
}

#[test]
fn numbers_are_checked_as_they_are_typed() {
    let project = shop();
    for (arguments, said) in [
        (&["shuffle", "--seeds", "0"][..], "--seeds"),
        (&["shuffle", "--seeds", "many"], "--seeds"),
        (&["shuffle", "--seeds", "-3"], "--seeds"),
        (&["shuffle", "--seed", "x"], "--seed"),
        (&["shuffle", "--seed", "99999999999999999999999999"], "--seed"),
        (&["shuffle", "--jobs", "0"], "--jobs"),
        (&["shuffle", "--budget", "soon"], "--budget"),
        (&["shuffle", "--test-timeout", "-1"], "--test-timeout"),
        (&["shuffle", "--max-runs", "0"], "--max-runs"),
        (&["shuffle", "--level", "package"], "--level"),
        (&["shuffle", "--report", "pdf"], "--report"),
        (&["shuffle", "--seed", "1", "--seeds", "2"], "--seed"),
        (&["replay", "x"], "x"),
        (&["frobnicate"], "frobnicate"),
    ] {
        let ran = project.flakehunt(arguments).error(2, said);
        nothing_was_run(&project, &ran);
    }
}

#[test]
fn what_the_environment_or_the_configuration_says_is_checked_as_well() {
    let project = shop().variable("FLAKEHUNT_SEEDS", "0");
    project.flakehunt(&["shuffle"]).error(2, "FLAKEHUNT_SEEDS");
    let project = shop().file("flakehunt.toml", "sedes = 3\n");
    project.flakehunt(&["shuffle"]).error(2, "sedes").hint("seeds");
    let project = shop().file("flakehunt.toml", "seeds = \n");
    project.flakehunt(&["shuffle"]).error(2, "flakehunt.toml");
}

#[test]
fn no_tests_is_exit_code_5() {
    let project = Project::empty(Pytest9);
    project.flakehunt(&["shuffle"]).error(5, "pytest collected no tests");
    let ran = shop().flakehunt(&["shuffle", "--", "-k", "nothing_is_called_so"]);
    ran.error(5, "pytest collected no tests").hint("-k");
}

#[test]
fn an_unknown_session_and_an_unknown_run_are_errors() {
    let project = shop();
    project.flakehunt(&["report"]).error(2, "no session");
    project.flakehunt(&["resume"]).error(2, "no session");
    project.flakehunt(&["replay", "run3"]).error(2, "no session");
    project.flakehunt(&["replay", "5"]);
    let session = project.session();
    let name = session.file_name().expect("a name").to_string_lossy().into_owned();
    project.flakehunt(&["report", "zzzz"]).error(2, "there is no session `zzzz`").hint(&name);
    project.flakehunt(&["resume", "zzzz"]).error(2, "there is no session `zzzz`").hint(&name);
    project.flakehunt(&["replay", "run77"]).error(2, "has no run 77");
    project.flakehunt(&["replay", &format!("{name}/77")]).error(2, "has no run 77");
}

#[test]
fn an_order_that_cannot_be_used_is_an_error() {
    let utc = "test_zone.py::test_utc";
    let project = shop()
        .file("../broken.xml", "<testsuite><testcase name=")
        .file("../empty.xml", "<testsuites/>")
        .file("../other.xml", "<testsuite><testcase classname='a.b' name='test_c'/></testsuite>")
        .file("../unknown.txt", "test_zone.py::test_names\ntest_zone.py::test_gone\n")
        .file("../without.txt", "test_zone.py::test_names\n")
        .file("../broken.json", "[1, 2");
    for (option, file, said) in [
        ("--junit", "../nowhere.xml", "nowhere.xml"),
        ("--junit", "../broken.xml", "broken.xml"),
        ("--junit", "../empty.xml", "is not in that order"),
        ("--junit", "../other.xml", "is not in that order"),
        ("--order", "../nowhere.txt", "nowhere.txt"),
        ("--order", "../unknown.txt", "test_zone.py::test_gone"),
        ("--order", "../without.txt", "is not in that order"),
        ("--order", "../broken.json", "broken.json"),
        ("--run", "run3", "no session"),
    ] {
        let ran = project.flakehunt(&["bisect", utc, option, file]).error(2, said);
        nothing_was_run(&project, &ran);
    }
}

#[test]
fn tests_that_read_input_or_want_a_terminal_are_broken_and_do_not_wait() {
    let text =
        "import os\n\n\ndef test_reads():\n    input()\n\n\ndef test_asks():\n    os.get_terminal_size()\n";
    let project = Project::with(Pytest9, "test_tty.py", text);
    for arguments in [&["shuffle", "--seeds", "1"][..], &["shuffle", "--seeds", "1", "--", "-s"]] {
        let (ran, report) = project.report(arguments);
        let ran = ran.code(1);
        for test in 0..2 {
            assert_eq!(report["tests"][test]["verdict"], "broken", "{ran}");
        }
    }
}
