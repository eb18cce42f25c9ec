//! From what was typed to what is meant.

use super::choices::ReportFormat;
use super::values::{ReportTarget, Words};
use super::{
    Bisect, Cli, Command, Config, Limits, Repeat, Replay, Reports, Rerun, Resume, RunOptions, Shuffle,
};
use crate::config::Layer;
use crate::error::Failure;

impl Reports {
    /// The reports to write. Standard output always gets one, and one only: `human` where no other is named.
    pub fn resolved(&self) -> Result<Vec<ReportTarget>, Failure> {
        let mut targets = self.reports.clone();
        let shown: Vec<_> = targets.iter().filter(|target| target.file.is_none()).collect();
        if let [first, second, ..] = shown[..] {
            let (first, second) = (first.format, second.format);
            return Err(Failure::usage(format!("both {first} and {second} would go to standard output"))
                .hint(format!("send one of them to a file: `--report {second}=FILE`")));
        }
        for (number, target) in targets.iter().enumerate() {
            if target.file.is_some() && targets[..number].iter().any(|other| other.file == target.file) {
                return Err(Failure::usage("two reports would go to the same file").hint("name two files"));
            }
        }
        if shown.is_empty() {
            targets.insert(0, ReportTarget { format: ReportFormat::Human, file: None });
        }
        Ok(targets)
    }
}

impl Cli {
    /// What was typed of the options that can also be configured.
    pub fn layer(&self) -> Layer {
        let mut layer = Layer {
            session_dir: self.common.session_dir.clone(),
            color: self.common.color,
            ..Layer::default()
        };
        match &self.command {
            Command::Shuffle(Shuffle { plan, run, .. }) | Command::Config(Config { plan, run }) => {
                layer.seeds = plan.seeds;
                layer.level = plan.level;
                run.add_to(&mut layer);
            }
            Command::Replay(Replay { level, run, .. }) => {
                layer.level = *level;
                run.add_to(&mut layer);
            }
            Command::Repeat(Repeat { run, .. })
            | Command::Rerun(Rerun { run, .. })
            | Command::Bisect(Bisect { run, .. }) => run.add_to(&mut layer),
            Command::Resume(Resume { limits, output, .. }) => {
                limits.add_to(&mut layer);
                layer.progress = output.progress;
            }
            Command::Report(_) | Command::Completions { .. } | Command::Man | Command::Clean { .. } => {}
        }
        layer
    }
}

impl RunOptions {
    fn add_to(&self, layer: &mut Layer) {
        layer.python.clone_from(&self.environment.python);
        layer.launcher.clone_from(&self.environment.launcher);
        layer.jobs = self.execution.jobs;
        layer.executor = self.execution.executor;
        layer.progress = self.output.progress;
        layer.pytest_args = Some(&self.pytest_args).filter(|args| !args.is_empty()).cloned().map(Words);
        self.limits.add_to(layer);
    }
}

impl Limits {
    fn add_to(&self, layer: &mut Layer) {
        layer.test_timeout = self.test_timeout;
        layer.run_timeout = self.run_timeout;
        layer.budget = self.budget;
        layer.max_runs = self.max_runs;
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::error::ExitCode;

    fn parse(line: &str) -> Result<Cli, String> {
        let words = shell_words::split(line).unwrap();
        Cli::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_says_in_one_line_what_it_does() {
        let mut command = Cli::command();
        command.build();
        for command in std::iter::once(&command).chain(command.get_subcommands()) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let name = format!("{} {}", command.get_name(), argument.get_id());
                assert!(!help.is_empty() && !help.contains('\n') && help.len() <= 76, "{name}: {help:?}");
                assert!(!help.ends_with('.'), "{name}: {help:?}");
            }
        }
    }

    #[test]
    fn what_was_typed_reaches_the_layer() {
        let cli = parse(
            "flakehunt shuffle tests --seeds 9 --level class -j 2 --executor spawn --test-timeout 3 --budget 2h \
             --max-runs 7 --python py --launcher 'uv run' --session-dir /s --color never --progress none -- -k 'a b'",
        )
        .unwrap();
        let layer = cli.layer();
        let shown =
            |value: Option<&dyn std::fmt::Display>| value.map(ToString::to_string).unwrap_or_default();
        assert_eq!(shown(layer.seeds.as_ref().map(|value| value as _)), "9");
        assert_eq!(shown(layer.level.as_ref().map(|value| value as _)), "class");
        assert_eq!(shown(layer.jobs.as_ref().map(|value| value as _)), "2");
        assert_eq!(shown(layer.executor.as_ref().map(|value| value as _)), "spawn");
        assert_eq!(shown(layer.test_timeout.as_ref().map(|value| value as _)), "3s");
        assert_eq!(shown(layer.run_timeout.as_ref().map(|value| value as _)), "");
        assert_eq!(shown(layer.budget.as_ref().map(|value| value as _)), "2h");
        assert_eq!(shown(layer.max_runs.as_ref().map(|value| value as _)), "7");
        assert_eq!(shown(layer.python.as_ref().map(|value| value as _)), "py");
        assert_eq!(layer.launcher.unwrap().0, ["uv", "run"]);
        assert_eq!(shown(layer.session_dir.as_ref().map(|value| value as _)), "/s");
        assert_eq!(shown(layer.color.as_ref().map(|value| value as _)), "never");
        assert_eq!(shown(layer.progress.as_ref().map(|value| value as _)), "none");
        assert_eq!(layer.pytest_args.unwrap().0, ["-k", "a b"]);
        let resumed = parse("flakehunt resume 3kq7 --budget 1m --progress bar -C x").unwrap().layer();
        assert_eq!(shown(resumed.budget.as_ref().map(|value| value as _)), "1m");
        assert_eq!(shown(resumed.progress.as_ref().map(|value| value as _)), "bar");
        assert_eq!(parse("flakehunt man").unwrap().layer(), Layer::default());
    }

    #[test]
    fn commands_of_the_design_are_understood() {
        for line in [
            "flakehunt shuffle",
            "flakehunt shuffle tests/a.py::b --seed 1 --seed 2 --no-bisect --dry-run",
            "flakehunt shuffle --seeds 5 --seed-start 100",
            "flakehunt repeat a::b --count 10 --in-process --fresh-fixtures -x",
            "flakehunt repeat a::b c::d --max-fail 2 --confidence 99 --max-rate 1% --vary seed,hashseed",
            "flakehunt repeat a::b --in-order run17 --with-load 2",
            "flakehunt rerun --reruns 2 --reruns-delay 2s --only-rerun X --rerun-except Y --max-rerun-tests 5",
            "flakehunt rerun a --fail-on-flaky",
            "flakehunt bisect a::b",
            "flakehunt bisect a::b --seed 3",
            "flakehunt bisect a::b --order o.txt",
            "flakehunt bisect a::b --junit j.xml",
            "flakehunt bisect a::b --run 3kq7/17",
            "flakehunt replay 7 --level module",
            "flakehunt replay run17 -qC dir -- -x",
            "flakehunt resume",
            "flakehunt report 3kq7 --report json --report html=x.html",
            "flakehunt config --jobs 2",
            "flakehunt completions zsh",
            "flakehunt man",
            "flakehunt clean --keep 3",
            "flakehunt -C dir --color never -vv clean",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        for (line, reason) in [
            ("flakehunt shuffle --seeds 0", "to run one order, name its seed: `--seed 7`"),
            ("flakehunt shuffle --seed -1", "a seed is a whole number"),
            ("flakehunt shuffle --seed 1 --seeds 2", "cannot be used with"),
            ("flakehunt shuffle --jobs 0", "`auto` or a whole number of 1 or more"),
            ("flakehunt shuffle --budget 5x", "like `90s`, `10m` or `2h30m`"),
            ("flakehunt shuffle --level method", "[possible values: module, class, test, mixed]"),
            ("flakehunt shuffle --report pdf", "expected one of `human`"),
            ("flakehunt shuffle --sedes 3", "'--seeds'"),
            ("flakehunt shufle", "'shuffle'"),
            ("flakehunt repeat", "<ID>"),
            ("flakehunt repeat a --count 0", "a whole number from 1"),
            ("flakehunt repeat a --fresh-fixtures", "--in-process"),
            ("flakehunt repeat a -x --max-fail 3", "cannot be used with"),
            ("flakehunt bisect a --seed 1 --run 2", "cannot be used with"),
            ("flakehunt replay tests/a.py", "expected a seed, like `7`, or a run"),
            ("flakehunt man -q -v", "cannot be used with"),
            ("flakehunt", "Usage:"),
        ] {
            let error = parse(line).map(|_| ()).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
        }
    }

    #[test]
    fn standard_output_gets_exactly_one_report() {
        let reports = |line: &str| {
            let Command::Report(report) = parse(line).unwrap().command else { panic!("{line}") };
            report.reports.resolved()
        };
        let words = |targets: Vec<ReportTarget>| -> Vec<String> {
            targets.iter().map(|target| format!("{}:{}", target.format, target.file.is_some())).collect()
        };
        assert_eq!(words(reports("flakehunt report").unwrap()), ["human:false"]);
        assert_eq!(words(reports("flakehunt report --report json").unwrap()), ["json:false"]);
        assert_eq!(
            words(reports("flakehunt report --report json=a --report html=b").unwrap()),
            ["human:false", "json:true", "html:true"]
        );
        let failure = reports("flakehunt report --report json --report junit").unwrap_err();
        assert_eq!(failure.code, ExitCode::Usage);
        assert_eq!(failure.hints, ["send one of them to a file: `--report junit=FILE`"]);
        assert!(reports("flakehunt report --report json=a --report html=a").is_err());
    }
}
