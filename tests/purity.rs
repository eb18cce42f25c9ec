//! The directions of imports, and the core's purity, read off the source.
//!
//! `clippy.toml` guards single functions; this guards whole modules, and that nobody imports upwards.

use std::path::Path;

use fs_err as fs;

/// The modules of the crate that only the face may know.
const FACE: [&str; 5] = ["commands", "report", "progress", "cli", "config"];

/// What is not pure, as paths. A path is found however it is written, also inside a nested `use`.
const IMPURE: [&str; 12] = [
    "std::fs",
    "std::process",
    "std::env",
    "std::net",
    "std::io",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "fs_err",
    "rand::rng",
    "rand::thread_rng",
];

/// What is not pure, as macros.
const PRINTING: [&str; 5] = ["println", "print", "eprintln", "eprint", "dbg"];

/// A piece of source: a word, or one character that is neither of a word nor a space.
type Token = String;

/// The tokens of a source, without comments and without what stands in quotes.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if let Some(length) = raw_string(rest) {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else if first.is_alphanumeric() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a block comment; they nest.
fn comment(source: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < source.len() {
        let rest = &source.as_bytes()[at..];
        if rest.starts_with(b"/*") || rest.starts_with(b"*/") {
            depth += if rest[0] == b'/' { 1 } else { -1 };
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of `r"..."`, `br#"..."#` and so on, where the source starts with one.
fn raw_string(source: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        source.strip_prefix(prefix).is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = source[prefix.len()..].find('"')?;
    let open = prefix.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(source[open..].find(&close).map_or(source.len(), |at| open + at + close.len()))
}

/// The length of a literal in these quotes.
fn quoted(source: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in source.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    source.len()
}

/// Whether a quote starts a character and not a lifetime.
fn is_character(source: &str) -> bool {
    let mut following = source.chars().skip(1);
    following.next() == Some('\\') || following.next() == Some('\'')
}

/// Every path of the source, with nested `use` groups written out: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(tokens: &[Token]) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = if is_word(&tokens[at]) { read_path(tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Reads the path that starts here and returns where it ends.
fn read_path<'a>(
    tokens: &'a [Token],
    mut at: usize,
    before: &[&'a str],
    found: &mut Vec<Vec<&'a str>>,
) -> usize {
    let mut path = before.to_vec();
    while at < tokens.len() && is_word(&tokens[at]) {
        path.push(&tokens[at]);
        at += 1;
        if tokens.get(at).is_none_or(|token| token != ":")
            || tokens.get(at + 1).is_none_or(|token| token != ":")
        {
            break;
        }
        at += 2;
        if tokens.get(at).is_some_and(|token| token == "*") {
            path.push("*");
        }
        if tokens.get(at).is_some_and(|token| token == "{") {
            at += 1;
            while at < tokens.len() && tokens[at] != "}" {
                at = if is_word(&tokens[at]) { read_path(tokens, at, &path, found) } else { at + 1 };
            }
            return at + 1;
        }
    }
    found.push(path);
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// A source file: what it holds, and how many modules deep it stands (`src/core/order.rs`: 2).
struct Source {
    name: String,
    text: String,
    depth: usize,
}

/// What a source of the core must not contain, as it stands there.
fn impure(source: &Source, modules: &[String]) -> Vec<String> {
    let tokens = tokens(&source.text);
    let mut found: Vec<String> = Vec::new();
    for path in paths(&tokens) {
        let written = path.join("::");
        let leaves = own_module(&path, source.depth, modules).is_some_and(|module| module != "core");
        let starts = |impure: &str| written == impure || written.starts_with(&format!("{impure}::"));
        if leaves || IMPURE.into_iter().any(starts) {
            found.push(written);
        }
    }
    for pair in tokens.windows(2) {
        if pair[1] == "!" && PRINTING.contains(&pair[0].as_str()) {
            found.push(format!("{}!", pair[0]));
        }
    }
    found
}

/// The paths of a source below the face that lead up to it.
fn upwards(source: &Source, modules: &[String]) -> Vec<String> {
    let tokens = tokens(&source.text);
    let mut paths = paths(&tokens);
    paths.retain(|path| own_module(path, source.depth, modules).is_some_and(|module| FACE.contains(&module)));
    paths.into_iter().map(|path| path.join("::")).collect()
}

/// The module of the crate that a path leads to, where it starts at the root: `crate::session`, `super::super::session`.
///
/// A module inside a file is one more step from the root than is counted here, so names must be those of `modules` too.
fn own_module<'a>(path: &[&'a str], depth: usize, modules: &[String]) -> Option<&'a str> {
    let steps = path.iter().take_while(|part| **part == "super").count();
    if matches!(path[0], "crate" | "flakehunt") {
        // `crate` alone, as in `pub(crate)`, leads nowhere.
        path.get(1).copied()
    } else if steps >= depth {
        path.get(steps).copied().filter(|name| modules.iter().any(|module| module == name))
    } else {
        None
    }
}

fn source_folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
}

/// The modules right below the crate's root.
fn modules() -> Vec<String> {
    let entries = fs::read_dir(source_folder()).expect("src can be read");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect()
}

/// Every Rust file of a module.
fn sources(module: &str) -> Vec<Source> {
    let mut entries = vec![source_folder().join(module), source_folder().join(format!("{module}.rs"))];
    let mut sources = Vec::new();
    while let Some(entry) = entries.pop() {
        if entry.is_dir() {
            entries
                .extend(fs::read_dir(&entry).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if entry.extension().is_some_and(|extension| extension == "rs") && entry.exists() {
            let below = entry.strip_prefix(source_folder()).expect("below src").components().count();
            let depth = if entry.ends_with("mod.rs") { below - 1 } else { below };
            let text = fs::read_to_string(&entry).expect("Rust source");
            sources.push(Source { name: entry.display().to_string(), text, depth });
        }
    }
    sources
}

#[test]
fn the_core_is_pure() {
    let sources = sources("core");
    assert!(sources.len() >= 5, "only {} files of the core were found", sources.len());
    for source in sources {
        assert_eq!(impure(&source, &modules()), [""; 0], "{}", source.name);
    }
}

#[test]
fn effects_do_not_know_the_face() {
    for layer in ["session", "pytest", "process"] {
        let sources = sources(layer);
        assert!(!sources.is_empty(), "{layer} was not found");
        for source in sources {
            assert_eq!(upwards(&source, &modules()), [""; 0], "{}", source.name);
        }
    }
}

/// As it would stand in a file like `src/core/order.rs`.
fn source(text: &str) -> Source {
    Source { name: "snippet".to_owned(), text: text.to_owned(), depth: 2 }
}

fn house() -> Vec<String> {
    ["core", "session", "pytest", "process", "report", "error"].map(str::to_owned).to_vec()
}

#[test]
fn what_is_impure_is_found() {
    for (text, expected) in [
        ("use crate::session::Event;", "crate::session::Event"),
        ("use crate::*;", "crate::*"),
        ("use crate::{core::order::Seed, pytest};", "crate::pytest"),
        ("use crate::core::{order, run};\nuse super::super::process::{self};", "super::super::process::self"),
        ("fn f() -> crate::error::Failure { todo() }", "crate::error::Failure"),
        ("use std::{fmt, fs::File};", "std::fs::File"),
        ("use std::{collections::{HashMap, HashSet}, env};", "std::env"),
        ("let now = std::time::Instant::now();", "std::time::Instant::now"),
        ("use std::time::{Duration, SystemTime};", "std::time::SystemTime"),
        ("let x = ::std::process::id();", "std::process::id"),
        ("tokio::spawn(async {});", "tokio::spawn"),
        ("let seed = rand::rng();", "rand::rng"),
        ("let seed = rand::thread_rng().next_u64();", "rand::thread_rng"),
        ("println!(\"{}\", 1);", "println!"),
        ("let c = '\"'; eprintln!();", "eprintln!"),
        ("let s = r#\"a \"quote\"# ; std::fs::read(s)", "std::fs::read"),
        ("fn f<'a>(x: &'a str) { std::net::lookup(x) }", "std::net::lookup"),
        ("/* a /* nested */ comment */ dbg!(1)", "dbg!"),
    ] {
        assert_eq!(impure(&source(text), &house()), [expected], "{text}");
    }
}

#[test]
fn what_is_pure_is_let_through() {
    for text in [
        "use crate::core::order::Seed; use super::super::run::RunId; use super::test_id;",
        "// use std::fs;\n/// println!(\"no\")\n/* tokio::spawn */",
        "let text = \"use std::fs; println!\"; let raw = r#\"std::env::var(\"X\")\"#;",
        "use std::time::Duration; use std::{fmt, sync::Arc};",
        "pub(crate) fn f(process: u32, session: u32) -> u32 { process + session }",
        "use rand::rngs; use rand_chacha::rand_core::Rng; self.process::<u8>();",
        "impl<'a> Iterator for Plan<'a> { type Item = &'a str; }",
    ] {
        assert_eq!(impure(&source(text), &house()), [""; 0], "{text}");
    }
}

#[test]
fn what_leads_up_to_the_face_is_found() {
    for (text, expected) in [
        ("use crate::{core::run, report::human};", "crate::report::human"),
        ("fn f(c: &super::super::report::Style) {}", "super::super::report::Style"),
        ("use crate::config::Config;", "crate::config::Config"),
        ("mod tests { use super::*; use super::super::super::report; }", "super::super::super::report"),
    ] {
        assert_eq!(upwards(&source(text), &house()), [expected], "{text}");
    }
    // The neighbour of a file may bear such a name, and so may a variable.
    let neighbours = source("use super::report; use crate::core::run; let report = 1; self.report();");
    assert_eq!(upwards(&neighbours, &house()), [""; 0]);
    let root = Source { depth: 1, ..source("use super::report;") };
    assert_eq!(upwards(&root, &house()), ["super::report"]);
}
