//! Parses, runs, and turns what came of it into an exit code.

use clap::Parser as _;

use flakehunt::cli::Cli;
use flakehunt::commands;
use flakehunt::config::Surroundings;
use flakehunt::error::{ExitCode, Failure};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let outcome = match Surroundings::real() {
        Ok(surroundings) => run(cli, surroundings),
        Err(failure) => Err(failure),
    };
    let code = outcome.unwrap_or_else(|failure| {
        anstream::eprint!("{}", failure.render(true));
        failure.code
    });
    std::process::ExitCode::from(code as u8)
}

/// Everything happens on one thread: the work is in the children, and what starts a child must live as long as it.
fn run(cli: Cli, surroundings: Surroundings) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(format!("the runtime does not start: {error}")))?;
    tokio::task::LocalSet::new().block_on(&runtime, commands::run(cli, surroundings))
}
