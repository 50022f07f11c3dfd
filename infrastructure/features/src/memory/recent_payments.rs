//! Which payments were observed and settled already, bounded.

use std::collections::{HashMap, VecDeque};

/// The latest payments by the digest of their name. Two of half a million have the same one at odds of 1 to 10⁸, and then
/// one of them is not counted.
#[derive(Debug)]
pub(super) struct RecentPayments {
    settled: HashMap<u64, bool>,
    arrivals: VecDeque<u64>,
    max_payments: usize,
}

impl RecentPayments {
    pub(super) fn new(max_payments: usize) -> Self {
        Self {
            settled: HashMap::new(),
            arrivals: VecDeque::new(),
            max_payments: max_payments.max(1),
        }
    }

    /// Whether the payment is new.
    pub(super) fn observe(&mut self, payment: u64) -> bool {
        if self.settled.contains_key(&payment) {
            return false;
        }
        if self.arrivals.len() == self.max_payments
            && let Some(oldest) = self.arrivals.pop_front()
        {
            self.settled.remove(&oldest);
        }
        self.settled.insert(payment, false);
        self.arrivals.push_back(payment);
        true
    }

    /// Whether the payment was observed, and not settled before.
    pub(super) fn settle(&mut self, payment: u64) -> bool {
        self.settled
            .get_mut(&payment)
            .is_some_and(|settled| !std::mem::replace(settled, true))
    }
}
