//! A set of ordered pairs of tests, as bits.

use super::Share;
use crate::core::test_id::TestIdx;

const WORD: usize = u64::BITS as usize;

/// A set of tests.
pub(super) struct Set {
    words: Vec<u64>,
}

impl Set {
    /// The empty set, of a suite with this many tests.
    pub(super) fn new(tests: usize) -> Self {
        Self { words: vec![0; tests.div_ceil(WORD)] }
    }

    pub(super) fn insert(&mut self, test: TestIdx) {
        self.words[test.at() / WORD] |= bit(test);
    }
}

/// Pairs (a, b) of different tests, for every b or for a sample of them.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    /// For each test b its row, where it has one.
    row_of: Vec<Option<u32>>,
    rows: usize,
    /// Bits of one row after the other: which a there are.
    words: Vec<u64>,
    /// Words of a row.
    width: usize,
    seen: u64,
}

impl Pairs {
    /// No pair yet. Rows are spread over the suite: one test out of each of so many equal stretches.
    pub(super) fn new(tests: usize, rows: usize) -> Self {
        let rows = rows.min(tests);
        let mut row_of = vec![None; tests];
        for row in 0..rows {
            let (from, to) = (row * tests / rows, (row + 1) * tests / rows);
            // Not always the same place of a stretch, which could go in step with the suite's modules.
            let place = (row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            row_of[from + place as usize % (to - from)] = Some(row as u32);
        }
        let width = tests.div_ceil(WORD);
        Self { row_of, rows, words: vec![0; rows * width], width, seen: 0 }
    }

    /// Adds (a, b).
    pub(super) fn insert(&mut self, a: TestIdx, b: TestIdx) {
        let Some(row) = self.row_of[b.at()] else { return };
        if a != b {
            let word = &mut self.words[row as usize * self.width + a.at() / WORD];
            self.seen += u64::from(*word & bit(a) == 0);
            *word |= bit(a);
        }
    }

    /// Adds (a, b) for every a of a set.
    pub(super) fn insert_all(&mut self, set: &Set, b: TestIdx) {
        let Some(row) = self.row_of[b.at()] else { return };
        let row = &mut self.words[row as usize * self.width..][..self.width];
        for (at, (word, add)) in row.iter_mut().zip(&set.words).enumerate() {
            let itself = if at == b.at() / WORD { bit(b) } else { 0 };
            let new = add & !*word & !itself;
            self.seen += u64::from(new.count_ones());
            *word |= new;
        }
    }

    /// Whether no pair is missing.
    pub(super) fn is_all(&self) -> bool {
        self.rows == self.row_of.len() && self.seen == self.of()
    }

    pub(super) fn share(&self) -> Share {
        let share = if self.of() == 0 { 1.0 } else { self.seen as f64 / self.of() as f64 };
        Share { share, exact: self.rows == self.row_of.len() }
    }

    fn of(&self) -> u64 {
        self.rows as u64 * (self.row_of.len() as u64).saturating_sub(1)
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.words[..]) + size_of_val(&self.row_of[..])
    }
}

fn bit(test: TestIdx) -> u64 {
    1 << (test.at() % WORD)
}
