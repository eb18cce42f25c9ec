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
    "artefacts.py",
    "bound.py",
    "bytecode.py",
    "clone.py",
    "failure.py",
    "loop.py",
    "neutralise.py",
    "seeds.py",
    "stream.py",
    "suite.py",
    "terminal.py",
];
