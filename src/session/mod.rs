//! The folder a hunt lives in: journal, store, lock, resume.

pub mod drive;
pub mod event;
pub mod files;
pub mod gauge;
pub mod journal;
pub mod lock;
pub mod resume;
pub mod saved;
pub mod session_dir;
pub mod store;
