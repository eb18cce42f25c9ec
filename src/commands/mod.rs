//! One file a command. They wire the parts together; what is decided is decided in the core.

mod bisect;
mod face;
mod findings;
mod hunt;
mod orders;
mod repeat;
mod replay;
mod report;
mod rerun;
mod resume;
mod scratch;
mod setup;
mod shuffle;
mod signals;
mod targets;

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::cli::{Cli, Command};
use crate::config::{Settings, Surroundings};
use crate::error::{ExitCode, Failure};
use crate::session::store::Store;

/// What a command works with.
pub(crate) struct Context {
    cli: Cli,
    surroundings: Surroundings,
    directory: std::path::PathBuf,
    settings: Settings,
}

/// Does what was typed.
///
/// # Errors
/// Whatever ends the command early, with its exit code.
pub async fn run(cli: Cli, surroundings: Surroundings) -> Result<ExitCode, Failure> {
    let directory = surroundings.directory(cli.common.directory.as_deref())?;
    match &cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "flakehunt", &mut script);
            return print(&script);
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|error| Failure::internal(error.to_string()))?;
            return print(&page);
        }
        _ => {}
    }
    let settings = Settings::resolve(&cli.layer(), &surroundings, &directory)?;
    let context = Context { cli, surroundings, directory, settings };
    match &context.cli.command {
        Command::Shuffle(shuffle) => shuffle::run(&context, shuffle).await,
        Command::Bisect(bisect) => bisect::run(&context, bisect).await,
        Command::Replay(replay) => replay::run(&context, replay).await,
        Command::Resume(resume) => resume::run(&context, resume).await,
        Command::Report(report) => report::run(&context, report),
        Command::Config(_) => config(&context),
        Command::Clean { keep } => clean(&context, *keep),
        Command::Repeat(repeat) => repeat::run(&context, repeat).await,
        Command::Rerun(rerun) => rerun::run(&context, rerun).await,
        Command::Completions { .. } | Command::Man => Ok(ExitCode::Clean),
    }
}

fn config(context: &Context) -> Result<ExitCode, Failure> {
    let rows = context.settings.rows();
    let key = rows.iter().map(|row| row.key.len()).max().unwrap_or(0);
    let value = rows.iter().map(|row| row.value.chars().count()).max().unwrap_or(0).min(40);
    let lines: String =
        rows.iter().map(|row| format!("{:key$}  {:value$}  {}\n", row.key, row.value, row.origin)).collect();
    print(lines.as_bytes())
}

fn clean(context: &Context, keep: usize) -> Result<ExitCode, Failure> {
    let Some(store) = Store::find_in(context.store_directory())? else {
        return print(b"nothing to remove\n");
    };
    let cleaned = store.clean(keep)?;
    let mut said = match cleaned.removed.len() {
        1 => "removed 1 session\n".to_owned(),
        n => format!("removed {n} sessions\n"),
    };
    for name in &cleaned.in_use {
        said.push_str(&format!("session {name} is in use and was kept\n"));
    }
    print(said.as_bytes())
}

impl Context {
    /// Where `.flakehunt` is kept.
    fn store_directory(&self) -> &std::path::Path {
        self.settings.session_dir.value.as_ref().map_or(self.directory.as_path(), |folder| folder.0.as_path())
    }

    /// Whether to colour what goes to standard output.
    fn color(&self) -> bool {
        self.colored(self.surroundings.stdout_is_terminal)
    }

    fn colored(&self, terminal: bool) -> bool {
        use crate::cli::choices::ColorWhen;
        match self.settings.color.value {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => {
                let set = |name| self.surroundings.var(name).is_some_and(|value| value != "0");
                if self.surroundings.var("NO_COLOR").is_some() {
                    false
                } else {
                    set("CLICOLOR_FORCE")
                        || set("FORCE_COLOR")
                        || (terminal && self.surroundings.var("TERM") != Some("dumb"))
                }
            }
        }
    }
}

/// Writes to standard output; a reader that has gone is no error.
fn print(bytes: &[u8]) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::io("write to standard output", &error))
        }
        _ => Ok(ExitCode::Clean),
    }
}
