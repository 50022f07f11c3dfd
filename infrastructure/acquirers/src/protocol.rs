//! The words of the protocol that `docs/acquirers.md` describes, for both of its ends.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Where operations are asked for.
pub(crate) const OPERATIONS: &str = "/v1/operations";

/// Where cards are given to keep.
pub(crate) const CARDS: &str = "/v1/cards";

/// Where operations are inquired about.
pub(crate) const INQUIRIES: &str = "/v1/inquiries";

/// The header with the name that a request is done at most once under.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The largest request, in bytes: every text in one is bounded, and all of them together stay below 2 KiB, escaped.
pub(crate) const MAX_REQUEST_BYTES: usize = 4 * 1024;

/// The largest answer, in bytes. One takes a few hundred; what is longer is none of ours.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OperationBody<'a> {
    #[serde(borrow)]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) merchant_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) amount: AmountBody<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) card: Option<CardBody<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) card_token: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) authentication: Option<AuthenticationBody<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorization: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AmountBody<'a> {
    pub(crate) minor_units: i64,
    #[serde(borrow)]
    pub(crate) currency: Cow<'a, str>,
}

/// A card. Its number is borrowed on both ends, from memory that is wiped.
#[derive(Serialize, Deserialize)]
pub(crate) struct CardBody<'a> {
    pub(crate) number: &'a str,
    pub(crate) expiry_month: u8,
    pub(crate) expiry_year: u16,
}

impl std::fmt::Debug for CardBody<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardBody(redacted)")
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuthenticationBody<'a> {
    #[serde(borrow)]
    pub(crate) eci: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) cryptogram: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) transaction_id: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InquiryBody<'a> {
    #[serde(borrow)]
    pub(crate) operation_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) merchant_id: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeepCardBody<'a> {
    #[serde(borrow)]
    pub(crate) payment_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) merchant_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) card: CardBody<'a>,
}

/// Every answer. Which of the texts there are depends on the status.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct AnswerBody<'a> {
    /// The name that was asked for: the operation's, or the payment's where a card is kept.
    #[serde(borrow, default)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) status: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<Cow<'a, str>>,
}

/// What [`AnswerBody::status`] may say.
pub(crate) mod status {
    pub(crate) const APPROVED: &str = "approved";
    pub(crate) const DECLINED: &str = "declined";
    /// It is not decided yet.
    pub(crate) const UNDER_WAY: &str = "under_way";
    /// Nothing came under the name, and nothing ever will.
    pub(crate) const NEVER_RECEIVED: &str = "never_received";
    /// The card is kept.
    pub(crate) const KEPT: &str = "kept";
    /// What was asked is none of the acquirer's operations: it did nothing, and would not another time.
    pub(crate) const REFUSED: &str = "refused";
    /// The acquirer did nothing with this request, and another time it may.
    pub(crate) const NOT_PROCESSED: &str = "not_processed";
}

/// How many characters of a stranger's text are shown.
const MAX_SHOWN_CHARS: usize = 200;

/// A stranger's text as it may be logged: bounded, and of one line. Runs of digits as long as a card number's are left out, for
/// nobody knows what an acquirer repeats.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(MAX_SHOWN_CHARS);
    let mut digits = 0;
    for character in text.chars().take(MAX_SHOWN_CHARS) {
        digits = match character {
            '0'..='9' => digits + 1,
            // Between the digits of a number that was written in groups.
            ' ' | '-' => digits,
            _ => 0,
        };
        shown.push(match character {
            _ if character.is_control() => '\u{fffd}',
            '0'..='9' if digits > 6 => '*',
            _ => character,
        });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_is_one_bounded_line_without_a_card_number() {
        assert_eq!(shown("try later, code 51"), "try later, code 51");
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(shown(&"x".repeat(70_000)).len(), 200);
        for text in ["card 4242424242424242", "card 4242 4242 4242 4242"] {
            let told: String = shown(text).chars().filter(char::is_ascii_digit).collect();
            assert_eq!(told, "424242");
        }
    }

    #[test]
    fn a_card_is_not_printed() {
        let card = CardBody {
            number: "4242424242424242",
            expiry_month: 12,
            expiry_year: 2030,
        };
        assert_eq!(format!("{card:?}"), "CardBody(redacted)");
    }
}
