//! The names that pytest derives from a node id for its JUnit report.

/// The `classname` and `name` of a test case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Names {
    /// The path with dots and the classes.
    pub classname: String,
    /// The function with its parameters.
    pub name: String,
}

/// What pytest up to 8 writes (`_pytest.junitxml.mangle_test_address`): parameters begin at the first bracket of the
/// whole node id.
pub fn names(node_id: &str) -> Names {
    let (address, parameters) = split_at(node_id, node_id.find('['));
    mangled(address, parameters)
}

/// What pytest 9.2 and newer writes: a bracket in the path begins no parameters. The two differ for such paths only.
pub fn names_of_nine(node_id: &str) -> Names {
    let tail = node_id.find("::").unwrap_or(node_id.len());
    let (address, parameters) = split_at(node_id, node_id[tail..].find('[').map(|at| tail + at));
    mangled(address, parameters)
}

fn split_at(text: &str, at: Option<usize>) -> (&str, &str) {
    text.split_at(at.unwrap_or(text.len()))
}

fn mangled(address: &str, parameters: &str) -> Names {
    let (path, rest) = address.split_once("::").map_or((address, None), |(path, rest)| (path, Some(rest)));
    let path = path.replace('/', ".");
    let path = path.strip_suffix(".py").unwrap_or(&path);
    match rest {
        None => Names { classname: String::new(), name: format!("{path}{parameters}") },
        Some(rest) => {
            let (classes, name) =
                rest.rsplit_once("::").map_or(("", rest), |(classes, name)| (classes, name));
            let mut classname = path.to_owned();
            if !classes.is_empty() || rest.starts_with("::") {
                classname.push('.');
                classname.push_str(&classes.replace("::", "."));
            }
            Names { classname, name: format!("{name}{parameters}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_pytest_derives_them() {
        for (node_id, classname, name) in [
            (
                "tests/sub.d/test_a.py::TestA::TestB::test_x[a/b]",
                "tests.sub.d.test_a.TestA.TestB",
                "test_x[a/b]",
            ),
            ("test_a.py::test_x[x::y]", "test_a", "test_x[x::y]"),
            ("test_a.py::test_x[[]", "test_a", "test_x[[]"),
            ("test_a.py", "", "test_a"),
            ("items/a.yaml::usage", "items.a.yaml", "usage"),
            ("", "", ""),
        ] {
            let expected = Names { classname: classname.into(), name: name.into() };
            assert_eq!(names(node_id), expected, "{node_id}");
            assert_eq!(names_of_nine(node_id), expected, "{node_id}");
        }
        assert_eq!(names("t[1].py::a").classname, "");
        assert_eq!(names_of_nine("t[1].py::a"), Names { classname: "t[1]".into(), name: "a".into() });
    }
}
