//! `.flakehunt/`: what is made, found and removed, and what is left alone.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use flakehunt::core::run::RunId;
use flakehunt::error::ExitCode;
use flakehunt::session::session_dir::SessionDir;
use flakehunt::session::store::Store;
use fs_err as fs;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

/// A session nobody holds, with a journal that was last written `second` seconds into 1970.
fn session(store: &Store, second: u64) -> SessionDir {
    let (session, _lock) = store.create_session().unwrap();
    let journal = fs::File::create(session.journal()).unwrap();
    journal.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
    session
}

fn names(store: &Store) -> Vec<String> {
    store.sessions().unwrap().iter().map(|session| session.name().to_owned()).collect()
}

#[test]
fn the_store_is_private_and_ignores_itself() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (session, _lock) = store.create_session().unwrap();
    let run = session.create_run(RunId(17)).unwrap();
    let root = project.path().join(".flakehunt");
    for folder in [&root, &root.join("sessions"), &root.join("cache"), session.path(), run.path()] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    assert_eq!(fs::read_to_string(root.join(".gitignore")).unwrap(), "*\n");
    assert!(
        fs::read_to_string(root.join("cache/CACHEDIR.TAG"))
            .unwrap()
            .starts_with("Signature: 8a477f597d28d172")
    );
    assert!(
        run.path().ends_with(format!("sessions/{}/runs/000017", session.name())),
        "{}",
        run.path().display()
    );
    assert!(run.path().is_absolute());
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 1, "nothing else in the project");
}

#[test]
fn opening_again_keeps_what_is_there() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let session = session(&store, 1);
    fs::write(project.path().join(".flakehunt/.gitignore"), "mine").unwrap();
    let again = Store::open(project.path()).unwrap();
    assert_eq!(names(&again), [session.name()]);
    assert_eq!(fs::read(project.path().join(".flakehunt/.gitignore")).unwrap(), b"mine");
}

#[test]
fn looking_for_sessions_makes_nothing() {
    let project = tempfile::tempdir().unwrap();
    assert!(Store::find_in(project.path()).unwrap().is_none());
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 0);
    Store::open(project.path()).unwrap();
    let store = Store::find_in(project.path()).unwrap().unwrap();
    assert!(store.latest().unwrap().is_none());
}

#[test]
fn a_link_in_the_place_of_any_of_our_folders_is_refused() {
    for linked in [".flakehunt", ".flakehunt/sessions", ".flakehunt/cache"] {
        let (project, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        if linked != ".flakehunt" {
            fs::create_dir(project.path().join(".flakehunt")).unwrap();
        }
        fs_err::os::unix::fs::symlink(outside.path(), project.path().join(linked)).unwrap();
        let failure = Store::open(project.path()).unwrap_err();
        assert_eq!(failure.code, ExitCode::Output);
        assert!(failure.error.contains("symbolic link"), "{failure:?}");
        assert!(failure.hints[0].contains("--session-dir"), "{failure:?}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        if linked != ".flakehunt/cache" {
            assert!(Store::find_in(project.path()).is_err(), "{linked}");
        }
    }
}

#[test]
fn a_project_that_cannot_be_written_is_exit_74_with_a_way_out() {
    // `/proc` refuses new folders to everybody, root included.
    if !cfg!(target_os = "linux") {
        return;
    }
    let failure = Store::open(Path::new("/proc/self")).unwrap_err();
    assert_eq!(failure.code, ExitCode::Output);
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(Store::open(file.path()).unwrap_err().code, ExitCode::Output);
}

#[test]
fn the_session_worked_on_last_comes_first() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (b, c, a) = (session(&store, 20), session(&store, 30), session(&store, 10));
    assert_eq!(names(&store), [c.name(), b.name(), a.name()]);
    assert_eq!(store.latest().unwrap().unwrap().name(), c.name());
    // What is no session of ours is not listed.
    let sessions = project.path().join(".flakehunt/sessions");
    fs::create_dir(sessions.join("Not-A-Session")).unwrap();
    fs::write(sessions.join("2abc"), "a file").unwrap();
    fs_err::os::unix::fs::symlink(a.path(), sessions.join("2abd")).unwrap();
    assert_eq!(names(&store).len(), 3);
}

#[test]
fn a_session_is_found_by_its_beginning() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    assert!(store.find("3kq7").unwrap_err().hints[0].contains("flakehunt shuffle"));
    for name in ["3kq7", "3kq7a", "3mmm", "9zzz"] {
        fs::create_dir(project.path().join(".flakehunt/sessions").join(name)).unwrap();
    }
    for (typed, name) in [("3kq7", "3kq7"), ("3KQ7A", "3kq7a"), ("3m", "3mmm"), ("9", "9zzz")] {
        assert_eq!(store.find(typed).unwrap().name(), name);
    }
    let ambiguous = store.find("3k").unwrap_err();
    assert_eq!(ambiguous.code, ExitCode::Usage);
    assert!(ambiguous.hints[0].contains("`3kq7`") && ambiguous.hints[0].contains("`3kq7a`"), "{ambiguous:?}");
    assert!(!ambiguous.hints[0].contains("3mmm"), "{ambiguous:?}");
    assert_eq!(store.find("9zz2").unwrap_err().hints, ["did you mean `9zzz`?"]);
    for nonsense in ["", "../..", "/etc", "xxxxxxxx"] {
        let failure = store.find(nonsense).unwrap_err();
        assert_eq!(failure.code, ExitCode::Usage, "{nonsense:?}");
        assert!(!failure.hints.is_empty());
    }
}

#[test]
fn clean_removes_all_but_the_newest_and_those_in_use() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (old, older, held) = (session(&store, 30), session(&store, 20), session(&store, 10));
    let newest = session(&store, 40);
    let lock = held.lock().unwrap();
    let cleaned = store.clean(2).unwrap();
    assert_eq!(cleaned.removed, [older.name()]);
    assert_eq!(cleaned.in_use, [held.name()]);
    assert_eq!(names(&store), [newest.name(), old.name(), held.name()]);
    drop(lock);
    assert_eq!(store.clean(2).unwrap().removed, [held.name()]);
    assert!(project.path().join(".flakehunt/cache").exists());
}

#[test]
fn clean_without_keep_leaves_nothing_of_ours_and_everything_else() {
    let (project, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("precious"), "x").unwrap();
    let store = Store::open(project.path()).unwrap();
    let session = session(&store, 1);
    fs_err::os::unix::fs::symlink(outside.path(), session.path().join("link")).unwrap();
    let run = session.create_run(RunId(0)).unwrap();
    fs_err::os::unix::fs::symlink(outside.path().join("precious"), run.output()).unwrap();
    fs_err::os::unix::fs::symlink(outside.path(), store.cache().join("link")).unwrap();
    // What a clean that was killed has left behind.
    fs::create_dir(project.path().join(".flakehunt/sessions/.removed-3kq7-0")).unwrap();
    store.clean(0).unwrap();
    assert!(!project.path().join(".flakehunt").exists());
    assert_eq!(fs::read(outside.path().join("precious")).unwrap(), b"x");
    // Again, with nothing there, and with a file of somebody else.
    assert_eq!(store.clean(0).unwrap().removed.len(), 0);
    let store = Store::open(project.path()).unwrap();
    fs::write(project.path().join(".flakehunt/notes.txt"), "mine").unwrap();
    store.clean(0).unwrap();
    assert_eq!(fs::read(project.path().join(".flakehunt/notes.txt")).unwrap(), b"mine");
}

#[test]
fn two_handles_do_not_hold_one_session() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (created, lock) = store.create_session().unwrap();
    let again = store.find(created.name()).unwrap();
    let failure = again.lock().unwrap_err();
    assert_eq!(failure.code, ExitCode::Output);
    assert!(failure.error.contains(&format!("pid {}", std::process::id())), "{failure:?}");
    drop(lock);
    again.lock().unwrap();
}

#[test]
fn the_plugin_is_installed_once_and_as_a_whole() {
    let project = tempfile::tempdir().unwrap();
    let (session, _lock) = Store::open(project.path()).unwrap().create_session().unwrap();
    let package = [("flakehunt_plugin/__init__.py", "one"), ("flakehunt_plugin/sub/x.py", "two")];
    let home = session.install_plugin(&package).unwrap();
    assert_eq!(fs::read(home.join("flakehunt_plugin/__init__.py")).unwrap(), b"one");
    assert_eq!(fs::read(home.join("flakehunt_plugin/sub/x.py")).unwrap(), b"two");
    assert_eq!(mode(&home), 0o700);
    assert_eq!(mode(&home.join("flakehunt_plugin/sub")), 0o700);
    assert_eq!(mode(&home.join("flakehunt_plugin/sub/x.py")), 0o600);
    assert_eq!(session.install_plugin(&package).unwrap(), home);
    // Another flakehunt that resumes the session brings its own.
    let other = session.install_plugin(&[("flakehunt_plugin/__init__.py", "three")]).unwrap();
    assert_ne!(other, home);
    assert!(!other.join("flakehunt_plugin/sub").exists());
    for name in ["../out.py", "/out.py", "a/../../out.py"] {
        assert_eq!(session.install_plugin(&[(name, "")]).unwrap_err().code, ExitCode::Internal, "{name}");
    }
    let left: Vec<_> =
        fs::read_dir(session.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_run_that_is_asked_again_starts_with_an_empty_folder() {
    let project = tempfile::tempdir().unwrap();
    let (session, _lock) = Store::open(project.path()).unwrap().create_session().unwrap();
    let run = session.create_run(RunId(3)).unwrap();
    fs::write(run.stream(), "half").unwrap();
    let again = session.create_run(RunId(3)).unwrap();
    assert_eq!(again.path(), run.path());
    assert_eq!(fs::read_dir(again.path()).unwrap().count(), 0);
}

#[test]
fn eight_at_once_get_eight_sessions() {
    let project = tempfile::tempdir().unwrap();
    let start = std::sync::Barrier::new(8);
    let mut created: Vec<String> = std::thread::scope(|scope| {
        let begin = || {
            start.wait();
            let (session, _lock) = Store::open(project.path()).unwrap().create_session().unwrap();
            session.name().to_owned()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    created.sort();
    let mut listed = names(&Store::open(project.path()).unwrap());
    listed.sort();
    assert_eq!(listed, created);
    listed.dedup();
    assert_eq!(listed.len(), 8);
}
