//! A regular expression that a person typed and a journal keeps.

use std::fmt;
use std::str::FromStr;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A regular expression; it is searched for, not matched from the beginning.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// Whether it is found in this text.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl FromStr for Pattern {
    type Err = String;

    /// The error says what is wrong, in one line.
    fn from_str(text: &str) -> Result<Self, String> {
        let said = |error: regex::Error| {
            // Several lines with a mark below the place; the last one is the reason.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        };
        Regex::new(text).map(Self).map_err(said)
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_survives_the_journal() {
        let pattern: Pattern = r"time.?out \d+".parse().unwrap();
        let json = serde_json::to_string(&pattern).unwrap();
        assert_eq!(serde_json::from_str::<Pattern>(&json).unwrap(), pattern);
        assert!(pattern.is_in("OSError: timeout 30 s") && !pattern.is_in("timeout"));
        assert!(serde_json::from_str::<Pattern>(r#""(""#).is_err());
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (typed, said) in [("(", "unclosed group"), ("a{3,1}", "repetition"), ("(?=x)", "look-around")] {
            let error = typed.parse::<Pattern>().unwrap_err();
            assert!(error.contains(said) && error.lines().count() == 1, "{error}");
        }
    }
}
