//! The Python package that pytest loads, as it stands in `plugin/`.

macro_rules! package {
    ($($name:literal),* $(,)?) => {
        &[$((
            concat!("flakehunt_plugin/", $name),
            include_str!(concat!("plugin/flakehunt_plugin/", $name)),
        )),*]
    };
}

/// Every file of the package: its path below the folder that belongs on `PYTHONPATH`, and its text.
pub const PACKAGE: &[(&str, &str)] = package![
    "__init__.py",
    "around.py",
    "artefacts.py",
    "bound.py",
    "bytecode.py",
    "child.py",
    "clone.py",
    "copies.py",
    "failure.py",
    "fan.py",
    "files.py",
    "frost.py",
    "gate.py",
    "lean.py",
    "leave.py",
    "loop.py",
    "neutralise.py",
    "seeds.py",
    "serve.py",
    "snapshot.py",
    "stream.py",
    "suite.py",
    "terminal.py",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_the_package_is_forgotten() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pytest/plugin/flakehunt_plugin");
        let mut there: Vec<String> = fs_err::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".py"))
            .map(|name| format!("flakehunt_plugin/{name}"))
            .collect();
        there.sort();
        let embedded: Vec<&str> = PACKAGE.iter().map(|(name, _)| *name).collect();
        assert_eq!(embedded, there);
    }
}
