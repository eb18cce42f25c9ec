//! The folder a hunt lives in: journal, store, lock, resume.

pub mod event;
