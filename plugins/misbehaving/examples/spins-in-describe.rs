//! A guest for tests: it never comes to an end of describing itself.

use std::hint::black_box;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct SpinsInDescribe;

impl Policy for SpinsInDescribe {
    fn describe() -> Descriptor {
        let mut rounds = 0_u64;
        loop {
            rounds = black_box(rounds.wrapping_add(1));
        }
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        Ok(Decision::approve())
    }
}

export_policy!(SpinsInDescribe);
