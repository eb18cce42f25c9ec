//! Virtual environments with pinned versions, made once and kept below `target/venvs`.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use fs_err as fs;

use super::command;

/// A set of pinned distributions: `tests/requirements/NAME.txt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Venv {
    Pytest7,
    Pytest8,
    Pytest9,
    /// pytest 8 and every plugin that shuffles, distributes, repeats or retries.
    Plugins,
}

impl Venv {
    fn name(self) -> &'static str {
        match self {
            Self::Pytest7 => "pytest7",
            Self::Pytest8 => "pytest8",
            Self::Pytest9 => "pytest9",
            Self::Plugins => "plugins",
        }
    }

    /// Its interpreter. The environment is made where it is missing, or where what it was made of has changed.
    pub fn python(self) -> PathBuf {
        // Threads of one process share a file lock: they take turns here, processes take turns below.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let name = self.name();
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("venvs");
        fs::create_dir_all(&all).expect("target/venvs");
        let lock = fs::File::create(all.join(format!("{name}.lock"))).expect("a lock file");
        lock.file().lock().expect("a lock");
        let requirements =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/requirements/{name}.txt"));
        let made_of = format!("{}\n{}", base_python(), fs::read_to_string(&requirements).expect("pinned versions"));
        let home = all.join(name);
        let (python, marker) = (home.join("bin/python"), home.join("made-of.txt"));
        if fs::read_to_string(&marker).is_ok_and(|text| text == made_of) {
            return python;
        }
        if home.exists() {
            fs::remove_dir_all(&home).expect("the outdated environment goes");
        }
        say(command("python3").arg("-m").arg("venv").arg(&home));
        let pip = ["-m", "pip", "--disable-pip-version-check"];
        // Every distribution is named: nothing is resolved, and `pip check` sees what was forgotten.
        say(command(&python).args(pip).args(["install", "--quiet", "--no-deps", "-r"]).arg(&requirements));
        say(command(&python).args(pip).arg("check"));
        fs::write(&marker, made_of).expect("the marker");
        python
    }
}

/// A Python without pytest: a virtual environment with nothing in it.
pub fn python_without_pytest(folder: &Path) -> PathBuf {
    say(command("python3").args(["-m", "venv", "--without-pip"]).arg(folder));
    folder.join("bin/python")
}

/// What tells one `python3` from another.
fn base_python() -> String {
    say(command("python3").args(["-c", "import sys; print(sys.version, sys.base_prefix)"]))
}

/// Runs to the end; what it printed.
fn say(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}
