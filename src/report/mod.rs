//! Renderers of the journal.
