//! Amounts: written and read back, added and taken apart.

use domain::Money;
use domain::money::{MAX_MINOR_UNITS, MoneyError};
use portcullis_testkit::strategies::{currency, money};
use proptest::prelude::*;

proptest! {
    #[test]
    fn an_amount_that_is_written_is_read_back_the_same(amount in money()) {
        let text = amount.to_string();
        let (decimal, code) = text.split_once(' ').unwrap();
        prop_assert_eq!(code, amount.currency().code());
        prop_assert_eq!(Money::from_decimal(decimal, amount.currency()), Ok(amount));
    }

    #[test]
    fn minor_units_make_money_exactly_where_they_are_in_bounds(minor_units: i64, currency in currency()) {
        let in_bounds = (1..=MAX_MINOR_UNITS).contains(&minor_units);
        prop_assert_eq!(Money::new(minor_units, currency).is_ok(), in_bounds);
    }

    #[test]
    fn a_sum_does_not_depend_on_the_order(one in money(), other in money()) {
        let sum = one.checked_add(other);
        match (&sum, other.checked_add(one)) {
            (Ok(sum), Ok(swapped)) => prop_assert_eq!(*sum, swapped),
            (Err(_), Err(_)) => {}
            (sum, swapped) => prop_assert!(false, "{:?} but {:?}", sum, swapped),
        }
        if one.currency() != other.currency() {
            let mismatch = matches!(sum, Err(MoneyError::CurrencyMismatch { .. }));
            prop_assert!(mismatch);
        }
    }

    #[test]
    fn no_text_makes_anything_but_money_or_an_error(text in "[0-9.,eE+ -]{0,24}", currency in currency()) {
        if let Ok(amount) = Money::from_decimal(&text, currency) {
            prop_assert!((1..=MAX_MINOR_UNITS).contains(&amount.minor_units()));
        }
    }
}
