//! Supervision of one child process: its group, its limits, its end, its output.
