//! ```console blocks: every command is run in a copy of the example shop, one page after the other.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fs_err as fs;
use tempfile::TempDir;

use crate::venv::venv;
use crate::words::{self, Sessions};

/// A command of a page and what the page says it prints.
#[derive(Debug)]
struct Shown {
    command: String,
    output: String,
}

/// A page in pieces: text as it is, and commands.
enum Piece {
    Text(String),
    Shown(Shown),
}

/// Runs the commands of all pages, and says where they print something else.
pub fn check(pages: &[PathBuf]) -> Vec<String> {
    let shop = Shop::new();
    let mut sessions = Sessions::default();
    let mut wrong = Vec::new();
    for page in pages {
        let path = crate::root().join(page);
        let mut pieces = pieces(&fs::read_to_string(&path).expect("a page"));
        for piece in &mut pieces {
            let Piece::Shown(shown) = piece else { continue };
            let said = shop.run(&sessions.in_command(&shown.command));
            sessions.learn(&said);
            let said = sessions.renamed(&said);
            if let Err(difference) = words::same(&shown.output, &said) {
                wrong.push(format!(
                    "{}: $ {}\n{difference}\nwhole output:\n{said}",
                    page.display(),
                    shown.command
                ));
                if !shown.output.lines().any(|line| line.trim() == "...") {
                    shown.output = said;
                }
            }
        }
        #[expect(clippy::disallowed_methods, reason = "a switch of the test, not of the program")]
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&path, pieces.iter().map(Piece::to_text).collect::<String>()).expect("written");
        }
    }
    wrong
}

impl Piece {
    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Shown(Shown { command, output }) => format!("$ {command}\n{output}"),
        }
    }
}

fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut in_block = false;
    for line in page.split_inclusive('\n') {
        let fence = line.starts_with("```");
        let command = line.strip_prefix("$ ").filter(|_| in_block);
        match (command, pieces.last_mut()) {
            (Some(command), _) => {
                pieces.push(Piece::Shown(Shown {
                    command: command.trim_end().to_owned(),
                    output: String::new(),
                }));
            }
            (None, Some(Piece::Shown(shown))) if !fence => shown.output.push_str(line),
            _ => pieces.push(Piece::Text(line.to_owned())),
        }
        if fence {
            in_block = line.trim_end() == "```console";
        }
    }
    pieces
}

/// A copy of the example shop that nothing else works in.
struct Shop {
    folder: TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let venv = venv("docs", &crate::root().join("examples/requirements.txt"));
        copy(&crate::root().join("examples/shop"), folder.path());
        fs::os::unix::fs::symlink(venv, folder.path().join(".venv")).expect("a link");
        Self { folder }
    }

    /// What a command prints, errors last.
    fn run(&self, command: &str) -> String {
        let binary = Path::new(env!("CARGO_BIN_EXE_flakehunt"));
        let folder = binary.parent().expect("a folder").display();
        #[expect(clippy::disallowed_methods, reason = "tests start what they need")]
        let mut shell = Command::new("sh");
        let done = shell
            .args(["-c", &format!("PATH=\"{folder}:$PATH\"; {command}")])
            .current_dir(self.folder.path())
            // What the machine it runs on has a say in.
            .envs([
                ("COLUMNS", "80"),
                ("FLAKEHUNT_JOBS", "2"),
                ("FLAKEHUNT_PROGRESS", "none"),
                ("NO_COLOR", "1"),
            ])
            .env_remove("VIRTUAL_ENV")
            .env_remove("CONDA_PREFIX")
            .env_remove("PYTEST_ADDOPTS")
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&done.stdout) + &text(&done.stderr);
        let home = fs::canonicalize(self.folder.path()).expect("a folder");
        said.replace(&format!("{}/", home.display()), "").replace(&home.display().to_string(), ".")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the example") {
        let entry = entry.expect("an entry");
        let (name, kind) = (entry.file_name(), entry.file_type().expect("a type"));
        if kind.is_dir() && name != ".flakehunt" && name != "__pycache__" {
            copy(&entry.path(), &to.join(name));
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(name)).expect("copied");
        }
    }
}
