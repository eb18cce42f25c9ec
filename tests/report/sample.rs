//! Findings to render: one of every class, on a suite of a few tests.

use std::sync::Arc;

use flakehunt::core::order::{Level, OrderName, Seed};
use flakehunt::core::outcome::{Outcome, Phase};
use flakehunt::core::rerun::{Rerun, Waits};
use flakehunt::core::run::{Account, Cost, Failure, ProcessEnd, Purpose, RunId, RunRecord, RunSpec};
use flakehunt::core::test_id::{CollectedTest, FileIdx, Suite, TestId, TestIdx};
use flakehunt::core::verdict::{Class, Cluster, Complete, Confirmation, Count, Culprits, Verdict};
use flakehunt::report::{Coverage, Findings};
use flakehunt::session::event::{EndReason, Environment, Header};
use flakehunt::session::saved::{SavedGoal, SavedPlan};

/// Findings that own what they are made of.
#[derive(Clone)]
pub struct Sample {
    pub header: Header,
    pub suite: Suite,
    pub runs: Vec<(RunSpec, RunRecord)>,
    pub verdicts: Vec<Verdict>,
    pub clusters: Vec<Cluster>,
    pub coverage: Coverage,
    pub notices: Vec<(String, String)>,
    pub end: EndReason,
}

impl Sample {
    pub fn findings(&self) -> Findings<'_> {
        Findings {
            header: &self.header,
            suite: &self.suite,
            runs: &self.runs,
            verdicts: &self.verdicts,
            clusters: &self.clusters,
            coverage: self.coverage,
            repeating: None,
            asked: self.runs.len() as u32,
            processes: 5,
            wall_ms: 71_200,
            notices: &self.notices,
            end: self.end,
            session_dir_display: ".flakehunt/sessions/3kq7",
        }
    }

    /// A sample whose suite has these ids and nothing found in it.
    pub fn of(ids: &[&str]) -> Self {
        let suite = Suite::new(ids.iter().enumerate().map(|(at, id)| collected(id, at as u32)).collect());
        let everything: Vec<u32> = (0..ids.len() as u32).collect();
        let backwards: Vec<u32> = everything.iter().rev().copied().collect();
        let runs = vec![
            run(0, Purpose::Baseline, OrderName::Collection, &everything, &[]),
            run(1, Purpose::Baseline, OrderName::Collection, &everything, &[]),
            run(2, Purpose::Explore, OrderName::Reverse, &backwards, &[]),
            run(
                3,
                Purpose::Explore,
                OrderName::Seed { seed: Seed(7), level: Level::Test },
                &backwards,
                &[(0, "AssertionError: assert 'UTC' == 'CET'")],
            ),
        ];
        Self {
            header: header(),
            suite,
            runs,
            verdicts: Vec::new(),
            clusters: Vec::new(),
            coverage: Coverage {
                pairs: 1.0,
                adjacent_pairs: 0.12,
                exact: true,
                orders: 50,
                seen95: Some(0.058_155),
            },
            notices: Vec::new(),
            end: EndReason::Finished,
        }
    }
}

pub fn header() -> Header {
    Header {
        format: 1,
        flakehunt: "0.1.0".into(),
        session: "3kq7".into(),
        began: "2026-11-23T10:00:00Z".into(),
        plan: serde_json::Value::Null,
        command: "shuffle".into(),
        environment: Environment {
            python: "3.12.4".into(),
            launcher: vec!["/home/me/project/.venv/bin/python".into()],
            origin: ".venv".into(),
            pytest: "9.2.0".into(),
            plugins: vec![
                ("pytest-randomly".into(), "5.1.0".into()),
                ("pytest_xdist".into(), "3.8.0".into()),
            ],
            directory: "/home/me/project".into(),
            rootdir: "/home/me/project".into(),
            inifile: Some("pyproject.toml".into()),
            selection: Vec::new(),
            pytest_args: Vec::new(),
            executor: "fork".into(),
            jobs: 2,
            hash_seed: 0,
            session_seed: u64::MAX,
        },
    }
}

pub fn collected(id: &str, line: u32) -> CollectedTest {
    CollectedTest {
        id: TestId { node_id: id.into(), occurrence: 0 },
        file: id.split("::").next().unwrap_or(id).into(),
        class: String::new(),
        line: Some(line * 10 + 4),
        unstable: false,
    }
}

/// A run in which the tests with these numbers failed, with these messages.
pub fn run(
    id: u32,
    purpose: Purpose,
    name: OrderName,
    order: &[u32],
    failed: &[(u32, &str)],
) -> (RunSpec, RunRecord) {
    let spec = RunSpec::of(order.iter().map(|&test| TestIdx(test)).collect::<Vec<_>>(), name, purpose);
    let message = |test: &u32| failed.iter().find(|(other, _)| other == test).map(|(_, message)| *message);
    let outcomes =
        order.iter().map(|test| if message(test).is_some() { Outcome::Failed } else { Outcome::Passed });
    let failures = order.iter().enumerate().filter_map(|(at, test)| {
        let message = message(test)?.to_owned();
        Some(Failure { at: at as u32, phase: Some(Phase::Call), fingerprint: format!("f{test}"), message })
    });
    let record = RunRecord {
        run: RunId(id),
        outcomes: outcomes.collect(),
        failures: failures.collect(),
        end: ProcessEnd::Exited(i32::from(!failed.is_empty())),
        invalid: None,
        beside: false,
        fresh: true,
        random_seed: 1000 + u64::from(id),
        cost: Cost { wall_ms: 8_200, cpu_ms: 8_000, tests_ms: 7_900 },
        details: Vec::new(),
        micros: Vec::new(),
        accounts: Vec::new(),
        probed: Vec::new(),
        fanned: Vec::new(),
    };
    (spec, record)
}

/// A verdict with nothing but its class and rate.
pub fn verdict(test: u32, class: Class) -> Verdict {
    Verdict {
        test: TestIdx(test),
        class,
        outcome: Outcome::Failed,
        polluters: Vec::new(),
        state_setters: Vec::new(),
        cleaners: Vec::new(),
        unsetters: Vec::new(),
        import_polluters: Vec::new(),
        imported: Vec::new(),
        failed: Count { k: 23, n: 50 },
        complete: Complete::default(),
        confirmed: None,
        explained: Count { k: 50, n: 50 },
        effect: None,
        failing_runs: vec![RunId(3)],
        undecided: None,
        notes: Vec::new(),
    }
}

pub fn set(members: &[u32], ordered: bool) -> Culprits {
    Culprits { members: members.iter().map(|&test| TestIdx(test)).collect(), ordered }
}

pub fn proof(with: u32, without: u32) -> Option<Confirmation> {
    Some(Confirmation { with: Count { k: with, n: 10 }, without: Count { k: without, n: 10 } })
}

pub fn victim(test: u32, polluters: Vec<Culprits>, cleaners: &[u32]) -> Verdict {
    Verdict {
        polluters,
        cleaners: cleaners.iter().map(|&test| TestIdx(test)).collect(),
        confirmed: proof(10, 0),
        complete: Complete { polluters: true, state_setters: false, cleaners: true },
        ..verdict(test, Class::Victim)
    }
}

pub const IDS: [&str; 12] = [
    "tests/test_api.py::test_default_tz",
    "tests/test_api.py::TestClient::test_retry[http://localhost:8080/a b-3]",
    "tests/test_cfg.py::test_set_tz",
    "tests/test_cfg.py::test_reset",
    "tests/test_db.py::test_connect",
    "tests/test_db.py::test_insert",
    "tests/test_db.py::test_count",
    "tests/integration/test_a_rather_long_module_name.py::TestWithALongName::test_with_an_even_longer_name[parameter]",
    "tests/test_net.py::test_port",
    "tests/test_rand.py::test_sample",
    "tests/test_rand.py::test_twice",
    "tests/test_old.py::test_gone",
];

/// One finding of every class.
pub fn every_class() -> Sample {
    let mut sample = Sample::of(&IDS);
    let rates = |k, n| Count { k, n };
    sample.verdicts = vec![
        victim(0, vec![set(&[2], false)], &[3]),
        Verdict {
            effect: Some(rates(37, 50)),
            explained: rates(47, 50),
            complete: Complete::default(),
            outcome: Outcome::Errored(Phase::Setup),
            ..victim(7, vec![set(&[4, 5], true), set(&[1, 8], false), set(&[2], false)], &[3, 7])
        },
        Verdict {
            state_setters: vec![set(&[4], false)],
            unsetters: vec![TestIdx(3)],
            confirmed: proof(0, 10),
            complete: Complete { polluters: false, state_setters: true, cleaners: false },
            ..verdict(6, Class::Brittle)
        },
        Verdict { failed: rates(4, 50), confirmed: None, ..verdict(9, Class::NonDeterministic) },
        Verdict { confirmed: proof(9, 2), explained: rates(0, 0), ..verdict(5, Class::Ndod) },
        Verdict { failed: rates(0, 50), confirmed: proof(10, 0), ..verdict(10, Class::NonIdempotent) },
        Verdict {
            failed: rates(50, 50),
            import_polluters: vec![vec![FileIdx(1)]],
            confirmed: proof(10, 0),
            ..verdict(4, Class::ImportPolluted)
        },
        Verdict { failed: rates(5, 50), confirmed: proof(5, 0), ..verdict(8, Class::Interference) },
        Verdict {
            failed: rates(50, 50),
            outcome: Outcome::Crashed,
            explained: rates(50, 50),
            notes: vec!["the process died with SIGSEGV".into()],
            ..verdict(11, Class::Broken)
        },
        Verdict {
            failed: rates(2, 50),
            outcome: Outcome::TimedOut,
            undecided: Some("the budget ended before the two failing orders could be repeated".into()),
            ..verdict(1, Class::Undecided)
        },
    ];
    sample.runs.push(run(4, Purpose::Alone, OrderName::Probe, &[9], &[(9, "AssertionError: 0.93 < 0.9")]));
    let mut invalid = run(5, Purpose::Search, OrderName::Probe, &[0, 2], &[]);
    invalid.1.invalid = Some("the order that ran is not the order asked for".into());
    sample.runs.push(invalid);
    sample.notices = vec![("pytest-randomly".into(), "its own shuffling was turned off".into())];
    sample
}

/// Fourteen victims of one polluter.
pub fn cluster() -> Sample {
    let mut ids = vec!["tests/test_a.py::test_pol".to_owned(), "tests/test_a.py::test_clean".to_owned()];
    ids.extend((0..14).map(|n| format!("tests/test_b.py::test_victim[{n}]")));
    let mut sample = Sample::of(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    sample.verdicts = (2..16).map(|test| victim(test, vec![set(&[0], false)], &[1])).collect();
    sample.clusters = vec![Cluster { cause: vec![vec![TestIdx(0)]], tests: (2..16).map(TestIdx).collect() }];
    sample
}

/// A hunt that was interrupted before it found anything.
pub fn nothing() -> Sample {
    let mut sample = Sample::of(&IDS);
    sample.runs.truncate(3);
    sample
}

/// The same files collected as a plain command collects them.
pub fn only_files(mut run: (RunSpec, RunRecord), files: &[u32]) -> (RunSpec, RunRecord) {
    run.0.files = Some(Arc::from(files.iter().map(|&file| FileIdx(file)).collect::<Vec<_>>()));
    run
}

/// A rerun: the first test passes alone only, the fifth never, the tenth passes in its order; one is skipped, and one
/// never had its turn. Each says this when it fails.
pub fn rerun(ids: &[&str; 12], said: &str) -> Sample {
    let mut sample = Sample::of(ids);
    let plan = SavedPlan {
        goal: SavedGoal::Rerun(Rerun {
            reruns: 1,
            waits: Waits::default(),
            only: Vec::new(),
            except: Vec::new(),
            most: Some(10),
            fail_on_flaky: false,
        }),
        jobs: 1,
        forks: false,
        spare_ms: 0,
    };
    sample.header.command = "rerun".into();
    sample.header.plan = serde_json::to_value(plan).expect("JSON");
    let everything: Vec<u32> = (0..12).collect();
    let mut suite =
        run(0, Purpose::Baseline, OrderName::Collection, &everything, &[(0, said), (4, said), (9, said)]);
    suite.1.outcomes[6] = Outcome::Skipped;
    suite.1.outcomes[9] = Outcome::Crashed;
    suite.1.outcomes[11] = Outcome::NotReached;
    sample.runs = vec![
        suite,
        run(1, Purpose::Repeat, OrderName::Collection, &everything[..10], &[(0, said), (4, said)]),
        run(2, Purpose::Alone, OrderName::Probe, &[0], &[]),
        run(3, Purpose::Alone, OrderName::Probe, &[4], &[(4, said)]),
    ];
    for (_, record) in &mut sample.runs {
        record.micros = (0..record.outcomes.len() as u64).map(|at| 1_500 * at).collect();
        let account = |(at, outcome): (usize, &Outcome)| {
            let (kind, text) = match outcome {
                Outcome::Skipped => ("pytest.skip", String::new()),
                Outcome::Crashed => ("crashed", String::new()),
                Outcome::Failed => ("ValueError", format!("def test():\n>   raise\nE   {said}")),
                _ => return None,
            };
            Some(Account { at: at as u32, kind: kind.into(), message: said.to_owned(), text })
        };
        record.accounts = record.outcomes.iter().enumerate().filter_map(account).collect();
    }
    let once = |test, class| Verdict {
        failed: Count { k: 1, n: 1 },
        failing_runs: vec![RunId(0)],
        ..verdict(test, class)
    };
    sample.verdicts = vec![
        Verdict { undecided: Some("it looks order-dependent".into()), ..once(0, Class::Undecided) },
        once(4, Class::Broken),
        Verdict { outcome: Outcome::Crashed, ..once(9, Class::NonDeterministic) },
    ];
    sample
}
