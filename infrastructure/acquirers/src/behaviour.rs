//! How the simulator meets a card.

use domain::payment::DeclineCode;

use crate::ledger::ChargeOutcome;
use crate::test_cards;

/// What becomes of a charge on the card, and what goes wrong beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behaviour {
    pub(crate) outcome: ChargeOutcome,
    pub(crate) fault: Option<Fault>,
}

/// What goes wrong on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request does not arrive.
    NotReached,
    /// An error of the server, and nothing is charged.
    ErrorBefore,
    /// Another request with the key is said to be under way, and nothing is charged.
    Conflict,
    /// The acquirer says that it did nothing.
    Busy,
    /// Charged; the answer comes late.
    Slow,
    /// Charged; no answer comes, and the connection stays.
    LoseAnswer,
    /// Charged; the connection is closed.
    CloseAfter,
    /// Charged; an error of the server is answered.
    ErrorAfter,
    /// Charged; all that is answered is that it is under way.
    UnderWay,
}

impl Fault {
    /// Whether nothing is charged.
    pub(crate) const fn is_before(self) -> bool {
        match self {
            Self::NotReached | Self::ErrorBefore | Self::Conflict | Self::Busy => true,
            Self::Slow | Self::LoseAnswer | Self::CloseAfter | Self::ErrorAfter | Self::UnderWay => false,
        }
    }
}

/// Numbers with a behaviour of their own, and what the journal calls it: the number itself is nowhere written down.
const CARDS: [(&str, &str, Behaviour); 11] = [
    (
        test_cards::CARD_DECLINED,
        "card_declined",
        declines(DeclineCode::CardDeclined),
    ),
    (
        test_cards::INSUFFICIENT_FUNDS,
        "insufficient_funds",
        declines(DeclineCode::InsufficientFunds),
    ),
    (test_cards::SLOW, "slow", fails(Fault::Slow)),
    (test_cards::NO_ANSWER, "no_answer", fails(Fault::LoseAnswer)),
    (test_cards::NOT_REACHED, "not_reached", fails(Fault::NotReached)),
    (test_cards::CLOSED_AFTER, "closed_after", fails(Fault::CloseAfter)),
    (test_cards::ERROR_AFTER, "error_after", fails(Fault::ErrorAfter)),
    (
        test_cards::ERROR_BEFORE,
        "error_before",
        fails(Fault::ErrorBefore),
    ),
    (test_cards::CONFLICT, "conflict", fails(Fault::Conflict)),
    (test_cards::BUSY, "busy", fails(Fault::Busy)),
    (test_cards::UNDER_WAY, "under_way", fails(Fault::UnderWay)),
];

/// What the journal calls the behaviour of every other number.
const APPROVES: &str = "approved";

const fn declines(code: DeclineCode) -> Behaviour {
    Behaviour {
        outcome: ChargeOutcome::Declined(code),
        fault: None,
    }
}

const fn fails(fault: Fault) -> Behaviour {
    Behaviour {
        outcome: ChargeOutcome::Approved,
        fault: Some(fault),
    }
}

impl Behaviour {
    /// Nothing goes wrong.
    pub(crate) const APPROVE: Self = Self {
        outcome: ChargeOutcome::Approved,
        fault: None,
    };

    /// Of a card that nobody was given to keep, or an authorization that is none.
    pub(crate) const REFUSE: Self = declines(DeclineCode::NotPermitted);

    /// Of a card's number.
    pub(crate) fn of(card_number: &str) -> Self {
        let found = CARDS.iter().find(|(number, ..)| *number == card_number);
        found.map_or(Self::APPROVE, |(.., behaviour)| *behaviour)
    }

    /// Of a name in the journal.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name == APPROVES {
            return Some(Self::APPROVE);
        }
        let found = CARDS.iter().find(|(_, known, _)| *known == name);
        found.map(|(.., behaviour)| *behaviour)
    }

    /// Its name in the journal.
    pub(crate) fn name(self) -> &'static str {
        let found = CARDS.iter().find(|(.., behaviour)| *behaviour == self);
        found.map_or(APPROVES, |(_, name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use domain::CardNumber;

    use super::*;

    #[test]
    fn every_behaviour_has_a_card_and_a_name_of_its_own() {
        for (number, name, behaviour) in CARDS {
            assert!(CardNumber::parse(number).is_ok(), "{number}");
            assert_eq!(Behaviour::of(number), behaviour);
            assert_eq!(behaviour.name(), name);
            assert_eq!(Behaviour::named(name), Some(behaviour));
        }
        let other = Behaviour::of(test_cards::APPROVED);
        assert_eq!(Behaviour::named(other.name()), Some(Behaviour::APPROVE));
        assert_eq!(Behaviour::named("unheard"), None);
    }
}
