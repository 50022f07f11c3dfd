//! Which other subjects a subject was seen with, and when last.

use domain::feature::{PaymentFilter, Subject};

use super::history::Window;

/// Another subject in payments that ended, or began, in one way.
#[derive(Clone, Copy, Debug)]
struct Seen {
    filter: PaymentFilter,
    subject: Subject,
    key: u64,
    last_second: u64,
}

/// The others, by filter, kind and digest. Of each filter and kind a bounded number, the one that was seen longest ago
/// giving way: fresh attempts do not push out those whose payments were approved or declined.
#[derive(Debug, Default)]
pub(super) struct Others {
    seen: Vec<Seen>,
    /// No `last_second` is later.
    newest_second: u64,
}

impl Others {
    /// Notes that it was seen in a payment.
    pub(super) fn record(
        &mut self,
        filter: PaymentFilter,
        subject: Subject,
        key: u64,
        second: u64,
        max_distinct: usize,
    ) {
        self.newest_second = self.newest_second.max(second);
        let place = self.seen.binary_search_by_key(&(filter, subject, key), |seen| {
            (seen.filter, seen.subject, seen.key)
        });
        let mut index = match place {
            Ok(index) => {
                if let Some(seen) = self.seen.get_mut(index) {
                    seen.last_second = seen.last_second.max(second);
                }
                return;
            }
            Err(index) => index,
        };
        let kind = self.kind(filter, subject);
        if kind.len() >= max_distinct {
            let stalest = kind.min_by_key(|at| self.seen.get(*at).map(|seen| seen.last_second));
            if let Some(stalest) = stalest {
                self.seen.remove(stalest);
                index -= usize::from(stalest < index);
            }
        }
        if self.seen.len() == self.seen.capacity() {
            // Most subjects are seen with a handful of others and never again.
            self.seen.reserve_exact(self.seen.len().max(4) / 2);
        }
        let seen = Seen {
            filter,
            subject,
            key,
            last_second: second,
        };
        self.seen.insert(index, seen);
    }

    /// Forgets those that were seen later than a second.
    pub(super) fn forget_after(&mut self, second: u64) {
        if self.newest_second > second {
            self.seen.retain(|seen| seen.last_second <= second);
            self.newest_second = second;
        }
    }

    /// How many of a kind were seen in the window.
    pub(super) fn count(&self, window: Window, subject: Subject) -> u64 {
        let kind = self.seen.get(self.kind(window.filter, subject));
        let in_window = |seen: &&Seen| seen.last_second >= window.from_second;
        kind.unwrap_or_default().iter().filter(in_window).count() as u64
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.seen.capacity() * size_of::<Seen>()
    }

    fn kind(&self, filter: PaymentFilter, subject: Subject) -> std::ops::Range<usize> {
        let kind = (filter, subject);
        let start = self
            .seen
            .partition_point(|seen| (seen.filter, seen.subject) < kind);
        let end = self
            .seen
            .partition_point(|seen| (seen.filter, seen.subject) <= kind);
        start..end
    }
}
