//! Which payments were observed and settled already, and with which subjects, bounded.

use std::collections::VecDeque;

use domain::feature::Subject;

use super::digests::ByDigest;

/// How many subjects are remembered per payment, the latest: all of one request, and some of earlier ones that named
/// the same payment. Whoever names more of them is counted again with those that were forgotten, never less.
const MAX_SUBJECTS: usize = 2 * Subject::ALL.len();

/// The latest payments by the digest of their merchant and name. Two of half a million have the same one at odds of 1 to
/// 10⁸, and then what they have in common is counted once.
#[derive(Debug)]
pub(super) struct RecentPayments {
    payments: ByDigest<Recent>,
    arrivals: VecDeque<u64>,
    max_payments: usize,
}

#[derive(Debug, Default)]
struct Recent {
    /// Half of each subject's digest, the latest first; 0 is none. Two of a payment's subjects that are different look
    /// the same at odds of 1 to 10⁸, and nobody knows which.
    counted: [u32; MAX_SUBJECTS],
    settled: bool,
}

impl RecentPayments {
    pub(super) fn new(max_payments: usize) -> Self {
        Self {
            payments: ByDigest::default(),
            arrivals: VecDeque::new(),
            max_payments: max_payments.max(1),
        }
    }

    /// Which of the subjects were not yet counted with the payment. From now on they are.
    pub(super) fn observe(&mut self, payment: u64, subjects: &super::Subjects) -> super::Subjects {
        let known = self.payments.len();
        let recent = self.payments.entry(payment).or_default();
        let new = subjects.map(|subject| subject.filter(|key| recent.count(*key)));
        if self.payments.len() > known {
            self.arrivals.push_back(payment);
            if self.arrivals.len() > self.max_payments
                && let Some(oldest) = self.arrivals.pop_front()
            {
                self.payments.remove(&oldest);
            }
        }
        new
    }

    /// Whether the payment was observed, and not settled before.
    pub(super) fn settle(&mut self, payment: u64) -> bool {
        self.payments
            .get_mut(&payment)
            .is_some_and(|recent| !std::mem::replace(&mut recent.settled, true))
    }
}

impl Recent {
    /// Whether the subject is new. It is the latest one afterwards.
    fn count(&mut self, subject: u64) -> bool {
        let mark = ((subject >> 32) as u32).max(1);
        let known = self.counted.iter().position(|counted| *counted == mark);
        let last = known.unwrap_or(MAX_SUBJECTS - 1);
        if let Some(latest) = self.counted.get_mut(..=last) {
            latest.rotate_right(1);
        }
        if let Some(first) = self.counted.first_mut() {
            *first = mark;
        }
        known.is_none()
    }
}
