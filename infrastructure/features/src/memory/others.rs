//! Which other subjects a subject was seen with, and when last.

use domain::feature::{PaymentFilter, Subject};

use super::history::Window;

/// Another subject. Moments are kept as the second after, so that 0 is never.
#[derive(Clone, Copy, Debug)]
struct Seen {
    subject: Subject,
    key: u64,
    last: [u64; 3],
}

impl Seen {
    fn raise(&mut self, filter: PaymentFilter, second: u64) {
        if let Some(last) = self.last.get_mut(filter as usize) {
            *last = (*last).max(second + 1);
        }
    }

    fn is_in(&self, window: Window) -> bool {
        let last = self.last.get(window.filter as usize);
        last.is_some_and(|last| *last > window.from_second)
    }

    fn last_attempt(&self) -> u64 {
        self.last.iter().copied().max().unwrap_or(0)
    }
}

/// The others, by kind and digest; of each kind a bounded number, the one that was seen longest ago giving way.
#[derive(Debug, Default)]
pub(super) struct Others(Vec<Seen>);

impl Others {
    /// Notes that it was seen in an attempted payment.
    pub(super) fn record(&mut self, subject: Subject, key: u64, second: u64, max_distinct: usize) {
        match self.find(subject, key) {
            Ok(index) => {
                if let Some(seen) = self.0.get_mut(index) {
                    seen.raise(PaymentFilter::Attempted, second);
                }
            }
            Err(mut index) => {
                let kind = self.kind(subject);
                if kind.len() >= max_distinct {
                    let stalest = kind.min_by_key(|at| self.0.get(*at).map(Seen::last_attempt));
                    if let Some(stalest) = stalest {
                        self.0.remove(stalest);
                        index -= usize::from(stalest < index);
                    }
                }
                let mut seen = Seen {
                    subject,
                    key,
                    last: [0; 3],
                };
                seen.raise(PaymentFilter::Attempted, second);
                if self.0.len() == self.0.capacity() {
                    // Most subjects are seen with a handful of others and never again.
                    self.0.reserve_exact(self.0.len().max(4) / 2);
                }
                self.0.insert(index, seen);
            }
        }
    }

    /// Notes the end of a payment with it, if it is still known.
    pub(super) fn settle(&mut self, subject: Subject, key: u64, second: u64, filter: PaymentFilter) {
        if let Ok(index) = self.find(subject, key)
            && let Some(seen) = self.0.get_mut(index)
        {
            seen.raise(filter, second);
        }
    }

    /// How many of a kind were seen in the window.
    pub(super) fn count(&self, window: Window, subject: Subject) -> u64 {
        let kind = self.0.get(self.kind(subject)).unwrap_or_default();
        kind.iter().filter(|seen| seen.is_in(window)).count() as u64
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Seen>()
    }

    fn find(&self, subject: Subject, key: u64) -> Result<usize, usize> {
        self.0
            .binary_search_by_key(&(subject, key), |seen| (seen.subject, seen.key))
    }

    fn kind(&self, subject: Subject) -> std::ops::Range<usize> {
        let start = self.0.partition_point(|seen| seen.subject < subject);
        let end = self.0.partition_point(|seen| seen.subject <= subject);
        start..end
    }
}
