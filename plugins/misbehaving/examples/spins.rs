//! A guest for tests: it describes itself like any other policy, and never comes to an end of its first evaluation.

use std::hint::black_box;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct Spins;

impl Policy for Spins {
    fn describe() -> Descriptor {
        Descriptor::new("Never comes to an end")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        // Each division waits for the one before, so that no processor ends the fuel before the longest deadline of a test.
        let mut divisor = 1_u64;
        loop {
            divisor = black_box(u64::MAX / divisor) | 1;
        }
    }
}

export_policy!(Spins);
