//! Folders for the temporary files of runs. One in which a run left nothing serves the next run too.
//!
//! To remove folders and make new ones for each of a hundred runs a second costs more than short runs do: ext4 gives no
//! inode away anew for some seconds after it was freed, and searches past all of them whenever a file is made.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// What a forked child's output goes through, in its folder.
const LOG: &str = "log";
/// Where a process that has started ahead of its time waits.
const HOLD: &str = "hold";

/// The folders of a session.
#[derive(Debug)]
pub struct Folders {
    home: PathBuf,
    free: RefCell<Vec<Folder>>,
    made: Cell<u32>,
}

/// The folder of one run at a time. Its path is short: sockets in `tmp_path` must fit into 108 bytes.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    mode: u32,
}

impl Folders {
    /// No folder yet; all will be below `home`.
    pub fn new(home: PathBuf) -> Self {
        Self { home, free: RefCell::default(), made: Cell::new(0) }
    }

    /// What else a session puts beside them.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A folder that no other run uses, with nothing in it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn take(&self) -> io::Result<Folder> {
        if let Some(folder) = self.free.borrow_mut().pop() {
            return Ok(folder);
        }
        let number = self.made.replace(self.made.get() + 1);
        let mut folder = Folder { path: self.home.join(number.to_string()), mode: 0 };
        fs::create_dir_all(folder.tmpdir())?;
        folder.mode = mode(&folder.tmpdir())?;
        Ok(folder)
    }

    /// For another run.
    pub fn give_back(&self, folder: Folder) {
        self.free.borrow_mut().push(folder);
    }
}

impl Folder {
    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of `tempfile`.
    pub fn tmpdir(&self) -> PathBuf {
        self.path.join("t")
    }

    /// The folder of `tmp_path`, which pytest makes where a test asks for it.
    pub fn basetemp(&self) -> PathBuf {
        self.path.join("b")
    }

    /// Where a FIFO for the output of a forked child may be.
    pub fn log(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// Where a FIFO may be by which a run is let go.
    pub fn hold(&self) -> PathBuf {
        self.path.join(HOLD)
    }

    /// Whether a run that is over, and every process of it, left nothing here and took nothing away.
    pub fn is_as_made(&self) -> bool {
        let only_ours = |entry: io::Result<fs::DirEntry>| {
            entry.is_ok_and(|entry| ["t", LOG, HOLD].iter().any(|name| entry.file_name() == *name))
        };
        fs::read_dir(&self.path).is_ok_and(|mut entries| entries.all(only_ours))
            && fs::read_dir(self.tmpdir()).is_ok_and(|mut entries| entries.next().is_none())
            && mode(&self.tmpdir()).is_ok_and(|mode| mode == self.mode)
    }

    /// Removes it and all that is in it. What cannot be removed now goes with the session's scratch folder.
    pub fn remove(self) {
        let _ = fs::remove_dir_all(self.path);
    }
}

/// Of the path itself, not of what a link there leads to.
fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::symlink_metadata(path)?.permissions().mode())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> (tempfile::TempDir, Folders) {
        let home = tempfile::tempdir().expect("a scratch folder");
        let folders = Folders::new(home.path().to_owned());
        (home, folders)
    }

    #[test]
    fn a_folder_serves_again() {
        let (_home, folders) = folders();
        let (one, other) = (folders.take().expect("one"), folders.take().expect("another"));
        assert_ne!(one.path(), other.path());
        let path = one.path().to_owned();
        assert!(one.is_as_made());
        folders.give_back(one);
        assert_eq!(folders.take().expect("the first one again").path(), path);
    }

    #[test]
    fn what_a_run_leaves_or_changes_is_seen() {
        let changes: [fn(&Folder); 6] = [
            |folder| fs::write(folder.tmpdir().join("left"), "").expect("a file"),
            |folder| fs::create_dir(folder.basetemp()).expect("pytest's folder"),
            |folder| fs::create_dir(folder.path().join("b-hypothesis")).expect("hypothesis' folder"),
            |folder| fs::remove_dir(folder.tmpdir()).expect("none any more"),
            |folder| {
                let closed = std::fs::Permissions::from_mode(0o500);
                fs::set_permissions(folder.tmpdir(), closed).expect("read only");
            },
            |folder| {
                fs::remove_dir(folder.tmpdir()).expect("none any more");
                std::os::unix::fs::symlink("/nowhere", folder.tmpdir()).expect("a link");
            },
        ];
        for (nth, change) in changes.into_iter().enumerate() {
            let (_home, folders) = folders();
            let folder = folders.take().expect("a folder");
            change(&folder);
            assert!(!folder.is_as_made(), "change {nth}");
            let path = folder.path().to_owned();
            folder.remove();
            assert!(!path.exists(), "change {nth}");
        }
    }
}
