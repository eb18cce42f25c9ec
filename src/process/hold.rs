//! Holds a process at a point of its own choosing until it is let go.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use super::capture::{Keeper, fifo};

/// The near end of a FIFO from which a process reads one byte before it goes on. Dropped without a word, the process
/// reads the end of the file.
#[derive(Debug)]
pub struct Hold {
    /// Kept open, so that the byte waits in the FIFO for a process that has not come to read it.
    _reader: OwnedFd,
    keeper: Keeper,
}

impl Hold {
    /// Makes the FIFO, where there is none yet.
    ///
    /// # Errors
    /// As [`fifo`].
    pub fn at(path: &Path) -> io::Result<Self> {
        let (reader, keeper) = fifo(path)?;
        Ok(Self { _reader: reader, keeper })
    }

    /// Lets the process go, wherever it is by now. The FIFO must stay until it has read.
    ///
    /// # Errors
    /// The FIFO cannot be written to.
    pub fn let_go(&self) -> io::Result<()> {
        (&self.keeper.writer).write_all(b"\n")
    }
}
