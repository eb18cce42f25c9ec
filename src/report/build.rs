//! From findings to the words of the contract.

use std::collections::HashMap;

use super::interval::{interval95, round4};
use super::model::{self, Report};
use super::{Findings, Repeating, Reruns, reproduce};
use crate::core::hunt::Repeats;
use crate::core::order::{Level, OrderName};
use crate::core::outcome::{Outcome, Phase};
use crate::core::rerun::Standing;
use crate::core::run::{Purpose, RunRecord, RunSpec};
use crate::core::test_id::TestIdx;
use crate::core::verdict::{Class, Count, Culprits, Verdict};
use crate::session::event::EndReason;

/// How many failing orders a report lists for one test.
const FAILED_IN: usize = 20;

impl Report {
    /// What these findings say.
    pub fn of(findings: &Findings<'_>) -> Self {
        let Findings { header, suite, .. } = *findings;
        let rerun = findings.rerun();
        let environment = &header.environment;
        let mut verdicts: Vec<&Verdict> = findings.verdicts.iter().collect();
        verdicts.sort_by_key(|verdict| verdict.test);
        Self {
            schema: model::SCHEMA.to_owned(),
            flakehunt: header.flakehunt.clone(),
            command: header.command.clone(),
            session: header.session.clone(),
            session_dir: findings.session_dir_display.to_owned(),
            began: header.began.clone(),
            end: end(findings.end),
            environment: model::Environment {
                python: environment.python.clone(),
                origin: environment.origin.clone(),
                pytest: environment.pytest.clone(),
                plugins: environment.plugins.clone(),
                directory: environment.directory.clone(),
                rootdir: environment.rootdir.clone(),
                inifile: environment.inifile.clone(),
                executor: environment.executor.clone(),
                jobs: environment.jobs,
                hash_seed: environment.hash_seed,
                session_seed: environment.session_seed.to_string(),
            },
            suite: model::Suite {
                tests: suite.len(),
                digest: suite.digest().0.clone(),
                unstable: suite.tests().iter().filter(|t| t.unstable).map(|t| t.id.node_id.clone()).collect(),
            },
            runs: cost(findings),
            coverage: model::Coverage {
                pairs: share(findings.coverage.pairs),
                adjacent_pairs: share(findings.coverage.adjacent_pairs),
                exact: findings.coverage.exact,
                orders: findings.coverage.orders,
                seen95: findings.coverage.seen95.filter(|rate| rate.is_finite()).map(round4),
            },
            tests: verdicts.into_iter().map(|verdict| test(findings, rerun.as_ref(), verdict)).collect(),
            repeats: super::repeats::of(findings),
            clusters: findings.clusters.iter().map(|cluster| self::cluster(findings, cluster)).collect(),
            notices: findings
                .notices
                .iter()
                .map(|(about, text)| model::Notice { about: about.clone(), text: text.clone() })
                .collect(),
            rerun: rerun.as_ref().map(|rerun| rerun.summary(findings)),
        }
    }
}

fn end(why: EndReason) -> model::End {
    match why {
        EndReason::Finished => model::End::Finished,
        EndReason::Budget => model::End::Budget,
        EndReason::MaxRuns => model::End::MaxRuns,
        EndReason::Interrupted => model::End::Interrupted,
        EndReason::Terminated => model::End::Terminated,
    }
}

fn cost(findings: &Findings<'_>) -> model::Runs {
    let invalid =
        |record: &RunRecord| record.invalid.clone().map(|why| model::InvalidRun { run: record.run.0, why });
    let reached = |(spec, record): &(RunSpec, RunRecord)| {
        let tail = spec.probes.as_ref().map_or(0, |probes| probes.tail.len());
        let tried = record.probed.len() * tail + record.fanned.iter().map(Vec::len).sum::<usize>();
        (record.outcomes.iter().filter(|outcome| **outcome != Outcome::NotReached).count() + tried) as u64
    };
    model::Runs {
        asked: findings.asked,
        valid: findings.runs.iter().filter(|(_, record)| record.is_valid()).count(),
        invalid: findings.runs.iter().filter_map(|(_, record)| invalid(record)).collect(),
        processes: findings.processes,
        test_executions: findings.runs.iter().map(reached).sum(),
        wall_seconds: findings.wall_ms as f64 / 1000.0,
    }
}

/// A share; of nothing (one test has no pairs) everything was seen.
fn share(value: f64) -> f64 {
    if value.is_finite() { round4(value) } else { 1.0 }
}

pub(super) fn pair(count: Count) -> [u32; 2] {
    [count.k, count.n]
}

fn test(findings: &Findings<'_>, rerun: Option<&Reruns<'_>>, verdict: &Verdict) -> model::Test {
    let Findings { header, suite, runs, .. } = *findings;
    let collected = suite.test(verdict.test);
    let ids =
        |tests: &[TestIdx]| tests.iter().map(|&test| suite.node_id(test).to_owned()).collect::<Vec<_>>();
    let sets = |sets: &[Culprits]| sets.iter().map(|set| ids(&set.members)).collect::<Vec<_>>();
    let files = verdict
        .import_polluters
        .iter()
        .map(|set| set.iter().map(|&file| suite.file(file).to_owned()).collect())
        .collect();
    let by_files = verdict.class == Class::ImportPolluted;
    let acting = if verdict.polluters.is_empty() { &verdict.state_setters } else { &verdict.polluters };
    let reproduction = reproduce::reproduction(header, suite, runs, verdict);
    let replay = reproduce::replay(header, verdict);
    let undecided = verdict.class == Class::Undecided;
    model::Test {
        id: collected.id.node_id.clone(),
        occurrence: collected.id.occurrence,
        file: collected.file.clone(),
        line: collected.line,
        verdict: verdict.class,
        polluters: if by_files { files } else { sets(&verdict.polluters) },
        state_setters: sets(&verdict.state_setters),
        cleaners: ids(&verdict.cleaners),
        unsetters: ids(&verdict.unsetters),
        ordered: if by_files { Vec::new() } else { acting.iter().map(|set| set.ordered).collect() },
        failed: verdict.failed.k,
        ran: verdict.failed.n,
        interval: interval95(verdict.failed),
        outcome: outcome(verdict.outcome),
        complete: verdict.complete,
        confirmed: verdict
            .confirmed
            .map(|proof| model::Confirmed { with: pair(proof.with), without: pair(proof.without) }),
        explained: pair(verdict.explained),
        effect: verdict.effect.map(|count| model::Effect { count: pair(count), interval: interval95(count) }),
        failures: failures(runs, verdict.test),
        failed_in: failed_in(runs, verdict.test),
        reproduce: reproduction.as_ref().map(|found| found.argv.clone()).unwrap_or_default(),
        reproduce_needs_flakehunt: reproduction.as_ref().and_then(|found| found.needs_flakehunt.clone()),
        reproduced: reproduction.filter(|found| found.reproduced.n > 0).map(|found| pair(found.reproduced)),
        replay,
        undecided: verdict.undecided.clone(),
        next: undecided.then(|| next(findings, verdict)).flatten().filter(|_| {
            // What only failed so far is to be run again first.
            rerun.is_none_or(|rerun| Standing::of(&rerun.attempts[verdict.test.at()]) == Standing::Flaky)
        }),
        notes: verdict.notes.clone(),
        attempts: rerun.map(|rerun| rerun.of_test(verdict.test)).unwrap_or_default(),
    }
}

/// What could decide an undecided test: a search of its own, from the run in which it failed.
fn next(findings: &Findings<'_>, verdict: &Verdict) -> Option<Vec<String>> {
    if let Some(Repeating { plan, order: None, .. }) = findings.repeating {
        return Some(repeat_again(findings, verdict, plan));
    }
    let run = verdict.failing_runs.first()?;
    let id = findings.suite.node_id(verdict.test).to_owned();
    let word = reproduce::run_word(findings.header, *run);
    Some(["flakehunt".to_owned(), "bisect".to_owned(), id, "--run".to_owned(), word].into())
}

/// Of a repeated test: what may matter is kept out, and there is more of the rest.
fn repeat_again(findings: &Findings<'_>, verdict: &Verdict, plan: &Repeats) -> Vec<String> {
    let environment = &findings.header.environment;
    let mut words: Vec<String> = vec!["flakehunt".into(), "repeat".into()];
    words.push(findings.suite.node_id(verdict.test).to_owned());
    words.extend(["--count".to_owned(), plan.count.saturating_mul(2).max(100).to_string()]);
    if !plan.in_process && environment.executor == "fork" {
        words.extend(["--executor", "spawn"].map(str::to_owned));
    } else if !plan.in_process && environment.jobs > 1 {
        words.extend(["--jobs", "1"].map(str::to_owned));
    }
    words
}

fn outcome(outcome: Outcome) -> model::Outcome {
    match outcome {
        Outcome::Errored(_) => model::Outcome::Errored,
        Outcome::Crashed => model::Outcome::Crashed,
        Outcome::TimedOut => model::Outcome::TimedOut,
        Outcome::Failed
        | Outcome::NotReached
        | Outcome::Passed
        | Outcome::XPassed
        | Outcome::XFailed
        | Outcome::Skipped => model::Outcome::Failed,
    }
}

fn failures(runs: &[(RunSpec, RunRecord)], test: TestIdx) -> Vec<model::Failure> {
    let mut found: Vec<model::Failure> = Vec::new();
    let mut place: HashMap<&str, usize> = HashMap::new();
    for (spec, record) in runs.iter().filter(|(spec, record)| record.is_valid() && spec.is_plain()) {
        for failure in record.failures.iter().filter(|f| spec.order.get(f.at as usize) == Some(&test)) {
            let at = *place.entry(&failure.fingerprint).or_insert_with(|| {
                found.push(model::Failure {
                    fingerprint: failure.fingerprint.clone(),
                    count: 0,
                    phase: failure.phase.map(|phase| phase_word(phase).to_owned()),
                    message: failure.message.clone(),
                });
                found.len() - 1
            });
            found[at].count += 1;
        }
    }
    found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.fingerprint.cmp(&b.fingerprint)));
    found
}

pub(super) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Setup => "setup",
        Phase::Call => "call",
        Phase::Teardown => "teardown",
    }
}

fn failed_in(runs: &[(RunSpec, RunRecord)], test: TestIdx) -> Vec<model::FailedIn> {
    let planned = |spec: &RunSpec| matches!(spec.purpose, Purpose::Baseline | Purpose::Explore);
    let failed = |spec: &RunSpec, record: &RunRecord| {
        record.failures.iter().any(|failure| spec.order.get(failure.at as usize) == Some(&test))
    };
    runs.iter()
        .filter(|(spec, record)| record.is_valid() && planned(spec) && failed(spec, record))
        .take(FAILED_IN)
        .map(|(spec, record)| {
            let (order, seed, level) = match &spec.name {
                OrderName::Collection => ("collection", None, None),
                OrderName::Reverse => ("reverse", None, None),
                OrderName::Seed { seed, level } => {
                    ("seed", Some(seed.0.to_string()), Some(level_word(*level)))
                }
                OrderName::Given(_) => ("given", None, None),
                OrderName::Probe => ("probe", None, None),
            };
            let level = level.map(str::to_owned);
            model::FailedIn { run: record.run.0, order: order.to_owned(), seed, level }
        })
        .collect()
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Module => "module",
        Level::Class => "class",
        Level::Test => "test",
    }
}

fn cluster(findings: &Findings<'_>, cluster: &crate::core::verdict::Cluster) -> model::Cluster {
    let suite = findings.suite;
    let id = |test: &TestIdx| suite.node_id(*test).to_owned();
    let mut cause: Vec<Vec<String>> = cluster.cause.iter().map(|set| set.iter().map(id).collect()).collect();
    if cause.is_empty() {
        // The cause is files: they stand in the verdicts.
        let first = findings.verdicts.iter().find(|verdict| cluster.tests.contains(&verdict.test));
        let sets = first.map_or(&[][..], |verdict| &verdict.import_polluters);
        cause =
            sets.iter().map(|set| set.iter().map(|&file| suite.file(file).to_owned()).collect()).collect();
    }
    model::Cluster { cause, tests: cluster.tests.iter().map(id).collect() }
}
