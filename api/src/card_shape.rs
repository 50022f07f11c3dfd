//! Card numbers in texts where none belongs: as digits, or in groups the way people write them.

use domain::CardNumber;
use domain::card::CardBrand;

/// How many digits a card number has (ISO/IEC 7812).
const DIGITS: std::ops::RangeInclusive<usize> = 12..=19;
/// How many digits an id made by a machine has: a UUID, or a random number of 128 bits.
const MACHINE_ID_DIGITS: usize = 32;

/// Digits of one run, and where in them a new group begins: digits that nothing but blanks, dashes and dots parts.
/// Wiped when it is dropped.
#[derive(Default)]
struct Run {
    digits: Vec<u8>,
    groups: Vec<usize>,
}

impl Drop for Run {
    fn drop(&mut self) {
        wipe(&mut self.digits);
    }
}

/// Overwrites what may be a card number.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // Without `unsafe` there is no volatile write; the barrier keeps the compiler from dropping the fill.
    std::hint::black_box(bytes);
}

/// Whether the text has this card number in it, however its digits are grouped.
pub(crate) fn repeats(text: &str, number: &CardNumber) -> bool {
    let number = number.expose().as_bytes();
    may_hold(text)
        && any_run(text, |run| {
            run.digits.windows(number.len()).any(|digits| digits == number)
        })
}

/// Whether the text has something in it that is, by its check digit and its brand, a card number. One in ten numbers of
/// 12 to 19 digits has a right check digit by chance, and some of them a brand: ids that are shaped like that should
/// not be digits alone. Ids of 32 hexadecimal digits with a letter among them are taken for what they are.
pub(crate) fn holds_card_number(text: &str) -> bool {
    if !may_hold(text) {
        return false;
    }
    let mut start = 0;
    for (at, part) in machine_ids(text) {
        if any_run(text.get(start..at).unwrap_or(""), has_card_number) {
            return true;
        }
        start = at + part.len();
    }
    any_run(text.get(start..).unwrap_or(""), has_card_number)
}

/// Whether digits in one unbroken row are a card number, whatever stands around them: in an id made by a machine too. For
/// what is repeated in public and can be replaced at no cost; of random ids of 32 hexadecimal digits it finds one in
/// thousands.
pub(crate) fn holds_card_number_in_a_row(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).any(is_card_number)
}

fn is_card_number(digits: &str) -> bool {
    CardNumber::parse(digits).is_ok_and(|number| number.brand() != CardBrand::Other)
}

/// Whether a run of digits may be long enough. Nearly every text ends here, so it is one look at each byte and no
/// allocation; what is not ASCII is left to the search itself.
pub(crate) fn may_hold(text: &str) -> bool {
    if text.len() < *DIGITS.start() {
        return false;
    }
    if !text.is_ascii() {
        return true;
    }
    // Several bytes at a time, since nothing in it ends early.
    if text.bytes().filter(u8::is_ascii_digit).count() < *DIGITS.start() {
        return false;
    }
    let mut digits = 0;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                if digits == *DIGITS.start() {
                    return true;
                }
            }
            // What `is_separator` takes of ASCII.
            0x09..=0x0d | b' ' | b'-' | b'.' => {}
            _ => digits = 0,
        }
    }
    false
}

/// Any row of whole groups: `4242 4242 4242 4242` is found in `17. 4242 4242 4242 4242 12-30`.
fn has_card_number(run: &Run) -> bool {
    run.groups.iter().enumerate().any(|(index, &start)| {
        let ends = run.groups.iter().skip(index + 1).copied();
        // A few at most, however many groups there are.
        ends.chain([run.digits.len()])
            .take_while(|end| end - start <= *DIGITS.end())
            .filter(|end| DIGITS.contains(&(end - start)))
            .filter_map(|end| std::str::from_utf8(run.digits.get(start..end)?).ok())
            .any(is_card_number)
    })
}

/// Asks about every run that is long enough.
fn any_run(text: &str, mut found: impl FnMut(&Run) -> bool) -> bool {
    let mut run = Run::default();
    // Once, so that no growth leaves a copy behind.
    run.digits.reserve_exact(text.len());
    let mut in_group = false;
    let mut ask = |run: &Run| run.digits.len() >= *DIGITS.start() && found(run);
    for c in text.chars() {
        if let Some(digit) = digit(c) {
            if !in_group {
                run.groups.push(run.digits.len());
            }
            in_group = true;
            run.digits.push(digit);
        } else if is_separator(c) {
            in_group = false;
        } else {
            if ask(&run) {
                return true;
            }
            wipe(&mut run.digits);
            run.digits.clear();
            run.groups.clear();
            in_group = false;
        }
    }
    ask(&run)
}

/// ASCII digits, and the full-width ones of East Asian keyboards.
fn digit(c: char) -> Option<u8> {
    let value = match c {
        '0'..='9' => u32::from(c) - u32::from('0'),
        '\u{ff10}'..='\u{ff19}' => u32::from(c) - 0xff10,
        _ => return None,
    };
    u8::try_from(value).ok().map(|value| b'0' + value)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '.' | '\u{ad}' | '\u{b7}' | '\u{200b}'..='\u{200f}' | '\u{2010}'..='\u{2015}' | '\u{2060}' | '\u{feff}'
        )
}

/// The parts of a text that are 32 hexadecimal digits, with or without dashes, at least one of them a letter.
fn machine_ids(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let parts = text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let parts = parts.map(move |part| {
        let start = at;
        at += part.len();
        let id = part.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        (start, id)
    });
    parts.filter(|(_, id)| {
        let digits = id.bytes().filter(|b| *b != b'-');
        digits.clone().all(|b| b.is_ascii_hexdigit())
            && digits.clone().any(|b| b.is_ascii_alphabetic())
            && digits.count() == MACHINE_ID_DIGITS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_found_however_it_is_written() {
        for text in [
            "4242424242424242",
            "card 4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "4242.4242.4242.4242",
            "4242 - 4242 - 4242 - 4242",
            "order4242424242424242x",
            "2026-03-01 4242 4242 4242 4242 12/30",
            "4242424242424242 12 30",
            "3782 822463 10005",
            "４２４２４２４２４２４２４２４２",
            "4242\u{a0}4242\u{2011}4242\u{200b}4242",
            "4242424242424242@example.com",
        ] {
            assert!(holds_card_number(text), "{text}");
            let number = CardNumber::parse("4242424242424242").unwrap();
            assert_eq!(repeats(text, &number), !text.starts_with("3782"), "{text}");
        }
    }

    #[test]
    fn what_is_no_card_number_is_left_alone() {
        for text in [
            "",
            "2026-17",
            "4242424242424241",
            "42424242424",
            "9111111111111111",
            "1772353800250",
            "2026-03-01T08:30:00.250Z",
            "+86 138 0013 8000",
            "13800138000@example.com",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.129 Safari/537.36",
            "fp_4242424242424242abcdef0123456789",
            "a4242424-2424-4242-8242-424242424242",
            "pay_4242424242424242abcdef0123456789.1",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    proptest::proptest! {
        /// The filter may let through what holds nothing, never keep back what does.
        #[test]
        fn the_filter_keeps_no_card_number_back(
            before in "[0-9a-z .é-]{0,12}",
            parts in "[ .-]{0,2}",
            after in "[0-9a-z .é-]{0,12}",
        ) {
            let number = CardNumber::parse("4242424242424242").unwrap();
            let text = format!("{before}4242{parts}4242{parts}4242{parts}4242{after}");
            proptest::prop_assert!(may_hold(&text) && repeats(&text, &number), "{text}");
        }

        #[test]
        fn the_filter_of_ascii_is_exact(text in "([0-9]{1,8}|[\\x00-\\x7f]){0,30}") {
            let mut found = false;
            any_run(&text, |run| { found |= run.digits.len() >= *DIGITS.start(); found });
            proptest::prop_assert_eq!(may_hold(&text), found);
        }
    }

    #[test]
    fn another_card_than_the_payers_is_no_repetition() {
        let number = CardNumber::parse("4242424242424242").unwrap();
        assert!(!repeats("5555555555554444", &number));
        assert!(repeats("0042424242424242420", &number));
    }
}
