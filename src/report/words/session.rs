//! What is said of a whole session.

use super::{class_word, repeat};
use crate::core::verdict::Class;
use crate::report::model::Report;
use crate::report::rerun;
use crate::report::text::{command, counted, percent};

/// `55 orders`; of a repeat `2 tests repeated`.
pub(in crate::report) fn tried(report: &Report) -> String {
    match report.repeats.len() {
        0 => counted(report.coverage.orders, "order"),
        tests => format!("{} repeated", counted(tests as u64, "test")),
    }
}

/// What the tried orders, or repeats, could have shown, in one or two sentences.
pub(in crate::report) fn coverage(report: &Report) -> String {
    if !report.repeats.is_empty() {
        return repeat::covered(report);
    }
    let coverage = &report.coverage;
    if coverage.orders == 0 || report.rerun.is_some() {
        return String::new();
    }
    let about = if coverage.exact { "" } else { "about " };
    let pairs = if coverage.exact && coverage.pairs >= 1.0 {
        format!(
            "every ordered pair of tests was seen, {} of them side by side",
            percent(coverage.adjacent_pairs)
        )
    } else {
        let (pairs, adjacent) = (percent(coverage.pairs), percent(coverage.adjacent_pairs));
        format!("{about}{pairs} of ordered pairs of tests were seen, {about}{adjacent} side by side")
    };
    // R independent orders miss what fails in 1 of 20 with 0.95^R.
    let chance = 1.0 - 0.95_f64.powi(i32::try_from(coverage.orders).unwrap_or(i32::MAX));
    let mut said =
        format!("{pairs}; a test that fails in 1 of 20 orders would have been seen with {}", percent(chance));
    if let Some(rate) = coverage.seen95.filter(|rate| *rate > 0.0 && *rate < 1.0) {
        let share = format!("{:.1} %", rate * 100.0);
        said.push_str(&format!(", one that fails in {share} with 95 %"));
    }
    said
}

/// `2 victims, 1 brittle, 1 broken`.
pub(in crate::report) fn summary(report: &Report) -> String {
    if let Some(rerun) = &report.rerun {
        return rerun::counts(rerun);
    }
    let mut counts: Vec<(Class, u32)> = Vec::new();
    for test in &report.tests {
        match counts.iter_mut().find(|(class, _)| *class == test.verdict) {
            Some((_, count)) => *count += 1,
            None => counts.push((test.verdict, 1)),
        }
    }
    counts.sort_unstable_by_key(|(class, _)| *class);
    let said = |(class, count): &(Class, u32)| match class {
        // The only noun among them.
        Class::Victim => counted(*count, "victim"),
        class => format!("{count} {}", class_word(*class)),
    };
    counts.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// What to run next, where something is left to do.
pub(in crate::report) fn next(report: &Report) -> Vec<String> {
    use crate::report::model::End;
    let words: Vec<String> = match report.end {
        End::Budget | End::MaxRuns | End::Interrupted | End::Terminated => {
            vec!["resume".to_owned(), report.session.clone()]
        }
        End::Finished if report.command == "repeat" && report.tests.is_empty() => repeat::next(report),
        End::Finished if report.tests.is_empty() => {
            let orders = report.coverage.orders.max(25).saturating_mul(2);
            vec!["shuffle".to_owned(), "--seeds".to_owned(), orders.to_string()]
        }
        End::Finished => {
            vec![
                "report".to_owned(),
                report.session.clone(),
                "--report".to_owned(),
                "html=flakehunt.html".to_owned(),
            ]
        }
    };
    std::iter::once("flakehunt".to_owned()).chain(words).collect()
}

/// The same as one line for a shell.
pub(in crate::report) fn command_line(report: &Report) -> String {
    command(&next(report))
}

/// Why the hunt ended, where it did not end by itself.
pub(in crate::report) fn ended(report: &Report) -> Option<&'static str> {
    use crate::report::model::End;
    match report.end {
        End::Finished => None,
        End::Budget => Some("the budget was used up"),
        End::MaxRuns => Some("the number of runs allowed was used up"),
        End::Interrupted => Some("interrupted"),
        End::Terminated => Some("terminated"),
    }
}

/// Notices as `about: text`. Of those that say the same of many runs the first is said, and of how many more it holds.
pub(in crate::report) fn notices<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut said: Vec<(&str, &str, &str, u32)> = Vec::new();
    for (about, text) in all {
        let of_all = of_any_run(text);
        match said.iter_mut().find(|(other, _, same, _)| (*other, *same) == (about, of_all)) {
            Some((.., more)) if of_all != text => *more += 1,
            _ => said.push((about, text, of_all, 0)),
        }
    }
    let shown = said.into_iter().map(|(about, text, _, more)| match more {
        0 => format!("{about}: {text}"),
        more => format!("{about}: {text}; {} more", counted(more, "run")),
    });
    shown.collect()
}

/// What a notice says of a run, without the run.
fn of_any_run(text: &str) -> &str {
    let number = |rest: &str| rest.find(|c: char| !c.is_ascii_digit());
    match text.strip_prefix("run ").and_then(|rest| rest.get(number(rest).filter(|end| *end > 0)?..)) {
        Some(rest) => rest,
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::notices;

    #[test]
    fn what_is_said_of_many_runs_is_said_once() {
        let all = [
            ("time-out", "run 000003 was stopped: too long"),
            ("leak", "run 000003 left a process behind"),
            ("time-out", "run 000005 was stopped: too long"),
            ("load", "the tests leave cores idle"),
            ("time-out", "run 000161 was stopped: too long"),
            ("time-out", "run 000162 was stopped: a test took too long"),
        ];
        assert_eq!(
            notices(all.into_iter()),
            [
                "time-out: run 000003 was stopped: too long; 2 runs more",
                "leak: run 000003 left a process behind",
                "load: the tests leave cores idle",
                "time-out: run 000162 was stopped: a test took too long",
            ]
        );
    }
}
