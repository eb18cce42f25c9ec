//! Reports and what else is printed: where it goes, in which form, and that it is a function of the journal.

use fs_err as fs;
use serde_json::Value;

use flakehunt::report::text::quoted;

use crate::support::expected::{list, words};
use crate::support::pinned::Pinned::Pytest9;
use crate::support::project::{Project, names};

const FORMATS: [&str; 7] = ["human", "json", "jsonl", "junit", "markdown", "github", "html"];
const HUNT: [&str; 7] = ["shuffle", "--seeds", "3", "--seed-start", "1", "--jobs", "1"];

fn hunted() -> (Project, Value) {
    let project = Project::suite("one_polluter", Pytest9);
    let (ran, report) = project.report(&HUNT);
    ran.code(1);
    (project, report)
}

#[test]
fn every_report_is_a_function_of_the_journal() {
    let (project, report) = hunted();
    let session = project.session();
    let written = fs::read(session.join("report.json")).expect("a report");
    fs::remove_file(session.join("report.json")).expect("it goes");
    fs::remove_dir_all(session.join("runs")).expect("they go");
    for format in FORMATS {
        let once = project.flakehunt(&["report", "--report", format]).code(0);
        let again = project.flakehunt(&["report", "--report", format]).code(0);
        assert_eq!(once.stdout, again.stdout, "{format}");
        assert!(once.stdout.contains("test_utc"), "{once}");
        assert!(once.stdout.contains("test_currency"), "{once}");
        if format == "json" {
            assert_eq!(once.json(), report);
        }
        if format == "jsonl" {
            for line in once.stdout.lines() {
                serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            }
        }
    }
    assert_eq!(fs::read(session.join("report.json")).expect("it is there again"), written);
}

#[test]
fn reports_go_to_files_beside_the_one_for_people() {
    let project = Project::suite("one_polluter", Pytest9);
    let mut arguments: Vec<String> = HUNT.map(str::to_owned).into();
    let file = |format: &str| project.around().join(format).display().to_string();
    for format in FORMATS {
        arguments.extend(["--report".to_owned(), format!("{format}={}", file(format))]);
    }
    arguments.extend(["--report", "human"].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = project.flakehunt(&arguments).code(1);
    assert!(ran.stdout.contains("victim     test_zone.py::test_utc"), "{ran}");
    for format in FORMATS {
        let now = project.flakehunt(&["report", "--report", format]).stdout;
        assert_eq!(fs::read_to_string(file(format)).expect("a report"), now, "{format}");
    }
}

#[test]
fn what_is_no_terminal_gets_no_escape_sequences_unless_they_are_asked_for() {
    let (project, _) = hunted();
    let colored = |project: &Project, arguments: &[&str]| {
        let ran = project.flakehunt(arguments).code(0);
        ran.stdout.contains('\u{1b}') || ran.stderr.contains('\u{1b}')
    };
    assert!(!colored(&project, &["report"]));
    assert!(colored(&project, &["report", "--color", "always"]));
    assert!(!colored(&project, &["report", "--color", "never"]));
    let project = project.variable("FORCE_COLOR", "1");
    assert!(colored(&project, &["report"]));
    let project = project.variable("NO_COLOR", "1");
    assert!(!colored(&project, &["report"]));
    assert!(colored(&project, &["report", "--color", "always"]));
    let ran = project.flakehunt(&["report", "zzzz"]).error(2, "zzzz");
    assert!(!ran.stderr.contains('\u{1b}'), "{ran}");
}

#[test]
fn quiet_is_the_result_and_nothing_else() {
    let project = Project::suite("one_polluter", Pytest9);
    let mut arguments = HUNT.to_vec();
    arguments.push("-q");
    let ran = project.flakehunt(&arguments).code(1);
    assert_eq!(ran.stderr, "", "{ran}");
    assert!(ran.stdout.contains("victim     test_zone.py::test_utc"), "{ran}");
    let (ran, _) = project.report(&arguments);
    assert_eq!(ran.stderr, "", "{ran}");
}

#[test]
fn runs_that_somebody_cuts_short_are_not_passed_over() {
    let project = Project::with(
        Pytest9,
        "conftest.py",
        "def pytest_runtest_teardown(item):\n    item.session.shouldstop = f'enough after {item.name}'\n",
    )
    .file("test_few.py", "def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass\n");
    let (ran, report) = project.report(&HUNT);
    ran.code(0);
    let said: Vec<&str> = list(&report["notices"])
        .iter()
        .filter(|notice| notice["about"] == "cut")
        .filter_map(|notice| notice["text"].as_str())
        .collect();
    assert!(!said.is_empty() && said.len() <= 3, "once for each reason: {report}");
    assert!(said[0].contains("(enough after test_"), "{said:?}");
    let human = project.flakehunt(&["report", "--report", "human"]).code(0);
    assert!(human.stdout.contains("what is not reached is not tried"), "{human}");
}

#[test]
fn an_answer_is_said_as_soon_as_it_is_proven() {
    let project = Project::suite("one_polluter", Pytest9);
    let victim = "test_zone.py::test_utc";
    let said = "proven     test_zone.py::test_utc is polluted by\n           test_shop.py::TestCart::test_currency\n";
    for command in [&["bisect", victim][..], &["shuffle", "--seeds", "3", "--seed-start", "1"]] {
        let ran = project.flakehunt(command).code(1);
        let (proven, completing) = (ran.stderr.find(said), ran.stderr.find("\ncompleting "));
        assert!(proven.is_some() && proven < completing, "{ran}");
    }
    for silent in [&["--progress", "none"][..], &["--quiet"], &["--first"]] {
        let ran = project.flakehunt(&[&["bisect", victim], silent].concat()).code(1);
        assert!(!ran.stderr.contains("proven"), "{ran}");
    }
}

#[test]
fn a_dry_run_shows_its_orders_and_runs_nothing() {
    let text = "import pathlib\n\n\ndef test_ran():\n    (pathlib.Path.home() / 'ran').touch()\n";
    let project = Project::with(Pytest9, "test_ran.py", text);
    for arguments in [
        &["shuffle", "--seeds", "3", "--seed-start", "7"][..],
        &["replay", "8"],
        &["bisect", "test_ran.py::test_ran", "--seed", "8"],
    ] {
        let mut arguments = arguments.to_vec();
        arguments.push("--dry-run");
        let ran = project.flakehunt(&arguments).code(0);
        assert!(ran.stdout.contains("seed 8"), "{ran}");
        assert!(!project.around().join("home/ran").exists(), "{ran}");
        assert!(project.sessions().is_empty(), "{ran}");
    }
}

/// The command below `reproduce` of the report for people, as somebody would copy it.
fn printed_command(human: &str) -> String {
    let mut lines = human.lines().skip_while(|line| !line.trim_start().starts_with("reproduce "));
    let first = lines.next().expect("a command").trim_start().trim_start_matches("reproduce").trim_start();
    let mut command = vec![first];
    while command.last().is_some_and(|line| line.ends_with('\\')) {
        command.push(lines.next().expect("another line"));
    }
    command.join("\n")
}

#[test]
fn the_printed_command_shows_the_failure() {
    let odd = "import os\n\nimport pytest\n\n\n\
        @pytest.mark.parametrize('text', ['l1\\nl2', 'b'])\ndef test_polluter(text):\n    if 'l' in text:\n        os.environ['ODD'] = '1'\n\n\n\
        @pytest.mark.parametrize('text', [\"$(id) it's `x` \\\\ \\\"q\\\" \\u00e9 [::]\"])\ndef test_victim(text):\n    assert 'ODD' not in os.environ\n";
    let suites = [
        Project::suite("one_polluter", Pytest9),
        Project::suite("odd_ids", Pytest9),
        Project::suite("imports", Pytest9),
        Project::suite("import_switch", Pytest9),
        Project::suite("import_lacks", Pytest9),
        Project::suite("brittle", Pytest9),
        Project::with(Pytest9, "tests odd/test_odd.py", odd),
    ];
    for project in suites {
        let (ran, report) = project.report(&HUNT);
        let ran = ran.code(1);
        let [test] = list(&report["tests"]) else { panic!("{ran}") };
        let command = printed_command(&project.flakehunt(&["report"]).stdout);
        assert_eq!(shell_words::join(words(&test["reproduce"])).is_empty(), command.is_empty(), "{ran}");
        assert_eq!(test["reproduce_needs_flakehunt"], Value::Null, "{ran}");
        let shown = project.shell(&format!("{command} -p no:cacheprovider -rfE"));
        assert_eq!(shown.code, Some(1), "{command}\n{shown}");
        assert!(shown.stdout.contains("1 failed"), "{command}\n{shown}");
        // It is the culprits that make it fail, not what is collected, or not.
        for culprit in list(&test["polluters"]).iter().filter(|_| test["verdict"] == "victim").flat_map(words)
        {
            let without = command.replace(&*quoted(&culprit), "");
            assert_ne!(without, command, "{command}");
            let passes = project.shell(&format!("{without} -p no:cacheprovider"));
            assert_eq!(passes.code, Some(0), "{without}\n{passes}");
        }
        // The same in the report for programs.
        let line = shell_words::join(words(&test["reproduce"]));
        let again = project.shell(&format!("{line} -p no:cacheprovider"));
        assert!(again.stdout.contains("1 failed"), "{line}\n{again}");
    }
}

#[test]
fn the_printed_replay_shows_the_failure() {
    let (project, report) = hunted();
    let replay = words(&report["tests"][0]["replay"]);
    let replay: Vec<&str> = replay.iter().skip(1).map(String::as_str).collect();
    let (ran, replayed) = project.report(&replay);
    let ran = ran.code(1);
    assert_eq!(replayed["command"], "replay", "{ran}");
    assert_eq!(replayed["tests"][0]["id"], "test_zone.py::test_utc", "{ran}");
}

#[test]
fn clean_removes_sessions_but_the_newest() {
    let (project, _) = hunted();
    project.flakehunt(&["replay", "1"]);
    let newest = project.session();
    let ran = project.flakehunt(&["clean", "--keep", "1"]).code(0);
    assert_eq!(ran.stdout, "removed 1 session\n");
    assert_eq!(project.sessions(), [newest]);
    project.flakehunt(&["clean"]).code(0);
    assert!(!project.path().join(".flakehunt").exists());
    assert_eq!(project.flakehunt(&["clean"]).code(0).stdout, "nothing to remove\n");
    assert!(!names(&project.path()).is_empty());
}
