//! Lines of two or three tests, many of them in one run: a copy of a process that has run no test tries each. That is cheaper
//! than a run of its own, which only a line gets that shows something.
//!
//! Copies share the folder for temporary files and whatever a test leaves outside of its process. So what they see is a hint:
//! that a line shows nothing is taken as it is, anything else is asked in a run of its own.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use super::Shared;
use super::complete::window;
use super::probe::How;
use crate::core::order::OrderName;
use crate::core::outcome::Seen;
use crate::core::run::{Purpose, RunSpec};
use crate::core::test_id::TestIdx;

/// More lines than this are not asked in one run: it goes on for as long as all of them together, and ends with one that
/// hangs.
const MOST: usize = 50;
/// Fewer are not worth it.
const LEAST: usize = 4;
/// So many runs for each place, so that all places have something to do until the end.
const SHARES: usize = 4;

/// Asks these lines, as far as that is not done yet; afterwards [`hint`] knows of them.
pub(crate) async fn ask(h: &Shared, lines: Vec<Vec<TestIdx>>, purpose: Purpose) {
    if !h.plan.forks || h.only_fresh.get() {
        return;
    }
    let new: Vec<Vec<TestIdx>> =
        lines.into_iter().filter(|line| !h.hints.borrow().contains_key(line)).collect();
    if new.len() < LEAST {
        return;
    }
    let size = (new.len() / (SHARES * h.jobs.get().max(1) as usize)).clamp(LEAST, MOST);
    let shares = new.chunks(size).map(<[_]>::to_vec);
    stream::iter(shares)
        .map(|share| one_run_or_more(h, share, purpose))
        .buffer_unordered(window(h))
        .for_each(|()| std::future::ready(()))
        .await;
}

/// What a copy saw of each test of this line; `None` where none was asked, or it did not come to its end.
pub(crate) fn hint(h: &Shared, line: &[TestIdx]) -> Option<Vec<Seen>> {
    h.hints.borrow().get(line).filter(|seen| seen.len() == line.len()).cloned()
}

/// A line that ends the run takes those behind it along: they are asked again.
async fn one_run_or_more(h: &Shared, mut lines: Vec<Vec<TestIdx>>, purpose: Purpose) {
    while !lines.is_empty() {
        let how = How::spare(purpose);
        let plain = h.spec(Vec::new(), OrderName::Probe, how);
        let spec = RunSpec { fan: Some(Arc::from(lines.clone())), ..plain };
        let run = h.board.ask(spec, 0, how.urgency).await;
        let fanned = &run.record.fanned;
        if fanned.is_empty() {
            return;
        }
        let rest = lines.split_off(fanned.len().min(lines.len()));
        h.hints.borrow_mut().extend(lines.into_iter().zip(fanned.iter().cloned()));
        lines = rest;
    }
}
