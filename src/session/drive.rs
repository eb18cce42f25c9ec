//! The loop between the search and the executor: puts questions, journals them, gives the answers back.
//!
//! Nothing here decides anything about tests. What it does decide is when to stop asking: when the search is done,
//! the budget is used up, or a person says so.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use super::event::{Answer, EndReason, Event};
use super::gauge::Gauge;
use super::journal::{Journal, Sink};
use crate::core::hunt::load::{Load, jobs_for, may_start_ahead};
use crate::core::hunt::{Hunt, Step};
use crate::core::run::{RunId, RunRecord, RunSpec};
use crate::error::Failure;
use crate::process::{Cancel, CancelSignal};
use crate::pytest::executor::{Answered, Executor};
use crate::pytest::lasting::Lasting;
use crate::pytest::slots::Slots;

/// Where a hunt stops although it is not done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// From now on.
    pub time: Option<Duration>,
    /// Of the whole session.
    pub runs: Option<u32>,
}

/// What wants to know how a hunt goes on.
pub trait Onlooker {
    /// Something has changed: an answer came in, a stage began.
    fn look(&mut self, hunt: &Hunt);
    /// Something to be said once.
    fn notice(&mut self, about: &str, text: &str);
    /// Nothing has come for a while, and this test is what runs.
    fn waits(&mut self, lasting: Lasting);
}

/// What a sitting came to.
#[derive(Debug)]
pub struct Sitting {
    /// Why it ended.
    pub why: EndReason,
    /// Processes that were started from nothing.
    pub processes: u32,
}

/// One sitting of a hunt: from its beginning, or from where a journal left it.
pub struct Drive<'a, E, S: Sink> {
    /// The search.
    pub hunt: &'a mut Hunt,
    /// What answers.
    pub executor: &'a E,
    /// What is written.
    pub journal: &'a mut Journal<S>,
    /// How many runs at once, at least.
    pub jobs: u32,
    /// More where they leave cores idle.
    pub auto: bool,
    /// Says what they leave idle.
    pub gauge: &'a mut dyn Gauge,
    /// Where to stop.
    pub budget: Budget,
    /// Questions that were put in an earlier sitting and not answered.
    pub open: Vec<(RunId, RunSpec)>,
    /// What was said before.
    pub said: Vec<(String, String)>,
}

/// When no answer has come for so long, the load is looked at all the same.
const SILENCE: Duration = Duration::from_millis(500);

type Answering<'a> = Pin<Box<dyn Future<Output = (RunId, Result<Answered, Failure>)> + 'a>>;

impl<E: Executor, S: Sink> Drive<'_, E, S> {
    /// Asks until the search is done or something else ends the sitting. `stop` rises when a person wants it to end.
    ///
    /// # Errors
    /// The journal cannot be written, or a run cannot be made: nothing of that is evidence. All children are ended.
    pub async fn run(
        mut self,
        stop: &watch::Sender<Cancel>,
        reason: &watch::Receiver<Option<EndReason>>,
        onlooker: &mut impl Onlooker,
    ) -> Result<Sitting, Failure> {
        #[expect(clippy::disallowed_methods, reason = "a budget is a matter of the clock")]
        let began = Instant::now();
        let deadline = self.budget.time.map(|time| began + time);
        let executor = self.executor;
        let slots = Slots::new(self.hunt.jobs());
        let mut running: FuturesUnordered<Answering<'_>> = FuturesUnordered::new();
        let mut ahead = false;
        let mut beside: BTreeMap<RunId, bool> = BTreeMap::new();
        let mut ending: Option<EndReason> = None;
        let mut processes = 0;
        let mut reason = reason.clone();
        let mut stopped = stop.subscribe();
        loop {
            slots.resize(self.hunt.jobs());
            let ready = u32::from(ahead && self.hunt.jobs() > 1 && executor.starts_ahead());
            while ending.is_none() && (running.len() as u32) < self.hunt.jobs() + ready {
                let (run, spec) = if let Some(open) = self.open.pop() {
                    open
                } else {
                    if self.budget.runs.is_some_and(|most| self.hunt.asked() >= most) {
                        ending = Some(EndReason::MaxRuns);
                        break;
                    }
                    match self.hunt.next_step() {
                        Step::Ask(run, spec) => {
                            self.journal.append(&Event::Asked { run, spec: spec.clone() })?;
                            (run, spec)
                        }
                        Step::Wait | Step::Done => break,
                    }
                };
                for company in beside.values_mut() {
                    *company = true;
                }
                beside.insert(run, !beside.is_empty());
                let mut cancel = stop.subscribe();
                let slots = &slots;
                running.push(Box::pin(async move {
                    if waited(spec.wait_ms, &mut cancel).await {
                        (run, executor.answer(run, spec, slots, cancel).await)
                    } else {
                        (run, Ok(Answered { record: None, notices: Vec::new(), processes: 0 }))
                    }
                }));
            }
            self.words(onlooker)?;
            onlooker.look(self.hunt);
            if running.is_empty() {
                break;
            }
            let full = running.len() as u32 >= self.hunt.jobs();
            tokio::select! {
                Some((run, answered)) = running.next() => {
                    let Answered { record, notices, processes: more } = answered?;
                    processes += more;
                    let company = beside.remove(&run).unwrap_or(false);
                    for (about, text) in notices {
                        self.say(&about, &text, onlooker)?;
                    }
                    let Some(record) = record else {
                        // What was cancelled has none, and may be seen before the wish to end is.
                        ending = ending.or(*reason.borrow()).or(Some(EndReason::Interrupted));
                        continue;
                    };
                    let record = RunRecord { beside: company, ..record };
                    if let Some(load) = self.gauge.look(full) {
                        ahead = may_start_ahead(load);
                        self.adapt(load, onlooker)?;
                    }
                    self.journal.append(&Event::Answered(Answer::of(&record)))?;
                    self.hunt.mark(record);
                }
                () = tokio::time::sleep(SILENCE), if ending.is_none() => {
                    if let Some(lasting) = executor.lasting() {
                        onlooker.waits(lasting);
                    }
                    // Long runs: no need to wait for the end of one to know what they leave idle.
                    if self.auto && full && let Some(load) = self.gauge.look(full) {
                        self.adapt(load, onlooker)?;
                    }
                }
                () = until(deadline), if ending.is_none() => {
                    ending = Some(EndReason::Budget);
                    stop.send_replace(Cancel::Politely);
                }
                changed = stopped.changed(), if ending.is_none() => {
                    if changed.is_ok() {
                        ending = Some((*reason.borrow_and_update()).unwrap_or(EndReason::Interrupted));
                    }
                }
            }
        }
        self.words(onlooker)?;
        Ok(Sitting { why: ending.unwrap_or(EndReason::Finished), processes })
    }

    /// Has more runs go side by side where they leave cores idle, and fewer where they do not.
    fn adapt(&mut self, load: Load, onlooker: &mut impl Onlooker) -> Result<(), Failure> {
        if !self.auto {
            return Ok(());
        }
        let before = self.hunt.jobs();
        let jobs = jobs_for(load, before, self.jobs);
        if jobs == before {
            return Ok(());
        }
        self.journal.append(&Event::Jobs { jobs, load })?;
        self.hunt.set_jobs(jobs);
        if before == self.jobs {
            self.say("load", "the tests leave cores idle: more runs go side by side", onlooker)?;
        }
        Ok(())
    }

    fn words(&mut self, onlooker: &mut impl Onlooker) -> Result<(), Failure> {
        for word in self.hunt.words() {
            self.say(word.about, &word.text, onlooker)?;
        }
        Ok(())
    }

    fn say(&mut self, about: &str, text: &str, onlooker: &mut impl Onlooker) -> Result<(), Failure> {
        let pair = (about.to_owned(), text.to_owned());
        if !self.said.contains(&pair) {
            self.journal.append(&Event::Notice { about: pair.0.clone(), text: pair.1.clone() })?;
            onlooker.notice(about, text);
            self.said.push(pair);
        }
        Ok(())
    }
}

/// Waits so many milliseconds. False where somebody wants the sitting to end before that.
async fn waited(wait_ms: u64, cancel: &mut CancelSignal) -> bool {
    if wait_ms == 0 {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(wait_ms)) => true,
        _ = cancel.wait_for(|cancel| *cancel != Cancel::No) => false,
    }
}

/// Ends at this moment; never, where there is none.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// Gives a hunt what a journal holds, in the order in which it happened. Gives the questions that were not answered.
///
/// # Errors
/// The journal holds a question that this search would not have put: another version wrote it.
pub fn replay(hunt: &mut Hunt, events: &[Event]) -> Result<Vec<(RunId, RunSpec)>, Failure> {
    let mut open: BTreeMap<RunId, RunSpec> = BTreeMap::new();
    let other = || {
        Failure::output("the journal was written by another version of the search and cannot be continued")
            .hint("start anew: `flakehunt shuffle`")
    };
    for event in events {
        match event {
            Event::Asked { run, spec } => {
                if open.contains_key(run) {
                    continue;
                }
                match hunt.next_step() {
                    Step::Ask(number, asked) if number == *run && asked == *spec => {
                        open.insert(number, asked);
                    }
                    _ => return Err(other()),
                }
            }
            Event::Answered(answer) => {
                let Some(spec) = open.remove(&answer.run) else { return Err(other()) };
                let record = answer.clone().into_record(&spec).map_err(Failure::output)?;
                hunt.mark(record);
            }
            Event::Jobs { jobs, .. } => hunt.set_jobs(*jobs),
            Event::Session(_) | Event::Suite { .. } | Event::Notice { .. } | Event::Ended { .. } => {}
        }
    }
    Ok(open.into_iter().collect())
}
