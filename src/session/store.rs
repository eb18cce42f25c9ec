//! `.flakehunt/`: where sessions are kept, found and removed.
//!
//! ```text
//! .flakehunt/                     mode 0700, ignored by git through its own .gitignore
//!   cache/                        bytecode and pytest's cache, shared by sessions, tagged as a cache
//!   sessions/3kq7/
//!     journal.jsonl  suite.json  report.json  debug.log  lock
//!     plugin-1f0c9a2e/            what `-p flakehunt_plugin` loads
//!     runs/000017/                order.json  stream.jsonl  junit.xml  output.log
//! ```
//!
//! No name here is ever made from a node id.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;

use super::files;
use super::lock::SessionLock;
use super::session_dir::SessionDir;
use crate::error::Failure;

/// The name of the folder in the project.
pub const FOLDER: &str = ".flakehunt";

/// Letters and digits of session names: none that looks like another one, and no `u` (fewer words).
const LETTERS: &[u8] = b"abcdefghjkmnpqrstvwxyz";
const LETTERS_AND_DIGITS: &[u8] = b"abcdefghjkmnpqrstvwxyz23456789";

/// The tag of <https://bford.info/cachedir/>: backups and searches pass by.
const CACHEDIR_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This file is a cache directory tag created by flakehunt.\n\
    # For information about cache directory tags see https://bford.info/cachedir/\n";

/// 64 bits of the system's entropy, for names and for seeds nobody chose.
pub fn entropy() -> u64 {
    // The keys of std's hash maps: 128 bits from the system, and another pair at every call.
    RandomState::new().hash_one(0_u8)
}

/// The folder that holds the sessions of a project.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// What [`Store::clean`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Names of the sessions that were removed, newest first.
    pub removed: Vec<String>,
    /// Names of the sessions that another flakehunt is using; they stay.
    pub in_use: Vec<String>,
}

impl Store {
    /// The store of a directory (the project, or `--session-dir`), which is made where it is missing.
    pub fn open(directory: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(directory).map_err(|error| Failure::io("create the session directory", &error))?;
        let root = directory.join(FOLDER);
        files::ensure_private_folder(&root)?;
        files::ensure_private_folder(&root.join("sessions"))?;
        let cache = root.join("cache");
        files::ensure_private_folder(&cache)?;
        write_once(&root.join(".gitignore"), "*\n")?;
        write_once(&cache.join("CACHEDIR.TAG"), CACHEDIR_TAG)?;
        // pytest runs in other directories than we do: what is handed to it must not depend on ours.
        let root =
            fs::canonicalize(&root).map_err(|error| Failure::unreadable("the session directory", &error))?;
        Ok(Self { root })
    }

    /// The store of a directory, where there is one; nothing is made.
    pub fn find_in(directory: &Path) -> Result<Option<Self>, Failure> {
        let root = directory.join(FOLDER);
        match fs::symlink_metadata(&root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::unreadable("the session directory", &error)),
            Ok(_) => files::require_real_folder(&root)?,
        }
        let sessions = root.join("sessions");
        if fs::symlink_metadata(&sessions).is_ok() {
            files::require_real_folder(&sessions)?;
        }
        let root =
            fs::canonicalize(&root).map_err(|error| Failure::unreadable("the session directory", &error))?;
        Ok(Some(Self { root }))
    }

    /// Where bytecode and pytest's cache go.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    fn sessions_folder(&self) -> PathBuf {
        self.root.join("sessions")
    }

    fn session(&self, name: &str) -> SessionDir {
        SessionDir::new(self.sessions_folder().join(name), name.to_owned(), self.cache())
    }

    /// Makes a session with a name of its own and takes it for writing. Two processes never get the same name: making
    /// a folder is atomic.
    pub fn create_session(&self) -> Result<(SessionDir, SessionLock), Failure> {
        self.create_session_named(|attempt| random_name(entropy(), 4 + attempt / 16))
    }

    fn create_session_named(
        &self,
        name: impl Fn(usize) -> String,
    ) -> Result<(SessionDir, SessionLock), Failure> {
        for attempt in 0.. {
            let session = self.session(&name(attempt));
            match files::create_private_folder(session.path()) {
                Ok(()) => {
                    let lock = session.lock()?;
                    files::ensure_private_folder(&session.path().join("runs"))?;
                    return Ok((session, lock));
                }
                // A name of 12 characters that is taken 16 times is a file system that lies.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 128 => {}
                Err(error) => {
                    return Err(Failure::io(format_args!("create {}", session.path().display()), &error));
                }
            }
        }
        unreachable!("the loop ends by returning")
    }

    /// Every session, the one that was written to last first.
    pub fn sessions(&self) -> Result<Vec<SessionDir>, Failure> {
        let unreadable = |error: io::Error| Failure::unreadable("the sessions", &error);
        let entries = match fs::read_dir(self.sessions_folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unreadable)?,
        };
        let mut found: Vec<(SystemTime, SessionDir)> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let Some(name) = entry.file_name().to_str().filter(|name| is_name(name)).map(str::to_owned)
            else {
                continue;
            };
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let session = self.session(&name);
                found.push((session.last_written(), session));
            }
        }
        found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name().cmp(b.1.name())));
        Ok(found.into_iter().map(|(_, session)| session).collect())
    }

    /// The session that was written to last; one that has not begun does not count.
    pub fn latest(&self) -> Result<Option<SessionDir>, Failure> {
        Ok(self.sessions()?.into_iter().find(|session| session.journal().exists()))
    }

    /// The session of this name, or the only one whose name begins like this.
    pub fn find(&self, typed: &str) -> Result<SessionDir, Failure> {
        let sessions = self.sessions()?;
        let wanted = typed.to_lowercase();
        if let Some(exact) = sessions.iter().find(|session| session.name() == wanted) {
            return Ok(exact.clone());
        }
        let matching: Vec<&SessionDir> = sessions
            .iter()
            .filter(|session| !wanted.is_empty() && session.name().starts_with(&wanted))
            .collect();
        match matching[..] {
            [only] => Ok(only.clone()),
            [] => {
                let failure = Failure::usage(format!("there is no session `{typed}`"));
                let near = sessions
                    .iter()
                    .map(|session| (strsim::osa_distance(session.name(), &wanted), session.name()))
                    .filter(|(distance, _)| *distance <= 2)
                    .min_by_key(|(distance, _)| *distance);
                Err(match (near, sessions.is_empty()) {
                    (Some((_, name)), _) => failure.hint(format!("did you mean `{name}`?")),
                    (None, false) => failure.hint(format!("there are {}", names(sessions.iter()))),
                    (None, true) => failure.hint("begin one: `flakehunt shuffle`"),
                })
            }
            _ => Err(Failure::usage(format!("`{typed}` is the beginning of several sessions"))
                .hint(format!("name one of {}", names(matching.into_iter())))),
        }
    }

    /// Removes all sessions but the `keep` newest; those in use stay. Where none is left the cache goes too, and the
    /// folder itself. Links are removed, never followed.
    pub fn clean(&self, keep: usize) -> Result<Cleaned, Failure> {
        let mut cleaned = Cleaned::default();
        for session in self.sessions()?.into_iter().skip(keep) {
            let name = session.name().to_owned();
            let Some(lock) = session.try_lock()? else {
                cleaned.in_use.push(name);
                continue;
            };
            // Under another name it is no session any more, should we be killed half-way.
            let doomed = self.sessions_folder().join(format!(".removed-{name}-{:016x}", entropy()));
            fs::rename(session.path(), &doomed).map_err(|error| Failure::io("remove a session", &error))?;
            drop(lock);
            cleaned.removed.push(name);
        }
        let unreadable = |error: io::Error| Failure::io("clean up", &error);
        match fs::read_dir(self.sessions_folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            entries => {
                for entry in entries.map_err(unreadable)? {
                    let entry = entry.map_err(unreadable)?;
                    let ours = entry.file_name().to_string_lossy().starts_with(".removed-");
                    if ours && entry.file_type().map_err(unreadable)?.is_dir() {
                        files::remove_folder(&entry.path()).map_err(unreadable)?;
                    }
                }
            }
        }
        if self.sessions()?.is_empty() {
            self.remove_the_rest().map_err(unreadable)?;
        }
        Ok(cleaned)
    }

    /// Removes what [`Store::open`] made; what is not ours keeps its folder alive.
    fn remove_the_rest(&self) -> io::Result<()> {
        let cache = self.cache();
        if fs::symlink_metadata(&cache).is_ok_and(|found| found.is_dir()) {
            files::remove_folder(&cache)?;
        }
        // A session that begins at this moment, or a file of somebody else: then the folder stays.
        if fs::remove_dir(self.sessions_folder()).is_ok() {
            match fs::remove_file(self.root.join(".gitignore")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let _ = fs::remove_dir(&self.root);
        }
        Ok(())
    }
}

fn names<'a>(sessions: impl Iterator<Item = &'a SessionDir>) -> String {
    sessions.take(8).map(|session| format!("`{}`", session.name())).collect::<Vec<_>>().join(", ")
}

fn is_name(name: &str) -> bool {
    name.len() >= 4 && name.bytes().all(|byte| LETTERS_AND_DIGITS.contains(&byte))
}

/// A name of `length` characters. The second is a letter and the first a digit: never a number, never a word.
fn random_name(mut entropy: u64, length: usize) -> String {
    let mut pick = |from: &[u8]| {
        let picked = from[(entropy % from.len() as u64) as usize];
        entropy /= from.len() as u64;
        char::from(picked)
    };
    (0..length.min(12))
        .map(|place| match place {
            0 => pick(b"23456789"),
            1 => pick(LETTERS),
            _ => pick(LETTERS_AND_DIGITS),
        })
        .collect()
}

/// Writes a file unless one is there; what a person made of it stays.
fn write_once(path: &Path, text: &str) -> Result<(), Failure> {
    match files::open_private(path, true, false) {
        Ok(mut file) => io::Write::write_all(&mut file, text.as_bytes())
            .map_err(|error| Failure::io("set up the session directory", &error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Failure::io("set up the session directory", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_not_taken_again() {
        let project = tempfile::tempdir().unwrap();
        let store = Store::open(project.path()).unwrap();
        let (first, _lock) = store.create_session_named(|_| "3kq7".to_owned()).unwrap();
        std::fs::create_dir(first.path().join("mine")).unwrap();
        let name = |attempt| if attempt < 3 { "3kq7".to_owned() } else { "5mnp".to_owned() };
        let (second, _lock) = store.create_session_named(name).unwrap();
        assert_eq!((first.name(), second.name()), ("3kq7", "5mnp"));
        assert!(!second.path().join("mine").exists());
        let failure = store.create_session_named(|_| "3kq7".to_owned()).unwrap_err();
        assert!(failure.error.contains("cannot create /"), "{failure:?}");
    }

    #[test]
    fn names_are_names_and_never_numbers() {
        for seed in 0..2000_u64 {
            for length in [4, 5, 12] {
                let name = random_name(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), length);
                assert_eq!(name.len(), length);
                assert!(is_name(&name), "{name}");
                assert!(name.parse::<u64>().is_err(), "{name}");
            }
        }
        assert!(!is_name("..") && !is_name("3kq") && !is_name("3kq/") && !is_name("3KQ7"));
    }
}
