//! What the simulator was asked, bounded.

use std::collections::{HashMap, VecDeque};

use application::ports::AuthorizationRequest;
use domain::payment::DeclineCode;
use domain::{MerchantId, Money, OperationId};

/// How a charge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The amount is reserved.
    Approved,
    /// It is not.
    Declined(DeclineCode),
}

/// An operation that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Who is paid.
    pub merchant_id: MerchantId,
    /// How much.
    pub amount: Money,
    /// How it ended.
    pub outcome: ChargeOutcome,
}

/// Every operation that arrived, up to a bound; the oldest is forgotten first.
#[derive(Debug)]
pub(super) struct Ledger {
    charges: HashMap<OperationId, Charge>,
    arrivals: VecDeque<OperationId>,
    max_operations: usize,
}

impl Ledger {
    pub(super) fn new(max_operations: usize) -> Self {
        Self {
            charges: HashMap::new(),
            arrivals: VecDeque::new(),
            max_operations: max_operations.max(1),
        }
    }

    /// Charges an operation that is new with the outcome given; one that is known keeps the outcome it has.
    pub(super) fn charge(
        &mut self,
        request: &AuthorizationRequest<'_>,
        outcome: ChargeOutcome,
    ) -> ChargeOutcome {
        if let Some(known) = self.charges.get(request.operation_id) {
            return known.outcome;
        }
        if self.arrivals.len() == self.max_operations
            && let Some(oldest) = self.arrivals.pop_front()
        {
            self.charges.remove(&oldest);
        }
        self.arrivals.push_back(request.operation_id.clone());
        let charge = Charge {
            merchant_id: request.merchant_id.clone(),
            amount: request.amount,
            outcome,
        };
        self.charges.insert(request.operation_id.clone(), charge);
        outcome
    }

    pub(super) fn find(&self, operation: &OperationId) -> Option<&Charge> {
        self.charges.get(operation)
    }

    pub(super) fn len(&self) -> usize {
        self.charges.len()
    }
}
