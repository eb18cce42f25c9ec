//! A collected copy of a suite, for tests that drive an executor themselves.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use flakehunt::process::never;
use flakehunt::pytest::collect::{Collected, collect};
use flakehunt::pytest::folders::Folders;
use flakehunt::pytest::invocation::Invocation;
use flakehunt::pytest::lasting::Now;
use flakehunt::pytest::pace::Pace;
use flakehunt::pytest::plugin::PACKAGE;
use flakehunt::pytest::server::Server;
use flakehunt::pytest::spawn::Workshop;
use flakehunt::session::lock::SessionLock;
use flakehunt::session::store::Store;
use fs_err as fs;
use tempfile::TempDir;

/// The copy, with all that an executor needs; removed when dropped.
pub struct Opened {
    pub workshop: Workshop,
    _lock: SessionLock,
    _home: TempDir,
}

/// Copies and collects `tests/suites/NAME`, by a server where it is to be forked.
pub async fn open(name: &str, python: &Path, forks: bool) -> (Opened, Option<Server>) {
    let home = tempfile::Builder::new().prefix("fh-shop-").tempdir().expect("a folder");
    let [directory, scratch] = ["project", "s"].map(|name| home.path().join(name));
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suites").join(name), &directory);
    fs::create_dir(&scratch).expect("a folder");
    let (session, lock) = Store::open(&directory).expect("a store").create_session().expect("a session");
    fs::create_dir_all(session.cache()).expect("the cache");
    let mut invocation = Invocation {
        typed: Vec::new(),
        launcher: vec![python.display().to_string()],
        directory,
        selection: Vec::new(),
        pytest_args: Vec::new(),
        rootdir: None,
        inifile: None,
        plugin_home: session.install_plugin(PACKAGE).expect("the plugin"),
        cache: session.cache().to_owned(),
        python_path: None,
        hash_seed: 7,
    };
    let serves = forks.then_some(&*scratch);
    let collected = collect(&invocation, session.path(), &session.suite(), serves, forks, never()).await;
    let Collected { suite, hello, notices, server } = collected.expect("a collection");
    assert_eq!(notices, [], "nothing speaks against forking, nothing is switched off");
    invocation.rootdir = Some(hello.rootdir);
    invocation.inifile = hello.inifile;
    let workshop = Workshop {
        invocation,
        session,
        suite: Arc::new(suite),
        session_seed: 1,
        pace: Rc::new(Pace::new(None, None)),
        folders: Rc::new(Folders::new(scratch)),
        told: Rc::default(),
        now: Now::default(),
    };
    (Opened { workshop, _lock: lock, _home: home }, server)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the suite") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            if entry.file_name() != "__pycache__" {
                copy(&entry.path(), &to);
            }
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}
