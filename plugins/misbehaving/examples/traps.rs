//! A guest for tests: it panics, which is a trap to the gateway, with a message on its standard error.

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct Traps;

impl Policy for Traps {
    fn describe() -> Descriptor {
        Descriptor::new("Panics on every payment, or on those above an amount").parameter("above", 0)
    }

    #[expect(clippy::panic, reason = "this is what it is for")]
    fn evaluate(request: &Request) -> Result<Decision, String> {
        if request.payment.amount.minor_units > request.integer("above")? {
            panic!("no mind to decide payment {}", request.payment.id)
        }
        Ok(Decision::approve())
    }
}

export_policy!(Traps);
