//! Output of children: copied by a thread of its own from a pipe into a file, or into memory, that cannot grow
//! beyond its cap. What does not fit is left out in the middle, and counted.

use fs_err::os::unix::fs::OpenOptionsExt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use fs_err as fs;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use tokio::sync::oneshot;

/// How much of the output of one run is kept, in bytes.
pub const DEFAULT_CAP: u64 = 8 << 20;

const CHUNK: usize = 64 << 10;

/// A pipe of this size spares a flooding child most of its waiting for us.
#[cfg(target_os = "linux")]
const PIPE_SIZE: nix::libc::c_int = 1 << 20;

/// How much is still read from a pipe that somebody holds open, once we stop reading: what a pipe can hold.
const LAST_DRAIN: usize = 1 << 20;

/// Where output goes. `cap` is in bytes; seven eighths of it are for the beginning, the rest for the end, and a
/// line between them, on top, says how many bytes were left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// A file, made anew, readable by its owner only. The end is held in memory until the output ends.
    File {
        /// Its path.
        path: PathBuf,
        /// Bytes to keep.
        cap: u64,
    },
    /// [`Copied::captured`].
    Capture {
        /// Bytes to keep.
        cap: u64,
    },
}

/// What became of a child's output.
#[derive(Debug, Default)]
pub struct Copied {
    /// How much it wrote, in bytes.
    pub bytes: u64,
    /// How much of that was left out.
    pub left_out: u64,
    /// The output itself, for [`Sink::Capture`].
    pub captured: Vec<u8>,
    /// Why the file is not whole. The child was read to its end nonetheless.
    pub error: Option<io::Error>,
}

/// A running copy.
#[derive(Debug)]
pub struct Copier {
    /// Closing it tells the thread to take what is there and end.
    stop: io::PipeWriter,
    keeper: Option<Keeper>,
    done: oneshot::Receiver<Copied>,
    copied: Option<Copied>,
}

impl Copier {
    /// Copies from a pipe until its end or until [`Copier::finish`].
    ///
    /// # Errors
    /// The file cannot be made, or there are no descriptors or threads left.
    pub fn start(from: OwnedFd, to: Sink) -> io::Result<Self> {
        let capped: Capped<Target> = match to {
            Sink::File { path, cap } => Capped::new(Target::File(create(&path)?), cap),
            Sink::Capture { cap } => Capped::new(Target::Memory(Vec::new()), cap),
        };
        let (stopped, stop) = io::pipe()?;
        let (tell, done) = oneshot::channel();
        #[cfg(target_os = "linux")]
        let _ = nix::fcntl::fcntl(&from, nix::fcntl::FcntlArg::F_SETPIPE_SZ(PIPE_SIZE));
        std::thread::Builder::new().name("output".to_owned()).spawn(move || {
            let copied = copy(File::from(from), &stopped, capped);
            // Nobody listens where the supervising future was dropped.
            let _ = tell.send(copied);
        })?;
        Ok(Self { stop, keeper: None, done, copied: None })
    }

    /// Copies from a FIFO at `path`; see [`fifo`].
    ///
    /// # Errors
    /// As [`Copier::start`]; also where the file system has no FIFOs, or something else is at `path`.
    pub fn from_fifo(path: &Path, to: Sink) -> io::Result<Self> {
        let (reader, keeper) = fifo(path)?;
        Ok(Self { keeper: Some(keeper), ..Self::start(reader, to)? })
    }

    /// From now on the input ends when the last process that writes to it closes it. Needed before
    /// [`Copier::end_of_input`] where the input is a FIFO; no process may open it afterwards.
    pub fn no_more_writers(&mut self) {
        self.keeper = None;
    }

    /// Waits for the end of the input. May be dropped and called again.
    pub async fn end_of_input(&mut self) {
        if self.copied.is_none() {
            self.copied = Some(received((&mut self.done).await));
        }
    }

    /// Takes what is in the pipe now, and ends.
    pub async fn finish(self) -> Copied {
        drop((self.stop, self.keeper));
        match self.copied {
            Some(copied) => copied,
            None => received(self.done.await),
        }
    }
}

fn received(answer: Result<Copied, oneshot::error::RecvError>) -> Copied {
    answer.unwrap_or_else(|_| Copied {
        error: Some(io::Error::other("the thread that copies output died")),
        ..Copied::default()
    })
}

/// Holds a FIFO open for writing, so that it does not end before its writer has come.
#[derive(Debug)]
pub struct Keeper {
    pub(super) writer: fs::File,
}

/// Makes a FIFO, where there is none yet, through which a process that is not our child writes to a capped file: a
/// forked child opens `path` for writing, exactly as it would open a log file, and a [`Copier`] reads. The descriptor
/// is for reading; the keeper must live until the writer is known to be gone or to have opened it.
///
/// # Errors
/// The file system has no FIFOs, or something else is at `path`.
pub fn fifo(path: &Path) -> io::Result<(OwnedFd, Keeper)> {
    match nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR) {
        Err(nix::errno::Errno::EEXIST) if fs::symlink_metadata(path)?.file_type().is_fifo() => {}
        made => made.map_err(|errno| {
            io::Error::new(io::Error::from(errno).kind(), format!("no FIFO at {}: {errno}", path.display()))
        })?,
    }
    // Opening for reading would wait for a writer.
    let reader = fs::OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    let writer = fs::OpenOptions::new().write(true).open(path)?;
    Ok((OwnedFd::from(reader.into_parts().0), Keeper { writer }))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    Ok(options.open(path)?.into_parts().0)
}

fn copy(mut from: File, stop: &io::PipeReader, mut to: Capped<Target>) -> Copied {
    let mut chunk = vec![0; CHUNK];
    let mut drain = None;
    loop {
        let left = drain.unwrap_or(CHUNK).min(CHUNK);
        if left == 0 || !ready(&from, stop, &mut drain) {
            break;
        }
        match from.read(&mut chunk[..left]) {
            Ok(0) => break,
            Ok(read) => {
                to.push(&chunk[..read]);
                drain = drain.map(|left| left.saturating_sub(read));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Err(error) => {
                to.error.get_or_insert(error);
                break;
            }
        }
    }
    to.finish()
}

/// Waits until there is something to read (or the end). From the moment we are told to stop, `drain` holds how
/// much may still be read, and nothing is waited for: false means that nothing is there.
fn ready(from: &File, stop: &io::PipeReader, drain: &mut Option<usize>) -> bool {
    loop {
        let mut fds =
            [PollFd::new(from.as_fd(), PollFlags::POLLIN), PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        let (fds, timeout) = match drain {
            None => (&mut fds[..], PollTimeout::NONE),
            Some(_) => (&mut fds[..1], PollTimeout::ZERO),
        };
        match poll(fds, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return false,
        }
        if fds[0].any() == Some(true) {
            if fds.get(1).and_then(PollFd::any) == Some(true) {
                *drain = Some(LAST_DRAIN);
            }
            return true;
        }
        if drain.is_some() {
            return false;
        }
        if fds[1].any() == Some(true) {
            *drain = Some(LAST_DRAIN);
        }
    }
}

enum Target {
    File(File),
    Memory(Vec<u8>),
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Memory(memory) => memory.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the beginning and the end of what is pushed.
struct Capped<W> {
    to: W,
    head_left: u64,
    /// A ring, once it is full.
    tail: Vec<u8>,
    tail_cap: usize,
    /// Where the next byte of a full ring goes, which is where its oldest byte is.
    oldest: usize,
    total: u64,
    left_out: u64,
    error: Option<io::Error>,
}

impl<W: Write> Capped<W> {
    fn new(to: W, cap: u64) -> Self {
        let tail = usize::try_from(cap / 8).unwrap_or(usize::MAX);
        Self {
            to,
            head_left: cap - cap / 8,
            tail: Vec::new(),
            tail_cap: tail,
            oldest: 0,
            total: 0,
            left_out: 0,
            error: None,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let fits = usize::try_from(self.head_left).unwrap_or(usize::MAX).min(bytes.len());
        let (head, rest) = bytes.split_at(fits);
        self.head_left -= fits as u64;
        self.write(head);
        self.keep(rest);
    }

    fn keep(&mut self, bytes: &[u8]) {
        // What is longer than the whole ring leaves only its own end.
        let (lost, bytes) = bytes.split_at(bytes.len().saturating_sub(self.tail_cap));
        self.left_out += lost.len() as u64;
        let (grow, over) = bytes.split_at((self.tail_cap - self.tail.len()).min(bytes.len()));
        self.tail.extend_from_slice(grow);
        self.left_out += over.len() as u64;
        let (end, start) = over.split_at((self.tail.len() - self.oldest).min(over.len()));
        self.tail[self.oldest..][..end.len()].copy_from_slice(end);
        self.tail[..start.len()].copy_from_slice(start);
        if !over.is_empty() {
            self.oldest = (self.oldest + over.len()) % self.tail_cap;
        }
    }

    /// After the first error nothing more is written, but everything is counted: the child must not be held up.
    fn write(&mut self, bytes: &[u8]) {
        if self.error.is_none()
            && let Err(error) = self.to.write_all(bytes)
        {
            self.error = Some(error);
        }
    }
}

impl Capped<Target> {
    fn finish(mut self) -> Copied {
        if self.left_out > 0 {
            let line = format!("\n[flakehunt: {} bytes left out]\n", self.left_out);
            self.write(line.as_bytes());
        }
        let tail = std::mem::take(&mut self.tail);
        let (newer, older) = tail.split_at(self.oldest);
        self.write(older);
        self.write(newer);
        let captured = match self.to {
            Target::File(_) => Vec::new(),
            Target::Memory(memory) => memory,
        };
        Copied { bytes: self.total, left_out: self.left_out, captured, error: self.error }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capped(cap: u64, pieces: &[Vec<u8>]) -> Copied {
        let mut capped = Capped::new(Target::Memory(Vec::new()), cap);
        for piece in pieces {
            capped.push(piece);
        }
        capped.finish()
    }

    proptest! {
        /// However the output is cut into pieces, the result is its beginning, the line, its end.
        #[test]
        fn beginning_and_end_are_kept(
            cap in 0_u64..80,
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        ) {
            let whole = pieces.concat();
            let copied = capped(cap, &pieces);
            prop_assert_eq!(copied.bytes, whole.len() as u64);
            let tail = (cap / 8) as usize;
            let head = cap as usize - tail;
            let expected = if whole.len() <= cap as usize {
                whole
            } else {
                let left_out = whole.len() - cap as usize;
                let line = format!("\n[flakehunt: {left_out} bytes left out]\n");
                [&whole[..head], line.as_bytes(), &whole[whole.len() - tail..]].concat()
            };
            prop_assert_eq!(copied.captured, expected);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_reported_and_the_rest_still_counted() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let mut capped = Capped::new(Target::File(full.into_parts().0), 100);
        capped.push(b"one");
        capped.push(b"two");
        let copied = capped.finish();
        assert_eq!(copied.bytes, 6);
        assert_eq!(copied.error.map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
    }
}
