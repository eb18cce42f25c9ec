//! The Python package against real pytest: its own tests, with each pinned version.

#[path = "support/venv.rs"]
mod venv;

use std::path::Path;
use std::process::Command;

#[test]
fn the_plugin_holds_with_the_oldest_pytest_that_is_tested() {
    passes("pytest7");
}

#[test]
fn the_plugin_holds_with_the_newest_pytest() {
    passes("pytest9");
}

fn passes(name: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let requirements = here.join("tests/requirements").join(format!("{name}.txt"));
    let python = venv::venv(name, &requirements).join("bin/python");
    let scratch = tempfile::tempdir().expect("a folder");
    #[expect(clippy::disallowed_methods, reason = "the tests stand where a shell would")]
    let mut pytest = Command::new(python);
    pytest
        .current_dir(here.join("tests/plugin"))
        .args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp"])
        .arg(scratch.path().join("t"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = pytest.output().expect("pytest starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
