//! What the tests of hostile children share: starting them, and seeing what is left of them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use flakehunt::process::{Command, Limits, Sink, Stdin, Watch};
use tempfile::TempDir;

/// Nothing here takes a second; this only turns a hang into a failure.
const FAIL_SAFE: Duration = Duration::from_secs(120);

/// The variable by which a scene finds its processes, wherever they went.
const SCENE: &str = "HOSTILE_SCENE";

/// One test's children: their output, and their mark.
pub struct Scene {
    folder: TempDir,
    mark: String,
}

impl Scene {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir().expect("a scratch folder");
        Self { folder, mark: format!("{}-{number}", std::process::id()) }
    }

    /// The mark, to be given to processes that start children themselves.
    pub fn mark(&self) -> (OsString, OsString) {
        (SCENE.into(), self.mark.clone().into())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command with its output in `output.log`.
    pub fn command<S: Into<OsString>>(&self, argv: impl IntoIterator<Item = S>) -> Command {
        let (name, value) = self.mark();
        Command {
            argv: argv.into_iter().map(Into::into).collect(),
            directory: self.folder.path().to_owned(),
            env: vec![(name, Some(value))],
            stdin: Stdin::Null,
            output: Sink::File { path: self.path("output.log"), cap: 1 << 20 },
            die_with_parent: true,
        }
    }

    /// One of the scripts beside this file.
    pub fn script(&self, name: &str, arguments: &[&str]) -> Command {
        let script = script(name);
        let words = [OsString::from("python3"), script.into_os_string()];
        self.command(words.into_iter().chain(arguments.iter().map(OsString::from)))
    }

    pub fn output(&self) -> String {
        read(&self.path("output.log"))
    }

    /// The processes of this scene that live.
    pub fn alive(&self) -> Vec<i32> {
        let assignment = format!("{SCENE}={}", self.mark);
        let mut pids: Vec<i32> = fs_err::read_dir("/proc")
            .expect("/proc")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| {
                // A zombie has no environment any more.
                fs_err::read(format!("/proc/{pid}/environ"))
                    .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == assignment.as_bytes()))
            })
            .collect();
        pids.sort_unstable();
        pids
    }

    /// A watch that sees test 0 as soon as the child says that it is ready.
    pub fn ready(&self) -> Ready {
        Ready(self.path("output.log"))
    }
}

/// See [`Scene::ready`].
pub struct Ready(pub PathBuf);

impl Watch for Ready {
    fn poll(&mut self) -> Option<u64> {
        read(&self.0).contains("ready\n").then_some(0)
    }
}

pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile").join(name)
}

/// What a file holds by now; nothing where it does not exist yet.
pub fn read(path: &Path) -> String {
    fs_err::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Waits for something that must come to pass.
pub async fn until(what: &str, mut come: impl FnMut() -> bool) {
    let waiting = async {
        while !come() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(FAIL_SAFE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Ends as soon as a test is seen, and then harder and harder.
pub const IMPATIENT: Limits = Limits {
    test: Some(Duration::from_millis(1)),
    run: None,
    linger: None,
    grace: Duration::from_millis(50),
};

/// As long as it takes.
pub const ENDLESS: Limits = Limits { test: None, run: None, linger: None, grace: Duration::from_secs(3600) };

/// Runs the future on a runtime like the driver's.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(FAIL_SAFE, future).await.expect("it hangs") })
}
