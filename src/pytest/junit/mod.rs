//! JUnit XML: read with limits, written from the stream, compared with the stream, joined with a suite.
//!
//! The stream is what a run is judged by. JUnit is what other tools read, what CI leaves behind, and a second witness.

pub mod chars;
pub mod crosscheck;
pub mod ids;
pub mod names;
pub mod reader;
pub mod writer;

/// The property that holds a test's node id.
pub const NODE_ID: &str = "fh_nodeid";
/// The property that holds a test's position in the order.
pub const POSITION: &str = "fh_n";
