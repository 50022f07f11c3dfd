//! Recognizing a card without keeping its number.

use domain::CardNumber;

/// Makes the keyed digest that stands for a card.
pub trait CardFingerprinter: Send + Sync {
    /// The same text for the same number under the same key; nobody without the key can go back or try numbers.
    fn fingerprint(&self, number: &CardNumber) -> Box<str>;
}
