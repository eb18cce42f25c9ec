//! The journal against everything that can happen to a file: cut anywhere, any byte damaged, any write failing.
#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::io::{self, Write};
use std::path::Path;

use flakehunt::core::order::{OrderName, Seed};
use flakehunt::core::outcome::Outcome;
use flakehunt::core::run::{Cost, ProcessEnd, Purpose, RunId, RunRecord, RunSpec};
use flakehunt::core::test_id::{SuiteDigest, TestIdx};
use flakehunt::error::ExitCode;
use flakehunt::session::event::{Answer, EndReason, Environment, Event, Header};
use flakehunt::session::journal::{ANSWERS_PER_SYNC, FORMAT, Journal, Read, Sink, read, read_from};
use flakehunt::session::resume::History;
use fs_err as fs;

fn header() -> Header {
    Header {
        format: 0,
        flakehunt: "0.1.0".into(),
        session: "3kq7".into(),
        began: "2026-01-02T03:04:05Z".into(),
        plan: serde_json::json!({"seeds": 50, "text": "\"\\\n\u{1f41b}"}),
        command: "shuffle".into(),
        environment: Environment { python: "3.12.4".into(), ..Environment::default() },
    }
}

fn spec(tests: u32) -> RunSpec {
    RunSpec::of(
        (0..tests).rev().map(TestIdx).collect::<Vec<_>>(),
        OrderName::Seed { seed: Seed(u64::MAX), level: flakehunt::core::order::Level::Test },
        Purpose::Explore,
    )
}

fn answer(run: u32) -> Event {
    Event::Answered(Answer::of(&RunRecord {
        run: RunId(run),
        outcomes: vec![Outcome::Passed, Outcome::Failed, Outcome::NotReached],
        failures: Vec::new(),
        end: ProcessEnd::Exited(1),
        invalid: None,
        beside: false,
        fresh: true,
        random_seed: u64::MAX,
        cost: Cost::default(),
        details: Vec::new(),
        micros: Vec::new(),
        accounts: Vec::new(),
        probed: Vec::new(),
        fanned: Vec::new(),
    }))
}

/// A small hunt, without its header.
fn events() -> Vec<Event> {
    let mut events = vec![
        Event::Suite { tests: 3, digest: SuiteDigest("00ff".into()), unstable: 0 },
        Event::Notice { about: "jobs".into(), text: "two lines\nand \u{2028} more".into() },
    ];
    for run in 0..3 {
        events.push(Event::Asked { run: RunId(run), spec: spec(3) });
        events.push(answer(run));
    }
    events.push(Event::Ended { why: EndReason::Finished, wall_ms: 1234 });
    events
}

fn write(path: &Path) -> Vec<Event> {
    let mut journal = Journal::create(path, &header()).unwrap();
    let mut all = vec![Event::Session(Header { format: FORMAT, ..header() })];
    for event in events() {
        journal.append(&event).unwrap();
        all.push(event);
    }
    all
}

/// The bytes of a small journal and the events in it.
fn sample() -> (Vec<u8>, Vec<Event>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let events = write(&path);
    (fs::read(&path).unwrap(), events)
}

fn line_ends(bytes: &[u8]) -> Vec<usize> {
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect()
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let events = write(&path);
    let read = read(&path).unwrap();
    assert_eq!(read.events, events);
    assert!(!read.torn && !read.newer_format);
    assert_eq!(read.valid_bytes, fs::metadata(&path).unwrap().len());
    assert_eq!(read.header().session, "3kq7");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap()) & 0o777, 0o600);
}

#[test]
fn a_journal_is_never_begun_over_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    write(&path);
    let before = fs::read(&path).unwrap();
    assert_eq!(Journal::create(&path, &header()).unwrap_err().code, ExitCode::Output);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn cut_at_every_byte_a_journal_is_a_prefix() {
    let (bytes, events) = sample();
    let ends = line_ends(&bytes);
    for cut in 0..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        match read_from(&bytes[..cut], "it") {
            Ok(read) => {
                assert_eq!(read.events, events[..whole], "cut at {cut}");
                let valid = ends[whole - 1];
                assert_eq!(read.valid_bytes, valid as u64);
                assert_eq!(read.total_bytes, cut as u64);
                assert_eq!(read.torn, cut != valid, "cut at {cut}");
                History::of(&read).unwrap();
            }
            Err(failure) => {
                assert_eq!(whole, 0, "cut at {cut}: {failure:?}");
                assert!(!failure.hints.is_empty());
            }
        }
    }
}

#[test]
fn cut_at_every_byte_a_journal_goes_on_as_if_nothing_had_been() {
    let (bytes, events) = sample();
    let ends = line_ends(&bytes);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    for cut in ends[0]..=bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        let (mut journal, read) = Journal::open_append(&path).unwrap();
        // All that is missing where a line begins; elsewhere one event, which is not synced, will do.
        let missing = &events[read.events.len()..];
        let missing = if ends.contains(&cut) { missing } else { &missing[..1] };
        for event in missing {
            journal.append(event).unwrap();
        }
        let end = ends[read.events.len() + missing.len() - 1];
        assert_eq!(fs::read(&path).unwrap(), bytes[..end], "cut at {cut}");
    }
}

#[test]
fn damage_at_any_byte_ends_the_journal_before_it() {
    let (bytes, events) = sample();
    let ends = line_ends(&bytes);
    for at in 0..bytes.len() {
        for damage in [0_u8, b'\n', 0xff, bytes[at] ^ 1] {
            if bytes[at] == damage {
                continue;
            }
            let mut damaged = bytes.clone();
            damaged[at] = damage;
            let before = ends.iter().filter(|end| **end <= at).count();
            match read_from(&damaged[..], "it") {
                Ok(read) => {
                    assert_eq!(read.events, events[..before], "byte {at} became {damage}");
                    assert!(read.torn && !read.newer_format);
                    assert_eq!(read.total_bytes, bytes.len() as u64);
                }
                Err(failure) => {
                    assert_eq!(before, 0, "byte {at} became {damage}: {failure:?}");
                    assert_eq!(failure.code, ExitCode::Output);
                }
            }
        }
    }
}

/// The line of an event that this version cannot write.
fn foreign(event: &str) -> String {
    let sum = blake3::hash(event.as_bytes()).to_hex();
    format!("{{\"sum\":\"{}\",\"event\":{event}}}\n", &sum[..8])
}

#[test]
fn a_newer_format_is_read_and_never_written() {
    let (bytes, events) = sample();
    let first = String::from_utf8(bytes[..line_ends(&bytes)[0]].to_vec()).unwrap();
    let event = first.split_once("\"event\":").unwrap().1.strip_suffix("}\n").unwrap();
    let newer = foreign(&event.replacen("\"format\":1,", "\"format\":2,", 1));
    let strange = foreign("{\"event\":\"danced\",\"steps\":3}");
    let rest = String::from_utf8(bytes[line_ends(&bytes)[0]..].to_vec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    for text in [format!("{newer}{rest}torn"), format!("{first}{strange}{rest}torn")] {
        fs::write(&path, &text).unwrap();
        let read = read(&path).unwrap();
        assert!(read.newer_format && read.torn);
        assert_eq!(read.events[1..], events[1..]);
        let failure = Journal::open_append(&path).unwrap_err();
        assert!(failure.hints[0].contains("0.1.0 or newer"), "{failure:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it was written to");
    }
    fs::write(&path, &strange).unwrap();
    assert!(read(&path).unwrap_err().error.contains("newer flakehunt"));
}

#[test]
fn a_file_that_is_no_journal_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let line = String::from_utf8(sample().0).unwrap().lines().nth(1).unwrap().to_owned() + "\n";
    for content in ["", "\n", "{}\n", "\0\0\0\n", "hello", &line] {
        fs::write(&path, content).unwrap();
        for failure in [read(&path).unwrap_err(), Journal::open_append(&path).unwrap_err()] {
            assert_eq!(failure.code, ExitCode::Output);
            assert!(failure.error.contains("is not a journal"), "{content:?}: {failure:?}");
            assert!(!failure.hints.is_empty());
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), content, "it was written to");
    }
    assert!(read(&folder.path().join("missing")).unwrap_err().error.contains("missing"));
}

/// What a failing disk does.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The call to `write` fails at once.
    Nothing,
    /// Half of it is written, the next call fails.
    Half,
    /// The call to `sync` fails.
    Sync,
}

#[derive(Clone, Debug)]
struct FaultySink {
    written: std::rc::Rc<std::cell::RefCell<Vec<u8>>>,
    fault: Fault,
    calls_left: usize,
    syncs: std::rc::Rc<std::cell::Cell<usize>>,
}

impl FaultySink {
    fn new(fault: Fault, calls_left: usize) -> Self {
        Self { written: Default::default(), fault, calls_left, syncs: Default::default() }
    }

    fn full() -> io::Error {
        io::Error::from(io::ErrorKind::StorageFull)
    }
}

impl Write for FaultySink {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if !matches!(self.fault, Fault::Sync) {
            if self.calls_left == 0 {
                // A disk with a little space again would take it: the journal must not try.
                self.calls_left = usize::MAX;
                if matches!(self.fault, Fault::Half) {
                    let half = buffer.len() / 2;
                    self.written.borrow_mut().extend_from_slice(&buffer[..half]);
                }
                return Err(Self::full());
            }
            self.calls_left -= 1;
        }
        self.written.borrow_mut().extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for FaultySink {
    fn sync(&mut self) -> io::Result<()> {
        self.syncs.set(self.syncs.get() + 1);
        if matches!(self.fault, Fault::Sync) {
            self.calls_left = self.calls_left.checked_sub(1).ok_or_else(Self::full)?;
        }
        Ok(())
    }
}

#[test]
fn whichever_write_fails_the_journal_is_a_prefix_and_takes_no_more() {
    let (_, all) = sample();
    for fault in [Fault::Nothing, Fault::Half, Fault::Sync] {
        let mut failed = 0;
        for k in 0..all.len() + 1 {
            let sink = FaultySink::new(fault, k);
            let written = sink.written.clone();
            let mut accepted = 0;
            let mut broken = false;
            if let Ok(mut journal) = Journal::begin(sink, &header()) {
                accepted = 1;
                for event in events() {
                    match journal.append(&event) {
                        Ok(()) if broken => panic!("{fault:?} {k}: it went on after an error"),
                        Ok(()) => accepted += 1,
                        Err(failure) => {
                            assert_eq!(failure.code, ExitCode::Output);
                            assert!(broken || failure.hints[0].contains("flakehunt resume"), "{failure:?}");
                            broken = true;
                        }
                    }
                }
            }
            failed += usize::from(accepted < all.len());
            let written = written.borrow();
            match read_from(&written[..], "it") {
                Ok(Read { events, .. }) => {
                    // An event whose sync failed is there, and its writer was told that it may not be.
                    let extra = usize::from(matches!(fault, Fault::Sync) && accepted < all.len());
                    assert_eq!(events, all[..accepted + extra], "{fault:?} {k}");
                }
                Err(_) => assert_eq!(accepted, 0, "{fault:?} {k}"),
            }
        }
        // Every write of the hunt failed once: one an event; syncs are header, suite and end.
        assert_eq!(failed, if matches!(fault, Fault::Sync) { 3 } else { all.len() });
    }
}

#[test]
fn what_hurts_is_synced_and_answers_are_in_groups() {
    let sink = FaultySink::new(Fault::Sync, usize::MAX);
    let syncs = sink.syncs.clone();
    let mut journal = Journal::begin(sink, &header()).unwrap();
    assert_eq!(syncs.get(), 1);
    for run in 0..ANSWERS_PER_SYNC - 1 {
        journal.append(&answer(run)).unwrap();
    }
    assert_eq!(syncs.get(), 1);
    journal.append(&answer(ANSWERS_PER_SYNC)).unwrap();
    assert_eq!(syncs.get(), 2);
    journal.append(&answer(ANSWERS_PER_SYNC + 1)).unwrap();
    journal.append(&Event::Ended { why: EndReason::Interrupted, wall_ms: 1 }).unwrap();
    assert_eq!(syncs.get(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_exit_74_with_a_hint() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let failure = Journal::begin(full, &header()).unwrap_err();
    assert_eq!(failure.code, ExitCode::Output);
    assert!(failure.hints[0].contains("free some space"), "{failure:?}");
}

/// The history of a journal of these events.
fn history(events: &[Event]) -> Result<History, flakehunt::error::Failure> {
    let sink = FaultySink::new(Fault::Nothing, usize::MAX);
    let written = sink.written.clone();
    let mut journal = Journal::begin(sink, &header())?;
    for event in events {
        journal.append(event)?;
    }
    History::of(&read_from(&written.borrow()[..], "it")?)
}

#[test]
fn a_history_pairs_questions_with_answers() {
    let mut events = events();
    events.push(Event::Asked { run: RunId(5), spec: spec(2) });
    events.push(events[1].clone());
    let history = history(&events).unwrap();
    let answered: Vec<_> = history.runs.iter().map(|run| (run.0.0, run.2.is_some())).collect();
    assert_eq!(answered, [(0, true), (1, true), (2, true), (5, false)]);
    assert_eq!(history.next_run(), RunId(6));
    assert_eq!(history.notices.len(), 1, "a notice is said once");
    assert_eq!((history.ended, history.wall_ms), (None, 1234), "it went on after its end");
    assert_eq!(history.suite, Some(SuiteDigest("00ff".into())));
}

#[test]
fn a_history_refuses_contradictions() {
    let asked = |run, tests| Event::Asked { run: RunId(run), spec: spec(tests) };
    let suite = |digest: &str| Event::Suite { tests: 3, digest: SuiteDigest(digest.into()), unstable: 0 };
    let cases = [
        (vec![answer(0)], "run 0 is answered and was not asked for"),
        (vec![asked(0, 3), answer(0), answer(0)], "run 0 has two answers"),
        (vec![asked(0, 3), answer(0), asked(0, 3)], "run 0 is asked for after its answer"),
        (vec![asked(0, 2), answer(0)], "run 0: 2 tests were asked for, 3 are answered"),
        (vec![suite("a"), suite("b")], "two suites"),
        (vec![Event::Session(header())], "a second beginning"),
    ];
    for (events, why) in cases {
        let failure = history(&events).unwrap_err();
        assert!(failure.error.ends_with(why), "{failure:?}");
    }
    history(&[asked(0, 2), asked(0, 3), answer(0), suite("a"), suite("a")]).unwrap();
}

#[test]
fn a_session_goes_on_only_where_it_began() {
    let history = history(&events()).unwrap();
    let (now, suite) = (history.header.environment.clone(), SuiteDigest("00ff".into()));
    history.check_same(&now, &suite).unwrap();
    history.check_same(&Environment { jobs: 9, executor: "spawn".into(), ..now.clone() }, &suite).unwrap();
    let changed = [
        (Environment { python: "3.13.0".into(), ..now.clone() }, "python: 3.12.4 then, 3.13.0 now"),
        (Environment { pytest: "9.2.0".into(), ..now.clone() }, "pytest:"),
        (
            Environment { plugins: vec![("xdist".into(), "3.8".into())], ..now.clone() },
            "plugin xdist: missing then",
        ),
        (Environment { inifile: Some("tox.ini".into()), ..now.clone() }, "none then, tox.ini now"),
        (Environment { pytest_args: vec!["-k".into(), "a b".into()], ..now.clone() }, "-k 'a b' now"),
        (Environment { hash_seed: 1, ..now.clone() }, "PYTHONHASHSEED: 0 then, 1 now"),
        (Environment { launcher: vec!["uv".into(), "run".into()], ..now.clone() }, "uv run now"),
        (Environment { rootdir: "/x".into(), ..now.clone() }, "rootdir"),
        (Environment { directory: "/x".into(), ..now.clone() }, "directory"),
    ];
    for (environment, what) in changed {
        let failure = history.check_same(&environment, &suite).unwrap_err();
        assert_eq!(failure.code, ExitCode::Usage);
        assert!(failure.detail.as_ref().unwrap().contains(what), "{failure:?}");
    }
    let failure = history.check_same(&now, &SuiteDigest("01".into())).unwrap_err();
    assert_eq!(failure.detail.as_deref(), Some("the collected tests are not the same"));
}
