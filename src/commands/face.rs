//! What a person sees while a hunt runs.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use super::Context;
use super::hunt::width;
use crate::core::hunt::{Goal, Hunt, Stage};
use crate::core::test_id::{Suite, TestIdx};
use crate::progress::{Mode, Progress};
use crate::pytest::lasting::Lasting;
use crate::report::human::{
    Baseline, baseline_line, header_line, plan_line, proven_line, repeat_line, suite_line, waiting_line,
};
use crate::session::drive::Onlooker;
use crate::session::event::Header;

/// What a person sees while a hunt runs.
pub(super) struct Face<'a> {
    context: &'a Context,
    pub progress: Progress,
    jobs: u32,
    /// The first lines go to standard output, where the result will follow them.
    pub headed: bool,
    quiet: bool,
    mode: Mode,
    stage: Option<Stage>,
    stage_began: u32,
    baseline_said: bool,
    orders: u32,
    asks: Asks,
    suite: &'a Suite,
    /// What was seen to be proven.
    proven: BTreeSet<TestIdx>,
    proven_said: usize,
    /// What was said to be waited for.
    waited: BTreeSet<TestIdx>,
}

/// So many answers are said as soon as they are proven, and so many tests that are waited for; the report has all of them.
const SAID_AT_ONCE: usize = 10;
/// A test that runs for so long is named.
const WAITS: Duration = Duration::from_secs(15);

/// What the command asks, as far as the first lines depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Which tests depend on their order: the baseline is said, and how many orders follow.
    Orders,
    /// Which failures are real: what the suite came to is said.
    Failures,
    /// How often tests fail: what is repeated is said.
    Rates,
    /// Something that needs no line of its own.
    Nothing,
}

impl<'a> Face<'a> {
    /// Says the first line, which is known before anything has run.
    pub fn new(
        context: &'a Context,
        to_people: bool,
        hunt: &Hunt,
        header: &Header,
        suite: &'a Suite,
    ) -> Self {
        let quiet = context.cli.common.quiet;
        let mode = if quiet { Mode::None } else { context.settings.progress.value };
        let (orders, asks) = match hunt.goal() {
            Goal::Shuffle { orders, .. } => (orders.len() as u32, Asks::Orders),
            Goal::Bisect { orders, .. } | Goal::Orders { orders, .. } => (orders.len() as u32, Asks::Nothing),
            Goal::Rerun(_) => (0, Asks::Failures),
            Goal::Repeat { repeats, .. } => (repeats.runs(), Asks::Rates),
        };
        let face = Self {
            context,
            progress: Progress::new(mode),
            jobs: header.environment.jobs,
            headed: to_people && !quiet,
            quiet,
            mode,
            stage: None,
            stage_began: 0,
            baseline_said: false,
            orders,
            asks,
            suite,
            proven: BTreeSet::new(),
            proven_said: 0,
            waited: BTreeSet::new(),
        };
        face.first_line(&header_line(header, suite.len(), width(context), face.color()));
        if let Goal::Repeat { repeats, order } = hunt.goal() {
            let name = order.as_ref().map(|planned| &planned.name);
            face.first_line(&repeat_line(repeats, name, width(context), face.color()));
        }
        face
    }

    fn color(&self) -> bool {
        match self.headed {
            true => self.context.colored(self.context.surroundings.stdout_is_terminal),
            false => self.color_of_errors(),
        }
    }

    fn color_of_errors(&self) -> bool {
        self.context.colored(self.context.surroundings.stderr_is_terminal)
    }

    /// A line that belongs to the report, as early as it is known.
    fn first_line(&self, line: &str) {
        if self.quiet {
            return;
        }
        if self.headed {
            self.progress.suspend(|| {
                let mut out = std::io::stdout().lock();
                // A reader that has gone is seen again when the result is written.
                let _ = writeln!(out, "{line}").and_then(|()| out.flush());
            });
        } else {
            self.progress.println(line);
        }
    }

    /// What the suite came to as it is.
    fn say_suite(&self, hunt: &Hunt) {
        if let Some(line) = suite_line(&hunt.answers(), width(self.context), self.color()) {
            self.first_line(&line);
        }
    }

    fn say_baseline(&mut self, hunt: &Hunt) {
        let baseline = Baseline::of(&hunt.answers());
        if baseline.runs == 0 {
            return;
        }
        let each = u64::from(self.orders) * baseline.each_ms / u64::from(self.jobs.max(1));
        self.first_line(&baseline_line(&baseline, &plan_line(self.orders, Some(each)), self.color()));
    }

    /// An answer, as soon as it is proven: the hunt may go on for its completeness, or for other tests.
    fn say_proven(&mut self, hunt: &Hunt) {
        let only_this = matches!(hunt.goal(), Goal::Bisect { first: true, .. });
        if only_this || self.mode == Mode::None {
            return;
        }
        for test in hunt.proven() {
            if self.proven_said == SAID_AT_ONCE || !self.proven.insert(test) {
                continue;
            }
            let Some(verdict) = hunt.verdict(test) else { continue };
            let color = self.color_of_errors();
            if let Some(line) = proven_line(self.suite, &verdict, width(self.context), color) {
                self.progress.println(&line);
                self.proven_said += 1;
            }
        }
    }
}

impl Onlooker for Face<'_> {
    fn look(&mut self, hunt: &Hunt) {
        self.say_proven(hunt);
        let stage = hunt.stage();
        if self.stage != Some(stage) {
            if !self.baseline_said && stage != Stage::Baseline {
                self.baseline_said = true;
                match self.asks {
                    Asks::Orders => self.say_baseline(hunt),
                    Asks::Failures => self.say_suite(hunt),
                    Asks::Rates | Asks::Nothing => {}
                }
            }
            let (name, total) = match stage {
                Stage::Baseline if self.asks == Asks::Failures => ("suite", None),
                Stage::Hunt if self.asks == Asks::Failures => ("rerunning", None),
                Stage::Baseline => ("baseline", Some(2)),
                Stage::Explore if self.asks == Asks::Rates => ("repeating", Some(u64::from(self.orders))),
                Stage::Explore => ("hunting", Some(u64::from(self.orders))),
                Stage::Alone => ("alone", None),
                Stage::Hunt => ("proving", None),
                Stage::Complete => ("completing", None),
                Stage::Done => return,
            };
            self.stage = Some(stage);
            self.stage_began = hunt.answered();
            self.progress.phase(name, total);
        }
        self.progress.advance(u64::from(hunt.answered() - self.stage_began));
        self.progress.suspects(hunt.suspects() as u32);
    }

    fn waits(&mut self, lasting: Lasting) {
        let Lasting { test, since, limit } = lasting;
        if self.mode == Mode::None
            || since < WAITS
            || self.waited.len() == SAID_AT_ONCE
            || !self.waited.insert(test)
        {
            return;
        }
        let line =
            waiting_line(self.suite.node_id(test), since, limit, width(self.context), self.color_of_errors());
        self.progress.println(&line);
    }

    fn notice(&mut self, about: &str, text: &str) {
        let detail = matches!(about, "plugin" | "leak" | "junit" | "run" | "time-out");
        if !self.quiet && (!detail || self.context.cli.common.verbose > 0) {
            self.progress.println(&format!("notice     {}", crate::report::text::shown(text)));
        }
    }
}
