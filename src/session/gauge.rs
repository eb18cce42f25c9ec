//! What runs leave idle, as measured.

use crate::core::hunt::load::Load;
use crate::process::{Ticks, free_memory};

/// Measures what runs leave idle.
pub trait Gauge {
    /// What was free since the last look; `None` where that says nothing: it is not long ago, or fewer runs went on than
    /// might (`full` is false).
    fn look(&mut self, full: bool) -> Option<Load>;
}

/// Measures this machine.
#[derive(Debug)]
pub struct Machine {
    looked: Option<Ticks>,
}

impl Machine {
    /// Measures from now on.
    pub fn new() -> Self {
        Self { looked: Ticks::now() }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Gauge for Machine {
    fn look(&mut self, full: bool) -> Option<Load> {
        let (then, now) = (self.looked?, Ticks::now());
        if !full {
            self.looked = now;
            return None;
        }
        let load = Load { idle: now?.idle_since(then)?, memory: free_memory()? };
        self.looked = now;
        Some(load)
    }
}
