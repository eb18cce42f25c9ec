//! How busy the machine is, as Linux counts it; elsewhere nothing is known.

use fs_err as fs;

/// Time of all cores since the machine was started, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    idle: u64,
    all: u64,
}

/// Fewer ticks than these tell nothing: one is a hundredth of a second.
const FEW: u64 = 30;

impl Ticks {
    /// Now; `None` where there is no `/proc/stat`.
    pub fn now() -> Option<Self> {
        Self::read(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line holds the sums over all cores; waiting for a disk is idle time (proc_stat(5)).
    fn read(text: &str) -> Option<Self> {
        let fields: Vec<u64> =
            text.lines().next()?.split_ascii_whitespace().skip(1).map_while(|f| f.parse().ok()).collect();
        // Time of guests, from the ninth on, is part of the user's.
        let all = fields.iter().take(8).sum();
        Some(Self { idle: fields.get(3)? + fields.get(4)?, all })
    }

    /// Thousandths of the time since then in which cores were idle; `None` where that is not long ago.
    pub fn idle_since(self, then: Self) -> Option<u32> {
        let all = self.all.checked_sub(then.all).filter(|all| *all >= FEW)?;
        Some((self.idle.saturating_sub(then.idle) * 1000 / all) as u32)
    }
}

/// Thousandths of the memory that a new program could have; `None` where there is no `/proc/meminfo`.
pub fn free_memory() -> Option<u32> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let find = |name: &str| -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()?.parse().ok()
    };
    Some((find("MemAvailable:")? * 1000 / find("MemTotal:")?.max(1)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_a_share_of_all_time() {
        let then = Ticks::read("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 1 1 1\n").expect("a line");
        let now = Ticks::read("cpu  200 0 200 1300 300 0 0 0 90 0\n").expect("a line");
        assert_eq!(then.all, 1000);
        assert_eq!(now.idle_since(then), Some(800));
        assert_eq!(then.idle_since(then), None);
    }
}
