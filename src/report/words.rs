//! What is said of a finding, in words that every format for people shares. Texts from elsewhere stay raw here; each
//! renderer makes them safe in its own way.

mod repeat;
mod session;

use super::model::{Cluster, FailedIn, Outcome, Repeat, Report, Test};
use super::rerun;
use super::text::{columns, command, counted, percent, percent_interval, shortened, shown};
use crate::core::verdict::{Class, ordinal};

pub(super) use self::repeat::{healthy, plan as repeat_plan};
pub(super) use self::session::{command_line, coverage, ended, next, notices, summary, tried};

/// Where a row must be one line, it is cut here.
const LINE: usize = 4000;

/// One thing to repair.
pub(super) enum Finding<'a> {
    /// A test for itself, with what repeating it came to.
    One(&'a Test, Option<&'a Repeat>),
    /// Tests with one cause.
    Many(&'a Cluster, Vec<&'a Test>),
}

/// One labelled line of a finding.
pub(super) struct Row {
    pub(super) label: &'static str,
    pub(super) value: Value,
    pub(super) detail: String,
}

/// What stands in a row.
pub(super) enum Value {
    /// Ids or files that act together; `ordered` says whether only in this order.
    Together { members: Vec<String>, ordered: bool },
    /// Ids, each for itself, with something said of it.
    Each(Vec<(String, String)>),
    /// A sentence of ours.
    Said(String),
    /// A text of the project: a message.
    Quoted(String),
    /// A text of the project with lines of its own: a traceback.
    Text(String),
    /// A command.
    Command(Vec<String>),
}

impl Row {
    /// The row as one line, safe to show: `polluted by: a, then b (fails after them 10 of 10, without them 0 of 10)`.
    pub(super) fn line(&self) -> String {
        let value = match &self.value {
            Value::Together { members, ordered } => {
                let join = if *ordered { ", then " } else { " and " };
                members.iter().map(|id| shown(id)).collect::<Vec<_>>().join(join)
            }
            Value::Each(each) => each.iter().map(|(id, _)| shown(id)).collect::<Vec<_>>().join(", "),
            Value::Said(text) | Value::Quoted(text) => shown(text).into_owned(),
            Value::Text(text) => lines(text).join("\n"),
            Value::Command(argv) => command(argv),
        };
        let detail =
            if self.detail.is_empty() { String::new() } else { format!(" ({})", shown(&self.detail)) };
        format!("{}: {}{detail}", self.label, shortened(&value, LINE))
    }
}

impl Finding<'_> {
    /// The test whose proof and commands stand for the finding.
    pub(super) fn first(&self) -> &Test {
        match self {
            Self::One(test, _) => test,
            Self::Many(_, tests) => tests[0],
        }
    }

    /// The class of the finding.
    pub(super) fn class(&self) -> Class {
        self.first().verdict
    }

    /// Its tests, each a finding for itself.
    pub(super) fn each(&self) -> Vec<Finding<'_>> {
        match self {
            Self::One(test, repeat) => vec![Finding::One(test, *repeat)],
            Self::Many(_, tests) => tests.iter().map(|test| Finding::One(test, None)).collect(),
        }
    }

    /// `failed in 23 of 50 orders (31-61 %)`, of a test for itself.
    pub(super) fn rate(&self) -> String {
        match self {
            Self::One(test, None) => rate(test),
            Self::One(test, Some(repeat)) => repeat::rate(repeat, test.outcome),
            Self::Many(..) => String::new(),
        }
    }

    /// Every test of the finding.
    pub(super) fn tests(&self) -> Vec<&Test> {
        match self {
            Self::One(test, _) => vec![test],
            Self::Many(_, tests) => tests.clone(),
        }
    }
}

/// The findings of a report: what can be repaired first, the most tests first.
pub(super) fn findings(report: &Report) -> Vec<Finding<'_>> {
    let mut found: Vec<Finding<'_>> = Vec::new();
    let mut grouped: Vec<&str> = Vec::new();
    for cluster in &report.clusters {
        let tests: Vec<&Test> = report.tests.iter().filter(|test| cluster.tests.contains(&test.id)).collect();
        if tests.len() > 1 && !cluster.cause.is_empty() {
            grouped.extend(tests.iter().map(|test| test.id.as_str()));
            found.push(Finding::Many(cluster, tests));
        }
    }
    let repeated = |test: &Test| {
        report.repeats.iter().find(|repeat| repeat.id == test.id && repeat.occurrence == test.occurrence)
    };
    let alone = report.tests.iter().filter(|test| !grouped.contains(&test.id.as_str()));
    found.extend(alone.map(|test| Finding::One(test, repeated(test))));
    // A stable sort: what is equal stays in collection order.
    found.sort_by_key(|finding| (finding.class(), std::cmp::Reverse(finding.tests().len())));
    found
}

/// The class as it is written.
pub(super) fn class_word(class: Class) -> &'static str {
    match class {
        Class::Victim => "victim",
        Class::Brittle => "brittle",
        Class::NonDeterministic => "non-deterministic",
        Class::Ndod => "ndod",
        Class::NonIdempotent => "non-idempotent",
        Class::ImportPolluted => "import-polluted",
        Class::Interference => "interference",
        Class::TimingDependent => "timing-dependent",
        Class::Broken => "broken",
        Class::Undecided => "undecided",
    }
}

/// What a finding is called: its class, or what a rerun makes of it.
pub(super) fn word(test: &Test) -> &'static str {
    if test.attempts.is_empty() { class_word(test.verdict) } else { rerun::word(test) }
}

/// What the class means.
pub(super) fn meaning(class: Class) -> &'static str {
    match class {
        Class::Victim => "passes alone, fails after other tests",
        Class::Brittle => "fails alone, passes after other tests",
        Class::NonDeterministic => "passes and fails in the same order",
        Class::Ndod => "passes and fails in the same order, at a rate that depends on the order",
        Class::NonIdempotent => "passes the first time and fails the second in one process",
        Class::ImportPolluted => "fails because another file was collected, whatever the order",
        Class::Interference => "fails only while another run goes on beside it",
        Class::TimingDependent => "fails only while the processors are busy",
        Class::Broken => "fails always",
        Class::Undecided => "passes and fails; what decides is not proven",
    }
}

/// The head of a cluster: `14 tests are polluted by`.
pub(super) fn head(finding: &Finding<'_>) -> String {
    let verb = match finding.class() {
        Class::Brittle => "need what is set up by",
        Class::ImportPolluted => "are polluted by the collection of",
        _ => "are polluted by",
    };
    format!("{} {verb}", counted(finding.tests().len() as u64, "test"))
}

/// The head of a cluster with its cause: `14 tests are polluted by any of 2 causes`. An id is named only where that
/// fits into so many columns: the rows name it anyway.
pub(super) fn heading(finding: &Finding<'_>, room: usize) -> String {
    let head = head(finding);
    let sets = match finding {
        Finding::Many(cluster, _) => &cluster.cause[..],
        Finding::One(..) => &[],
    };
    match sets {
        [set] if set.len() == 1 => {
            let named = format!("{head} {}", shown(&set[0]));
            if columns(&named) <= room { named } else { format!("{head} one test") }
        }
        [set] => format!("{head} {} together", counted(set.len() as u64, "test")),
        sets => format!("{head} any of {}", counted(sets.len() as u64, "cause")),
    }
}

/// What a test did.
fn verb(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Failed => "failed",
        Outcome::Errored => "errored",
        Outcome::Crashed => "crashed",
        Outcome::TimedOut => "timed out",
    }
}

/// The lines of a text, each safe to show.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| shown(line.trim_end()).into_owned()).collect()
}

/// `failed in 23 of 50 orders (31-61 %)`; nothing where no order was tried.
pub(super) fn rate(test: &Test) -> String {
    if !test.attempts.is_empty() {
        return rerun::tries(test);
    }
    if test.ran == 0 {
        return String::new();
    }
    let verb = verb(test.outcome);
    let orders = counted(test.ran, "order");
    format!("{verb} in {} of {orders} ({})", test.failed, percent_interval(test.interval))
}

/// `fails after it 10 of 10, without it 0 of 10`.
fn proof(test: &Test) -> String {
    let Some(confirmed) = test.confirmed else { return String::new() };
    let of = |[k, n]: [u32; 2]| format!("{k} of {n}");
    let (with, without) = (of(confirmed.with), of(confirmed.without));
    let sets = if test.polluters.is_empty() { &test.state_setters } else { &test.polluters };
    let it = if sets.first().is_some_and(|set| set.len() > 1) { "them" } else { "it" };
    match test.verdict {
        Class::Brittle => format!("fails without {it} {without}, after {it} {with}"),
        Class::ImportPolluted => format!("fails with {it} collected {with}, without {it} {without}"),
        Class::NonIdempotent => format!("fails the second time {with}, the first time {without}"),
        Class::Interference => format!("fails beside another run {with}, with nothing beside it {without}"),
        Class::Victim | Class::Ndod | Class::Undecided if !sets.is_empty() => {
            format!("fails after {it} {with}, without {it} {without}")
        }
        _ => format!("fails {with} in one order, {without} in another"),
    }
}

/// The rows of a finding, without its head.
pub(super) fn rows(finding: &Finding<'_>) -> Vec<Row> {
    let test = finding.first();
    if let Finding::One(test, Some(repeat)) = finding {
        return repeat::rows(test, repeat);
    }
    let mut rows = Vec::new();
    culprits(finding, &mut rows);
    let mut said =
        |label, text: String| rows.push(Row { label, value: Value::Said(text), detail: String::new() });
    if let Some(effect) = test.effect.filter(|effect| effect.count[0] < effect.count[1]) {
        let [k, n] = effect.count;
        said("effect", format!("in {k} of {n} runs where it could ({})", percent_interval(effect.interval)));
    }
    let [explained, of] = test.explained;
    if explained < of && !matches!(test.verdict, Class::Undecided | Class::Broken) {
        said("unexplained", format!("{} of {}", of - explained, counted(of, "order")));
    }
    if let Some(lists) = lists(test) {
        said("lists", lists);
    }
    if let Some(why) = &test.undecided {
        rows.push(Row { label: "why", value: Value::Quoted(why.clone()), detail: String::new() });
    }
    if let Some(failure) = test.failures.first().filter(|failure| !failure.message.is_empty()) {
        let others = test.failures.len() - 1;
        let detail = if others > 0 {
            format!("and {}", counted(others as u64, "other failure"))
        } else {
            String::new()
        };
        rows.push(Row { label: "message", value: Value::Quoted(failure.message.clone()), detail });
    }
    let culprit_known = !test.polluters.is_empty() || !test.state_setters.is_empty();
    if !culprit_known && !test.failed_in.is_empty() && test.failed < test.ran {
        rows.push(Row { label: "seen in", value: Value::Said(seen_in(test)), detail: String::new() });
    }
    rows.extend(test.notes.iter().map(|note| Row {
        label: "note",
        value: Value::Quoted(note.clone()),
        detail: String::new(),
    }));
    commands(test, &mut rows);
    rows
}

fn culprits(finding: &Finding<'_>, rows: &mut Vec<Row>) {
    let test = finding.first();
    let mut proof = proof(test);
    for (label, sets) in [("polluted by", &test.polluters), ("set up by", &test.state_setters)] {
        for (at, set) in sets.iter().enumerate() {
            let ordered = test.ordered.get(at).copied().unwrap_or(false);
            let value = Value::Together { members: set.clone(), ordered };
            let label = if at == 0 { label } else { "or" };
            rows.push(Row { label, value, detail: std::mem::take(&mut proof) });
        }
    }
    if !proof.is_empty() {
        rows.push(Row { label: "proof", value: Value::Said(proof), detail: String::new() });
    }
    if let Finding::Many(_, tests) = finding {
        let each = tests.iter().map(|test| (test.id.clone(), rate(test))).collect();
        rows.push(Row { label: "tests", value: Value::Each(each), detail: String::new() });
    }
    // Of a cluster only what holds for every test.
    let tests = finding.tests();
    let mut shared = |label, list: fn(&Test) -> &Vec<String>| {
        let each: Vec<(String, String)> = list(test)
            .iter()
            .filter(|id| tests.iter().all(|test| list(test).contains(id)))
            .map(|id| (id.clone(), String::new()))
            .collect();
        if !each.is_empty() {
            rows.push(Row { label, value: Value::Each(each), detail: String::new() });
        }
    };
    shared("cleaned by", |test| &test.cleaners);
    shared("fails again after", |test| &test.unsetters);
}

/// Which lists are whole, where lists are what the verdict is about.
fn lists(test: &Test) -> Option<String> {
    let (name, culprits) = match test.verdict {
        Class::Victim | Class::Ndod => ("polluters", test.complete.polluters),
        Class::Brittle => ("state-setters", test.complete.state_setters),
        _ => return None,
    };
    Some(match (culprits, test.complete.cleaners) {
        (true, true) => format!("every single test was tried, for {name} and for cleaners"),
        (true, false) => format!("every single test was tried for {name}; there may be further cleaners"),
        (false, true) => format!("every single test was tried for cleaners; there may be further {name}"),
        (false, false) => format!("there may be further {name} and cleaners: not every test was tried"),
    })
}

fn seen_in(test: &Test) -> String {
    const SHOWN: usize = 3;
    let mut said: Vec<String> = test.failed_in.iter().take(SHOWN).map(order).collect();
    let more = test.failed_in.len().saturating_sub(SHOWN);
    if more > 0 {
        said.push(format!("{more} more"));
    }
    said.join(", ")
}

fn order(seen: &FailedIn) -> String {
    match (&seen.seed, &seen.level) {
        (Some(seed), Some(level)) => format!("seed {seed} by {level}"),
        _ if seen.order == "given" => "a given order".to_owned(),
        _ => format!("{} order", seen.order),
    }
}

fn commands(test: &Test, rows: &mut Vec<Row>) {
    let mut command = |label, argv: &Vec<String>, detail: String| {
        rows.push(Row { label, value: Value::Command(argv.clone()), detail });
    };
    // Where a rerun has no plain command, the run to be repeated says as much.
    let plain = test.attempts.is_empty() || test.reproduce_needs_flakehunt.is_none();
    if !test.reproduce.is_empty() && plain {
        let detail = match (&test.reproduce_needs_flakehunt, test.reproduced) {
            (Some(why), _) => format!("no plain pytest command shows it: {why}"),
            (None, Some([k, n])) if k < n => format!("failed in {k} of {}", counted(n, "run")),
            (None, _)
                if test.verdict == Class::NonDeterministic && test.failed > 0 && test.failed < test.ran =>
            {
                format!(
                    "fails in about {} of runs: repeat it",
                    percent(f64::from(test.failed) / f64::from(test.ran))
                )
            }
            (None, _) => String::new(),
        };
        command("reproduce", &test.reproduce, detail);
    }
    if let Some(replay) = test.replay.as_ref().filter(|replay| !plain || **replay != test.reproduce) {
        command("replay", replay, String::new());
    }
    if let Some(next) = &test.next {
        command("next", next, String::new());
    } else if !test.attempts.is_empty() && test.verdict == Class::NonDeterministic {
        let repeat = ["flakehunt", "repeat", &test.id].map(str::to_owned).into();
        command("next", &repeat, "how often does it fail?".to_owned());
    }
}
