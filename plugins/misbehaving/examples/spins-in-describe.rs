//! A guest for tests: it never comes to an end of describing itself. Its rounds take much fuel and little time, so that it is
//! the fuel that ends on any machine.

use std::hint::black_box;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct SpinsInDescribe;

impl Policy for SpinsInDescribe {
    fn describe() -> Descriptor {
        let mut bytes = vec![0_u8; 32 * 1024];
        loop {
            bytes.fill(1);
            black_box(&mut bytes);
        }
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        Ok(Decision::approve())
    }
}

export_policy!(SpinsInDescribe);
