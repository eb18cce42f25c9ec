//! What the tests of the real binary share: pinned environments, projects in folders of their own, the binary in a
//! clean environment, and eyes for what it leaves behind.

pub mod expected;
pub mod pinned;
pub mod project;
pub mod running;
mod venv;

use std::ffi::OsStr;

/// A program to start.
pub fn command(program: impl AsRef<OsStr>) -> std::process::Command {
    #[expect(clippy::disallowed_methods, reason = "the tests stand where a shell would")]
    std::process::Command::new(program)
}
