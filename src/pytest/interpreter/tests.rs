use super::*;
use crate::error::ExitCode;

/// A folder with fake Pythons: shell scripts, most of which hand over to the real `python3`.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a scratch folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    /// The program is made by another process: a fork of ours could hold it open for writing when it is started
    /// ("text file busy").
    fn program(&self, name: &str, body: &str) -> PathBuf {
        let text = self.write("program.sh", &format!("#!/bin/sh\n{body}\n"));
        let path = self.path(name);
        let argv = ["install", "-D", "-m", "755"].map(OsString::from).into_iter();
        let command = Command {
            argv: argv.chain([text.into(), path.clone().into()]).collect(),
            directory: self.folder.path().to_owned(),
            env: Vec::new(),
            stdin: Stdin::Null,
            output: Sink::Capture { cap: 1000 },
            die_with_parent: true,
        };
        let ended = block_on(supervise(command, PATIENCE, &mut (), never())).expect("install");
        assert_eq!(ended.end, crate::core::run::ProcessEnd::Exited(0));
        path
    }

    /// A real Python whose pytest is this module; with none, it has no pytest.
    fn python(&self, name: &str, pytest: Option<&str>) -> PathBuf {
        let Some(pytest) = pytest else { return self.program(name, "exec python3 -I -S \"$@\"") };
        let module = self.write(&format!("modules/{name}/pytest.py"), pytest);
        let folder = module.parent().expect("it has one").display();
        self.program(name, &format!("PYTHONPATH='{folder}' exec python3 \"$@\""))
    }

    fn request(&self) -> Request {
        // Only for choosing: the fake Pythons find the real one on the PATH of the tests.
        let environment = Environment { path: Some(self.path("path").into()), ..Environment::default() };
        Request { directory: self.folder.path().to_owned(), environment, ..Request::default() }
    }
}

fn found(request: &Request) -> Interpreter {
    block_on(find(request)).expect("a Python")
}

fn refused(request: &Request) -> Failure {
    let failure = block_on(find(request)).expect_err("none will do");
    assert_eq!(failure.code, ExitCode::Environment);
    failure
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn setting(value: &str, origin: &str) -> Option<Setting> {
    Some(Setting { value: value.to_owned(), origin: origin.to_owned() })
}

const PYTEST: Option<&str> = Some("__version__ = '8.1.0rc1'");

#[test]
fn places_are_looked_at_in_order() {
    let environment = Environment {
        virtual_env: Some("/active".into()),
        conda_prefix: Some("/conda".into()),
        conda_name: Some("work".into()),
        path: Some("/one:/two".into()),
    };
    let mut request = Request { directory: "/a/b".into(), environment, ..Request::default() };
    let programs = |request: &Request| -> Vec<String> {
        places(request).iter().map(|place| format!("{} {}", place.origin, place.program.display())).collect()
    };
    let own = [
        ".venv /a/b/.venv/bin/python",
        "venv /a/b/venv/bin/python",
        "../.venv /a/.venv/bin/python",
        "../venv /a/venv/bin/python",
        "../../.venv /.venv/bin/python",
        "../../venv /venv/bin/python",
    ];
    let active = "VIRTUAL_ENV /active/bin/python";
    let conda = "CONDA_PREFIX /conda/bin/python";
    let path = ["PATH /one/python3", "PATH /two/python3", "PATH /one/python", "PATH /two/python"];
    assert_eq!(programs(&request), [&[active, conda], &own[..], &path].concat());

    request.environment.conda_name = Some("base".into());
    assert_eq!(
        programs(&request),
        [&[active], &own[..], &[conda], &path].concat(),
        "base is nobody's choice"
    );

    request.python = setting("sub/python", "--python");
    let expected = ["--python /a/b/sub/python", "--python /a/b/sub/python/bin/python"];
    assert_eq!(programs(&request), expected, "what was named excludes the rest");
    request.python = setting("python3.9", "FLAKEHUNT_PYTHON");
    assert_eq!(
        programs(&request)[..2],
        ["FLAKEHUNT_PYTHON /one/python3.9", "FLAKEHUNT_PYTHON /two/python3.9"]
    );
}

#[test]
fn the_facts_come_through_whatever_is_printed_around_them() {
    let project = Project::new();
    let noise =
        "import sys\nprint('noise <<flakehunt-interpreter {')\nsys.stdout = None\n__version__ = '8.1.0rc1'";
    let python = project.python(".venv/bin/python", Some(noise));
    let found = found(&project.request());
    assert_eq!((found.launcher, found.origin.as_str()), (vec![python.into_os_string()], ".venv"));
    assert_eq!((found.pytest.as_str(), found.notices.len()), ("8.1.0rc1", 0));
    assert!(version(&found.version) >= OLDEST_PYTHON && found.executable.is_absolute());
}

#[test]
fn a_launcher_stands_before_python() {
    let project = Project::new();
    let launcher =
        project.program("tool", "shift; test \"$1\" = my-python || exit 9; shift; exec \"$LAUNCHED\" \"$@\"");
    let python = project.python("real", PYTEST);
    let words = format!("env LAUNCHED={} {} run", python.display(), launcher.display());
    let mut request = project.request();
    request.launcher = setting(&words, "--launcher");
    let failure = refused(&request);
    assert!(failure.error.contains("exit code 9"), "{failure}");
    request.python = setting("my-python", "--python");
    let found = found(&request);
    assert_eq!((found.origin.as_str(), found.launcher.len()), ("--launcher", 5));
    request.launcher = setting("uv 'run", "--launcher");
    assert_eq!(block_on(find(&request)).expect_err("a quote is open").code, ExitCode::Usage);
}

#[test]
fn a_promise_that_is_not_kept_is_noticed() {
    let project = Project::new();
    project.python("path/python3", PYTEST);
    let mut request = project.request();
    request.environment.virtual_env = Some("/no/such/environment".into());
    let found = found(&request);
    assert_eq!(found.origin, "PATH");
    assert_eq!(found.notices, ["VIRTUAL_ENV is /no/such/environment, where there is no Python: passed over"]);
}

#[test]
fn a_shim_without_a_python_behind_it_is_passed_over() {
    let project = Project::new();
    project.program("path/python3", "echo 'pyenv: python3: command not found' >&2; exit 127");
    let mut request = project.request();
    let failure = refused(&request);
    assert!(failure.error.contains("exit code 127"), "{failure}");
    assert_eq!(failure.detail.as_deref(), Some("pyenv: python3: command not found"));
    let python = project.python("path/python", PYTEST);
    assert_eq!(found(&request).launcher, [python.into_os_string()]);
    request.python = setting("path/python3", "--python");
    assert!(refused(&request).error.contains("exit code 127"), "what was named is not replaced");
}

#[test]
fn nothing_found_says_where_it_was_looked_for() {
    let project = Project::new();
    project.write("uv.lock", "");
    let failure = refused(&project.request());
    assert!(failure.error.contains(".venv and venv in") && failure.error.contains("on PATH"), "{failure}");
    assert_eq!(
        failure.hints,
        ["the project has uv.lock: --launcher \"uv run\"", "name one with --python PATH"]
    );
}

#[test]
fn what_was_named_and_cannot_be_used_is_told_apart() {
    let project = Project::new();
    project.write("plain", "");
    project.write("folder/file", "");
    project.python("venv/bin/python", PYTEST);
    for (value, said) in [
        ("no/such", "--python is no/such, which does not exist"),
        ("no-such", "--python is no-such, and there is no such program on PATH"),
        ("./plain", "--python is ./plain, which is not executable"),
        ("folder", "--python is folder, a folder without bin/python"),
    ] {
        let failure = refused(&Request { python: setting(value, "--python"), ..project.request() });
        assert_eq!(failure.error, said);
        assert_eq!(failure.hints, ["use venv: --python venv/bin/python"]);
    }
    let folder = Request { python: setting("venv", "--python"), ..project.request() };
    assert_eq!(found(&folder).pytest, "8.1.0rc1");
}

#[test]
fn a_python_without_a_fitting_pytest_is_refused_with_commands() {
    let project = Project::new();
    let bare = project.python("bare/bin/python", None);
    project.python(".venv/bin/python", PYTEST);
    project.write("poetry.lock", "");
    let mut request = project.request();
    request.environment.virtual_env = Some(project.path("bare"));
    let failure = refused(&request);
    assert!(failure.error.starts_with("pytest is not installed for Python 3."), "{failure}");
    assert_eq!(
        failure.hints[..2],
        ["use .venv: --python .venv/bin/python", "the project has poetry.lock: --launcher \"poetry run\""]
    );
    assert!(failure.hints[2].starts_with(&format!("install it: {}", bare.display())), "{failure:?}");

    for (name, module, said, detail) in [
        ("old", "__version__ = '5.4.3'", "pytest 5.4.3 of Python", None),
        (
            "broken",
            "import no_such_module",
            "pytest cannot be imported",
            Some("No module named 'no_such_module'"),
        ),
        ("exits", "raise SystemExit(3)", "pytest cannot be imported", Some("SystemExit: 3")),
    ] {
        project.python(name, Some(module));
        let failure =
            refused(&Request { python: setting(&format!("./{name}"), "--python"), ..request.clone() });
        assert!(failure.error.starts_with(said), "{failure}");
        assert!(
            detail.is_none_or(|detail| failure.detail.is_some_and(|text| text.ends_with(detail))),
            "{name}"
        );
    }
    project.python("oldish", Some("__version__ = '6.2.5'"));
    let oldish = found(&Request { python: setting("./oldish", "--python"), ..request.clone() });
    assert_eq!(oldish.notices.len(), 1, "{:?}", oldish.notices);
}

#[test]
fn installing_is_said_for_the_way_in_which_python_is_run() {
    let facts = |has_pip, externally_managed| Facts {
        kind: Kind::PytestMissing,
        version: "3.12.4".to_owned(),
        executable: "/x/python".into(),
        prefix: "/x".into(),
        base_prefix: "/x".into(),
        implementation: "CPython".to_owned(),
        platform: "linux-x86_64".to_owned(),
        has_pip,
        externally_managed,
        pytest: String::new(),
        traceback: String::new(),
    };
    let request = Request { directory: "/no/such/project".into(), ..Request::default() };
    for (words, facts, install) in [
        (&["/x/python"][..], facts(true, false), "/x/python -m pip install pytest"),
        (&["/x y/python"], facts(true, false), "'/x y/python' -m pip install pytest"),
        (&["/x/python"], facts(false, false), "/x/python -m ensurepip && /x/python -m pip install pytest"),
        (
            &["/x/python"],
            facts(true, true),
            "/x/python -m venv .venv && .venv/bin/python -m pip install pytest",
        ),
        (&["uv", "run", "python"], facts(false, false), "uv add --dev pytest"),
        (&["hatch", "run", "python"], facts(false, false), "hatch run python -m pip install pytest"),
    ] {
        let launcher: Vec<OsString> = words.iter().map(Into::into).collect();
        let asked = advice::Asked { request: &request, launcher: &launcher, origin: "here" };
        let failure = judge(&facts, &asked).expect_err("there is no pytest");
        assert_eq!(failure.hints, [format!("install it: {install}")]);
    }
    let mut old = facts(true, false);
    "3.7.16".clone_into(&mut old.version);
    let launcher = [OsString::from("/x/python")];
    let asked = advice::Asked { request: &request, launcher: &launcher, origin: "here" };
    let failure = judge(&old, &asked).expect_err("it is too old");
    assert_eq!(failure.error, "Python 3.7.16 at /x/python (here) is too old: flakehunt needs Python 3.8");
}

#[test]
fn versions_are_read_as_far_as_they_are_numbers() {
    for (text, numbers) in [
        ("8.0.0rc1", (8, 0)),
        ("9.2.0.dev12+gabc", (9, 2)),
        ("7.0rc1", (7, 0)),
        ("10", (10, 0)),
        ("x", (0, 0)),
    ] {
        assert_eq!(version(text), numbers, "{text}");
    }
}
