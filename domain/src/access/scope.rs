//! What a key may be narrowed to.

use std::fmt;

/// A part of what a role may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read payments.
    PaymentsRead,
    /// Begin, confirm, capture and void payments.
    PaymentsWrite,
    /// Give money back.
    Refunds,
    /// Ask for decisions without charging.
    Decisions,
    /// Read what happened.
    EventsRead,
    /// Let go or decline payments that are held.
    Reviews,
    /// See what is on lists.
    ListsRead,
    /// Put things on lists, and take them off.
    ListsWrite,
    /// See how the policies stand.
    PoliciesRead,
    /// Settle operations by hand whose end is not known.
    Operations,
    /// Read the metrics.
    MetricsRead,
    /// Say where events are sent, see how that went, and send again.
    Webhooks,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 12] = [
        Self::PaymentsRead,
        Self::PaymentsWrite,
        Self::Refunds,
        Self::Decisions,
        Self::EventsRead,
        Self::Reviews,
        Self::ListsRead,
        Self::ListsWrite,
        Self::PoliciesRead,
        Self::Operations,
        Self::MetricsRead,
        Self::Webhooks,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentsRead => "payments:read",
            Self::PaymentsWrite => "payments:write",
            Self::Refunds => "refunds",
            Self::Decisions => "decisions",
            Self::EventsRead => "events:read",
            Self::Reviews => "reviews",
            Self::ListsRead => "lists:read",
            Self::ListsWrite => "lists:write",
            Self::PoliciesRead => "policies:read",
            Self::Operations => "operations",
            Self::MetricsRead => "metrics:read",
            Self::Webhooks => "webhooks",
        }
    }

    /// The scope of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Some scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(u16);

impl ScopeSet {
    /// These.
    #[must_use]
    pub const fn of(mut scopes: &[Scope]) -> Self {
        let mut bits = 0;
        while let [first, rest @ ..] = scopes {
            bits |= first.bit();
            scopes = rest;
        }
        Self(bits)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// All of them, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

/// As in ``` `payments:read`, `refunds` ```.
impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}`{scope}`")?;
        }
        Ok(())
    }
}
