//! Card numbers, brands and expiry.

use super::*;

#[test]
fn a_well_formed_number_is_taken_and_hidden() {
    let number = CardNumber::parse("4242424242424242").unwrap();
    assert_eq!(number.expose(), "4242424242424242");
    assert_eq!(number.bin(), "42424242");
    assert_eq!(number.last4(), "4242");
    assert_eq!(format!("{number:?}"), "CardNumber(redacted)");
}

#[test]
fn what_is_kept_of_a_number_leaves_enough_digits_hidden() {
    for (text, bin) in [
        ("401234567899", "40"),
        ("4012345678909", "401"),
        ("40123456789017", "4012"),
        ("401234567890124", "401234"),
        ("4012345678901239", "40123456"),
        ("40123456789012343", "40123456"),
        ("401234567890123454", "40123456"),
        ("4012345678901234565", "40123456"),
    ] {
        let number = CardNumber::parse(text).unwrap();
        assert_eq!(number.bin(), bin, "{text}");
        assert_eq!(number.last4(), &text[text.len() - 4..]);
        let hidden = text.len() - number.bin().len() - number.last4().len();
        assert!(hidden >= if text.len() >= 16 { 4 } else { 5 }, "{text}");
    }
}

#[test]
fn a_number_that_is_moved_leaves_its_digits_where_they_are() {
    let number = CardNumber::parse("4242424242424242").unwrap();
    let before = number.expose().as_ptr();
    let moved = std::hint::black_box(number);
    assert_eq!(moved.expose().as_ptr(), before);
}

#[test]
fn what_is_no_number_is_refused_by_kind() {
    for (text, error) in [
        ("", CardNumberError::Length),
        ("42424242424", CardNumberError::Length),
        ("42424242424242424242", CardNumberError::Length),
        ("4242 4242 4242 4242", CardNumberError::NotDigits),
        ("４２４２４２４２４２４２４２４２", CardNumberError::NotDigits),
        ("4242424242424241", CardNumberError::CheckDigit),
    ] {
        assert_eq!(CardNumber::parse(text).map(|_| ()), Err(error), "{text:?}");
    }
}

#[test]
fn brands_are_told_by_the_first_digits() {
    for (number, brand) in [
        ("4242424242424242", CardBrand::Visa),
        ("5555555555554444", CardBrand::Mastercard),
        ("2223003122003222", CardBrand::Mastercard),
        ("378282246310005", CardBrand::AmericanExpress),
        ("6200000000000005", CardBrand::UnionPay),
        ("3566002020360505", CardBrand::Jcb),
        ("3056930009020004", CardBrand::DinersClub),
        ("6011111111111117", CardBrand::Discover),
        ("9111111111111111", CardBrand::Other),
    ] {
        let parsed = CardBrand::of(number);
        assert_eq!(parsed, brand, "{number}");
        assert_eq!(CardBrand::parse(brand.as_str()), Some(brand));
    }
}

#[test]
fn a_card_is_past_a_day_after_its_month_ended() {
    let expiry = CardExpiry::new(2, 2028).unwrap();
    // 2028-03-01T00:00:00Z and one day later: 2028 is a leap year.
    let month_end = 1_835_481_600_000;
    assert!(!expiry.is_past(Timestamp::from_unix_millis(month_end)));
    assert!(!expiry.is_past(Timestamp::from_unix_millis(month_end + 86_399_999)));
    assert!(expiry.is_past(Timestamp::from_unix_millis(month_end + 86_400_000)));
    let december = CardExpiry::new(12, 2026).unwrap();
    assert!(
        !december.is_past(Timestamp::from_unix_millis(1_798_761_600_000)),
        "2027-01-01T00:00:00Z"
    );
}

#[test]
fn months_and_years_outside_the_calendar_are_no_expiry() {
    assert!(CardExpiry::new(0, 2030).is_none());
    assert!(CardExpiry::new(13, 2030).is_none());
    assert!(CardExpiry::new(1, 1999).is_none());
    assert!(CardExpiry::new(1, 30).is_none());
}
