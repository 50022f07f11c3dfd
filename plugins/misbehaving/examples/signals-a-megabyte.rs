//! A guest for tests: it emits a signal of a megabyte.

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy, signal};

struct SignalsAMegabyte;

impl Policy for SignalsAMegabyte {
    fn describe() -> Descriptor {
        Descriptor::new("signals-a-megabyte")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        signal("long", &"x".repeat(1024 * 1024));
        Ok(Decision::approve())
    }
}

export_policy!(SignalsAMegabyte);
