use super::super::digest::Interrupt;
use super::*;

const HELLO: &str = r#"{"event":"hello","protocol":1,"pid":1,"python":"3.12.1","pytest":"8.4.2"}"#;
const COLLECTED: &str = r#"{"event":"collected","tests":3,"deselected":0,"unstable":[]}"#;

/// A stream of one letter a line: `H`ello, `c`ollected, `p`ass, `f`ailed body, `s`tart only, `S`tart and setup,
/// `0`-`9` the end with that status.
fn told(script: &str, order_len: usize) -> Told {
    let mut lines = String::new();
    let mut n = 0;
    for letter in script.chars() {
        let start = format!("{{\"event\":\"start\",\"i\":{},\"n\":{n}}}", 10 + n);
        let phase = |when: &str, outcome: &str| {
            format!(
                "{{\"event\":\"phase\",\"n\":{n},\"when\":\"{when}\",\"outcome\":\"{outcome}\",\"seconds\":0.1"
            )
        };
        let fin = format!("{{\"event\":\"fin\",\"n\":{n}}}");
        let setup = phase("setup", "passed") + "}";
        let text = match letter {
            'H' => HELLO.to_owned(),
            'c' => COLLECTED.to_owned(),
            'p' => format!("{start}\n{{\"event\":\"pass\",\"n\":{n},\"seconds\":0.3}}"),
            'f' => {
                let error = ",\"type\":\"ValueError\",\"message\":\"bad 0x1f\\nmore\",\"place\":\"t.py:3\"}";
                format!(
                    "{start}\n{setup}\n{}{error}\n{}}}\n{fin}",
                    phase("call", "failed"),
                    phase("teardown", "passed")
                )
            }
            's' => start,
            'S' => format!("{start}\n{setup}"),
            digit => format!("{{\"event\":\"end\",\"code\":{digit}}}"),
        };
        n += u64::from("pfsS".contains(letter));
        lines.push_str(&text);
        lines.push('\n');
    }
    Told::from_bytes(lines.as_bytes(), order_len)
}

fn order(len: u32) -> Vec<TestIdx> {
    (10..10 + len).map(TestIdx).collect()
}

fn letters(conclusion: &Conclusion) -> String {
    conclusion.outcomes.iter().map(|outcome| outcome.letter()).collect()
}

fn concluded(script: &str, end: ProcessEnd) -> Conclusion {
    conclude(&told(script, 3), &order(3), end, None)
}

#[test]
fn a_good_run() {
    let conclusion = concluded("Hcpfp1", ProcessEnd::Exited(1));
    assert_eq!(letters(&conclusion), ".F.");
    assert_eq!((&conclusion.invalid, &conclusion.remark), (&None, &None));
    assert_eq!(conclusion.tests_ms, 900);
    let [failure] = &conclusion.failures[..] else { panic!("{:?}", conclusion.failures) };
    assert_eq!((failure.at, failure.phase, failure.message.as_str()), (1, Some(Phase::Call), "bad 0x1f"));
    assert_eq!(failure.fingerprint, fingerprint("ValueError", "t.py:3", "bad 0x2e\nmore"));
}

#[test]
fn the_test_that_ran_when_the_process_died_is_to_blame() {
    for end in [
        ProcessEnd::Exited(0),
        ProcessEnd::Exited(7),
        ProcessEnd::Signalled(11),
        ProcessEnd::Signalled(6),
        ProcessEnd::Signalled(9),
    ] {
        for (script, phase) in [("Hcps", ""), ("HcpS", " in call")] {
            let conclusion = concluded(script, end);
            assert_eq!(letters(&conclusion), ".C-", "{end:?}");
            assert_eq!(conclusion.invalid, None);
            let [failure] = &conclusion.failures[..] else { panic!("{:?}", conclusion.failures) };
            assert_eq!((failure.at, failure.phase), (1, None));
            assert_eq!(failure.message.contains(" in "), !phase.is_empty(), "{}", failure.message);
            assert!(failure.message.ends_with(phase), "{}", failure.message);
        }
    }
    let crash = |end| concluded("HcpS", end).failures[0].fingerprint.clone();
    assert_ne!(crash(ProcessEnd::Signalled(11)), crash(ProcessEnd::Signalled(6)));
    assert_eq!(
        concluded("HcpS", ProcessEnd::Signalled(11)).failures[0].message,
        "the process died by signal 11 (SIGSEGV) in call"
    );
}

#[test]
fn the_test_that_ran_when_the_time_was_up_is_to_blame() {
    let conclusion = concluded("HcfS", ProcessEnd::TimedOut);
    assert_eq!(letters(&conclusion), "FT-");
    assert_eq!(conclusion.failures.len(), 2);
    assert_eq!(conclusion.failures[1].message, "still running when its time was up in call");
}

#[test]
fn nothing_that_happened_after_our_signal_counts() {
    // The second test swallowed the interrupt, "passed", and the third one ran.
    let stopped = |end| conclude(&told("Hcppf1", 3), &order(3), end, Some(1));
    assert_eq!(letters(&stopped(ProcessEnd::TimedOut)), ".T-");
    assert_eq!(stopped(ProcessEnd::TimedOut).failures.len(), 1);
    assert_eq!(letters(&stopped(ProcessEnd::Cancelled)), ".--");
    assert_eq!(stopped(ProcessEnd::Cancelled).failures, []);
    // Not our doing: the number says nothing.
    assert_eq!(letters(&stopped(ProcessEnd::Exited(1))), "..F");
}

#[test]
fn a_death_outside_of_tests_blames_no_test() {
    for (script, end, outcomes) in [
        ("Hcpfp1", ProcessEnd::Signalled(11), ".F."),
        ("Hcpfp", ProcessEnd::Signalled(11), ".F."),
        ("Hcpfp", ProcessEnd::Exited(3), ".F."),
        ("Hcpfp", ProcessEnd::Exited(0), ".F."),
        ("Hcpf", ProcessEnd::Signalled(11), ".F-"),
        ("Hcpf1", ProcessEnd::Exited(1), ".F-"),
        ("Hcpfp", ProcessEnd::TimedOut, ".F."),
        ("Hcpf", ProcessEnd::TimedOut, ".F-"),
        ("HcpfS", ProcessEnd::Cancelled, ".F-"),
        ("Hcpf2", ProcessEnd::Exited(2), ".F-"),
        ("Hcpfp3", ProcessEnd::Exited(3), ".F."),
    ] {
        let conclusion = concluded(script, end);
        assert_eq!(letters(&conclusion), outcomes, "{script} {end:?}");
        assert_eq!(conclusion.invalid, None, "{script} {end:?}");
        assert!(conclusion.remark.is_some(), "{script} {end:?}");
        assert_eq!(conclusion.failures.len(), 1, "{script} {end:?}");
    }
}

#[test]
fn a_test_that_ends_the_session_is_to_blame() {
    for code in [2, 3, 7] {
        let conclusion = concluded(&format!("HcpS{}", code), ProcessEnd::Exited(code));
        assert_eq!(letters(&conclusion), ".C-", "{code}");
        assert_eq!(conclusion.invalid, None, "{code}");
    }
    let mut interrupted = told("HcpS2", 3);
    interrupted.interrupt =
        Some(Interrupt { n: 1, r#type: "Exit".into(), message: "the database is gone\nmore".into() });
    let conclusion = conclude(&interrupted, &order(3), ProcessEnd::Exited(2), None);
    assert_eq!(conclusion.failures[0].message, "Exit in call ended the whole run: the database is gone");
}

#[test]
fn what_is_no_evidence_says_why() {
    for (script, end, reason) in [
        ("", ProcessEnd::Exited(1), "before pytest had started"),
        ("H", ProcessEnd::Exited(0), "pytest ended without finishing"),
        ("H", ProcessEnd::TimedOut, "its time was up during collection"),
        ("Hc", ProcessEnd::Signalled(9), "before a test had ended"),
        ("Hcp", ProcessEnd::Exited(0), "pytest ended without finishing, after 1 of 3"),
        ("Hc0", ProcessEnd::Exited(0), "pytest ended"),
        ("H2", ProcessEnd::Exited(2), "interrupted"),
        ("Hc3", ProcessEnd::Exited(3), "internal error"),
        ("H4", ProcessEnd::Exited(4), "status 4"),
        ("H5", ProcessEnd::Exited(5), "collected nothing"),
        ("Hc7", ProcessEnd::Exited(7), "status 7"),
        ("HcpS0", ProcessEnd::Exited(0), "ended while"),
    ] {
        let conclusion = concluded(script, end);
        let invalid = conclusion.invalid.unwrap_or_default();
        assert!(invalid.contains(reason), "{script} {end:?}: {invalid}");
        assert!(conclusion.outcomes.iter().all(|outcome| !outcome.ends_the_process()), "{script}");
    }
}

#[test]
fn a_run_of_other_tests_is_no_evidence() {
    let mut asked = order(3);
    asked.swap(1, 2);
    let invalid = |told: &Told, order: &[TestIdx]| {
        conclude(told, order, ProcessEnd::Exited(0), None).invalid.expect("invalid")
    };
    assert!(invalid(&told("Hcppp0", 3), &asked).contains("test 11 ran at position 1 where test 12"));
    let mut other = told("Hcppp0", 3);
    other.mismatch =
        Some(crate::pytest::stream::Mismatch { missing: vec![2], extra: vec!["t.py::new".into()] });
    assert!(invalid(&other, &order(3)).contains("1 tests missing, 1 new ones, the first is t.py::new"));
    let mut damaged = told("Hcppp0", 3);
    damaged.damaged = 1;
    assert!(invalid(&damaged, &order(3)).contains("could not be read"));
    let mut collecting = told("H2", 3);
    collecting.collect_errors =
        vec![crate::pytest::stream::CollectError { path: "t.py".into(), message: "SyntaxError: no".into() }];
    assert_eq!(invalid(&collecting, &order(3)), "t.py could not be collected: SyntaxError: no");
}

#[test]
fn every_cut_of_a_stream_tells_less_and_never_something_else() {
    let script = "Hcpfpfp1";
    let mut stream = Vec::new();
    // The same stream as text, with what the script has not: captured text, subtests, unknown events.
    stream.extend_from_slice(include_bytes!("../../../../tests/junit/stream.jsonl"));
    let whole = Told::from_bytes(&stream, 9);
    assert_eq!(whole.out_of_order, None);
    assert_eq!(whole.finished, 9);
    let order: Vec<TestIdx> = whole.executed.iter().map(|i| TestIdx(*i)).collect();
    let mut last = Told::from_bytes(b"", 9);
    for cut in 0..=stream.len() {
        let told = Told::from_bytes(&stream[..cut], 9);
        assert_eq!((told.damaged, &told.out_of_order), (0, &None), "cut at {cut}");
        let known = told.finished as usize;
        assert!(told.finished >= last.finished && told.executed.len() >= last.executed.len(), "cut at {cut}");
        assert!(told.reports.starts_with(&last.reports), "cut at {cut}");
        assert_eq!(told.outcomes[..known], whole.outcomes[..known], "cut at {cut}");
        assert!(told.outcomes[known..].iter().all(|outcome| *outcome == Outcome::NotReached), "cut at {cut}");
        for end in
            [ProcessEnd::Signalled(9), ProcessEnd::Exited(0), ProcessEnd::TimedOut, ProcessEnd::Cancelled]
        {
            let conclusion = conclude(&told, &order, end, None);
            assert_eq!(conclusion.outcomes[..known], whole.outcomes[..known], "cut at {cut}");
            let died = conclusion.outcomes.iter().position(|outcome| outcome.ends_the_process());
            let running = told.running.map(|running| running.n as usize);
            let blamable = end != ProcessEnd::Cancelled && told.end.is_none();
            assert_eq!(died, running.filter(|_| blamable), "cut at {cut}");
        }
        last = told;
    }
    assert_eq!(last, whole);
    assert_eq!(told(script, 5).finished, 5);
}
