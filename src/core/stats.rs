//! Exact intervals and tests with stated error rates.
