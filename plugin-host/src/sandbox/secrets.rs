//! Keeping what a payment says of a person out of the gateway's log.
//!
//! A policy that logs, panics or refuses may repeat what it was given: an address, a device, something that the merchant put into
//! the metadata. The payer's data belongs with the payment and not in a log that many people read, so each such value is
//! replaced wherever it appears. This is against accidents; a guest that writes it backwards gets it through.

use std::ops::Range;

/// What stands in a text in place of a value.
const CONCEALED: &str = "[concealed]";

/// Bytes that a value must have: `CN` or `1` say nothing of a person, and replacing them everywhere would leave no text to
/// read.
const MIN_BYTES: usize = 4;

/// The values that a guest was given and a log may not hold.
pub(crate) struct Secrets<'a>(Vec<&'a str>);

impl<'a> Secrets<'a> {
    /// These values, those that are long enough.
    pub(crate) fn new(values: impl Iterator<Item = &'a str>) -> Self {
        let mut values: Vec<&str> = values.filter(|value| value.len() >= MIN_BYTES).collect();
        values.sort_unstable();
        values.dedup();
        Self(values)
    }

    /// The same text without them. `is_cut` says that the end of the text was cut off, perhaps in the middle of one.
    pub(crate) fn conceal(&self, text: &str, is_cut: bool) -> Option<String> {
        let covered = self.covered(text, is_cut);
        if covered.is_empty() {
            return None;
        }
        let mut concealed = String::with_capacity(text.len() + CONCEALED.len());
        let mut at = 0;
        for Range { start, end } in covered {
            concealed.push_str(text.get(at..start).unwrap_or_default());
            concealed.push_str(CONCEALED);
            at = end;
        }
        concealed.push_str(text.get(at..).unwrap_or_default());
        Some(concealed)
    }

    /// The parts of a text that values stand in, in order and apart. All are looked for in the text as it was: what stands in place of
    /// one may itself hold another, and a merchant chooses what is in the metadata.
    fn covered(&self, text: &str, is_cut: bool) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for secret in &self.0 {
            found.extend(text.match_indices(secret).map(|(at, _)| at..at + secret.len()));
            if is_cut && let Some(length) = begun(text, secret) {
                found.push(text.len() - length..text.len());
            }
        }
        found.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }
}

/// How many bytes of a value, from its first on, a text ends with.
fn begun(text: &str, secret: &str) -> Option<usize> {
    (MIN_BYTES..secret.len())
        .rev()
        .find(|length| secret.get(..*length).is_some_and(|part| text.ends_with(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conceal(text: &str, is_cut: bool) -> Option<String> {
        let values = ["ada@example.com", "ada@example.com.au", "CN", "déjà vu"];
        Secrets::new(values.into_iter()).conceal(text, is_cut)
    }

    #[test]
    fn every_value_is_replaced_wherever_it_stands() {
        assert_eq!(
            conceal("ada@example.com.au knows ada@example.com, déjà vu", false).as_deref(),
            Some("[concealed] knows [concealed], [concealed]")
        );
    }

    #[test]
    fn a_text_without_them_is_left_as_it_is() {
        assert_eq!(conceal("a payment of 5 CNY", false), None);
        assert_eq!(conceal("", true), None);
    }

    #[test]
    fn a_value_whose_end_was_cut_off_goes_with_it() {
        assert_eq!(
            conceal("from ada@exam", true).as_deref(),
            Some("from [concealed]")
        );
        assert_eq!(conceal("from déjà v", true).as_deref(), Some("from [concealed]"));
        assert_eq!(conceal("from ada@exam", false), None);
        assert_eq!(conceal("from ada", true), None);
    }

    #[test]
    fn values_that_overlap_go_as_one() {
        let secrets = Secrets::new(["12345678", "56789abc", "9abcdef0"].into_iter());
        let concealed = secrets.conceal("x123456789abcdef0y", false);
        assert_eq!(concealed.as_deref(), Some("x[concealed]y"));
    }

    #[test]
    fn a_value_that_stands_in_the_mark_itself_makes_no_text_grow() {
        // Replaced one after the other, each of them would be found in what the one before it left.
        let values = ["ceal", "[con"].into_iter().cycle().take(32);
        let secrets = Secrets::new(values);
        let concealed = secrets.conceal("a ceal of [con", true).unwrap();
        assert_eq!(concealed, "a [concealed] of [concealed]");
    }
}
