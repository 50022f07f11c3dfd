//! An amount of money: a whole number of minor units, and its currency.

use std::fmt;

use crate::currency::Currency;

/// The largest amount taken, in minor units: 10¹⁵ keeps every sum of a payment's operations far from `i64`'s end and
/// every amount exact in a JSON number.
pub const MAX_MINOR_UNITS: i64 = 1_000_000_000_000_000;

/// A positive amount that can be paid. Zero, negative and unpayable currencies do not exist as `Money`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor_units: i64,
    currency: Currency,
}

/// Why an amount is no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// Zero or below.
    NotPositive,
    /// Above [`MAX_MINOR_UNITS`].
    TooLarge,
    /// More decimals than the currency has.
    TooPrecise {
        /// The currency.
        currency: Currency,
        /// How many decimals it has.
        exponent: u8,
    },
    /// Not digits with at most one decimal point.
    Malformed,
    /// A currency without a minor unit, such as gold (`XAU`) or `XXX`.
    NotPayable {
        /// The currency.
        currency: Currency,
    },
    /// Two amounts of different currencies were put together.
    CurrencyMismatch {
        /// The currency of the first amount.
        expected: Currency,
        /// The currency of the second.
        found: Currency,
    },
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositive => f.write_str("must be greater than zero"),
            Self::TooLarge => write!(f, "must be at most {MAX_MINOR_UNITS} minor units"),
            Self::TooPrecise {
                currency,
                exponent: 0,
            } => write!(f, "has decimals, but {currency} has none"),
            Self::TooPrecise { currency, exponent } => {
                write!(f, "has more decimals than {currency}, which has {exponent}")
            }
            Self::Malformed => f.write_str("must be digits with at most one decimal point, such as `129.00`"),
            Self::NotPayable { currency } => write!(f, "{currency} has no minor unit and cannot be paid in"),
            Self::CurrencyMismatch { expected, found } => write!(f, "expected {expected}, found {found}"),
        }
    }
}

impl std::error::Error for MoneyError {}

impl Money {
    /// An amount from its minor units (fen, cents, or whole yen).
    ///
    /// # Errors
    /// When it is not positive, too large, or the currency has no minor unit.
    pub fn new(minor_units: i64, currency: Currency) -> Result<Self, MoneyError> {
        if currency.exponent().is_none() {
            return Err(MoneyError::NotPayable { currency });
        }
        match minor_units {
            ..=0 => Err(MoneyError::NotPositive),
            1..=MAX_MINOR_UNITS => Ok(Self {
                minor_units,
                currency,
            }),
            _ => Err(MoneyError::TooLarge),
        }
    }

    /// An amount from a decimal text in major units, such as `129.00` for CNY 129. Fewer decimals than the currency has
    /// are filled up; more are refused rather than rounded, also when they are zeros.
    ///
    /// # Errors
    /// As for [`Money::new`], and when the text is malformed or too precise.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let exponent = currency.exponent().ok_or(MoneyError::NotPayable { currency })?;
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(MoneyError::Malformed),
            Some(parts) => parts,
            None => (digits, ""),
        };
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(MoneyError::Malformed);
        }
        if negative {
            return Err(MoneyError::NotPositive);
        }
        if fraction.len() > usize::from(exponent) {
            return Err(MoneyError::TooPrecise { currency, exponent });
        }
        let zeros = usize::from(exponent) - fraction.len();
        let mut minor_units: i64 = 0;
        for digit in whole
            .bytes()
            .chain(fraction.bytes())
            .chain(std::iter::repeat_n(b'0', zeros))
        {
            minor_units = minor_units
                .checked_mul(10)
                .and_then(|m| m.checked_add(i64::from(digit - b'0')))
                .ok_or(MoneyError::TooLarge)?;
        }
        Self::new(minor_units, currency)
    }

    /// Minor units of the currency, always at least 1.
    #[must_use]
    pub const fn minor_units(self) -> i64 {
        self.minor_units
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in major units with all decimals of its currency, without the code: `129.00`, `500`. What
    /// [`Money::from_decimal`] takes back.
    pub fn decimal(self) -> impl fmt::Display {
        Decimal(self)
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// When the currencies differ or the sum is too large.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch {
                expected: self.currency,
                found: other.currency,
            });
        }
        let sum = self
            .minor_units
            .checked_add(other.minor_units)
            .ok_or(MoneyError::TooLarge)?;
        Self::new(sum, self.currency)
    }
}

impl fmt::Display for Money {
    /// Major units with all decimals of the currency, then the code: `129.00 CNY`, `500 JPY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Decimal(*self), self.currency)
    }
}

/// What [`Money::decimal`] writes.
struct Decimal(Money);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Money {
            minor_units,
            currency,
        } = self.0;
        let exponent = u32::from(currency.exponent().unwrap_or(0));
        let unit = 10_i64.pow(exponent);
        write!(f, "{}", minor_units / unit)?;
        if exponent > 0 {
            write!(f, ".{:0width$}", minor_units % unit, width = exponent as usize)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn decimals_become_minor_units_exactly() {
        for (text, code, expected) in [
            ("129.00", "CNY", 12_900),
            ("129", "CNY", 12_900),
            ("0.1", "CNY", 10),
            ("500", "JPY", 500),
            ("1.234", "KWD", 1_234),
            ("0000000000000000001", "CNY", 100),
        ] {
            assert_eq!(
                Money::from_decimal(text, currency(code)).map(Money::minor_units),
                Ok(expected),
                "{text} {code}"
            );
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_by_kind() {
        let cny = currency("CNY");
        let jpy = currency("JPY");
        assert_eq!(
            Money::from_decimal("1.001", cny),
            Err(MoneyError::TooPrecise {
                currency: cny,
                exponent: 2
            })
        );
        assert_eq!(
            Money::from_decimal("1.0", jpy),
            Err(MoneyError::TooPrecise {
                currency: jpy,
                exponent: 0
            })
        );
        assert_eq!(Money::from_decimal("-1", cny), Err(MoneyError::NotPositive));
        assert_eq!(Money::from_decimal("0.00", cny), Err(MoneyError::NotPositive));
        assert_eq!(
            Money::from_decimal("99999999999999999999999", cny),
            Err(MoneyError::TooLarge)
        );
        for bad in [
            "", ".5", "1.", "1,00", "1e3", "+1", " 1", "1.0.0", "--1", "-", "١",
        ] {
            assert_eq!(
                Money::from_decimal(bad, cny),
                Err(MoneyError::Malformed),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn minor_units_are_bounded_on_both_sides() {
        let cny = currency("CNY");
        assert_eq!(Money::new(0, cny), Err(MoneyError::NotPositive));
        assert_eq!(Money::new(i64::MIN, cny), Err(MoneyError::NotPositive));
        assert!(Money::new(MAX_MINOR_UNITS, cny).is_ok());
        assert_eq!(Money::new(MAX_MINOR_UNITS + 1, cny), Err(MoneyError::TooLarge));
        let gold = currency("XAU");
        assert_eq!(
            Money::new(1, gold),
            Err(MoneyError::NotPayable { currency: gold })
        );
    }

    #[test]
    fn amounts_of_two_currencies_do_not_add_up() {
        let one = Money::new(1, currency("CNY")).unwrap();
        let other = Money::new(1, currency("EUR")).unwrap();
        assert!(matches!(
            one.checked_add(other),
            Err(MoneyError::CurrencyMismatch { .. })
        ));
        assert_eq!(one.checked_add(one).map(Money::minor_units), Ok(2));
    }

    #[test]
    fn money_is_written_with_the_decimals_of_its_currency() {
        assert_eq!(
            Money::new(12_900, currency("CNY")).unwrap().to_string(),
            "129.00 CNY"
        );
        assert_eq!(Money::new(5, currency("KWD")).unwrap().to_string(), "0.005 KWD");
        assert_eq!(Money::new(500, currency("JPY")).unwrap().to_string(), "500 JPY");
        for (minor_units, code, decimal) in [
            (12_900, "CNY", "129.00"),
            (1, "CNY", "0.01"),
            (5, "KWD", "0.005"),
            (500, "JPY", "500"),
            (12_345, "CLF", "1.2345"),
        ] {
            let money = Money::new(minor_units, currency(code)).unwrap();
            assert_eq!(money.decimal().to_string(), decimal, "{code}");
        }
    }
}
