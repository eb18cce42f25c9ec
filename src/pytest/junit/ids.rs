//! Which test does a case of a foreign report mean?
//!
//! The names in a report are not reversible: `a.b` may be a folder and a file, or a file and a class. So for every
//! collected test the names that pytest would write are computed and looked up; nothing is taken apart on the report's
//! side.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::core::test_id::{Suite, TestIdx};

use super::chars::visible;
use super::names::{Names, names, names_of_nine};
use super::reader::{Case, Kind, Report, SuiteInfo};

/// A case that was found in the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Which test.
    pub test: TestIdx,
    /// The `<testsuite>` it stands in, by its place in [`Report::suites`]: one process, unless pytest-xdist was at work,
    /// which leaves no trace of who ran what.
    pub suite: Option<u32>,
    /// The worst of its children; `None` is a pass.
    pub worst: Option<Kind>,
}

impl Ran {
    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.worst >= Some(Kind::Failure)
    }
}

/// What a report says about a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// The cases that name one test, in the order in which they ran: document order within a `<testsuite>`, the
    /// suites by their timestamps where all have comparable ones. Neighbouring cases of one test, and the failure of a
    /// body with the error of its teardown, are one.
    pub ran: Vec<Ran>,
    /// Cases that more than one test could be, with these tests.
    pub ambiguous: Vec<(Names, Vec<TestIdx>)>,
    /// Cases that no collected test could be.
    pub unknown: Vec<Names>,
    /// The `--junitprefix` of the report.
    pub prefix: Option<String>,
}

/// What one case means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This test.
    Test(TestIdx),
    /// One of these tests.
    Ambiguous(Vec<TestIdx>),
    /// No collected test.
    Unknown,
}

/// The names of a suite's tests.
#[derive(Debug)]
pub struct Index<'s> {
    suite: &'s Suite,
    by_id: HashMap<String, Vec<TestIdx>>,
    by_names: HashMap<Names, Vec<TestIdx>>,
}

impl<'s> Index<'s> {
    /// Computes the names of every test.
    pub fn new(suite: &'s Suite) -> Self {
        let mut by_id: HashMap<String, Vec<TestIdx>> = HashMap::with_capacity(suite.len());
        let mut by_names: HashMap<Names, Vec<TestIdx>> = HashMap::with_capacity(suite.len());
        for test in suite.all() {
            let node_id = suite.node_id(test);
            by_id.entry(visible(node_id).into_owned()).or_default().push(test);
            let (one, other) = (written(&names(node_id)), written(&names_of_nine(node_id)));
            if one != other {
                by_names.entry(other).or_default().push(test);
            }
            by_names.entry(one).or_default().push(test);
        }
        Self { suite, by_id, by_names }
    }

    /// What a case means, in a report written with this `--junitprefix`.
    pub fn find(&self, case: &Case, prefix: Option<&str>) -> Meaning {
        if let Some(tests) = case.node_id.as_deref().and_then(|id| self.by_id.get(&*visible(id))) {
            return self.one_of(case, tests);
        }
        let names = written(&Names { classname: case.classname.clone(), name: case.name.clone() });
        let classname = match prefix {
            None => Some(names.classname.as_str()),
            Some(prefix) => names.classname.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')),
        };
        let Some(classname) = classname else { return Meaning::Unknown };
        match self.by_names.get(&Names { classname: classname.to_owned(), name: names.name }) {
            Some(tests) => self.one_of(case, tests),
            None => Meaning::Unknown,
        }
    }

    /// The only test, or the only one that the file and the line of the case leave.
    fn one_of(&self, case: &Case, tests: &[TestIdx]) -> Meaning {
        let mut left = tests.to_vec();
        if let (2.., Some(file)) = (left.len(), &case.file) {
            let file = file.replace('\\', "/");
            keep(&mut left, |test| self.suite.test(test).file == file);
        }
        if let (2.., Some(line)) = (left.len(), case.line) {
            // pytest counts from 0, the suite file from 1.
            keep(&mut left, |test| self.suite.test(test).line == line.checked_add(1));
        }
        match left[..] {
            [test] => Meaning::Test(test),
            _ => Meaning::Ambiguous(left),
        }
    }

    /// The prefix that makes the most cases known, where that is more than there are without any.
    fn prefix(&self, cases: &[Case]) -> Option<String> {
        let known = |prefix: Option<&str>| {
            cases.iter().filter(|case| self.find(case, prefix) != Meaning::Unknown).count()
        };
        if known(None) == cases.len() {
            return None;
        }
        let mut classnames: HashMap<&str, HashSet<&str>> = HashMap::new();
        for names in self.by_names.keys() {
            classnames.entry(&names.name).or_default().insert(&names.classname);
        }
        let mut votes: HashMap<String, usize> = HashMap::new();
        // A prefix is the same for a whole report: a sample of the cases has it.
        for case in cases.iter().filter(|case| case.node_id.is_none()).take(1000) {
            let name = visible(&case.name);
            let classname = visible(&case.classname);
            for known in classnames.get(&*name).into_iter().flatten().take(1000) {
                if let Some(prefix) = classname.strip_suffix(known).and_then(|rest| rest.strip_suffix('.')) {
                    *votes.entry(prefix.to_owned()).or_default() += 1;
                }
            }
        }
        // The shortest of equals, so that no accident of hashing decides.
        let (prefix, _) = votes.into_iter().max_by(|(a, one), (b, other)| {
            one.cmp(other).then(b.len().cmp(&a.len())).then_with(|| b.cmp(a))
        })?;
        (known(Some(&prefix)) > known(None)).then_some(prefix)
    }
}

/// Narrows down, unless nothing would be left.
fn keep(tests: &mut Vec<TestIdx>, fits: impl Fn(TestIdx) -> bool) {
    if tests.iter().any(|test| fits(*test)) {
        tests.retain(|test| fits(*test));
    }
}

/// The names as they stand in XML.
fn written(names: &Names) -> Names {
    Names { classname: visible(&names.classname).into_owned(), name: visible(&names.name).into_owned() }
}

/// Finds the cases of a report in a suite.
pub fn join(suite: &Suite, report: &Report) -> Joined {
    let index = Index::new(suite);
    let prefix = index.prefix(&report.cases);
    let mut joined = Joined::default();
    let mut last: HashMap<(TestIdx, Option<u32>), usize> = HashMap::new();
    let (mut told_ambiguous, mut told_unknown) = (HashSet::new(), HashSet::new());
    for case in in_time(report) {
        // Collection errors and skips of whole files have no class; they are no tests.
        if case.classname.is_empty() && case.node_id.is_none() && !case.details.is_empty() {
            continue;
        }
        let names = || Names { classname: case.classname.clone(), name: case.name.clone() };
        match index.find(case, prefix.as_deref()) {
            Meaning::Test(test) => {
                // A failed body and its failed teardown are two cases; with pytest-xdist other tests' stand between.
                let before = match last.get(&(test, case.suite)) {
                    Some(at) if *at + 1 == joined.ran.len() || is_teardown_error(case) => {
                        joined.ran.get_mut(*at)
                    }
                    _ => None,
                };
                match before {
                    Some(ran) => ran.worst = ran.worst.max(case.worst()),
                    None => {
                        last.insert((test, case.suite), joined.ran.len());
                        joined.ran.push(Ran { test, suite: case.suite, worst: case.worst() });
                    }
                }
            }
            Meaning::Ambiguous(tests) => {
                if told_ambiguous.insert(names()) {
                    joined.ambiguous.push((names(), tests));
                }
            }
            Meaning::Unknown => {
                if told_unknown.insert(names()) {
                    joined.unknown.push(names());
                }
            }
        }
    }
    joined.prefix = prefix;
    joined
}

/// Whether it is the second case that pytest opens for the teardown of a test whose body failed.
fn is_teardown_error(case: &Case) -> bool {
    let on_teardown = |message: &String| message.starts_with("failed on teardown");
    case.details
        .iter()
        .all(|detail| detail.kind == Kind::Error && detail.message.as_ref().is_some_and(on_teardown))
        && !case.details.is_empty()
}

/// The cases in the order in which they ran.
fn in_time(report: &Report) -> Vec<&Case> {
    let mut cases: Vec<&Case> = report.cases.iter().collect();
    if cases.iter().any(|case| case.suite.is_none()) {
        return cases;
    }
    let time = |suite: &SuiteInfo| suite.timestamp.as_deref().map(str::to_owned).unwrap_or_default();
    let zoned: Vec<Option<Timestamp>> = report.suites.iter().map(|suite| time(suite).parse().ok()).collect();
    // pytest before 8.4 wrote local times without a zone.
    let naive: Vec<Option<DateTime>> = report.suites.iter().map(|suite| time(suite).parse().ok()).collect();
    // Where some suites have no time, or some a zone and some none, there is nothing to compare.
    if zoned.iter().all(Option::is_some) {
        cases.sort_by_key(|case| case.suite.map(|suite| (zoned[suite as usize], suite)));
    } else if zoned.iter().all(Option::is_none) && naive.iter().all(Option::is_some) {
        cases.sort_by_key(|case| case.suite.map(|suite| (naive[suite as usize], suite)));
    }
    cases
}

#[cfg(test)]
mod tests;
