//! What a `rerun` says beyond its verdicts: every attempt of every test, and how the suite stands.

use super::Findings;
use super::model::{self, AttemptOutcome, AttemptPlace, Report, Test};
use super::text::counted;
use crate::core::fingerprint::shorten;
use crate::core::outcome::Outcome;
use crate::core::rerun::{Attempt, Place, Rerun, Tally, attempts, failed_at_first};
use crate::core::test_id::TestIdx;
use crate::core::verdict::Class;
use crate::session::saved::{SavedGoal, SavedPlan};

/// What a `rerun` came to.
pub struct Reruns<'a> {
    /// What was asked for.
    pub settings: Rerun,
    /// Every time each test ran, by test number.
    pub attempts: Vec<Vec<Attempt<'a>>>,
    /// How the tests stand.
    pub tally: Tally,
    /// More tests failed than flakiness explains.
    pub outage: bool,
}

impl<'a> Findings<'a> {
    /// What the runs say as attempts; `None` where the command was another one.
    pub fn rerun(&self) -> Option<Reruns<'a>> {
        if self.header.command != "rerun" {
            return None;
        }
        let plan: SavedPlan = serde_json::from_value(self.header.plan.clone()).ok()?;
        let SavedGoal::Rerun(settings) = plan.goal else { return None };
        let attempts = attempts(self.suite.len(), self.runs.iter().map(|(spec, record)| (spec, record)));
        let outage = settings.is_outage(failed_at_first(&attempts).len());
        Some(Reruns { settings, tally: Tally::of(&attempts), outage, attempts })
    }
}

impl Reruns<'_> {
    /// The summary of a report.
    pub(super) fn summary(&self, findings: &Findings<'_>) -> model::Rerun {
        let real = findings.verdicts.iter().filter(|verdict| verdict.class == Class::Broken).count() as u32;
        let Tally { passed, skipped, flaky, failed, not_reached } = self.tally;
        model::Rerun {
            passed,
            skipped,
            flaky,
            real,
            unsettled: failed - real,
            not_reached,
            outage: self.outage,
            reruns: self.settings.reruns,
            max_rerun_tests: self.settings.most,
            fail_on_flaky: self.settings.fail_on_flaky,
        }
    }

    /// The attempts of a test.
    pub(super) fn of_test(&self, test: TestIdx) -> Vec<model::Attempt> {
        self.attempts[test.at()].iter().map(attempt).collect()
    }
}

fn attempt(attempt: &Attempt<'_>) -> model::Attempt {
    model::Attempt {
        run: attempt.run.0,
        place: match attempt.place {
            Place::Suite => AttemptPlace::Suite,
            Place::SameOrder => AttemptPlace::SameOrder,
            Place::Alone => AttemptPlace::Alone,
        },
        outcome: match attempt.outcome {
            Outcome::Passed | Outcome::NotReached => AttemptOutcome::Passed,
            Outcome::XPassed => AttemptOutcome::Xpassed,
            Outcome::XFailed => AttemptOutcome::Xfailed,
            Outcome::Skipped => AttemptOutcome::Skipped,
            Outcome::Failed => AttemptOutcome::Failed,
            Outcome::Errored(_) => AttemptOutcome::Errored,
            Outcome::Crashed => AttemptOutcome::Crashed,
            Outcome::TimedOut => AttemptOutcome::TimedOut,
        },
        seconds: attempt.micros as f64 / 1e6,
        message: attempt
            .account
            .map(|account| shorten(&account.message))
            .filter(|message| !message.is_empty()),
        text: attempt.account.map(|account| account.text.clone()).filter(|text| !text.is_empty()),
    }
}

/// What a test of a `rerun` is called: `flaky`, `real`, or `failed` where it was not run again often enough to know.
pub(super) fn word(test: &Test) -> &'static str {
    match test.verdict {
        Class::Broken => "real",
        _ if test.attempts.iter().any(|attempt| !attempt.outcome.is_failure()) => "flaky",
        _ => "failed",
    }
}

/// `failed in its order 4 of 4 times, alone 0 of 1`.
pub(super) fn tries(test: &Test) -> String {
    let count = |alone: bool| {
        let here = test.attempts.iter().filter(|attempt| (attempt.place == AttemptPlace::Alone) == alone);
        let outcomes: Vec<bool> = here.map(|attempt| attempt.outcome.is_failure()).collect();
        (outcomes.iter().filter(|failed| **failed).count(), outcomes.len())
    };
    let ((k, n), (k_alone, n_alone)) = (count(false), count(true));
    let times = if n == 1 { "time" } else { "times" };
    let alone = if n_alone > 0 { format!(", alone {k_alone} of {n_alone}") } else { String::new() };
    format!("failed in its order {k} of {n} {times}{alone}")
}

/// `1 real failure, 2 flaky, 28 passed, 1 skipped`.
pub(super) fn counts(rerun: &model::Rerun) -> String {
    let not_again = if rerun.outage { "not run again" } else { "not run again often enough" };
    let flaky = format!("{} flaky", rerun.flaky);
    let parts = [
        (rerun.real, counted(rerun.real, "real failure")),
        (rerun.unsettled, format!("{}, {not_again}", counted(rerun.unsettled, "failure"))),
        (rerun.flaky, flaky),
        (rerun.passed, format!("{} passed", rerun.passed)),
        (rerun.skipped, format!("{} skipped", rerun.skipped)),
        (rerun.not_reached, format!("{} not reached", rerun.not_reached)),
    ];
    let said: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(_, said)| said).collect();
    said.join(", ")
}

/// The result in one sentence.
pub(super) fn result(report: &Report, rerun: &model::Rerun) -> String {
    let tests = counted(report.suite.tests as u64, "test");
    let bad = rerun.real + rerun.unsettled + rerun.flaky + rerun.not_reached;
    if bad == 0 {
        return match rerun.skipped {
            0 if report.suite.tests == 1 => "the test passed the first time".to_owned(),
            0 => format!("all of {tests} passed the first time"),
            skipped => format!("{} of {tests} passed the first time, {skipped} skipped", rerun.passed),
        };
    }
    let mut said = counts(rerun);
    if rerun.outage {
        let most = rerun.max_rerun_tests.unwrap_or_default();
        said.push_str(&format!("; more than {most} failures are an outage, not flakiness"));
    } else if rerun.flaky > 0 && rerun.real + rerun.unsettled + rerun.not_reached == 0 {
        said.push_str(match rerun.fail_on_flaky {
            true => "; exit code 1, by --fail-on-flaky",
            false => "; exit code 0, as nothing failed each time (--fail-on-flaky makes it 1)",
        });
    }
    said
}
