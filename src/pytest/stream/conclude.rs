//! Makes the answer of a run from what the stream told and from how the process ended.

use crate::core::fingerprint::{fingerprint, shorten};
use crate::core::outcome::{Outcome, Phase};
use crate::core::run::{Failure, ProcessEnd};
use crate::core::test_id::TestIdx;

use super::digest::{Running, Told};
use super::event::PhaseReport;

/// The answer of a run, as far as the stream and the end of the process give it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// What became of the test at each position of the order.
    pub outcomes: Vec<Outcome>,
    /// One entry a failed position, in order.
    pub failures: Vec<Failure>,
    /// Why the run is no evidence.
    pub invalid: Option<String>,
    /// What went wrong around the tests without taking their outcomes away, for people: a process that died after its
    /// last test, a run that stopped early.
    pub remark: Option<String>,
    /// The time spent inside tests, in milliseconds.
    pub tests_ms: u64,
}

/// Concludes a run of `order` whose process ended with `end`.
///
/// `finished_at_stop` is how many tests had ended when the driver first asked the process to stop
/// ([`Tail::finished`](super::Tail::finished)); it is looked at only where the driver did stop it. What a test did after
/// that is the driver's doing and counts for nothing.
pub fn conclude(
    told: &Told,
    order: &[TestIdx],
    end: ProcessEnd,
    finished_at_stop: Option<u64>,
) -> Conclusion {
    let mut outcomes = told.outcomes.clone();
    outcomes.resize(order.len(), Outcome::NotReached);
    let ended = Ended { told, order, end };
    let stopped = matches!(end, ProcessEnd::TimedOut | ProcessEnd::Cancelled);
    let known = match finished_at_stop {
        Some(finished) if stopped => told.finished.min(finished),
        _ => told.finished,
    };
    let known = usize::try_from(known).unwrap_or(usize::MAX).min(order.len());
    outcomes[known..].fill(Outcome::NotReached);
    let mut failures = failures(told, known);
    let mut judged = ended.judge(known as u64);
    if let Some(reason) = ended.contradiction() {
        judged = Judged { invalid: Some(reason), ..judged };
    }
    if let (Some(blamed), None) = (judged.blamed, &judged.invalid)
        && let Some(place) = outcomes.get_mut(known)
    {
        *place = blamed;
        failures.push(ended.death(known as u32));
    }
    let tests_ms = (told.seconds.iter().sum::<f64>() * 1000.0).round().max(0.0) as u64;
    Conclusion { outcomes, failures, invalid: judged.invalid, remark: judged.remark, tests_ms }
}

/// What the end of a process means.
#[derive(Debug, Default)]
struct Judged {
    /// What the test that was running is to be called.
    blamed: Option<Outcome>,
    invalid: Option<String>,
    remark: Option<String>,
}

impl Judged {
    fn blamed(outcome: Outcome) -> Self {
        Self { blamed: Some(outcome), ..Self::default() }
    }

    fn invalid(reason: impl Into<String>) -> Self {
        Self { invalid: Some(reason.into()), ..Self::default() }
    }

    fn remark(remark: impl Into<String>) -> Self {
        Self { remark: Some(remark.into()), ..Self::default() }
    }
}

struct Ended<'a> {
    told: &'a Told,
    order: &'a [TestIdx],
    end: ProcessEnd,
}

impl Ended<'_> {
    /// Why what was told cannot be believed, whatever the end was.
    fn contradiction(&self) -> Option<String> {
        let told = self.told;
        if let Some(mismatch) = &told.mismatch {
            let (missing, extra) = (mismatch.missing.len(), mismatch.extra.len());
            let name = mismatch
                .extra
                .first()
                .map(|id| format!(", the first is {}", shorten(id)))
                .unwrap_or_default();
            return Some(format!(
                "the suite was not the one collected before: {missing} tests missing, {extra} new ones{name}"
            ));
        }
        if told.damaged > 0 {
            return Some(format!("{} of the plugin's records could not be read", told.damaged));
        }
        if let Some(what) = &told.out_of_order {
            return Some(what.clone());
        }
        let pairs = told.executed.iter().zip(self.order).enumerate();
        for (position, (ran, asked)) in pairs {
            if *ran != asked.0 {
                return Some(format!(
                    "test {ran} ran at position {position} where test {} was asked for",
                    asked.0
                ));
            }
        }
        None
    }

    /// `known` positions have ended and may be believed.
    fn judge(&self, known: u64) -> Judged {
        let all = known == self.order.len() as u64;
        let running = self.told.executed.len() as u64 > known;
        match self.end {
            ProcessEnd::Cancelled => {
                Judged::remark(format!("cancelled after {} tests", self.progress(known)))
            }
            ProcessEnd::TimedOut if running => Judged::blamed(Outcome::TimedOut),
            ProcessEnd::TimedOut if all && known > 0 => {
                Judged::remark("the process had not ended when its time was up, after its last test")
            }
            // Nothing but copies ran, which told what they saw.
            ProcessEnd::TimedOut if self.order.is_empty() => Judged::default(),
            ProcessEnd::TimedOut if known == 0 => Judged::invalid(self.nothing_ran("its time was up")),
            ProcessEnd::TimedOut => {
                Judged::remark(format!("the time was up between two tests, after {}", self.progress(known)))
            }
            ProcessEnd::Exited(_) | ProcessEnd::Signalled(_) => match self.told.end {
                Some(code) => self.finished(code, known),
                None if running => Judged::blamed(Outcome::Crashed),
                None => self.died_between(known),
            },
        }
    }

    /// pytest said that it ended, with this status.
    fn finished(&self, code: i32, known: u64) -> Judged {
        let at = match self.told.running {
            Some(Running { n, .. }) => format!(" while the test at position {n} ran"),
            None => String::new(),
        };
        let running = !at.is_empty();
        let unfinished = known < self.order.len() as u64;
        if let (Some(why), false, 1..) = (&self.told.cut, running, known) {
            return Judged::remark(format!(
                "pytest stopped after {} tests: {}",
                self.progress(known),
                shorten(why)
            ));
        }
        match code {
            // Nobody pressed a key here: the test raised KeyboardInterrupt, called `pytest.exit`, or broke a hook.
            code if running && unfinished && !matches!(code, 0 | 1 | 4 | 5) => {
                Judged::blamed(Outcome::Crashed)
            }
            0 | 1 if running => Judged::invalid(format!("pytest ended{at}")),
            0 | 1 | 5 if self.order.is_empty() => Judged::default(),
            0 | 1 if known == 0 => Judged::invalid(self.nothing_ran("pytest ended")),
            // It ends where a copy has seen what was looked for.
            0 | 1 if unfinished && !self.told.probed.is_empty() => Judged::default(),
            0 | 1 if unfinished => {
                Judged::remark(format!("pytest stopped after {} tests", self.progress(known)))
            }
            0 | 1 if self.end != ProcessEnd::Exited(code) => {
                Judged::remark(format!("after pytest had ended with status {code}, {}", self.how()))
            }
            0 | 1 => Judged::default(),
            2 if known == 0 => Judged::invalid(self.nothing_ran("pytest was interrupted")),
            3 if known == 0 => Judged::invalid(
                "an internal error of pytest or of a plugin before a test had ended (status 3)",
            ),
            4 => Judged::invalid("pytest refused its command line or its configuration (status 4)"),
            5 => Judged::invalid("pytest collected nothing (status 5)"),
            code if known == 0 => Judged::invalid(format!("pytest was told to exit (status {code})")),
            code => Judged::remark(format!(
                "pytest ended with status {code} after {} tests, outside of any test",
                self.progress(known)
            )),
        }
    }

    /// No test was running, and pytest did not say that it ended.
    fn died_between(&self, known: u64) -> Judged {
        if known > 0 && known == self.order.len() as u64 {
            return Judged::remark(format!("after the last test, {}", self.how()));
        }
        match self.end {
            _ if known == 0 => Judged::invalid(self.nothing_ran(&self.how())),
            ProcessEnd::Exited(0) => Judged::invalid(format!(
                "pytest ended without finishing, after {} tests",
                self.progress(known)
            )),
            _ => Judged::remark(format!("between two tests, after {}, {}", self.progress(known), self.how())),
        }
    }

    /// The reason why no test ran.
    fn nothing_ran(&self, how: &str) -> String {
        let told = self.told;
        if let Some(error) = told.collect_errors.first() {
            let more = match told.collect_errors.len() {
                1 => String::new(),
                n => format!(" ({} more such errors)", n - 1),
            };
            return format!("{} could not be collected: {}{more}", error.path, shorten(&error.message));
        }
        let stage = match (&told.hello, &told.collected) {
            (None, _) if told.executed.is_empty() && told.collected.is_none() => "before pytest had started",
            (_, None) if told.executed.is_empty() => "during collection",
            _ => "before a test had ended",
        };
        let word = match self.end {
            ProcessEnd::Exited(0) => "pytest ended without finishing: ",
            _ => "",
        };
        format!("{word}{how} {stage}")
    }

    fn progress(&self, known: u64) -> String {
        format!("{known} of {}", self.order.len())
    }

    /// How the process ended, as a clause.
    fn how(&self) -> String {
        match self.end {
            ProcessEnd::Exited(code) => format!("the process exited with code {code}"),
            ProcessEnd::Signalled(signal) => format!("the process died by {}", signal_name(signal)),
            ProcessEnd::TimedOut => "the time was up".to_owned(),
            ProcessEnd::Cancelled => "the run was cancelled".to_owned(),
        }
    }

    /// The failure of the test that was running, at position `at`.
    fn death(&self, at: u32) -> Failure {
        let phase = match self.told.running {
            Some(running) if running.n == u64::from(at) => running.phase,
            _ => Phase::Call,
        };
        // The short protocol tells of a phase only when the test is over: without a report it may be any.
        let place = match phase {
            Phase::Setup => "",
            Phase::Call => " in call",
            Phase::Teardown => " in teardown",
        };
        // The message is masked; the number of the signal or the exit code is what counts, so it stands in the type.
        let (kind, message) = match self.end {
            ProcessEnd::TimedOut => {
                ("timed out".to_owned(), format!("still running when its time was up{place}"))
            }
            ProcessEnd::Exited(_) if self.told.interrupt.is_some() => self.interrupt(place),
            ProcessEnd::Exited(code) => (format!("exit {code}"), format!("{}{place}", self.how())),
            ProcessEnd::Signalled(signal) => (format!("signal {signal}"), format!("{}{place}", self.how())),
            ProcessEnd::Cancelled => ("cancelled".to_owned(), self.how()),
        };
        Failure { at, phase: None, fingerprint: fingerprint(&kind, "", ""), message }
    }

    /// Type and message of a test that ended the session by an exception.
    fn interrupt(&self, place: &str) -> (String, String) {
        let (kind, said) = self
            .told
            .interrupt
            .as_ref()
            .map_or(("", ""), |interrupt| (interrupt.r#type.as_str(), interrupt.message.as_str()));
        let said = if said.is_empty() { String::new() } else { format!(": {}", shorten(said)) };
        (format!("interrupt {kind}"), format!("{kind}{place} ended the whole run{said}"))
    }
}

/// `signal 11 (SIGSEGV)`, for the signals whose numbers are the same on Linux and macOS.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    format!("signal {signal} ({name})")
}

/// The first failure of each of the first `known` positions.
fn failures(told: &Told, known: usize) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for report in told.failures().filter(|report| report.n < known as u64) {
        let at = report.n as u32;
        if failures.last().is_none_or(|last| last.at != at) {
            failures.push(failure(at, report));
        }
    }
    failures
}

fn failure(at: u32, report: &PhaseReport) -> Failure {
    let kind = report.r#type.as_deref().unwrap_or_default();
    let message = report.message.as_deref().unwrap_or_default();
    let place = report.place.as_deref().unwrap_or_default();
    let short = match shorten(message) {
        empty if empty.is_empty() => shorten(kind),
        short => short,
    };
    let fingerprint = fingerprint(kind, place, message);
    Failure { at, phase: Some(report.when), fingerprint, message: short }
}

#[cfg(test)]
mod tests;
