//! Seeds, the orders they name, and the plan of orders to try.

mod keyed;
mod shuffle;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use shuffle::Shuffler;

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
    ///
    /// The functions of a module that stand outside of any class are one block, like a class; blocks of different
    /// modules interleave. A nested class is a block of its own, here and within a module.
    Class,
    /// Every test for itself: everything interleaves.
    Test,
}

/// The level of a plan: one for all seeds, or by turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Levels {
    /// Every other seed permutes tests, which shows most; the rest takes turns between modules, which is what the
    /// usual plugins shuffle, and classes. The seed alone decides, not its place in a plan: seed 42 stays seed 42.
    #[default]
    Mixed,
    /// This one.
    All(Level),
}

/// The short name of an order.
///
/// [`Display`](fmt::Display) and [`FromStr`] agree: `collection`, `reverse`, `seed 42 (test)`, `given NAME`, `probe`.
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

/// A text that names no seed, level or order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseOrderError {
    text: String,
    expected: &'static str,
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Seed {
    type Err = ParseOrderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().map_err(|_| unknown(text, "a seed: a whole number from 0 to 2^64 - 1"))?;
        Ok(Self(number))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Module => "module",
            Self::Class => "class",
            Self::Test => "test",
        })
    }
}

impl FromStr for Level {
    type Err = ParseOrderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "module" => Ok(Self::Module),
            "class" => Ok(Self::Class),
            "test" => Ok(Self::Test),
            _ => Err(unknown(text, "a level: module, class or test")),
        }
    }
}

impl Levels {
    /// The level of a seed.
    pub fn of(self, seed: Seed) -> Level {
        match self {
            Self::All(level) => level,
            Self::Mixed => match seed.0 % 4 {
                0 | 2 => Level::Test,
                1 => Level::Module,
                _ => Level::Class,
            },
        }
    }

    /// The order of a seed.
    pub fn name(self, seed: Seed) -> OrderName {
        OrderName::Seed { seed, level: self.of(seed) }
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mixed => f.pad("mixed"),
            Self::All(level) => level.fmt(f),
        }
    }
}

impl FromStr for Levels {
    type Err = ParseOrderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "mixed" {
            return Ok(Self::Mixed);
        }
        text.parse().map(Self::All).map_err(|_| unknown(text, "a level: module, class, test or mixed"))
    }
}

impl From<Levels> for String {
    fn from(levels: Levels) -> Self {
        levels.to_string()
    }
}

impl TryFrom<String> for Levels {
    type Error = ParseOrderError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for OrderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collection => f.write_str("collection"),
            Self::Reverse => f.write_str("reverse"),
            Self::Seed { seed, level } => write!(f, "seed {seed} ({level})"),
            Self::Given(name) => write!(f, "given {name}"),
            Self::Probe => f.write_str("probe"),
        }
    }
}

impl FromStr for OrderName {
    type Err = ParseOrderError;

    /// What `Display` prints; a seed without its level is one of [`Levels::Mixed`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "collection" => return Ok(Self::Collection),
            "reverse" => return Ok(Self::Reverse),
            "probe" => return Ok(Self::Probe),
            _ => {}
        }
        if let Some(name) = text.strip_prefix("given ") {
            return Ok(Self::Given(name.to_owned()));
        }
        let seed = text.strip_prefix("seed ").unwrap_or(text);
        match seed.strip_suffix(')').and_then(|seed| seed.split_once(" (")) {
            Some((seed, level)) => {
                seed.parse().and_then(|seed| Ok(Self::Seed { seed, level: level.parse()? }))
            }
            None => seed.parse().map(|seed| Levels::Mixed.name(seed)),
        }
        .map_err(|_: ParseOrderError| {
            unknown(text, "an order: collection, reverse, a seed or `seed N (LEVEL)`")
        })
    }
}

fn unknown(text: &str, expected: &'static str) -> ParseOrderError {
    ParseOrderError { text: text.to_owned(), expected }
}

/// The orders to try, in turn.
///
/// Collection order and its reverse come first, because together they show every pair both ways round.
#[derive(Clone, Debug)]
pub struct Plan {
    fixed: std::slice::Iter<'static, OrderName>,
    seeds: Seeds,
    levels: Levels,
}

#[derive(Clone, Debug)]
enum Seeds {
    /// Consecutive ones: the next, and how many are left. After the greatest seed comes 0.
    From(Seed, u32),
    /// Just these.
    These(std::vec::IntoIter<Seed>),
}

impl Plan {
    /// Collection order, reverse, and as many consecutive seeds from `start` on.
    pub fn new(start: Seed, seeds: u32, levels: Levels) -> Self {
        const FIXED: &[OrderName] = &[OrderName::Collection, OrderName::Reverse];
        Self { fixed: FIXED.iter(), seeds: Seeds::From(start, seeds), levels }
    }

    /// Exactly these seeds.
    pub fn of(seeds: Vec<Seed>, levels: Levels) -> Self {
        Self { fixed: [].iter(), seeds: Seeds::These(seeds.into_iter()), levels }
    }
}

impl Iterator for Plan {
    type Item = OrderName;

    fn next(&mut self) -> Option<OrderName> {
        if let Some(name) = self.fixed.next() {
            return Some(name.clone());
        }
        let seed = match &mut self.seeds {
            Seeds::From(_, 0) => return None,
            Seeds::From(next, left) => {
                *left -= 1;
                std::mem::replace(next, Seed(next.0.wrapping_add(1)))
            }
            Seeds::These(seeds) => seeds.next()?,
        };
        Some(self.levels.name(seed))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let seeds = match &self.seeds {
            Seeds::From(_, left) => *left as usize,
            Seeds::These(seeds) => seeds.len(),
        };
        (self.fixed.len() + seeds, Some(self.fixed.len() + seeds))
    }
}

impl ExactSizeIterator for Plan {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for text in [
            "collection",
            "reverse",
            "seed 42 (test)",
            "seed 18446744073709551615 (module)",
            "given a b",
            "probe",
        ] {
            assert_eq!(text.parse::<OrderName>().map(|name| name.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("42".parse(), Ok(Levels::Mixed.name(Seed(42))));
        assert_eq!("seed 7".parse(), Ok(Levels::Mixed.name(Seed(7))));
    }

    #[test]
    fn what_names_nothing_is_refused_with_the_whole_text() {
        for text in [
            "",
            "seed",
            "seed -1",
            "seed 18446744073709551616",
            "seed 1 (tests)",
            "seed 1 (test",
            "given",
            "1.5",
        ] {
            let error = text.parse::<OrderName>().expect_err(text);
            assert!(error.to_string().starts_with(&format!("`{text}` is not an order")), "{error}");
        }
        assert_eq!(
            "all".parse::<Levels>().map_err(|error| error.to_string()),
            Err("`all` is not a level: module, class, test or mixed".to_owned())
        );
    }

    #[test]
    fn levels_are_stored_as_they_are_typed() {
        for text in ["mixed", "module", "class", "test"] {
            let levels: Levels = serde_json::from_value(text.into()).expect(text);
            assert_eq!(serde_json::to_value(levels).expect(text), text);
        }
    }

    #[test]
    fn a_plan_starts_with_both_ways_round() {
        let plan = Plan::new(Seed(40), 5, Levels::Mixed);
        assert_eq!(plan.len(), 7);
        assert_eq!(
            plan.map(|name| name.to_string()).collect::<Vec<_>>(),
            [
                "collection",
                "reverse",
                "seed 40 (test)",
                "seed 41 (module)",
                "seed 42 (test)",
                "seed 43 (class)",
                "seed 44 (test)"
            ]
        );
    }

    #[test]
    fn chosen_seeds_stand_alone_and_the_greatest_is_followed_by_zero() {
        let named = |plan: Plan| plan.map(|name| name.to_string()).collect::<Vec<_>>();
        let chosen = Plan::of(vec![Seed(9), Seed(9)], Levels::All(Level::Module));
        assert_eq!(named(chosen), ["seed 9 (module)", "seed 9 (module)"]);
        let last = Plan::new(Seed(u64::MAX), 2, Levels::All(Level::Test));
        assert_eq!(named(last)[2..], ["seed 18446744073709551615 (test)", "seed 0 (test)"]);
    }
}
