//! A part of the subjects, bounded in number and bytes.

use std::collections::VecDeque;

use domain::feature::MAX_WINDOW_SECONDS;

use super::When;
use super::digests::ByDigest;
use super::history::{History, Occurrence};

/// What the map and the queue take per subject, beside the history: keys, stamps and spare room.
const ENTRY_OVERHEAD_BYTES: usize = 64;

/// How many idle subjects a payment clears away on its way: more than it can add.
const MAX_EXPIRED_AT_ONCE: usize = 2;

/// The bounds of one shard.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardLimits {
    pub(super) max_subjects: usize,
    pub(super) max_bytes: usize,
    pub(super) max_distinct: usize,
}

#[derive(Debug)]
struct Entry {
    history: History,
    /// Of its latest place in the queue; earlier ones are void.
    stamp: u64,
}

/// Subjects by their digest, and the order in which they were seen last.
#[derive(Debug)]
pub(super) struct Shard {
    limits: ShardLimits,
    entries: ByDigest<Entry>,
    /// The stalest first. A subject that is seen again is put at the end; its old place stays until it comes up.
    queue: VecDeque<(u64, u64)>,
    next_stamp: u64,
    bytes: usize,
}

impl Shard {
    pub(super) fn new(limits: ShardLimits) -> Self {
        Self {
            limits,
            entries: ByDigest::default(),
            queue: VecDeque::new(),
            next_stamp: 0,
            bytes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts an attempt; makes the subject known where it is not. `now_second` tells what is idle.
    pub(super) fn record_attempt(
        &mut self,
        subject: u64,
        occurrence: &Occurrence,
        now_second: u64,
        when: When,
    ) {
        let stamp = self.next_stamp;
        self.next_stamp += 1;
        self.queue.push_back((subject, stamp));
        let entry = self.entries.entry(subject).or_insert_with(|| {
            let history = History::default();
            self.bytes += history.bytes() + ENTRY_OVERHEAD_BYTES;
            Entry { history, stamp }
        });
        entry.stamp = stamp;
        let before = entry.history.bytes();
        entry
            .history
            .record_attempt(subject, occurrence, self.limits.max_distinct, when);
        self.bytes = self.bytes + entry.history.bytes() - before;
        self.evict(now_second);
    }

    /// Notes others that a subject was seen with in a payment that was counted before.
    pub(super) fn record_meeting(&mut self, subject: u64, occurrence: &Occurrence) {
        self.amend(subject, |history, max_distinct| {
            history.record_meeting(subject, occurrence, max_distinct);
        });
    }

    /// Counts the end of a payment with a subject that is still known.
    pub(super) fn record_settlement(&mut self, subject: u64, occurrence: &Occurrence) {
        self.amend(subject, |history, max_distinct| {
            history.record_settlement(subject, occurrence, max_distinct);
        });
    }

    fn amend(&mut self, subject: u64, change: impl FnOnce(&mut History, usize)) {
        if let Some(entry) = self.entries.get_mut(&subject) {
            let before = entry.history.bytes();
            change(&mut entry.history, self.limits.max_distinct);
            self.bytes = self.bytes + entry.history.bytes() - before;
        }
    }

    /// The past of a subject, where it is known.
    pub(super) fn history(&self, key: u64) -> Option<&History> {
        self.entries.get(&key).map(|entry| &entry.history)
    }

    /// Forgets what is over the bounds, and some of what no window reaches any more. The subject that was just seen
    /// stays.
    fn evict(&mut self, now_second: u64) {
        let mut expired = 0;
        while self.queue.len() > 1
            && let Some(&(subject, stamp)) = self.queue.front()
        {
            let live = self.entries.get(&subject).filter(|entry| entry.stamp == stamp);
            if let Some(entry) = live {
                let over =
                    self.entries.len() > self.limits.max_subjects || self.bytes > self.limits.max_bytes;
                let idle = entry.history.newest_second() + u64::from(MAX_WINDOW_SECONDS) <= now_second;
                if !over && (!idle || expired == MAX_EXPIRED_AT_ONCE) {
                    break;
                }
                expired += usize::from(!over);
                self.bytes -= entry.history.bytes() + ENTRY_OVERHEAD_BYTES;
                self.entries.remove(&subject);
            }
            self.queue.pop_front();
        }
        // Void places behind a stale subject at the front: swept when they are more than the valid ones.
        if self.queue.len() > 2 * self.entries.len() + 16 {
            let entries = &self.entries;
            self.queue
                .retain(|(subject, stamp)| entries.get(subject).is_some_and(|entry| entry.stamp == *stamp));
        }
    }
}
