//! Ids and messages that want to be more than text, through every format and back.

use std::collections::BTreeSet;

use clap::ValueEnum as _;
use flakehunt::core::test_id::TestIdx;
use flakehunt::core::verdict::{Class, Verdict};
use flakehunt::pytest::junit::reader;
use flakehunt::report::text::{acts, shown};
use flakehunt::report::{Format, Look};
use quick_xml::events::Event;

use crate::rendered;
use crate::sample::{self, Sample};

fn corpus() -> Vec<String> {
    let mut corpus: Vec<String> = [
        "</script><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "::error::injected",
        "%0A::error file=x::y",
        "\x1b[31mred\x1b[0m",
        "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
        "\u{9b}31m",
        "abc\u{202e}fed\u{2066}x",
        "two\nlines\r\n::error::x",
        "nul\\x00 and \0",
        "]]><!-- -->",
        "`` ` ```\n# head",
        "{{ 7*7 }} {% raw %}",
        "&lt;&amp;&#x1b;",
        "' ; rm -rf ~ $(id) `id`",
        "\u{fffe}\u{ffff}\u{feff}",
        "@everyone [a](http://x) | ![b](c)",
    ]
    .map(str::to_owned)
    .into();
    corpus.push("x".repeat(4096));
    corpus
}

/// A victim, its polluter and a message, all of them hostile.
fn hostile(text: &str) -> Sample {
    let ids = [
        format!("tests/test_a.py::t[{text}]"),
        format!("tests/test_b.py::{text}"),
        format!("{text}/c.py::t"),
    ];
    let mut sample = Sample::of(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    sample.runs.truncate(3);
    sample.runs.push(sample::run(
        3,
        flakehunt::core::run::Purpose::Search,
        flakehunt::core::order::OrderName::Given(text.to_owned()),
        &[1, 0],
        &[(0, text)],
    ));
    sample.verdicts = vec![
        Verdict { notes: vec![text.to_owned()], ..sample::victim(0, vec![sample::set(&[1, 2], true)], &[2]) },
        Verdict { undecided: Some(text.to_owned()), ..sample::verdict(2, Class::Undecided) },
    ];
    sample.notices = vec![(text.to_owned(), text.to_owned())];
    sample
}

/// A rerun whose ids and messages are hostile.
fn hostile_rerun(text: &str) -> Sample {
    let ids: [String; 12] = std::array::from_fn(|n| format!("tests/test_{n}.py::t[{text}]"));
    sample::rerun(&std::array::from_fn(|n| ids[n].as_str()), text)
}

#[test]
fn nothing_that_acts_reaches_any_report() {
    for sample in corpus().iter().flat_map(|text| [hostile(text), hostile_rerun(text)]) {
        for format in Format::value_variants() {
            let report = rendered(&sample, *format, Look::default());
            let bare = report.replace('\n', "");
            // JSON escapes control characters by itself and keeps the others: programs read it.
            let acting: Vec<char> = match format {
                Format::Json | Format::Jsonl => {
                    bare.chars().filter(|c| c.is_control() && *c < '\x7f').collect()
                }
                _ => bare.chars().filter(|c| acts(*c)).collect(),
            };
            assert_eq!(acting, Vec::<char>::new(), "{format:?} of {:?}", sample.suite.node_id(TestIdx(0)));
        }
    }
}

#[test]
fn json_keeps_every_id_as_it_is() {
    for text in corpus() {
        let sample = hostile(&text);
        let report: serde_json::Value =
            serde_json::from_str(&rendered(&sample, Format::Json, Look::default())).expect("JSON");
        assert_eq!(report["tests"][0]["id"], format!("tests/test_a.py::t[{text}]"));
        assert_eq!(report["tests"][0]["polluters"][0][0], format!("tests/test_b.py::{text}"));
        assert_eq!(report["tests"][0]["failures"][0]["message"], text);
        assert_eq!(report["tests"][0]["notes"][0], text);
        for line in rendered(&sample, Format::Jsonl, Look::default()).lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("an object a line");
        }
    }
}

#[test]
fn junit_reads_back() {
    for text in corpus() {
        let xml = rendered(&hostile(&text), Format::Junit, Look::default());
        let mut reader = quick_xml::Reader::from_str(&xml);
        reader.config_mut().check_end_names = true;
        let (mut ids, mut elements) = (Vec::new(), Vec::new());
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) => {
                    elements.push(String::from_utf8(tag.name().as_ref().to_vec()).expect("UTF-8"));
                    let value = |name: &str| {
                        let found = tag.try_get_attribute(name).expect("attributes")?;
                        Some(
                            found
                                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                                .expect("escaped")
                                .into_owned(),
                        )
                    };
                    if value("name").as_deref() == Some("id") {
                        ids.extend(value("value"));
                    }
                }
                _ => {}
            }
        }
        let expected = [format!("tests/test_a.py::t[{text}]"), format!("{text}/c.py::t")];
        assert_eq!(ids, expected.map(|id| shown(&id).into_owned()), "{text:?}");
        let known = ["testsuites", "testsuite", "testcase", "properties", "property", "failure", "error"];
        assert!(elements.iter().all(|element| known.contains(&element.as_str())), "{elements:?}");
    }
}

#[test]
fn junit_of_a_rerun_reads_back() {
    for text in corpus() {
        let xml = rendered(&hostile_rerun(&text), Format::Junit, Look::default());
        let report = reader::read(xml.as_bytes()).unwrap_or_else(|error| panic!("{error} in\n{xml}"));
        let ids: Vec<String> = report.cases.iter().filter_map(|case| case.node_id.clone()).collect();
        let expected: Vec<String> =
            (0..12).map(|n| shown(&format!("tests/test_{n}.py::t[{text}]")).into_owned()).collect();
        assert_eq!(ids, expected, "{text:?}");
    }
}

#[test]
fn html_gains_no_element() {
    let plain = elements(&rendered(&hostile("plain"), Format::Html, Look::default()));
    for text in corpus() {
        let page = rendered(&hostile(&text), Format::Html, Look::default());
        assert_eq!(elements(&page), plain, "{text:?}");
        let id = shown(&format!("tests/test_a.py::t[{text}]")).into_owned();
        assert!(unescaped(&page).contains(&id), "{text:?}");
        assert!(!page.contains("<script") && !page.contains("http-equiv=\"refresh"), "{text:?}");
    }
}

/// Every kind of tag with its attribute names, as a browser would see them: texts and attribute values hold no `<`.
fn elements(page: &str) -> BTreeSet<String> {
    let tags = page.split('<').skip(1).map(|part| part.split('>').next().unwrap_or(part));
    let names = |tag: &str| {
        let mut outside = String::new();
        for (at, part) in tag.split('"').enumerate() {
            if at % 2 == 0 {
                outside.push_str(part);
            }
        }
        outside
    };
    tags.map(names).collect()
}

fn unescaped(page: &str) -> String {
    let mut text = page.to_owned();
    for (entity, c) in [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")] {
        text = text.replace(entity, c);
    }
    text
}

#[test]
fn github_gains_no_command() {
    let plain = rendered(&hostile("plain"), Format::Github, Look::default()).lines().count();
    for text in corpus() {
        let report = rendered(&hostile(&text), Format::Github, Look::default());
        assert_eq!(report.lines().count(), plain, "{text:?}");
        for line in report.lines() {
            let rest = line.strip_prefix("::").expect("every line is a command");
            let (properties, message) = rest.split_once("::").expect("a command has a message");
            let (level, properties) = properties.split_once(' ').expect("a command has properties");
            assert!(["error", "warning"].contains(&level), "{line}");
            let names: Vec<&str> = properties.split(',').filter_map(|one| one.split('=').next()).collect();
            assert_eq!(names, ["file", "line", "title"], "{line}");
            assert!(!message.contains(['\r', '\n']));
        }
        let first = report.lines().next().expect("a line");
        let message = first.splitn(3, "::").nth(2).expect("a message");
        let back = message.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
        let id = shown(&format!("tests/test_a.py::t[{text}]")).into_owned();
        assert!(back.starts_with(&format!("{id}: ")), "{back}");
    }
}

#[test]
fn markdown_keeps_hostile_text_in_code_spans() {
    for text in corpus() {
        let report = rendered(&hostile(&text), Format::Markdown, Look::default());
        let outside = outside_code(&report);
        for mark in ['<', '[', '@', '$'] {
            assert!(!outside.contains(mark), "{mark} of {text:?} outside of code:\n{report}");
        }
    }
}

/// The text outside of code spans and fenced blocks, by the rule of CommonMark: a span ends at a run of as many
/// backticks as it began with.
fn outside_code(text: &str) -> String {
    let mut outside = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let run = rest[at..].chars().take_while(|c| *c == '`').count();
        rest = &rest[at + run..];
        let mut end = 0;
        loop {
            let next = rest[end..].find('`').map(|next| end + next).expect("every span ends");
            let long = rest[next..].chars().take_while(|c| *c == '`').count();
            end = next + long;
            if long == run {
                break;
            }
        }
        rest = &rest[end..];
    }
    outside + rest
}

#[test]
fn a_terminal_shows_every_id_on_one_line() {
    for text in corpus() {
        let report = rendered(&hostile(&text), Format::Human, Look::default());
        let id = shown(&format!("tests/test_a.py::t[{text}]")).into_owned();
        assert!(report.lines().any(|line| line.contains(&id)), "{text:?}:\n{report}");
    }
}
