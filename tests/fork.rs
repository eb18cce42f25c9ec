//! Forking is never the cause of a verdict: suites that work in processes of their own and would not in forked
//! children, a server that dies, and a driver that is killed.
#![cfg(target_os = "linux")]

#[path = "support/venv.rs"]
mod venv;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fs_err as fs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A copy of a suite, removed when dropped.
struct Project {
    home: tempfile::TempDir,
    mark: String,
}

impl Project {
    fn of(suite: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let home = tempfile::Builder::new().prefix("fh-fork-").tempdir().expect("a folder");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suites").join(suite);
        for name in ["project", "tmp"] {
            fs::create_dir(home.path().join(name)).expect("a folder");
        }
        for entry in fs::read_dir(&from).expect("the suite") {
            let entry = entry.expect("an entry");
            if entry.file_type().expect("its type").is_file() {
                fs::copy(entry.path(), home.path().join("project").join(entry.file_name())).expect("a copy");
            }
        }
        let mark = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { home, mark }
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.home.path().join("project").join(name), text).expect("a file");
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the test stands where a shell would")]
        let mut flakehunt = Command::new(env!("CARGO_BIN_EXE_flakehunt"));
        flakehunt
            .args(arguments)
            .current_dir(self.home.path().join("project"))
            .env("FLAKEHUNT_PYTHON", python())
            .env("FLAKEHUNT_TEST_MARK", &self.mark)
            .env("TMPDIR", self.home.path().join("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        flakehunt
    }

    /// Runs `flakehunt shuffle` with few orders; nothing may live on.
    #[track_caller]
    fn shuffle(&self, more: &[&str]) -> Report {
        let arguments = ["shuffle", "--seeds", "4", "--seed-start", "1", "--jobs", "2", "--report", "json"];
        let output = self.command(&[&arguments, more].concat()).output().expect("it starts");
        let report = Report::of(output);
        assert_eq!(self.living(), [""; 0], "nothing lives on\n{}", report.said);
        report
    }

    /// Command lines of the processes that were started for this project and live.
    fn living(&self) -> Vec<String> {
        let entries = fs::read_dir("/proc").expect("/proc");
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        let assignment = format!("FLAKEHUNT_TEST_MARK={}", self.mark);
        let ours = |pid: &i32| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == assignment.as_bytes()))
        };
        pids.filter(ours)
            .map(|pid| {
                fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
            })
            .collect()
    }

    #[track_caller]
    fn until(&self, what: &str, mut come: impl FnMut() -> bool) {
        for _ in 0..12_000 {
            if come() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("never: {what}; living: {:?}", self.living());
    }

    /// A hunt in which a test hangs, at the moment when a forked child is in that test.
    fn hanging(&self) -> Child {
        let mut child = self
            .command(&["shuffle", "--seeds", "4", "--jobs", "2", "--test-timeout", "10m"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let reached = self.home.path().join("tmp/reached");
        self.until("a test that hangs", || {
            assert!(child.try_wait().expect("its state").is_none(), "it goes on");
            reached.exists()
        });
        child
    }
}

/// What flakehunt reported.
struct Report {
    json: Value,
    said: String,
}

impl Report {
    #[track_caller]
    fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let json =
            serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}\n{stdout}\n{stderr}"));
        Self { json, said: stderr }
    }

    fn executor(&self) -> &str {
        self.json["environment"]["executor"].as_str().expect("an executor")
    }

    fn verdicts(&self) -> Vec<(&str, &str)> {
        let tests = self.json["tests"].as_array().expect("tests");
        tests.iter().map(|test| (text(&test["id"]), text(&test["verdict"]))).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// The interpreter of the tests.
fn python() -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements/pytest9.txt");
    venv::venv("pytest9", &requirements).join("bin/python")
}

#[test]
fn what_the_gate_sees_is_not_forked() {
    for (suite, reason) in [
        ("fork_thread", "thread started while collecting: worker"),
        ("fork_file", "file opened while collecting"),
        ("fork_sqlite", "file opened while collecting"),
        ("fork_socket", "socket opened while collecting"),
        ("fork_process", "process started while collecting"),
        ("fork_shared", "memory shared while collecting"),
        ("fork_multiprocessing", "memory shared while collecting"),
    ] {
        let report = Project::of(suite).shuffle(&[]);
        assert_eq!(report.executor(), "spawn", "{suite}");
        assert!(report.said.contains(reason), "{suite}: {}", report.said);
        assert_eq!(report.verdicts(), [], "{suite}");
    }
}

#[test]
fn what_only_calibration_sees_is_caught() {
    for (suite, said) in [
        ("fork_pid", "test_pid.py::test_pid passes in fresh processes and fails in"),
        ("fork_uuid", "was left in a temporary folder that was chosen while collecting"),
        ("fork_atexit", "test_atexit.py::test_writes passes in fresh processes and fails in"),
        ("fork_printed", "test_printed.py::test_prints says or prints something else in forked children"),
    ] {
        let report = Project::of(suite).shuffle(&[]);
        assert_eq!(report.executor(), "fork", "{suite}");
        assert!(report.said.contains(said), "{suite}: {}", report.said);
        assert_eq!(report.verdicts(), [], "{suite}");
        let invalid = report.json["runs"]["invalid"].as_array().expect("runs that do not count");
        assert!(!invalid.is_empty(), "{suite}: what children said does not count");
    }
}

#[test]
fn a_temporary_path_of_import_time_makes_no_test_broken() {
    let report = Project::of("fork_tempdir").shuffle(&[]);
    assert!(report.said.contains("`made-once` was left in a temporary folder"), "{}", report.said);
    assert_eq!(report.verdicts(), [("test_tempdir.py::test_finds_nothing", "victim")], "{}", report.said);
    assert_eq!(
        report.json["tests"][0]["polluters"],
        serde_json::json!([["test_tempdir.py::test_makes"]]),
        "{}",
        report.said
    );
}

#[test]
fn a_child_knows_its_temporary_folder_before_the_first_test() {
    // Pytest has made temporary files by then; who is the first to ask writes a file and removes it.
    let project = Project::of("fork_polluted").file(
        "test_first.py",
        "import os, tempfile\n\n\
         def test_removes_nothing(monkeypatch):\n    \
             removed, unlink = [], os.unlink\n    \
             monkeypatch.setattr(os, 'unlink', lambda path, **more: (removed.append(path), unlink(path, **more)))\n    \
             handle, path = tempfile.mkstemp()\n    \
             assert os.path.dirname(path) == os.environ['TMPDIR']\n    \
             assert removed == []\n",
    );
    let report = project.shuffle(&["--executor", "fork"]);
    assert_eq!(report.verdicts(), [("test_polluted.py::test_victim", "victim")], "{}", report.said);
    assert!(!report.said.contains("fresh processes from now on"), "{}", report.said);
}

#[test]
fn a_fixture_may_take_a_plugin_away_and_bring_it_back() {
    // As in flask's suite, whose logger has a handler of its own only where no other one is about.
    let project = Project::of("fork_polluted").file(
        "test_logging.py",
        "import logging, sys\n\nimport pytest\n\n\n\
         @pytest.fixture(params=['logging-plugin', 'capturemanager'])\n\
         def without(request, pytestconfig):\n    \
             handlers, logging.root.handlers = logging.root.handlers[:], []\n    \
             plugin = pytestconfig.pluginmanager.unregister(name=request.param)\n    \
             yield request.param\n    \
             logging.root.handlers[:] = handlers\n    \
             pytestconfig.pluginmanager.register(plugin, request.param)\n\n\n\
         def test_without(without):\n    \
             assert without == 'capturemanager' or logging.root.handlers == []\n\n\n\
         def test_with(caplog, capsys):\n    \
             logging.warning('said')\n    \
             print('printed')\n    \
             assert caplog.messages == ['said'] and capsys.readouterr().out == 'printed\\n'\n\n\n\
         def test_plain():\n    \
             assert logging.root.handlers\n",
    );
    let report = project.shuffle(&["--executor", "fork"]);
    assert_eq!(report.verdicts(), [("test_polluted.py::test_victim", "victim")], "{}", report.said);
    assert!(!report.said.contains("fresh processes from now on"), "{}", report.said);
}

#[test]
fn what_always_fails_in_children_is_not_broken() {
    // Written at import, spoilt by the first test that runs anywhere: no child sees it as it was.
    let project = Project::of("fork_polluted").file(
        "test_state.py",
        "import os, pathlib\n\
         STATE = pathlib.Path(os.environ['FLAKEHUNT_TEST_FOLDER'], str(os.getpid()))\n\
         STATE.write_text('')\n\n\
         def test_spoils():\n    \
             STATE.write_text('spoilt')\n\n\
         def test_spoilt():\n    \
             assert STATE.read_text() == ''\n",
    );
    let folder = project.home.path().join("state");
    fs::create_dir(&folder).expect("a folder");
    let arguments = ["shuffle", "--seeds", "4", "--seed-start", "1", "--report", "json"];
    let mut command = project.command(&arguments);
    let report = Report::of(command.env("FLAKEHUNT_TEST_FOLDER", &folder).output().expect("it starts"));
    assert!(report.said.contains("runs start fresh processes from now on"), "{}", report.said);
    assert_eq!(
        report.verdicts(),
        [("test_polluted.py::test_victim", "victim"), ("test_state.py::test_spoilt", "victim")],
        "{}",
        report.said
    );
}

#[test]
fn what_a_child_leaves_running_is_not_met_by_the_next() {
    let project = Project::of("fork_polluted").file(
        "test_daemon.py",
        "import os, pathlib, subprocess\n\
         PIDS = pathlib.Path(os.environ['FLAKEHUNT_TEST_FOLDER'])\n\n\
         def test_starts():\n    \
             daemon = subprocess.Popen(['sleep', '600'], start_new_session=True)\n    \
             (PIDS / str(daemon.pid)).touch()\n\n\
         def test_nothing_runs():\n    \
             assert [pid for pid in os.listdir(PIDS) if os.path.exists(f'/proc/{pid}/exe')] == []\n",
    );
    let folder = project.home.path().join("pids");
    fs::create_dir(&folder).expect("a folder");
    let arguments = ["shuffle", "--seeds", "4", "--seed-start", "1", "--jobs", "1", "--report", "json"];
    let mut command = project.command(&arguments);
    let report = Report::of(command.env("FLAKEHUNT_TEST_FOLDER", &folder).output().expect("it starts"));
    assert!(!report.said.contains("from now on"), "{}", report.said);
    let victims =
        [("test_daemon.py::test_nothing_runs", "victim"), ("test_polluted.py::test_victim", "victim")];
    assert_eq!(report.verdicts(), victims, "{}", report.said);
    assert_eq!(project.living(), [""; 0]);
}

#[test]
fn what_children_wear_out_is_caught_in_the_end() {
    // The fifth child and every later one fails; the baseline sees three.
    let project = Project::of("fork_polluted").file(
        "test_worn.py",
        "import os, uuid\n\
         FOLDER = os.path.join(os.environ['FLAKEHUNT_TEST_FOLDER'], uuid.uuid4().hex)\n\n\
         def test_worn():\n    \
             os.makedirs(FOLDER, exist_ok=True)\n    \
             open(os.path.join(FOLDER, uuid.uuid4().hex), 'w').close()\n    \
             assert len(os.listdir(FOLDER)) < 5\n",
    );
    let folder = project.home.path().join("worn");
    fs::create_dir(&folder).expect("a folder");
    let arguments = ["shuffle", "--seeds", "8", "--seed-start", "1", "--report", "json"];
    let mut command = project.command(&arguments);
    let report = Report::of(command.env("FLAKEHUNT_TEST_FOLDER", &folder).output().expect("it starts"));
    assert!(report.said.contains("runs start fresh processes from now on"), "{}", report.said);
    assert_eq!(report.verdicts(), [("test_polluted.py::test_victim", "victim")], "{}", report.said);
}

#[test]
fn a_polluter_is_found_by_forking_and_proven_in_fresh_processes() {
    let report = Project::of("fork_polluted").shuffle(&["--executor", "fork"]);
    assert_eq!(report.executor(), "fork");
    assert_eq!(report.verdicts(), [("test_polluted.py::test_victim", "victim")]);
    let test = &report.json["tests"][0];
    assert_eq!(test["polluters"], serde_json::json!([["test_polluted.py::test_polluter"]]));
    let (asked, processes) = (&report.json["runs"]["asked"], &report.json["runs"]["processes"]);
    assert!(
        asked.as_u64() > processes.as_u64().map(|processes| processes * 2),
        "{asked} runs, {processes} processes"
    );
}

#[test]
fn spawn_is_spawn() {
    let report = Project::of("fork_polluted").shuffle(&["--executor", "spawn"]);
    assert_eq!(report.executor(), "spawn");
    assert_eq!(report.verdicts(), [("test_polluted.py::test_victim", "victim")]);
}

#[test]
fn a_test_that_kills_the_server_does_not_stop_the_hunt() {
    // The parent of a process of its own is flakehunt itself, which this test lets live.
    let project = Project::of("fork_polluted").file(
        "test_killer.py",
        "import os, signal\n\n\
         def test_killer():\n    \
             with open(f'/proc/{os.getppid()}/cmdline') as line:\n        \
                 served = 'flakehunt_plugin' in line.read()\n    \
             if served:\n        \
                 os.kill(os.getppid(), signal.SIGKILL)\n",
    );
    let report = project.shuffle(&[]);
    assert!(report.said.contains("servers died"), "{}", report.said);
    assert_eq!(report.verdicts(), [("test_polluted.py::test_victim", "victim")], "{}", report.said);
}

const HANGS: &str = "import os, pathlib, time\n\n\
     def test_hangs():\n    \
         with open(f'/proc/{os.getppid()}/cmdline') as line:\n        \
             served = 'flakehunt_plugin' in line.read()\n    \
         if served:\n        \
             pathlib.Path(os.environ['TMPDIR']).parent.parent.parent.joinpath('reached').touch()\n        \
             time.sleep(3600)\n";

#[test]
fn a_driver_that_is_killed_leaves_nothing() {
    let project = Project::of("fork_polluted").file("test_hangs.py", HANGS);
    let mut child = project.hanging();
    child.kill().expect("it lives");
    child.wait().expect("it ends");
    project.until("the end of the server and its children", || project.living().is_empty());
}

#[test]
fn ctrl_c_ends_children_and_server_and_the_session_goes_on_later() {
    let project = Project::of("fork_polluted").file("test_hangs.py", HANGS);
    let mut child = project.hanging();
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it lives");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(project.living(), [""; 0]);
    let resumed =
        project.command(&["resume", "--report", "json", "--test-timeout", "1s"]).output().expect("it starts");
    let report = Report::of(resumed);
    // A test that hangs in children only is none of the suite's faults.
    assert!(report.said.contains("runs start fresh processes from now on"), "{}", report.said);
    assert_eq!(report.verdicts(), [("test_polluted.py::test_victim", "victim")], "{}", report.said);
}
