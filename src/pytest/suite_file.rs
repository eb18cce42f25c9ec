//! Reads the suite file that the plugin writes after collection.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Deserialize;

use crate::core::test_id::{CollectedTest, Suite, TestId};

/// The protocol this driver speaks.
const PROTOCOL: u32 = 1;

/// Why a suite file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SuiteFileError {
    /// It is not there, or cannot be read.
    #[error("cannot read the collected suite: {0}")]
    Io(#[from] io::Error),
    /// It is not what the plugin writes.
    #[error("the collected suite {path} is damaged: {source}")]
    Json {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// Another version of the plugin wrote it.
    #[error("the collected suite {path} speaks protocol {found}, this flakehunt speaks {PROTOCOL}")]
    Protocol {
        /// Which file.
        path: PathBuf,
        /// The version found.
        found: u32,
    },
    /// Two tests cannot be told apart.
    #[error("the collected suite {path} holds {id} twice")]
    Twice {
        /// Which file.
        path: PathBuf,
        /// The id that stands there twice.
        id: TestId,
    },
}

/// The file as it is written; `key` and `k` serve the plugin only.
#[derive(Deserialize)]
struct SuiteFile {
    protocol: u32,
    tests: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    n: u32,
    file: String,
    #[serde(default)]
    class: Option<String>,
    #[serde(default)]
    line: Option<u32>,
}

/// The suite in the file at `path`, in collection order.
pub fn read(path: &Path) -> Result<Suite, SuiteFileError> {
    parse(&fs::read(path)?, path)
}

/// The suite in `json`; `path` is only named in errors.
fn parse(json: &[u8], path: &Path) -> Result<Suite, SuiteFileError> {
    let file: SuiteFile = serde_json::from_slice(json)
        .map_err(|source| SuiteFileError::Json { path: path.to_owned(), source })?;
    if file.protocol != PROTOCOL {
        return Err(SuiteFileError::Protocol { path: path.to_owned(), found: file.protocol });
    }
    let collected = |line: Line| CollectedTest {
        id: TestId { node_id: line.id, occurrence: line.n },
        file: line.file,
        class: line.class.unwrap_or_default(),
        line: line.line,
        unstable: false,
    };
    let suite = Suite::new(file.tests.into_iter().map(collected).collect());
    // An id that stands there twice is found at its last place only.
    match suite.all().find(|test| suite.find(&suite.test(*test).id) != Some(*test)) {
        Some(test) => Err(SuiteFileError::Twice { path: path.to_owned(), id: suite.test(test).id.clone() }),
        None => Ok(suite),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::test_id::TestIdx;

    fn parsed(json: &str) -> Result<Suite, SuiteFileError> {
        parse(json.as_bytes(), Path::new("suite.json"))
    }

    #[test]
    fn a_suite_is_read_in_its_order() {
        let suite = parsed(
            r#"{"protocol": 1, "later": true, "tests": [
                {"id": "b.py::T::x[\u00e9]", "n": 0, "file": "b.py", "class": "T", "line": 12, "key": "b.py::T::x", "k": 0},
                {"id": "a.py::x", "n": 0, "file": "a.py", "class": "", "line": null, "key": "a.py::x", "k": 0},
                {"id": "a.py::x", "n": 1, "file": "a.py", "class": null, "line": 3, "key": "a.py::x", "k": 1}]}"#,
        )
        .expect("a good file");
        assert_eq!(suite.len(), 3);
        assert_eq!(suite.node_id(TestIdx(0)), "b.py::T::x[é]");
        assert_eq!(suite.test(TestIdx(0)).line, Some(12));
        assert_eq!(suite.test(TestIdx(1)).class, "");
        assert_eq!(suite.find(&TestId { node_id: "a.py::x".into(), occurrence: 1 }), Some(TestIdx(2)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |json: &str| parsed(json).expect_err("a bad file").to_string();
        assert!(error(r#"{"protocol": 2, "tests": []}"#).contains("protocol 2"));
        assert!(error(r#"{"protocol": 1, "tests": [{"id""#).contains("line 1"));
        let twice = r#"{"protocol": 1, "tests": [{"id": "a", "file": "f"}, {"id": "a", "file": "f"}]}"#;
        assert!(error(twice).contains("a twice"));
        assert!(matches!(read(Path::new("no/such/file")), Err(SuiteFileError::Io(_))));
    }
}
