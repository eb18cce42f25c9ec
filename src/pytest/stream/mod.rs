//! The stream: what the plugin tells of a run, line by line, while it happens (`docs/plugin-protocol.md`).
//!
//! [`Tail`] reads a stream that is still being written, [`Digest`] gathers its events into what is [`Told`], and
//! [`conclude`] makes the answer of a run from that and from how the process ended.

mod account;
mod conclude;
mod digest;
mod event;
mod tail;

pub use account::{accounts, micros};
pub use conclude::{Conclusion, conclude};
pub use digest::{Digest, Running, Told, digest};
pub use event::{Changed, CollectError, Collected, Event, Hello, Mismatch, PhaseReport, Said};
pub use tail::{LINE_LIMIT, Lines, Tail};
