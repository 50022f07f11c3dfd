//! How much memory a process takes, as the kernel counts it.

use std::fs;

/// Bytes of memory of a process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Footprint {
    /// Pages that are in memory, those of files that others map too among them.
    pub resident: u64,
    /// The same, of each page that several processes share its share.
    pub proportional: u64,
    /// Pages that nobody else has.
    pub private: u64,
    /// Pages that are of no file: heap, stacks, machine code, memories of guests. What the kernel cannot drop and read again.
    pub anonymous: u64,
}

impl Footprint {
    /// What a process takes now.
    ///
    /// # Panics
    /// When the kernel does not tell.
    #[must_use]
    pub fn of(process: u32) -> Self {
        let path = format!("/proc/{process}/smaps_rollup");
        let rollup = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let bytes = |name| bytes(&rollup, name).unwrap_or_else(|| panic!("no {name} in {path}"));
        Self {
            resident: bytes("Rss:"),
            proportional: bytes("Pss:"),
            private: bytes("Private_Clean:") + bytes("Private_Dirty:"),
            anonymous: bytes("Anonymous:"),
        }
    }

    /// Of each kind of memory the middle one, the lower of two.
    #[must_use]
    pub fn median(of: &[Self]) -> Self {
        let middle = |kind: fn(&Self) -> u64| {
            let mut values: Vec<u64> = of.iter().map(kind).collect();
            values.sort_unstable();
            let middle = values.len().saturating_sub(1) / 2;
            values.get(middle).copied().unwrap_or_default()
        };
        Self {
            resident: middle(|memory| memory.resident),
            proportional: middle(|memory| memory.proportional),
            private: middle(|memory| memory.private),
            anonymous: middle(|memory| memory.anonymous),
        }
    }
}

/// What a process has in memory now, in bytes. Quicker than a whole [`Footprint`].
///
/// # Panics
/// When the kernel does not tell.
#[must_use]
pub fn resident(process: u32) -> u64 {
    of_status(process, "VmRSS:")
}

/// The most that a process had in memory at any time, in bytes.
///
/// # Panics
/// When the kernel does not tell.
#[must_use]
pub fn peak(process: u32) -> u64 {
    of_status(process, "VmHWM:")
}

fn of_status(process: u32, name: &str) -> u64 {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    bytes(&status, name).unwrap_or_else(|| panic!("no {name} in {path}"))
}

/// The value of a line such as `Rss:   1024 kB`.
fn bytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
