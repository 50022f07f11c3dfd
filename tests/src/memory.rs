//! What a process has in its memory, as a dump of it would show.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// The size of a page in bytes.
const PAGE: u64 = 4096;

/// Looked at in one piece, so that a reservation of terabytes of which nothing is used takes no time: the pages that a piece of the
/// table of pages tells of.
const PAGES_AT_ONCE: u64 = 1 << 18;

/// Bits of an entry of the table of pages: in memory, swapped out.
const IS_THERE: u64 = 0b11 << 62;

/// Where one of the texts lies in what the process can write: its heap, its stacks, whatever it mapped. What it can only read is its
/// program.
///
/// # Panics
/// When its memory may not be read: the process is another user's, or not dumpable.
#[must_use]
pub fn find(process: u32, texts: &[&str]) -> Vec<String> {
    let open = |name: &str| {
        let path = format!("/proc/{process}/{name}");
        File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let (memory, pages) = (open("mem"), open("pagemap"));
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("a map of its memory");
    let mut found = Vec::new();
    let mut looked_at = 0;
    for map in maps.lines() {
        let Some((from, to)) = writable(map) else { continue };
        let mut at = from / PAGE;
        while at < to / PAGE {
            let count = PAGES_AT_ONCE.min(to / PAGE - at);
            for (first, length) in runs(&pages, at, count) {
                let mut bytes = vec![0; usize::try_from(length * PAGE).expect("it fits")];
                // What has just been unmapped is no more there to be looked at.
                if memory.read_exact_at(&mut bytes, first * PAGE).is_ok() {
                    looked_at += length;
                    found.extend(hits(&bytes, texts).map(|text| format!("{text} in {map}")));
                }
            }
            at += count;
        }
    }
    assert!(looked_at > 0, "nothing of process {process} was seen");
    found
}

/// First and last address of a mapping that can be read and written.
fn writable(map: &str) -> Option<(u64, u64)> {
    let mut words = map.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let address = |text: &str| u64::from_str_radix(text, 16).ok();
    let allowed = words.next()?;
    (allowed.starts_with("rw")).then_some((address(from)?, address(to)?))
}

/// Runs of pages that are there: the first one and how many.
fn runs(pages: &File, at: u64, count: u64) -> Vec<(u64, u64)> {
    const ENTRY: u64 = 8;
    let mut table = vec![0; usize::try_from(count * ENTRY).expect("it fits")];
    pages
        .read_exact_at(&mut table, at * ENTRY)
        .expect("the table of pages");
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for (index, entry) in (at..).zip(table.as_chunks().0) {
        if u64::from_ne_bytes(*entry) & IS_THERE == 0 {
            continue;
        }
        match runs.last_mut() {
            Some((first, length)) if *first + *length == index => *length += 1,
            _ => runs.push((index, 1)),
        }
    }
    runs
}

/// Those of the texts that are in there.
pub fn hits<'t>(bytes: &[u8], texts: &[&'t str]) -> impl Iterator<Item = &'t str> {
    let has = |text: &&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    texts.iter().copied().filter(has).collect::<Vec<_>>().into_iter()
}
