use super::*;
use crate::core::test_id::{CollectedTest, TestId};
use crate::pytest::junit::reader;

fn suite(ids: &[&str]) -> Suite {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let tests = ids.iter().enumerate().map(|(line, id)| {
        let occurrence = seen.entry(id).and_modify(|n| *n += 1).or_default();
        CollectedTest {
            id: TestId { node_id: (*id).to_owned(), occurrence: *occurrence },
            file: id.split("::").next().unwrap_or_default().to_owned(),
            class: String::new(),
            line: Some(line as u32 + 1),
            unstable: false,
        }
    });
    Suite::new(tests.collect())
}

fn joined(suite: &Suite, xml: &str) -> Joined {
    join(suite, &reader::read(format!("<testsuites>{xml}</testsuites>").as_bytes()).expect("well-formed"))
}

fn tests(joined: &Joined) -> Vec<u32> {
    joined.ran.iter().map(|ran| ran.test.0).collect()
}

#[test]
fn pairs_are_looked_up_and_never_guessed() {
    let suite = suite(&["x/test_y.py::test_x", "x.test_y.py::test_x", "a.py::T::t[a/b.py::c]", "a.py::T::t"]);
    let joined = joined(
        &suite,
        "<testsuite><testcase classname='a.T' name='t[a/b.py::c]'/><testcase classname='x.test_y' name='test_x'/>
         <testcase classname='a' name='T.t'/><testcase classname='x.test_y' name='test_x' file='x.test_y.py'/>
         <testcase classname='x.test_y' name='test_x' file='x.test_y.py'><failure/></testcase>
         <testcase classname='' name='x.broken'><error/></testcase></testsuite>",
    );
    assert_eq!(tests(&joined), [2, 1]);
    assert!(joined.ran[1].failed() && !joined.ran[0].failed());
    let names = |classname: &str, name: &str| Names { classname: classname.into(), name: name.into() };
    assert_eq!(joined.ambiguous, [(names("x.test_y", "test_x"), vec![TestIdx(0), TestIdx(1)])]);
    assert_eq!(joined.unknown, [names("a", "T.t")]);
    assert_eq!(joined.prefix, None);
}

#[test]
fn the_property_is_believed_and_a_line_breaks_the_tie_of_equal_ids() {
    let suite = suite(&["a.yaml::dup", "a.yaml::dup", "b[1].py::t"]);
    let joined = joined(
        &suite,
        "<testsuite><testcase classname='renamed' name='x'><properties><property name='fh_nodeid'
         value='b[1].py::t'/></properties></testcase><testcase classname='a.yaml' name='dup' line='1' file='a.yaml'/>
         <testcase classname='a.yaml' name='dup'/><testcase classname='b[1]' name='t'/>
         <testcase classname='' name='b[1].py::t'/></testsuite>",
    );
    assert_eq!(tests(&joined), [2, 1, 2]);
    assert_eq!(joined.ambiguous.len(), 1);
}

#[test]
fn a_prefix_is_found() {
    let suite = suite(&["tests/test_a.py::x", "tests/test_a.py::y", "test_a.py::x"]);
    let joined = joined(
        &suite,
        "<testsuite><testcase classname='ci.linux.tests.test_a' name='y'/><testcase classname='ci.linux.tests.test_a'
         name='x'/><testcase classname='ci.linux.test_a' name='x'/></testsuite>",
    );
    assert_eq!(joined.prefix.as_deref(), Some("ci.linux"));
    assert_eq!(tests(&joined), [1, 0, 2]);
}

#[test]
fn suites_are_put_in_the_order_of_their_times() {
    let suite = suite(&["a.py::x", "a.py::y", "a.py::z"]);
    let run = |first: &str, second: &str| {
        let case = |name: &str| format!("<testcase classname='a' name='{name}'/>");
        let xml = format!(
            "<testsuite timestamp='{first}'>{}{}</testsuite><testsuite timestamp='{second}'>{}</testsuite>",
            case("z"),
            case("x"),
            case("y")
        );
        tests(&joined(&suite, &xml))
    };
    assert_eq!(run("2026-01-02T00:00:00+00:00", "2026-01-01T23:00:00-05:00"), [2, 0, 1]);
    assert_eq!(run("2026-01-02T00:00:00+00:00", "2026-01-02T00:30:00+01:00"), [1, 2, 0]);
    assert_eq!(run("2026-01-02T00:00:00.5", "2026-01-02T00:00:00"), [1, 2, 0]);
    // A local time and a time in a zone say nothing about each other.
    assert_eq!(run("2026-01-02T00:00:00", "2026-01-01T00:00:00+00:00"), [2, 0, 1]);
    assert_eq!(run("2026-01-02T00:00:00", "yesterday"), [2, 0, 1]);
}
