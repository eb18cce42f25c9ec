//! Tests that a person names: node ids, functions with all their parameters, classes, files, directories.
//!
//! pytest is given the files only. Which of their tests are meant is decided here, by the ids as they were collected, so
//! that nothing in an id can be misread on a command line.

use std::path::Path;

use super::Context;
use super::orders::find_test;
use crate::core::test_id::{Suite, TestIdx};
use crate::error::Failure;

/// The files and directories to collect, each once.
pub(super) fn files(targets: &[String]) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for target in targets {
        let (file, _) = split(target);
        if !files.iter().any(|known| known == file) {
            files.push(file.to_owned());
        }
    }
    files
}

/// The tests that are meant, in collection order.
///
/// # Errors
/// A target names no test; the error names the most similar ones.
pub(super) fn tests(
    suite: &Suite,
    context: &Context,
    rootdir: &str,
    targets: &[String],
) -> Result<Vec<TestIdx>, Failure> {
    let mut found: Vec<TestIdx> = Vec::new();
    for target in targets {
        let (file, rest) = split(target);
        let file = in_root(&context.directory, rootdir, file);
        let id = format!("{file}{rest}");
        let before = found.len();
        found.extend(suite.all().filter(|test| {
            let collected = suite.test(*test);
            if rest.is_empty() {
                file.is_empty() || is_below(&collected.file, &file)
            } else {
                is_part(&collected.id.node_id, &id)
            }
        }));
        if found.len() == before {
            if rest.is_empty() {
                return Err(Failure::usage(format!("no test was collected in `{target}`"))
                    .hint(format!("see what pytest finds: `python -m pytest --collect-only -q {target}`")));
            }
            found.push(find_test(suite, context, &id)?);
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The path of a target, and what stands behind it, with its `::`.
fn split(target: &str) -> (&str, &str) {
    target.find("::").map_or((target, ""), |at| target.split_at(at))
}

/// A path as node ids have it: relative to the root directory.
fn in_root(directory: &Path, rootdir: &str, file: &str) -> String {
    let full = directory.join(file);
    // A project may be reached by a link.
    let full = fs_err::canonicalize(&full).unwrap_or(full);
    let root = fs_err::canonicalize(rootdir).unwrap_or_else(|_| rootdir.into());
    full.strip_prefix(root).map_or_else(|_| file.to_owned(), |path| path.to_string_lossy().into_owned())
}

fn is_below(file: &str, folder: &str) -> bool {
    file.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a node id is this one, has these parameters in front of it, or stands in this class.
fn is_part(id: &str, of: &str) -> bool {
    id.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_means_what_pytest_would_take_it_for() {
        assert!(is_part("a.py::TestA::test_x[1]", "a.py::TestA"));
        assert!(is_part("a.py::test_x[1::2]", "a.py::test_x"));
        assert!(is_part("a.py::test_x[1::2]", "a.py::test_x[1::2]"));
        assert!(!is_part("a.py::test_xy", "a.py::test_x"));
        assert!(is_below("tests/a/b.py", "tests/a") && is_below("tests/a.py", "tests/a.py"));
        assert!(!is_below("tests/ab.py", "tests/a"));
    }

    #[test]
    fn files_are_named_once() {
        let typed = ["a.py::x", "b.py", "a.py::y[c::d]", "a.py"].map(str::to_owned);
        assert_eq!(files(&typed), ["a.py", "b.py"]);
    }
}
