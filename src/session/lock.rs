//! One writer a session: a lock that the system releases when its holder is gone, however it went.

use std::fs::TryLockError;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files;
use crate::error::Failure;

/// Held while a session is written to; dropping it, or the end of the process, releases it.
#[derive(Debug)]
pub struct SessionLock {
    _file: std::fs::File,
}

/// Who holds a lock: what the lock file says.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    since: String,
}

impl SessionLock {
    /// Takes the lock at `path` without waiting. The error says who holds it.
    pub(super) fn take(path: &Path, session: &str) -> Result<Self, Failure> {
        Self::try_take(path, session)?.ok_or_else(|| {
            let by = holder(path).map_or_else(
                || "another flakehunt".to_owned(),
                |holder| format!("another flakehunt (pid {}, since {})", holder.pid, holder.since),
            );
            Failure::output(format!("session {session} is in use by {by}"))
                .hint("wait for it to end, or start a session of its own: `flakehunt shuffle`")
        })
    }

    /// Takes the lock unless another handle holds it.
    pub(super) fn try_take(path: &Path, session: &str) -> Result<Option<Self>, Failure> {
        let unusable = |error: &io::Error| Failure::io(format_args!("lock session {session}"), error);
        let file = files::open_private(path, false, false).map_err(|error| unusable(&error))?.into_parts().0;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(unusable(&error)
                    .hint("pass `--session-dir DIR` with a directory on a file system that has locks"));
            }
        }
        // `flakehunt clean` may have removed the session between our opening and our locking of the file.
        fs_err::symlink_metadata(path).map_err(|error| unusable(&error))?;
        // For people only; the lock itself is what counts.
        let holder = Holder {
            pid: std::process::id(),
            since: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        };
        let text = serde_json::to_string(&holder).map_err(|error| Failure::internal(error.to_string()))?;
        file.set_len(0)
            .and_then(|()| (&file).write_all(text.as_bytes()))
            .map_err(|error| unusable(&error))?;
        Ok(Some(Self { _file: file }))
    }
}

fn holder(path: &Path) -> Option<Holder> {
    serde_json::from_slice(&fs_err::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_handle_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = SessionLock::take(&path, "3kq7").unwrap();
        let failure = SessionLock::take(&path, "3kq7").unwrap_err();
        assert!(failure.error.contains("session 3kq7 is in use"), "{failure:?}");
        assert!(failure.error.contains(&format!("pid {}", std::process::id())), "{failure:?}");
        drop(first);
        SessionLock::take(&path, "3kq7").unwrap();
    }

    #[test]
    fn a_lock_file_without_sense_is_still_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let _first = SessionLock::take(&path, "3kq7").unwrap();
        fs_err::write(&path, "").unwrap();
        let failure = SessionLock::take(&path, "3kq7").unwrap_err();
        assert!(failure.error.ends_with("is in use by another flakehunt"), "{failure:?}");
    }
}
