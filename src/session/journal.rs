//! The journal: what was asked and what was answered, one checksummed line an event, only ever appended to.
//!
//! ```text
//! {"sum":"8 hex digits","event":{"event":"answered",...}}
//! ```
//!
//! `sum` is the start of blake3 over the bytes of the event's JSON text, so a line proves itself. What is read back
//! is always the longest valid prefix: a line counts with its line feed, and the first one that does not hold ends
//! the journal.
//!
//! # What is lost when
//! Every event is one `write` to the kernel, so a driver that is killed at any moment loses at most the event it was
//! writing. A power cut can take what the kernel had not yet written: the header, the suite and every ending are
//! synced before `append` returns, answers in groups of [`ANSWERS_PER_SYNC`], so at most that many runs are asked
//! again. (On an ext4 virtual disk an append of 5 kB took 2 us and a sync 0.3 ms; rotating disks need 10 ms and
//! more, which a forked run of 5 ms should not pay each time.)

use std::io::{self, Write};
use std::path::Path;

use fs_err as fs;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{Event, Header};
use super::files;
use crate::error::Failure;

/// The version of the format that is written here.
pub const FORMAT: u32 = 1;

/// How many answers may wait for a sync together; what a power cut can take.
pub const ANSWERS_PER_SYNC: u32 = 16;

/// What a journal is written to.
pub trait Sink: Write {
    /// Returns once everything written so far would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for fs::File {
    fn sync(&mut self) -> io::Result<()> {
        // The length of a file belongs to its data; times do not matter here.
        self.sync_data()
    }
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal<S: Sink = fs::File> {
    sink: S,
    unsynced: u32,
    broken: bool,
}

impl Journal {
    /// Begins a journal at a path where nothing is yet. The header's `format` is set to [`FORMAT`].
    pub fn create(path: &Path, header: &Header) -> Result<Self, Failure> {
        let file = files::open_private(path, true, true)
            .map_err(|error| Failure::io("create the journal", &error))?;
        let journal = Self::begin(file, header)?;
        if let Some(folder) = path.parent() {
            files::sync_folder(folder).map_err(|error| Failure::io("create the journal", &error))?;
        }
        Ok(journal)
    }

    /// Continues a journal. What follows its valid prefix is cut off; a journal in a newer format is refused.
    pub fn open_append(path: &Path) -> Result<(Self, Read), Failure> {
        let read = read(path)?;
        if read.newer_format {
            let by = &read.header().flakehunt;
            return Err(Failure::output(format!(
                "this session was written by flakehunt {by}, which knows more"
            ))
            .hint(format!("continue it with flakehunt {by} or newer; `flakehunt report` can show it")));
        }
        let file = files::open_private(path, false, true)
            .map_err(|error| Failure::io("open the journal", &error))?;
        if read.torn {
            // Not synced: a power cut before the next sync can bring the torn end back, which is cut off again.
            file.set_len(read.valid_bytes).map_err(|error| Failure::io("repair the journal", &error))?;
        }
        Ok((Self { sink: file, unsynced: 0, broken: false }, read))
    }
}

impl<S: Sink> Journal<S> {
    /// Begins a journal in an empty sink.
    pub fn begin(sink: S, header: &Header) -> Result<Self, Failure> {
        let mut journal = Self { sink, unsynced: 0, broken: false };
        journal.append(&Event::Session(Header { format: FORMAT, ..header.clone() }))?;
        Ok(journal)
    }

    /// Appends an event: one write, synced where losing it would hurt (see the module).
    ///
    /// After an error the end of the file is unknown and every further event is refused; the events before stand.
    pub fn append(&mut self, event: &Event) -> Result<(), Failure> {
        if self.broken {
            return Err(Failure::output(
                "the journal could not be written before; nothing more is added to it",
            ));
        }
        let line = line(event)?;
        self.write(event, &line).map_err(|error| {
            self.broken = true;
            Failure::io("write the journal", &error)
        })
    }

    fn write(&mut self, event: &Event, line: &[u8]) -> io::Result<()> {
        self.sink.write_all(line)?;
        self.sink.flush()?;
        match event {
            Event::Session(_) | Event::Suite { .. } | Event::Ended { .. } => self.unsynced = ANSWERS_PER_SYNC,
            Event::Answered(_) => self.unsynced += 1,
            Event::Asked { .. } | Event::Jobs { .. } | Event::Notice { .. } => {}
        }
        if self.unsynced >= ANSWERS_PER_SYNC {
            self.sink.sync()?;
            self.unsynced = 0;
        }
        Ok(())
    }
}

/// What a journal holds.
#[derive(Debug)]
pub struct Read {
    /// The events; the first is always [`Event::Session`].
    pub events: Vec<Event>,
    /// How many bytes hold these events.
    pub valid_bytes: u64,
    /// How many bytes there are.
    pub total_bytes: u64,
    /// Something that is no valid line follows: the end was cut off, or damaged.
    pub torn: bool,
    /// A newer flakehunt wrote it: what is known of it is in `events`, and it must not be written to.
    pub newer_format: bool,
}

impl Read {
    /// Who asked for what, where.
    pub fn header(&self) -> &Header {
        match self.events.first() {
            Some(Event::Session(header)) => header,
            _ => unreachable!("`read` checks the first event"),
        }
    }
}

/// Reads a journal: the longest valid prefix. An error where it cannot be read at all or has no valid first line.
pub fn read(path: &Path) -> Result<Read, Failure> {
    let file = fs::File::open(path).map_err(|error| Failure::unreadable("the journal", &error))?;
    read_from(io::BufReader::new(file), &path.display().to_string())
}

/// Reads a journal from anywhere; `name` is what it is called in errors.
pub fn read_from(mut input: impl io::BufRead, name: &str) -> Result<Read, Failure> {
    let unreadable = |error: &io::Error| Failure::unreadable(name, error);
    let mut read =
        Read { events: Vec::new(), valid_bytes: 0, total_bytes: 0, torn: false, newer_format: false };
    let mut line = Vec::new();
    loop {
        line.clear();
        let bytes = input.read_until(b'\n', &mut line).map_err(|error| unreadable(&error))? as u64;
        read.total_bytes += bytes;
        if bytes == 0 {
            break;
        }
        let Some(text) = verified(&line) else {
            read.torn = true;
            // Only its length matters now.
            read.total_bytes += io::copy(&mut input, &mut io::sink()).map_err(|error| unreadable(&error))?;
            break;
        };
        match serde_json::from_str::<Event>(text.get()) {
            Ok(event) => {
                if let (true, Event::Session(header)) = (read.events.is_empty(), &event) {
                    read.newer_format = header.format > FORMAT;
                }
                read.events.push(event);
            }
            // The line is whole, so it was written like this: by someone who knows more than we do.
            Err(_) => read.newer_format = true,
        }
        read.valid_bytes += bytes;
    }
    match read.events.first() {
        Some(Event::Session(_)) => Ok(read),
        _ if read.newer_format => Err(Failure::output(format!("{name} was written by a newer flakehunt"))
            .hint("read it with that version, or start anew")),
        _ => Err(Failure::output(format!("{name} is not a journal: its first line is missing or damaged"))
            .hint("start anew; `flakehunt clean` removes old sessions")),
    }
}

/// The line of an event, with its line feed.
fn line(event: &Event) -> Result<Vec<u8>, Failure> {
    let text = serde_json::to_string(event)
        .map_err(|error| Failure::internal(format!("an event cannot be written as JSON: {error}")))?;
    Ok(format!("{{\"sum\":\"{}\",\"event\":{text}}}\n", sum(&text)).into_bytes())
}

/// The event's JSON text, where the line is whole and its sum holds.
fn verified(line: &[u8]) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Line<'a> {
        sum: &'a str,
        #[serde(borrow)]
        event: &'a RawValue,
    }
    let line: Line = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    (line.sum == sum(line.event.get())).then_some(line.event)
}

/// The first 8 hex digits of blake3 over a text.
fn sum(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..8].to_owned()
}
