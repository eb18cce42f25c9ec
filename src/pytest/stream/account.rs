//! What a report says of each test, beyond its outcome.

use crate::core::outcome::Outcome;
use crate::core::run::Account;

use super::conclude::Conclusion;
use super::digest::Told;
use super::event::{PhaseReport, Said};

/// How much is kept of the long form of one failure, in bytes: of its beginning, and of its end, where the reason is.
const HEAD: usize = 4 << 10;
const TAIL: usize = 12 << 10;
/// How much is kept of all long forms of one run, in bytes; later ones are left out. Messages are kept of all.
const BUDGET: usize = 4 << 20;

/// How long the test at each position took, in microseconds.
pub fn micros(told: &Told) -> Vec<u64> {
    told.seconds.iter().map(|seconds| (seconds * 1e6).round() as u64).collect()
}

/// What pytest says of every position that did not simply pass: of several failures the first, else of several skips.
pub fn accounts(told: &Told, conclusion: &Conclusion) -> Vec<Account> {
    let mut accounts = Vec::new();
    let mut left = BUDGET;
    let mut reports = told.reports.iter().peekable();
    for (at, outcome) in conclusion.outcomes.iter().enumerate() {
        let mut of_test = Vec::new();
        while let Some(report) = reports.next_if(|report| report.n <= at as u64) {
            of_test.push(report);
        }
        let said = match outcome {
            Outcome::NotReached | Outcome::Passed | Outcome::XPassed => None,
            Outcome::Skipped | Outcome::XFailed => of_test
                .iter()
                .find(|report| report.outcome == Said::Skipped && !report.subtest)
                .map(|report| skip(report)),
            Outcome::Failed | Outcome::Errored(_) => {
                of_test.iter().find(|report| report.failed()).map(|report| failure(report))
            }
            Outcome::Crashed | Outcome::TimedOut => {
                let kind = if *outcome == Outcome::Crashed { "crashed" } else { "timed out" };
                let death = conclusion.failures.iter().find(|failure| failure.at as usize == at);
                death.map(|death| (kind.to_owned(), death.message.clone(), String::new()))
            }
        };
        let Some((kind, message, mut text)) = said else { continue };
        if text.len() > left {
            text.clear();
        }
        left -= text.len();
        accounts.push(Account { at: at as u32, kind, message, text });
    }
    accounts
}

fn failure(report: &PhaseReport) -> (String, String, String) {
    let text = report.text.as_deref().map(shortened).unwrap_or_default();
    (report.r#type.clone().unwrap_or_default(), report.message.clone().unwrap_or_default(), text)
}

fn skip(report: &PhaseReport) -> (String, String, String) {
    let kind = if report.xfail { "pytest.xfail" } else { "pytest.skip" };
    let message = report.message.as_deref().unwrap_or_default();
    let reason = message.strip_prefix("Skipped: ").unwrap_or(message);
    (kind.to_owned(), reason.to_owned(), String::new())
}

/// The beginning and the end.
fn shortened(text: &str) -> String {
    if text.len() <= HEAD + TAIL {
        return text.to_owned();
    }
    let head = &text[..text.floor_char_boundary(HEAD)];
    let tail = &text[text.ceil_char_boundary(text.len() - TAIL)..];
    format!("{head}\n... {} bytes left out ...\n{tail}", text.len() - head.len() - tail.len())
}

#[cfg(test)]
mod tests {
    use super::super::conclude::conclude;
    use super::*;
    use crate::core::run::ProcessEnd;
    use crate::core::test_id::TestIdx;

    /// What is said of four tests: one fails twice over, one is skipped, one passes, one dies.
    fn said(text: &str) -> Vec<Account> {
        let failed = |when: &str, kind: &str| {
            let text = serde_json::to_string(text).unwrap();
            format!(
                r#"{{"event":"phase","n":0,"when":"{when}","outcome":"failed","seconds":0.5,"type":"{kind}","message":"{kind}: no","text":{text}}}"#
            )
        };
        let lines = [
            r#"{"event":"start","i":0,"n":0}"#.to_owned(),
            failed("call", "ValueError"),
            failed("teardown", "OSError"),
            r#"{"event":"fin","n":0}"#.to_owned(),
            r#"{"event":"start","i":1,"n":1}"#.to_owned(),
            r#"{"event":"phase","n":1,"when":"setup","outcome":"skipped","seconds":0,"message":"Skipped: why"}"#.to_owned(),
            r#"{"event":"fin","n":1}"#.to_owned(),
            r#"{"event":"start","i":2,"n":2}"#.to_owned(),
            r#"{"event":"pass","n":2,"seconds":0.25}"#.to_owned(),
            r#"{"event":"start","i":3,"n":3}"#.to_owned(),
        ];
        let told = Told::from_bytes((lines.join("\n") + "\n").as_bytes(), 4);
        let order: Vec<TestIdx> = (0..4).map(TestIdx).collect();
        let conclusion = conclude(&told, &order, ProcessEnd::Signalled(11), None);
        assert_eq!(micros(&told), [1_000_000, 0, 250_000, 0]);
        accounts(&told, &conclusion)
    }

    #[test]
    fn every_position_that_did_not_pass_has_one() {
        let said = said("E   no");
        let short: Vec<(u32, &str, &str)> =
            said.iter().map(|one| (one.at, one.kind.as_str(), one.message.as_str())).collect();
        assert_eq!(
            short,
            [
                (0, "ValueError", "ValueError: no"),
                (1, "pytest.skip", "why"),
                (3, "crashed", "the process died by signal 11 (SIGSEGV)"),
            ]
        );
        assert_eq!(said[0].text, "E   no");
    }

    #[test]
    fn of_a_long_text_both_ends_are_kept() {
        let text = format!("begin {} end", "é".repeat(20 << 10));
        let kept = &said(&text)[0].text;
        assert!(kept.starts_with("begin é") && kept.ends_with("é end"), "{kept}");
        assert!(kept.len() < HEAD + TAIL + 100 && kept.contains("bytes left out"), "{}", kept.len());
    }
}
