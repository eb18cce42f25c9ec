//! flakehunt is a pure search that asks questions ("run this order") and receives evidence ("these outcomes"),
//! a thin shell of effects that answers one question by one supervised pytest run and appends the answer to a
//! journal, and a face that renders nothing but that journal.
//!
//! ```text
//!   face       main, cli, config, commands, progress, report
//!                 |              reads
//!   effects    session (journal, driving), pytest (collection, executors), process (supervision)
//!                 |  RunSpec ^ RunRecord
//!   core       test_id, order, outcome, stats, suspects, minimize, hunt, verdict      pure
//! ```
//!
//! Imports go downwards only; a test reads the `use` lines and fails on one that does not.

pub mod cli;
pub mod commands;
pub mod config;
pub mod core;
pub mod error;
pub mod process;
pub mod progress;
pub mod pytest;
pub mod report;
pub mod session;
