//! Forked children are faithful: in random orders with repeats over a zoo of fixtures they say in every phase, in JUnit and
//! in the end what a process of its own says, word for word; with the short protocol, all but what was printed.
//!
//! A few orders a version by default. More, as many as one likes:
//! `FAITHFUL_ORDERS=200 cargo test --test faithful`.
#![cfg(target_os = "linux")]

#[path = "support/venv.rs"]
mod venv;
#[path = "support/workshop.rs"]
mod workshop;

use std::path::Path;

use flakehunt::core::order::OrderName;
use flakehunt::core::outcome::Phase;
use flakehunt::core::run::{Purpose, RunId, RunRecord, RunSpec};
use flakehunt::core::test_id::TestIdx;
use flakehunt::process::never;
use flakehunt::pytest::executor::Executor as _;
use flakehunt::pytest::fork::Fork;
use flakehunt::pytest::junit::reader::{Case, Kind, read_file};
use flakehunt::pytest::slots::Slots;
use flakehunt::session::session_dir::RunDir;
use fs_err as fs;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::join;
use tokio::task::LocalSet;
use workshop::Opened;

/// Orders of a version where nobody says how many.
const ORDERS: u32 = 8;
/// How many different tests an order holds, and how many places more hold one of them again.
const TESTS: usize = 100;
const AGAIN: usize = 20;

/// How much is shown of what was found: so many orders, differences of each, characters of each side.
const ORDERS_SHOWN: usize = 10;
const SHOWN: usize = 3;
const WIDTH: usize = 300;

#[test]
fn children_say_what_processes_say_with_pytest_7() {
    holds("pytest7");
}

#[test]
fn children_say_what_processes_say_with_pytest_8() {
    holds("pytest8");
}

#[test]
fn children_say_what_processes_say_with_pytest_9() {
    holds("pytest9");
}

fn holds(version: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let zoo = Zoo::open(version).await;
        let mut differing = Vec::new();
        for number in 0..orders() {
            let differences = zoo.compare(number).await;
            if !differences.found.is_empty() {
                differing.push(differences);
            }
        }
        zoo.fork.close().await;
        assert!(
            differing.is_empty(),
            "{} of {} orders differ{}",
            differing.len(),
            orders(),
            shown(&differing)
        );
    });
}

fn orders() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "how thorough a test is, is said from outside")]
    let said = std::env::var("FAITHFUL_ORDERS").ok();
    said.map_or(ORDERS, |said| said.parse().expect("FAITHFUL_ORDERS is a number"))
}

/// A collected copy of `tests/suites/zoo`.
struct Zoo {
    opened: Opened,
    fork: Fork,
    /// Whether the short protocol is used.
    lean: bool,
}

/// What two ways of running an order do not agree on.
struct Differences {
    number: u32,
    found: Vec<String>,
}

impl Differences {
    fn hold<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, own: &T, child: &T) {
        if own != child {
            let (own, child) = (format!("{own:?}"), format!("{child:?}"));
            let same = own.chars().zip(child.chars()).take_while(|(own, child)| own == child).count();
            self.found.push(format!(
                "{what}\n    process {}\n    child   {}",
                part(&own, same),
                part(&child, same)
            ));
        }
    }
}

/// The first differences of each order: one line more in a JUnit file moves hundreds, which must not hide what other
/// orders differ in.
fn shown(differing: &[Differences]) -> String {
    let mut shown = String::new();
    for Differences { number, found } in differing.iter().take(ORDERS_SHOWN) {
        let first = found[..found.len().min(SHOWN)].join("\n  ");
        shown += &format!("\norder {number}: {} differences\n  {first}", found.len());
        if found.len() > SHOWN {
            shown += &format!("\n  and {} more", found.len() - SHOWN);
        }
    }
    if differing.len() > ORDERS_SHOWN {
        shown += &format!("\nand {} orders more", differing.len() - ORDERS_SHOWN);
    }
    shown
}

/// A text, or of a long one what stands around the first character that differs.
fn part(text: &str, differs: usize) -> String {
    let from = if text.chars().count() > WIDTH { differs.saturating_sub(WIDTH / 4) } else { 0 };
    let rest = text.chars().count().saturating_sub(from);
    let part: String = text.chars().skip(from).take(WIDTH).collect();
    format!("{}{part}{}", if from > 0 { "..." } else { "" }, if rest > WIDTH { "..." } else { "" })
}

/// How an order is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Fresh,
    Full,
    Lean,
}

impl Zoo {
    async fn open(version: &str) -> Self {
        let requirements =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements").join(format!("{version}.txt"));
        let python = venv::venv(version, &requirements).join("bin/python");
        let (opened, server) = workshop::open("zoo", &python, true).await;
        let lean = server.as_ref().expect("a server").serving().lean;
        let fork = Fork::new(opened.workshop.clone(), server);
        Self { opened, fork, lean }
    }

    /// Runs an order in three ways and holds them against one another.
    async fn compare(&self, number: u32) -> Differences {
        assert!(self.lean, "the short protocol is possible");
        let order = order(self.opened.workshop.suite.len(), number);
        let children = async {
            let full = self.run(number, &order, Way::Full).await;
            (full, self.run(number, &order, Way::Lean).await)
        };
        let (fresh, (full, lean)) = join!(self.run(number, &order, Way::Fresh), children);
        let mut found = Differences { number, found: Vec::new() };
        let name = |at: usize| self.opened.workshop.suite.node_id(order[at]);
        found.hold("records", &fresh.events.len(), &full.events.len());
        for (own, child) in fresh.events.iter().zip(&full.events) {
            found.hold(name(own["n"].as_u64().unwrap_or_default() as usize), own, child);
        }
        found.hold("details", &fresh.record.details, &full.record.details);
        for (own, child) in fresh.xml.lines().zip(full.xml.lines()) {
            found.hold("JUnit", &own, &child);
        }
        for (at, (own, child)) in told(&fresh.events).into_iter().zip(told(&lean.events)).enumerate() {
            found.hold(name(at), &own, &child);
        }
        found.hold("the end", &fresh.events.last(), &lean.events.last());
        if fresh.in_order {
            found.hold("cases", &fresh.cases.len(), &lean.cases.len());
            for (own, child) in fresh.cases.iter().zip(&lean.cases) {
                found.hold("a case", own, child);
            }
        }
        for child in [&full, &lean] {
            found.hold("outcomes", &fresh.record.outcomes, &child.record.outcomes);
            found.hold("failures", &fresh.failures(), &child.failures());
            found.hold("end of the process", &fresh.record.end, &child.record.end);
            found.hold("said at the end", &fresh.said, &child.said);
        }
        found
    }

    async fn run(&self, number: u32, order: &[TestIdx], way: Way) -> Ran {
        let run = RunId(number * 3 + way as u32);
        let spec = RunSpec {
            fresh: way == Way::Fresh,
            detailed: way != Way::Lean,
            random_seed: Some(u64::from(number)),
            ..RunSpec::of(order, OrderName::Probe, Purpose::Baseline)
        };
        let answered = self.fork.answer(run, spec, &Slots::new(1), never()).await.expect("an answer");
        // pytest's report mixes up two tests of one name in a row where subtests and the teardown fail.
        let (junit, other): (Vec<_>, Vec<_>) =
            answered.notices.into_iter().partition(|(about, _)| about == "junit");
        assert_eq!(other, [], "order {number}, {way:?}");
        let record = answered.record.expect("a record");
        assert_eq!(record.invalid, None, "order {number}, {way:?}");
        assert_eq!(record.fresh, way == Way::Fresh);
        let own = format!("{}/", self.opened.workshop.folders.home().display());
        let project = format!("{}/", self.opened.workshop.invocation.directory.display());
        let ran = Ran::read(&self.opened.workshop.session.run(run), record, junit.is_empty(), &own, &project);
        fs::remove_dir_all(self.opened.workshop.session.run(run).path()).expect("the run's folder");
        ran
    }
}

/// A random order in which some tests stand more than once, some of them twice in a row.
fn order(tests: usize, number: u32) -> Vec<TestIdx> {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(number));
    let mut order: Vec<TestIdx> = (0..tests as u32).map(TestIdx).collect();
    order.shuffle(&mut rng);
    order.truncate(TESTS);
    for again in 0..AGAIN {
        let from = rng.random_range(0..order.len());
        let to = if again % 4 == 0 { from } else { rng.random_range(0..order.len()) };
        order.insert(to, order[from]);
    }
    order
}

/// What a run left, without what is its own: times, paths, addresses.
#[derive(Debug)]
struct Ran {
    record: RunRecord,
    events: Vec<Value>,
    xml: String,
    cases: Vec<Case>,
    /// pytest's report agrees with the stream.
    in_order: bool,
    said: Vec<String>,
}

impl Ran {
    fn read(dir: &RunDir, record: RunRecord, in_order: bool, own: &str, project: &str) -> Self {
        let stream = fs::read_to_string(dir.stream()).expect("a stream");
        let events = stream
            .lines()
            .map(|line| serde_json::from_str::<Value>(&plain(line, own)).expect("JSON"))
            .filter(|event| !["hello", "collected"].contains(&event["event"].as_str().unwrap_or_default()))
            .map(|mut event| {
                event.as_object_mut().expect("an object").remove("seconds");
                event
            })
            .collect();
        let xml = plain(&fs::read_to_string(dir.junit()).expect("JUnit"), own);
        let mut cases = read_file(&dir.junit()).expect("JUnit").cases;
        for case in &mut cases {
            case.seconds = None;
            for detail in &mut case.details {
                let text = plain(&detail.text, own).replace(project, "").replace("\\ud800", "#xD800");
                detail.text = without_runner(text);
                if detail.kind != Kind::Skipped {
                    // pytest writes no type here, and as the message an abridgement of the text.
                    (detail.r#type, detail.message) = (None, None);
                }
            }
            // Newer versions note that a subtest was skipped.
            if case.worst() != Some(Kind::Skipped) {
                case.details.retain(|detail| detail.kind != Kind::Skipped);
            }
        }
        let output = fs::read(dir.output()).expect("output");
        let output = String::from_utf8_lossy(&output);
        let said = output.lines().filter(|line| line.starts_with("zoo: ")).map(str::to_owned).collect();
        Self { record, events, xml, cases, in_order, said }
    }
}

impl Ran {
    /// Which failures there were. Their messages hold names of the run's own.
    fn failures(&self) -> Vec<(u32, Option<Phase>, &str)> {
        let failures = self.record.failures.iter();
        failures.map(|failure| (failure.at, failure.phase, failure.fingerprint.as_str())).collect()
    }
}

/// A text up to where a traceback goes through pytest's own runner: with the short protocol it is another function that
/// calls the test.
fn without_runner(text: String) -> String {
    if text.contains("All traceback entries are hidden") {
        // The last exception of the chain goes through nothing else, and ours hides itself.
        let cause = "following exception:\n\n";
        return text.rfind(cause).map_or_else(String::new, |at| text[..at + cause.len()].to_owned());
    }
    let runner = ["cls = <class '_pytest.runner.CallInfo'>", "_pytest/runner.py\", line"];
    match runner.iter().filter_map(|mark| text.find(mark)).min() {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// What is told of each position: `None` is a test that simply passed.
fn told(events: &[Value]) -> Vec<Option<Vec<Value>>> {
    let mut tests: Vec<Vec<Value>> = Vec::new();
    for event in events {
        match event["event"].as_str().unwrap_or_default() {
            "start" => tests.push(vec![event.clone()]),
            "phase" => {
                let mut event = event.clone();
                let fields = event.as_object_mut().expect("an object");
                fields.remove("sections");
                if let Some(Value::String(text)) = fields.get_mut("text") {
                    *text = without_runner(std::mem::take(text));
                }
                tests.last_mut().expect("a start before it").push(event);
            }
            _ => {}
        }
    }
    let simple = |events: &[Value]| {
        events
            .iter()
            .skip(1)
            .all(|event| event["outcome"] == "passed" && event.as_object().is_some_and(|o| o.len() == 4))
    };
    tests.into_iter().map(|events| (!simple(&events)).then_some(events)).collect()
}

/// A text without what differs from run to run: the run's own folder (a number below `own`), names of temporary files,
/// addresses, times.
fn plain(text: &str, own: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(own) {
            out.push_str("OWN");
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            continue;
        }
        let name = |c: char| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit();
        let masked = [("0x", "ADDRESS"), ("time=\"", "TIME"), ("timestamp=\"", "TIME"), ("'tmp", "FILE")]
            .iter()
            .find_map(|(begin, mask)| {
                let after = rest.strip_prefix(begin)?;
                let length = match *mask {
                    "ADDRESS" => after.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(after.len()),
                    "FILE" => after.find(|c| !name(c)).filter(|length| *length == 8)?,
                    _ => after.find('"')?,
                };
                Some((*mask, &after[length..]))
            });
        match masked {
            Some((mask, after)) => {
                out.push_str(mask);
                rest = after;
            }
            None => {
                let first = rest.chars().next().expect("there is one");
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}
