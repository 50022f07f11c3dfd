//! The past of one subject.

use domain::Currency;
use domain::feature::{PaymentFilter, Subject};
use domain::risk::RiskRequest;

use super::others::Others;
use super::series::Series;
use super::{Subjects, When, second_of};

/// How far behind an attempt others may lie and still be believed: more than payments that are decided at the same time
/// or the clocks of a cluster differ, and so little that a clock that was set back does not leave much to forget.
const MAX_AHEAD_SECONDS: u64 = 300;

/// One payment as it is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    pub(super) second: u64,
    pub(super) filter: PaymentFilter,
    pub(super) currency: Currency,
    pub(super) minor_units: i64,
    /// All subjects of the payment, the one whose past it is among them.
    pub(super) subjects: Subjects,
}

impl Occurrence {
    pub(super) fn of(request: &RiskRequest<'_>, filter: PaymentFilter, subjects: &Subjects) -> Self {
        let amount = request.details.amount;
        Self {
            second: second_of(request),
            filter,
            currency: amount.currency(),
            minor_units: amount.minor_units(),
            subjects: *subjects,
        }
    }
}

/// What of the past is asked for: everything from a second on, later payments than the asking one included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from_second: u64,
    pub(super) filter: PaymentFilter,
}

/// The payments of one subject, by currency, and the other subjects that it was seen with.
#[derive(Debug, Default)]
pub(super) struct History {
    by_currency: Vec<(Currency, Series)>,
    others: Others,
}

impl History {
    /// Counts an attempt. Where its time is now, what lies far behind it was counted under a clock that was wrong.
    pub(super) fn record_attempt(
        &mut self,
        own: u64,
        occurrence: &Occurrence,
        max_distinct: usize,
        when: When,
    ) {
        if when == When::Now {
            let latest = occurrence.second.saturating_add(MAX_AHEAD_SECONDS);
            for (_, series) in &mut self.by_currency {
                series.forget_after(latest);
            }
            self.others.forget_after(latest);
        }
        self.record(own, occurrence, max_distinct);
    }

    /// Notes the others of an attempt that was counted before, when some of them were not there.
    pub(super) fn record_meeting(&mut self, own: u64, occurrence: &Occurrence, max_distinct: usize) {
        for (subject, key) in other_subjects(own, occurrence) {
            self.others
                .record(occurrence.filter, subject, key, occurrence.second, max_distinct);
        }
    }

    /// Counts the end of a payment under the time at which it began, which may be long ago.
    pub(super) fn record_settlement(&mut self, own: u64, occurrence: &Occurrence, max_distinct: usize) {
        self.record(own, occurrence, max_distinct);
    }

    fn record(&mut self, own: u64, occurrence: &Occurrence, max_distinct: usize) {
        self.series(occurrence.currency)
            .record(occurrence.second, occurrence.filter, occurrence.minor_units);
        self.record_meeting(own, occurrence, max_distinct);
    }

    pub(super) fn count(&self, window: Window) -> u64 {
        self.by_currency
            .iter()
            .map(|(_, series)| series.count(window))
            .sum()
    }

    pub(super) fn amount(&self, window: Window, currency: Currency) -> i64 {
        self.by_currency
            .iter()
            .find(|(known, _)| *known == currency)
            .map_or(0, |(_, series)| series.amount(window))
    }

    pub(super) fn distinct(&self, window: Window, other: Subject) -> u64 {
        self.others.count(window, other)
    }

    pub(super) fn newest_second(&self) -> u64 {
        self.by_currency
            .iter()
            .map(|(_, series)| series.newest_second())
            .max()
            .unwrap_or(0)
    }

    /// What it takes, this struct included.
    pub(super) fn bytes(&self) -> usize {
        let series: usize = self
            .by_currency
            .iter()
            .map(|(_, series)| series.heap_bytes())
            .sum();
        size_of::<Self>()
            + self.by_currency.capacity() * size_of::<(Currency, Series)>()
            + series
            + self.others.heap_bytes()
    }

    /// At most one per currency of ISO 4217.
    fn series(&mut self, currency: Currency) -> &mut Series {
        let index = match self.by_currency.iter().position(|(known, _)| *known == currency) {
            Some(index) => index,
            None => {
                // Nearly every subject pays in one currency: room for exactly one more.
                self.by_currency.reserve_exact(1);
                self.by_currency.push((currency, Series::default()));
                self.by_currency.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
        &mut self.by_currency[index].1
    }
}

fn other_subjects(own: u64, occurrence: &Occurrence) -> impl Iterator<Item = (Subject, u64)> + '_ {
    let subjects = Subject::ALL.into_iter().zip(&occurrence.subjects);
    subjects
        .filter_map(|(subject, key)| key.map(|key| (subject, key)))
        .filter(move |(_, key)| *key != own)
}
