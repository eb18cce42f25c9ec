//! What is said of a test that was repeated.

use super::{Row, Value};
use crate::core::hunt::Repeats;
use crate::core::hunt::repeat::{Factor, Stop};
use crate::core::order::OrderName;
use crate::core::stats::passes_needed;
use crate::core::verdict::Class;
use crate::report::model::{Decides, Durations, Outcome, Repeat, Report, Side, Test};
use crate::report::text::{counted, percent, rates, seconds};

/// So many tests are named in a command.
const NAMED: usize = 3;
/// So many kinds of failures are told, the most frequent first.
const KINDS: usize = 5;

/// `failed in 23 of 100 repeats (15-33 %)`.
pub(super) fn rate(repeat: &Repeat, outcome: Outcome) -> String {
    let verb = super::verb(outcome);
    let load = if repeat.unloaded.is_some() { " under load" } else { "" };
    let repeats = counted(repeat.ran, "repeat");
    format!("{verb} in {} of {repeats}{load} ({})", repeat.failed, rates(repeat.interval))
}

/// What a person asked for, in a line.
pub(in crate::report) fn plan(plan: &Repeats, order: Option<&OrderName>) -> String {
    let tests = counted(plan.tests.len() as u64, "test");
    let each = if plan.tests.len() == 1 { "" } else { " each" };
    let count = counted(plan.count, "time");
    let mut said = match plan.max_rate {
        Some(limit) => {
            let needed = passes_needed(limit, plan.confidence).unwrap_or(plan.count);
            format!(
                "{tests}, until its failure rate is known to be below or above {} (with {} confidence): \
                 {needed} repeats{each} if none fails, {} at most",
                share(limit),
                share(plan.confidence),
                plan.count
            )
        }
        None => format!("{tests}, {count}{each}"),
    };
    said.push_str(match (plan.in_process, plan.fresh_fixtures) {
        (false, _) => ", from a fresh start each time",
        (true, false) => ", in one process",
        (true, true) => ", in one process, with fixtures made anew each time",
    });
    if let Some(name) = order {
        said.push_str(&format!(", at its place in the order {name}"));
    }
    if plan.load > 0 {
        let busy = counted(plan.load, "busy processor");
        said.push_str(&format!(", once with {busy} and once without"));
    } else if !plan.in_process {
        said.push_str(match (plan.vary.seed, plan.vary.hash_seed) {
            (true, true) => " with seeds of its own, of `random` and of hashes",
            (false, true) => " with a PYTHONHASHSEED of its own",
            _ => " with a seed of its own",
        });
    }
    if let Some(most) = plan.max_fail {
        said.push_str(&format!("; a test that has failed {} is repeated no more", counted(most, "time")));
    }
    said
}

/// The rows of a finding.
pub(super) fn rows(test: &Test, repeat: &Repeat) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut said =
        |label, text: String| rows.push(Row { label, value: Value::Said(text), detail: String::new() });
    if let Some(decides) = repeat.decides {
        said("decides", factor(decides));
    } else if test.verdict == Class::NonDeterministic && !repeat.varied.is_empty() && !repeat.in_process {
        said("decides", nothing(&repeat.varied).to_owned());
    }
    if let Some([k, n]) = repeat.unloaded.filter(|_| repeat.decides.is_none()) {
        said("without load", format!("failed in {k} of {}", counted(n, "repeat")));
    }
    if let Some(text) = limit(repeat) {
        said("rate", text);
    }
    if repeat.skipped > 0 {
        said("skipped", format!("in {} of {}", repeat.skipped, counted(repeat.ran, "repeat")));
    }
    if let Some(durations) = &repeat.durations {
        said("durations", took(durations));
    }
    if let Some(why) = &test.undecided {
        rows.push(Row { label: "why", value: Value::Quoted(why.clone()), detail: String::new() });
    }
    failures(repeat, &mut rows);
    rows.extend(test.notes.iter().map(|note| Row {
        label: "note",
        value: Value::Quoted(note.clone()),
        detail: String::new(),
    }));
    commands(test, repeat, &mut rows);
    rows
}

fn failures(repeat: &Repeat, rows: &mut Vec<Row>) {
    for (at, failure) in repeat.failures.iter().take(KINDS).enumerate() {
        let first = failure.runs.first().map(|run| format!(", first in run {run}")).unwrap_or_default();
        let detail = format!("{}{first}", counted(failure.count, "time"));
        let label = if at == 0 { "message" } else { "or" };
        rows.push(Row { label, value: Value::Quoted(failure.message.clone()), detail });
        if let Some(text) = &failure.text {
            rows.push(Row { label: "in full", value: Value::Text(text.clone()), detail: String::new() });
        }
    }
    if let Some(more) = repeat.failures.get(KINDS..).filter(|more| !more.is_empty()) {
        let times: u32 = more.iter().map(|failure| failure.count).sum();
        let text = format!("{} more, {} in all", counted(more.len() as u64, "kind"), counted(times, "time"));
        rows.push(Row { label: "or", value: Value::Said(text), detail: String::new() });
    }
}

fn commands(test: &Test, repeat: &Repeat, rows: &mut Vec<Row>) {
    let decided = repeat.decides.is_some_and(|decides| decides.factor == Factor::HashSeed);
    if !test.reproduce.is_empty() {
        let detail = match &test.reproduce_needs_flakehunt {
            Some(why) => format!("no plain pytest command shows it: {why}"),
            None if test.verdict == Class::NonDeterministic && !decided => {
                format!(
                    "fails in about {} of runs: repeat it",
                    percent(f64::from(test.failed) / f64::from(test.ran))
                )
            }
            None => String::new(),
        };
        rows.push(Row { label: "reproduce", value: Value::Command(test.reproduce.clone()), detail });
    }
    let mut command = |label, argv: &Option<Vec<String>>| {
        if let Some(argv) = argv.as_ref().filter(|argv| **argv != test.reproduce) {
            rows.push(Row { label, value: Value::Command(argv.clone()), detail: String::new() });
        }
    };
    command("replay", &test.replay);
    command("next", &test.next);
}

/// What decides, with the proof.
fn factor(decides: Decides) -> String {
    let of = |[k, n]: [u32; 2]| format!("{k} of {n}");
    let (with, without) = (of(decides.with), of(decides.without));
    let seed = |name: &str| {
        format!("{name}: one that failed fails again in {with} runs, one that passed fails in {without}")
    };
    let since = super::ordinal(decides.since.unwrap_or_default());
    match decides.factor {
        Factor::RandomSeed => seed("the seed of `random`"),
        Factor::HashSeed => seed("PYTHONHASHSEED"),
        Factor::BothSeeds => seed("the seed of `random` and PYTHONHASHSEED together"),
        Factor::TimesInProcess => {
            format!(
                "how often it has run: it fails the {since} time in {with} processes, before that {without}"
            )
        }
        Factor::RepeatNumber => format!(
            "how often it has run, in whatever process: from the {since} run on it failed in {with}, before that in \
             {without}"
        ),
        Factor::Load => format!("busy processors: it fails under load in {with} runs, without in {without}"),
    }
}

fn nothing(varied: &[String]) -> &'static str {
    match varied {
        [_, _, ..] => "neither seed: a run with the same seeds had another outcome",
        [one] if one == "hashseed" => "not PYTHONHASHSEED: a run with the same one had another outcome",
        _ => "not the seed of `random`: a run with the same one had another outcome",
    }
}

/// `surely below 1 % (95 % confidence)`.
fn limit(repeat: &Repeat) -> Option<String> {
    let limit = repeat.max_rate?;
    let (rate, confidence) = (share(limit.limit), share(repeat.confidence));
    Some(match (limit.side, repeat.stop) {
        (Some(Side::Below), _) => format!("below {rate}, with {confidence} confidence"),
        (Some(Side::Above), _) => format!("above {rate}, with {confidence} confidence"),
        (None, Stop::Count) => {
            format!("too close to {rate} to know the side after {}", counted(repeat.ran, "repeat"))
        }
        (None, _) => format!("not known yet to be below or above {rate}"),
    })
}

fn took(durations: &Durations) -> String {
    let Durations { median, p95, longest, modes } = *durations;
    let mut said = format!(
        "half within {}, 95 of 100 within {}, longest {}",
        seconds(median),
        seconds(p95),
        seconds(longest)
    );
    if let Some([short, long]) = modes {
        said.push_str(&format!(
            "; two kinds: {} about {}, {} about {}",
            short.count,
            seconds(short.median),
            long.count,
            seconds(long.median)
        ));
    }
    said
}

/// A share in percent as a person typed it.
fn share(value: f64) -> String {
    format!("{} %", (value * 1e6).round() / 1e4)
}

/// What the repeats of a healthy test could have shown.
pub(super) fn covered(report: &Report) -> String {
    let healthy = report.repeats.iter().filter(|repeat| repeat.verdict.is_none());
    let Some(least) = healthy.map(|repeat| repeat.ran).min().filter(|ran| *ran > 0) else {
        return String::new();
    };
    let missed = |rate: f64| percent((1.0 - rate).powi(i32::try_from(least).unwrap_or(i32::MAX)));
    format!(
        "in {}, a flake of 1 in 100 would have been missed with a probability of {}, one of 1 in 20 with {}",
        counted(least, "repeat"),
        missed(0.01),
        missed(0.05)
    )
}

/// What is said of a healthy test.
pub(in crate::report) fn healthy(repeat: &Repeat) -> String {
    let mut said = match repeat.ran {
        0 => return "was not run".to_owned(),
        ran => format!("0 of {ran} failed ({})", rates(repeat.interval)),
    };
    if repeat.skipped == repeat.ran {
        said.push_str(", skipped each time");
    } else if let Some(durations) = &repeat.durations {
        said.push_str(&format!(", {}", seconds(durations.median)));
    }
    if let Some(limit) = limit(repeat) {
        said.push_str(&format!(", {limit}"));
    }
    said
}

/// How to be ten times as sure.
pub(super) fn next(report: &Report) -> Vec<String> {
    let mut words = vec!["repeat".to_owned()];
    let mut names: Vec<&str> = report.repeats.iter().map(|repeat| repeat.id.as_str()).collect();
    if names.len() > NAMED {
        names = names.into_iter().map(|id| id.split("::").next().unwrap_or(id)).collect();
        names.dedup();
    }
    if names.len() > NAMED {
        return vec!["report".to_owned(), report.session.clone(), "--report".to_owned(), "json".to_owned()];
    }
    words.extend(names.into_iter().map(str::to_owned));
    let first = report.repeats.first();
    match first.and_then(|repeat| repeat.max_rate) {
        Some(limit) => words.extend(["--max-rate".to_owned(), share(limit.limit / 10.0).replace(' ', "")]),
        None => {
            let most = report.repeats.iter().map(|repeat| repeat.ran).max().unwrap_or(0);
            words.extend(["--count".to_owned(), most.saturating_mul(10).to_string()]);
        }
    }
    if first.is_some_and(|repeat| repeat.in_process) {
        words.push("--in-process".to_owned());
    }
    words
}
