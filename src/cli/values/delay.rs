//! How long to wait before a test is run again.

use std::str::FromStr;

use super::Span;
use crate::core::rerun::Waits;

const EXPECTED: &str = "expected a time like `2s`, times like `1s,2s,4s` (the last one goes on), or one that grows, \
                        like `2s*2`";

/// The wait before each round of reruns: `2s` before every one; `1s,2s,4s` one after the other, then the last one
/// again; `2s*1.5` grows by that factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Delay(pub Waits);

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (times, factor) = match text.split_once('*') {
            None => (text, 1.0),
            Some((times, factor)) => {
                let factor =
                    factor.trim().parse::<f64>().ok().filter(|factor| *factor >= 1.0 && factor.is_finite());
                (times, factor.ok_or("expected a factor of 1 or more behind `*`, like `2s*2`")?)
            }
        };
        let listed = times.split(',').map(millis).collect::<Result<Vec<u64>, String>>()?;
        if factor > 1.0 && listed.len() > 1 {
            return Err(format!("a list does not grow besides; {EXPECTED}"));
        }
        Ok(Self(Waits { listed, factor }))
    }
}

fn millis(text: &str) -> Result<u64, String> {
    if ["0", "0s"].contains(&text.trim()) {
        return Ok(0);
    }
    let span: Span = text.parse().map_err(|_| EXPECTED.to_owned())?;
    u64::try_from(span.0.as_millis()).map_err(|_| EXPECTED.to_owned())
}
