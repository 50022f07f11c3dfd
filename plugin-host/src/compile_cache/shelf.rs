//! Which files there are, how large, and which was not used for longest.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::CompileCacheConfig;
use crate::node_state::files;

/// The most files: of every policy that a store may hold, and of those before them.
const MAX_FILES: usize = 8_192;

struct File {
    bytes: u64,
    /// Counts up with every use.
    used: u64,
}

/// What is known of the folder. It may be wrong where somebody deletes files; that costs no more than a look.
pub(super) struct Shelf {
    max_bytes: u64,
    max_files: usize,
    files: BTreeMap<String, File>,
    bytes: u64,
    uses: u64,
    held: BTreeSet<String>,
    problem: Option<String>,
}

impl Shelf {
    /// Reads the folder. What was written first counts as not used for longest.
    pub(super) fn read(folder: &Path, config: &CompileCacheConfig) -> Self {
        let mut shelf = Self {
            max_bytes: config.max_bytes,
            max_files: MAX_FILES,
            files: BTreeMap::new(),
            bytes: 0,
            uses: 0,
            held: BTreeSet::new(),
            problem: None,
        };
        let mut found = files::listed(folder);
        found.sort_unstable_by_key(|(_, _, metadata)| (metadata.mtime(), metadata.mtime_nsec()));
        for (name, _, metadata) in found {
            shelf.put(&name, metadata.len());
        }
        shelf
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn put(&mut self, name: &str, bytes: u64) {
        self.gone(name);
        self.uses += 1;
        self.bytes += bytes;
        let used = self.uses;
        self.files.insert(name.to_owned(), File { bytes, used });
    }

    pub(super) fn used(&mut self, name: &str) {
        self.uses += 1;
        if let Some(file) = self.files.get_mut(name) {
            file.used = self.uses;
        }
    }

    pub(super) fn gone(&mut self, name: &str) {
        if let Some(file) = self.files.remove(name) {
            self.bytes = self.bytes.saturating_sub(file.bytes);
        }
    }

    /// These files are needed again at the next start, and none of them makes room.
    pub(super) fn hold(&mut self, names: BTreeSet<String>) {
        self.held = names;
    }

    /// Which files must go so that one of so many bytes has room; none where those that may go are not enough.
    pub(super) fn make_room(&self, name: &str, bytes: u64) -> Option<Vec<String>> {
        let replaced = self.files.get(name);
        let mut sum = self
            .bytes
            .saturating_sub(replaced.map_or(0, |file| file.bytes))
            .saturating_add(bytes);
        let mut count = self.files.len() - usize::from(replaced.is_some()) + 1;
        let may_go = |other: &&String| *other != name && !self.held.contains(*other);
        let mut oldest: Vec<(&String, &File)> =
            self.files.iter().filter(|(other, _)| may_go(other)).collect();
        oldest.sort_unstable_by_key(|(_, file)| file.used);
        let mut oldest = oldest.into_iter();
        let mut make_way = Vec::new();
        while sum > self.max_bytes || count > self.max_files {
            let (name, file) = oldest.next()?;
            sum = sum.saturating_sub(file.bytes);
            count -= 1;
            make_way.push(name.clone());
        }
        Some(make_way)
    }

    /// Notes whether it can be written. Says whether that is news.
    pub(super) fn problem(&mut self, problem: Option<String>) -> bool {
        let is_news = self.problem != problem;
        self.problem = problem;
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(max_bytes: u64) -> Shelf {
        let nowhere = Path::new("/nonexistent");
        Shelf::read(
            nowhere,
            &CompileCacheConfig {
                enabled: true,
                max_bytes,
            },
        )
    }

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let mut shelf = shelf(100);
        for name in ["a", "b", "c"] {
            shelf.put(name, 30);
        }
        shelf.used("a");
        assert_eq!(shelf.make_room("d", 10), Some(vec![]));
        assert_eq!(shelf.make_room("d", 30), Some(vec!["b".to_owned()]));
        assert_eq!(
            shelf.make_room("d", 60),
            Some(vec!["b".to_owned(), "c".to_owned()])
        );
        assert_eq!(shelf.make_room("d", 101), None);
        assert_eq!(shelf.bytes(), 90);
    }

    #[test]
    fn what_is_in_use_makes_no_room() {
        let mut shelf = shelf(100);
        shelf.put("a", 50);
        shelf.put("b", 50);
        shelf.hold(BTreeSet::from(["a".to_owned()]));
        assert_eq!(shelf.make_room("c", 50), Some(vec!["b".to_owned()]));
        assert_eq!(shelf.make_room("c", 51), None);
        // One that takes its own place needs no other's.
        assert_eq!(shelf.make_room("a", 50), Some(vec![]));
    }

    #[test]
    fn the_number_of_files_is_bounded_too() {
        let mut shelf = shelf(100);
        shelf.max_files = 2;
        shelf.put("a", 1);
        shelf.put("b", 1);
        assert_eq!(shelf.make_room("c", 1), Some(vec!["a".to_owned()]));
    }
}
