//! JUnit reports and streams: recorded ones of real pytests, hostile ones, and any bytes at all.

use std::path::{Path, PathBuf};

use flakehunt::core::outcome::{Outcome, Phase};
use flakehunt::core::run::ProcessEnd;
use flakehunt::core::test_id::{CollectedTest, Suite, TestId, TestIdx};
use flakehunt::pytest::junit::chars::visible;
use flakehunt::pytest::junit::crosscheck::crosscheck;
use flakehunt::pytest::junit::ids;
use flakehunt::pytest::junit::names::names;
use flakehunt::pytest::junit::reader::{self, Kind, ReadError, Report};
use flakehunt::pytest::junit::writer::{self, Run};
use flakehunt::pytest::stream::{Conclusion, PhaseReport, Said, Told, conclude};
use flakehunt::pytest::suite_file;
use proptest::prelude::*;

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/junit").join(name)
}

fn report(name: &str) -> Report {
    reader::read_file(&recorded(name)).expect(name)
}

fn suite(name: &str) -> Suite {
    suite_file::read(&recorded(name)).expect(name)
}

/// A recorded run: what was told, and the order.
fn run(stream: &str) -> (Told, Vec<TestIdx>) {
    let bytes = fs_err::read(recorded(stream)).expect(stream);
    let told = Told::from_bytes(&bytes, 9);
    let order = told.executed.iter().map(|i| TestIdx(*i)).collect();
    (told, order)
}

const OUTCOMES: [Outcome; 9] = [
    Outcome::Passed,
    Outcome::Failed,
    Outcome::Errored(Phase::Setup),
    Outcome::Errored(Phase::Teardown),
    Outcome::Failed,
    Outcome::Skipped,
    Outcome::XFailed,
    Outcome::XPassed,
    Outcome::Failed,
];

#[test]
fn recorded_runs_mean_what_pytest_said() {
    for stream in ["stream.jsonl", "stream-pytest-7.4.4.jsonl"] {
        let (told, order) = run(stream);
        let conclusion = conclude(&told, &order, ProcessEnd::Exited(1), None);
        assert_eq!(conclusion.outcomes, OUTCOMES, "{stream}");
        assert_eq!((&conclusion.invalid, &conclusion.remark), (&None, &None), "{stream}");
        let phases: Vec<_> = conclusion.failures.iter().map(|failure| (failure.at, failure.phase)).collect();
        let expected =
            [(1, Phase::Call), (2, Phase::Setup), (3, Phase::Teardown), (4, Phase::Call), (8, Phase::Call)];
        assert_eq!(phases, expected.map(|(at, phase)| (at, Some(phase))), "{stream}");
    }
    let fingerprints = |stream: &str| {
        let (told, order) = run(stream);
        let conclusion = conclude(&told, &order, ProcessEnd::Exited(1), None);
        conclusion.failures.iter().map(|failure| failure.fingerprint.clone()).collect::<Vec<_>>()
    };
    // A plain exception looks the same to both versions; explanations of an assertion may differ.
    assert_eq!(fingerprints("stream.jsonl")[3], fingerprints("stream-pytest-7.4.4.jsonl")[3]);
}

#[test]
fn pytest_and_the_stream_agree() {
    let suite = suite("suite.json");
    for (stream, xml) in
        [("stream.jsonl", "run-pytest-9.2.0.xml"), ("stream-pytest-7.4.4.jsonl", "run-pytest-7.4.4.xml")]
    {
        let (told, order) = run(stream);
        let report = report(xml);
        assert_eq!(crosscheck(&told, &order, &suite, &report), Vec::<String>::new(), "{xml}");

        // And every falsification of the report is found.
        for at in 0..report.cases.len() {
            let mut other = report.clone();
            let case = other.cases.remove(at);
            assert_ne!(
                crosscheck(&told, &order, &suite, &other),
                Vec::<String>::new(),
                "{xml} without {}",
                case.name
            );
            let mut other = report.clone();
            other.cases.push(report.cases[at].clone());
            assert_ne!(
                crosscheck(&told, &order, &suite, &other),
                Vec::<String>::new(),
                "{xml} twice {}",
                case.name
            );
            let mut other = report.clone();
            other.cases[at].node_id = Some("tests/test_nine.py::other".to_owned());
            assert_ne!(
                crosscheck(&told, &order, &suite, &other),
                Vec::<String>::new(),
                "{xml} renamed {}",
                case.name
            );
            if !case.details.is_empty() {
                let mut other = report.clone();
                other.cases[at].details.clear();
                assert_ne!(
                    crosscheck(&told, &order, &suite, &other),
                    Vec::<String>::new(),
                    "{xml} {}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn a_written_report_agrees_with_the_stream_and_with_pytests() {
    let suite = suite("suite.json");
    let (told, order) = run("stream.jsonl");
    let conclusion = conclude(&told, &order, ProcessEnd::Exited(1), None);
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("junit.xml");
    let run = Run {
        suite: &suite,
        order: &order,
        told: &told,
        conclusion: &conclusion,
        seconds: 1.5,
        timestamp: Some("2026-11-23T03:07:50+00:00"),
    };
    writer::write(&path, &run).expect("written");
    let ours = reader::read_file(&path).expect("well-formed");
    assert_eq!(crosscheck(&told, &order, &suite, &ours), Vec::<String>::new());
    let theirs = report("run-pytest-9.2.0.xml");
    assert_eq!(ours.cases.len(), theirs.cases.len());
    for (our, their) in ours.cases.iter().zip(&theirs.cases) {
        assert_eq!(
            (&our.classname, &our.name, &our.node_id),
            (&their.classname, &their.name, &their.node_id)
        );
        assert_eq!(our.seconds.is_some(), their.seconds.is_some());
        let children = |case: &reader::Case| case.details.iter().map(|d| d.kind).collect::<Vec<_>>();
        assert_eq!(children(our), children(their), "{}", our.name);
        for (our, their) in
            our.details.iter().zip(&their.details).filter(|(our, _)| our.kind != Kind::Skipped)
        {
            assert_eq!((&our.message, &our.text), (&their.message, &their.text));
        }
    }
    assert_eq!(fs_err::read_dir(folder.path()).expect("folder").count(), 1);
}

#[test]
fn the_report_of_a_run_that_died_names_the_guilty_test() {
    let suite = suite("suite.json");
    let bytes = fs_err::read_to_string(recorded("stream.jsonl")).expect("stream");
    let cut = bytes.find(r#"{"event":"start","i":5,"n":5}"#).expect("start") + 30;
    let told = Told::from_bytes(&bytes.as_bytes()[..cut], 9);
    let order: Vec<TestIdx> = suite.all().collect();
    for (end, kind) in
        [(ProcessEnd::Signalled(11), "flakehunt.crashed"), (ProcessEnd::TimedOut, "flakehunt.timed-out")]
    {
        let conclusion = conclude(&told, &order, end, None);
        let run = Run {
            suite: &suite,
            order: &order,
            told: &told,
            conclusion: &conclusion,
            seconds: 1.5,
            timestamp: None,
        };
        let report = reader::read(writer::render(&run).as_bytes()).expect("well-formed");
        let [detail] = &report.cases.iter().find(|case| case.position == Some(5)).expect("case").details[..]
        else {
            panic!("one detail")
        };
        assert_eq!((detail.kind, detail.r#type.as_deref()), (Kind::Error, Some(kind)));
        assert_eq!(detail.message.as_ref(), conclusion.failures.last().map(|failure| &failure.message));
        for case in report.cases.iter().filter(|case| case.position > Some(5)) {
            assert_eq!(case.worst(), Some(Kind::Skipped), "{}", case.name);
        }
    }
}

#[test]
fn reports_of_ci_are_joined_with_the_suite() {
    let suite = suite("ci-suite.json");
    let find = |id: &str| suite.find_node_id(id).expect(id);
    let same = [find("pkg/sub/d/test_x.py::test_same"), find("pkg/sub.d/test_x.py::test_same")];
    for (name, ambiguous, prefix) in [
        ("ci-pytest-7.4.4-xunit2.xml", true, None),
        ("ci-pytest-8.0.2-xunit2.xml", true, None),
        ("ci-pytest-8.4.2-xunit1.xml", false, None),
        ("ci-pytest-9.2.0-xunit2.xml", true, None),
        ("ci-pytest-8.4.2-xdist-prefix.xml", true, Some("ci.linux")),
    ] {
        let joined = ids::join(&suite, &report(name));
        assert_eq!(joined.unknown, [], "{name}");
        assert_eq!(joined.prefix.as_deref(), prefix, "{name}");
        let mut ran: Vec<TestIdx> = joined.ran.iter().map(|ran| ran.test).collect();
        if ambiguous {
            let mut tests = joined.ambiguous[0].1.clone();
            tests.sort_unstable();
            let mut expected = same.to_vec();
            expected.sort_unstable();
            assert_eq!((joined.ambiguous.len(), tests), (1, expected), "{name}");
            ran.extend(same);
        } else {
            // `file` tells them apart.
            assert_eq!(joined.ambiguous, [], "{name}");
        }
        ran.sort_unstable();
        assert_eq!(ran, suite.all().collect::<Vec<_>>(), "{name}");
        let failed =
            |id: &str| joined.ran.iter().find(|ran| ran.test == find(id)).is_some_and(|ran| ran.failed());
        assert!(
            failed("pkg/test_all.py::test_both") && failed("pkg/test_all.py::TestUnit::test_subs"),
            "{name}"
        );
        assert!(
            !failed("pkg/test_all.py::test_xfail") && !failed("pkg/test_all.py::test_param[x::y]"),
            "{name}"
        );
    }
}

fn refused(bytes: &[u8]) -> ReadError {
    match reader::read(bytes) {
        Err(error) => error,
        Ok(report) => panic!("accepted: {report:?}"),
    }
}

#[test]
fn hostile_reports_are_refused() {
    let mut laughs = String::from("<!DOCTYPE lolz [<!ENTITY a0 \"ha\">");
    for level in 1..12 {
        let inner = format!("&a{};", level - 1).repeat(10);
        laughs.push_str(&format!("<!ENTITY a{level} \"{inner}\">"));
    }
    laughs.push_str("]><testsuite><testcase><failure>&a11;</failure></testcase></testsuite>");
    assert!(matches!(refused(laughs.as_bytes()), ReadError::Doctype));
    let external = br#"<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>"#;
    assert!(matches!(refused(external), ReadError::Doctype));
    for entity in [
        "<testsuite><testcase><failure>&x;</failure></testcase></testsuite>",
        "<testsuite><system-out>&x;</system-out></testsuite>",
        "<testsuite><testcase name='&x;'/></testsuite>",
    ] {
        assert!(
            matches!(refused(entity.as_bytes()), ReadError::Entity { name, .. } if name == "x"),
            "{entity}"
        );
    }
    let deep = "<testsuite>".repeat(1_000_000);
    assert!(matches!(refused(deep.as_bytes()), ReadError::TooDeep(_)));
    assert!(matches!(refused(b"<testsuite name='\xff'/>"), ReadError::NotUtf8(17)));
    assert!(
        matches!(refused(b"<testsuites><testsuite><testcase/>"), ReadError::Unclosed(name) if name == "testsuite")
    );
    assert!(matches!(refused(b"<testsuites><testsuite na"), ReadError::Syntax { .. }));
    assert!(matches!(refused(b"<testsuites></testsuite>"), ReadError::Syntax { .. }));
    assert!(matches!(refused(b"<testsuite/><testsuite/>"), ReadError::Trailing(_)));
    assert!(matches!(refused(b"<testsuite/>tail"), ReadError::Trailing(_)));
    assert!(matches!(refused(b"head<testsuite/>"), ReadError::Syntax { .. }));
    assert!(matches!(refused(b"<html/>"), ReadError::NotJunit(name) if name == "html"));
    assert!(matches!(refused(b""), ReadError::Empty));
    assert!(matches!(refused(b"<?xml version='1.0'?><!-- nothing -->"), ReadError::Empty));
    let long =
        format!("<testsuite><testcase name='{}'/></testsuite>", "x".repeat(reader::ATTRIBUTE_LIMIT + 1));
    assert!(matches!(refused(long.as_bytes()), ReadError::Attributes(_)));
    let many: String = (0..1000).map(|n| format!(" a{n}=''")).collect();
    assert!(matches!(refused(format!("<testsuite{many}/>").as_bytes()), ReadError::Attributes(_)));
    assert!(matches!(refused(&vec![b' '; reader::FILE_LIMIT + 1]), ReadError::TooLarge));
    assert!(matches!(reader::read_file(Path::new("no/such.xml")), Err(ReadError::Io(_))));
    let cases = format!("<testsuite>{}</testsuite>", "<testcase/>".repeat(reader::CASE_LIMIT + 1));
    assert!(matches!(refused(cases.as_bytes()), ReadError::TooManyCases));
}

#[test]
fn sloppy_reports_are_taken() {
    let controls = b"\xef\xbb\xbf<testsuite><testcase name='a\x1b[31m'><failure>\x00\x07</failure></testcase></testsuite>\n\n";
    let report = reader::read(controls).expect("taken");
    assert_eq!(report.cases[0].name, "a\u{1b}[31m");
    let huge = format!(
        "<testsuite><testcase name='a'><system-out>{}</system-out><failure>{}</failure></testcase></testsuite>",
        "&lt;&amp;".repeat(1_000_000),
        "x".repeat(1_000_000)
    );
    let report = reader::read(huge.as_bytes()).expect("taken");
    assert_eq!(report.cases[0].details[0].text.len(), reader::TEXT_LIMIT);
}

#[test]
fn a_report_cut_anywhere_is_refused() {
    let bytes = fs_err::read(recorded("ci-pytest-8.4.2-xunit1.xml")).expect("report");
    for cut in 0..bytes.trim_ascii_end().len() {
        assert!(reader::read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

/// A suite of one test.
fn suite_of(node_id: &str) -> Suite {
    Suite::new(vec![CollectedTest {
        id: TestId { node_id: node_id.to_owned(), occurrence: 0 },
        file: "t.py".to_owned(),
        class: String::new(),
        line: None,
        unstable: false,
    }])
}

/// What reading makes of what was written: XML itself turns CR LF into LF only where they are literal, and ours are not.
fn expected(text: &str) -> String {
    visible(text).into_owned()
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = reader::read(&bytes);
    }

    #[test]
    fn anything_that_looks_like_a_report_is_read_or_refused(
        parts in proptest::collection::vec(prop_oneof![
            Just("<testsuites>".to_owned()), Just("</testsuites>".to_owned()), Just("<testsuite name='a'>".to_owned()),
            Just("</testsuite>".to_owned()), Just("<testcase name='a' classname='b'>".to_owned()), Just("<testcase/>".to_owned()),
            Just("</testcase>".to_owned()), Just("<failure message='x'>".to_owned()), Just("</failure>".to_owned()),
            Just("<property name='fh_n' value='1'/>".to_owned()), Just("<![CDATA[".to_owned()), Just("]]>".to_owned()),
            Just("&lt;".to_owned()), Just("&#0;".to_owned()), Just("&#x110000;".to_owned()), Just("&amp".to_owned()),
            Just("<!--".to_owned()), Just("-->".to_owned()), Just("<?x".to_owned()), Just("\u{fffe}".to_owned()), "\\PC{0,4}",
        ], 0..24),
    ) {
        if let Ok(report) = reader::read(parts.concat().as_bytes()) {
            let _ = ids::join(&suite_of("b.py::a"), &report);
            let _ = crosscheck(&Told::default(), &[], &suite_of("b.py::a"), &report);
        }
    }

    #[test]
    fn any_stream_is_told_and_concluded(
        lines in proptest::collection::vec((0..9usize, 0..4u64, 0..4u32), 0..24),
        end in prop_oneof![
            (-1..9i32).prop_map(ProcessEnd::Exited), Just(ProcessEnd::Signalled(9)), Just(ProcessEnd::TimedOut),
            Just(ProcessEnd::Cancelled),
        ],
        stop in proptest::option::of(0..5u64),
    ) {
        let text: String = lines.iter().map(|(what, n, i)| match what {
            0..3 => format!("{{\"event\":\"start\",\"i\":{i},\"n\":{n}}}\n"),
            3 => format!("{{\"event\":\"fin\",\"n\":{n}}}\n"),
            4 => format!("{{\"event\":\"pass\",\"n\":{n},\"seconds\":1e300}}\n"),
            5 => format!("{{\"event\":\"phase\",\"n\":{n},\"when\":\"call\",\"outcome\":\"failed\"}}\n"),
            6 => format!("{{\"event\":\"phase\",\"n\":{n},\"when\":\"teardown\",\"outcome\":\"skipped\",\"xfail\":true}}\n"),
            7 => format!("{{\"event\":\"end\",\"code\":{i}}}\n"),
            _ => "\u{fffd}{\n".to_owned(),
        }).collect();
        let told = Told::from_bytes(text.as_bytes(), 3);
        let order = [TestIdx(0), TestIdx(1), TestIdx(2)];
        let conclusion = conclude(&told, &order, end, stop);
        prop_assert_eq!(conclusion.outcomes.len(), 3);
        // One failure for each failed position, in order.
        let failed: Vec<u32> = (0..3).filter(|at| conclusion.outcomes[*at as usize].is_failure()).collect();
        let told_of: Vec<u32> = conclusion.failures.iter().map(|failure| failure.at).collect();
        prop_assert_eq!(failed, told_of);
    }

    #[test]
    fn any_text_survives_writing_and_reading(
        node_id in "t(/[a-z.]{1,3}){0,2}\\.py::(\\PC|[\\x00-\\xff]|\u{fffe}|\u{202e}){0,20}",
        message in "(\\PC|[\\x00-\\xff]|\r\n|]]>|\u{ffff}){0,40}",
        text in "(\\PC|[\\x00-\\xff]|\r\n|]]>|&|<){0,40}",
    ) {
        let suite = suite_of(&node_id);
        let report = PhaseReport {
            n: 0, when: Phase::Call, outcome: Said::Failed, seconds: 0.25, xfail: false, reason: None, r#type: Some("E".to_owned()),
            message: Some(message.clone()), place: None, text: Some(text.clone()), subtest: false, sections: Vec::new(),
        };
        let told = Told { outcomes: vec![Outcome::Failed], seconds: vec![0.25], finished: 1, executed: vec![0],
            reports: vec![report], ..Told::default() };
        let conclusion = Conclusion { outcomes: vec![Outcome::Failed], failures: Vec::new(), invalid: None, remark: None,
            tests_ms: 250 };
        let run = Run { suite: &suite, order: &[TestIdx(0)], told: &told, conclusion: &conclusion, seconds: 1.0,
            timestamp: None };
        let xml = writer::render(&run);
        let bad = |c: char| !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        prop_assert!(!xml.contains(bad), "not XML 1.0: {xml:?}");
        let read = reader::read(xml.as_bytes()).expect("well-formed");
        let [case] = &read.cases[..] else { panic!("one case: {xml}") };
        prop_assert_eq!(&case.classname, &expected(&names(&node_id).classname));
        prop_assert_eq!(&case.name, &expected(&names(&node_id).name));
        prop_assert_eq!(&case.node_id, &Some(expected(&node_id)));
        prop_assert_eq!(&case.details[0].message, &Some(expected(&message)));
        prop_assert_eq!(&case.details[0].text, &expected(&text));
        prop_assert_eq!(crosscheck(&told, &[TestIdx(0)], &suite, &read), Vec::<String>::new());
        let joined = ids::join(&suite, &read);
        prop_assert_eq!(joined.ran.len(), 1);
    }
}
