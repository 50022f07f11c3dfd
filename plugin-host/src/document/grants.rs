//! Which parts of a payment a policy may be shown.

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of a payment that holds personal data or takes time to pass; the contract calls these `payment-parts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentPart {
    /// What the gateway keeps of the card.
    Card,
    /// The payer.
    Customer,
    /// The device that the payment comes from.
    Device,
    /// The merchant's own notes.
    Metadata,
}

impl PaymentPart {
    /// Every part, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Card, Self::Customer, Self::Device, Self::Metadata];

    /// The stable name, such as `card`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Customer => "customer",
            Self::Device => "device",
            Self::Metadata => "metadata",
        }
    }
}

/// The parts that a document grants; none where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grants([bool; PaymentPart::ALL.len()]);

impl Grants {
    /// No part at all.
    pub const NONE: Self = Self([false; PaymentPart::ALL.len()]);

    /// Every part.
    pub const ALL: Self = Self([true; PaymentPart::ALL.len()]);

    /// The same, and this part too.
    #[must_use]
    pub fn with(mut self, part: PaymentPart) -> Self {
        if let Some(slot) = self.0.get_mut(part as usize) {
            *slot = true;
        }
        self
    }

    /// Whether this part is granted.
    #[must_use]
    pub fn contains(self, part: PaymentPart) -> bool {
        self.0.get(part as usize).copied().unwrap_or(false)
    }

    /// The granted parts, in the order of the contract.
    pub fn iter(self) -> impl Iterator<Item = PaymentPart> {
        PaymentPart::ALL
            .into_iter()
            .filter(move |part| self.contains(*part))
    }
}

impl FromIterator<PaymentPart> for Grants {
    fn from_iter<I: IntoIterator<Item = PaymentPart>>(parts: I) -> Self {
        parts.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for Grants {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_seq(None)?;
        for part in self.iter() {
            parts.serialize_element(&part)?;
        }
        parts.end()
    }
}

impl<'de> Deserialize<'de> for Grants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<PaymentPart>::deserialize(deserializer).map(Self::from_iter)
    }
}
