//! order-v1: seed, level and suite to an order. Specified in `docs/order-v1.md`; never changed.

use std::collections::HashMap;

use super::keyed::{Keyed, Stream};
use super::{Level, OrderName, Seed};
use crate::core::test_id::{CollectedTest, Suite, TestIdx};

/// Everything of a suite that its orders need, hashed once.
///
/// An order sorts by a pseudo-random number of each test's name, so a part of a suite keeps its relative order, a
/// new test moves nothing else, and neither collection order nor platform has a say.
#[derive(Clone, Debug)]
pub struct Shuffler {
    /// The streams of all names, ordered by the names' bytes: a name's place here breaks ties.
    streams: Vec<Stream>,
    /// Where each test of the suite stands, in collection order.
    places: Vec<Place>,
}

/// The names a test is ordered by, as places in [`Shuffler::streams`].
#[derive(Clone, Copy, Debug)]
struct Place {
    file: u32,
    class: u32,
    test: u32,
    in_class: bool,
}

/// What a name is sorted by: its number, then its bytes.
type Rank = (u64, u32);

impl Shuffler {
    /// Hashes the suite's names.
    pub fn new(suite: &Suite) -> Self {
        let mut names = Names::default();
        let mut places: Vec<Place> = suite
            .tests()
            .iter()
            .map(|test| Place {
                file: names.number(file_name(test)),
                class: names.number(class_name(test)),
                test: names.number(test_name(test)),
                in_class: !test.class.is_empty(),
            })
            .collect();
        let (streams, place_of) = names.sorted();
        for place in &mut places {
            for number in [&mut place.file, &mut place.class, &mut place.test] {
                *number = place_of[*number as usize];
            }
        }
        Self { streams, places }
    }

    /// The order of this seed at this level: every test of the suite once.
    pub fn order(&self, seed: Seed, level: Level) -> Vec<TestIdx> {
        let keyed = Keyed::by(&format!("flakehunt order-v1 {level} {seed}"));
        let ranks = self.ranks(&keyed, level);
        let rank = |name: u32| ranks[name as usize];
        match level {
            Level::Test => self.sorted_by(|place| rank(place.test)),
            Level::Class => self.sorted_by(|place| (rank(place.class), rank(place.test))),
            Level::Module => self.sorted_by(|place| {
                let unit = if place.in_class { place.class } else { place.test };
                (rank(place.file), rank(unit), rank(place.test))
            }),
        }
    }

    /// The order that a name stands for; `None` for names that stand for no order of their own.
    pub fn resolve(&self, name: &OrderName) -> Option<Vec<TestIdx>> {
        let all = 0..self.places.len() as u32;
        match name {
            OrderName::Collection => Some(all.map(TestIdx).collect()),
            OrderName::Reverse => Some(all.rev().map(TestIdx).collect()),
            OrderName::Seed { seed, level } => Some(self.order(*seed, *level)),
            OrderName::Given(_) | OrderName::Probe => None,
        }
    }

    /// The rank of every name the level sorts by; the others are left at zero.
    fn ranks(&self, keyed: &Keyed, level: Level) -> Vec<Rank> {
        let mut ranks = vec![(0, 0); self.streams.len()];
        let mut set = |name: u32| {
            let rank = &mut ranks[name as usize];
            // Places count from 1 in a rank, so that zero means "not yet".
            if rank.1 == 0 {
                *rank = (keyed.number(self.streams[name as usize]), name + 1);
            }
        };
        for place in &self.places {
            set(place.test);
            if level != Level::Test {
                set(place.class);
            }
            if level == Level::Module {
                set(place.file);
            }
        }
        ranks
    }

    fn sorted_by<K: Ord>(&self, key: impl Fn(&Place) -> K) -> Vec<TestIdx> {
        let mut keys: Vec<(K, u32)> = self.places.iter().map(key).zip(0..).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, test)| TestIdx(test)).collect()
    }
}

/// Names in the order in which they were met.
#[derive(Default)]
struct Names {
    number_of: HashMap<Vec<u8>, u32>,
}

impl Names {
    fn number(&mut self, name: Vec<u8>) -> u32 {
        let next = self.number_of.len() as u32;
        *self.number_of.entry(name).or_insert(next)
    }

    /// The streams in the order of the names' bytes, and for each number its place among them.
    fn sorted(self) -> (Vec<Stream>, Vec<u32>) {
        let mut names: Vec<(Vec<u8>, u32)> = self.number_of.into_iter().collect();
        names.sort_unstable();
        let mut place_of = vec![0; names.len()];
        for (place, (_, number)) in (0..).zip(&names) {
            place_of[*number as usize] = place;
        }
        (names.iter().map(|(name, _)| Stream::of(name)).collect(), place_of)
    }
}

fn file_name(test: &CollectedTest) -> Vec<u8> {
    ["file", &test.file].join("\0").into_bytes()
}

/// The functions of a file that stand outside of any class share the class without a name.
fn class_name(test: &CollectedTest) -> Vec<u8> {
    ["class", &test.file, &test.class].join("\0").into_bytes()
}

fn test_name(test: &CollectedTest) -> Vec<u8> {
    ["test", &test.id.node_id, &test.id.occurrence.to_string()].join("\0").into_bytes()
}
