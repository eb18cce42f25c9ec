//! Reads a stream that another process is still writing.

use std::io::{self, Read};
use std::path::PathBuf;

use fs_err as fs;

use super::event::Event;

/// The longest line that is kept, in bytes; the plugin's longest is about 100 KiB.
pub const LINE_LIMIT: usize = 1 << 20;
/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// Cuts bytes into lines and lines into events; keeps an incomplete last line for later.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
    /// The current line is over the limit: the rest of it is thrown away.
    skipping: bool,
}

impl Lines {
    /// Takes bytes as they come and gives the events that they complete.
    pub fn feed(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Event)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, more) = (&bytes[..end], &bytes[end + 1..]);
            bytes = more;
            if self.skipping || self.rest.len() + line.len() > LINE_LIMIT {
                each(Event::Damaged);
            } else if self.rest.is_empty() {
                read(line, each);
            } else {
                self.rest.extend_from_slice(line);
                read(&self.rest, each);
            }
            self.skipping = false;
            self.rest.clear();
        }
        if self.skipping || self.rest.len() + bytes.len() > LINE_LIMIT {
            self.skipping = true;
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }
}

/// Gives the event of one line; blank lines are nothing.
fn read(line: &[u8], each: &mut impl FnMut(Event)) {
    if !line.trim_ascii().is_empty() {
        each(serde_json::from_slice(line).unwrap_or(Event::Damaged));
    }
}

/// A stream that grows. It holds at most one line; what it has read is passed on and forgotten.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: Option<fs::File>,
    lines: Lines,
    begun: u64,
    finished: u64,
    running: Option<u64>,
    /// What copies of the process have begun.
    copied: u64,
}

impl Tail {
    /// The stream at this path, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            file: None,
            lines: Lines::default(),
            begun: 0,
            finished: 0,
            running: None,
            copied: 0,
        }
    }

    /// Reads what has been appended since the last time and gives each event; returns how many there were. Never
    /// waits: it reads up to the end that the file had when it was called. Call it once more after the process has
    /// ended; an incomplete last line is then lost, as it must be.
    pub fn poll(&mut self, mut each: impl FnMut(Event)) -> io::Result<u64> {
        let file = match &mut self.file {
            Some(file) => file,
            None => match fs::File::open(&self.path) {
                Ok(file) => self.file.insert(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(error) => return Err(error),
            },
        };
        let mut events = 0;
        let (begun, finished) = (&mut self.begun, &mut self.finished);
        let (running, copied) = (&mut self.running, &mut self.copied);
        let mut take = |event: Event| {
            match &event {
                Event::Start { n, .. } => {
                    *begun += 1;
                    *running = Some(*n);
                }
                // Each is one more thing that may hang; positions end where these begin.
                Event::Probing { .. } | Event::Trying { .. } | Event::Tried { .. } => {
                    *copied += 1;
                    *running = Some(u64::MAX - *copied);
                }
                Event::Probed(_) => *running = None,
                Event::Fin { n } | Event::Pass { n, .. } => {
                    *finished += 1;
                    *running = running.filter(|running| running != n);
                }
                _ => {}
            }
            events += 1;
            each(event);
        };
        let end = file.metadata()?.len();
        let mut chunk = vec![0; CHUNK];
        let mut at = io::Seek::stream_position(file)?;
        while at < end {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                break;
            }
            at += read as u64;
            self.lines.feed(&chunk[..read], &mut take);
        }
        Ok(events)
    }

    /// The position of the test that runs now: the one that has begun and has not ended.
    pub fn running(&self) -> Option<u64> {
        self.running
    }

    /// How many tests have begun.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// How many tests have ended; what [`conclude`](super::conclude) wants to know of the moment when a run is stopped.
    pub fn finished(&self) -> u64 {
        self.finished
    }

    /// How many bytes of an incomplete line have been read.
    pub fn incomplete(&self) -> usize {
        self.lines.rest.len()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::core::run::Probed;

    fn append(path: &std::path::Path, bytes: &[u8]) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(path).expect("open");
        file.write_all(bytes).expect("write");
    }

    fn polled(tail: &mut Tail) -> Vec<Event> {
        let mut events = Vec::new();
        tail.poll(|event| events.push(event)).expect("poll");
        events
    }

    #[test]
    fn a_growing_file_is_followed() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("stream.jsonl");
        let mut tail = Tail::new(&path);
        assert_eq!(polled(&mut tail), []);
        append(&path, b"{\"event\": \"start\", \"i\": 7, \"n\": 0}\n{\"event\": \"f");
        assert_eq!(polled(&mut tail), [Event::Start { i: 7, n: 0 }]);
        assert_eq!((tail.running(), tail.finished(), tail.incomplete()), (Some(0), 0, 12));
        assert_eq!(polled(&mut tail), []);
        append(&path, b"in\", \"n\": 0}\n\n");
        assert_eq!(polled(&mut tail), [Event::Fin { n: 0 }]);
        assert_eq!((tail.running(), tail.begun(), tail.finished(), tail.incomplete()), (None, 1, 1, 0));
        append(&path, b"{\"event\": \"start\", \"i\": 1, \"n\": 1}\n{\"event\": \"pass\", \"n\": 1, \"seconds\": 0.5}\n");
        assert_eq!(polled(&mut tail).len(), 2);
        assert_eq!((tail.running(), tail.finished()), (None, 2));
        append(&path, b"{\"event\": \"probing\", \"n\": 2}\n");
        assert_eq!(polled(&mut tail), [Event::Probing { n: 2 }]);
        assert!(tail.running().is_some_and(|n| n > 2), "a copy may hang like a test");
        append(&path, b"{\"event\": \"probed\", \"n\": 2, \"failed\": true}\n");
        assert_eq!(polled(&mut tail), [Event::Probed(Probed { n: 2, failed: true })]);
        assert_eq!((tail.running(), tail.finished()), (None, 2));
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let mut lines = Lines::default();
        let mut events = Vec::new();
        for _ in 0..64 {
            lines.feed(&[b'x'; CHUNK], &mut |event| events.push(event));
            assert!(lines.rest.len() <= LINE_LIMIT);
        }
        lines
            .feed(b"\n{\"event\": \"fin\", \"n\": 3}\nnonsense\n\xff\xfe\n", &mut |event| events.push(event));
        assert_eq!(events, [Event::Damaged, Event::Fin { n: 3 }, Event::Damaged, Event::Damaged]);
    }
}
