//! The configuration file: where it is, and what is wrong with it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use fs_err as fs;
use serde::de::{self, Deserialize, Deserializer};

use super::Layer;
use crate::cli::values::{Folder, Program, Words};
use crate::error::Failure;

const OWN: &str = "flakehunt.toml";
const PYPROJECT: &str = "pyproject.toml";

/// A configuration file and what it says.
#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    /// `[tool.flakehunt]` in `pyproject.toml`, nothing in `flakehunt.toml`.
    pub table: &'static str,
    pub layer: Layer,
}

#[derive(serde::Deserialize)]
struct Pyproject {
    tool: Option<Tools>,
}

#[derive(serde::Deserialize)]
struct Tools {
    flakehunt: Option<Layer>,
}

/// The nearest directory, from `directory` upwards to the root of the repository, that configures flakehunt.
pub(super) fn find(directory: &Path) -> Result<Option<Found>, Failure> {
    for folder in directory.ancestors() {
        let (own, pyproject) = (folder.join(OWN), folder.join(PYPROJECT));
        let in_own = read::<Layer>(&own, "")?;
        let in_pyproject = read::<Pyproject>(&pyproject, "tool.flakehunt")?
            .and_then(|pyproject| pyproject.tool)
            .and_then(|tools| tools.flakehunt);
        let (path, table, mut layer) = match (in_own, in_pyproject) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage(format!(
                    "{} has both {OWN} and [tool.flakehunt] in {PYPROJECT}",
                    folder.display()
                ))
                .hint("keep the settings in one of them"));
            }
            (Some(layer), None) => (own, "", layer),
            (None, Some(layer)) => (pyproject, "[tool.flakehunt]", layer),
            (None, None) if fs::symlink_metadata(folder.join(".git")).is_ok() => return Ok(None),
            (None, None) => continue,
        };
        layer.relative_to(folder);
        return Ok(Some(Found { path, table, layer }));
    }
    Ok(None)
}

/// What a person may want to know of a file that cannot be understood.
const KEYS: &str =
    "keys are the long options of a run, see `flakehunt shuffle --help`: `test-timeout = \"90s\"`";

/// Reads one file, where it is there. `table` is where our keys are in it, for errors.
fn read<T: de::DeserializeOwned>(path: &Path, table: &str) -> Result<Option<T>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::usage(format!("cannot read the configuration: {error}"))),
    };
    let place = |error: &toml::de::Error| match error.span() {
        Some(span) => {
            let line = 1 + text.as_bytes()[..span.start.min(text.len())]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            format!("{}:{line}", path.display())
        }
        None => path.display().to_string(),
    };
    let input = toml::Deserializer::parse(&text)
        .map_err(|error| Failure::usage(format!("{}: {}", place(&error), error.message())).hint(KEYS))?;
    serde_path_to_error::deserialize(input).map(Some).map_err(|error| {
        let (key, error) = (error.path().to_string(), error.into_inner());
        let place = place(&error);
        match unknown_key(error.message()) {
            Some(unknown) => {
                let full = if table.is_empty() { unknown.to_owned() } else { format!("{table}.{unknown}") };
                super::suggest(Failure::usage(format!("{place}: unknown key `{full}`")), unknown)
            }
            None => Failure::usage(format!("{place}: {key}: {}", error.message())).hint(KEYS),
        }
    })
}

/// The key in serde's "unknown field `x`, expected ...".
fn unknown_key(message: &str) -> Option<&str> {
    message.strip_prefix("unknown field `")?.split_once('`').map(|(key, _)| key)
}

impl Layer {
    /// Paths in a file are relative to the file, wherever flakehunt was started.
    fn relative_to(&mut self, folder: &Path) {
        if let Some(Folder(path)) = &mut self.session_dir {
            *path = folder.join(&path);
        }
        // A bare name is looked up on PATH.
        if let Some(Program(program)) = &mut self.python
            && program.contains(std::path::is_separator)
        {
            *program = folder.join(&program).to_string_lossy().into_owned();
        }
    }
}

/// Deserializes what is typed as a string or a number by the same parser as the flag.
pub(super) fn typed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String>,
{
    struct Text;

    impl de::Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a string or a number")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    let text = deserializer.deserialize_any(Text)?;
    text.parse().map(Some).map_err(|error| de::Error::custom(format!("`{text}`: {error}")))
}

/// Deserializes words: a list of strings, or one string quoted as in a shell.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Words>, D::Error> {
    struct List;

    impl<'de> de::Visitor<'de> for List {
        type Value = Words;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a list of strings, or a string quoted as in a shell")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Words, E> {
            text.parse().map_err(|error| E::custom(format!("`{text}`: {error}")))
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Words, A::Error> {
            Vec::deserialize(de::value::SeqAccessDeserializer::new(list)).map(Words)
        }
    }

    deserializer.deserialize_any(List).map(Some)
}
