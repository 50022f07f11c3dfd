//! Names made of a prefix and a UUID of version 7 (RFC 9562), which sorts by the time it was made.

use std::fmt::Debug;

use application::ports::IdGenerator;
use domain::{DecisionId, IdentifierError, OperationId, PaymentId, WebhookDeliveryId, WebhookEndpointId};
use uuid::Uuid;
use uuid::fmt::Simple;

/// Makes names such as `pay_0198c0de2f1e7a3b8d52c4a1b6e7f809`.
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidIdGenerator;

/// The longest prefix, and a UUID without hyphens.
const MAX_LENGTH: usize = 4 + Simple::LENGTH;

impl UuidIdGenerator {
    /// A generator. Names of all generators of a process sort in the order in which they were made.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl IdGenerator for UuidIdGenerator {
    fn payment_id(&self) -> PaymentId {
        name("pay_", PaymentId::parse)
    }

    fn decision_id(&self) -> DecisionId {
        name("dec_", DecisionId::parse)
    }

    fn operation_id(&self) -> OperationId {
        name("op_", OperationId::parse)
    }

    fn webhook_endpoint_id(&self) -> WebhookEndpointId {
        name("we_", WebhookEndpointId::parse)
    }

    fn webhook_delivery_id(&self) -> WebhookDeliveryId {
        name("whd_", WebhookDeliveryId::parse)
    }
}

#[expect(
    clippy::expect_used,
    reason = "a short prefix and hexadecimal digits are always an identifier"
)]
pub(crate) fn name<T: Debug>(prefix: &str, parse: fn(&str) -> Result<T, IdentifierError>) -> T {
    let mut digits = [0; Simple::LENGTH];
    let digits = Uuid::now_v7().simple().encode_lower(&mut digits);
    let mut text = String::with_capacity(MAX_LENGTH);
    text.push_str(prefix);
    text.push_str(digits);
    parse(&text).expect("a prefix and hexadecimal digits are an identifier")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_tell_their_kind_and_have_one_length() {
        let ids = UuidIdGenerator::new();
        for (prefix, name) in [
            ("pay_", ids.payment_id().to_string()),
            ("dec_", ids.decision_id().to_string()),
            ("op_", ids.operation_id().to_string()),
            ("we_", ids.webhook_endpoint_id().to_string()),
            ("whd_", ids.webhook_delivery_id().to_string()),
        ] {
            let digits = name.strip_prefix(prefix).unwrap();
            assert_eq!(digits.len(), 32);
            assert!(digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
            assert_eq!(digits.as_bytes()[12], b'7', "the version");
        }
    }

    #[test]
    fn names_differ_and_sort_in_the_order_in_which_they_were_made() {
        let ids = UuidIdGenerator::new();
        let made: Vec<PaymentId> = (0..10_000).map(|_| ids.payment_id()).collect();
        assert!(made.is_sorted());
        assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), made.len());
    }
}
