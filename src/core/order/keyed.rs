//! The keyed hash of order-v1: the only place that knows a cipher or a digest.
//!
//! Both have a published specification, and nothing else of a library is used: no `shuffle`, no `random_range`,
//! no `seed_from_u64`, whose results have changed between releases.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A name, hashed: which of the 2^64 streams of a key is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stream(u64);

impl Stream {
    /// The first 8 bytes of SHA-256 of the name, least significant first.
    pub(super) fn of(name: &[u8]) -> Self {
        let digest = Sha256::digest(name);
        Self(digest[..8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// A pseudo-random function from names to numbers.
pub(super) struct Keyed(ChaCha8Rng);

impl Keyed {
    /// The function chosen by SHA-256 of a text.
    pub(super) fn by(text: &str) -> Self {
        Self(ChaCha8Rng::from_seed(Sha256::digest(text.as_bytes()).into()))
    }

    /// The first 8 bytes of the stream, least significant first.
    pub(super) fn number(&self, stream: Stream) -> u64 {
        // A generator that has not yet given anything moves to another stream without computing a block.
        let mut rng = self.0.clone();
        rng.set_stream(stream.0);
        rng.next_u64()
    }
}
