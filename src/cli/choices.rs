//! Values that are one word of a few.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;

pub use crate::progress::Mode as ProgressChoice;
pub use crate::report::Format as ReportFormat;

use crate::core::order::Level;

/// What orders permute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelChoice {
    /// Modules, then inside them: modules never interleave
    Module,
    /// Classes, then inside them
    Class,
    /// Every test for itself: everything interleaves
    Test,
    /// One after the other
    Mixed,
}

/// How runs are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExecutorChoice {
    /// Fork where it is safe, else fresh processes
    Auto,
    /// Children of a process that has collected
    Fork,
    /// A fresh process for every run
    Spawn,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl LevelChoice {
    /// The level; `None` where they take turns.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::Module => Some(Level::Module),
            Self::Class => Some(Level::Class),
            Self::Test => Some(Level::Test),
            Self::Mixed => None,
        }
    }
}

/// What differs between the repetitions of `repeat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Vary {
    /// The seed of `random`
    Seed,
    /// PYTHONHASHSEED
    Hashseed,
}

/// Choices read from a configuration file or the environment and are shown by their word.
macro_rules! choices {
    ($($choice:ty),*) => {$(
        impl FromStr for $choice {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                <$choice as ValueEnum>::from_str(text, false).map_err(|_| {
                    let words: Vec<_> = Self::value_variants().iter().map(|choice| format!("`{choice}`")).collect();
                    format!("expected one of {}", words.join(", "))
                })
            }
        }

        impl fmt::Display for $choice {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
            }
        }
    )*};
}
choices!(LevelChoice, ExecutorChoice, ProgressChoice, ColorWhen, ReportFormat);
