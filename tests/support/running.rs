//! A process of a test: its output in files, its signals, its end, and who outlives it.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use fs_err as fs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// How often is looked, and how many times at most: five minutes turn a hang into a failure.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS: usize = 60_000;

/// Looks until it has come to pass.
#[track_caller]
pub fn until(what: &str, mut come: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if come() {
            return;
        }
        std::thread::sleep(LOOK);
    }
    panic!("never: {what}");
}

/// A process that runs.
pub struct Running {
    child: Child,
    said: PathBuf,
    home: String,
    shown: String,
}

impl Running {
    pub(super) fn start(
        mut command: std::process::Command,
        variables: &BTreeMap<String, String>,
        said: &Path,
    ) -> Self {
        let file = |ending| {
            let file = fs::File::create(said.with_extension(ending)).expect("a file for its output");
            Stdio::from(file.into_parts().0)
        };
        command.env_clear().envs(variables).stdin(Stdio::null()).stdout(file("out")).stderr(file("err"));
        let shown = format!("{command:?}");
        let child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        Self { child, said: said.to_owned(), home: format!("HOME={}", variables["HOME"]), shown }
    }

    /// Sends it a signal, to it alone.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("it lives");
    }

    /// What it has said so far on standard error.
    pub fn stderr(&self) -> String {
        read(&self.said.with_extension("err"))
    }

    /// Whether it has not ended yet.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Waits for its end, and for that of every process that has its environment: none may live on.
    #[track_caller]
    pub fn wait(self) -> Ran {
        let home = self.home.clone();
        let ran = self.wait_beside();
        let mut living = Vec::new();
        // The last ones may be dying at this moment.
        for _ in 0..2000 {
            living = with_environment(&home);
            if living.is_empty() {
                break;
            }
            std::thread::sleep(LOOK);
        }
        assert!(living.is_empty(), "these live on: {living:?}\n{ran}");
        ran
    }

    /// Waits for its end, whoever else has its environment.
    #[track_caller]
    pub fn wait_beside(mut self) -> Ran {
        let mut status: Option<ExitStatus> = None;
        until(&format!("the end of {}\n{}", self.shown, self.stderr()), || {
            status = self.child.try_wait().expect("its state");
            status.is_some()
        });
        let status = status.expect("it has ended");
        Ran {
            code: status.code(),
            signal: status.signal(),
            stdout: read(&self.said.with_extension("out")),
            stderr: read(&self.said.with_extension("err")),
            command: std::mem::take(&mut self.shown),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only where a test failed before its end; what it started ends with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("its output")).into_owned()
}

/// The processes with this assignment in their environment; a zombie has none.
fn with_environment(assignment: &str) -> Vec<(i32, String)> {
    fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == assignment.as_bytes()))
        })
        .map(|pid| {
            (pid, fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " "))
        })
        .collect()
}

/// What became of a process.
pub struct Ran {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    command: String,
}

impl Ran {
    /// Expects this exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }

    /// Expects one error with these words, a way out, and no result.
    #[track_caller]
    pub fn error(self, code: i32, said: &str) -> Self {
        let ran = self.code(code);
        let errors: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "one error\n{ran}");
        assert!(errors[0].contains(said), "the error says {said:?}\n{ran}");
        let way_out = ran.stderr.lines().any(|line| {
            ["hint: ", "  tip: ", "For more information, try"].iter().any(|way| line.starts_with(way))
        });
        assert!(way_out, "a way out\n{ran}");
        assert_eq!(ran.stdout, "", "no result\n{ran}");
        ran
    }

    /// Expects a hint with these words.
    #[track_caller]
    pub fn hint(self, said: &str) -> Self {
        let hinted = self.stderr.lines().any(|line| line.starts_with("hint: ") && line.contains(said));
        assert!(hinted, "a hint says {said:?}\n{self}");
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, signal, stdout, stderr, command } = self;
        write!(
            f,
            "{command}\ncode {code:?} signal {signal:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---"
        )
    }
}
