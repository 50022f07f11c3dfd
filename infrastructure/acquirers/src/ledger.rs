//! What the simulator was asked, and what it did: bounded, and never more than what was authorized. In a process of its own
//! it has a [`journal`] beside it.

pub(crate) mod journal;

use std::collections::{HashMap, VecDeque};

use domain::payment::{AcquirerReference, CardToken, DeclineCode, OperationKind};
use domain::{MerchantId, Money, OperationId, PaymentId};

use crate::behaviour::Behaviour;

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
    /// The card's last digits, where it came with a card.
    pub card_last4: Option<String>,
    /// How it ended.
    pub outcome: ChargeOutcome,
}

/// A name that something came under, or that was closed before anything did.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The merchant who asked first.
    pub(crate) merchant_id: MerchantId,
    /// What was asked; none where the name was closed.
    pub(crate) charge: Option<Charge>,
    /// How often it was asked for, also after it was closed.
    pub(crate) asked: u64,
    /// How often it was inquired about.
    pub(crate) inquired: u64,
    hold: Hold,
}

impl Entry {
    pub(crate) fn outcome(&self) -> ChargeOutcome {
        self.charge
            .as_ref()
            .map_or(ChargeOutcome::Closed, |charge| charge.outcome)
    }
}

/// Where an authorization stands, in minor units.
#[derive(Clone, Copy, Debug, Default)]
struct Hold {
    authorized: i64,
    captured: i64,
    released: i64,
    refunded: i64,
}

/// A card that was given to keep. Its number is not needed any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptCard {
    pub(crate) behaviour: Behaviour,
    pub(crate) last4: String,
}

/// Why the ledger does not take something. In neither case did anything happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The name stands for another request.
    AnotherRequest,
    /// There is no room.
    Full,
}

/// What happens when there is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// The oldest is forgotten.
    Forget,
    /// It is refused: what is forgotten could be charged twice.
    Refuse,
}

/// Every operation that arrived, up to a bound.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: HashMap<OperationId, Entry>,
    arrivals: VecDeque<OperationId>,
    cards: HashMap<CardToken, KeptCard>,
    tokens: VecDeque<CardToken>,
    max_operations: usize,
    when_full: WhenFull,
}

impl Ledger {
    /// An empty one with room for so many operations, and as many cards.
    pub(crate) fn new(max_operations: usize, when_full: WhenFull) -> Self {
        Self {
            entries: HashMap::new(),
            arrivals: VecDeque::new(),
            cards: HashMap::new(),
            tokens: VecDeque::new(),
            max_operations: max_operations.max(1),
            when_full,
        }
    }

    /// Charges an operation that is new with the outcome given, unless its authorization does not allow it; one that is known
    /// keeps the outcome it has.
    pub(crate) fn charge(&mut self, id: &OperationId, charge: Charge) -> Result<ChargeOutcome, Refusal> {
        if let Some(known) = self.entries.get_mut(id) {
            if known
                .charge
                .as_ref()
                .is_some_and(|first| !is_same(first, &charge))
            {
                return Err(Refusal::AnotherRequest);
            }
            known.asked += 1;
            return Ok(known.outcome());
        }
        self.make_room()?;
        let mut hold = Hold::default();
        let outcome = match charge.outcome {
            ChargeOutcome::Approved if !self.apply(&mut hold, &charge) => {
                ChargeOutcome::Declined(DeclineCode::NotPermitted)
            }
            outcome => outcome,
        };
        let entry = Entry {
            merchant_id: charge.merchant_id.clone(),
            charge: Some(Charge { outcome, ..charge }),
            asked: 1,
            inquired: 0,
            hold,
        };
        self.remember(id, entry);
        Ok(outcome)
    }

    /// The outcome of an operation; one that never came is refused from now on.
    pub(crate) fn inquire(
        &mut self,
        id: &OperationId,
        merchant_id: &MerchantId,
    ) -> Result<ChargeOutcome, Refusal> {
        if let Some(known) = self.entries.get_mut(id) {
            if known.merchant_id != *merchant_id {
                return Err(Refusal::AnotherRequest);
            }
            known.inquired += 1;
            return Ok(known.outcome());
        }
        self.make_room()?;
        let entry = Entry {
            merchant_id: merchant_id.clone(),
            charge: None,
            asked: 0,
            inquired: 1,
            hold: Hold::default(),
        };
        self.remember(id, entry);
        Ok(ChargeOutcome::Closed)
    }

    /// Keeps a card under its name; a name that is known keeps the card it has.
    pub(crate) fn keep(&mut self, token: &CardToken, card: KeptCard) -> Result<(), Refusal> {
        if let Some(known) = self.cards.get(token) {
            return if *known == card {
                Ok(())
            } else {
                Err(Refusal::AnotherRequest)
            };
        }
        if self.tokens.len() >= self.max_operations {
            if self.when_full == WhenFull::Refuse {
                return Err(Refusal::Full);
            }
            if let Some(oldest) = self.tokens.pop_front() {
                self.cards.remove(&oldest);
            }
        }
        self.cards.insert(token.clone(), card);
        self.tokens.push_back(token.clone());
        Ok(())
    }

    /// The card of a name.
    pub(crate) fn kept(&self, token: &CardToken) -> Option<&KeptCard> {
        self.cards.get(token)
    }

    /// What is known under a name.
    pub(crate) fn find(&self, operation: &OperationId) -> Option<&Entry> {
        self.entries.get(operation)
    }

    /// How many operations arrived, without the names that were closed before.
    pub(crate) fn charge_count(&self) -> usize {
        self.entries
            .values()
            .filter(|entry| entry.charge.is_some())
            .count()
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Names in the order in which they came, from the one with this number on.
    pub(crate) fn entries_from(&self, first: usize) -> impl Iterator<Item = (&OperationId, &Entry)> {
        let names = self.arrivals.range(first.min(self.arrivals.len())..);
        names.filter_map(|name| self.entries.get_key_value(name))
    }

    /// Moves the money, where the authorization has it.
    fn apply(&mut self, own: &mut Hold, charge: &Charge) -> bool {
        let amount = charge.amount.minor_units();
        let Some(authorization) = &charge.authorization else {
            own.authorized = amount;
            return charge.kind == OperationKind::Authorize;
        };
        let Some(entry) = self.entries.get_mut(authorization) else {
            return false;
        };
        let is_of = |first: &Charge| {
            first.merchant_id == charge.merchant_id && first.amount.currency() == charge.amount.currency()
        };
        if !entry.charge.as_ref().is_some_and(is_of) {
            return false;
        }
        let hold = &mut entry.hold;
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

    fn make_room(&mut self) -> Result<(), Refusal> {
        if self.arrivals.len() < self.max_operations {
            return Ok(());
        }
        if self.when_full == WhenFull::Refuse {
            return Err(Refusal::Full);
        }
        if let Some(oldest) = self.arrivals.pop_front() {
            self.entries.remove(&oldest);
        }
        Ok(())
    }

    fn remember(&mut self, id: &OperationId, entry: Entry) {
        self.arrivals.push_back(id.clone());
        self.entries.insert(id.clone(), entry);
    }
}

/// Whether two requests ask for the same, whatever came of the first.
fn is_same(first: &Charge, second: &Charge) -> bool {
    first.kind == second.kind
        && first.merchant_id == second.merchant_id
        && first.amount == second.amount
        && first.authorization == second.authorization
        && first.card_last4 == second.card_last4
}

/// The operation that the simulator gave this reference.
pub(crate) fn operation_of(reference: &AcquirerReference) -> Option<OperationId> {
    OperationId::parse(reference.as_str().strip_prefix("sim_")?).ok()
}

/// The reference that the simulator gives an operation: at most 68 of the 128 bytes that there may be.
pub(crate) fn reference_of(operation: &OperationId) -> String {
    format!("sim_{operation}")
}

/// The name that the simulator keeps a payment's card under: at most 71 bytes.
pub(crate) fn token_of(payment: &PaymentId) -> String {
    format!("simtok_{payment}")
}
