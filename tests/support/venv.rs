//! Python environments for tests, made once and kept in `target/venvs/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;

/// The environment `target/venvs/NAME` with exactly what this requirements file pins; made where it is not there, or
/// was made from another file. `PYTHON` names the interpreter to make it with (default: `python3`).
///
/// Test programs that ask for the same name wait for one another.
pub fn venv(name: &str, requirements: &Path) -> PathBuf {
    let venvs = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("target/").join("venvs");
    fs::create_dir_all(&venvs).expect("target/venvs");
    let lock = fs::File::create(venvs.join(format!("{name}.lock"))).expect("a lock file");
    lock.file().lock().expect("a lock");
    let (venv, wanted) = (venvs.join(name), fs::read(requirements).expect("requirements"));
    let stamp = venv.join("made-from");
    if !fs::read(&stamp).is_ok_and(|made_from| made_from == wanted) {
        if venv.exists() {
            fs::remove_dir_all(&venv).expect("the old environment removed");
        }
        #[expect(clippy::disallowed_methods, reason = "which Python to test with is said from outside")]
        let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        run(command(python.as_ref()).args(["-m", "venv"]).arg(&venv));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(command(&venv.join("bin/python")).args(pip).arg(requirements));
        fs::write(&stamp, wanted).expect("the stamp");
    }
    venv
}

fn command(program: &Path) -> Command {
    #[expect(clippy::disallowed_methods, reason = "tests start what they need")]
    Command::new(program)
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        status.success(),
        "{command:?}: {status}; on Debian and Ubuntu venv needs `apt install python3-venv`"
    );
}
