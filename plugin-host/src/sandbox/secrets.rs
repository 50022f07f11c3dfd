//! Keeping what a payment says of a person out of the gateway's log.
//!
//! A policy that logs, panics or refuses may repeat what it was given: an address, a device, something that the merchant put into
//! the metadata. The payer's data belongs with the payment and not in a log that many people read, so each such value is
//! replaced wherever it appears. This is against accidents; a guest that writes it backwards gets it through.

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
        // The longer first: one value may be a part of another.
        values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    /// The same text without them. `is_cut` says that the end of the text was cut off, perhaps in the middle of one.
    pub(crate) fn conceal(&self, text: &str, is_cut: bool) -> Option<String> {
        let mut concealed: Option<String> = None;
        for secret in &self.0 {
            let so_far = concealed.as_deref().unwrap_or(text);
            if so_far.contains(secret) {
                concealed = Some(so_far.replace(secret, CONCEALED));
            }
            let so_far = concealed.as_deref().unwrap_or(text);
            if is_cut && let Some(length) = begun(so_far, secret) {
                concealed = so_far.get(..so_far.len() - length).map(str::to_owned);
            }
        }
        concealed
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
        assert_eq!(conceal("from ada@exam", true).as_deref(), Some("from "));
        assert_eq!(conceal("from déjà v", true).as_deref(), Some("from "));
        assert_eq!(conceal("from ada@exam", false), None);
        assert_eq!(conceal("from ada", true), None);
    }
}
