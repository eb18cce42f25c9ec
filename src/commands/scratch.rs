//! The folder for what tests put into temporary files, and the end of the processes that they left behind.

use std::path::Path;

use crate::error::Failure;
use crate::process;

/// A folder with a short path. When it is dropped, every process that was started with its temporary files in it is
/// killed, whatever group it fled to, and the folder is removed.
#[derive(Debug)]
pub(super) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub fn new() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("fh-").tempdir();
        folder.map(Self).map_err(|error| Failure::io("make a folder for temporary files", &error))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What inherited the `TMPDIR` of a run; the tempdir removes itself after this.
        process::kill_started_with(&format!("TMPDIR={}/", self.0.path().display()));
    }
}
