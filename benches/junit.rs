//! Reading and writing 50,000 tests: streams, reports, the suite file.

use divan::{Bencher, black_box};
use flakehunt::core::fingerprint::fingerprint;
use flakehunt::core::run::ProcessEnd;
use flakehunt::core::test_id::{CollectedTest, Suite, TestId, TestIdx};
use flakehunt::pytest::junit::crosscheck::crosscheck;
use flakehunt::pytest::junit::writer::{self, Run};
use flakehunt::pytest::junit::{ids, reader};
use flakehunt::pytest::stream::{Told, conclude};
use flakehunt::pytest::suite_file;

const TESTS: usize = 50_000;

fn main() {
    divan::main();
}

fn node_id(test: usize) -> String {
    format!("tests/unit/test_module_{}.py::TestClass{}::test_case[{test}-value]", test / 50, test / 10 % 5)
}

fn suite() -> Suite {
    let test = |test: usize| CollectedTest {
        id: TestId { node_id: node_id(test), occurrence: 0 },
        file: format!("tests/unit/test_module_{}.py", test / 50),
        class: format!("TestClass{}", test / 10 % 5),
        line: Some(test as u32 % 500),
        unstable: false,
    };
    Suite::new((0..TESTS).map(test).collect())
}

/// A stream of the full protocol in which every hundredth test fails.
fn stream() -> Vec<u8> {
    let mut lines = String::new();
    for n in 0..TESTS {
        let phase = |when: &str, more: &str| {
            format!("{{\"event\":\"phase\",\"n\":{n},\"when\":\"{when}\",\"seconds\":0.000104,{more}}}\n")
        };
        let passed = "\"outcome\":\"passed\"";
        let failed = "\"outcome\":\"failed\",\"type\":\"AssertionError\",\"message\":\"assert 12 == 13\\n  where 12 = \
                      <object at 0x7f8b8c0d5e50>\",\"place\":\"tests/t.py:12\",\"text\":\"def test():\\n> assert\"";
        lines.push_str(&format!("{{\"event\":\"start\",\"i\":{n},\"n\":{n}}}\n"));
        lines.push_str(&phase("setup", passed));
        lines.push_str(&phase("call", if n % 100 == 0 { failed } else { passed }));
        lines.push_str(&phase("teardown", passed));
        lines.push_str(&format!("{{\"event\":\"fin\",\"n\":{n}}}\n"));
    }
    lines.push_str("{\"event\":\"end\",\"code\":1}\n");
    lines.into_bytes()
}

fn order() -> Vec<TestIdx> {
    (0..TESTS as u32).map(TestIdx).collect()
}

fn report(suite: &Suite, told: &Told) -> String {
    let order = order();
    let conclusion = conclude(told, &order, ProcessEnd::Exited(1), None);
    let run = Run { suite, order: &order, told, conclusion: &conclusion, seconds: 1.0, timestamp: None };
    writer::render(&run)
}

#[divan::bench(sample_count = 10)]
fn tell_and_conclude_50_000(bencher: Bencher<'_, '_>) {
    let (stream, order) = (stream(), order());
    bencher.counter(divan::counter::BytesCount::of_slice(&stream)).bench(|| {
        let told = Told::from_bytes(black_box(&stream), TESTS);
        conclude(&told, &order, ProcessEnd::Exited(1), None)
    });
}

#[divan::bench(sample_count = 10)]
fn read_report_50_000(bencher: Bencher<'_, '_>) {
    let xml = report(&suite(), &Told::from_bytes(&stream(), TESTS));
    bencher
        .counter(divan::counter::BytesCount::of_str(&xml))
        .bench(|| reader::read(black_box(xml.as_bytes())));
}

#[divan::bench(sample_count = 10)]
fn write_report_50_000(bencher: Bencher<'_, '_>) {
    let (suite, told) = (suite(), Told::from_bytes(&stream(), TESTS));
    bencher.bench(|| report(black_box(&suite), &told));
}

#[divan::bench(sample_count = 10)]
fn crosscheck_50_000(bencher: Bencher<'_, '_>) {
    let (suite, told, order) = (suite(), Told::from_bytes(&stream(), TESTS), order());
    let read = reader::read(report(&suite, &told).as_bytes());
    bencher
        .bench(|| read.as_ref().map(|read| crosscheck(&told, &order, &suite, black_box(read))).map_err(drop));
}

#[divan::bench(sample_count = 10)]
fn join_50_000(bencher: Bencher<'_, '_>) {
    let suite = suite();
    // Without the properties, as CI leaves it.
    let case = |test| {
        format!(
            "<testcase classname=\"tests.unit.test_module_{}.TestClass{}\" name=\"test_case[{test}-value]\"/>",
            test / 50,
            test / 10 % 5
        )
    };
    let cases: String = (0..TESTS).map(case).collect();
    let read = reader::read(format!("<testsuite>{cases}</testsuite>").as_bytes());
    bencher.bench(|| read.as_ref().map(|read| ids::join(&suite, black_box(read))).map_err(drop));
}

#[divan::bench(sample_count = 10)]
fn read_suite_file_50_000(bencher: Bencher<'_, '_>) {
    let test = |test| {
        format!(
            "{{\"id\":\"{}\",\"n\":0,\"file\":\"tests/unit/test_module_{}.py\",\"class\":\"TestClass\",\"line\":{test},\"key\":\"{}\",\"k\":0}}",
            node_id(test),
            test / 50,
            node_id(test)
        )
    };
    let tests: Vec<String> = (0..TESTS).map(test).collect();
    let file = tempfile::NamedTempFile::new().and_then(|file| {
        fs_err::write(file.path(), format!("{{\"protocol\":1,\"tests\":[{}]}}", tests.join(",")))?;
        Ok(file)
    });
    bencher.bench(|| file.as_ref().map(|file| suite_file::read(file.path())).map_err(drop));
}

#[divan::bench]
fn fingerprint_of_a_failure() -> String {
    fingerprint(
        black_box("AssertionError"),
        black_box("tests/test_a.py:12"),
        black_box(
            "assert 12 == 13\n  where 12 = <object at 0x7f8b8c0d5e50> in '/tmp/pytest-of-ann/pytest-3/test_x0/f'",
        ),
    )
}
