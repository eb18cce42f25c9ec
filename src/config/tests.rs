use super::*;
use crate::error::ExitCode;

/// A project with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // The search for a configuration ends here.
    fs_err::create_dir(folder.path().join(".git")).unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    }
    folder
}

fn surroundings(vars: &[(&str, &str)]) -> Surroundings {
    Surroundings {
        vars: vars.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        ..Surroundings::default()
    }
}

fn row(settings: &Settings, key: &str) -> (String, String) {
    let row = settings.rows().into_iter().find(|row| row.key == key).unwrap();
    (row.value, row.origin.to_string())
}

fn refused(files: &[(&str, &str)], vars: &[(&str, &str)]) -> Failure {
    let folder = project(files);
    let failure = Settings::resolve(&Layer::default(), &surroundings(vars), folder.path()).unwrap_err();
    assert_eq!(failure.code, ExitCode::Usage, "{failure:?}");
    failure
}

#[test]
fn defaults_are_shown_as_what_they_are() {
    let folder = project(&[]);
    let settings = Settings::resolve(&Layer::default(), &Surroundings::default(), folder.path()).unwrap();
    assert_eq!(settings.rows().len(), FIELDS.len());
    for row in settings.rows() {
        assert_eq!(row.origin, Origin::Default, "{row:?}");
    }
    assert_eq!(settings.jobs.value.to_string(), row(&settings, "jobs").0);
    assert_eq!(settings.executor.value.to_string(), row(&settings, "executor").0);
    assert_eq!(settings.seeds.value.to_string(), row(&settings, "seeds").0);
    assert_eq!(settings.level.value.to_string(), row(&settings, "level").0);
    assert_eq!(settings.progress.value.to_string(), row(&settings, "progress").0);
    assert_eq!(settings.color.value.to_string(), row(&settings, "color").0);
}

#[test]
fn help_names_the_same_defaults() {
    use clap::CommandFactory as _;
    let folder = project(&[]);
    let settings = Settings::resolve(&Layer::default(), &Surroundings::default(), folder.path()).unwrap();
    let mut command = crate::cli::Cli::command();
    command.build();
    let config = command.find_subcommand("config").unwrap();
    for row in settings.rows() {
        let Some(option) = config.get_arguments().find(|option| option.get_long() == Some(&row.key)) else {
            assert_eq!(row.key, "pytest-args", "a setting without an option");
            continue;
        };
        let help = option.get_help().unwrap().to_string();
        if row.value != "none" && row.key != "session-dir" {
            assert!(help.contains(&format!("[default: {}]", row.value)), "{}: {help}", row.key);
        }
    }
}

#[test]
fn every_combination_of_sources_has_the_strongest_win() {
    for sources in 0..8_u8 {
        let (in_file, in_environment, in_flag) = (sources & 1 != 0, sources & 2 != 0, sources & 4 != 0);
        let own = if in_file { "jobs = 2\nlauncher = ['uv', 'run']\n" } else { "" };
        let folder = project(&[("flakehunt.toml", own)]);
        let vars = [("FLAKEHUNT_JOBS", "3"), ("FLAKEHUNT_LAUNCHER", "pdm run")];
        let vars = if in_environment { &vars[..] } else { &[] };
        let flags = if in_flag {
            Layer {
                jobs: Some("4".parse().unwrap()),
                launcher: Some("hatch run".parse().unwrap()),
                ..Layer::default()
            }
        } else {
            Layer::default()
        };
        let settings = Settings::resolve(&flags, &surroundings(vars), folder.path()).unwrap();
        let file = folder.path().join("flakehunt.toml").display().to_string();
        let (jobs, launcher, origin) = match (in_file, in_environment, in_flag) {
            (_, _, true) => ("4", "hatch run", "--jobs on the command line".to_owned()),
            (_, true, false) => ("3", "pdm run", "FLAKEHUNT_JOBS in the environment".to_owned()),
            (true, false, false) => ("2", "uv run", file),
            (false, false, false) => ("auto", "none", "default".to_owned()),
        };
        assert_eq!(row(&settings, "jobs"), (jobs.to_owned(), origin));
        assert_eq!(row(&settings, "launcher").0, launcher);
    }
}

#[test]
fn each_key_can_be_given_in_each_source() {
    let values = [
        ("python", "py"),
        ("launcher", "uv run"),
        ("session-dir", "/s"),
        ("jobs", "7"),
        ("executor", "spawn"),
        ("test-timeout", "3s"),
        ("run-timeout", "10m"),
        ("budget", "2h"),
        ("max-runs", "99"),
        ("seeds", "5"),
        ("level", "class"),
        ("pytest-args", "-k 'a b'"),
        ("progress", "plain"),
        ("color", "never"),
    ];
    assert_eq!(values.len(), FIELDS.len());
    let text: String = values.iter().map(|(key, value)| format!("{key} = \"{value}\"\n")).collect();
    let folder = project(&[("pyproject.toml", &format!("[tool.flakehunt]\n{text}[tool.other]\nx = 1\n"))]);
    let from_file = Settings::resolve(&Layer::default(), &Surroundings::default(), folder.path()).unwrap();
    let empty = project(&[]);
    let variables: Vec<_> = values.map(|(key, value)| (variable(&key.replace('-', "_")), value)).into();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let from_environment =
        Settings::resolve(&Layer::default(), &surroundings(&variables), empty.path()).unwrap();
    for (key, value) in values {
        let (shown, origin) = row(&from_file, key);
        assert_eq!(shown, value, "{key}");
        assert!(origin.ends_with("pyproject.toml [tool.flakehunt]"), "{origin}");
        let (shown, origin) = row(&from_environment, key);
        assert_eq!(shown, value, "{key}");
        assert!(origin.starts_with("FLAKEHUNT_"), "{origin}");
    }
}

#[test]
fn files_may_use_numbers_and_lists() {
    let folder =
        project(&[("flakehunt.toml", "test-timeout = 90\nbudget = 0.5\npytest-args = ['-k', 'a b']\n")]);
    let settings = Settings::resolve(&Layer::default(), &Surroundings::default(), folder.path()).unwrap();
    assert_eq!(settings.test_timeout.value.unwrap().0.as_secs(), 90);
    assert_eq!(settings.budget.value.unwrap().0.as_millis(), 500);
    assert_eq!(settings.pytest_args.value.0, ["-k", "a b"]);
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_place_and_the_key_that_was_meant() {
    let failure = refused(&[("pyproject.toml", "[tool.flakehunt]\njobs = 2\n\nsedes = 3\n")], &[]);
    assert!(failure.error.ends_with("pyproject.toml:4: unknown key `tool.flakehunt.sedes`"), "{failure:?}");
    assert_eq!(failure.hints, ["did you mean `seeds`?"]);
    let failure = refused(&[("flakehunt.toml", "test_timeout = 3\n")], &[]);
    assert!(failure.error.ends_with("flakehunt.toml:1: unknown key `test_timeout`"), "{failure:?}");
    assert_eq!(failure.hints, ["did you mean `test-timeout`?"]);
    let failure = refused(&[("flakehunt.toml", "report = 'json'\n")], &[]);
    assert!(failure.hints[0].starts_with("the keys are python, launcher,"), "{failure:?}");
}

#[test]
fn a_wrong_value_is_an_error_that_names_the_place_and_what_is_expected() {
    for (text, wanted) in [
        ("\njobs = 0\n", "flakehunt.toml:2: jobs: `0`: expected `auto` or a whole number"),
        ("jobs = ['2']\n", "flakehunt.toml:1: jobs: invalid type: sequence, expected a string or a number"),
        ("jobs = true\n", "flakehunt.toml:1: jobs: invalid type: boolean"),
        ("budget = 'soon'\n", "flakehunt.toml:1: budget: `soon`: expected a number with a unit"),
        ("level = 'method'\n", "flakehunt.toml:1: level: `method`: expected one of `module`, `class`"),
        ("launcher = \"uv 'run\"\n", "a quotation mark is never closed"),
        ("launcher = [1]\n", "flakehunt.toml:1: launcher"),
        ("jobs = 1\njobs = 2\n", "flakehunt.toml:2: duplicate key"),
        ("jobs = \n", "flakehunt.toml:1: "),
    ] {
        let failure = refused(&[("flakehunt.toml", text)], &[]);
        assert!(failure.error.contains(wanted), "{text:?}: {}", failure.error);
    }
    let failure = refused(&[("pyproject.toml", "x = 1\n[tool.flakehunt]\nseeds = 'x'\n")], &[]);
    assert!(failure.error.contains("pyproject.toml:3: tool.flakehunt.seeds: `x`"), "{failure:?}");
    let failure = refused(&[], &[("FLAKEHUNT_JOBS", "many")]);
    assert!(failure.error.starts_with("FLAKEHUNT_JOBS=many: expected `auto`"), "{failure:?}");
}

#[test]
fn a_variable_that_is_nearly_known_is_an_error_and_others_are_not_ours() {
    let failure = refused(&[], &[("FLAKEHUNT_JOB", "2")]);
    assert_eq!(failure.hints, ["did you mean `FLAKEHUNT_JOBS`?"]);
    let folder = project(&[]);
    let others =
        surroundings(&[("FLAKEHUNT_REQUEST", "/x"), ("FLAKEHUNT_VERSION", "1"), ("FLAKEHUNT_JOBS", "")]);
    let settings = Settings::resolve(&Layer::default(), &others, folder.path()).unwrap();
    assert_eq!(row(&settings, "jobs"), ("auto".to_owned(), "default".to_owned()));
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;
    let folder = project(&[]);
    let mut surroundings = Surroundings::default();
    surroundings.vars.insert("FLAKEHUNT_PYTHON".into(), OsString::from_vec(vec![b'a', 0xff]));
    surroundings.vars.insert(OsString::from_vec(vec![0xff]), "x".into());
    let failure = Settings::resolve(&Layer::default(), &surroundings, folder.path()).unwrap_err();
    assert!(failure.error.contains("not valid text"), "{failure:?}");
}

#[test]
fn the_nearest_configuration_counts_up_to_the_root_of_the_repository() {
    let outer = project(&[
        ("flakehunt.toml", "jobs = 2\n"),
        ("package/pyproject.toml", "[tool.black]\nx = 1\n"),
        ("package/inner/flakehunt.toml", "jobs = 3\n"),
        ("other/.git", "gitdir: elsewhere\n"),
    ]);
    for (directory, jobs) in [("", "2"), ("package", "2"), ("package/inner", "3"), ("other", "auto")] {
        let directory = outer.path().join(directory);
        let settings = Settings::resolve(&Layer::default(), &Surroundings::default(), &directory).unwrap();
        assert_eq!(row(&settings, "jobs").0, jobs, "{}", directory.display());
    }
    let both = [("flakehunt.toml", "jobs = 2\n"), ("pyproject.toml", "[tool.flakehunt]\njobs = 2\n")];
    assert!(refused(&both, &[]).error.contains("has both"));
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let folder = project(&[
        ("flakehunt.toml", "python = '.venv/bin/python'\nsession-dir = 'out'\n"),
        ("tests/x", ""),
        ("named/flakehunt.toml", "python = 'python3.12'\nsession-dir = '/s'\n"),
    ]);
    let resolve = |directory: &str| {
        Settings::resolve(&Layer::default(), &Surroundings::default(), &folder.path().join(directory))
            .unwrap()
    };
    let below = resolve("tests");
    assert_eq!(Path::new(&below.python.value.unwrap().0), folder.path().join(".venv/bin/python"));
    assert_eq!(below.session_dir.value.unwrap().0, folder.path().join("out"));
    assert_eq!(row(&resolve("named"), "python").0, "python3.12");
    assert_eq!(row(&resolve("named"), "session-dir").0, "/s");
}

#[test]
fn the_directory_is_the_current_one_or_the_chosen_one() {
    let folder = project(&[("a/x", "")]);
    let surroundings = Surroundings { current_dir: folder.path().to_owned(), ..Surroundings::default() };
    assert_eq!(surroundings.directory(None).unwrap(), folder.path());
    assert_eq!(surroundings.directory(Some(Path::new("a"))).unwrap(), folder.path().join("a"));
    for wrong in ["a/x", "b"] {
        let failure = surroundings.directory(Some(Path::new(wrong))).unwrap_err();
        assert_eq!(failure.code, ExitCode::Usage, "{wrong}");
    }
}
