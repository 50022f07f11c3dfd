//! The exponents of currencies, which a gateway fills in and no author of a test or a golden case writes.

/// The currencies of ISO 4217 whose minor unit has other than two decimal digits. A test of the gateway holds this against
/// its own table.
const OTHER_THAN_TWO: &[(&str, u8)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// How many decimal digits the minor unit of a currency has.
pub(super) fn exponent(currency: &str) -> u8 {
    OTHER_THAN_TWO
        .iter()
        .find(|(code, _)| *code == currency)
        .map_or(2, |(_, exponent)| *exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_currencies_have_cents_and_some_have_not() {
        for (currency, expected) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XAU", 2)] {
            assert_eq!(exponent(currency), expected, "{currency}");
        }
    }
}
