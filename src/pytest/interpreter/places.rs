//! Where a Python may be, in the order in which it is looked for. Nothing is looked at here.

use std::path::{Path, PathBuf};

use super::Request;

/// The folders that hold a project's own environment.
const OWN: [&str; 2] = [".venv", "venv"];

/// One place to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The program.
    pub program: PathBuf,
    /// How it was found, for people.
    pub origin: String,
    /// It is there because of `PATH` only: if it turns out to be no Python, the next one may be.
    pub on_path: bool,
    /// What to say where there is no program although something promised one.
    pub promise: Option<String>,
}

/// All places, best first: the Python that was named, and nothing else, if one was; else the active environment
/// (`VIRTUAL_ENV`, then conda's), `.venv` and `venv` from the directory upward, and `python3` and `python` on
/// `PATH`. An active conda `base` comes after the project's own environment: it is active in every shell of whoever
/// uses conda, and says nothing about the project.
pub fn places(request: &Request) -> Vec<Place> {
    if let Some(named) = &request.python {
        return self::named(request, &named.value)
            .into_iter()
            .map(|program| Place { program, origin: named.origin.clone(), on_path: false, promise: None })
            .collect();
    }
    let environment = &request.environment;
    let active = |variable: &str, folder: &Path| Place {
        program: python_of(folder),
        origin: variable.to_owned(),
        on_path: false,
        promise: Some(format!("{variable} is {}, where there is no Python: passed over", folder.display())),
    };
    let mut places = Vec::new();
    places.extend(environment.virtual_env.iter().map(|folder| active("VIRTUAL_ENV", folder)));
    let conda = environment.conda_prefix.iter().map(|folder| active("CONDA_PREFIX", folder));
    let is_base = matches!(environment.conda_name.as_deref(), Some("base" | "root"));
    if !is_base {
        places.extend(conda.clone());
    }
    for (depth, ancestor) in request.directory.ancestors().enumerate() {
        places.extend(OWN.iter().map(|name| Place {
            program: python_of(&ancestor.join(name)),
            origin: format!("{}{name}", "../".repeat(depth)),
            on_path: false,
            promise: None,
        }));
    }
    if is_base {
        places.extend(conda);
    }
    for name in ["python3", "python"] {
        places.extend(on_path(request, name).map(|program| Place {
            program,
            origin: "PATH".to_owned(),
            on_path: true,
            promise: None,
        }));
    }
    places
}

/// A path, relative to the directory, or a name to look up on `PATH`. A folder stands for the environment in it.
fn named(request: &Request, value: &str) -> Vec<PathBuf> {
    let here = request.directory.join(value);
    if value.contains('/') {
        vec![here.clone(), python_of(&here)]
    } else {
        on_path(request, value).chain([python_of(&here)]).collect()
    }
}

fn python_of(folder: &Path) -> PathBuf {
    folder.join("bin").join("python")
}

fn on_path(request: &Request, name: &str) -> impl Iterator<Item = PathBuf> {
    let folders: Vec<PathBuf> = request
        .environment
        .path
        .iter()
        .flat_map(|path| std::env::split_paths(path).collect::<Vec<_>>())
        .collect();
    // An empty or relative entry means the current directory, which is the one of the suite.
    let directory = request.directory.clone();
    folders.into_iter().map(move |folder| directory.join(folder).join(name))
}
