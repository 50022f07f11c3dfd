//! A guest for tests: it answers with an error of a hundred kilobytes.

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct RefusesAtLength;

impl Policy for RefusesAtLength {
    fn describe() -> Descriptor {
        Descriptor::new("refuses-at-length")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        Err("no ".repeat(100_000 / 3))
    }
}

export_policy!(RefusesAtLength);
