//! Seeds and the orders they name.

use serde::{Deserialize, Serialize};

/// A number a person can type; with [`Level`] and a suite it names one order for ever (order-v1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// What may be permuted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Modules, then classes and functions inside them, then methods: modules never interleave.
    Module,
    /// Classes (and the functions of a module that stand outside of any), then tests inside them.
    Class,
    /// Every test for itself: everything interleaves.
    Test,
}

/// The short name of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderName {
    /// As collected.
    Collection,
    /// As collected, backwards.
    Reverse,
    /// order-v1 of a seed.
    Seed {
        /// The seed.
        seed: Seed,
        /// What it permutes.
        level: Level,
    },
    /// Given by a person or taken from a report.
    Given(String),
    /// Made by the search.
    Probe,
}
