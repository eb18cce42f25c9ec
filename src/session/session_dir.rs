//! The folder of one session, and those of its runs.

use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;

use super::files;
use super::lock::SessionLock;
use crate::core::run::RunId;
use crate::error::Failure;

/// The folder of one session.
#[derive(Clone, Debug)]
pub struct SessionDir {
    path: PathBuf,
    name: String,
    cache: PathBuf,
}

impl SessionDir {
    pub(super) fn new(path: PathBuf, name: String, cache: PathBuf) -> Self {
        Self { path, name, cache }
    }

    /// Its short name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its path; absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The collected tests.
    pub fn suite(&self) -> PathBuf {
        self.path.join("suite.json")
    }

    /// The report, as of the last ending.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.json")
    }

    /// Of a `rerun`: the whole suite with every attempt as JUnit, as of the last ending.
    pub fn junit(&self) -> PathBuf {
        self.path.join("junit.xml")
    }

    /// What flakehunt did, in detail.
    pub fn debug_log(&self) -> PathBuf {
        self.path.join("debug.log")
    }

    /// Where bytecode and pytest's cache go; shared by all sessions.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The paths of a run; nothing is made.
    pub fn run(&self, run: RunId) -> RunDir {
        RunDir { path: self.path.join("runs").join(format!("{:06}", run.0)) }
    }

    /// The paths of a run whose folder is made. What an earlier try under the same number left is removed.
    pub fn create_run(&self, run: RunId) -> Result<RunDir, Failure> {
        let run = self.run(run);
        let made = match files::create_private_folder(run.path()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                files::require_real_folder(run.path())?;
                files::remove_folder(run.path()).and_then(|()| files::create_private_folder(run.path()))
            }
            made => made,
        };
        made.map_err(|error| Failure::io(format_args!("create {}", run.path().display()), &error))?;
        Ok(run)
    }

    /// Takes the session for writing, without waiting; the error says who has it.
    pub fn lock(&self) -> Result<SessionLock, Failure> {
        SessionLock::take(&self.lock_file(), &self.name)
    }

    /// Takes the session for writing unless somebody has it.
    pub(super) fn try_lock(&self) -> Result<Option<SessionLock>, Failure> {
        SessionLock::try_take(&self.lock_file(), &self.name)
    }

    fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// When its journal last grew; for a session without one, when its folder changed.
    pub(super) fn last_written(&self) -> SystemTime {
        fs::metadata(self.journal())
            .or_else(|_| fs::metadata(&self.path))
            .and_then(|found| found.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Writes the Python package (relative path with `/`, content) into the session and returns the folder that
    /// belongs on `PYTHONPATH`. The folder is named by its content and appears as a whole, or not at all.
    pub fn install_plugin(&self, package: &[(&str, &str)]) -> Result<PathBuf, Failure> {
        let mut digest = blake3::Hasher::new();
        for (name, content) in package {
            digest.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
            digest.update(&(content.len() as u64).to_le_bytes()).update(content.as_bytes());
        }
        let home = self.path.join(format!("plugin-{}", &digest.finalize().to_hex()[..8]));
        if fs::symlink_metadata(&home).is_ok() {
            files::require_real_folder(&home)?;
            return Ok(home);
        }
        let unwritable = |error: io::Error| Failure::io("write the pytest plugin", &error);
        let draft = files::private_draft_in(&self.path).map_err(unwritable)?;
        for (name, content) in package {
            let name = Path::new(name);
            if !name.components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(Failure::internal(format!("the plugin has a file named {}", name.display())));
            }
            let file = draft.path().join(name);
            if let Some(folder) = file.parent() {
                files::create_private_folders(folder).map_err(unwritable)?;
            }
            let mut file = files::open_private(&file, true, false).map_err(unwritable)?;
            file.write_all(content.as_bytes()).map_err(unwritable)?;
        }
        fs::rename(draft.path(), &home).map_err(unwritable)?;
        // It has moved: there is nothing left to remove.
        let _ = draft.keep();
        Ok(home)
    }
}

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Its path; absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The order that was asked for.
    pub fn order(&self) -> PathBuf {
        self.path.join("order.json")
    }

    /// What the plugin says.
    pub fn stream(&self) -> PathBuf {
        self.path.join("stream.jsonl")
    }

    /// The run as JUnit XML.
    pub fn junit(&self) -> PathBuf {
        self.path.join("junit.xml")
    }

    /// What the process printed.
    pub fn output(&self) -> PathBuf {
        self.path.join("output.log")
    }
}
