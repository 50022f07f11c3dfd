//! A guest for tests: it panics when it is asked to describe itself.

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct TrapsInDescribe;

impl Policy for TrapsInDescribe {
    #[expect(clippy::panic, reason = "this is what it is for")]
    fn describe() -> Descriptor {
        panic!("no mind to be described")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        Ok(Decision::approve())
    }
}

export_policy!(TrapsInDescribe);
