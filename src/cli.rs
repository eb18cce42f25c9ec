//! What was typed. Nothing here decides or does anything; what may also come from the environment or from a
//! configuration file is an `Option`, and [`config`](crate::config) puts the three together.

pub mod choices;
mod layer;
pub mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use self::choices::{ColorWhen, ExecutorChoice, LevelChoice, ProgressChoice, Vary};
use self::values::{
    Count, Delay, Folder, Jobs, OrderSource, Percent, Program, ReplayTarget, ReportTarget, RunName, Span,
    Words,
};
use crate::core::order::Seed;

const AFTER_HELP: &str = "\
Examples:
  flakehunt shuffle                           explain every flaky test
  flakehunt shuffle tests/api --budget 10m    a part of it, for ten minutes at most
  flakehunt bisect tests/test_a.py::test_x    what makes this one fail?
  flakehunt repeat tests/test_a.py::test_x    how often does it fail, and does a seed decide?
  flakehunt rerun                             CI is red: which failures are real?
  flakehunt replay 7                          the order of seed 7 again
  flakehunt report --report html=flaky.html   the latest session as a web page

Exit codes:
  0    nothing found within the budget
  1    findings
  2    the command line or the configuration is wrong
  3    the environment is unusable: no interpreter, no pytest, a collection error
  5    pytest collected nothing
  6    undecided: both outcomes were seen, and what decides could not be proven
  70   a bug in flakehunt
  74   the journal or a report could not be written
  130  interrupted by Ctrl-C (143: by SIGTERM); `flakehunt resume` goes on";

const RERUN_HELP: &str = "\
Exit codes:
  0    no test failed each time
  1    a test failed each time, or is flaky (--fail-on-flaky), or too many failed (--max-rerun-tests)
  6    a test never had its turn
Other codes as of every command: `flakehunt --help`";

/// Finds out why a pytest suite is flaky: which test pollutes which, with proof
#[derive(Debug, Parser)]
#[command(name = "flakehunt", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(arg_required_else_help = true, subcommand_required = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Work as if started in this directory
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Keep `.flakehunt` in this directory instead of the project
    #[arg(long, value_name = "DIR", global = true)]
    pub session_dir: Option<Folder>,
    /// When to use colours [default: auto]
    #[arg(long, value_name = "WHEN", global = true, hide_possible_values = true)]
    pub color: Option<ColorWhen>,
    /// Say nothing but the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: interpreter, every run (-vv: every process)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the suite in many orders and explain every test that is flaky
    Shuffle(Shuffle),
    /// Run tests many times and tell how often they fail, and what that goes with
    Repeat(Repeat),
    /// Run the suite, then what failed again, and tell real failures from flaky ones
    #[command(after_help = RERUN_HELP)]
    Rerun(Rerun),
    /// Find what makes one test fail, or pass, in the company of others
    Bisect(Bisect),
    /// Run the order of a seed or of an earlier run again
    Replay(Replay),
    /// Go on with a session that was interrupted
    Resume(Resume),
    /// Show what a session found, in any format
    Report(Report),
    /// Show every setting and where it comes from
    Config(Config),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Remove old sessions
    Clean {
        /// Keep the newest N sessions [default: 0]
        #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
        keep: usize,
    },
}

/// `flakehunt shuffle`.
#[derive(Debug, Args)]
pub struct Shuffle {
    /// Files, directories, node ids [default: what pytest finds]
    #[arg(value_name = "PATH|ID")]
    pub targets: Vec<String>,
    /// Which orders are tried.
    #[command(flatten)]
    pub plan: Plan,
    /// Stop at the list of flaky tests, without looking for causes
    #[arg(long)]
    pub no_bisect: bool,
    /// How they are run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// Which orders are tried.
#[derive(Debug, Args)]
pub struct Plan {
    /// How many random orders to try [default: 50]
    #[arg(long, value_name = "N", value_parser = values::seed_count, allow_negative_numbers = true)]
    pub seeds: Option<Count>,
    /// Try just the order of this seed; repeatable
    #[arg(long, value_name = "N", value_parser = values::seed, allow_negative_numbers = true)]
    #[arg(conflicts_with_all = ["seeds", "seed_start"])]
    pub seed: Vec<Seed>,
    /// The first of the seeds, which are consecutive [default: random]
    #[arg(long, value_name = "N", value_parser = values::seed, allow_negative_numbers = true)]
    pub seed_start: Option<Seed>,
    /// What moves: module, class, test, or mixed for all in turn [default: mixed]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    pub level: Option<LevelChoice>,
}

/// `flakehunt repeat`.
#[derive(Debug, Args)]
pub struct Repeat {
    /// The tests to repeat: node ids, classes, files, directories
    #[arg(value_name = "ID", required = true)]
    pub targets: Vec<String>,
    /// How often each test is run, at most [default: 100]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub count: Option<Count>,
    /// Use one process for a test: shows tests that fail the second time
    #[arg(long, conflicts_with_all = ["max_rate", "vary", "with_load"])]
    pub in_process: bool,
    /// Repeat a test no more once it has failed
    #[arg(short = 'x', conflicts_with = "max_fail")]
    pub exit_first: bool,
    /// Repeat a test no more once it has failed K times
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub max_fail: Option<Count>,
    /// How sure the stated rate must be, in percent
    #[arg(long, value_name = "PERCENT", default_value = "95", value_parser = values::confidence)]
    pub confidence: Percent,
    /// Stop as soon as the failure rate is surely above or below this
    #[arg(long, value_name = "PERCENT")]
    pub max_rate: Option<Percent>,
    /// What differs from repeat to repeat: seed, hashseed [default: seed]
    #[arg(long, value_name = "WHAT", value_delimiter = ',', hide_possible_values = true)]
    pub vary: Vec<Vary>,
    /// Run what is before the test in this order each time
    #[arg(long, value_name = "SEED|FILE|RUN")]
    pub in_order: Option<OrderSource>,
    /// Keep N processors busy, every other time: shows tests that depend on speed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub with_load: Option<Count>,
    /// With --in-process: make all fixtures anew each time
    #[arg(long, requires = "in_process")]
    pub fresh_fixtures: bool,
    /// How they are run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// `flakehunt rerun`.
#[derive(Debug, Args)]
pub struct Rerun {
    /// Files, directories, node ids [default: what pytest finds]
    #[arg(value_name = "PATH|ID")]
    pub targets: Vec<String>,
    /// How often a failed test is run again, at most: in its order, and alone
    #[arg(long, value_name = "N", default_value = "3")]
    pub reruns: Count,
    /// Wait before each rerun: 2s, 1s,2s,4s or growing: 2s*2 [default: no wait]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub reruns_delay: Option<Delay>,
    /// Run again only what failed with this message; repeatable
    #[arg(long, value_name = "REGEX")]
    pub only_rerun: Vec<String>,
    /// Never run again what failed with this message; repeatable
    #[arg(long, value_name = "REGEX")]
    pub rerun_except: Vec<String>,
    /// Run nothing again where more than N tests failed
    #[arg(long, value_name = "N")]
    pub max_rerun_tests: Option<Count>,
    /// Exit with 1 also where every failed test passed when it was run again
    #[arg(long)]
    pub fail_on_flaky: bool,
    /// How they are run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// `flakehunt bisect`.
#[derive(Debug, Args)]
pub struct Bisect {
    /// The node id of the test to explain
    #[arg(value_name = "ID")]
    pub target: String,
    /// The order it fails in.
    #[command(flatten)]
    pub order: BisectOrder,
    /// End with the first proven answer: do not try every other test as well
    #[arg(long)]
    pub first: bool,
    /// How they are run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// The order in which a test to bisect is known to misbehave; orders are tried where none is named.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct BisectOrder {
    /// It fails in the order of this seed
    #[arg(long, value_name = "N", value_parser = values::seed, allow_negative_numbers = true)]
    pub seed: Option<Seed>,
    /// It fails in this order: a file with one node id a line
    #[arg(long, value_name = "FILE")]
    pub order: Option<PathBuf>,
    /// It fails in the order of this JUnit file, as CI leaves it
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// It fails in this run: run17 (latest session) or 3kq7/17
    #[arg(long = "run", value_name = "RUN")]
    pub earlier_run: Option<RunName>,
}

/// `flakehunt replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A seed (7), or a run: run17 (latest session), 3kq7/17
    #[arg(value_name = "SEED|RUN")]
    pub target: ReplayTarget,
    /// What moved in the order of the seed: module, class, test [default: test]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    pub level: Option<LevelChoice>,
    /// How they are run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// `flakehunt resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The session, or the start of its name [default: the latest]
    pub session: Option<String>,
    /// Where it stops.
    #[command(flatten)]
    pub limits: Limits,
    /// What is shown.
    #[command(flatten)]
    pub output: Output,
}

/// `flakehunt report`.
#[derive(Debug, Args)]
pub struct Report {
    /// The session, or the start of its name [default: the latest]
    pub session: Option<String>,
    /// Which reports are written.
    #[command(flatten)]
    pub reports: Reports,
}

/// `flakehunt config`: any option of a run, to see what it would change.
#[derive(Debug, Args)]
pub struct Config {
    /// Which orders are tried.
    #[command(flatten)]
    pub plan: Plan,
    /// How they are run.
    #[command(flatten)]
    pub run: RunOptions,
}

/// Options of every command that runs tests.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// With what.
    #[command(flatten)]
    pub environment: EnvironmentOptions,
    /// How.
    #[command(flatten)]
    pub execution: Execution,
    /// Where it stops.
    #[command(flatten)]
    pub limits: Limits,
    /// What is shown.
    #[command(flatten)]
    pub output: Output,
    /// Everything after `--` goes to pytest
    #[arg(last = true, value_name = "PYTEST_ARGS", help_heading = None::<&'static str>)]
    pub pytest_args: Vec<String>,
}

/// With what tests are run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
pub struct EnvironmentOptions {
    /// The interpreter [default: active environment, .venv, python3]
    #[arg(long, value_name = "PYTHON")]
    pub python: Option<Program>,
    /// What starts the interpreter, like "uv run"
    #[arg(long, value_name = "COMMAND")]
    pub launcher: Option<Words>,
}

/// How runs are made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Runs")]
pub struct Execution {
    /// Runs at once; auto is one for each processor [default: auto]
    #[arg(short, long, value_name = "N", allow_negative_numbers = true)]
    pub jobs: Option<Jobs>,
    /// fork (fast), spawn (fresh processes), auto (fork if safe) [default: auto]
    #[arg(long, value_name = "HOW", hide_possible_values = true)]
    pub executor: Option<ExecutorChoice>,
}

/// Where a hunt stops.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Stop a test after 90s, 10m, ... [default: from the baseline]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub test_timeout: Option<Span>,
    /// Stop a run after this time [default: from the baseline]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub run_timeout: Option<Span>,
    /// End after this time with what is known [default: no limit]
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub budget: Option<Span>,
    /// End after this many runs with what is known [default: no limit]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub max_runs: Option<Count>,
}

/// What is shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Which reports are written.
    #[command(flatten)]
    pub reports: Reports,
    /// Progress as bar, plain, none, auto [default: auto]
    #[arg(long, value_name = "HOW", hide_possible_values = true)]
    pub progress: Option<ProgressChoice>,
    /// Show what would be run, and run nothing but the collection
    #[arg(long)]
    pub dry_run: bool,
}

/// Which reports are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Reports {
    /// human, json, jsonl, junit, markdown, github, html; repeatable
    #[arg(long = "report", value_name = "FORMAT[=FILE]")]
    pub reports: Vec<ReportTarget>,
}
