//! Every format against committed text, against its own reader, and against texts that want to be more than text.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --test report` rewrites the snapshots in `tests/report/snapshots/` and the schema in
//! `schemas/report-1.json`; read the difference before you commit it.

#[path = "report/injection.rs"]
mod injection;
#[path = "report/reproduce.rs"]
mod reproduce;
#[path = "report/sample.rs"]
mod sample;

use std::path::PathBuf;

use clap::ValueEnum as _;
use flakehunt::report::human::{self, Baseline};
use flakehunt::report::model::{self, Report};
use flakehunt::report::{Format, Look};
use flakehunt::session::event::EndReason;
use fs_err as fs;
use sample::Sample;

fn rendered(sample: &Sample, format: Format, look: Look) -> String {
    let mut out = Vec::new();
    format.renderer(look).render(&sample.findings(), &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// Compares with the committed file, or rewrites it where that was asked for.
fn committed(path: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    #[expect(clippy::disallowed_methods, reason = "a switch of the test, not of the program")]
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folder");
        fs::write(&path, text).expect("written");
    }
    let expected = fs::read_to_string(&path).expect("committed; see the head of this file");
    let differs = expected.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(
        expected == text,
        "{} differs first in line {:?}; see the head of this file. It is now:\n{text}",
        path.display(),
        differs.map(|at| at + 1)
    );
}

fn snapshot(name: &str, text: &str) {
    committed(&format!("tests/report/snapshots/{name}"), text);
}

fn look(width: usize, color: bool) -> Look {
    Look { width, color, all: false }
}

#[test]
fn human_of_every_class() {
    let sample = sample::every_class();
    snapshot("every-class.80.txt", &rendered(&sample, Format::Human, look(80, false)));
    snapshot("every-class.200.txt", &rendered(&sample, Format::Human, look(200, false)));
    snapshot(
        "every-class.color.txt",
        &rendered(&sample, Format::Human, look(120, true)).replace('\x1b', "<ESC>"),
    );
}

#[test]
fn human_of_a_cluster_of_nothing_and_of_an_interrupted_hunt() {
    snapshot("cluster.100.txt", &rendered(&sample::cluster(), Format::Human, look(100, false)));
    let all = Look { width: 100, color: false, all: true };
    snapshot("cluster.all.txt", &rendered(&sample::cluster(), Format::Human, all));
    snapshot("nothing.80.txt", &rendered(&sample::nothing(), Format::Human, look(80, false)));
    let mut interrupted = sample::nothing();
    interrupted.end = EndReason::Interrupted;
    interrupted.coverage.exact = false;
    interrupted.coverage.pairs = 0.31;
    snapshot("interrupted.80.txt", &rendered(&interrupted, Format::Human, look(80, false)));
}

#[test]
fn a_rerun_in_every_format() {
    let rerun = sample::rerun(&sample::IDS, "ValueError: no such tax");
    snapshot("rerun.80.txt", &rendered(&rerun, Format::Human, look(80, false)));
    snapshot("rerun.200.txt", &rendered(&rerun, Format::Human, look(200, false)));
    snapshot("rerun.junit.xml", &rendered(&rerun, Format::Junit, Look::default()));
    snapshot("rerun.markdown.md", &rendered(&rerun, Format::Markdown, Look::default()));
    snapshot("rerun.github.txt", &rendered(&rerun, Format::Github, Look::default()));
    snapshot("rerun.json.json", &rendered(&rerun, Format::Json, Look::default()));
}

#[test]
fn junit_of_a_rerun_is_read_back_by_the_reader_of_ci_files() {
    let rerun = sample::rerun(&sample::IDS, "ValueError: no such tax");
    let xml = rendered(&rerun, Format::Junit, Look::default());
    let report = flakehunt::pytest::junit::reader::read(xml.as_bytes()).expect("JUnit");
    let joined = flakehunt::pytest::junit::ids::join(&rerun.suite, &report);
    let order: Vec<_> = joined.ran.iter().map(|ran| ran.test).collect();
    assert_eq!(order, rerun.suite.all().collect::<Vec<_>>());
    let failed: Vec<u32> = joined.ran.iter().filter(|ran| ran.failed()).map(|ran| ran.test.0).collect();
    assert_eq!(failed, [4]);
    let counts: Vec<(u32, u32)> =
        [0, 4, 9].map(|at: usize| (report.cases[at].flaky, report.cases[at].reruns)).into();
    assert_eq!(counts, [(2, 0), (0, 2), (1, 0)]);
}

#[test]
fn colour_adds_only_colour() {
    let sample = sample::every_class();
    let painted = rendered(&sample, Format::Human, look(100, true));
    assert_ne!(painted, rendered(&sample, Format::Human, look(100, false)));
    let stripped = anstream::adapter::strip_str(&painted).to_string();
    assert_eq!(stripped, rendered(&sample, Format::Human, look(100, false)));
}

#[test]
fn ids_stay_whole_at_every_width() {
    let sample = sample::every_class();
    for width in [1, 20, 40, 80, 133, 200] {
        let text = rendered(&sample, Format::Human, look(width, false));
        for verdict in &sample.verdicts {
            let id = sample.suite.node_id(verdict.test);
            assert!(text.lines().any(|line| line.contains(id)), "{id} at {width}:\n{text}");
        }
    }
}

#[test]
fn only_what_must_stay_whole_is_wider_than_the_terminal() {
    let sample = sample::every_class();
    let text = rendered(&sample, Format::Human, look(80, false));
    for line in text.lines().filter(|line| line.chars().count() > 80) {
        let whole = ["test_a_rather_long_module_name", "localhost:8080", "import copy"];
        assert!(whole.iter().any(|whole| line.contains(whole)), "{line}");
    }
}

#[test]
fn the_first_lines_stand_alone() {
    let sample = sample::every_class();
    let baseline = Baseline::of(&sample.runs);
    assert_eq!(baseline, Baseline { runs: 2, agree: 2, each_ms: 8_200, differing: 0 });
    let plan = human::plan_line(50, Some(120_000));
    assert_eq!(
        human::baseline_line(&baseline, &plan, false),
        "baseline   2 of 2 runs agree, 8.2 s each; 50 orders, about 2m00s"
    );
    let mut differing = sample.runs.clone();
    differing[1].1.outcomes[3] = flakehunt::core::outcome::Outcome::Failed;
    assert_eq!(
        human::baseline_line(&Baseline::of(&differing), "", false),
        "baseline   1 test differs between 2 runs of one order, 8.2 s each"
    );
    // A run of the order's beginning agrees as far as it goes, and its time is not that of the suite.
    let mut cut = sample.runs.clone();
    let (spec, record) = &mut cut[1];
    spec.order = spec.order[..3].into();
    record.outcomes.truncate(3);
    record.cost.wall_ms = 5;
    assert_eq!(Baseline::of(&cut), Baseline { runs: 2, agree: 2, each_ms: 8_200, differing: 0 });
}

#[test]
fn every_format() {
    let sample = sample::every_class();
    for format in Format::value_variants() {
        let (name, suffix) = match format {
            Format::Human => continue,
            Format::Json => ("json", "json"),
            Format::Jsonl => ("jsonl", "jsonl"),
            Format::Junit => ("junit", "xml"),
            Format::Markdown => ("markdown", "md"),
            Format::Github => ("github", "txt"),
            Format::Html => ("html", "html"),
        };
        snapshot(&format!("every-class.{name}.{suffix}"), &rendered(&sample, *format, Look::default()));
    }
    snapshot("cluster.markdown.md", &rendered(&sample::cluster(), Format::Markdown, Look::default()));
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let schema = serde_json::to_string_pretty(&model::schema()).expect("JSON") + "\n";
    committed("schemas/report-1.json", &schema);
}

#[test]
fn reports_keep_the_contract() {
    let validator = jsonschema::validator_for(&model::schema()).expect("a schema");
    let rerun = sample::rerun(&sample::IDS, "no");
    for sample in [sample::every_class(), sample::cluster(), sample::nothing(), rerun] {
        let text = rendered(&sample, Format::Json, Look::default());
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        let back: Report = serde_json::from_value(value).expect("the same types read it");
        assert_eq!(back, Report::of(&sample.findings()));
    }
    let mut wrong: serde_json::Value =
        serde_json::from_str(&rendered(&sample::every_class(), Format::Json, Look::default())).expect("JSON");
    wrong["tests"][0]["verdict"] = "flaky".into();
    assert!(!validator.is_valid(&wrong), "the schema accepts any verdict");
}

#[test]
fn a_suite_without_pairs_keeps_the_contract() {
    let mut sample = Sample::of(&["tests/test_a.py::test_only"]);
    sample.coverage.pairs = f64::NAN;
    sample.coverage.seen95 = Some(f64::NAN);
    let value = serde_json::from_str(&rendered(&sample, Format::Json, Look::default())).expect("JSON");
    assert!(jsonschema::validator_for(&model::schema()).expect("a schema").is_valid(&value), "{value}");
}

#[test]
fn jsonl_is_the_same_report_in_lines() {
    let sample = sample::cluster();
    let text = rendered(&sample, Format::Jsonl, Look::default());
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().expect("a word")).collect();
    assert_eq!(events[..2], ["session", "suite"]);
    assert_eq!(events.iter().filter(|event| **event == "test").count(), 14);
    assert_eq!(events.last(), Some(&"end"));
    let whole = Report::of(&sample.findings());
    let tests: Vec<model::Test> = lines
        .into_iter()
        .filter(|line| line["event"] == "test")
        .map(|line| serde_json::from_value(line).expect("a test"))
        .collect();
    assert_eq!(tests, whole.tests);
}

#[test]
fn the_order_of_verdicts_and_a_second_rendering_change_nothing() {
    let sample = sample::every_class();
    let mut shuffled = sample.clone();
    shuffled.verdicts.reverse();
    for format in Format::value_variants() {
        let once = rendered(&sample, *format, Look::default());
        assert_eq!(once, rendered(&sample, *format, Look::default()));
        assert_eq!(once, rendered(&shuffled, *format, Look::default()), "{format:?}");
    }
}
