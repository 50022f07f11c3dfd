//! Numbers as digits in a text that is there already: what formatting does, without its machinery. For the hot path.

/// Writes the last digits of a number, as many as there is room for, with zeros before it. `BASE` is at most 16.
pub(crate) fn write_digits<'a, const BASE: u64>(
    room: impl DoubleEndedIterator<Item = &'a mut u8>,
    number: u64,
) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut rest = number;
    for place in room.rev() {
        let digit = usize::try_from(rest % BASE)
            .ok()
            .and_then(|digit| DIGITS.get(digit));
        *place = digit.copied().unwrap_or(b'0');
        rest /= BASE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_formatting_writes_it() {
        for number in [0, 7, 10, 99, 1_234, 0xdead_beef] {
            let mut text = [b'x'; 12];
            write_digits::<10>(text.iter_mut(), number);
            assert_eq!(text, *format!("{number:012}").as_bytes());
            write_digits::<16>(text.iter_mut(), number);
            assert_eq!(text, *format!("{number:012x}").as_bytes());
        }
    }

    #[test]
    fn of_a_longer_number_the_last_digits_are_written() {
        let mut text = *b"a00b";
        write_digits::<10>(text.iter_mut().skip(1).take(2), 1_234);
        assert_eq!(text, *b"a34b");
    }
}
