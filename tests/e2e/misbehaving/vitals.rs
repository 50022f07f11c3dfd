//! What the system says of a process: its memory, its threads, its children.

use std::path::{Path, PathBuf};

/// How a process stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vitals {
    /// Memory that it holds, in bytes.
    pub(crate) resident_bytes: u64,
    pub(crate) threads: usize,
    pub(crate) children: usize,
}

impl Vitals {
    /// Those of this process.
    pub(crate) fn of(process: u32) -> Self {
        let folder = PathBuf::from(format!("/proc/{process}"));
        Self {
            resident_bytes: resident_bytes(&folder),
            threads: std::fs::read_dir(folder.join("task"))
                .expect("the gateway's threads")
                .count(),
            children: children(process),
        }
    }
}

/// The `Rss` of `smaps_rollup` would be exact, and walks every page; `statm` is kept up by the kernel.
fn resident_bytes(folder: &Path) -> u64 {
    /// Of every machine that these tests run on.
    const PAGE_BYTES: u64 = 4096;
    let statm = std::fs::read_to_string(folder.join("statm")).expect("the gateway's memory");
    let pages = statm.split_whitespace().nth(1).expect("a second number");
    pages.parse::<u64>().expect("a number of pages") * PAGE_BYTES
}

/// How many threads serve, as the gateway said when it was up: those for blocking calls have the same name in the system.
pub(super) fn worker_threads(log: &[String]) -> Option<u64> {
    let lines = log
        .iter()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut up = lines.filter(|line| line["message"] == "portcullis is up");
    up.next()?["worker_threads"].as_u64()
}

/// How many processes have this one for a parent.
fn children(process: u32) -> usize {
    let parent = process.to_string();
    let entries = std::fs::read_dir("/proc").expect("the system's processes");
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
        // The name is in parentheses and may hold anything; behind it come the state and the parent.
        .filter(|stat| {
            let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
            behind.split_whitespace().nth(1) == Some(&parent)
        })
        .count()
}
