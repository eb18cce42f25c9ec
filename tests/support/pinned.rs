//! The versions that are tested.

use std::path::{Path, PathBuf};

use super::command;
use super::venv::venv;

/// A set of pinned distributions: `tests/requirements/NAME.txt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    Pytest7,
    Pytest8,
    Pytest9,
    /// pytest 8 and every plugin that shuffles, distributes, repeats or retries.
    Plugins,
}

impl Pinned {
    /// The interpreter of the environment that holds them.
    pub fn python(self) -> PathBuf {
        let name = match self {
            Self::Pytest7 => "pytest7",
            Self::Pytest8 => "pytest8",
            Self::Pytest9 => "pytest9",
            Self::Plugins => "plugins",
        };
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements");
        venv(name, &requirements.join(format!("{name}.txt"))).join("bin/python")
    }
}

/// A Python without pytest: a virtual environment in this folder, with nothing in it.
pub fn python_without_pytest(folder: &Path) -> PathBuf {
    let mut make = command(Pinned::Pytest9.python());
    let status = make.args(["-m", "venv", "--without-pip"]).arg(folder).status().expect("a Python");
    assert!(status.success(), "{make:?}: {status}");
    folder.join("bin/python")
}
