//! A guest for tests: it describes itself like any other policy, and never comes to an end of its first evaluation.

use std::hint::black_box;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct Spins;

impl Policy for Spins {
    fn describe() -> Descriptor {
        Descriptor::new("Never comes to an end")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        let mut rounds = 0_u64;
        loop {
            rounds = black_box(rounds.wrapping_add(1));
        }
    }
}

export_policy!(Spins);
