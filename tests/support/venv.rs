//! Python environments for tests, made once and kept in `target/venvs/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;

/// The environment `target/venvs/NAME` with exactly what this requirements file pins; made where it is not there, or
/// was made from another file or by another Python. `PYTHON` names the interpreter to make it with (default:
/// `python3`).
///
/// Test programs, and threads of one, that ask for the same name wait for one another.
pub fn venv(name: &str, requirements: &Path) -> PathBuf {
    let venvs = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target/").join("venvs");
    fs::create_dir_all(&venvs).expect("target/venvs");
    let lock = fs::File::create(venvs.join(format!("{name}.lock"))).expect("a lock file");
    lock.file().lock().expect("a lock");
    #[expect(clippy::disallowed_methods, reason = "which Python to test with is said from outside")]
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let version =
        run(command(python.as_ref()).args(["-c", "import sys; print(sys.version, sys.base_prefix)"]));
    let wanted = version + &fs::read_to_string(requirements).expect("requirements");
    let venv = venvs.join(name);
    let stamp = venv.join("made-from");
    if !fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        if venv.exists() {
            fs::remove_dir_all(&venv).expect("the old environment removed");
        }
        run(command(python.as_ref()).args(["-m", "venv"]).arg(&venv));
        let pip = || {
            let mut pip = command(&venv.join("bin/python"));
            pip.args(["-m", "pip", "--disable-pip-version-check"]);
            pip
        };
        // Everything is pinned: nothing is resolved, and `pip check` sees what was forgotten.
        run(pip().args(["install", "--quiet", "--no-deps", "--requirement"]).arg(requirements));
        run(pip().arg("check"));
        fs::write(&stamp, wanted).expect("the stamp");
    }
    venv
}

fn command(program: &Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "tests start what they need")]
    Command::new(program)
}

/// What it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}\non Debian and Ubuntu venv needs `apt install python3-venv`",
        output.status,
        said(&output.stdout),
        said(&output.stderr)
    );
    said(&output.stdout)
}
