//! A guest for tests: it panics with a message that holds all it was given of the payer.

use portcullis_policy::{Decision, Descriptor, PaymentParts, Policy, Request, export_policy};

struct TellsSecrets;

impl Policy for TellsSecrets {
    fn describe() -> Descriptor {
        Descriptor::new("tells-secrets").reads(
            PaymentParts::CARD | PaymentParts::CUSTOMER | PaymentParts::DEVICE | PaymentParts::METADATA,
        )
    }

    #[expect(clippy::panic, reason = "this is what it is for")]
    fn evaluate(request: &Request) -> Result<Decision, String> {
        panic!("cannot decide on {request:?}")
    }
}

export_policy!(TellsSecrets);
