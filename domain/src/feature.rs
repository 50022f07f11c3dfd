//! Features: facts that the gateway looks up before policies run.

/// Whose past a feature counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// By card fingerprint.
    Card,
    /// By the merchant's customer id.
    Customer,
    /// By e-mail address.
    Email,
    /// By IP address.
    Ip,
    /// By device id.
    Device,
    /// By merchant.
    Merchant,
}

impl Subject {
    /// Every subject, in the order of the contract.
    pub const ALL: [Self; 6] = [
        Self::Card,
        Self::Customer,
        Self::Email,
        Self::Ip,
        Self::Device,
        Self::Merchant,
    ];

    /// The stable name, such as `card`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Customer => "customer",
            Self::Email => "email",
            Self::Ip => "ip",
            Self::Device => "device",
            Self::Merchant => "merchant",
        }
    }

    /// The subject of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.as_str() == name)
    }
}

/// Which payments count. `Attempted` includes the payment that is being decided, exactly once; the other two can only
/// hold earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentFilter {
    /// Every payment that was decided or is being decided.
    Attempted,
    /// Those that were authorized.
    Approved,
    /// Those that a policy or the acquirer declined.
    Declined,
}

/// What of the past payments is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VelocityMeasure {
    /// How many payments.
    Count,
    /// The sum of their amounts, in minor units of the payment's own currency.
    Amount,
    /// How many different subjects of this kind were seen together with the first one.
    Distinct(Subject),
}

/// The longest window a velocity feature may have: 90 days.
pub const MAX_WINDOW_SECONDS: u32 = 90 * 24 * 3600;

/// A feature as a policy asks for it. Two policies that ask for the same one share its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureSpec {
    /// Something about the subject's past payments.
    Velocity {
        /// Whose past.
        subject: Subject,
        /// What is measured.
        measure: VelocityMeasure,
        /// Which payments count.
        filter: PaymentFilter,
        /// How far back, in seconds, at most [`MAX_WINDOW_SECONDS`].
        window_seconds: u32,
    },
    /// Whether the subject is on a list.
    Listed {
        /// The list's name.
        list: Box<str>,
        /// What is looked for on it.
        subject: Subject,
    },
}

/// The value of a feature for one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureValue {
    /// Of `count` and `distinct`.
    Count(u64),
    /// Of `amount`: minor units of the payment's currency.
    Amount(i64),
    /// Of `listed`.
    Listed(bool),
    /// The payment has no such subject, or the lookup failed or came too late.
    Unavailable,
}
