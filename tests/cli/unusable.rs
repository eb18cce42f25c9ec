//! What flakehunt stands on gives way: the interpreter, the collection, the disk.

use fs_err as fs;

use crate::support::command;
use crate::support::pinned::Pinned::{Pytest7, Pytest9};
use crate::support::pinned::python_without_pytest;
use crate::support::project::Project;
use crate::support::running::Ran;

fn shop() -> Project {
    Project::suite("one_polluter", Pytest9)
}

#[test]
fn a_conftest_that_raises_is_told_with_its_reason() {
    let project = shop().file("conftest.py", "raise RuntimeError('no database here')\n");
    let ran = project.flakehunt(&["shuffle"]).error(3, "");
    assert!(ran.stderr.contains("no database here"), "{ran}");
    // Of one further down, old pytest says no path.
    let project = Project::with(Pytest7, "deep/conftest.py", "import no_such_module\n")
        .file("deep/test_deep.py", "def test_deep():\n    pass\n");
    let ran = project.flakehunt(&["shuffle"]).error(3, "could not be collected");
    let ran = ran.hint("python -m pytest --collect-only`");
    assert!(ran.stderr.contains("no_such_module") && !ran.stderr.contains("--ignore"), "{ran}");
}

#[test]
fn a_test_file_that_raises_is_told_with_its_reason() {
    let project = shop().file("test_raises.py", "import no_such_module\n");
    let ran = project.flakehunt(&["shuffle"]).error(3, "a file could not be collected");
    assert!(ran.stderr.contains("test_raises.py") && ran.stderr.contains("no_such_module"), "{ran}");
    // The hint is what was typed, and what helps.
    assert!(ran.stderr.contains("`flakehunt shuffle -- '--ignore=test_raises.py'`"), "{ran}");
    let ran = project.flakehunt(&["bisect", "test_zone.py::test_utc", "--", "-q"]).error(3, "");
    let hint = "`flakehunt bisect test_zone.py::test_utc -- -q '--ignore=test_raises.py'`";
    assert!(ran.stderr.contains(hint), "{ran}");
    // What pytest passes over, flakehunt passes over.
    let ran = project.flakehunt(&["shuffle", "--seeds", "1", "--", "--ignore=test_raises.py"]);
    assert!(matches!(ran.code, Some(0 | 1)), "{ran}");
}

#[test]
fn a_plugin_that_addopts_want_and_nobody_has_is_told_of() {
    let project = shop().file("pytest.ini", "[pytest]\naddopts = --no-such-option=shop\n");
    let ran = project.flakehunt(&["shuffle", "--seeds", "1"]);
    let ran = ran.error(3, "pytest refused: unrecognized arguments: --no-such-option=shop");
    let hint = "`flakehunt shuffle --seeds 1 -- '--override-ini=addopts='`";
    assert!(
        ran.stderr.contains("a plugin that this Python does not have") && ran.stderr.contains(hint),
        "{ran}"
    );
    let ran = project.flakehunt(&["shuffle", "--seeds", "1", "--", "--override-ini=addopts="]);
    assert!(matches!(ran.code, Some(0 | 1)), "{ran}");
    // What was typed is for whoever typed it.
    let ran = project.flakehunt(&["shuffle", "--", "--no-such-option"]).error(2, "pytest refused");
    assert!(ran.stderr.contains("what stands after `--`"), "{ran}");
}

#[test]
fn a_test_file_that_waits_for_input_is_not_waited_for() {
    let project = shop().file("test_asks.py", "name = input('name? ')\n");
    let ran = project.flakehunt(&["shuffle"]).error(3, "a file could not be collected");
    assert!(ran.stderr.contains("test_asks.py"), "{ran}");
}

#[test]
fn exit_0_at_import_is_no_success() {
    for file in ["conftest.py", "test_exits.py"] {
        for text in ["raise SystemExit(0)\n", "import os\n\nos._exit(0)\n"] {
            let ran = shop().file(file, text).flakehunt(&["shuffle"]);
            ran.error(3, "");
        }
    }
}

#[test]
fn no_interpreter_is_said_with_where_it_was_looked_for() {
    let project = shop().without_variable("FLAKEHUNT_PYTHON").variable("PATH", "/nowhere");
    project.flakehunt(&["shuffle"]).error(3, "").hint("--python");
}

#[test]
fn an_interpreter_that_is_not_there_or_is_none_is_said() {
    let project = shop().variable("FLAKEHUNT_PYTHON", "/nowhere/python");
    project.flakehunt(&["shuffle"]).error(3, "/nowhere/python");
    let project = shop().variable("FLAKEHUNT_PYTHON", "/bin/true");
    project.flakehunt(&["shuffle"]).error(3, "/bin/true");
}

#[test]
fn an_interpreter_without_pytest_is_said_with_how_to_install_it() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let python = python_without_pytest(folder.path());
    let project = shop().variable("FLAKEHUNT_PYTHON", python.display().to_string());
    project.flakehunt(&["shuffle"]).error(3, "pytest").hint("install");
}

#[test]
fn a_pytest_that_is_too_old_is_said() {
    let project = shop().file("../old/pytest/__init__.py", "__version__ = '5.4.3'\n");
    let old = project.around().join("old").display().to_string();
    project.variable("PYTHONPATH", old).flakehunt(&["shuffle"]).error(3, "5.4.3").hint("");
}

#[test]
fn a_file_in_the_place_of_the_session_folder_is_an_output_error() {
    let project = shop();
    fs::write(project.path().join(".flakehunt"), "mine\n").expect("a file");
    project.flakehunt(&["shuffle"]).error(74, ".flakehunt");
    assert_eq!(fs::read_to_string(project.path().join(".flakehunt")).expect("it"), "mine\n");
}

#[test]
fn a_session_directory_that_cannot_be_made_is_an_output_error() {
    shop().flakehunt(&["shuffle", "--session-dir", "/proc/nowhere"]).error(74, "/proc/nowhere");
}

#[test]
fn a_report_that_cannot_be_written_is_an_output_error() {
    let project = shop();
    for file in ["nowhere/report.json", "/proc/report.json"] {
        let ran = project.flakehunt(&["shuffle", "--seeds", "1", "--report", &format!("json={file}")]);
        let ran = ran.code(74).hint("");
        assert!(ran.stderr.contains("error: cannot write the report"), "{ran}");
        // What was found is said all the same: it is in the journal.
        let (ran, report) = project.report(&["report"]);
        assert_eq!(report["command"], "shuffle", "{ran}");
    }
    let flakehunt = env!("CARGO_BIN_EXE_flakehunt");
    let ran = project.shell(&format!("{flakehunt} report > /dev/full")).code(74);
    assert!(ran.stderr.contains("error: "), "{ran}");
    // A reader that leaves early is no error.
    let ran =
        project.shell(&format!("{flakehunt} report --report html | head -c 1; exit ${{PIPESTATUS[0]}}"));
    ran.code(0);
}

/// Runs a line where folders can be mounted; `None` where the system has no namespaces for us.
#[expect(clippy::print_stdout, reason = "what is not tested is said")]
fn with_mounts(project: &Project, line: &str) -> Option<Ran> {
    let able = command("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    match able {
        Ok(output) if output.status.success() => {
            Some(project.shell(&format!("unshare -rm bash -c '{line}'")))
        }
        other => {
            println!("skipped: mounting needs user namespaces: {other:?}");
            None
        }
    }
}

#[test]
fn a_project_that_is_read_only_is_said_with_where_else_to_write() {
    let project = shop();
    let flakehunt = env!("CARGO_BIN_EXE_flakehunt");
    let mount = "mount --bind . . && mount -o remount,bind,ro . && cd .";
    let inside = "cd \"$PWD\"";
    if let Some(ran) = with_mounts(&project, &format!("{mount} && {inside} && {flakehunt} shuffle")) {
        ran.error(74, "ead-only").hint("--session-dir");
        let line = format!("{mount} && {inside} && {flakehunt} shuffle --seeds 1 --session-dir \"$HOME\"");
        let ran = with_mounts(&project, &line).expect("it worked before");
        assert!(matches!(ran.code, Some(0 | 1)), "{ran}");
    }
}

#[test]
fn a_disk_that_fills_up_is_said_and_the_journal_can_be_read() {
    let project = shop();
    let flakehunt = env!("CARGO_BIN_EXE_flakehunt");
    let mount = "mkdir \"$HOME/small\" && mount -t tmpfs -o size=800k none \"$HOME/small\"";
    // The journal is looked at where the disk is mounted.
    let run = format!("{flakehunt} shuffle --jobs 1 --session-dir \"$HOME/small\"; code=$?");
    let look = format!(
        "rm -r \"$HOME\"/small/.flakehunt/cache; {flakehunt} report --session-dir \"$HOME/small\" >&2"
    );
    if let Some(ran) = with_mounts(&project, &format!("{mount} && {{ {run}; {look}; echo $code; }}")) {
        assert!(ran.stderr.contains("hint: free some space"), "{ran}");
        assert_eq!(ran.stdout.lines().last(), Some("74"), "{ran}");
    }
}
