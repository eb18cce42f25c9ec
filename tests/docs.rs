//! Whatever README and docs show is run, and whatever they name exists.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --test docs` writes what commands say now into the ```console blocks, except those
//! that leave something out (`...`); read the difference before you commit it.

#[path = "docs/console.rs"]
mod console;
#[path = "support/venv.rs"]
mod venv;
#[path = "docs/words.rs"]
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use flakehunt::cli::Cli;
use fs_err as fs;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(page: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(page)).expect("a page")
}

/// README first: its first block is the hunt that the other pages speak of.
fn pages() -> Vec<PathBuf> {
    let mut docs: Vec<PathBuf> = fs::read_dir(root().join("docs"))
        .expect("docs/")
        .map(|entry| Path::new("docs").join(entry.expect("an entry").file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    docs.sort();
    docs.splice(0..0, ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from));
    docs
}

#[test]
fn every_console_block_shows_what_its_commands_say() {
    let wrong = console::check(&pages());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let folder = root().join(&page).parent().expect("a folder").to_owned();
        for target in links(&text(&page)) {
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { root().join(&page) } else { folder.join(file) };
            let found = file.exists()
                && (heading.is_empty()
                    || headings(&fs::read_to_string(&file).expect("text")).contains(heading));
            if !found {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

/// Targets of links within the repository.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).filter(|target| !target.contains("://")).collect()
}

/// The anchors that a forge makes from headings.
fn headings(text: &str) -> BTreeSet<String> {
    let titles =
        text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#'));
    titles
        .map(|title| {
            let kept = title.trim().to_lowercase();
            let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn no_page_speaks_of_this_machine() {
    for page in pages() {
        let text = text(&page);
        for path in ["/work/", "/home/", "/root/", "/tmp/"] {
            assert!(!text.contains(path), "{}: {path}", page.display());
        }
    }
}

#[test]
fn command_line_names_every_command_and_option_and_no_other() {
    let page = text("docs/command-line.md");
    let mut known = BTreeSet::from(["--help".to_owned(), "--version".to_owned(), "--".to_owned()]);
    let mut missing = Vec::new();
    let mut cli = Cli::command();
    cli.build();
    for command in std::iter::once(&cli).chain(cli.get_subcommands()) {
        if command.get_name() != "flakehunt" && !page.contains(&format!("\n## {}\n", command.get_name())) {
            missing.push(format!("## {}", command.get_name()));
        }
        for option in command.get_arguments().filter(|option| !option.is_positional()) {
            let long = option.get_long().map(|long| format!("--{long}"));
            let short = option.get_short().map(|short| format!("-{short}"));
            for name in long.into_iter().chain(short) {
                if !page.contains(&format!("`{name}")) && !page.contains(&format!(" `{name}")) {
                    missing.push(format!("{} {name}", command.get_name()));
                }
                known.insert(name);
            }
        }
    }
    missing.retain(|name| !["-h", "--help", "-V", "--version"].iter().any(|of_clap| name.ends_with(of_clap)));
    assert_eq!(missing, Vec::<String>::new());
    // The first column of its tables: `--option VALUE`.
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `-")?.split_once('`'));
    let unknown: Vec<_> = cells
        .flat_map(|(cell, _)| format!("-{cell}").split(", ").map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|cell| cell.split(' ').next().map(str::to_owned))
        .filter(|name| !known.contains(name))
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn every_exit_code_is_listed() {
    let help = Cli::command().render_long_help().to_string();
    let (_, codes) = help.split_once("Exit codes:\n").expect("help lists them");
    let codes: Vec<&str> = codes.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.contains(&"0") && codes.contains(&"130"), "{codes:?}");
    for page in ["README.md", "docs/command-line.md"] {
        let text = text(page);
        for code in codes.iter().copied().chain(["143"]) {
            let row = |line: &str| {
                line.starts_with("| ")
                    && line
                        .split('|')
                        .nth(1)
                        .is_some_and(|cell| cell.split(',').any(|one| one.trim() == code))
            };
            assert!(text.lines().any(row), "{page} has no row for exit code {code}");
        }
    }
}

#[test]
fn the_changelog_knows_this_version() {
    let heading = format!("\n## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(text("CHANGELOG.md").contains(&heading), "{heading}");
}

/// `.ci/run` runs the commands below these marks as they stand.
#[test]
fn the_commands_that_ci_runs_are_marked() {
    let readme = text("README.md");
    for mark in ["<!-- ci: example -->\n```sh\n", "<!-- ci: test -->\n```sh\n"] {
        assert_eq!(readme.matches(mark).count(), 1, "{mark}");
    }
}
