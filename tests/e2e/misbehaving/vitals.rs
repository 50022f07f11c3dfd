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

/// How many threads of this process have the name that its runtime gives to those that serve.
pub(super) fn worker_threads(process: u32) -> usize {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("the gateway's threads");
    threads
        .filter_map(Result::ok)
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
        .filter(|name| name.trim_end() == "tokio-rt-worker")
        .count()
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
