//! How many runs go side by side, by what they leave idle: tests that sleep, or wait for a disk or a network, leave
//! cores to other runs.

use serde::{Deserialize, Serialize};

/// What was free while runs went on, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Of the time of all cores.
    pub idle: u32,
    /// Of the memory.
    pub memory: u32,
}

/// Below this much free memory no run is added, and those that were added are taken back.
const LITTLE_MEMORY: u32 = 250;
/// Where the cores are idle for longer, there is room for more runs.
const ROOM: u32 = 200;
/// Where they are idle for less, the runs are in each other's way.
const PRESSURE: u32 = 50;
/// How much of the cores is to be used: runs that always wait for a core tell less of their tests.
const WANTED: u32 = 850;
/// At most so many times as many runs at once: one measurement is not to be trusted further.
const STEP: u32 = 4;
/// At most so many runs for each one that there would be by the number of cores.
pub const MOST: u32 = 6;

/// How many runs to have at once, given what `jobs` of them left idle. Never fewer than `least`, nor more than
/// [`MOST`] times as many.
pub fn jobs_for(load: Load, jobs: u32, least: u32) -> u32 {
    if load.memory < LITTLE_MEMORY {
        return least;
    }
    let wanted = if load.idle > ROOM {
        let busy = 1000_u32.saturating_sub(load.idle).max(1);
        (jobs * WANTED).div_ceil(busy).min(jobs * STEP)
    } else if load.idle < PRESSURE {
        jobs.saturating_sub(1)
    } else {
        jobs
    };
    wanted.clamp(least, least * MOST)
}

/// Whether a run more may be started while the tests of others go on, to be ready when one of those has ended.
pub fn may_start_ahead(load: Load) -> bool {
    load.idle > ROOM && load.memory >= LITTLE_MEMORY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_wait_make_room() {
        // A quarter of two cores is used by two runs: nearly four times as many fit.
        assert_eq!(jobs_for(Load { idle: 750, memory: 900 }, 2, 2), 7);
        // One run is over and the next has not begun.
        assert_eq!(jobs_for(Load { idle: 250, memory: 900 }, 2, 2), 3);
        assert_eq!(jobs_for(Load { idle: 990, memory: 900 }, 2, 2), 8);
        assert_eq!(jobs_for(Load { idle: 990, memory: 900 }, 8, 2), 12);
    }

    #[test]
    fn tests_that_compute_leave_it_at_the_cores() {
        assert_eq!(jobs_for(Load { idle: 100, memory: 900 }, 2, 2), 2);
        assert_eq!(jobs_for(Load { idle: 0, memory: 900 }, 2, 2), 2);
    }

    #[test]
    fn pressure_takes_runs_back() {
        assert_eq!(jobs_for(Load { idle: 10, memory: 900 }, 8, 2), 7);
        assert_eq!(jobs_for(Load { idle: 100, memory: 900 }, 8, 2), 8);
        assert_eq!(jobs_for(Load { idle: 900, memory: 200 }, 8, 2), 2);
    }
}
