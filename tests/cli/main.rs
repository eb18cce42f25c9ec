//! The real binary, real pytest, small projects: what is found, what is said, and what is left behind.
//!
//! Survivors are seen in `/proc`, so these tests run on Linux. `tests/suites/NAME` holds a project with planted truth
//! (`expected.toml`); `tests/requirements/NAME.txt` the versions of an environment, made once below `target/venvs`.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod determinism;
mod interrupted;
mod invoked;
mod output;
mod repeat;
mod rerun;
mod snapshots;
mod unusable;
mod verdicts;
