//! What the simulator was asked, and what it did: bounded, and never more than what was authorized.

use std::collections::{HashMap, HashSet, VecDeque};

use domain::payment::{AcquirerReference, CardToken, DeclineCode, OperationKind};
use domain::{CardNumber, MerchantId, Money, OperationId};

/// How a charge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// It was done.
    Approved,
    /// It was not.
    Declined(DeclineCode),
    /// It was asked about before it came, and is refused for good.
    Closed,
}

/// An operation that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What was asked.
    pub kind: OperationKind,
    /// Who is paid.
    pub merchant_id: MerchantId,
    /// How much.
    pub amount: Money,
    /// The authorization that it is about, where it is none itself.
    pub authorization: Option<OperationId>,
    /// How it ended.
    pub outcome: ChargeOutcome,
}

/// Where an authorization stands, in minor units.
#[derive(Clone, Copy, Debug, Default)]
struct Hold {
    authorized: i64,
    captured: i64,
    released: i64,
    refunded: i64,
}

/// Every operation that arrived, up to a bound; the oldest is forgotten first.
#[derive(Debug)]
pub(super) struct Ledger {
    charges: HashMap<OperationId, Charge>,
    holds: HashMap<OperationId, Hold>,
    arrivals: VecDeque<OperationId>,
    /// Names that were asked about before anything came under them.
    closed: HashSet<OperationId>,
    cards: HashMap<CardToken, CardNumber>,
    tokens: VecDeque<CardToken>,
    max_operations: usize,
}

impl Ledger {
    pub(super) fn new(max_operations: usize) -> Self {
        Self {
            charges: HashMap::new(),
            holds: HashMap::new(),
            arrivals: VecDeque::new(),
            closed: HashSet::new(),
            cards: HashMap::new(),
            tokens: VecDeque::new(),
            max_operations: max_operations.max(1),
        }
    }

    /// Charges an operation that is new with the outcome given, unless its authorization does not allow it; one that is known
    /// keeps the outcome it has.
    pub(super) fn charge(&mut self, id: &OperationId, charge: Charge) -> ChargeOutcome {
        if let Some(known) = self.charges.get(id) {
            return known.outcome;
        }
        if self.closed.contains(id) {
            return ChargeOutcome::Closed;
        }
        let outcome = match charge.outcome {
            ChargeOutcome::Approved if !self.apply(id, &charge) => {
                ChargeOutcome::Declined(DeclineCode::NotPermitted)
            }
            outcome => outcome,
        };
        self.remember(id, Charge { outcome, ..charge });
        outcome
    }

    /// The outcome of an operation; one that never came is refused from now on.
    pub(super) fn inquire(&mut self, id: &OperationId) -> ChargeOutcome {
        match self.charges.get(id) {
            Some(known) => known.outcome,
            None => {
                self.closed.insert(id.clone());
                ChargeOutcome::Closed
            }
        }
    }

    /// Keeps a card under its name.
    pub(super) fn keep(&mut self, token: CardToken, card: CardNumber) {
        if self.cards.insert(token.clone(), card).is_none() {
            if self.tokens.len() == self.max_operations
                && let Some(oldest) = self.tokens.pop_front()
            {
                self.cards.remove(&oldest);
            }
            self.tokens.push_back(token);
        }
    }

    /// The card of a name.
    pub(super) fn kept(&self, token: &CardToken) -> Option<&CardNumber> {
        self.cards.get(token)
    }

    pub(super) fn find(&self, operation: &OperationId) -> Option<&Charge> {
        self.charges.get(operation)
    }

    pub(super) fn len(&self) -> usize {
        self.charges.len()
    }

    /// Moves the money, where the authorization has it.
    fn apply(&mut self, id: &OperationId, charge: &Charge) -> bool {
        let amount = charge.amount.minor_units();
        let Some(authorization) = &charge.authorization else {
            let hold = Hold {
                authorized: amount,
                ..Hold::default()
            };
            self.holds.insert(id.clone(), hold);
            return true;
        };
        let Some(hold) = self.holds.get_mut(authorization) else {
            return false;
        };
        let held = hold.authorized - hold.captured - hold.released;
        match charge.kind {
            OperationKind::Authorize => false,
            OperationKind::Capture if amount <= held => {
                hold.captured += amount;
                true
            }
            OperationKind::Void if held > 0 => {
                hold.released += held;
                true
            }
            OperationKind::Refund if amount <= hold.captured - hold.refunded => {
                hold.refunded += amount;
                true
            }
            _ => false,
        }
    }

    fn remember(&mut self, id: &OperationId, charge: Charge) {
        if self.arrivals.len() == self.max_operations
            && let Some(oldest) = self.arrivals.pop_front()
        {
            self.charges.remove(&oldest);
            self.holds.remove(&oldest);
        }
        self.arrivals.push_back(id.clone());
        self.charges.insert(id.clone(), charge);
    }
}

/// The operation that the simulator gave this reference.
pub(super) fn operation_of(reference: &AcquirerReference) -> Option<OperationId> {
    OperationId::parse(reference.as_str().strip_prefix("sim_")?).ok()
}
