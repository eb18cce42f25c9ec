//! The planted truth of a suite (`expected.toml`), and holding a report against it.

use std::collections::{BTreeMap, BTreeSet};

use fs_err as fs;
use serde::Deserialize;
use serde_json::Value;

use super::pinned::Pinned;
use super::project::{Project, suites};
use super::running::Ran;

/// What is true of a suite. A test that is not listed is healthy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// One line for people.
    what: String,
    /// What flakehunt is called with.
    arguments: Vec<String>,
    #[serde(default)]
    test: Vec<Truth>,
    /// Every cause with its tests, where that is part of the truth.
    #[serde(default)]
    cluster: Vec<Vec<String>>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Truth {
    id: String,
    /// Which of the tests with this id.
    #[serde(default)]
    occurrence: u64,
    verdict: String,
    outcome: String,
    /// Members in the order in which they must run, where the order matters; else in collection order.
    #[serde(default)]
    polluters: BTreeSet<Vec<String>>,
    #[serde(default)]
    state_setters: BTreeSet<Vec<String>>,
    #[serde(default)]
    cleaners: BTreeSet<String>,
    #[serde(default)]
    unsetters: BTreeSet<String>,
    /// The members of the sets act only in their order.
    #[serde(default)]
    ordered: bool,
}

/// Hunts in a planted suite: the report must say the truth, the whole truth, and nothing but the truth.
#[track_caller]
pub fn hunt(name: &str, pinned: Pinned) -> (Project, Ran, Value) {
    let text = fs::read_to_string(suites().join(name).join("expected.toml")).expect("the truth");
    let expected: Expected = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let project = Project::suite(name, pinned);
    let arguments: Vec<&str> = expected.arguments.iter().map(String::as_str).collect();
    let (ran, report) = project.report(&arguments);
    let what = &expected.what;
    let found: BTreeMap<(String, u64), Truth> = told(&report);
    let truth: BTreeMap<(String, u64), Truth> =
        expected.test.into_iter().map(|test| ((test.id.clone(), test.occurrence), test)).collect();
    assert_eq!(found, truth, "{name}: {what}\n{ran}");
    if !expected.cluster.is_empty() {
        let clusters: Vec<Vec<String>> =
            list(&report["clusters"]).iter().map(|cluster| words(&cluster["tests"])).collect();
        assert_eq!(clusters, expected.cluster, "{name}: {what}\n{ran}");
    }
    let code = i32::from(!truth.is_empty());
    (project, ran.code(code), report)
}

fn told(report: &Value) -> BTreeMap<(String, u64), Truth> {
    let truth = |test: &Value| {
        let text = |key: &str| test[key].as_str().unwrap_or_else(|| panic!("{key} of {test}")).to_owned();
        // For a set of members without an order of their own, any order is the truth; the suites list them sorted.
        let ordered = list(&test["ordered"]).iter().any(|ordered| ordered == true);
        let sets = |key: &str| {
            let sorted = |mut set: Vec<String>| {
                if !ordered {
                    set.sort();
                }
                set
            };
            list(&test[key]).iter().map(|set| sorted(words(set))).collect()
        };
        Truth {
            id: text("id"),
            occurrence: test["occurrence"].as_u64().unwrap_or(0),
            verdict: text("verdict"),
            outcome: text("outcome"),
            polluters: sets("polluters"),
            state_setters: sets("state_setters"),
            cleaners: words(&test["cleaners"]).into_iter().collect(),
            unsetters: words(&test["unsetters"]).into_iter().collect(),
            ordered,
        }
    };
    list(&report["tests"])
        .iter()
        .map(truth)
        .map(|truth| ((truth.id.clone(), truth.occurrence), truth))
        .collect()
}

/// An array of a report.
#[track_caller]
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no array: {value}"))
}

/// An array of words.
#[track_caller]
pub fn words(value: &Value) -> Vec<String> {
    list(value)
        .iter()
        .map(|word| word.as_str().unwrap_or_else(|| panic!("no word: {word}")).to_owned())
        .collect()
}
