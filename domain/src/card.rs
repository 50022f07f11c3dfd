//! Cards: the number, which lives in memory only between the request and the acquirer, and what is kept of it.

use std::fmt;

use crate::country::CountryCode;
use crate::timestamp::Timestamp;

/// A full card number that passed length and Luhn check. It cannot be printed and is overwritten when dropped.
pub struct CardNumber {
    /// On the heap, where they were first put: to move the number moves the pointer and leaves no digits behind.
    digits: Box<[u8; Self::MAX_DIGITS]>,
    length: u8,
}

/// Why a text is no card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardNumberError {
    /// A character other than a digit.
    NotDigits,
    /// Fewer than 12 or more than 19 digits (ISO/IEC 7812).
    Length,
    /// The check digit does not fit (Luhn, ISO/IEC 7812-1 annex B).
    CheckDigit,
}

impl fmt::Display for CardNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDigits => "may only hold digits",
            Self::Length => "must have 12 to 19 digits",
            Self::CheckDigit => "has a wrong check digit",
        })
    }
}

impl std::error::Error for CardNumberError {}

impl CardNumber {
    const MIN_DIGITS: usize = 12;
    const MAX_DIGITS: usize = 19;
    /// How many of the last digits may be kept.
    const LAST_DIGITS: usize = 4;

    /// How many digits between the first and the last ones are never kept: four of a number of 16 or more, five of one of
    /// 15, six of a shorter one (PCI SSC FAQ 1091, truncation under PCI DSS 3.5.1).
    const fn hidden_digits(length: usize) -> usize {
        match length {
            16.. => 4,
            15 => 5,
            _ => 6,
        }
    }

    /// Takes 12 to 19 digits with the right check digit, without blanks or dashes.
    ///
    /// # Errors
    /// When it holds anything but digits, has another length, or fails the Luhn check.
    pub fn parse(text: &str) -> Result<Self, CardNumberError> {
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CardNumberError::NotDigits);
        }
        if !(Self::MIN_DIGITS..=Self::MAX_DIGITS).contains(&text.len()) {
            return Err(CardNumberError::Length);
        }
        if !passes_luhn(text) {
            return Err(CardNumberError::CheckDigit);
        }
        let mut digits = Box::new([0; Self::MAX_DIGITS]);
        for (slot, digit) in digits.iter_mut().zip(text.bytes()) {
            *slot = digit;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 19, checked above")]
        Ok(Self {
            digits,
            length: text.len() as u8,
        })
    }

    /// The digits, for the acquirer and the fingerprint alone. Never log, store or answer them.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.digits
            .get(..usize::from(self.length))
            .and_then(|d| std::str::from_utf8(d).ok())
            .unwrap_or("")
    }

    /// The issuer's part that may be kept: eight digits of a number of 16 or more, six of one of 15, and fewer of a shorter
    /// one, of which enough has to stay hidden.
    #[must_use]
    pub fn bin(&self) -> &str {
        let length = usize::from(self.length);
        let issuer = if length >= 16 { 8 } else { 6 };
        let kept = issuer.min(length.saturating_sub(Self::hidden_digits(length) + Self::LAST_DIGITS));
        self.expose().get(..kept).unwrap_or("")
    }

    /// The last four digits.
    #[must_use]
    pub fn last4(&self) -> &str {
        let digits = self.expose();
        digits
            .get(digits.len().saturating_sub(Self::LAST_DIGITS)..)
            .unwrap_or("")
    }

    /// The brand, by the number's range.
    #[must_use]
    pub fn brand(&self) -> CardBrand {
        CardBrand::of(self.expose())
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(redacted)")
    }
}

impl Drop for CardNumber {
    fn drop(&mut self) {
        self.digits.fill(0);
        // Without `unsafe` there is no volatile write; the barrier keeps the compiler from dropping the fill.
        std::hint::black_box(&mut *self.digits);
    }
}

fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(position, digit)| {
            let digit = u32::from(digit - b'0');
            match (position % 2, digit * 2) {
                (0, _) => digit,
                (_, doubled @ 0..=9) => doubled,
                (_, doubled) => doubled - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Card schemes, told by the first digits (ISO/IEC 7812 issuer ranges as the schemes publish them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardBrand {
    /// 4
    Visa,
    /// 51–55, 2221–2720
    Mastercard,
    /// 34, 37
    AmericanExpress,
    /// 62, 81
    UnionPay,
    /// 3528–3589
    Jcb,
    /// 300–305, 36, 38, 39
    DinersClub,
    /// 6011, 644–649, 65
    Discover,
    /// Anything else.
    Other,
}

impl CardBrand {
    fn of(digits: &str) -> Self {
        let prefix = |length: usize| {
            digits
                .get(..length)
                .and_then(|d| d.parse::<u32>().ok())
                .unwrap_or(0)
        };
        match (prefix(1), prefix(2), prefix(3), prefix(4)) {
            (4, ..) => Self::Visa,
            (_, 51..=55, ..) | (.., 2221..=2720) => Self::Mastercard,
            (_, 34 | 37, ..) => Self::AmericanExpress,
            (_, 62 | 81, ..) => Self::UnionPay,
            (.., 3528..=3589) => Self::Jcb,
            (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => Self::DinersClub,
            (_, 65, ..) | (_, _, 644..=649, _) | (.., 6011) => Self::Discover,
            _ => Self::Other,
        }
    }

    /// The brand's stable name, such as `union_pay`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::AmericanExpress => "american_express",
            Self::UnionPay => "union_pay",
            Self::Jcb => "jcb",
            Self::DinersClub => "diners_club",
            Self::Discover => "discover",
            Self::Other => "other",
        }
    }

    /// The brand of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Visa,
            Self::Mastercard,
            Self::AmericanExpress,
            Self::UnionPay,
            Self::Jcb,
            Self::DinersClub,
            Self::Discover,
            Self::Other,
        ];
        all.into_iter().find(|brand| brand.as_str() == name)
    }
}

/// Month and year until whose end a card is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardExpiry {
    month: u8,
    year: u16,
}

impl CardExpiry {
    /// A month of 1 to 12 and a year of 2000 to 2099; anything else is none.
    #[must_use]
    pub fn new(month: u8, year: u16) -> Option<Self> {
        ((1..=12).contains(&month) && (2000..=2099).contains(&year)).then_some(Self { month, year })
    }

    /// Whether the card's last month had ended, in UTC, at the moment. A card whose month ends "now" anywhere on earth is
    /// left to its issuer: the answer is given a day late, never early.
    #[must_use]
    pub fn is_past(self, now: Timestamp) -> bool {
        const DAY_MILLIS: u64 = 86_400_000;
        let (next_month, next_year) = match self.month {
            12 => (1, self.year + 1),
            month => (month + 1, self.year),
        };
        let days = days_before_year(next_year) + days_before_month(next_month, next_year);
        now.unix_millis() >= (days + 1) * DAY_MILLIS
    }

    /// 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Four digits.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }
}

/// Whether February has 29 days. Right for 1901 to 2099, which is all that [`CardExpiry`] takes.
const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4)
}

fn days_before_year(year: u16) -> u64 {
    (1970..year).map(|y| if is_leap(y) { 366 } else { 365 }).sum()
}

fn days_before_month(month: u8, year: u16) -> u64 {
    (1..month)
        .map(|m| match m {
            2 if is_leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        })
        .sum()
}

/// What is kept of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardSummary {
    /// The first digits, eight at most: as many as leave six hidden.
    pub bin: Box<str>,
    /// The last four digits.
    pub last4: Box<str>,
    /// Keyed digest of the number: the same card always has the same one, and nobody can go back from it.
    pub fingerprint: Box<str>,
    /// The scheme.
    pub brand: CardBrand,
    /// Where the issuer is, when the merchant or a BIN table said so.
    pub issuer_country: Option<CountryCode>,
}

#[cfg(test)]
mod tests;
