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

impl Seen {
    /// Where it stands among the others.
    const fn place(&self) -> u128 {
        ((kind(self.filter, self.subject) as u128) << 64) | self.key as u128
    }
}

/// The others of one filter and kind stand together.
const fn kind(filter: PaymentFilter, subject: Subject) -> u8 {
    ((filter as u8) << 4) | subject as u8
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
        let seen = Seen {
            filter,
            subject,
            key,
            last_second: second,
        };
        let index = match self.seen.binary_search_by_key(&seen.place(), Seen::place) {
            Ok(index) => {
                if let Some(seen) = self.seen.get_mut(index) {
                    seen.last_second = seen.last_second.max(second);
                }
                return;
            }
            Err(index) => index,
        };
        // Whether a kind is full need not be asked where all of them are not that many.
        if self.seen.len() >= max_distinct {
            let kind = self.kind(filter, subject);
            let all = self.seen.get(kind.clone()).unwrap_or_default();
            let stalest = all.iter().enumerate().min_by_key(|(_, seen)| seen.last_second);
            if all.len() >= max_distinct
                && let Some((stalest, _)) = stalest
            {
                self.replace(kind.start + stalest, index, seen);
                return;
            }
        }
        if self.seen.len() == self.seen.capacity() {
            // Most subjects are seen with a handful of others and never again.
            self.seen.reserve_exact(self.seen.len().max(4) / 2);
        }
        self.seen.insert(index, seen);
    }

    /// Puts one in the place of another of its kind: only what lies between the two moves.
    fn replace(&mut self, gone: usize, index: usize, seen: Seen) {
        let (first, last) = if gone < index {
            (gone, index - 1)
        } else {
            (index, gone)
        };
        if let Some(between) = self.seen.get_mut(first..=last) {
            if gone < index {
                between.rotate_left(1);
            } else {
                between.rotate_right(1);
            }
        }
        let place = if gone < index { last } else { first };
        if let Some(place) = self.seen.get_mut(place) {
            *place = seen;
        }
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
        let first = u128::from(kind(filter, subject)) << 64;
        let last = first | u128::from(u64::MAX);
        let start = self.seen.partition_point(|seen| seen.place() < first);
        let end = self.seen.partition_point(|seen| seen.place() <= last);
        start..end
    }
}
