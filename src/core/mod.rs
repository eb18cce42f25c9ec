//! The part that decides. It has no I/O, no clock, no environment and no global random state:
//! what it knows came in as an argument, what it wants goes out as a question.

pub mod coverage;
pub mod fingerprint;
pub mod hunt;
pub mod minimize;
pub mod order;
pub mod outcome;
pub mod pattern;
pub mod rerun;
pub mod run;
pub mod simulated;
pub mod stats;
pub mod suspects;
pub mod test_id;
pub mod verdict;
