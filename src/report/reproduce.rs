//! The command that shows a verdict without flakehunt, where there is one.
//!
//! It is `python -m pytest` with node ids: `-m pytest` is how flakehunt itself starts pytest (the folder it runs in is
//! then importable; the script `pytest` leaves it out), and pytest from 6.2 to 9.2 runs ids in the order given, also
//! where files interleave. What pytest cannot take as an id, or would not run as asked, is a reason for
//! `flakehunt replay`, which is always possible.
//!
//! Plugins that shuffle, distribute or retry are told not to by an option of their own. Blocking them (`-p no:NAME`)
//! looks simpler, but ends in "unrecognized arguments" where `addopts` or `PYTEST_ADDOPTS` holds one of their options,
//! and stops what tests may rely on (pytest-randomly's seeding).
//!
//! pytest collects only the files named on its command line, while a hunt collects the whole suite for every run. So
//! the same order may behave differently: [`Reproduction::reproduced`] counts the recorded runs of just this question.

use crate::core::outcome::Seen;
use crate::core::run::{Purpose, RunId, RunRecord, RunSpec};
use crate::core::test_id::{FileIdx, Suite, TestId, TestIdx};
use crate::core::verdict::{Class, Count, Verdict};
use crate::session::event::{Environment, Header};

/// How a verdict is shown again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reproduction {
    /// The command, to be run in the environment's directory.
    pub argv: Vec<String>,
    /// Why the command is flakehunt's; `None` where it is plain pytest.
    pub needs_flakehunt: Option<String>,
    /// The tests it runs, in order.
    pub order: Vec<TestIdx>,
    /// The files it collects, in collection order.
    pub files: Vec<FileIdx>,
    /// Failures of the test in valid runs of this order with only these files collected.
    pub reproduced: Count,
}

/// Longer commands are unwieldy, and Linux refuses a single argument from 128 KiB on.
const MAX_BYTES: usize = 16 * 1024;

/// Distributions that change order, number or place of test runs, and the option that stops them. Measured with all of
/// them active at once through `PYTEST_ADDOPTS`.
const CALMED: [(&str, &str); 7] = [
    ("pytest-randomly", "--randomly-dont-reorganize"),
    ("pytest-random-order", "--random-order-bucket=none"),
    ("pytest-xdist", "-n0"),
    ("pytest-rerunfailures", "--reruns=0"),
    ("pytest-retry", "--retries=0"),
    ("pytest-repeat", "--count=1"),
    ("pytest-cov", "--no-cov"),
];

/// Runs the test twice in one process. pytest drops a node id that is given twice, in every version, so a plugin of
/// three lines adds copies, each with an instance and fixtures of its own.
const TWICE: &str = "import copy, pytest, sys; again = lambda i: (c := copy.copy(i), \
     [vars(c).pop(k, 0) for k in (\"_obj\", \"_instance\", \"_testcase\")], getattr(c, \"_initrequest\", int)())[0]; \
     twice = type(\"Twice\", (), {\"pytest_collection_modifyitems\": \
     lambda self, items: items.extend(map(again, items[:]))}); \
     sys.exit(pytest.main(sys.argv[1:], plugins=[twice()]))";

/// The command that shows this verdict; `None` where no run is known that could.
pub fn reproduction(
    header: &Header,
    suite: &Suite,
    runs: &[(RunSpec, RunRecord)],
    verdict: &Verdict,
) -> Option<Reproduction> {
    let replayed = |why: String| {
        let argv = replay(header, verdict)?;
        Some(Reproduction {
            argv,
            needs_flakehunt: Some(why),
            order: Vec::new(),
            files: Vec::new(),
            reproduced: Count::default(),
        })
    };
    let question = match question(suite, runs, verdict) {
        Ok(question) => question,
        Err(why) => return replayed(why.to_owned()),
    };
    let reproduced = asked_already(suite, runs, verdict.test, &question);
    if reproduced.n > 0 && reproduced.k == 0 {
        let runs = super::text::counted(reproduced.n, "run");
        return replayed(format!("with only the files of these tests collected it failed in none of {runs}"));
    }
    // An NDOD test fails without them, too, only less often.
    let without = Question { order: vec![verdict.test], ..question.clone() };
    if verdict.class == Class::Victim && asked_already(suite, runs, verdict.test, &without).k > 0 {
        let why = "with only the files of these tests collected it fails without them, too";
        return replayed(why.to_owned());
    }
    match argv(header, suite, runs, verdict, &question) {
        Ok(argv) => Some(Reproduction {
            argv,
            needs_flakehunt: None,
            order: question.order,
            files: question.files,
            reproduced,
        }),
        Err(why) => replayed(why),
    }
}

/// The recorded run in which the test failed, again; `None` where none is known.
pub fn replay(header: &Header, verdict: &Verdict) -> Option<Vec<String>> {
    let run = verdict.failing_runs.first()?;
    Some(["flakehunt", "replay", &run_word(header, *run)].map(str::to_owned).into())
}

/// How a person names a run: `3kq7/17`, which no seed looks like.
pub fn run_word(header: &Header, run: RunId) -> String {
    format!("{}/{}", header.session, run.0)
}

/// What a plain command asks.
#[derive(Clone, Debug)]
struct Question {
    order: Vec<TestIdx>,
    files: Vec<FileIdx>,
    /// Files that are only collected, their tests left out.
    imported: Vec<FileIdx>,
}

fn question(
    suite: &Suite,
    runs: &[(RunSpec, RunRecord)],
    verdict: &Verdict,
) -> Result<Question, &'static str> {
    let test = verdict.test;
    let smallest = verdict.polluters.iter().min_by_key(|culprits| culprits.members.len());
    let mut imported = Vec::new();
    let order = match verdict.class {
        Class::Victim | Class::Ndod if smallest.is_some() => {
            imported.clone_from(&verdict.imported);
            smallest.iter().flat_map(|culprits| culprits.members.iter().copied()).chain([test]).collect()
        }
        Class::Brittle | Class::Broken => vec![test],
        Class::NonIdempotent => twice(runs, verdict)?,
        Class::ImportPolluted => {
            imported = verdict
                .import_polluters
                .iter()
                .min_by_key(|files| files.len())
                .cloned()
                .ok_or("no file is known to break it")?;
            vec![test]
        }
        Class::NonDeterministic if failed_alone(runs, test) => vec![test],
        Class::NonDeterministic => return Err("it was not seen to fail with nothing before it"),
        Class::Interference => return Err("it needs another run beside it"),
        Class::TimingDependent => return Err("it needs busy processors"),
        Class::Undecided | Class::Victim | Class::Ndod => return Err("what decides is not known"),
    };
    let mut files: Vec<FileIdx> =
        order.iter().map(|&test| suite.file_of(test)).chain(imported.clone()).collect();
    files.sort_unstable();
    files.dedup();
    Ok(Question { order, files, imported })
}

/// The test two times, where that is enough.
fn twice(runs: &[(RunSpec, RunRecord)], verdict: &Verdict) -> Result<Vec<TestIdx>, &'static str> {
    match first_failing(runs, verdict) {
        Some((spec, _)) if spec.manner.fresh_fixtures => Err("fixtures must be made anew in between"),
        Some((spec, record))
            if spec.purpose == Purpose::Counted
                && record.failures.first().is_some_and(|first| first.at > 1) =>
        {
            Err("it takes more than two times")
        }
        _ => Ok(vec![verdict.test; 2]),
    }
}

fn failed_alone(runs: &[(RunSpec, RunRecord)], test: TestIdx) -> bool {
    runs.iter().any(|(spec, record)| {
        *spec.order == [test]
            && record.is_valid()
            && record.outcomes.first().is_some_and(|seen| seen.is_failure())
    })
}

/// What the journal already says of exactly this question.
fn asked_already(suite: &Suite, runs: &[(RunSpec, RunRecord)], test: TestIdx, question: &Question) -> Count {
    let mut count = Count::default();
    for (spec, record) in runs {
        let mut files: Vec<FileIdx> =
            spec.files.as_deref().map_or_else(|| suite.files().collect(), <[_]>::to_vec);
        files.sort_unstable();
        let same = *spec.order == *question.order && files == question.files && spec.is_plain();
        // The last place is the one that matters: a test that stands there twice passes the first time.
        let last = spec.order.iter().rposition(|&other| other == test);
        let seen = last.and_then(|at| record.outcomes.get(at)).and_then(|outcome| outcome.seen());
        if let (true, true, Some(seen)) = (same, record.is_valid(), seen) {
            count.add(seen == Seen::Fail);
        }
    }
    count
}

fn argv(
    header: &Header,
    suite: &Suite,
    runs: &[(RunSpec, RunRecord)],
    verdict: &Verdict,
    question: &Question,
) -> Result<Vec<String>, String> {
    let environment = &header.environment;
    let mut argv = pinned_hash_seed(runs, verdict);
    argv.extend(launcher(environment));
    if verdict.class == Class::NonIdempotent {
        argv.extend(["-c", TWICE].map(str::to_owned));
    } else {
        argv.extend(["-m", "pytest"].map(str::to_owned));
    }
    argv.extend(passed_on(&environment.pytest_args, suite));
    argv.extend(calmed(environment));
    argv.extend(seeded(environment, runs, verdict));
    if question.order.iter().any(|&test| test != verdict.test && fails_somewhere(runs, test)) {
        // A culprit may fail itself; `-x` in `addopts` would end the run before the victim.
        argv.push("--maxfail=0".to_owned());
    }
    let own = suite.file_of(verdict.test);
    let mut after = Vec::new();
    for &file in &question.imported {
        // Collected, and then left out: `--deselect` takes a prefix of node ids.
        let path = suite.file(file);
        if suite.node_id(verdict.test).starts_with(path) {
            return Err("the file that breaks it is its own".to_owned());
        }
        if path.contains('\0') {
            return Err("a file's name cannot be typed".to_owned());
        }
        argv.push(format!("--deselect={path}"));
        // Files are imported in the order in which they are named.
        if file < own {
            argv.push(located(environment, path))
        } else {
            after.push(located(environment, path))
        }
    }
    let ids = if verdict.class == Class::NonIdempotent { &question.order[..1] } else { &question.order[..] };
    for &test in ids {
        typeable(environment, suite, test)?;
        argv.push(located(environment, suite.node_id(test)));
    }
    argv.extend(after);
    if argv.iter().map(String::len).sum::<usize>() > MAX_BYTES {
        return Err("the command would be too long".to_owned());
    }
    Ok(argv)
}

/// Whether pytest runs this test, and no other one, when given its id.
fn typeable(environment: &Environment, suite: &Suite, test: TestIdx) -> Result<(), String> {
    let collected = suite.test(test);
    let id = &collected.id.node_id;
    let twin = TestId { node_id: id.clone(), occurrence: 1 };
    let rest = id.strip_prefix(collected.file.as_str()).and_then(|rest| rest.strip_prefix("::"));
    // Only below a Python module do further `::` mean nested nodes; brackets hold anything since pytest 7.
    let name = rest.map_or("", |rest| rest.split('[').next().unwrap_or(rest));
    let bracket = rest.and_then(|rest| rest.split_once('[')).map_or("", |(_, parameters)| parameters);
    let old = ["5.", "6."].iter().any(|major| environment.pytest.starts_with(major));
    let why = match () {
        () if collected.unstable => "an id differs at every collection",
        () if collected.id.occurrence > 0 || suite.find(&twin).is_some() => "two tests have the same id",
        () if id.contains('\0') => "an id cannot be typed",
        () if rest.is_none() || collected.file.is_empty() || collected.file.contains("::") => {
            "an id does not begin with its file"
        }
        () if !collected.file.ends_with(".py") && name.contains("::") => "an id holds `::` in a name",
        () if old && bracket.contains("::") => "this pytest does not find ids with `::` in parameters",
        () => return Ok(()),
    };
    Err(why.to_owned())
}

/// An id or a file (relative to the root directory) as it is typed in the directory pytest runs in.
fn located(environment: &Environment, id: &str) -> String {
    let (file, name) = id.split_once("::").map_or((id, None), |(file, name)| (file, Some(name)));
    let from = parts(&environment.directory);
    let target: Vec<&str> = parts(&environment.rootdir).into_iter().chain(parts(file)).collect();
    let shared =
        from.iter().zip(&target).take_while(|(a, b)| a == b).count().min(target.len().saturating_sub(1));
    let mut path = "../".repeat(from.len() - shared) + &target[shared..].join("/");
    if path.starts_with(['-', '@']) {
        // An option, or an argument file, begins like this.
        path.insert_str(0, "./");
    }
    name.map_or(path.clone(), |name| format!("{path}::{name}"))
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

/// How to start Python: below the directory by a relative path, so that the line is short and moves with the project.
fn launcher(environment: &Environment) -> Vec<String> {
    let mut launcher = environment.launcher.clone();
    let inside = |word: &String| {
        let below = word.strip_prefix(environment.directory.trim_end_matches('/'))?.strip_prefix('/')?;
        below.contains('/').then(|| below.to_owned())
    };
    match launcher.first_mut() {
        Some(first) if !environment.directory.is_empty() => {
            if let Some(below) = inside(first) {
                *first = below;
            }
        }
        Some(_) => {}
        None => launcher.push("python".to_owned()),
    }
    launcher
}

fn has_plugin(environment: &Environment, distribution: &str) -> bool {
    let normal = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
    environment.plugins.iter().any(|(name, _)| normal(name) == distribution)
}

fn calmed(environment: &Environment) -> impl Iterator<Item = String> {
    CALMED.iter().filter(|(name, _)| has_plugin(environment, name)).map(|(_, option)| (*option).to_owned())
}

/// Where chance decides, the seed of a failing run is part of the question.
fn seeded(environment: &Environment, runs: &[(RunSpec, RunRecord)], verdict: &Verdict) -> Option<String> {
    let by_chance = matches!(verdict.class, Class::NonDeterministic | Class::Ndod);
    let (_, record) = first_failing(runs, verdict)?;
    (by_chance && has_plugin(environment, "pytest-randomly"))
        .then(|| format!("--randomly-seed={}", record.random_seed))
}

/// A run that had a hash seed of its own failed with that one.
fn pinned_hash_seed(runs: &[(RunSpec, RunRecord)], verdict: &Verdict) -> Vec<String> {
    let seed = first_failing(runs, verdict).and_then(|(spec, _)| spec.hash_seed);
    seed.map(|seed| vec!["env".to_owned(), format!("PYTHONHASHSEED={seed}")]).unwrap_or_default()
}

fn first_failing<'a>(
    runs: &'a [(RunSpec, RunRecord)],
    verdict: &Verdict,
) -> Option<&'a (RunSpec, RunRecord)> {
    let first = *verdict.failing_runs.first()?;
    runs.iter().find(|(_, record)| record.run == first)
}

fn fails_somewhere(runs: &[(RunSpec, RunRecord)], test: TestIdx) -> bool {
    runs.iter().any(|(spec, record)| {
        record.failures.iter().any(|failure| spec.order.get(failure.at as usize) == Some(&test))
    })
}

/// What was passed on to pytest, without the paths and ids in it, which would add tests.
fn passed_on<'a>(arguments: &'a [String], suite: &'a Suite) -> impl Iterator<Item = String> + 'a {
    const TAKES_A_VALUE: [&str; 8] = ["-k", "-m", "-c", "-p", "-o", "-W", "-r", "-n"];
    arguments.iter().enumerate().filter_map(move |(at, argument)| {
        let value = at > 0 && TAKES_A_VALUE.contains(&arguments[at - 1].as_str());
        let path =
            argument.split("::").next().unwrap_or(argument).trim_end_matches('/').trim_start_matches("./");
        let names_tests = suite.files().any(|file| {
            let file = suite.file(file);
            file == path || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        });
        (value || argument.starts_with('-') || !(names_tests || path == "." || path.is_empty()))
            .then(|| argument.clone())
    })
}
