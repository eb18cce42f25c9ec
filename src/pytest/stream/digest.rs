//! Gathers the events of one run.

use std::time::Duration;

use crate::core::fingerprint::masked;
use crate::core::outcome::{Outcome, Phase, Seen};
use crate::core::run::Probed;

use super::event::{Changed, CollectError, Collected, Event, Hello, Mismatch, PhaseReport, Said};
use super::tail::Lines;

/// How many bytes of long failure texts are kept of one run; later ones lose their text, not their message.
const TEXT_BUDGET: usize = 16 << 20;

/// The test that had begun and had not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its position in the order.
    pub n: u64,
    /// The phase it was in.
    pub phase: Phase,
}

/// An exception that ended the session from inside a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupt {
    /// The position of the test in the order.
    pub n: u64,
    /// The class of the exception.
    pub r#type: String,
    /// What it says.
    pub message: String,
}

/// What a stream says of one run. What has been told of a position that has ended does not change any more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Who ran.
    pub hello: Option<Hello>,
    /// What was collected.
    pub collected: Option<Collected>,
    /// What could not be collected.
    pub collect_errors: Vec<CollectError>,
    /// What was neutralised.
    pub changed: Vec<Changed>,
    /// How the collection differs from the suite file.
    pub mismatch: Option<Mismatch>,
    /// How long the run waited to be let go, in seconds.
    pub waited: f64,
    /// The numbers of the tests that began, by position.
    pub executed: Vec<u32>,
    /// What became of the test at each position asked for; [`Outcome::NotReached`] until it has ended.
    pub outcomes: Vec<Outcome>,
    /// How long the test at each position took, in seconds.
    pub seconds: Vec<f64>,
    /// How many tests have ended: the positions before this one are known.
    pub finished: u64,
    /// Every report that is not a plain pass, in the order of events.
    pub reports: Vec<PhaseReport>,
    /// The test that had begun and had not ended.
    pub running: Option<Running>,
    /// What ended the session from inside a test.
    pub interrupt: Option<Interrupt>,
    /// Why the session ended before its last test although no test ended it.
    pub cut: Option<String>,
    /// How the events contradict each other (positions that are not 0, 1, 2, ...); positions after that are not told.
    pub out_of_order: Option<String>,
    /// How many lines could not be read.
    pub damaged: u64,
    /// What copies have seen in the middle of the run.
    pub probed: Vec<Probed>,
    /// What copies have seen, by line.
    pub fanned: Vec<Vec<Seen>>,
    /// pytest's exit status.
    pub end: Option<i32>,
    /// For each position a digest of everything that was reported and printed, without what differs from run to run;
    /// 0 until it has ended. Empty unless [`Digest::detailed`] was asked for.
    pub details: Vec<u32>,
}

impl Told {
    /// The reports of failures, in the order of events.
    pub fn failures(&self) -> impl Iterator<Item = &PhaseReport> {
        self.reports.iter().filter(|report| report.failed())
    }

    /// Forgets how long tests took where that cannot be: pytest asks a clock that a test may stop, or set.
    pub fn keep_within(&mut self, wall: Duration) {
        let possible = 0.0..=wall.as_secs_f64();
        for seconds in self.seconds.iter_mut().filter(|seconds| !possible.contains(*seconds)) {
            *seconds = 0.0;
        }
    }

    /// What a stream of these bytes says; an incomplete last line counts for nothing.
    pub fn from_bytes(bytes: &[u8], order_len: usize) -> Self {
        let mut digest = Digest::new(order_len);
        Lines::default().feed(bytes, &mut |event| digest.take(event));
        digest.told()
    }
}

/// What these events say of a run of `order_len` tests.
pub fn digest(events: impl IntoIterator<Item = Event>, order_len: usize) -> Told {
    let mut digest = Digest::new(order_len);
    events.into_iter().for_each(|event| digest.take(event));
    digest.told()
}

/// Takes the events of one run as they come.
#[derive(Clone, Debug)]
pub struct Digest {
    told: Told,
    open: Option<Open>,
    text: usize,
}

/// The test between its `start` and its `fin`.
#[derive(Clone, Debug)]
struct Open {
    n: u64,
    phase: Phase,
    seconds: f64,
    /// A report of the whole test (not of a subtest) came in.
    reported: bool,
    /// The worst of what is no failure.
    best: Outcome,
    /// The first failure names the outcome: a body that failed is `Failed` even where its teardown fails as well.
    failure: Option<Outcome>,
    /// Everything that was reported.
    all: blake3::Hasher,
}

impl Open {
    fn at(n: u64) -> Self {
        Self {
            n,
            phase: Phase::Setup,
            seconds: 0.0,
            reported: false,
            best: Outcome::Passed,
            failure: None,
            all: blake3::Hasher::new(),
        }
    }

    fn detail(&mut self, report: &PhaseReport) {
        let PhaseReport { when, outcome, xfail, subtest, .. } = report;
        let optional = |text: &Option<String>| text.as_deref().map(masked);
        let sections: Vec<(&str, String)> =
            report.sections.iter().map(|(title, text)| (title.as_str(), masked(text))).collect();
        let (kind, message) = (&report.r#type, optional(&report.message));
        let all = format!("{:?}", (when, outcome, xfail, subtest, kind, message, sections));
        self.all.update(all.as_bytes());
    }

    fn report(&mut self, report: &PhaseReport) {
        if report.outcome == Said::Failed {
            let failure = match report.when {
                Phase::Call => Outcome::Failed,
                phase => Outcome::Errored(phase),
            };
            self.failure.get_or_insert(failure);
        }
        if report.subtest {
            // A subtest that passes or skips says nothing of its test; one that fails does (above).
            return;
        }
        self.reported = true;
        self.seconds += report.seconds;
        let said = match (report.outcome, report.xfail) {
            (Said::Skipped, true) => Outcome::XFailed,
            (Said::Skipped, false) => Outcome::Skipped,
            (Said::Passed, true) if report.when == Phase::Call => Outcome::XPassed,
            _ => Outcome::Passed,
        };
        self.best = self.best.max(said);
        self.phase = match (report.when, report.outcome) {
            (Phase::Setup, Said::Passed) => Phase::Call,
            _ => Phase::Teardown,
        };
    }
}

impl Digest {
    /// Nothing has been told yet of a run of `order_len` tests.
    pub fn new(order_len: usize) -> Self {
        let told = Told {
            outcomes: vec![Outcome::NotReached; order_len],
            seconds: vec![0.0; order_len],
            ..Told::default()
        };
        Self { told, open: None, text: 0 }
    }

    /// The same, of a run whose records carry what tests printed.
    pub fn detailed(order_len: usize) -> Self {
        let mut digest = Self::new(order_len);
        digest.told.details = vec![0; order_len];
        digest
    }

    /// One more event. Never panics, whatever the events are.
    pub fn take(&mut self, event: Event) {
        let told = &mut self.told;
        match event {
            Event::Hello(hello) => told.hello = Some(hello),
            Event::Changed(changed) => told.changed.push(changed),
            Event::CollectError(error) => told.collect_errors.push(error),
            Event::Collected(collected) => told.collected = Some(collected),
            Event::Mismatch(mismatch) => told.mismatch = Some(mismatch),
            Event::Interrupt { n, r#type, message } => {
                told.interrupt.get_or_insert(Interrupt { n, r#type, message });
            }
            Event::Go { waited } => told.waited = waited.max(0.0),
            Event::Cut { reason, .. } => told.cut = Some(reason),
            Event::End { code } => told.end = Some(code),
            Event::Damaged => told.damaged += 1,
            Event::Start { i, n } => self.start(i, n),
            Event::Phase(report) => self.report(*report),
            Event::Probed(probed) => told.probed.push(probed),
            Event::Trying { k } if k == told.fanned.len() as u64 => told.fanned.push(Vec::new()),
            Event::Tried { k, failed } if k + 1 == told.fanned.len() as u64 => {
                told.fanned[k as usize].push(if failed { Seen::Fail } else { Seen::Pass });
            }
            Event::Fin { n } => self.finish(n, None),
            Event::Pass { n, seconds } => self.finish(n, Some(seconds)),
            Event::Probing { .. }
            | Event::Trying { .. }
            | Event::Tried { .. }
            | Event::Serving { .. }
            | Event::Forked { .. }
            | Event::Refused { .. }
            | Event::Reaped { .. }
            | Event::Unknown => {}
        }
    }

    /// Whether pytest has said that it ended.
    pub fn has_ended(&self) -> bool {
        self.told.end.is_some()
    }

    /// What has been told so far.
    pub fn told(mut self) -> Told {
        self.told.running = self.open.map(|open| Running { n: open.n, phase: open.phase });
        self.told
    }

    fn start(&mut self, i: u32, n: u64) {
        let expected = self.told.executed.len() as u64;
        if let Some(open) = &self.open {
            let running = open.n;
            self.contradict(format!(
                "the test at position {n} began while the one at position {running} ran"
            ));
        } else if n != expected {
            self.contradict(format!("the test at position {n} began where position {expected} was due"));
        } else if n >= self.told.outcomes.len() as u64 {
            self.contradict(format!("a test began after all {n} of the order"));
        } else if self.told.out_of_order.is_none() {
            self.told.executed.push(i);
            self.open = Some(Open::at(n));
        }
    }

    fn report(&mut self, mut report: PhaseReport) {
        match &mut self.open {
            Some(open) if open.n == report.n => {
                open.report(&report);
                if !self.told.details.is_empty() {
                    open.detail(&report);
                }
                if report.outcome != Said::Passed {
                    self.text += report.text.as_ref().map_or(0, String::len);
                    if self.text > TEXT_BUDGET {
                        report.text = None;
                    }
                    report.sections = Vec::new();
                    self.told.reports.push(report);
                }
            }
            _ => self.contradict(format!("a report came for position {}, which was not running", report.n)),
        }
    }

    /// `lean`: the seconds of a `pass`, which stands for the reports as well.
    fn finish(&mut self, n: u64, lean: Option<f64>) {
        let Some(open) = self.open.take_if(|open| open.n == n) else {
            self.contradict(format!("position {n} ended, which was not running"));
            return;
        };
        if !open.reported && lean.is_none() {
            self.contradict(format!(
                "position {n} ended without a report: another plugin ran the test, or nobody did"
            ));
            return;
        }
        let at = n as usize;
        self.told.outcomes[at] = open.failure.unwrap_or(open.best);
        self.told.seconds[at] = open.seconds + lean.unwrap_or(0.0);
        self.told.finished = n + 1;
        if let Some(detail) = self.told.details.get_mut(at) {
            // 0 is said of what was not reached.
            *detail =
                u32::from_le_bytes(open.all.finalize().as_bytes()[..4].try_into().unwrap_or_default()).max(1);
        }
    }

    /// The first contradiction stands; what comes after it is not believed.
    fn contradict(&mut self, what: String) {
        self.told.out_of_order.get_or_insert(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome of one test with these phases: `(when, outcome, flags)`.
    fn outcome(phases: &[(&str, &str, &str)]) -> Outcome {
        let mut lines = String::from("{\"event\":\"start\",\"i\":0,\"n\":0}\n");
        for (when, outcome, flags) in phases {
            lines.push_str(&format!(
                "{{\"event\":\"phase\",\"n\":0,\"when\":\"{when}\",\"outcome\":\"{outcome}\",\"seconds\":0.25{flags}}}\n"
            ));
        }
        lines.push_str("{\"event\":\"fin\",\"n\":0}\n");
        let told = Told::from_bytes(lines.as_bytes(), 1);
        assert_eq!(told.out_of_order, None);
        told.outcomes[0]
    }

    #[test]
    fn the_rules_of_pytest() {
        let (xfail, sub) = (",\"xfail\":true", ",\"subtest\":true");
        let (setup, teardown) = (("setup", "passed", ""), ("teardown", "passed", ""));
        for (phases, expected) in [
            (vec![setup, ("call", "passed", ""), teardown], Outcome::Passed),
            (vec![setup, ("call", "failed", ""), teardown], Outcome::Failed),
            (vec![("setup", "failed", ""), teardown], Outcome::Errored(Phase::Setup)),
            (
                vec![setup, ("call", "passed", ""), ("teardown", "failed", "")],
                Outcome::Errored(Phase::Teardown),
            ),
            (vec![setup, ("call", "failed", ""), ("teardown", "failed", "")], Outcome::Failed),
            (vec![("setup", "skipped", ""), teardown], Outcome::Skipped),
            (
                vec![setup, ("call", "skipped", ""), ("teardown", "failed", "")],
                Outcome::Errored(Phase::Teardown),
            ),
            (vec![setup, ("call", "skipped", xfail), teardown], Outcome::XFailed),
            (vec![("setup", "skipped", xfail), teardown], Outcome::XFailed),
            (vec![setup, ("call", "passed", xfail), teardown], Outcome::XPassed),
            // The mark is in play in every phase; only a body that passes passes unexpectedly.
            (vec![("setup", "passed", xfail), ("call", "skipped", xfail), teardown], Outcome::XFailed),
            // strict
            (vec![setup, ("call", "failed", xfail), teardown], Outcome::Failed),
            (vec![setup, ("call", "failed", sub), ("call", "passed", ""), teardown], Outcome::Failed),
            (vec![setup, ("call", "skipped", sub), ("call", "passed", ""), teardown], Outcome::Passed),
        ] {
            assert_eq!(outcome(&phases), expected, "{phases:?}");
        }
    }

    fn told(lines: &[&str], order_len: usize) -> Told {
        Told::from_bytes((lines.join("\n") + "\n").as_bytes(), order_len)
    }

    #[test]
    fn the_lean_protocol_counts_as_three_phases() {
        let told = told(
            &[
                r#"{"event":"start","i":5,"n":0}"#,
                r#"{"event":"pass","n":0,"seconds":0.5}"#,
                r#"{"event":"start","i":6,"n":1}"#,
            ],
            3,
        );
        assert_eq!(told.outcomes, [Outcome::Passed, Outcome::NotReached, Outcome::NotReached]);
        assert_eq!(told.seconds[0], 0.5);
        assert_eq!(told.executed, [5, 6]);
        assert_eq!(told.running, Some(Running { n: 1, phase: Phase::Setup }));
    }

    #[test]
    fn a_test_that_takes_longer_than_its_run_says_nothing_of_time() {
        let passes = [("0", "0.5"), ("1", "1326495446.7"), ("2", "-1326495446.7")].map(|(n, seconds)| {
            format!(
                "{{\"event\":\"start\",\"i\":{n},\"n\":{n}}}\n{{\"event\":\"pass\",\"n\":{n},\"seconds\":{seconds}}}"
            )
        });
        let mut told = told(&passes.each_ref().map(String::as_str), 3);
        assert_eq!(told.outcomes, [Outcome::Passed; 3]);
        told.keep_within(Duration::from_secs(2));
        assert_eq!(told.seconds, [0.5, 0.0, 0.0]);
    }

    #[test]
    fn contradictions_are_told() {
        let start = r#"{"event":"start","i":0,"n":0}"#;
        let pass = r#"{"event":"pass","n":0,"seconds":0}"#;
        for lines in [
            vec![r#"{"event":"start","i":0,"n":1}"#],
            vec![start, start],
            vec![start, pass, start],
            vec![start, pass, r#"{"event":"start","i":0,"n":1}"#],
            vec![pass],
            vec![start, r#"{"event":"fin","n":0}"#],
            vec![r#"{"event":"phase","n":0,"when":"call","outcome":"passed"}"#],
            vec![start, r#"{"event":"phase","n":1,"when":"call","outcome":"passed"}"#],
        ] {
            assert!(told(&lines, 1).out_of_order.is_some(), "{lines:?}");
        }
        assert_eq!(told(&[start, pass], 1).out_of_order, None);
    }
}
