use super::*;

fn case(inner: &str) -> Case {
    let xml =
        format!("<testsuite><testcase classname='c' name='n' time='1,234.5'>{inner}</testcase></testsuite>");
    read(xml.as_bytes()).expect("well-formed").cases.remove(0)
}

#[test]
fn children_and_properties() {
    let case = case(
        "<properties><property name='fh_nodeid' value='a.py::b&#10;'/><property name='fh_n' value='7'/>
         <property name='x' value='y'/></properties>
         <skipped type='pytest.skip'/><failure message='m &lt; n' type='E'>one &amp; <![CDATA[<two>]]>&#233;</failure>
         <error/><system-out>&lt;</system-out><rerunFailure/><flakyError/><flakyFailure>x</flakyFailure>",
    );
    assert_eq!((case.node_id.as_deref(), case.position), (Some("a.py::b\n"), Some(7)));
    assert_eq!((case.flaky, case.reruns, case.seconds), (2, 1, Some(1234.5)));
    assert_eq!(case.worst(), Some(Kind::Error));
    assert_eq!(
        case.details[1],
        Detail {
            kind: Kind::Failure,
            message: Some("m < n".into()),
            r#type: Some("E".into()),
            text: "one & <two>é".into(),
        }
    );
}

#[test]
fn suites_nest_and_merge() {
    let report = read(
        b"<?xml version='1.0'?><!-- merged --><testsuites><testsuite name='a' hostname='h' timestamp='t'><testsuite \
          name='b'><testcase name='x'/></testsuite><testcase name='y'/></testsuite><testsuite name='c'><testcase \
          name='z'/></testsuite><testcase name='w'/></testsuites>\n",
    )
    .expect("well-formed");
    let cases: Vec<_> = report.cases.iter().map(|case| (case.name.as_str(), case.suite)).collect();
    assert_eq!(cases, [("x", Some(1)), ("y", Some(0)), ("z", Some(2)), ("w", None)]);
    assert_eq!(report.suites[0].hostname.as_deref(), Some("h"));
    assert_eq!(report.suites[0].timestamp.as_deref(), Some("t"));
}

#[test]
fn long_texts_are_cut() {
    // The two bytes of the last character would be one too many.
    let case = case(&format!("<failure>{}é</failure>", "x".repeat(TEXT_LIMIT - 1)));
    assert_eq!(case.details[0].text, "x".repeat(TEXT_LIMIT - 1));
}
