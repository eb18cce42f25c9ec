//! Which test is meant: node ids, their occurrence, and the collected suite.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A test of a [`Suite`], by its position in collection order.
///
/// Everything in the core names tests this way; node ids are looked up only for people and for pytest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct TestIdx(pub u32);

impl TestIdx {
    /// The position as a slice index.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for TestIdx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A pytest node id, as pytest gave it, and which of several equal ones (node ids are not unique).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TestId {
    /// The node id. A lone surrogate, which no Rust string can hold, arrives as `\udXXX` text.
    #[serde(rename = "id")]
    pub node_id: String,
    /// 0 for the first test with this node id in collection order, 1 for the second, ...
    #[serde(rename = "n", default)]
    pub occurrence: u32,
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.node_id)?;
        if self.occurrence > 0 { write!(f, " (occurrence {})", self.occurrence + 1) } else { Ok(()) }
    }
}

/// One collected test with what ordering and searching need to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedTest {
    /// Its identity.
    #[serde(flatten)]
    pub id: TestId,
    /// The file it was collected from, relative to the root directory, with `/`.
    pub file: String,
    /// The class (dotted, when nested) it belongs to, empty for functions.
    #[serde(default)]
    pub class: String,
    /// The line of its definition, counted from 1.
    #[serde(default)]
    pub line: Option<u32>,
    /// Its node id was another one at a second collection of the same suite.
    #[serde(default)]
    pub unstable: bool,
}

/// The collected tests in collection order.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    tests: Vec<CollectedTest>,
    files: Vec<String>,
    file_of: Vec<FileIdx>,
    by_id: HashMap<TestId, TestIdx>,
    digest: SuiteDigest,
}

/// A file of a [`Suite`], by the position of its first test in collection order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileIdx(pub u32);

/// A digest over the ids in collection order: what guards `resume` and `replay` against another suite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SuiteDigest(pub String);

impl Suite {
    /// The suite of these tests, which are in collection order.
    pub fn new(tests: Vec<CollectedTest>) -> Self {
        let mut files: Vec<String> = Vec::new();
        let mut known: HashMap<String, FileIdx> = HashMap::new();
        let mut file_of = Vec::with_capacity(tests.len());
        let mut by_id = HashMap::with_capacity(tests.len());
        let mut hasher = blake3::Hasher::new();
        for (position, test) in tests.iter().enumerate() {
            let file = *known.entry(test.file.clone()).or_insert_with(|| {
                files.push(test.file.clone());
                FileIdx(files.len() as u32 - 1)
            });
            file_of.push(file);
            by_id.insert(test.id.clone(), TestIdx(position as u32));
            // An unstable id differs at every collection; its place in the suite does not.
            let name = if test.unstable { test.file.as_bytes() } else { test.id.node_id.as_bytes() };
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name);
            hasher.update(&test.id.occurrence.to_le_bytes());
        }
        let digest = SuiteDigest(hasher.finalize().to_hex()[..16].to_string());
        Self { tests, files, file_of, by_id, digest }
    }

    /// How many tests there are.
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Every test, in collection order.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = TestIdx> + ExactSizeIterator + use<> {
        (0..self.tests.len() as u32).map(TestIdx)
    }

    /// What was collected at this place. Panics on an index of another suite.
    pub fn test(&self, test: TestIdx) -> &CollectedTest {
        &self.tests[test.at()]
    }

    /// The tests in collection order.
    pub fn tests(&self) -> &[CollectedTest] {
        &self.tests
    }

    /// The node id of a test, for people and for pytest.
    pub fn node_id(&self, test: TestIdx) -> &str {
        &self.tests[test.at()].id.node_id
    }

    /// The file a test comes from.
    pub fn file_of(&self, test: TestIdx) -> FileIdx {
        self.file_of[test.at()]
    }

    /// The path of a file, relative to the root directory.
    pub fn file(&self, file: FileIdx) -> &str {
        &self.files[file.0 as usize]
    }

    /// Every file that holds a test, in collection order.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileIdx> + use<> {
        (0..self.files.len() as u32).map(FileIdx)
    }

    /// The test with this id and occurrence.
    pub fn find(&self, id: &TestId) -> Option<TestIdx> {
        self.by_id.get(id).copied()
    }

    /// The first test with this node id.
    pub fn find_node_id(&self, node_id: &str) -> Option<TestIdx> {
        self.find(&TestId { node_id: node_id.to_owned(), occurrence: 0 })
    }

    /// Whether both hold the same tests in the same places, parameters aside: an id that holds a time or an address
    /// is another one at every collection.
    pub fn same_but_for_parameters(&self, other: &Self) -> bool {
        let stem = |test: &CollectedTest| test.id.node_id.split('[').next().map(str::to_owned);
        let same = |(a, b): (&CollectedTest, &CollectedTest)| a.file == b.file && stem(a) == stem(b);
        self.len() == other.len() && self.tests.iter().zip(&other.tests).all(same)
    }

    /// What guards resume and replay.
    pub fn digest(&self) -> &SuiteDigest {
        &self.digest
    }
}
