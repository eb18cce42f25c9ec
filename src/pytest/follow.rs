//! What a supervisor sees of a run: the end of its stream.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::lasting::{Entry, Now};
use super::stream::{Digest, Tail, Told};
use crate::core::run::{RunId, RunSpec};
use crate::core::test_id::TestIdx;
use crate::process::Watch;

/// Follows a stream while its run goes on.
pub(super) struct Follow {
    tail: Tail,
    digest: Digest,
    held: Rc<Cell<bool>>,
    order: Arc<[TestIdx]>,
    entry: Entry,
}

impl Follow {
    pub(super) fn new(stream: PathBuf, run: RunId, spec: &RunSpec, now: &Now) -> Self {
        let tests = spec.order.len();
        let digest = if spec.detailed { Digest::detailed(tests) } else { Digest::new(tests) };
        let (order, entry) = (spec.order.clone(), now.of(run));
        Self { tail: Tail::new(stream), digest, held: Rc::default(), order, entry }
    }

    /// Whether the run waits to be let go, to be set by whoever lets it.
    pub(super) fn held(&self) -> Rc<Cell<bool>> {
        self.held.clone()
    }

    fn read(&mut self) -> Option<u64> {
        // An unreadable stream tells nothing; that the run did not end well is seen at its end.
        let _ = self.tail.poll(|event| self.digest.take(event));
        let running = self.tail.running();
        self.entry.runs(running, |at| self.order.get(usize::try_from(at).ok()?).copied());
        running
    }

    /// Everything the stream told, and how many tests had ended when reading it last.
    pub(super) fn finish(mut self) -> (Told, u64) {
        let finished = self.tail.finished();
        self.read();
        (self.digest.told(), finished)
    }
}

impl Watch for Follow {
    fn poll(&mut self) -> Option<u64> {
        self.read()
    }

    fn is_over(&self) -> bool {
        self.digest.has_ended()
    }

    fn is_held(&self) -> bool {
        self.held.get()
    }
}
