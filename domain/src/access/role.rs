//! What somebody is to the gateway.

use std::fmt;

use super::scope::{Scope, ScopeSet};

/// What the holder of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Takes payments, and sees his own alone.
    Merchant,
    /// Runs the gateway, and acts for any merchant.
    Operator,
    /// Works through payments that are held.
    Analyst,
    /// Reads, and changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Merchant, Self::Operator, Self::Analyst, Self::Auditor];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merchant => "merchant",
            Self::Operator => "operator",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
        }
    }

    /// The role of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// All that it can ever have. An operator does not review: who runs the machine does not decide about the money that it
    /// held back.
    #[must_use]
    pub const fn scopes(self) -> ScopeSet {
        match self {
            Self::Merchant => ScopeSet::of(&[
                Scope::PaymentsRead,
                Scope::PaymentsWrite,
                Scope::Refunds,
                Scope::Decisions,
                Scope::EventsRead,
                Scope::Webhooks,
            ]),
            Self::Operator => ScopeSet::of(&[
                Scope::PaymentsRead,
                Scope::PaymentsWrite,
                Scope::Refunds,
                Scope::Decisions,
                Scope::EventsRead,
                Scope::ListsRead,
                Scope::ListsWrite,
                Scope::PoliciesRead,
                Scope::Operations,
                Scope::MetricsRead,
                Scope::Webhooks,
            ]),
            Self::Analyst => ScopeSet::of(&[
                Scope::PaymentsRead,
                Scope::Reviews,
                Scope::ListsRead,
                Scope::ListsWrite,
                Scope::EventsRead,
                Scope::PoliciesRead,
            ]),
            Self::Auditor => ScopeSet::of(&[
                Scope::PaymentsRead,
                Scope::EventsRead,
                Scope::ListsRead,
                Scope::PoliciesRead,
            ]),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
