//! A guest for tests: it answers with a reason of a megabyte.

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct GivesALongReason;

impl Policy for GivesALongReason {
    fn describe() -> Descriptor {
        Descriptor::new("gives-a-long-reason")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        Ok(Decision::review().reason("long", "x".repeat(1024 * 1024)))
    }
}

export_policy!(GivesALongReason);
